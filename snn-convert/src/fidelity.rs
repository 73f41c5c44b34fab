//! What a converted network does: accuracy against steps, spikes and synaptic operations.

use crate::coding::{InputCode, deterministic_rate, latency};
use crate::lower::{Conversion, Readout, Timing};
use rayon::prelude::*;
use serde::Serialize;
use sim_core::connectome::{CompileConfig, CompileError};
use sim_core::diagnostics::Problems;
use sim_core::engine::{Compiled, Engine, EngineConfig, EngineError, Start};
use sim_core::recording::Spike;
use sim_core::time::Time;
use std::sync::Arc;

/// What is measured.
#[derive(Debug, Clone, PartialEq)]
pub struct FidelityConfig {
    /// Numbers of steps at which the class is read, ascending.
    pub steps: Vec<u32>,
    /// Seed of random input codes; sample i draws from seed + i.
    pub seed: u64,
    /// What the connectome may take.
    pub compile: CompileConfig,
}

/// What one sample did.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleRun {
    /// Class at each number of steps.
    pub classes: Vec<usize>,
    /// Scores at the largest number of steps.
    pub scores: Vec<f64>,
    /// Spikes of all populations but the input up to each number of steps.
    pub spikes: Vec<u64>,
    /// Synaptic operations up to each number of steps, input spikes included.
    pub synaptic_operations: Vec<u64>,
    /// Spikes of each population up to the largest number of steps.
    pub population_spikes: Vec<u64>,
    /// Neurons whose activation was larger than their code can express.
    pub saturated: u64,
    /// A digest of all spikes, to compare engines.
    pub digest: u64,
}

/// Why a converted network does not run.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FidelityError {
    /// The description is not valid.
    #[error(transparent)]
    Invalid(#[from] Problems),
    /// It does not fit.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The engine refuses.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A sample of the wrong size.
    #[error("sample {sample} has {got} values; the network takes {needed}")]
    SampleSize {
        /// Index of the sample.
        sample: usize,
        /// Values that the network takes.
        needed: usize,
        /// Values given.
        got: usize,
    },
    /// A value that the input code cannot express.
    #[error(
        "sample {sample} has the value {value} at {position}: the input code needs values from 0 \
         to 1; scale the data, or use the code constant_current"
    )]
    InputRange {
        /// Index of the sample.
        sample: usize,
        /// Position of the value.
        position: usize,
        /// The value.
        value: f32,
    },
    /// No step numbers, or none above zero.
    #[error("give ascending numbers of steps, each at least 1")]
    Steps,
}

/// A converted network, compiled and ready to be shown samples.
#[derive(Debug)]
pub struct Presenter<'a> {
    conversion: &'a Conversion,
    compiled: Arc<Compiled>,
    config: FidelityConfig,
}

impl<'a> Presenter<'a> {
    /// Compiles a conversion. Where its layers take turns there is one answer, whatever steps are
    /// asked for: they become its number of phases or slots.
    ///
    /// # Errors
    /// [`FidelityError`].
    pub fn new(
        conversion: &'a Conversion,
        mut config: FidelityConfig,
    ) -> Result<Self, FidelityError> {
        if let Timing::Once { code_steps, .. } = conversion.timing {
            config.steps = vec![code_steps];
        }
        let ascending = config.steps.windows(2).all(|pair| pair[0] < pair[1]);
        if config.steps.first().is_none_or(|&first| first == 0) || !ascending {
            return Err(FidelityError::Steps);
        }
        let valid = conversion.network.validate()?;
        let compiled = Arc::new(Compiled::new(valid, config.compile)?);
        Ok(Presenter { conversion, compiled, config })
    }

    /// The compiled network.
    pub fn compiled(&self) -> &Arc<Compiled> {
        &self.compiled
    }

    /// Shows samples to an engine, in parallel over samples; `done` is told after each.
    ///
    /// # Errors
    /// [`FidelityError`] of the first sample that fails.
    pub fn show(
        &self,
        samples: &[&[f32]],
        start: Start,
        done: &(dyn Fn() + Sync),
    ) -> Result<Vec<SampleRun>, FidelityError> {
        samples
            .par_iter()
            .enumerate()
            .map_init(
                || start(self.compiled.clone(), EngineConfig::default()),
                |engine, (index, sample)| {
                    let engine = engine.as_mut().map_err(|error| error.clone())?;
                    let run = self.show_one(engine.as_mut(), index, sample);
                    done();
                    run
                },
            )
            .collect()
    }

    /// Shows one sample; afterwards the engine's recording holds all its spikes.
    ///
    /// # Errors
    /// [`FidelityError`].
    pub fn show_one(
        &self,
        engine: &mut dyn Engine,
        index: usize,
        sample: &[f32],
    ) -> Result<SampleRun, FidelityError> {
        self.present(engine, index, sample)?;
        let grid = self.compiled.network().grid();
        let readout = self.conversion.layers.len() - 1 + self.input_populations();
        let latency = u64::from(self.conversion.latency());
        let mut potentials = Vec::new();
        let mut reached = 0;
        for &steps in &self.config.steps {
            let target = match self.conversion.timing {
                Timing::AnyStep => latency + u64::from(steps),
                Timing::Once { step, .. } => u64::from(step),
            };
            engine.run(grid.time_of(target - reached), &mut |_| true)?;
            reached = target;
            potentials.push(engine.variable(readout, 0));
        }
        Ok(self.evaluate(engine, readout, &potentials))
    }

