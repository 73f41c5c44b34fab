//! `spikeloom import`.

use super::conventions::Conventions;
use super::{Outcome, Run, Session};
use crate::output;
use serde_json::json;
use spikeloom::error::Error;
use spikeloom::imports::{NirImport, import_nir};
use std::path::PathBuf;

/// Read a NIR graph as a network description, under stated conventions
#[derive(Debug, clap::Args)]
pub struct Import {
    /// Graph in the Neuromorphic Intermediate Representation
    #[arg(value_name = "GRAPH.nir")]
    graph: PathBuf,

    /// Framework whose conventions hold (see `spikeloom list dialects`)
    #[arg(long, value_name = "NAME")]
    dialect: String,

    /// Network description to write
    #[arg(long, value_name = "NETWORK.toml")]
    out: PathBuf,

    #[command(flatten)]
    conventions: Conventions,

    /// Let biases act from the first step on, as chips need it, and not with a layer's first input
    #[arg(long)]
    biases_from_start: bool,

    /// Read a file that breaks the specification where only one meaning is likely, and say what was
    /// repaired
    #[arg(long)]
    lenient: bool,

    /// Overwrite a file that exists
    #[arg(long)]
    force: bool,
}

impl Run for Import {
    fn run(&self, _session: &Session) -> Result<Outcome, Error> {
        output::check_target(Some(&self.out), self.force)?;
        let stated = NirImport {
            dialect: self.dialect.clone(),
            stated: self.conventions.stated(),
            biases_from_start: self.biases_from_start,
            lenient: self.lenient,
        };
        let (network, report) = import_nir(&self.graph, &stated)?;
        spikeloom::network_files::write(&network, &self.out, self.force)?;
        let out = self.out.to_string_lossy();
        let mut text = format!(
            "{out}: {} populations, {} projections\nread as {}: {}",
            network.populations.len(),
            network.projections.len(),
            self.dialect,
            report.convention
        );
        for note in &report.notes {
            text.push_str("\n  ");
            text.push_str(note);
        }
        Ok(Outcome::fine(json!({ "out": out, "dialect": self.dialect, "report": report }), text))
    }
}
