//! Puts maximum pooling behind activation functions, and batch normalisation behind the pooling of
//! an activation.
//!
//! A function that never falls can change places with a maximum: `f(max x) = max f(x)`. So
//! conv → pool → ReLU becomes conv → ReLU → pool, whose maximum is taken over spikes of one unit;
//! and ReLU → batch norm → pool becomes ReLU → pool → batch norm, which then folds into the next
//! layer.

use super::fold::gain_and_shift;
use super::{Findings, Outcome, Pass};
use crate::ann::{AnnGraph, Edit, NodeId, Operator, Role};

/// The pass.
pub static PASS: Pass = Pass {
    name: "order pooling",
    summary: "puts maximum pooling behind activations, and affine maps behind the pooling of one",
    run,
};

fn run(graph: &AnnGraph) -> Findings {
    let mut findings = Findings::default();
    for (id, node) in graph.nodes() {
        let Some(next) = graph.sole_consumer(id) else { continue };
        if findings.edits.contains_key(&id) || findings.edits.contains_key(&next) {
            continue;
        }
        let behind = graph.node(next);
        let reads = node.inputs.first().map(|&input| source_role(graph, input));
        let activation = matches!(reads, Some(Role::Activation | Role::Maximum));
        let swap = match (&node.operator, &behind.operator) {
            (Operator::MaxPool(_), _) if !activation => never_falls(graph, next),
            (_, Operator::MaxPool(_)) if activation && gain_and_shift(graph, id).is_some() => {
                never_falls(graph, id)
            }
            _ => false,
        };
        if swap {
            let become_other = |other: &crate::ann::Node| Edit::Become {
                name: other.name.clone(),
                operator: other.operator.clone(),
            };
            findings.edits.insert(id, become_other(behind));
            findings.edits.insert(next, become_other(node));
            let reason = format!("changes places with `{}` behind it", behind.name);
            findings.record(&PASS, graph, id, Outcome::Rewritten, reason);
        }
    }
    findings
}

/// The role of a node, seen through arrangements.
pub(super) fn source_role(graph: &AnnGraph, mut id: NodeId) -> Role {
    while graph.node(id).role() == Role::Arrangement {
        match graph.producers(id).first() {
            Some(&producer) => id = producer,
            None => break,
        }
    }
    graph.node(id).role()
}

/// Whether a node is a function of each value of a picture that never falls.
fn never_falls(graph: &AnnGraph, id: NodeId) -> bool {
    match &graph.node(id).operator {
        Operator::Relu(_) | Operator::Clip(_) => true,
        Operator::LeakyRelu(leaky) => leaky.slope >= 0.0,
        Operator::ParametricRelu(trained) => trained.slope.iter().all(|&slope| slope >= 0.0),
        _ => {
            gain_and_shift(graph, id).is_some_and(|(gain, _)| gain.iter().all(|&gain| gain >= 0.0))
        }
    }
}
