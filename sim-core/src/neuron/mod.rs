//! Neuron models, one file each, and the contract that engines run them by.
//!
//! A model is one file with a [`NeuronModel`] and one line in [`MODELS`]; the description,
//! validation, both engines, the command line and the tests over all models find it there.

pub mod exact;
pub mod exponential_sum;
pub mod integrate_and_fire;
pub mod integrator;
pub mod lif_delta;
pub mod lif_exponential;
pub mod max_pool;
mod model;
pub mod spike_source;

pub use model::{
    ClockNeurons, Column, Combine, Drive, EventNeurons, LoweredNeurons, LoweredReset, ModelSpec,
    ModelTime, NeuronModel, ParameterSpec, Range, ReceptorSpec, VariableSpec,
};

/// All models, in the order in which lists show them.
pub static MODELS: &[&dyn NeuronModel] = &[
    &integrate_and_fire::Model,
    &integrator::Model,
    &max_pool::Model,
    &lif_delta::Model,
    &lif_exponential::Model,
    &spike_source::Model,
];

/// The model of this name.
pub fn find_model(name: &str) -> Option<&'static dyn NeuronModel> {
    MODELS.iter().copied().find(|model| model.spec().name == name)
}

/// The names of all models.
pub fn model_names() -> Vec<&'static str> {
    MODELS.iter().map(|model| model.spec().name).collect()
}
