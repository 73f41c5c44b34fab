//! What stimuli do, the same for every engine: spikes of sources and currents over time.

use super::{Compiled, EngineError};
use crate::network::{ValidNetwork, ValidStimulus};
use crate::neuron::Column;
use crate::random::{Purpose, draw, uniform};
use crate::time::Time;

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

/// An engine's own stimuli: those of the network, with values that may be replaced between runs.
#[derive(Debug, Clone)]
pub(super) struct Stimuli {
    entries: Vec<ValidStimulus>,
}

impl Stimuli {
    pub(super) fn new(network: &ValidNetwork) -> Self {
        let round = |stimulus: &ValidStimulus| {
            let mut stimulus = stimulus.clone();
            if let ValidStimulus::ConstantCurrent { population, amplitude, .. } = &mut stimulus {
                let model = network.populations()[*population].model;
                *amplitude = amplitude.map(|value| model.round(value));
            }
            stimulus
        };
        Stimuli { entries: network.stimuli().values().map(round).collect() }
    }

    /// All stimuli, in the network's order.
    pub(super) fn entries(&self) -> &[ValidStimulus] {
        &self.entries
    }

    /// See [`super::Engine::set_current`].
    pub(super) fn set_current(
        &mut self,
        compiled: &Compiled,
        index: usize,
        values: &[f64],
    ) -> Result<(), EngineError> {
        let wrong = EngineError::WrongStimulus { index, given: values.len() };
        match self.entries.get_mut(index) {
            Some(ValidStimulus::ConstantCurrent { population, amplitude, .. }) => {
                let population = &compiled.network.populations()[*population];
                if values.len() != population.neurons.size || !values.iter().all(|v| v.is_finite())
                {
                    return Err(wrong);
                }
                let rounded = values.iter().map(|&value| population.model.round(value));
                *amplitude = Column::Each(rounded.collect());
                Ok(())
            }
            _ => Err(wrong),
        }
    }

    /// See [`super::Engine::set_probability`].
    pub(super) fn set_probability(
        &mut self,
        compiled: &Compiled,
        index: usize,
        values: &[f64],
    ) -> Result<(), EngineError> {
        let wrong = EngineError::WrongStimulus { index, given: values.len() };
        match self.entries.get_mut(index) {
            Some(ValidStimulus::Poisson { population, probability }) => {
                let size = compiled.network.populations()[*population].neurons.size;
                if values.len() != size || !values.iter().all(|p| (0.0..=1.0).contains(p)) {
                    return Err(wrong);
                }
                *probability = Column::Each(values.to_vec());
                Ok(())
            }
            _ => Err(wrong),
        }
    }

    /// See [`super::Engine::set_spikes`].
    pub(super) fn set_spikes(
        &mut self,
        compiled: &Compiled,
        index: usize,
        given: &[(Time, u32)],
    ) -> Result<(), EngineError> {
        let wrong = EngineError::WrongStimulus { index, given: given.len() };
        match self.entries.get_mut(index) {
            Some(ValidStimulus::SpikeList { population, spikes }) => {
                let size = compiled.network.populations()[*population].size();
                if !given.iter().all(|&(time, neuron)| time > Time::ZERO && neuron < size) {
                    return Err(wrong);
                }
                spikes.clear();
                spikes.extend_from_slice(given);
                spikes.sort_unstable();
                spikes.dedup();
                Ok(())
            }
            _ => Err(wrong),
        }
    }

    /// The sum of the currents into each neuron of a population during the step after `step`.
    ///
    /// A current acts in the steps start + 1 ..= stop.
    pub(super) fn current_after(
        &self,
        compiled: &Compiled,
        population: usize,
        step: u64,
    ) -> Vec<f64> {
        let mut sum = vec![0.0; compiled.network.populations()[population].neurons.size];
        for stimulus in &self.entries {
            let ValidStimulus::ConstantCurrent {
                population: driven,
                amplitude,
                start_step,
                stop_step,
            } = stimulus
            else {
                continue;
            };
            if *driven != population || !(*start_step..*stop_step).contains(&step) {
                continue;
            }
            for (neuron, slot) in sum.iter_mut().enumerate() {
                *slot += amplitude.get(neuron);
            }
        }
        sum
    }

    /// The steps after which the current into a population changes, ascending, without repetition.
    pub(super) fn changes(&self) -> Vec<(u64, usize)> {
        let mut changes = Vec::new();
        for stimulus in &self.entries {
            if let ValidStimulus::ConstantCurrent { population, start_step, stop_step, .. } =
                stimulus
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
