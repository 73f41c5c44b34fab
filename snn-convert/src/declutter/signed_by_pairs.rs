//! Writes activations of both signs as a pair of ReLUs: `leaky(x) = relu(x) − slope · relu(−x)`.
//!
//! One neuron of the pair codes positive values, the other negative ones; never both are active.
//! Every code of non-negative values then serves leaky and parametric rectifiers too, exactly.

use super::{Findings, Outcome, Pass};
use crate::ann::operator::{Add, Affine, LeakyRelu, Relu};
use crate::ann::{AnnGraph, Edit, Operator, Step, StepInput};

/// The pass.
pub static PASS: Pass = Pass {
    name: "signed by pairs",
    summary: "writes leaky and parametric ReLUs as a pair of ReLUs, one for either sign",
    run,
};

fn run(graph: &AnnGraph) -> Findings {
    let mut findings = Findings::default();
    for (id, node) in graph.nodes() {
        let slopes = match &node.operator {
            Operator::LeakyRelu(LeakyRelu { slope }) => vec![*slope],
            Operator::ParametricRelu(trained) => trained.slope.clone(),
            _ => continue,
        };
        let weights: Vec<f32> = slopes.iter().map(|slope| -slope).collect();
        let chain = |operator: Operator, input: StepInput| Step { operator, inputs: vec![input] };
        let steps = vec![
            chain(Relu.into(), StepInput::Operand(0)),
            chain(Affine::multiply(vec![-1.0]).into(), StepInput::Operand(0)),
            chain(Relu.into(), StepInput::Step(1)),
            chain(Affine::multiply(weights).into(), StepInput::Step(2)),
            Step { operator: Add.into(), inputs: vec![StepInput::Step(0), StepInput::Step(3)] },
        ];
        findings.edits.insert(id, Edit::Steps(steps));
        let reason = format!(
            "{} neurons more: a pair of ReLUs, one for positive and one for negative values",
            node.shape.size()
        );
        findings.record(&PASS, graph, id, Outcome::Rewritten, reason);
    }
    findings
}
