//! Which synapse rules a projection follows.

use crate::synapse::Pairing;
use crate::units::{Quantity, Values};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// A synapse rule with its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plasticity {
    /// Name of the rule.
    pub rule: String,
    /// Parameters by name; those not given have the rule's defaults.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub parameters: IndexMap<String, Values>,
    /// Which spikes form pairs; every one with every earlier one where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pairing: Option<Pairing>,
    /// The dendritic part of the delay; the whole delay where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dendritic_delay: Option<Quantity>,
    /// The population whose spikes modulate the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modulator: Option<String>,
}

impl Plasticity {
    /// A rule with its defaults.
    pub fn new(rule: impl Into<String>) -> Self {
        Plasticity {
            rule: rule.into(),
            parameters: IndexMap::new(),
            pairing: None,
            dendritic_delay: None,
            modulator: None,
        }
    }

    /// Sets a parameter.
    #[must_use]
    pub fn parameter(mut self, name: &str, value: impl Into<Values>) -> Self {
        self.parameters.insert(name.to_string(), value.into());
        self
    }

    /// Says which spikes form pairs.
    #[must_use]
    pub fn pairing(mut self, pairing: Pairing) -> Self {
        self.pairing = Some(pairing);
        self
    }

    /// Says which part of the delay is dendritic.
    #[must_use]
    pub fn dendritic_delay(mut self, delay: impl Into<Quantity>) -> Self {
        self.dendritic_delay = Some(delay.into());
        self
    }

    /// Names the population that modulates the rule.
    #[must_use]
    pub fn modulator(mut self, population: impl Into<String>) -> Self {
        self.modulator = Some(population.into());
        self
    }
}
