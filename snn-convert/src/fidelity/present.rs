//! Putting samples into a converted network.

use super::{FidelityConfig, FidelityError, SampleRun};
use crate::coding::readout::entry_of;
use crate::coding::sigma_delta::{self, Stream};
use crate::coding::{InputCode, deterministic_rate, latency};
use crate::linear::PreparedMap;
use crate::lower::{Conversion, CurrentDrive, Readout, Timing};
use rayon::prelude::*;
use sim_core::engine::{Compiled, Engine, EngineConfig, Start};
use sim_core::network::Network;
use sim_core::time::Time;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A converted network, compiled and ready to be shown samples.
pub struct Presenter<'a> {
    pub(super) conversion: &'a Conversion,
    pub(super) compiled: Arc<Compiled>,
    pub(super) config: FidelityConfig,
    /// The maps of the sample that drive layers, a list a drive.
    drives: Vec<Vec<PreparedMap>>,
    /// Whether all spikes are recorded, or only counted.
    pub(super) recorded: bool,
    /// Engines that wait to be used again: starting one takes as long as some samples.
    idle: Mutex<Vec<(Start, Box<dyn Engine>)>>,
}

impl std::fmt::Debug for Presenter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Presenter").field("config", &self.config).finish_non_exhaustive()
    }
}

impl<'a> Presenter<'a> {
    /// Compiles a conversion. Where its layers take turns there is one answer, whatever steps are
    /// asked for: they become its number of phases or slots.
    ///
    /// # Errors
    /// [`FidelityError`].
    pub fn new(conversion: &'a Conversion, config: FidelityConfig) -> Result<Self, FidelityError> {
        Self::compile(conversion, config, true)
    }

    /// As [`Presenter::new`], for a network whose spikes are only counted: much faster. Recordings
    /// hold the spikes of the read-out alone, and only where they are read.
    ///
    /// # Errors
    /// [`FidelityError`].
    pub fn counting(
        conversion: &'a Conversion,
        config: FidelityConfig,
    ) -> Result<Self, FidelityError> {
        Self::compile(conversion, config, false)
    }

    fn compile(
        conversion: &'a Conversion,
        mut config: FidelityConfig,
        recorded: bool,
    ) -> Result<Self, FidelityError> {
        if let Timing::Once { code_steps, .. } = conversion.timing {
            config.steps = vec![code_steps];
        }
        let ascending = config.steps.windows(2).all(|pair| pair[0] < pair[1]);
        if config.steps.first().is_none_or(|&first| first == 0) || !ascending {
            return Err(FidelityError::Steps);
        }
        let valid = match recorded {
            true => conversion.network.validate()?,
            false => unrecorded(conversion).validate()?,
        };
        let compiled = Arc::new(Compiled::new(valid, config.compile)?);
        let maps = |drive: &CurrentDrive| drive.maps.iter().map(PreparedMap::new).collect();
        let drives = conversion.input.currents.iter().map(maps).collect();
        let idle = Mutex::new(Vec::new());
        Ok(Presenter { conversion, compiled, config, drives, recorded, idle })
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
        self.show_from(0, samples, start, done)
    }

    /// As [`Presenter::show`], where the first sample has the index `first` among all: random input
    /// codes draw by it.
    ///
    /// # Errors
    /// [`FidelityError`] of the first sample that fails.
    pub fn show_from(
        &self,
        first: usize,
        samples: &[&[f32]],
        start: Start,
        done: &(dyn Fn() + Sync),
    ) -> Result<Vec<SampleRun>, FidelityError> {
        let show = |(index, sample): (usize, &&[f32])| {
            let mut engine = self.idle_engine(start)?;
            let run = self.show_one(engine.as_mut(), first + index, sample);
            self.idle().push((start, engine));
            done();
            run
        };
        samples.par_iter().enumerate().map(show).collect()
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(Start, Box<dyn Engine>)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An engine of this kind: one that waits, or a new one.
    fn idle_engine(&self, start: Start) -> Result<Box<dyn Engine>, FidelityError> {
        let waiting = {
            let mut idle = self.idle();
            let own = idle.iter().position(|(kind, _)| std::ptr::fn_addr_eq(*kind, start));
            own.map(|at| idle.swap_remove(at).1)
        };
        match waiting {
            Some(engine) => Ok(engine),
            None => Ok(start(self.compiled.clone(), EngineConfig::default())?),
        }
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
        match (self.conversion.readout, self.recorded) {
            (Readout::FirstSpike | Readout::EarlyStop | Readout::Delayed, _) => {
                self.run_decided(engine)
            }
            (_, true) => self.run_recorded(engine),
            (_, false) => self.run_counted(engine),
        }
    }

    /// Shows the frames of a stream one after the other, each from the initial state, and gives with
    /// each run how many changes were sent: a value that did not change sends nothing.
    ///
    /// # Errors
    /// [`FidelityError`].
    pub fn show_stream(
        &self,
        engine: &mut dyn Engine,
        frames: &[&[f32]],
    ) -> Result<Vec<(SampleRun, usize)>, FidelityError> {
        let mut stream = Stream::new(self.conversion.sample_size, sigma_delta::STEP);
        let show = |(index, frame): (usize, &&[f32])| {
            let values: Vec<f64> = frame.iter().map(|&value| f64::from(value)).collect();
            let changes = stream.send(&values).len();
            let known: Vec<f32> = stream.known().into_iter().map(|value| value as f32).collect();
            Ok((self.show_one(engine, index, &known)?, changes))
        };
        frames.iter().enumerate().map(show).collect()
    }

    /// 1 where samples enter through a population of their own.
    pub(super) fn input_populations(&self) -> usize {
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
        let mut values: Vec<f64> = sample.iter().map(|&value| f64::from(value)).collect();
        if input.code == InputCode::SigmaDelta {
            let mut stream = Stream::new(values.len(), sigma_delta::STEP);
            stream.send(&values);
            values = stream.known();
        }
        if input.code.spikes() && input.tuning.is_none() {
            let outside = sample.iter().position(|value| !(0.0..=1.0).contains(value));
            if let Some(position) = outside {
                let value = sample[position];
                return Err(FidelityError::InputRange { sample: index, position, value });
            }
        }
        for (drive, maps) in input.currents.iter().zip(&self.drives) {
            let mut current = drive.bias.clone();
            maps.iter().for_each(|map| map.apply(&values, &mut current));
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
        let rates: Option<Vec<f32>> = self.conversion.input.tuning.as_ref().map(|tuning| {
            let rates = |&value: &f32| tuning.rates(f64::from(value));
            sample.iter().flat_map(rates).map(|rate| rate as f32).collect()
        });
        let sample = rates.as_deref().unwrap_or(sample);
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
}

/// The network without probes, but for the spikes of a read-out that counts them.
fn unrecorded(conversion: &Conversion) -> Network {
    let mut network = conversion.network.clone();
    let readout = conversion.layers.last().map(|layer| layer.population.as_str());
    let counts = entry_of(conversion.readout).spikes;
    network.probes.retain(|_, probe| counts && readout == probe.population.as_deref());
    network
}
