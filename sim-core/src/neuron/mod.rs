//! Neuron models, one file each, and the contract that engines run them by.
//!
//! A model is one file with a [`NeuronModel`] and one line in [`MODELS`]; the description,
//! validation, both engines, the command line and the tests over all models find it there.

pub mod adex_alpha;
pub mod adex_exponential;
mod bounds;
pub mod burst_integrate_and_fire;
mod column;
mod conductance;
mod crossings;
mod current_synapse;
pub mod exact;
mod exact_current_neurons;
pub mod exponential_integrate_and_fire;
pub mod exponential_sum;
mod fired;
pub mod first_arrival;
pub mod first_spike;
pub mod first_spike_slots;
pub mod hodgkin_huxley;
mod inbox;
pub mod integrate_and_fire;
pub mod integrator;
pub mod izhikevich;
pub mod leaky_integrator;
pub mod leaky_integrator_analogue;
pub mod leaky_integrator_stepwise;
pub mod lif_adaptive_threshold;
pub mod lif_alpha;
pub mod lif_conductance_alpha;
pub mod lif_conductance_exponential;
pub mod lif_delta;
pub mod lif_exponential;
pub mod lif_multisynapse;
pub mod lif_stepwise;
pub mod max_pool;
pub mod max_pool_graded;
mod model;
pub mod multispike_integrate_and_fire;
mod narrow;
mod ode_neurons;
pub mod phase;
pub mod quadratic_integrate_and_fire;
mod rows;
mod solver;
pub mod spike_source;
mod typed_parameters;
mod upstroke;
mod windowed;

pub use bounds::NO_LOWER_BOUND;
pub use inbox::{Arrivals, Inbox, Sent};
pub(crate) use model::bytes_of;
pub use model::{
    ClockNeurons, Column, Combine, Drive, Emitted, EventNeurons, LoweredNeurons, LoweredReset,
    ModelSpec, ModelTime, NarrowInput, NarrowNeurons, NeuronModel, Over, ParameterSpec, Range,
    ReceptorSpec, StateVisitor, VariableSpec,
};
pub use rows::{Row, RowNeurons, RowWeights, Trains};

/// All models, in the order in which lists show them.
pub static MODELS: &[&dyn NeuronModel] = &[
    &integrate_and_fire::Model,
    &burst_integrate_and_fire::Model,
    &multispike_integrate_and_fire::Model,
    &integrator::Model,
    &lif_stepwise::Model,
    &leaky_integrator_stepwise::Model,
    &leaky_integrator_analogue::Model,
    &max_pool::Model,
    &first_spike::Model,
    &first_spike_slots::Model,
    &first_arrival::Model,
    &phase::Model,
    &max_pool_graded::Model,
    &lif_delta::Model,
    &lif_exponential::Model,
    &lif_alpha::Model,
    &lif_multisynapse::Model,
    &lif_adaptive_threshold::Model,
    &leaky_integrator::Model,
    &lif_conductance_exponential::Model,
    &lif_conductance_alpha::Model,
    &adex_exponential::Model,
    &adex_alpha::Model,
    &exponential_integrate_and_fire::Model,
    &quadratic_integrate_and_fire::Model,
    &izhikevich::Model,
    &hodgkin_huxley::Model,
    &spike_source::Model,
];

/// What to say to a name that a model does not know; known are these.
pub(crate) fn known_names(model: &dyn NeuronModel, wrong: &str, known: &[&str]) -> String {
    let listed = crate::diagnostics::known_names(wrong, known);
    match model.numbered_names() {
        Some(more) => format!("{listed}; {more}"),
        None => listed,
    }
}

/// The model of this name.
pub fn find_model(name: &str) -> Option<&'static dyn NeuronModel> {
    MODELS.iter().copied().find(|model| model.spec().name == name)
}

/// The names of all models.
pub fn model_names() -> Vec<&'static str> {
    MODELS.iter().map(|model| model.spec().name).collect()
}
