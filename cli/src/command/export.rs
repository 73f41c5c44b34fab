//! `spikeloom export`.

use super::{Outcome, Run, Session, model};
use crate::output;
use serde_json::json;
use spikeloom::error::Error;
use spikeloom::exports::{Destination, chip_source, find_export};
use std::path::PathBuf;

/// Write a network for another tool
#[derive(Debug, clap::Args)]
pub struct Export {
    /// Trained network, network description or netx file
    #[arg(value_name = "MODEL.onnx|NETWORK.toml|FILE.net")]
    network: PathBuf,

    /// Format: netx, nir, lava_script, sana_fe, integers or core_map (see `spikeloom list exports`)
    #[arg(long, value_name = "NAME")]
    format: String,

    /// File to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Overwrite a file that exists
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    conversion: model::Conversion,

    /// Number of steps that a conversion is made for [default: 8]
    #[arg(long, value_name = "T", requires = "calibrate",
          value_parser = clap::value_parser!(u32).range(1..))]
    steps: Option<u32>,

    #[command(flatten)]
    chip: model::Chip,

    /// Chips that may be used
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..))]
    chips: u32,

    /// Read a netx file on which netx stops where only one meaning is likely, and say so
    #[arg(long)]
    lenient: bool,
}

impl Run for Export {
    fn run(&self, _session: &Session) -> Result<Outcome, Error> {
        let format = find_export(&self.format)?;
        output::check_target(Some(&self.out), self.force)?;
        let chip = self.chip.spec()?;
        let conversion = self.conversion.config(self.steps)?;
        let network = chip_source(&self.network, conversion.as_ref(), self.lenient)?;
        let (chip, chips, overwrite) = (&chip, self.chips, self.force);
        let to = Destination { chip, chips, path: &self.out, overwrite };
        let notes = (format.write)(&network, &to)?;
        let bytes = std::fs::metadata(&self.out).map_or(0, |metadata| metadata.len());
        let out = self.out.to_string_lossy();
        let json = json!({
            "network": network.name(),
            "format": format.name,
            "out": out,
            "bytes": bytes,
            "notes": notes,
        });
        let mut text = format!("{out}: {} ({bytes} bytes)", format.summary);
        notes.iter().for_each(|note| text.push_str(&format!("\n  {note}")));
        Ok(Outcome::fine(json, text))
    }
}
