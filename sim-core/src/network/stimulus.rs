//! Stimuli drive a network from outside; probes say what is recorded.

use super::keys::StimulusKeys;
use crate::units::{Quantity, Values};
use serde::{Deserialize, Serialize};

/// What drives a population from outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", try_from = "StimulusKeys")]
pub enum Stimulus {
    /// Spikes of a `spike_source` population at given times.
    SpikeList {
        /// The source population.
        population: String,
        /// The neuron of each spike.
        neurons: Vec<u32>,
        /// The time of each spike, above zero.
        times: Values,
    },
    /// Random spikes of a `spike_source` population: in each step of the grid every neuron spikes
    /// with probability rate · dt (a Bernoulli process, Poisson in the limit of small steps).
    Poisson {
        /// The source population.
        population: String,
        /// Rate, one for all or one a neuron; rate · dt must not exceed 1.
        rate: Values,
    },
    /// A constant current into every neuron of a population. It acts in (start, stop].
    ConstantCurrent {
        /// The driven population.
        population: String,
        /// Amplitude in the model's current unit, one for all or one a neuron.
        amplitude: Values,
        /// Beginning.
        start: Quantity,
        /// End; none means until the end of the simulation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stop: Option<Quantity>,
    },
}

impl Stimulus {
    /// A current into `population` from the beginning to the end.
    pub fn constant_current(
        population: impl Into<String>,
        amplitude: impl Into<Values>,
        start: impl Into<Quantity>,
    ) -> Self {
        Stimulus::ConstantCurrent {
            population: population.into(),
            amplitude: amplitude.into(),
            start: start.into(),
            stop: None,
        }
    }

    /// The name of the driven population.
    pub fn population(&self) -> &str {
        match self {
            Stimulus::SpikeList { population, .. }
            | Stimulus::Poisson { population, .. }
            | Stimulus::ConstantCurrent { population, .. } => population,
        }
    }
}

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
