//! Folding of a map `gain[c] x + shift[c]` into the layer before it.

use super::{Findings, Outcome, Pass};
use crate::ann::{AnnGraph, Edit, NodeId, Operator};

/// Gain and shift of a node that is such a map, one value a channel.
pub fn gain_and_shift(graph: &AnnGraph, id: NodeId) -> Option<(Vec<f64>, Vec<f64>)> {
    let node = graph.node(id);
    match &node.operator {
        Operator::BatchNormalization(norm) => Some(norm.gain_and_shift()),
        Operator::Affine(affine) => affine.per_channel(&node.shape),
        _ => None,
    }
}

/// Folds the nodes that `wanted` picks into the dense or convolution layer they follow, and
/// records why where that is not possible.
///
/// A second map behind the first is folded in the next sweep.
pub fn fold_backward(pass: &Pass, graph: &AnnGraph, wanted: fn(&Operator) -> bool) -> Findings {
    let mut findings = Findings::default();
    let keep = |findings: &mut Findings, id, reason| {
        findings.record(pass, graph, id, Outcome::Kept, reason);
    };
    for (id, node) in graph.nodes().filter(|(_, node)| wanted(&node.operator)) {
        let Some(&producer) = node.inputs.first() else { continue };
        let Some((gain, shift)) = gain_and_shift(graph, id) else { continue };
        let before = graph.node(producer);
        let folded: Operator = match &before.operator {
            Operator::Dense(dense) => dense.then_affine(&gain, &shift).into(),
            Operator::Convolution(layer) => layer.then_affine(&gain, &shift).into(),
            other => {
                let (operator, name) = (other.name(), &before.name);
                let reason = format!("follows {operator} `{name}`, which has no weights");
                keep(&mut findings, id, reason);
                continue;
            }
        };
        if graph.sole_consumer(producer) != Some(id) {
            keep(&mut findings, id, format!("`{}` is read elsewhere too", before.name));
            continue;
        }
        findings.edits.insert(producer, Edit::Replace(folded));
        findings.edits.insert(id, Edit::Bypass);
        let outcome = Outcome::FoldedInto(before.name.clone());
        findings.record(pass, graph, id, outcome, "scales weights and bias".to_owned());
    }
    findings
}
