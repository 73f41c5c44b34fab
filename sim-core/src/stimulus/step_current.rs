//! A current that jumps at given times.

use super::{CurrentShape, Stimulate, StimulusEntry, Target};
use crate::network::ValidStimulus;
use crate::units::Values;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// In the registry.
pub static ENTRY: StimulusEntry = StimulusEntry {
    name: "step_current",
    summary: "a current that jumps to listed amplitudes at listed times",
    keys: &["population", "times", "amplitudes"],
};

/// A current that jumps to each amplitude at its time; before the first it is zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepCurrent {
    /// The driven population.
    pub population: String,
    /// Times of the jumps, ascending, on the grid.
    pub times: Values,
    /// The amplitude from each time on, in the model's current unit.
    pub amplitudes: Values,
}

impl Stimulate for StepCurrent {
    fn population(&self) -> &str {
        &self.population
    }

    fn lower(&self, target: &mut Target<'_, '_>) -> Option<ValidStimulus> {
        let dimension = target.takes_current()?;
        let times = target.ascending("times", &self.times)?;
        let path = target.key("amplitudes");
        let amplitudes = target.context.column(&path, &self.amplitudes, dimension)?;
        let count = times.len() as u64;
        if !target.context.count(&path, &amplitudes, count, "times") {
            return None;
        }
        let path = target.key("times");
        let mut jumps = Vec::with_capacity(times.len());
        for (index, time) in times.into_iter().enumerate() {
            jumps.push((target.context.steps(&path, time)?, amplitudes.get(index)));
        }
        let start_step = jumps.first().map_or(0, |jump| jump.0);
        let (population, shape, stop_step) = (target.index, Arc::new(Jumps(jumps)), u64::MAX);
        Some(ValidStimulus::VaryingCurrent { population, shape, start_step, stop_step })
    }
}

/// (step, amplitude after it), ascending.
#[derive(Debug)]
struct Jumps(Vec<(u64, f64)>);

impl CurrentShape for Jumps {
    fn after(&self, _seed: u64, _neuron: u32, step: u64) -> f64 {
        let past = self.0.partition_point(|jump| jump.0 <= step);
        past.checked_sub(1).and_then(|last| self.0.get(last)).map_or(0.0, |jump| jump.1)
    }

    fn next_change(&self, step: u64) -> Option<u64> {
        self.0.get(self.0.partition_point(|jump| jump.0 <= step)).map(|jump| jump.0)
    }
}
