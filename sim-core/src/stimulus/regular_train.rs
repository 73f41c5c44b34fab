//! Spikes at equal intervals.

use super::train::{Renewal, Running, RunningRenewal, Train};
use super::{Stimulate, StimulusEntry, Target, from_the_beginning};
use crate::network::ValidStimulus;
use crate::neuron::Column;
use crate::random::Stream;
use crate::time::Time;
use crate::units::{Dimension, Quantity, Values};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// In the registry.
pub static ENTRY: StimulusEntry = StimulusEntry {
    name: "regular_train",
    summary: "spikes of a source population at equal intervals, with a phase",
    keys: &["population", "interval", "phase", "start", "stop"],
};

/// Spikes of a `spike_source` population at start + (phase + k) · interval, k = 0, 1, …; a phase of
/// zero begins one interval after the start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegularTrain {
    /// The source population.
    pub population: String,
    /// Time between spikes: one for all, one a neuron, or a distribution.
    pub interval: Values,
    /// Part of an interval, 0 to 1, before the first spike; none means 1. One for all, one a neuron,
    /// or a distribution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Values>,
    /// Beginning.
    #[serde(default = "from_the_beginning")]
    pub start: Quantity,
    /// End; none means until the end of the simulation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Quantity>,
}

impl Stimulate for RegularTrain {
    fn population(&self) -> &str {
        &self.population
    }

    fn lower(&self, target: &mut Target<'_, '_>) -> Option<ValidStimulus> {
        if !target.is_source() {
            return None;
        }
        let interval = target.each("interval", &self.interval, Dimension::Time)?;
        if let Some(wrong) = interval.numbers().iter().find(|interval| **interval <= 0.0) {
            let message = format!("the interval is {wrong} ms");
            target.wrong("out-of-range", "interval", message, "it must be above zero");
            return None;
        }
        let phase = match &self.phase {
            Some(phase) => target.each("phase", phase, Dimension::Number)?,
            None => Column::One(1.0),
        };
        if let Some(wrong) = phase.numbers().iter().find(|phase| !(0.0..=1.0).contains(*phase)) {
            let message = format!("the phase is {wrong}");
            target.wrong("out-of-range", "phase", message, "it is a part of an interval, 0 to 1");
            return None;
        }
        let (start, stop) = target.span(self.start, self.stop)?;
        let grid = target.population.neurons.grid;
        let law = Law {
            interval,
            phase,
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
    interval: Column,
    phase: Column,
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

    fn first(&self, neuron: u32, _stream: &mut Stream) -> Option<f64> {
        let phase = match self.phase.get(neuron as usize) {
            0.0 => 1.0,
            phase => phase,
        };
        Some(self.start + phase * self.interval.get(neuron as usize))
    }

    fn interval(&self, neuron: u32, _stream: &mut Stream) -> f64 {
        self.interval.get(neuron as usize)
    }

    fn stop(&self) -> Time {
        self.stop
    }
}
