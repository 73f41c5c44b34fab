//! Stimuli: population known and of the right kind, numbers in range.

use super::{Context, ValidPopulation, ValidStimulus, Validated};
use crate::stimulus::Target;

pub(super) fn validate(
    context: &mut Context<'_>,
    populations: &Validated<ValidPopulation>,
) -> Validated<ValidStimulus> {
    let mut valid = Validated::new();
    for (name, stimulus) in &context.network.stimuli {
        let path = format!("stimuli/{name}");
        let Some(index) =
            context.population(populations, format!("{path}/population"), stimulus.population())
        else {
            continue;
        };
        let population = &populations[index];
        let mut target = Target { context: &mut *context, path, index, population };
        if let Some(checked) = stimulus.behaviour().lower(&mut target) {
            valid.insert(name.clone(), checked);
        }
    }
    valid
}

impl ValidStimulus {
    /// Index of the driven population.
    pub fn population(&self) -> usize {
        match *self {
            ValidStimulus::SpikeList { population, .. }
            | ValidStimulus::Poisson { population, .. }
            | ValidStimulus::ConstantCurrent { population, .. }
            | ValidStimulus::Train { population, .. }
            | ValidStimulus::VaryingCurrent { population, .. }
            | ValidStimulus::Drive { population, .. } => population,
        }
    }
}
