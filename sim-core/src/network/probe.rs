//! Probes say what is recorded.

use crate::units::Quantity;
use serde::{Deserialize, Serialize};

/// The variable of projections.
pub const WEIGHTS: &str = "weights";

/// What is recorded of a population or a projection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// The population; none where a projection is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub population: Option<String>,
    /// The projection, of which `weights` can be recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projection: Option<String>,
    /// `spikes`, or a state variable of the model such as `membrane_potential`, or `weights`.
    pub variable: String,
    /// Distance of the samples in whole steps; one step where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Quantity>,
}

impl Probe {
    /// Records the spikes of a population.
    pub fn spikes(population: impl Into<String>) -> Self {
        Probe::variable(population, "spikes")
    }

    /// Records a state variable in every step.
    pub fn variable(population: impl Into<String>, variable: impl Into<String>) -> Self {
        let (population, variable) = (Some(population.into()), variable.into());
        Probe { population, projection: None, variable, interval: None }
    }

    /// Records the weights of a projection whose synapses change, at an interval.
    pub fn weights(projection: impl Into<String>, interval: impl Into<Quantity>) -> Self {
        let (projection, variable) = (Some(projection.into()), WEIGHTS.into());
        Probe { population: None, projection, variable, interval: Some(interval.into()) }
    }

    /// The same with its samples at an interval.
    #[must_use]
    pub fn every(mut self, interval: impl Into<Quantity>) -> Self {
        self.interval = Some(interval.into());
        self
    }
}
