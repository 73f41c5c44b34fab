//! Removes a softmax at the end: it keeps the order of the scores, so the class stays.

use super::{Findings, Outcome, Pass};
use crate::ann::{AnnGraph, Edit, Operator};

/// The pass.
pub static PASS: Pass =
    Pass { name: "drop final softmax", summary: "removes a softmax over the final scores", run };

fn run(graph: &AnnGraph) -> Findings {
    let mut findings = Findings::default();
    for (id, node) in graph.nodes() {
        if matches!(node.operator, Operator::Softmax(_)) && graph.consumers(id).is_empty() {
            let reason = "keeps the order of the scores, so the class is the same".to_owned();
            findings.edits.insert(id, Edit::Bypass);
            findings.record(&PASS, graph, id, Outcome::Dropped, reason);
        }
    }
    findings
}
