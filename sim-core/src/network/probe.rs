//! Probes say what is recorded.

use crate::units::Quantity;
use serde::{Deserialize, Serialize};

/// What is recorded of a population.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// The population.
    pub population: String,
    /// `spikes`, or a state variable of the model such as `membrane_potential`.
    pub variable: String,
    /// Distance of the samples of a state variable in whole steps; one step where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Quantity>,
}

impl Probe {
    /// Records the spikes of a population.
    pub fn spikes(population: impl Into<String>) -> Self {
        Probe { population: population.into(), variable: "spikes".into(), interval: None }
    }

    /// Records a state variable in every step.
    pub fn variable(population: impl Into<String>, variable: impl Into<String>) -> Self {
        Probe { population: population.into(), variable: variable.into(), interval: None }
    }
}
