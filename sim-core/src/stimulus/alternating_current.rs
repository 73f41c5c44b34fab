//! A sinusoidal current.

use super::{CurrentShape, Stimulate, StimulusEntry, Target, from_the_beginning};
use crate::network::ValidStimulus;
use crate::neuron::Column;
use crate::units::{Dimension, Quantity, Values};
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;
use std::sync::Arc;

/// In the registry.
pub static ENTRY: StimulusEntry = StimulusEntry {
    name: "alternating_current",
    summary: "offset + amplitude · sin(2π frequency t + phase) in (start, stop] (AC)",
    keys: &["population", "amplitude", "frequency", "phase", "offset", "start", "stop"],
};

/// offset + amplitude · sin(2π · frequency · t + phase) in (start, stop]; during a step it has the
/// value of the step's middle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlternatingCurrent {
    /// The driven population.
    pub population: String,
    /// Amplitude in the model's current unit: one for all, one a neuron, or a distribution.
    pub amplitude: Values,
    /// Frequency.
    pub frequency: Quantity,
    /// Phase at time zero (radians).
    #[serde(default)]
    pub phase: f64,
    /// Mean; none means zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<Values>,
    /// Beginning.
    #[serde(default = "from_the_beginning")]
    pub start: Quantity,
    /// End; none means until the end of the simulation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Quantity>,
}

impl Stimulate for AlternatingCurrent {
    fn population(&self) -> &str {
        &self.population
    }

    fn lower(&self, target: &mut Target<'_, '_>) -> Option<ValidStimulus> {
        let dimension = target.takes_current()?;
        let amplitude = target.each("amplitude", &self.amplitude, dimension)?;
        let offset = match &self.offset {
            Some(offset) => target.each("offset", offset, dimension)?,
            None => Column::One(0.0),
        };
        let frequency = target.number("frequency", self.frequency, Dimension::Rate)?;
        let phase = target.number("phase", self.phase.into(), Dimension::Number)?;
        let (start_step, stop_step) = target.span(self.start, self.stop)?;
        let dt = target.population.neurons.grid.dt();
        let shape = Arc::new(Wave { amplitude, offset, angle: TAU * frequency * dt, phase });
        let population = target.index;
        Some(ValidStimulus::VaryingCurrent { population, shape, start_step, stop_step })
    }
}

#[derive(Debug)]
struct Wave {
    amplitude: Column,
    offset: Column,
    /// Radians a step.
    angle: f64,
    phase: f64,
}

impl CurrentShape for Wave {
    fn after(&self, _seed: u64, neuron: u32, step: u64) -> f64 {
        let neuron = neuron as usize;
        let angle = self.angle * (step as f64 + 0.5) + self.phase;
        self.offset.get(neuron) + self.amplitude.get(neuron) * angle.sin()
    }

    fn next_change(&self, step: u64) -> Option<u64> {
        Some(step + 1)
    }
}
