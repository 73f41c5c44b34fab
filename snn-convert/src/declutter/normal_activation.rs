//! Brings activation functions into the forms that have neurons: ReLU, clip from 0, leaky ReLU.
//!
//! `clip(x, m, M) = clip(x − m, 0, M − m) + m`; without an upper limit `relu(x − m) + m`, without
//! a lower one `M − relu(M − x)`. The summands go into the layers around.

use super::{Findings, Outcome, Pass};
use crate::ann::operator::{Affine, Clip, LeakyRelu, Relu};
use crate::ann::{AnnGraph, Edit, Operator, Step};

/// The pass.
pub static PASS: Pass = Pass {
    name: "normal activation",
    summary: "writes clips that do not start at 0 as shifted ones, and leaky ReLUs of slope 0 as \
              ReLUs",
    run,
};

fn run(graph: &AnnGraph) -> Findings {
    let mut findings = Findings::default();
    for (id, node) in graph.nodes() {
        let found = match &node.operator {
            Operator::Clip(clip) => shifted(clip),
            Operator::LeakyRelu(LeakyRelu { slope }) if *slope == 0.0 => {
                Some((vec![Relu.into()], "has slope 0: a ReLU"))
            }
            Operator::ParametricRelu(trained) => match trained.slope.split_first() {
                Some((&slope, rest)) if rest.iter().all(|&other| other == slope) => {
                    Some((vec![LeakyRelu { slope }.into()], "has one slope for all channels"))
                }
                _ => None,
            },
            _ => None,
        };
        let Some((operators, reason)) = found else { continue };
        findings.edits.insert(id, Edit::Steps(Step::chain(operators)));
        findings.record(&PASS, graph, id, Outcome::Rewritten, reason.to_owned());
    }
    findings
}

fn shifted(clip: &Clip) -> Option<(Vec<Operator>, &'static str)> {
    let Clip { minimum, maximum } = *clip;
    let add = |value: f32| Affine::add(vec![value]).into();
    let mirror = |value: f32| Affine { gain: vec![-1.0], shift: vec![value] }.into();
    match (minimum.is_finite(), maximum.is_finite()) {
        (true, true) if minimum != 0.0 && minimum < maximum => {
            let clip = Clip { minimum: 0.0, maximum: maximum - minimum };
            let reason = "a clip from 0, with its lower limit in the layers around";
            Some((vec![add(-minimum), clip.into(), add(minimum)], reason))
        }
        (true, false) if minimum == 0.0 => Some((vec![Relu.into()], "has no upper limit: a ReLU")),
        (true, false) => {
            let reason = "a ReLU, with its lower limit in the layers around";
            Some((vec![add(-minimum), Relu.into(), add(minimum)], reason))
        }
        (false, true) => {
            let reason = "a ReLU from above, with its upper limit in the layers around";
            Some((vec![mirror(maximum), Relu.into(), mirror(maximum)], reason))
        }
        _ => None,
    }
}
