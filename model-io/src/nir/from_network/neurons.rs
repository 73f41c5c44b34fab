//! Populations as nodes.

use super::{NotInNir, array, extents, narrow, note, refuse, stepwise};
use crate::array::Array;
use crate::nir::{I, If, Input, Lif, MetadataEntry, NirNode};
use sim_core::network::{SpikeCondition, ValidPopulation};
use sim_core::neuron::{LoweredReset, NO_LOWER_BOUND};

/// Milliseconds in the unit of time of graphs.
const SECOND: f64 = 1e-3;

/// The node of a population, in a network of steps of `step` ms, on a clock that starts `start` steps
/// behind the input's.
pub(super) fn node(
    name: &str,
    population: &ValidPopulation,
    step: f64,
    start: u64,
) -> Result<NirNode, NotInNir> {
    let shape = extents(population.shape);
    match population.model.spec().name {
        "spike_source" => Ok(Input { shape }.into()),
        "integrate_and_fire" => {
            let node = If {
                r: all(&shape, 1.0),
                v_threshold: column(population, &shape, "threshold", 1.0),
                v_reset: array(&shape, narrow(&reset_values(population))),
            };
            Ok(with_rules(node.into(), population, &shape))
        }
        "lif_delta" => leaky(name, population, &shape, step),
        "lif_stepwise"
        | "leaky_integrator_stepwise"
        | "leaky_integrator_analogue"
        | "multispike_integrate_and_fire" => stepwise::node(name, population, step, start),
        "integrator" => Ok(I { r: all(&shape, 1.0) }.into()),
        other => Err(refuse(
            format!("populations/{name}"),
            format!("`{other}` has no NIR node here"),
            "use integrate_and_fire, lif_delta, lif_stepwise or integrator; `hard_reset` and the rate \
             codes do",
        )),
    }
}

/// `LIF` whose r undoes the scaling of the input: a spike of weight w raises the potential by w.
fn leaky(
    name: &str,
    population: &ValidPopulation,
    shape: &[usize],
    step: f64,
) -> Result<NirNode, NotInNir> {
    let place = || format!("populations/{name}");
    let neurons = &population.neurons;
    if parameter(population, "refractory_period").iter().any(|&period| period != 0.0) {
        let problem = "its neurons are refractory, which NIR's are not";
        return Err(refuse(place(), problem, "set refractory_period to 0 ms"));
    }
    if parameter(population, "lowest_potential").iter().any(|&bound| bound > NO_LOWER_BOUND) {
        let problem = "its potential has a lower bound, which NIR's has not";
        return Err(refuse(place(), problem, "leave lowest_potential out"));
    }
    if neurons.reset == LoweredReset::Subtract {
        let problem = "its leaky neurons lose the threshold, which NIR cannot say";
        return Err(refuse(place(), problem, "reset them to a value"));
    }
    let tau = parameter(population, "tau_membrane");
    let r: Vec<f64> = tau.iter().map(|tau| 1.0 / (1.0 - (-step / tau).exp())).collect();
    let node = Lif {
        tau: column(population, shape, "tau_membrane", SECOND),
        r: array(shape, narrow(&r)),
        v_leak: column(population, shape, "resting_potential", 1.0),
        v_threshold: column(population, shape, "threshold", 1.0),
        v_reset: array(shape, narrow(&reset_values(population))),
    };
    let mut node = with_rules(node.into(), population, shape);
    note(&mut node.metadata, "unit", "mV; r is chosen so that a weight is a jump of the potential");
    Ok(node)
}

pub(super) fn with_rules(
    mut node: NirNode,
    population: &ValidPopulation,
    shape: &[usize],
) -> NirNode {
    let neurons = &population.neurons;
    let rule = match neurons.reset {
        LoweredReset::To(_) => "to v_reset",
        LoweredReset::Subtract => "subtract",
    };
    note(&mut node.metadata, "reset", rule);
    let condition = match neurons.spike {
        SpikeCondition::Above => "v > v_threshold",
        SpikeCondition::AtOrAbove => "v >= v_threshold",
    };
    note(&mut node.metadata, "spike", condition);
    let initial = neurons.initial.first().and_then(Option::as_ref);
    let initial = initial.map(|column| column.expand(0..neurons.size)).unwrap_or_default();
    if initial.iter().any(|&value| value != 0.0) {
        let initial = MetadataEntry::Value(array(shape, narrow(&initial)));
        node.metadata.insert("v_initial".to_string(), initial);
    }
    node
}

pub(super) fn reset_values(population: &ValidPopulation) -> Vec<f64> {
    let reset = &population.neurons.reset;
    (0..population.neurons.size).map(|neuron| reset.value(neuron).unwrap_or(0.0)).collect()
}

/// A parameter of every neuron, by the name that the model documents.
pub(super) fn parameter(population: &ValidPopulation, name: &str) -> Vec<f64> {
    let listed = population.model.spec().parameters;
    let index = listed.iter().position(|parameter| parameter.name == name);
    let column = index.and_then(|index| population.neurons.parameters.get(index));
    column.map(|column| column.expand(0..population.neurons.size)).unwrap_or_default()
}

fn column(population: &ValidPopulation, shape: &[usize], name: &str, unit: f64) -> Array {
    let values: Vec<f64> = parameter(population, name).iter().map(|value| value * unit).collect();
    array(shape, narrow(&values))
}

pub(super) fn all(shape: &[usize], value: f64) -> Array {
    array(shape, vec![value as f32; shape.iter().product()])
}
