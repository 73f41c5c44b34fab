//! A constant current.

use super::{Stimulate, StimulusEntry, Target, from_the_beginning};
use crate::network::ValidStimulus;
use crate::units::{Quantity, Values};
use serde::{Deserialize, Serialize};

/// In the registry.
pub static ENTRY: StimulusEntry = StimulusEntry {
    name: "constant_current",
    summary: "a constant current (DC) in (start, stop]",
    keys: &["population", "amplitude", "start", "stop"],
};

/// A constant current into every neuron of a population. It acts in (start, stop].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConstantCurrent {
    /// The driven population.
    pub population: String,
    /// Amplitude in the model's current unit: one for all, one a neuron, or a distribution.
    pub amplitude: Values,
    /// Beginning.
    #[serde(default = "from_the_beginning")]
    pub start: Quantity,
    /// End; none means until the end of the simulation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Quantity>,
}

impl Stimulate for ConstantCurrent {
    fn population(&self) -> &str {
        &self.population
    }

    fn lower(&self, target: &mut Target<'_, '_>) -> Option<ValidStimulus> {
        let dimension = target.takes_current()?;
        let amplitude = target.each("amplitude", &self.amplitude, dimension)?;
        let (start_step, stop_step) = target.span(self.start, self.stop)?;
        let population = target.index;
        Some(ValidStimulus::ConstantCurrent { population, amplitude, start_step, stop_step })
    }
}
