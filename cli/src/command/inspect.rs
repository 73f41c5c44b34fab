//! `spikeloom inspect`.

use super::{Outcome, Run, Session};
use crate::table::{facts, table};
use spikeloom::error::Error;
use spikeloom::inspect::inspect;
use std::path::PathBuf;

/// Say what a file is and what it holds
#[derive(Debug, clap::Args)]
pub struct Inspect {
    /// Any file that Spikeloom reads or writes
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Run for Inspect {
    fn run(&self, _session: &Session) -> Result<Outcome, Error> {
        let found = inspect(&self.file)?;
        let (path, description) = (found.path.display(), &found.description);
        let mut text = format!("{path}: {description} ({} bytes)\n", found.bytes);
        let content = facts(&found.content.facts);
        if !content.is_empty() {
            text.push_str(&format!("\n{content}"));
        }
        for (_, listing) in found.content.lists.iter().filter(|(_, list)| !list.rows.is_empty()) {
            text.push_str(&format!("\n{}", table(listing)));
        }
        Ok(Outcome::fine(found.to_json(), text))
    }
}
