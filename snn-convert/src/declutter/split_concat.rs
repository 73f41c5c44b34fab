//! Applies functions of a concatenation to each of its parts.
//!
//! `relu(concat(a, b)) = concat(relu(a), relu(b))`: each part becomes a population of its own, and
//! batch normalisation behind a concatenation folds into the layer of each part.

use super::{Findings, Outcome, Pass};
use crate::ann::operator::{Affine, BatchNormalization, Concat, ParametricRelu};
use crate::ann::{AnnGraph, Edit, Operator, SampleShape, Step, StepInput};

/// The pass.
pub static PASS: Pass = Pass {
    name: "split concatenations",
    summary: "applies activations, pooling and affine maps of a concatenation to each part",
    run,
};

fn run(graph: &AnnGraph) -> Findings {
    let mut findings = Findings::default();
    for (id, node) in graph.nodes() {
        let &[operand] = node.inputs.as_slice() else { continue };
        let before = graph.node(operand);
        let Operator::Concat(concat) = &before.operator else { continue };
        if findings.edits.contains_key(&operand) {
            continue;
        }
        let shapes: Vec<&SampleShape> =
            before.inputs.iter().map(|&input| &graph.node(input).shape).collect();
        let Some(parts) = parts(&node.operator, concat, &shapes) else { continue };
        let mut steps: Vec<Step> = Vec::with_capacity(parts.len() + 1);
        for (number, operator) in parts.into_iter().enumerate() {
            steps.push(Step { operator, inputs: vec![StepInput::OperandOf(0, number)] });
        }
        let inputs = (0..steps.len()).map(StepInput::Step).collect();
        steps.push(Step { operator: (*concat).into(), inputs });
        findings.edits.insert(id, Edit::Steps(steps));
        let reason = format!("applied to each part of `{}`", before.name);
        findings.record(&PASS, graph, id, Outcome::Rewritten, reason);
    }
    findings
}

/// The operator for each part, where it works on the parts one by one.
fn parts(operator: &Operator, concat: &Concat, shapes: &[&SampleShape]) -> Option<Vec<Operator>> {
    let same = || Some(vec![operator.clone(); shapes.len()]);
    match operator {
        Operator::Relu(_) | Operator::Clip(_) | Operator::LeakyRelu(_) => return same(),
        Operator::Affine(affine) if affine.gain.len() == 1 && affine.shift.len() == 1 => {
            return same();
        }
        _ if concat.axis != 0 => return None,
        Operator::MaxPool(_) => return same(),
        _ => {}
    }
    let total: usize = shapes.iter().map(|shape| shape.channels()).sum();
    let mut first = 0;
    let mut parts = Vec::with_capacity(shapes.len());
    for shape in shapes {
        let range = first..first + shape.channels();
        first = range.end;
        let slice = |values: &[f32]| match values {
            [one] => Some(vec![*one; range.len()]),
            all if all.len() == total => all.get(range.clone()).map(<[f32]>::to_vec),
            _ => None,
        };
        parts.push(match operator {
            Operator::ParametricRelu(trained) => {
                ParametricRelu { slope: slice(&trained.slope)? }.into()
            }
            Operator::BatchNormalization(norm) => BatchNormalization {
                scale: slice(&norm.scale)?,
                offset: slice(&norm.offset)?,
                mean: slice(&norm.mean)?,
                variance: slice(&norm.variance)?,
                epsilon: norm.epsilon,
            }
            .into(),
            Operator::Affine(affine) => {
                Affine { gain: slice(&affine.gain)?, shift: slice(&affine.shift)? }.into()
            }
            _ => return None,
        });
    }
    Some(parts)
}
