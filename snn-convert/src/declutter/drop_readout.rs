//! Removes functions of the finished scores: softmax, log-softmax, sigmoid, the class.

use super::{Findings, Outcome, Pass};
use crate::ann::{AnnGraph, Edit, NodeId, Operator, Role};

/// The pass.
pub static PASS: Pass = Pass {
    name: "drop read-out",
    summary: "removes softmax, log-softmax, sigmoid and the choice of the class from the end",
    run,
};

fn run(graph: &AnnGraph) -> Findings {
    let mut findings = Findings::default();
    for (id, node) in graph.nodes() {
        let Some(behind) = only_arrangements_behind(graph, id) else { continue };
        let reason = match &node.operator {
            Operator::Softmax(_) | Operator::LogSoftmax(_) => {
                "keeps the order of the scores, so the class is the same"
            }
            Operator::Sigmoid(_) => {
                "keeps the order of the scores; for a probability apply it to the score that is \
                 read out (the summed potential over the number of steps)"
            }
            Operator::ArgMax(_) => "the class is read out from the scores",
            _ => continue,
        };
        findings.edits.insert(id, Edit::Bypass);
        findings.record(&PASS, graph, id, Outcome::Dropped, reason.to_owned());
        if matches!(node.operator, Operator::ArgMax(_)) {
            for id in behind {
                findings.edits.insert(id, Edit::Bypass);
                let reason = "arranges the class, which is read out from the scores".to_owned();
                findings.record(&PASS, graph, id, Outcome::Dropped, reason);
            }
        }
    }
    findings
}

/// The nodes behind a node, where all of them only arrange its values for the output.
fn only_arrangements_behind(graph: &AnnGraph, id: NodeId) -> Option<Vec<NodeId>> {
    if graph.node(id).role() != Role::Readout {
        return None;
    }
    let mut found = Vec::new();
    let mut pending = vec![id];
    while let Some(next) = pending.pop() {
        for &consumer in graph.consumers(next) {
            if graph.node(consumer).role() != Role::Arrangement {
                return None;
            }
            found.push(consumer);
            pending.push(consumer);
        }
    }
    Some(found)
}