    /// 1 where samples enter through a population of their own.
    fn input_populations(&self) -> usize {
        usize::from(self.conversion.input.code.spikes())
    }

    fn present(
        &self,
        engine: &mut dyn Engine,
        index: usize,
        sample: &[f32],
    ) -> Result<(), FidelityError> {
        let needed = self.conversion.sample_size;
        if sample.len() != needed {
            return Err(FidelityError::SampleSize { sample: index, needed, got: sample.len() });
        }
        let input = &self.conversion.input;
        let values: Vec<f64> = sample.iter().map(|&value| f64::from(value)).collect();
        if input.code.spikes() {
            let outside = sample.iter().position(|value| !(0.0..=1.0).contains(value));
            if let Some(position) = outside {
                let value = sample[position];
                return Err(FidelityError::InputRange { sample: index, position, value });
            }
        }
        for drive in &input.currents {
            let mut current = drive.bias.clone();
            drive.maps.iter().for_each(|map| map.apply(&values, &mut current));
            engine.set_current(drive.stimulus, &current)?;
        }
        if let Some(stimulus) = input.spikes {
            match input.code {
                InputCode::Poisson => engine.set_probability(stimulus, &values)?,
                _ => engine.set_spikes(stimulus, &self.input_spikes(sample))?,
            }
        }
        engine.reset(self.config.seed.wrapping_add(index as u64));
        Ok(())
    }

    fn input_spikes(&self, sample: &[f32]) -> Vec<(Time, u32)> {
        let grid = self.compiled.network().grid();
        if self.conversion.input.code == InputCode::Latency {
            return self.first_spikes(sample);
        }
        let most = self.config.steps.last().copied().unwrap_or(1);
        let steps = deterministic_rate::encode(sample, most).into_iter().enumerate();
        steps
            .flat_map(|(step, neurons)| {
                let time = grid.time_of(step as u64 + 1);
                neurons.into_iter().map(move |neuron| (time, neuron))
            })
            .collect()
    }

    fn first_spikes(&self, sample: &[f32]) -> Vec<(Time, u32)> {
        let (grid, input) = (self.compiled.network().grid(), &self.conversion.input);
        let opening = u64::from(input.opening);
        let continuous = matches!(self.conversion.timing, Timing::Once { continuous: true, .. });
        let time_of = |value: f64| {
            if continuous {
                let wait = latency::encode(value, grid.time_of(u64::from(input.window)));
                return wait.map(|wait| grid.time_of(opening).saturating_add(wait));
            }
            let slot = latency::encode_slot(value, input.window);
            slot.map(|slot| grid.time_of(opening + u64::from(slot)))
        };
        let spike = |(neuron, &value): (usize, &f32)| {
            time_of(f64::from(value)).map(|time| (time, neuron as u32))
        };
        sample.iter().enumerate().filter_map(spike).collect()
    }

    /// Neurons that said how much their code could not express.
    fn saturated(&self, engine: &dyn Engine) -> u64 {
        let inputs = self.input_populations();
        let mut count = 0;
        for (index, layer) in self.conversion.layers.iter().enumerate() {
            let model = self.compiled.network().populations()[index + inputs].model;
            let variables = model.spec().variables;
            let overflow = variables.iter().position(|variable| variable.name == "overflow");
            if let Some(overflow) = overflow.filter(|_| layer.saturates) {
                let values = engine.variable(index + inputs, overflow);
                count += values.iter().filter(|&&value| value > 0.0).count() as u64;
            }
        }
        count
    }

    fn evaluate(&self, engine: &dyn Engine, readout: usize, potentials: &[Vec<f64>]) -> SampleRun {
        let populations = self.compiled.network().populations();
        let grid = self.compiled.network().grid();
        let inputs = self.input_populations();
        let numbers = self.config.steps.len();
        let mut run = SampleRun {
            classes: Vec::with_capacity(numbers),
            scores: Vec::new(),
            spikes: vec![0; numbers],
            synaptic_operations: vec![0; numbers],
            population_spikes: vec![0; populations.len()],
            saturated: self.saturated(engine),
            digest: digest(&engine.recording().spikes),
        };
        let mut counts = vec![vec![0.0; populations[readout].size() as usize]; numbers];
        for spike in &engine.recording().spikes {
            let Some(population) = self.compiled.network().population_of(spike.neuron) else {
                continue;
            };
            let onset = match population.checked_sub(inputs) {
                Some(layer) => u64::from(self.conversion.layers[layer].onset),
                None => 0,
            };
            // The step of the layer's own time: 1 is the first in which input can arrive.
            let own = grid.step_at(spike.time).saturating_sub(onset);
            let waits = match self.conversion.timing {
                Timing::AnyStep => {
                    self.config.steps.iter().position(|&steps| own <= u64::from(steps))
                }
                Timing::Once { .. } => Some(0),
            };
            let Some(first) = waits else { continue };
            run.population_spikes[population] += 1;
            let local = (spike.neuron - populations[population].first) as usize;
            for (number, count) in counts.iter_mut().enumerate().skip(first) {
                run.spikes[number] += u64::from(population >= inputs);
                run.synaptic_operations[number] += self.compiled.out_degree(spike.neuron);
                if population == readout {
                    count[local] += 1.0;
                }
            }
        }
        for (potential, count) in potentials.iter().zip(&counts) {
            let scores = match self.conversion.readout {
                Readout::Membrane => potential.clone(),
                // Potentials lie below the threshold 1: they only order equal counts.
                Readout::SpikeCount => {
                    count.iter().zip(potential).map(|(c, v)| c + squeeze(*v)).collect()
                }
            };
            run.classes.push(largest(&scores));
            run.scores = scores;
        }
        run
    }
}

