//! What stimuli do, the same for every engine: spikes of sources and currents over time.

use super::{Compiled, EngineError};
use crate::network::{ValidNetwork, ValidStimulus};
use crate::neuron::Column;
use crate::random::{Purpose, draw, uniform};
use crate::stimulus::{Drive, Running};
use crate::time::Time;

/// Whether a Poisson source spikes in a step: a function of the arguments alone; `seed` is the
/// stimulus's own.
pub(super) fn poisson_spikes(seed: u64, neuron: u32, step: u64, probability: f64) -> bool {
    probability > 0.0 && uniform(draw(seed, Purpose::Poisson, neuron, step, 0)) < probability
}

/// An engine's own stimuli: those of the network, with values that may be replaced between runs.
#[derive(Debug)]
pub(super) struct Stimuli {
    entries: Vec<ValidStimulus>,
    /// Seed of each stimulus.
    seeds: Vec<u64>,
    /// Spike trains on their way.
    running: Vec<Option<Box<dyn Running>>>,
    /// Stimuli whose values are not the network's.
    replaced: Vec<bool>,
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
        let entries: Vec<ValidStimulus> = network.stimuli().values().map(round).collect();
        let replaced = vec![false; entries.len()];
        let mut stimuli = Stimuli { entries, seeds: Vec::new(), running: Vec::new(), replaced };
        stimuli.begin(network, network.seed());
        stimuli
    }

    /// Back to time zero under a seed of the engine.
    fn begin(&mut self, network: &ValidNetwork, seed: u64) {
        self.seeds = network.stimulus_seeds(seed);
        let start = |(entry, &seed): (&ValidStimulus, &u64)| match entry {
            ValidStimulus::Train { train, .. } => Some(train.start(seed)),
            _ => None,
        };
        self.running = self.entries.iter().zip(&self.seeds).map(start).collect();
    }

    /// Takes over the values given last and goes back to time zero.
    pub(super) fn restart(&mut self, given: &Stimuli, network: &ValidNetwork, seed: u64) {
        self.entries.clone_from(&given.entries);
        self.replaced.clone_from(&given.replaced);
        self.begin(network, seed);
    }

    /// Goes on at a time without what was sent before: spike trains are run up to there.
    pub(super) fn seek(&mut self, time: Time) {
        let mut past = Vec::new();
        for running in self.running.iter_mut().flatten() {
            running.take(time, &mut past);
            past.clear();
        }
    }

    /// Stimuli whose values were replaced since the network was described.
    pub(super) fn replaced(&self) -> impl Iterator<Item = (usize, &ValidStimulus)> {
        let replaced = self.entries.iter().zip(&self.replaced).enumerate();
        replaced.filter(|(_, (_, replaced))| **replaced).map(|(index, (entry, _))| (index, entry))
    }

    /// Seed of a stimulus.
    pub(super) fn seed(&self, index: usize) -> u64 {
        self.seeds[index]
    }

    /// Appends the spikes of a train up to and including `until`: (time, neuron of the population).
    pub(super) fn take_train(&mut self, index: usize, until: Time, spikes: &mut Vec<(Time, u32)>) {
        if let Some(running) = &mut self.running[index] {
            running.take(until, spikes);
        }
    }

    /// When a train may send its next spike.
    pub(super) fn next_of_train(&self, index: usize) -> Option<Time> {
        self.running[index].as_ref().and_then(|running| running.next_time())
    }

    /// The Poisson input of a population, with the seed of each.
    pub(super) fn drives(&self, population: usize) -> impl Iterator<Item = (u64, &Drive)> {
        self.entries.iter().zip(&self.seeds).filter_map(move |(entry, &seed)| match entry {
            ValidStimulus::Drive { population: driven, drive } if *driven == population => {
                Some((seed, &**drive))
            }
            _ => None,
        })
    }

    /// The first step after `step` at whose end Poisson input may arrive anywhere.
    pub(super) fn next_drive(&self, step: u64) -> Option<u64> {
        let next = |entry: &ValidStimulus| match entry {
            ValidStimulus::Drive { drive, .. } => {
                let (first, last) = drive.arrivals();
                Some((step + 1).max(first)).filter(|&step| step <= last)
            }
            _ => None,
        };
        self.entries.iter().filter_map(next).min()
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
                self.replaced[index] = true;
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
                self.replaced[index] = true;
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
                self.replaced[index] = true;
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
        let model = compiled.network.populations()[population].model;
        for (stimulus, &seed) in self.entries.iter().zip(&self.seeds) {
            match stimulus {
                ValidStimulus::ConstantCurrent {
                    population: driven,
                    amplitude,
                    start_step,
                    stop_step,
                } if *driven == population && (*start_step..*stop_step).contains(&step) => {
                    match amplitude {
                        Column::One(value) => sum.iter_mut().for_each(|slot| *slot += value),
                        Column::Each(values) => {
                            sum.iter_mut().zip(values).for_each(|(slot, value)| *slot += value);
                        }
                    }
                }
                ValidStimulus::VaryingCurrent {
                    population: driven,
                    shape,
                    start_step,
                    stop_step,
                } if *driven == population && (*start_step..*stop_step).contains(&step) => {
                    for (neuron, slot) in sum.iter_mut().enumerate() {
                        *slot += model.round(shape.after(seed, neuron as u32, step));
                    }
                }
                _ => {}
            }
        }
        sum
    }

    /// The next step after `step` behind which the current into some population changes.
    pub(super) fn next_change(&self, step: u64) -> Option<u64> {
        self.entries.iter().filter_map(|entry| next_change(entry, step)).min()
    }

    /// The populations whose current changes after `step`, ascending.
    pub(super) fn changed_at(&self, step: u64) -> Vec<usize> {
        let changes = |entry: &&ValidStimulus| {
            step.checked_sub(1).and_then(|before| next_change(entry, before)) == Some(step)
        };
        let mut populations: Vec<usize> =
            self.entries.iter().filter(changes).map(ValidStimulus::population).collect();
        populations.sort_unstable();
        populations.dedup();
        populations
    }
}

/// The next step after `step` behind which a current changes.
fn next_change(entry: &ValidStimulus, step: u64) -> Option<u64> {
    let (start, stop, within) = match entry {
        ValidStimulus::ConstantCurrent { start_step, stop_step, .. } => {
            (*start_step, *stop_step, None)
        }
        ValidStimulus::VaryingCurrent { shape, start_step, stop_step, .. } => {
            let next = shape.next_change(step.max(*start_step));
            (*start_step, *stop_step, next.filter(|next| next < stop_step))
        }
        _ => return None,
    };
    let ends = [start, stop].into_iter().filter(|&end| end > step && end < u64::MAX);
    ends.chain(within.filter(|&next| next > step)).min()
}
