//! Source of spikes: what it sends comes from stimuli alone.
//!
//! # Equations, parameters, state
//! None. Spike lists and Poisson stimuli name a population of this model.
//!
//! # Engines
//! Clock-driven (spike times must lie on the grid) and event-driven.

use super::model::{ClockNeurons, EventNeurons, LoweredNeurons, ModelSpec, ModelTime, NeuronModel};

/// The model.
pub struct Model;

static SPEC: ModelSpec = ModelSpec {
    name: "spike_source",
    summary: "sends the spikes of the stimuli that name it",
    time: ModelTime::Continuous,
    parameters: &[],
    receptors: &[],
    variables: &[],
    current: None,
    spikes: false,
    subtracting_reset: false,
    graded: false,
    refractory_input: &[],
    reference: "none",
};

impl NeuronModel for Model {
    fn spec(&self) -> &'static ModelSpec {
        &SPEC
    }

    fn clock(&self, _neurons: &LoweredNeurons) -> Option<Box<dyn ClockNeurons>> {
        None
    }

    fn event(&self, _neurons: &LoweredNeurons) -> Result<Option<Box<dyn EventNeurons>>, String> {
        Ok(None)
    }
}
