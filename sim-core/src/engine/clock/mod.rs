//! The clock-driven engine: every neuron in every step of the grid.
//!
//! Neurons are divided into parts, one a thread (where threads pay: the module `pace`). A part owns the state and the inputs of its neurons:
//! each target is written by one thread, in one order. As no spike acts earlier than the shortest
//! delay, parts run that many steps (an epoch) on their own; then their spikes are joined, in the
//! order of the neurons, and all parts see them.
//!
//! Populations that were compiled in the narrow form ([`crate::connectome::narrow`]) run in single
//! precision by vector code; all others in double precision. Sums of narrow input are sums of
//! integers, so their order does not matter; sums in double precision are made in the order
//! (projection, delay, source) for every number of threads.

mod block;
mod checkpoint;
mod course;
mod crew;
mod deliver;
mod history;
mod pace;
mod part;
mod settle;
mod wide;

use super::drives::NarrowDrive;
use super::plastic::longest_window;
use super::source::Stimuli;
use super::weights::{due, next_sample, sample};
use super::{Compiled, Engine, EngineConfig, EngineError, Observer, check_threads};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::network::ValidStimulus;
use crate::recording::Recording;
use crate::time::Time;
use checkpoint::plastic;
use course::{Course, Recorder, run_alone, run_together};
use kernels::Instructions;
use pace::{Load, Pace};
use part::{Context, Part, Sample};
use std::sync::Arc;
use std::time::Instant;

/// Steps of an epoch where there are no synapses.
const UNCONNECTED_EPOCH: u64 = 32;

/// Longest epoch: what is sent in it is kept until its end.
const LONGEST_EPOCH: u64 = 256;

/// Steps that parts run on their own where the shortest delay has so many steps.
pub(crate) fn epoch_of(shortest_delay: Option<u32>) -> u64 {
    shortest_delay.map_or(UNCONNECTED_EPOCH, u64::from).min(LONGEST_EPOCH)
}

/// Starts the engine; see [`super::Start`].
pub(super) fn start(
    compiled: Arc<Compiled>,
    config: EngineConfig,
) -> Result<Box<dyn Engine>, EngineError> {
    check_threads(config.threads)?;
    check_grid(&compiled)?;
    Ok(Box::new(ClockEngine::new(compiled, config)))
}

/// Spike lists must lie on the grid.
fn check_grid(compiled: &Compiled) -> Result<(), EngineError> {
    let grid = compiled.network.grid();
    for (name, stimulus) in compiled.network.stimuli() {
        let ValidStimulus::SpikeList { spikes, .. } = stimulus else {
            continue;
        };
        if let Some((time, _)) = spikes.iter().find(|(time, _)| grid.steps_in(*time).is_none()) {
            let (stimulus, time, dt) = (name.clone(), *time, grid.step());
            return Err(EngineError::OffGrid { stimulus, time, dt });
        }
    }
    Ok(())
}

/// (population, variable, interval) of each trace.
fn traces(compiled: &Compiled) -> Vec<(usize, usize, u64)> {
    let probes = compiled.network.probes().values();
    let trace = |probe: &crate::network::ValidProbe| {
        probe.variable.map(|variable| (probe.population, variable, probe.interval))
    };
    probes.filter_map(trace).collect()
}

struct ClockEngine {
    compiled: Arc<Compiled>,
    parts: Vec<Part>,
    /// Whether threads pay.
    pace: Pace,
    load: Load,
    /// Steps between exchanges of spikes: the shortest delay.
    epoch: u64,
    /// Stimuli as given last; they act from the next reset on.
    given: Stimuli,
    /// Stimuli that act.
    stimuli: Stimuli,
    traces: Vec<(usize, usize, u64)>,
    instructions: Instructions,
    recorded: Vec<bool>,
    recording: Recording,
    seed: u64,
    /// Steps done.
    step: u64,
}

impl ClockEngine {
    fn new(compiled: Arc<Compiled>, config: EngineConfig) -> ClockEngine {
        let connectome = &compiled.connectome;
        let delays =
            || connectome.fanouts().iter().flat_map(|f| f.delays().distinct().iter().copied());
        let epoch = epoch_of(delays().min());
        let epoch = epoch.min(longest_window(&compiled).map_or(epoch, u64::from));
        let history_length = u64::from(delays().max().unwrap_or(1)) + epoch;
        let threads = (config.threads as u32).clamp(1, connectome.neuron_count().max(1));
        let parts =
            (0..threads).map(|part| Part::new(&compiled, (part, threads), epoch, history_length));
        let mut engine = ClockEngine {
            parts: parts.collect(),
            pace: Pace::default(),
            load: Load::new(&compiled),
            epoch,
            given: Stimuli::new(&compiled.network),
            stimuli: Stimuli::new(&compiled.network),
            traces: traces(&compiled),
            instructions: config.instructions,
            recorded: compiled.recorded(),
            recording: compiled.recording(),
            seed: compiled.network.seed(),
            step: 0,
            compiled,
        };
        engine.restart();
        engine
    }

    fn restart(&mut self) {
        self.rewind(None);
    }

    /// Back to time zero; weights stay as they are at `keep_weights`, if it is given.
    fn rewind(&mut self, keep_weights: Option<Time>) {
        self.stimuli.restart(&self.given, &self.compiled.network, self.seed);
        self.step = 0;
        self.recording = self.compiled.recording();
        self.parts.iter_mut().for_each(|part| part.restart(&self.stimuli, keep_weights));
        for population in 0..self.compiled.network.populations().len() {
            let current = self.stimuli.current_after(&self.compiled, population, 0);
            self.parts.iter_mut().for_each(|part| part.set_current(population, &current));
        }
    }

