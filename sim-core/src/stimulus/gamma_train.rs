//! Spikes at gamma-distributed intervals, with a dead time.
//!
//! # References
//! Cox 1962, Renewal Theory; Deger et al. 2012, J. Comput. Neurosci. 32:443 (superpositions of such
//! trains).

use super::train::{Renewal, Running, RunningRenewal, Train};
use super::{Stimulate, StimulusEntry, Target, from_the_beginning};
use crate::network::ValidStimulus;
use crate::neuron::Column;
use crate::random::Stream;
use crate::time::Time;
use crate::units::{Dimension, Quantity, Values};
use rand_distr::{Distribution, Gamma};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// In the registry.
pub static ENTRY: StimulusEntry = StimulusEntry {
    name: "gamma_train",
    summary: "renewal spikes of a source population: a dead time and a gamma-distributed interval",
    keys: &["population", "rate", "shape", "dead_time", "start", "stop"],
};

/// Renewal spikes of a `spike_source` population: each interval is the dead time and a
/// gamma-distributed time, together 1 / rate long in the mean. A shape of 1 is a Poisson process
/// (with dead time). The first spike comes an interval after the start. Times lie on no grid; the
/// clock-driven engine dates each to the end of its step, and takes two in one step for one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GammaTrain {
    /// The source population.
    pub population: String,
    /// Mean rate: one for all, one a neuron, or a distribution.
    pub rate: Values,
    /// Shape of the gamma distribution; its CV is 1 / sqrt(shape).
    #[serde(default = "one")]
    pub shape: f64,
    /// Shortest interval; none means zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_time: Option<Quantity>,
    /// Beginning.
    #[serde(default = "from_the_beginning")]
    pub start: Quantity,
    /// End; none means until the end of the simulation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Quantity>,
}

fn one() -> f64 {
    1.0
}

impl Stimulate for GammaTrain {
    fn population(&self) -> &str {
        &self.population
    }

    fn lower(&self, target: &mut Target<'_, '_>) -> Option<ValidStimulus> {
        if !target.is_source() {
            return None;
        }
        let rate = target.each("rate", &self.rate, Dimension::Rate)?;
        let dead_time = match self.dead_time {
            Some(time) => target.number("dead_time", time, Dimension::Time)?,
            None => 0.0,
        };
        let (start, stop) = target.span(self.start, self.stop)?;
        let fits = |rate: &f64| *rate >= 0.0 && rate * dead_time < 1.0;
        if dead_time < 0.0 || !rate.numbers().iter().all(fits) {
            let message = "an interval of the mean length 1 / rate is shorter than the dead time";
            let help = "give rates from zero to below 1 / dead_time, and a dead time of at least 0";
            target.wrong("out-of-range", "rate", message.to_string(), help);
            return None;
        }
        let Some(unit) = Gamma::new(self.shape, 1.0 / self.shape).ok() else {
            let message = format!("the shape is {}", self.shape);
            target.wrong("out-of-range", "shape", message, "it must be above zero");
            return None;
        };
        let grid = target.population.neurons.grid;
        let law = Law {
            rate,
            dead_time,
            unit,
            size: target.population.size(),
            start: grid.time_of(start).milliseconds(),
            stop: grid.time_of(stop),
        };
        let train = Arc::new(Arc::new(law));
        Some(ValidStimulus::Train { population: target.index, train })
    }
}

#[derive(Debug)]
struct Law {
    /// Per ms.
    rate: Column,
    dead_time: f64,
    /// Gamma with mean 1.
    unit: Gamma<f64>,
    size: u32,
    start: f64,
    stop: Time,
}

impl Train for Arc<Law> {
    fn start(&self, seed: u64) -> Box<dyn Running> {
        Box::new(RunningRenewal::new(self.clone(), seed))
    }
}

impl Renewal for Arc<Law> {
    fn size(&self) -> u32 {
        self.size
    }

    fn first(&self, neuron: u32, stream: &mut Stream) -> Option<f64> {
        let spikes = self.rate.get(neuron as usize) > 0.0;
        spikes.then(|| self.start + self.interval(neuron, stream))
    }

    fn interval(&self, neuron: u32, stream: &mut Stream) -> f64 {
        let mean = 1.0 / self.rate.get(neuron as usize) - self.dead_time;
        self.dead_time + mean * self.unit.sample(stream)
    }

    fn stop(&self) -> Time {
        self.stop
    }
}
