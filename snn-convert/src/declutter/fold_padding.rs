//! Makes padding part of the window behind it.

use super::{Findings, Outcome, Pass};
use crate::ann::operator::window::Window;
use crate::ann::operator::{AveragePool, Convolution, MaxPool, Pad};
use crate::ann::{AnnGraph, Edit, NodeId, Operator, Role};

/// The pass.
pub static PASS: Pass = Pass {
    name: "fold padding",
    summary: "makes zeros around a picture the padding of the convolution or pooling behind them",
    run,
};

fn run(graph: &AnnGraph) -> Findings {
    let mut findings = Findings::default();
    for (id, node) in graph.nodes() {
        let Operator::Pad(pad) = &node.operator else { continue };
        let Some(next) = graph.sole_consumer(id) else { continue };
        let reader = graph.node(next);
        let folded = borders(pad).and_then(|borders| match &reader.operator {
            Operator::Convolution(layer) => {
                let window = widened(&layer.window, borders);
                Some(Convolution { window, ..layer.clone() }.into())
            }
            Operator::AveragePool(pool) => average(pool, borders),
            // Zeros do not win against values that are not negative; padding never wins.
            Operator::MaxPool(pool) if not_negative(graph, node.inputs.first().copied()) => {
                Some(MaxPool { window: widened(&pool.window, borders) }.into())
            }
            _ => None,
        });
        let shape = node.inputs.first().map(|&input| &graph.node(input).shape);
        let fits = |operator: &Operator| {
            shape.is_some_and(|shape| operator.infer_shape(&[shape]).as_ref() == Ok(&reader.shape))
        };
        let Some(operator) = folded.filter(fits) else {
            let reason =
                format!("{} `{}` has no such padding", reader.operator.name(), reader.name);
            findings.record(&PASS, graph, id, Outcome::Kept, reason);
            continue;
        };
        findings.edits.insert(next, Edit::Replace(operator));
        findings.edits.insert(id, Edit::Bypass);
        let outcome = Outcome::FoldedInto(reader.name.clone());
        findings.record(&PASS, graph, id, outcome, "becomes its padding".to_owned());
    }
    findings
}

/// Zeros around a picture or a sequence as `[top, left, bottom, right]`.
fn borders(pad: &Pad) -> Option<[usize; 4]> {
    let side = |cells: i64| usize::try_from(cells).ok();
    if pad.value != 0.0 || pad.before.first() != Some(&0) || pad.after.first() != Some(&0) {
        return None;
    }
    match (pad.before.as_slice(), pad.after.as_slice()) {
        (&[_, top, left], &[_, bottom, right]) => {
            Some([side(top)?, side(left)?, side(bottom)?, side(right)?])
        }
        (&[_, left], &[_, right]) => Some([0, side(left)?, 0, side(right)?]),
        _ => None,
    }
}

fn widened(window: &Window, borders: [usize; 4]) -> Window {
    let mut window = window.clone();
    window.padding.iter_mut().zip(borders).for_each(|(padding, more)| *padding += more);
    window
}

/// A mean that counts the zeros.
fn average(pool: &AveragePool, borders: [usize; 4]) -> Option<Operator> {
    let counts = pool.count_padding || pool.window.padding == [0; 4];
    let window = widened(&pool.window, borders);
    (counts && !window.round_up).then(|| AveragePool { window, count_padding: true }.into())
}

/// Whether a node's values are never below 0.
fn not_negative(graph: &AnnGraph, id: Option<NodeId>) -> bool {
    let Some(id) = id else { return false };
    let node = graph.node(id);
    match &node.operator {
        Operator::Relu(_) => true,
        Operator::Clip(clip) => clip.minimum >= 0.0,
        Operator::MaxPool(_) | Operator::AveragePool(_) => {
            not_negative(graph, node.inputs.first().copied())
        }
        _ if node.role() == Role::Arrangement => not_negative(graph, node.inputs.first().copied()),
        _ => false,
    }
}
