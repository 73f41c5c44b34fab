//! What stimuli do, the same for every engine: spikes of sources and currents over time.

use super::{Compiled, EngineError};
use crate::network::ValidStimulus;
use crate::neuron::Column;
use crate::random::{Purpose, draw, uniform};

/// Whether a Poisson source spikes in a step: a function of the arguments alone.
pub(super) fn poisson_spikes(
    seed: u64,
    stimulus: usize,
    neuron: u32,
    step: u64,
    probability: f64,
) -> bool {
    probability > 0.0
        && uniform(draw(seed, Purpose::Poisson, neuron, step, stimulus as u16)) < probability
}

/// Amplitudes of the constant currents, replaceable between runs.
#[derive(Debug, Clone)]
pub(super) struct Currents {
    /// One a stimulus; `None` for stimuli of other kinds.
    amplitudes: Vec<Option<Column>>,
}

impl Currents {
    pub(super) fn new(compiled: &Compiled) -> Self {
        let amplitude = |stimulus: &ValidStimulus| match stimulus {
            ValidStimulus::ConstantCurrent {
                population,
                amplitude,
                ..
            } => {
                let model = compiled.network.populations()[*population].model;
                Some(amplitude.map(|value| model.round(value)))
            }
            _ => None,
        };
        Currents {
            amplitudes: compiled.network.stimuli().values().map(amplitude).collect(),
        }
    }

    /// See [`super::Engine::set_current`].
    pub(super) fn set(
        &mut self,
        compiled: &Compiled,
        index: usize,
        values: &[f64],
    ) -> Result<(), EngineError> {
        let wrong = EngineError::WrongStimulus {
            index,
            given: values.len(),
        };
        let Some((_, stimulus)) = compiled.network.stimuli().get_index(index) else {
            return Err(wrong);
        };
        let population = &compiled.network.populations()[stimulus.population()];
        match self.amplitudes.get_mut(index) {
            Some(Some(column)) if values.len() == population.size() as usize => {
                let rounded = values.iter().map(|&value| population.model.round(value));
                *column = Column::Each(rounded.collect());
                Ok(())
            }
            _ => Err(wrong),
        }
    }

    /// The sum of the currents into each neuron of a population during the step after `step`.
    ///
    /// A current acts in the steps start + 1 ..= stop.
    pub(super) fn after_step(&self, compiled: &Compiled, population: usize, step: u64) -> Vec<f64> {
        let mut sum = vec![0.0; compiled.network.populations()[population].size() as usize];
        for (stimulus, amplitude) in compiled.network.stimuli().values().zip(&self.amplitudes) {
            let ValidStimulus::ConstantCurrent {
                population: driven,
                start_step,
                stop_step,
                ..
            } = stimulus
            else {
                continue;
            };
            let acts = (*start_step..*stop_step).contains(&step);
            let Some(amplitude) = amplitude.as_ref().filter(|_| *driven == population && acts)
            else {
                continue;
            };
            for (neuron, slot) in sum.iter_mut().enumerate() {
                *slot += amplitude.get(neuron);
            }
        }
        sum
    }

    /// The steps after which the current into a population changes, ascending, without repetition.
    pub(super) fn changes(compiled: &Compiled) -> Vec<(u64, usize)> {
        let mut changes = Vec::new();
        for stimulus in compiled.network.stimuli().values() {
            if let ValidStimulus::ConstantCurrent {
                population,
                start_step,
                stop_step,
                ..
            } = stimulus
            {
                changes.push((*start_step, *population));
                if *stop_step < u64::MAX {
                    changes.push((*stop_step, *population));
                }
            }
        }
        changes.sort_unstable();
        changes.dedup();
        changes
    }
}
