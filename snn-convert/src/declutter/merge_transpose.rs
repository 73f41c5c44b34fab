//! Merges transpositions that follow each other; those that change no order become reshapes.

use super::{Findings, Outcome, Pass};
use crate::ann::operator::{Reshape, Transpose};
use crate::ann::{AnnGraph, Edit, Operator};

/// The pass.
pub static PASS: Pass = Pass {
    name: "merge transpositions",
    summary: "merges transpositions in a row; those that change no order become reshapes",
    run,
};

fn run(graph: &AnnGraph) -> Findings {
    let mut findings = Findings::default();
    for (id, node) in graph.nodes() {
        let Operator::Transpose(transpose) = &node.operator else { continue };
        let Some(&operand) = node.inputs.first() else { continue };
        let before = graph.node(operand);
        // The order of values stays where axes longer than 1 keep theirs.
        let extents = before.shape.extents();
        let moved = transpose.permutation.iter().filter(|&&a| extents.get(a) != Some(&1));
        if moved.is_sorted() {
            let reshape = Reshape { shape: node.shape.clone() };
            findings.edits.insert(id, Edit::Replace(reshape.into()));
            findings.record(&PASS, graph, id, Outcome::Rewritten, "changes no order".to_owned());
            continue;
        }
        let Operator::Transpose(first) = &before.operator else { continue };
        if graph.sole_consumer(operand) != Some(id) || findings.edits.contains_key(&operand) {
            continue;
        }
        let through = |&axis: &usize| first.permutation.get(axis).copied().unwrap_or(axis);
        let permutation = transpose.permutation.iter().map(through).collect();
        findings.edits.insert(id, Edit::Replace(Transpose { permutation }.into()));
        findings.edits.insert(operand, Edit::Bypass);
        let outcome = Outcome::FoldedInto(node.name.clone());
        findings.record(&PASS, graph, operand, outcome, "one transposition for two".to_owned());
    }
    findings
}
