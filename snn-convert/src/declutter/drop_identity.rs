//! Removes what changes nothing in a finished network.

use super::{Findings, Outcome, Pass};
use crate::ann::{AnnGraph, Edit, Operator};

/// The pass.
pub static PASS: Pass =
    Pass { name: "drop identity", summary: "removes identity, dropout and empty reshapes", run };

fn run(graph: &AnnGraph) -> Findings {
    let mut findings = Findings::default();
    for (id, node) in graph.nodes() {
        let same_shape =
            || node.inputs.first().is_some_and(|&input| graph.node(input).shape == node.shape);
        let reason = match &node.operator {
            Operator::Identity(_) => "changes nothing",
            Operator::Dropout(_) => "acts only in training",
            Operator::Flatten(_) | Operator::Reshape(_) if same_shape() => "the shape is the same",
            _ => continue,
        };
        findings.edits.insert(id, Edit::Bypass);
        findings.record(&PASS, graph, id, Outcome::Dropped, reason.to_owned());
    }
    findings
}
