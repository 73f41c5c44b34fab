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
            Operator::Concat(concat) if concat.operands == 1 => "joins a single operand",
            Operator::Pad(pad) if pad.before.iter().chain(&pad.after).all(|&cells| cells == 0) => {
                "adds no cell"
            }
            Operator::Affine(affine)
                if affine.gain.iter().all(|&gain| gain == 1.0)
                    && affine.shift.iter().all(|&shift| shift == 0.0) =>
            {
                "multiplies by 1 and adds 0"
            }
            Operator::Clip(clip)
                if clip.minimum == f32::NEG_INFINITY && clip.maximum == f32::INFINITY =>
            {
                "limits nothing"
            }
            _ => continue,
        };
        findings.edits.insert(id, Edit::Bypass);
        findings.record(&PASS, graph, id, Outcome::Dropped, reason.to_owned());
    }
    findings
}
