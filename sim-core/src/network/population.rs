//! Populations: how many neurons, of which model, with which parameters and rules.

use super::Shape;
use crate::units::{Quantity, Values};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// When a neuron spikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpikeCondition {
    /// v ≥ threshold (NEST, Arbor, Brian2 by habit).
    AtOrAbove,
    /// v > threshold (NIR, Lava).
    Above,
}

/// What a spike does to the membrane potential.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reset {
    /// It is set to this value (hard reset).
    To(Quantity),
    /// The threshold is subtracted from it (soft reset).
    Subtract,
}

/// What becomes of synaptic input that arrives in the refractory time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefractoryInput {
    /// It is lost.
    Lost,
    /// It enters the synaptic current, which acts on the membrane when the time is over.
    Integrated,
}

/// A neuron model with parameters and rules, as described; see [`crate::neuron`] for the models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Neuron {
    /// Registry name of the model, e.g. `lif_delta`.
    pub model: String,
    /// When it spikes; must be stated for models that spike by themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spike: Option<SpikeCondition>,
    /// What a spike does to the potential; must be stated for models that spike by themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset: Option<Reset>,
    /// What becomes of input in the refractory time; must be stated for models that have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refractory_input: Option<RefractoryInput>,
    /// Parameters by name; the model's defaults stand for the others.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub parameters: IndexMap<String, Values>,
    /// Initial values of state variables by name.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub initial: IndexMap<String, Values>,
}

impl Neuron {
    /// A model by name, without rules and with default parameters.
    pub fn new(model: impl Into<String>) -> Self {
        Neuron {
            model: model.into(),
            spike: None,
            reset: None,
            refractory_input: None,
            parameters: IndexMap::new(),
            initial: IndexMap::new(),
        }
    }

    /// A source whose spikes come from stimuli only.
    pub fn spike_source() -> Self {
        Neuron::new("spike_source")
    }

    /// Sets a parameter.
    #[must_use]
    pub fn parameter(mut self, name: &str, values: impl Into<Values>) -> Self {
        self.parameters.insert(name.to_string(), values.into());
        self
    }

    /// Sets the initial value of a state variable.
    #[must_use]
    pub fn initial(mut self, name: &str, values: impl Into<Values>) -> Self {
        self.initial.insert(name.to_string(), values.into());
        self
    }

    /// States the spike condition and the reset rule.
    #[must_use]
    pub fn rules(mut self, spike: SpikeCondition, reset: Reset) -> Self {
        self.spike = Some(spike);
        self.reset = Some(reset);
        self
    }
}

/// A population of neurons of one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Population {
    /// Number of neurons, or `[channels, height, width]`.
    #[serde(alias = "shape")]
    pub size: Shape,
    /// The model with its parameters and rules; its fields stand beside `size`.
    #[serde(flatten)]
    pub neuron: Neuron,
}

impl Population {
    /// `size` neurons.
    pub fn new(size: u32, neuron: impl Into<Neuron>) -> Self {
        Population {
            size: Shape::List(size),
            neuron: neuron.into(),
        }
    }

    /// Neurons in a given arrangement.
    pub fn shaped(shape: Shape, neuron: impl Into<Neuron>) -> Self {
        Population {
            size: shape,
            neuron: neuron.into(),
        }
    }
}
