//! `spikeloom synapses`.

use super::{Outcome, Run, Session};
use crate::output;
use serde_json::json;
use spikeloom::error::Error;
use spikeloom::model_io::edges::{EdgeNames, write_edges};
use spikeloom::model_io::recording::OutputFormat;
use spikeloom::network_files;
use spikeloom::synapses::draw;
use std::path::PathBuf;

/// Write the synapses that a projection's rule draws: source, target, weight and delay of each
#[derive(Debug, clap::Args)]
pub struct Synapses {
    /// Network description
    #[arg(value_name = "NET.toml")]
    network: PathBuf,

    /// Projection of the network
    #[arg(value_name = "PROJECTION")]
    projection: String,

    /// File to write, SONATA edges (.h5), .npz or .csv; `rule = "file"` reads it
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Overwrite a file that exists
    #[arg(long)]
    force: bool,
}

impl Run for Synapses {
    fn run(&self, _session: &Session) -> Result<Outcome, Error> {
        output::check_target(Some(&self.out), self.force)?;
        let Some(format) = OutputFormat::of_path(&self.out) else {
            let name = self.out.display();
            return Err(Error::Usage(format!(
                "{name}: the name's ending says the format: .h5, .npz or .csv"
            )));
        };
        let file = network_files::read(&self.network)?;
        let drawn = draw(&file.network, &self.projection)?;
        let names = EdgeNames {
            projection: &self.projection,
            source: &drawn.source,
            target: &drawn.target,
            weight_unit: &drawn.weight_unit,
        };
        write_edges(&self.out, format, &drawn.edges, names, self.force)?;
        let count = drawn.edges.sources.len();
        let json = json!({
            "projection": self.projection,
            "source": drawn.source,
            "target": drawn.target,
            "synapses": count,
            "weight_unit": drawn.weight_unit,
            "file": self.out.to_string_lossy(),
        });
        let text = format!(
            "{count} synapses of `{}` ({} to {}): {}\n",
            self.projection,
            drawn.source,
            drawn.target,
            self.out.display()
        );
        Ok(Outcome::fine(json, text))
    }
}
