//! `spikeloom verify`.

use super::conventions::Conventions;
use super::{Outcome, Run, Session};
use spikeloom::error::Error;
use spikeloom::verify::{VerifyOptions, find_source, verify};
use std::path::PathBuf;

/// Check recorded runs of another tool against our engines, one line a file
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// Tool that made the recordings: lava, netx, nir, … (see `spikeloom list`)
    #[arg(value_name = "TOOL")]
    tool: String,

    /// Recorded cases, or folders of them
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    stated: Stated,
}

/// What recordings leave open
#[derive(Debug, clap::Args)]
struct Stated {
    /// netx: steps between the regular resets that the recording was made with
    #[arg(long, value_name = "STEPS", value_parser = clap::value_parser!(u32).range(1..))]
    reset_interval: Option<u32>,

    /// netx: bits of the input's graded spikes; 0 for plain ones
    #[arg(long, value_name = "BITS", default_value_t = 0)]
    input_message_bits: u8,

    /// netx: whether resonators' sine and cosine decays next to a whole number keep it or lose one
    #[arg(long, value_name = "keep|less,keep|less")]
    resonator_decays: Option<String>,

    /// netx, nir: read files that break their specification where a meaning can be given
    #[arg(long)]
    lenient: bool,

    /// nir: framework that made the graph; otherwise the one that the file's name begins with
    #[arg(long, value_name = "NAME")]
    dialect: Option<String>,

    #[command(flatten)]
    conventions: Conventions,
}

impl Stated {
    fn options(&self) -> Result<VerifyOptions, Error> {
        let mut options = VerifyOptions {
            dialect: self.dialect.clone(),
            stated: self.conventions.stated(),
            lenient: self.lenient,
            ..VerifyOptions::default()
        };
        options.netx.reset_interval = self.reset_interval;
        options.netx.input_message_bits = self.input_message_bits;
        if let Some(cuts) = &self.resonator_decays {
            let keeps = |cut: &str| match cut {
                "keep" => Some(true),
                "less" => Some(false),
                _ => None,
            };
            let both = cuts.split_once(',').and_then(|(a, b)| Some([keeps(a)?, keeps(b)?]));
            options.netx.resonator_keeps = Some(both.ok_or_else(|| {
                Error::Usage(format!(
                    "--resonator-decays is `{cuts}`; write `keep` or `less` for sine and cosine, \
                     for example keep,less"
                ))
            })?);
        }
        Ok(options)
    }
}

impl Run for Verify {
    fn run(&self, session: &Session) -> Result<Outcome, Error> {
        let (source, options) = (find_source(&self.tool)?, self.stated.options()?);
        let result = verify(source, &self.paths, &options, &session.terminal)?;
        let mut text = format!(
            "{} equal, {} different, {} not covered",
            result.equal, result.different, result.not_covered
        );
        if result.unreadable > 0 {
            text.push_str(&format!(", {} unreadable", result.unreadable));
        }
        let finding = result.is_finding();
        Ok(Outcome::fine(serde_json::to_value(&result)?, text).with_finding(finding))
    }
}
