//! `spikeloom demo`.

use super::{Outcome, Run, Session};
use spikeloom::demo::{DemoConfig, demo};
use spikeloom::error::Error;
use std::path::PathBuf;

/// The whole line on handwritten digits: convert, simulate, quantise, map, report
#[derive(Debug, clap::Args)]
pub struct Demo {
    /// Folder for all files
    #[arg(long, value_name = "DIR", default_value = "out/demo")]
    out: PathBuf,

    /// Overwrite files that exist
    #[arg(long)]
    force: bool,

    /// At most so many test images
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,

    /// Chip (see `spikeloom list chips`)
    #[arg(long, value_name = "NAME", default_value = "loihi2")]
    chip: String,
}

impl Run for Demo {
    fn run(&self, session: &Session) -> Result<Outcome, Error> {
        let config = DemoConfig {
            out: self.out.clone(),
            overwrite: self.force,
            chip: spikeloom::exports::chip(&self.chip, None, None)?.name,
            limit: self.limit.map(|limit| limit as usize),
        };
        let summary = demo(&config, &session.terminal)?;
        Ok(Outcome::fine(serde_json::to_value(&summary)?, ""))
    }
}
