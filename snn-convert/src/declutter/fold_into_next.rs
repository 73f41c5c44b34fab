//! Folds batch normalisation and constants that no layer precedes (behind the input, a ReLU or
//! a pooling) into the layer after them.
//!
//! `W'[o, i] = W[o, i] g[i]`, `b'[o] = b[o] + Σ_i W[o, i] s[i]`. A convolution with padding pads
//! zeros after the map, so at the border a part of the summand is missing: there the factor is
//! folded, `g x + s = g (x + s / g)`, and the summand stays in front, where it becomes a bias of
//! each neuron of its own.

use super::fold::gain_and_shift;
use super::{Findings, Outcome, Pass};
use crate::ann::operator::{Affine, Convolution, Dense};
use crate::ann::{AnnGraph, Edit, NodeId, Operator};

/// The pass.
pub static PASS: Pass = Pass {
    name: "fold into the next layer",
    summary: "folds what is left of such maps into the dense or convolution layer after them",
    run,
};

fn run(graph: &AnnGraph) -> Findings {
    let mut findings = Findings::default();
    for (id, _) in graph.nodes() {
        let Some((gain, shift)) = gain_and_shift(graph, id) else { continue };
        // A layer reads one node, so no layer is changed twice in a sweep.
        match next_layer(graph, id, &gain, &shift) {
            Ok((next, operator, rest)) => {
                findings.edits.insert(next, Edit::Replace(operator));
                let name = graph.node(next).name.clone();
                match rest {
                    None => {
                        findings.edits.insert(id, Edit::Bypass);
                        let outcome = Outcome::FoldedInto(name);
                        let reason = "scales the weights of the layer after it".to_owned();
                        findings.record(&PASS, graph, id, outcome, reason);
                    }
                    Some(summand) => {
                        findings.edits.insert(id, Edit::Replace(summand.into()));
                        let reason = format!(
                            "its factor scales the weights of `{name}`; its summand, which the \
                             zero padding there cuts off at the border, is a bias of each neuron"
                        );
                        findings.record(&PASS, graph, id, Outcome::Rewritten, reason);
                    }
                }
            }
            Err(reason) => {
                let before = graph.producers(id).first().map(|&producer| graph.node(producer));
                let before = before.map_or_else(String::new, |node| {
                    format!("follows {} `{}`, and ", node.operator.name(), node.name)
                });
                findings.record(&PASS, graph, id, Outcome::Kept, before + &reason);
            }
        }
    }
    findings
}

/// The layer that alone reads a map, with the map folded in, and what must stay in front of it;
/// or why there is none.
fn next_layer(
    graph: &AnnGraph,
    id: NodeId,
    gain: &[f64],
    shift: &[f64],
) -> Result<(NodeId, Operator, Option<Affine>), String> {
    let Some(next) = graph.sole_consumer(id) else {
        return Err("several nodes, or the output, read it".to_owned());
    };
    let node = graph.node(next);
    match &node.operator {
        Operator::Dense(dense) => Ok((next, after_affine_dense(dense, gain, shift).into(), None)),
        Operator::Convolution(layer) => {
            let padded = layer.window.padding != [0; 4];
            if !padded || shift.iter().all(|&shift| shift == 0.0) {
                return Ok((next, after_affine_convolution(layer, gain, shift).into(), None));
            }
            if gain.iter().all(|&gain| gain == 1.0) {
                return Err(format!(
                    "the zero padding of `{}` cuts its summand off at the border: it is a bias of \
                     each neuron",
                    node.name
                ));
            }
            if gain.iter().zip(shift).any(|(&gain, &shift)| gain == 0.0 && shift != 0.0) {
                return Err(format!(
                    "a factor of it is 0, so its summand cannot go through the zero padding of \
                     `{}`",
                    node.name
                ));
            }
            let summand = |(&gain, &shift): (&f64, &f64)| match gain {
                0.0 => 0.0,
                _ => (shift / gain) as f32,
            };
            let summand = Affine::add(gain.iter().zip(shift).map(summand).collect());
            let scaled = after_affine_convolution(layer, gain, &vec![0.0; shift.len()]);
            Ok((next, scaled.into(), Some(summand)))
        }
        other => Err(format!("{} `{}` behind it has no weights", other.name(), node.name)),
    }
}

fn after_affine_dense(dense: &Dense, gain: &[f64], shift: &[f64]) -> Dense {
    let mut weight = Vec::with_capacity(dense.weight.len());
    let mut bias = Vec::with_capacity(dense.outputs);
    for (output, row) in dense.weight.chunks_exact(dense.inputs.max(1)).enumerate() {
        let old = dense.bias.as_ref().and_then(|bias| bias.get(output)).copied().unwrap_or(0.0);
        let summand: f64 = row.iter().zip(shift).map(|(&w, shift)| f64::from(w) * shift).sum();
        bias.push((f64::from(old) + summand) as f32);
        weight.extend(row.iter().zip(gain).map(|(&w, gain)| (f64::from(w) * gain) as f32));
    }
    Dense { weight, bias: Some(bias), ..dense.clone() }
}

fn after_affine_convolution(layer: &Convolution, gain: &[f64], shift: &[f64]) -> Convolution {
    let taps = layer.window.kernel[0] * layer.window.kernel[1];
    let in_group = gain.len() / layer.groups.max(1);
    let out_group = layer.channels / layer.groups.max(1);
    let mut weight = Vec::with_capacity(layer.weight.len());
    let mut bias = Vec::with_capacity(layer.channels);
    for (output, kernel) in layer.weight.chunks_exact((in_group * taps).max(1)).enumerate() {
        let first = output / out_group.max(1) * in_group;
        let old = layer.bias.as_ref().and_then(|bias| bias.get(output)).copied().unwrap_or(0.0);
        let mut summand = f64::from(old);
        let maps = gain.iter().zip(shift).skip(first);
        for (cells, (gain, shift)) in kernel.chunks_exact(taps.max(1)).zip(maps) {
            summand += cells.iter().map(|&w| f64::from(w)).sum::<f64>() * shift;
            weight.extend(cells.iter().map(|&w| (f64::from(w) * gain) as f32));
        }
        bias.push(summand as f32);
    }
    Convolution { weight, bias: Some(bias), ..layer.clone() }
}