    /// Runs up to step `end`; the observer may stop it before.
    fn run_to(&mut self, end: u64, observer: Observer<'_>) {
        let mut go_on = true;
        while go_on && self.step < end {
            let (all, steps) = match self.parts.len() {
                1 => (false, end),
                _ => self.pace.next(self.epoch),
            };
            let (from, begin) = (self.step, Instant::now());
            let before = self.load.total();
            self.advance(all, end.min(from.saturating_add(steps)), &mut |now| {
                go_on = observer(now);
                go_on
            });
            let load = self.load.total() - before;
            self.pace.took(all, self.step - from, load, begin.elapsed());
        }
        self.recording.duration = self.now();
        self.join_samples();
    }

    /// Runs up to step `end`, in this thread or with `all`; the observer may stop it before.
    fn advance(&mut self, all: bool, end: u64, observer: Observer<'_>) {
        let compiled = &*self.compiled;
        let stimuli = &self.stimuli;
        let of = |population| {
            stimuli.drives(population).map(|(seed, drive)| NarrowDrive::new(seed, drive)).collect()
        };
        let drives: Vec<Vec<NarrowDrive<'_>>> =
            (0..compiled.network.populations().len()).map(of).collect();
        let course = Course {
            context: Context {
                compiled,
                stimuli,
                drives: &drives,
                traces: &self.traces,
                instructions: self.instructions,
            },
            epoch: self.epoch,
            from: self.step,
            end,
        };
        let mut recorder = Recorder {
            compiled,
            recorded: &self.recorded,
            recording: &mut self.recording,
            load: &mut self.load,
        };
        self.step = match self.parts.split_first_mut() {
            Some((first, others)) if all => {
                run_together(&course, first, others, &mut recorder, observer)
            }
            _ => run_alone(&course, &mut self.parts, &mut recorder, observer),
        };
    }

    /// Puts the samples of all parts together.
    fn join_samples(&mut self) {
        let grid = self.compiled.network.grid();
        let mut samples: Vec<Sample> =
            self.parts.iter_mut().flat_map(|part| part.samples.drain(..)).collect();
        samples.sort_by_key(|sample| (sample.step, sample.trace, sample.first));
        for sample in samples {
            let trace = &mut self.recording.traces[sample.trace];
            if sample.first == 0 {
                trace.times.push(grid.time_of(sample.step));
            }
            trace.values.extend(sample.values);
        }
    }
}

impl Engine for ClockEngine {
    fn now(&self) -> Time {
        self.compiled.network.grid().time_of(self.step)
    }

    fn run(&mut self, span: Time, observer: Observer<'_>) -> Result<(), EngineError> {
        let grid = self.compiled.network.grid();
        let dt = grid.step();
        let steps =
            grid.steps_in(grid.nearest(span)).ok_or(EngineError::SpanOffGrid { span, dt })?;
        let end = self.step.saturating_add(steps);
        let mut go_on = true;
        while go_on && self.step < end {
            let begin = self.step;
            let until = next_sample(&self.compiled, begin).unwrap_or(end).min(end);
            self.run_to(until, &mut |now| {
                go_on = observer(now);
                go_on
            });
            if self.step == until {
                for (trace, projection) in due(&self.compiled, until) {
                    let trace = &mut self.recording.weights[trace];
                    sample(trace, grid.time_of(until), plastic(&mut self.parts, projection));
                }
            }
            if self.step == begin {
                break;
            }
        }
        match go_on {
            true => Ok(()),
            false => Err(EngineError::Stopped { at: self.now() }),
        }
    }

    fn recording(&self) -> &Recording {
        &self.recording
    }

    fn variable(&self, population: usize, variable: usize) -> Vec<f64> {
        let mut values = Vec::new();
        self.parts.iter().for_each(|part| part.variable(population, variable, &mut values));
        values.sort_by_key(|(first, _)| *first);
        values.into_iter().flat_map(|(_, own)| own).collect()
    }

    fn weights(&self, projection: usize) -> Option<Vec<(u32, u32, u32, f64)>> {
        let mut weights = Vec::new();
        self.parts.iter().for_each(|part| part.weights(projection, &mut weights));
        weights.sort_by_key(|&(source, delay, target, _)| (source, delay, target));
        let rules = &self.compiled.network.projections()[projection].rules;
        (!rules.is_empty()).then_some(weights)
    }

    fn set_current(&mut self, stimulus: usize, amplitude: &[f64]) -> Result<(), EngineError> {
        self.given.set_current(&self.compiled, stimulus, amplitude)
    }

    fn set_probability(&mut self, stimulus: usize, probability: &[f64]) -> Result<(), EngineError> {
        self.given.set_probability(&self.compiled, stimulus, probability)
    }

    fn set_spikes(&mut self, stimulus: usize, spikes: &[(Time, u32)]) -> Result<(), EngineError> {
        self.given.set_spikes(&self.compiled, stimulus, spikes)
    }

    fn reset(&mut self, seed: u64) {
        self.seed = seed;
        self.restart();
    }

    fn reset_state(&mut self, seed: u64) {
        let now = self.now();
        self.seed = seed;
        self.rewind(Some(now));
    }

    fn checkpoint(&mut self) -> Checkpoint {
        self.save()
    }

    fn restore(&mut self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        self.load(checkpoint)
    }

    fn take_recorded(&mut self) -> Recording {
        self.recording.take()
    }
}