/// A number in (0, 1) that grows with the potential.
fn squeeze(potential: f64) -> f64 {
    0.5 + 0.499 * potential / (1.0 + potential.abs())
}

/// The position of the largest score, the first of equals.
pub fn largest(scores: &[f64]) -> usize {
    let mut best = 0;
    for (index, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = index;
        }
    }
    best
}

/// FNV-1a over times and neurons of all spikes.
pub fn digest(spikes: &[Spike]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for spike in spikes {
        for word in [spike.time.0 as u64, u64::from(spike.neuron)] {
            for byte in word.to_le_bytes() {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
    }
    hash
}

/// Means over samples.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Numbers of steps.
    pub steps: Vec<u32>,
    /// Accuracy in per cent at each number of steps.
    pub accuracy: Vec<f64>,
    /// 95 % confidence interval of each accuracy in per cent (Wilson 1927).
    pub interval: Vec<[f64; 2]>,
    /// Mean spikes per sample, input not counted.
    pub spikes: Vec<f64>,
    /// Mean synaptic operations per sample.
    pub synaptic_operations: Vec<f64>,
    /// Mean spikes per neuron and step of each population at the largest number of steps.
    pub rates: Vec<f64>,
}

/// Summarises runs against labels.
pub fn summarise(presenter: &Presenter<'_>, runs: &[SampleRun], labels: &[usize]) -> Summary {
    let count = runs.len().max(1) as f64;
    let numbers = 0..presenter.config.steps.len();
    let hits = |number: usize| {
        let right = |(run, label): (&SampleRun, &usize)| run.classes[number] == *label;
        runs.iter().zip(labels).filter(|&pair| right(pair)).count()
    };
    let mean = |of: &dyn Fn(&SampleRun) -> u64| runs.iter().map(of).sum::<u64>() as f64 / count;
    let populations = presenter.compiled.network().populations();
    let steps = f64::from(presenter.config.steps.last().copied().unwrap_or(1));
    let rate = |index: usize| {
        let neurons = f64::from(populations[index].size());
        mean(&|run| run.population_spikes[index]) / neurons / steps
    };
    Summary {
        steps: presenter.config.steps.clone(),
        accuracy: numbers.clone().map(|n| 100.0 * hits(n) as f64 / count).collect(),
        interval: numbers.clone().map(|n| wilson(hits(n), runs.len())).collect(),
        spikes: numbers.clone().map(|n| mean(&|run| run.spikes[n])).collect(),
        synaptic_operations: numbers.map(|n| mean(&|run| run.synaptic_operations[n])).collect(),
        rates: (0..populations.len()).map(rate).collect(),
    }
}

/// The 95 % score interval of a proportion, in per cent (Wilson 1927, JASA 22:209).
pub fn wilson(hits: usize, count: usize) -> [f64; 2] {
    if count == 0 {
        return [0.0, 100.0];
    }
    let (n, z) = (count as f64, 1.959_963_985);
    let p = hits as f64 / n;
    let centre = p + z * z / (2.0 * n);
    let spread = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 100.0 / (1.0 + z * z / n);
    [((centre - spread) * scale).max(0.0), ((centre + spread) * scale).min(100.0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_that_of_the_published_example() {
        // Newcombe 1998, Statist. Med. 17:857, table I: 81 of 263 → 0.2553 to 0.3662.
        let [low, high] = wilson(81, 263);
        assert!((low - 25.53).abs() < 0.01 && (high - 36.62).abs() < 0.01, "{low} {high}");
        assert_eq!(wilson(0, 0), [0.0, 100.0]);
    }

    #[test]
    fn ties_of_counts_go_to_the_larger_potential_and_counts_always_win() {
        let score = |count: f64, potential: f64| count + squeeze(potential);
        assert!(score(3.0, 0.9) > score(3.0, 0.2));
        assert!(score(3.0, 0.2) > score(3.0, -50.0));
        assert!(score(4.0, -1e6) > score(3.0, 1e6));
        assert_eq!(largest(&[1.0, 5.0, 5.0, 2.0]), 1);
    }
}
