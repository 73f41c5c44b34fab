//! One linear node and a layer of `LIF` neurons of a NIR graph, as the integers of Lava's LIF.
//!
//! ```text
//! dv = int(4096 dt / tau)   du = 4095   w = round(S weight)   vth = round(S v_threshold tau / (r dt))
//! ```
//! The scale S, [`UNITS`], is that of the NIR paper's own converter, with which its recorded runs on
//! a Loihi 2 come back (the scale cancels but for rounding). Reference: Pedersen et al., Nature
//! Communications 15, 8122 (2024), `nir_to_lava` of its repository.

use indexmap::IndexMap;
use model_io::nir::dialect::Convention;
use model_io::nir::{NirGraph, Primitive};
use sim_core::network::Shape;

use crate::quantise::network::{
    Connection, DelaySteps, IntegerValues, QuantisedNetwork, QuantisedPopulation,
    QuantisedProjection, SignMode,
};

/// Integers per unit of the graph's weights.
pub const UNITS: f64 = 10.0;

/// Why a graph has no such form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}; one Affine or Linear node and one layer of LIF neurons are read here")]
pub struct NotSingleLayer {
    problem: String,
}

fn refuse(problem: impl Into<String>) -> NotSingleLayer {
    NotSingleLayer { problem: problem.into() }
}

/// The integer network of a graph: population 0 is its input, 1 its neurons.
///
/// # Errors
/// [`NotSingleLayer`] for other graphs and for numbers that are not finite.
pub fn lif_as_integers(
    graph: &NirGraph,
    convention: &Convention,
) -> Result<QuantisedNetwork, NotSingleLayer> {
    let (mut weights, mut neurons) = (None, None);
    for (name, node) in &graph.nodes {
        let twice = match &node.primitive {
            Primitive::Affine(affine) => {
                weights.replace((&affine.weight, Some(&affine.bias))).is_some()
            }
            Primitive::Linear(linear) => weights.replace((&linear.weight, None)).is_some(),
            Primitive::Lif(lif) => neurons.replace(lif).is_some(),
            Primitive::Input(_) | Primitive::Output(_) => false,
            other => return Err(refuse(format!("node `{name}` is {}", other.type_name()))),
        };
        if twice {
            return Err(refuse(format!("node `{name}` is one too many")));
        }
    }
    let (Some((weight, bias)), Some(lif)) = (weights, neurons) else {
        return Err(refuse("a linear node or the neurons are missing"));
    };
    let numbers = |name: &str, array: &model_io::array::Array| {
        let found = array.values.to_f64().filter(|v| v.iter().all(|n| n.is_finite()));
        found.ok_or_else(|| refuse(format!("{name} holds numbers that are not finite")))
    };
    let one = |name: &str, array: &model_io::array::Array| {
        let found = numbers(name, array)?;
        match found.first() {
            Some(&first) if found.iter().all(|&other| other == first) => Ok(first),
            _ => Err(refuse(format!("{name} differs between the neurons"))),
        }
    };
    if let Some(bias) = bias
        && one("bias", bias)? != 0.0
    {
        return Err(refuse("its bias is not 0"));
    }
    let share = convention.dt / (one("tau", &lif.tau)? * convention.tau_scale);
    let jump = one("r", &lif.r)? * share;
    let threshold = UNITS * one("v_threshold", &lif.v_threshold)? / jump;
    if !(threshold.is_finite() && share.is_finite()) {
        return Err(refuse(format!("its threshold is {threshold}, its decay {share}")));
    }
    let weights: Vec<i32> =
        numbers("weight", weight)?.iter().map(|w| (UNITS * w).round() as i32).collect();
    let size = numbers("tau", &lif.tau)?.len().max(1);
    let sources = weights.len() / size;
    let population = |name: &str, process: &str, size: usize| QuantisedPopulation {
        name: name.to_owned(),
        shape: Shape::List(size as u32),
        process: process.to_owned(),
        parameters: IndexMap::new(),
    };
    let mut layer = population("neurons", "lif", size);
    let decay = (4096.0 * share) as i64;
    for (name, value) in [("du", 4095), ("dv", decay), ("vth", threshold.round() as i64)] {
        layer.parameters.insert(name.to_owned(), IntegerValues::One(value));
    }
    let name = format!("w {weights:.4?}, du 4095, dv {decay}, vth {}", threshold.round());
    Ok(QuantisedNetwork {
        name,
        chip: "loihi2".to_owned(),
        populations: vec![population("input", "input", sources), layer],
        projections: vec![QuantisedProjection {
            name: "weights".to_owned(),
            source: 0,
            target: 1,
            connection: Connection::Dense {
                weights,
                sign_mode: SignMode::Mixed,
                weight_bits: 8,
                weight_exponent: 0,
            },
            delay: DelaySteps::One(0),
            message_bits: 0,
            port: 0,
            learning: None,
        }],
    })
}
