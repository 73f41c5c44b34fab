//! Synapses that stand in a file of their own.
//!
//! The core opens no files: what reads a network file replaces this rule by a
//! [`List`](super::List) with the file's weights and delays.

use super::{BySource, Ends, Partner, Rows, Rule, RuleEntry};
use crate::diagnostics::Findings;
use serde::{Deserialize, Serialize};

/// In the registry.
pub static ENTRY: RuleEntry = RuleEntry {
    name: "file",
    summary: "the synapses of a file: SONATA edges (HDF5), npz or CSV",
    keys: &["path", "edges"],
};

/// The synapses of a file; its weights and delays take the place of the projection's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeFile {
    /// The file, relative to the network file.
    pub path: String,
    /// Which edge population of a SONATA file; not needed where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edges: Option<String>,
}

impl Rule for EdgeFile {
    fn check(&self, _ends: &Ends, findings: &mut Findings<'_>) {
        findings.wrong(
            "file-not-read",
            "path",
            format!("the synapses of `{}` have not been read", self.path),
            "read the network from a file beside it, or list the synapses",
        );
    }

    fn expected_synapses(&self, _ends: &Ends) -> u64 {
        0
    }

    fn rows<'r>(&'r self, _ends: &'r Ends, _seed: u64) -> Box<dyn Rows + 'r> {
        // Validation refuses a file that was not read.
        Box::new(BySource(|_, _: &mut Vec<Partner>| {}))
    }
}
