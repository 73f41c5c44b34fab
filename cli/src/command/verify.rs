//! `spikeloom verify`.

use super::{Outcome, Run, Session};
use spikeloom::error::Error;
use spikeloom::verify::{find_source, verify};
use std::path::PathBuf;

/// Check recorded runs of another tool against our engines, one line a file
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// Tool that made the recordings: lava
    #[arg(value_name = "TOOL")]
    tool: String,

    /// Recorded cases, or folders of them
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
}

impl Run for Verify {
    fn run(&self, session: &Session) -> Result<Outcome, Error> {
        let result = verify(find_source(&self.tool)?, &self.paths, &session.terminal)?;
        let text = format!(
            "{} equal, {} different, {} not covered",
            result.equal, result.different, result.not_covered
        );
        let differs = result.different > 0;
        Ok(Outcome::fine(serde_json::to_value(&result)?, text).with_finding(differs))
    }
}
