//! A current that is drawn anew at an interval.

use super::{CurrentShape, Stimulate, StimulusEntry, Target, from_the_beginning};
use crate::network::ValidStimulus;
use crate::neuron::Column;
use crate::random::{Purpose, Stream};
use crate::units::{Quantity, Values};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// In the registry.
pub static ENTRY: StimulusEntry = StimulusEntry {
    name: "noise_current",
    summary: "a normally distributed current, drawn for each neuron anew at an interval",
    keys: &["population", "mean", "std", "interval", "start", "stop"],
};

/// mean + std · (a standard normal number), drawn for each neuron anew at every interval.
///
/// The power of the noise depends on the interval: a current of the density σ² per time has the
/// standard deviation σ / sqrt(interval).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoiseCurrent {
    /// The driven population.
    pub population: String,
    /// Mean in the model's current unit: one for all, one a neuron, or a distribution.
    pub mean: Values,
    /// Standard deviation in the same unit.
    pub std: Values,
    /// Time between two draws; one step where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Quantity>,
    /// Beginning.
    #[serde(default = "from_the_beginning")]
    pub start: Quantity,
    /// End; none means until the end of the simulation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Quantity>,
}

impl Stimulate for NoiseCurrent {
    fn population(&self) -> &str {
        &self.population
    }

    fn lower(&self, target: &mut Target<'_, '_>) -> Option<ValidStimulus> {
        let dimension = target.takes_current()?;
        let mean = target.each("mean", &self.mean, dimension)?;
        let std = target.each("std", &self.std, dimension)?;
        if let Some(wrong) = std.numbers().iter().find(|std| **std < 0.0) {
            let message = format!("the standard deviation is {wrong}");
            target.wrong("out-of-range", "std", message, "it must be zero or above");
            return None;
        }
        let interval = match self.interval {
            Some(interval) => target.steps("interval", interval)?.max(1),
            None => 1,
        };
        let (start_step, stop_step) = target.span(self.start, self.stop)?;
        let shape = Arc::new(Noise { mean, std, interval, start_step });
        let population = target.index;
        Some(ValidStimulus::VaryingCurrent { population, shape, start_step, stop_step })
    }
}

/// Draws of one interval have so many counters to themselves.
const COUNTERS_BITS: u32 = 20;

#[derive(Debug)]
struct Noise {
    mean: Column,
    std: Column,
    interval: u64,
    start_step: u64,
}

impl CurrentShape for Noise {
    fn after(&self, seed: u64, neuron: u32, step: u64) -> f64 {
        let draw = step.saturating_sub(self.start_step) / self.interval;
        let mut stream =
            Stream::new(seed, Purpose::Current, neuron, 0).starting_at(draw << COUNTERS_BITS);
        let normal: f64 = StandardNormal.sample(&mut stream);
        self.mean.get(neuron as usize) + self.std.get(neuron as usize) * normal
    }

    fn next_change(&self, step: u64) -> Option<u64> {
        match step.checked_sub(self.start_step) {
            Some(past) => Some(self.start_step + (past / self.interval + 1) * self.interval),
            None => Some(self.start_step),
        }
    }
}
