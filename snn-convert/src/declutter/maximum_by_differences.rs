//! Writes a maximum over values of both signs with ReLUs: `max(a, b) = b + relu(a − b)`.
//!
//! A maximum over spike counts needs a population before it. Where it is taken over a linear value
//! (a layer without activation, a batch normalisation that turns maxima into minima, the network's
//! input), a tree of pairwise maxima computes the same with ReLUs alone, exactly.

use super::order_pooling::source_role;
use super::{Findings, Outcome, Pass};
use crate::ann::operator::{Add, Affine, MaxPool, Pick, Relu};
use crate::ann::{AnnGraph, Edit, NodeId, Operator, Role, SampleShape, Step, StepInput};

/// The pass.
pub static PASS: Pass = Pass {
    name: "maximum by differences",
    summary: "writes a maximum over values without activation as a tree of ReLUs",
    run,
};

/// The largest window that is written in this way; it needs one ReLU less than it has cells.
const MOST_CELLS: usize = 64;

fn run(graph: &AnnGraph) -> Findings {
    let mut findings = Findings::default();
    for (id, node) in graph.nodes() {
        let Operator::MaxPool(pool) = &node.operator else { continue };
        let Some(&operand) = node.inputs.first() else { continue };
        if matches!(source_role(graph, operand), Role::Activation | Role::Maximum) {
            continue;
        }
        let Some(cells) = cells(graph, operand, pool, &node.shape) else { continue };
        let neurons = (cells.len() - 1) * node.shape.size();
        findings.edits.insert(id, Edit::Steps(tree(cells)));
        let reason = format!(
            "a maximum over values without activation, as {neurons} ReLUs of differences: cheaper \
             with a ReLU before it"
        );
        findings.record(&PASS, graph, id, Outcome::Rewritten, reason);
    }
    findings
}

/// For each cell of the window the value it meets at every position; in the padding, another cell
/// of the same window.
fn cells(
    graph: &AnnGraph,
    operand: NodeId,
    pool: &MaxPool,
    shape: &SampleShape,
) -> Option<Vec<Pick>> {
    let geometry = pool.geometry(&graph.node(operand).shape).ok()?;
    let count = pool.window.kernel[0].checked_mul(pool.window.kernel[1])?;
    if count > MOST_CELLS {
        return None;
    }
    let [_, height, width] = geometry.source.map(|n| n as usize);
    let [channels, rows, columns] = geometry.target.map(|n| n as usize);
    let at = |axis: usize, position: usize, cell: usize| {
        let start = position * pool.window.stride[axis] + cell * pool.window.dilation[axis];
        let extent = [height, width][axis];
        start.checked_sub(geometry.padding[axis] as usize).filter(|&n| n < extent)
    };
    let kernel = pool.window.kernel;
    let place = |cell: usize, row: usize, column: usize| {
        let own = at(0, row, cell / kernel[1]).zip(at(1, column, cell % kernel[1]));
        let inside = |c: usize| at(0, row, c / kernel[1]).zip(at(1, column, c % kernel[1]));
        own.or_else(|| (0..count).find_map(inside))
    };
    let mut picks = Vec::with_capacity(count);
    for cell in 0..count {
        let mut indices = Vec::with_capacity(shape.size());
        for index in 0..channels * rows * columns {
            let (channel, row, column) =
                (index / columns / rows, index / columns % rows, index % columns);
            let (y, x) = place(cell, row, column)?;
            indices.push(u32::try_from((channel * height + y) * width + x).ok()?);
        }
        picks.push(Pick { shape: shape.clone(), indices });
    }
    Some(picks)
}

fn tree(cells: Vec<Pick>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut push = |operator: Operator, inputs: Vec<StepInput>| {
        steps.push(Step { operator, inputs });
        StepInput::Step(steps.len() - 1)
    };
    let mut level: Vec<StepInput> = Vec::with_capacity(cells.len());
    for cell in cells {
        level.push(push(cell.into(), vec![StepInput::Operand(0)]));
    }
    while level.len() > 1 {
        let mut next = Vec::with_capacity(level.len().div_ceil(2));
        for pair in level.chunks(2) {
            next.push(match *pair {
                [a, b] => {
                    let minus = push(Affine::multiply(vec![-1.0]).into(), vec![b]);
                    let difference = push(Add.into(), vec![a, minus]);
                    let above = push(Relu.into(), vec![difference]);
                    push(Add.into(), vec![b, above])
                }
                _ => pair[0],
            });
        }
        level = next;
    }
    steps
}
