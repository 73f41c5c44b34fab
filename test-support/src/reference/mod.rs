//! Slow, obvious reference simulators.
//!
//! [`grid`] advances every neuron step by step and looks at every synapse in every step;
//! [`continuous`] finds the exact spike times of `lif_exponential` networks by a fine scan of the
//! closed form and bisection. Both start from the valid description and restate each model from
//! its documentation; no code of an engine, a neuron kernel or the connectome's delivery is used.

pub mod continuous;
pub mod grid;
mod izhikevich;
mod solved;
pub mod synapse;

use sim_core::network::ValidPopulation;

/// The parameter of one neuron by name, in the base unit.
///
/// # Panics
/// Where the model has no such parameter.
pub fn parameter(population: &ValidPopulation, name: &str, neuron: usize) -> f64 {
    let specs = population.model.spec().parameters;
    let index = specs.iter().position(|spec| spec.name == name);
    population.neurons.parameters[index.unwrap()].get(neuron)
}

/// The initial value of a state variable of one neuron, `otherwise` where none is given.
pub fn initial(
    population: &ValidPopulation,
    variable: usize,
    neuron: usize,
    otherwise: f64,
) -> f64 {
    let column = population.neurons.initial[variable].as_ref();
    column.map_or(otherwise, |column| column.get(neuron))
}
