//! Poisson input straight into a receptor, without synapses.

use super::drive::Drive;
use super::{Modulation, Stimulate, StimulusEntry, Target, from_the_beginning};
use crate::network::ValidStimulus;
use crate::neuron::{Combine, ModelTime, known_names};
use crate::units::{Dimension, Quantity, Values};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// In the registry.
pub static ENTRY: StimulusEntry = StimulusEntry {
    name: "poisson_drive",
    summary: "Poisson input into a receptor, one independent train a neuron, without synapses",
    keys: &[
        "population",
        "receptor",
        "rate",
        "weight",
        "delay",
        "exact_times",
        "modulation",
        "start",
        "stop",
    ],
};

/// The most spikes a step in the mean: the table of probabilities stays short.
const LARGEST_MEAN: f64 = 500.0;

/// Poisson input: each neuron of a population receives an independent Poisson process of its own,
/// as if through a synapse of this weight and delay.
///
/// The number of spikes that are sent in a step has the Poisson distribution with the mean
/// rate · modulation · dt, several spikes a step included: see [`Drive`] for the exact law.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoissonDrive {
    /// The driven population.
    pub population: String,
    /// Receptor of its model; the model's first where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receptor: Option<String>,
    /// Rate of each neuron's input: one for all, one a neuron, or a distribution.
    pub rate: Values,
    /// Strength of each spike in the receptor's unit: one for all, one a neuron, or a distribution.
    pub weight: Values,
    /// Time from a spike to its effect, whole steps, at least one; none means one step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<Quantity>,
    /// Whether the spikes of a step arrive at random times within it; else all arrive at its end.
    /// Stepwise models and the clock-driven engine look at the ends of steps: there both are the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exact_times: bool,
    /// How the rate changes over time; none: not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modulation: Option<Modulation>,
    /// Beginning of the spikes.
    #[serde(default = "from_the_beginning")]
    pub start: Quantity,
    /// End of the spikes; none means until the end of the simulation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Quantity>,
}

impl PoissonDrive {
    /// Input at a constant rate into the model's first receptor, with the shortest delay.
    pub fn new(
        population: impl Into<String>,
        rate: impl Into<Values>,
        weight: impl Into<Values>,
    ) -> Self {
        PoissonDrive {
            population: population.into(),
            receptor: None,
            rate: rate.into(),
            weight: weight.into(),
            delay: None,
            exact_times: false,
            modulation: None,
            start: from_the_beginning(),
            stop: None,
        }
    }
}

impl Stimulate for PoissonDrive {
    fn population(&self) -> &str {
        &self.population
    }

    fn lower(&self, target: &mut Target<'_, '_>) -> Option<ValidStimulus> {
        let spec = target.population.model.spec();
        let found = spec.receptor_index(self.receptor.as_deref());
        let summing = found.filter(|&index| spec.receptors[index].combine == Combine::Sum);
        let Some(receptor) = summing else {
            let known: Vec<&str> = spec.receptors.iter().map(|receptor| receptor.name).collect();
            let help = match &self.receptor {
                Some(name) if !known.is_empty() => {
                    known_names(target.population.model, name, &known)
                }
                _ => "choose another target: Poisson input needs a receptor that sums".to_string(),
            };
            let message = format!("`{}` has no such receptor", spec.name);
            target.wrong("unknown-receptor", "receptor", message, &help);
            return None;
        };
        let rate = target.each("rate", &self.rate, Dimension::Rate)?;
        let weight = target.each("weight", &self.weight, spec.receptors[receptor].weight)?;
        let modulation = Modulation::lower(self.modulation.as_ref(), target)?;
        let delay = match self.delay {
            Some(delay) => target.steps("delay", delay)?,
            None => 1,
        };
        if delay == 0 {
            let message = "the delay is shorter than a step".to_string();
            target.wrong("delay-out-of-range", "delay", message, "give at least one step");
            return None;
        }
        let span = target.span(self.start, self.stop)?;
        let dt = target.population.neurons.grid.dt();
        let mean = rate.map(|rate| rate * dt);
        let largest = modulation.largest();
        let fits = |mean: &f64| *mean >= 0.0 && mean * largest <= LARGEST_MEAN;
        if !mean.numbers().iter().all(fits) {
            let help = format!("rates lie from 0 to {} Hz here", LARGEST_MEAN / dt / largest * 1e3);
            let message = "a rate is negative or too large".to_string();
            target.wrong("out-of-range", "rate", message, &help);
            return None;
        }
        let model = target.population.model;
        let weight = weight.map(|weight| model.round(weight));
        // Stepwise models see input at the ends of steps in every engine.
        let exact = self.exact_times && model.spec().time == ModelTime::Continuous;
        let drive =
            Drive::new(receptor, mean, weight, delay, modulation, span).with_exact_times(exact);
        Some(ValidStimulus::Drive { population: target.index, drive: Arc::new(drive) })
    }
}
