//! Populations: how many neurons, of which model, with which parameters and rules.

use super::{Positions, Shape};
use crate::units::{Quantity, Values};
use indexmap::IndexMap;
use serde::{Deserialize, Deserializer, Serialize, de};

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
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "there is one a population")]
pub enum Reset {
    /// It is set to a value (hard reset): one for all neurons, one each, or drawn.
    To(Values),
    /// The threshold is subtracted from it (soft reset).
    Subtract,
}

/// Reads a [`Reset`]; says what is expected where something else is given.
struct ResetVisitor;

impl<'de> de::Visitor<'de> for ResetVisitor {
    type Value = Reset;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("{ to = \"-65 mV\" } or \"subtract\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Reset, E> {
        match text {
            "subtract" => Ok(Reset::Subtract),
            value if value.parse::<Quantity>().is_ok() => Err(E::custom(format!(
                "the reset does not say what happens at {value}; write {{ to = \"{value}\" }}"
            ))),
            other => Err(E::invalid_value(de::Unexpected::Str(other), &self)),
        }
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Reset, A::Error> {
        let mut value = None;
        while let Some(key) = map.next_key::<String>()? {
            if key != "to" {
                return Err(de::Error::unknown_field(&key, &["to"]));
            }
            value = Some(map.next_value()?);
        }
        value.map(Reset::To).ok_or_else(|| de::Error::missing_field("to"))
    }
}

impl<'de> Deserialize<'de> for Reset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ResetVisitor)
    }
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
#[serde(from = "PopulationKeys")]
pub struct Population {
    /// Number of neurons, or `[channels, height, width]`; files may call it `shape`.
    pub size: Shape,
    /// Where the neurons lie, for rules, weights and delays that depend on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positions: Option<Positions>,
    /// The model with its parameters and rules; its fields stand beside `size`.
    #[serde(flatten)]
    pub neuron: Neuron,
}

/// The keys of a population in a file: those of [`Neuron`] stand beside `size`.
///
/// A flattened [`Neuron`] would be read through a buffer, in which the places of errors are lost.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PopulationKeys {
    #[serde(alias = "shape")]
    size: Shape,
    #[serde(default)]
    positions: Option<Positions>,
    model: String,
    #[serde(default)]
    spike: Option<SpikeCondition>,
    #[serde(default)]
    reset: Option<Reset>,
    #[serde(default)]
    refractory_input: Option<RefractoryInput>,
    #[serde(default)]
    parameters: IndexMap<String, Values>,
    #[serde(default)]
    initial: IndexMap<String, Values>,
}

impl From<PopulationKeys> for Population {
    fn from(keys: PopulationKeys) -> Self {
        Population {
            size: keys.size,
            positions: keys.positions,
            neuron: Neuron {
                model: keys.model,
                spike: keys.spike,
                reset: keys.reset,
                refractory_input: keys.refractory_input,
                parameters: keys.parameters,
                initial: keys.initial,
            },
        }
    }
}

impl Population {
    /// `size` neurons.
    pub fn new(size: u32, neuron: impl Into<Neuron>) -> Self {
        Population { size: Shape::List(size), positions: None, neuron: neuron.into() }
    }

    /// Neurons in a given arrangement.
    pub fn shaped(shape: Shape, neuron: impl Into<Neuron>) -> Self {
        Population { size: shape, positions: None, neuron: neuron.into() }
    }

    /// Says where the neurons lie.
    #[must_use]
    pub fn at(mut self, positions: Positions) -> Self {
        self.positions = Some(positions);
        self
    }
}
