//! The clock-driven engine: every neuron in every step of the grid.
//!
//! Neurons are divided into parts, one a thread. A part owns the state and the inputs of its neurons:
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
mod crew;
mod deliver;
mod history;
mod part;
mod wide;

use super::drives::NarrowDrive;
use super::plastic::longest_window;
use super::source::Stimuli;
use super::weights::{due, next_sample, sample};
use super::{Compiled, Engine, EngineConfig, EngineError, Observer, check_threads};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::network::ValidStimulus;
use crate::recording::{Recording, Spike};
use crate::time::Time;
use checkpoint::plastic;
use crew::Meeting;
use kernels::Instructions;
use part::{Context, Outgoing, Part, Sample};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// Steps of an epoch where there are no synapses.
const UNCONNECTED_EPOCH: u64 = 32;

/// Longest epoch: what is sent in it is kept until its end.
const LONGEST_EPOCH: u64 = 256;

/// Starts the engine; see [`super::Start`].
pub(super) fn start(
    compiled: Arc<Compiled>,
    config: EngineConfig,
) -> Result<Box<dyn Engine>, EngineError> {
    check_threads(config.threads)?;
    check_grid(&compiled)?;
    let connectome = &compiled.connectome;
    let delays = || connectome.fanouts().iter().flat_map(|f| f.delays().distinct().iter().copied());
    let epoch = delays().min().map_or(UNCONNECTED_EPOCH, u64::from).min(LONGEST_EPOCH);
    let epoch = epoch.min(longest_window(&compiled).map_or(epoch, u64::from));
    let history_length = u64::from(delays().max().unwrap_or(1)) + epoch;
    let threads = (config.threads as u32).clamp(1, connectome.neuron_count().max(1));
    let parts =
        (0..threads).map(|part| Part::new(&compiled, (part, threads), epoch, history_length));
    let mut engine = ClockEngine {
        parts: parts.collect(),
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
    Ok(Box::new(engine))
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

/// Writes spikes into the recording.
struct Recorder<'a> {
    compiled: &'a Compiled,
    recorded: &'a [bool],
    recording: &'a mut Recording,
}

impl Recorder<'_> {
    /// Records what the parts sent in an epoch, by (step, population, part).
    fn record(&mut self, from: u64, steps: u64, sent: &[&Outgoing]) {
        let populations = self.compiled.network.populations();
        for offset in 0..steps as usize {
            let time = self.compiled.network.grid().time_of(from + 1 + offset as u64);
            for (index, population) in populations.values().enumerate() {
                for spikes in sent.iter().map(|sent| &sent[offset][index]) {
                    if spikes.neurons.is_empty() {
                        continue;
                    }
                    let degrees = self.compiled.out_degrees(population.range());
                    let reached = spikes.neurons.iter().map(|&n| degrees[n as usize]);
                    self.recording.counters.add_all(index, reached, &spikes.payloads);
                    if !self.recorded[index] {
                        continue;
                    }
                    for (place, &neuron) in spikes.neurons.iter().enumerate() {
                        let neuron = population.first + neuron;
                        let payload = spikes.payloads.get(place).copied().unwrap_or(1);
                        self.recording.push_spike(Spike { time, neuron }, payload);
                    }
                }
            }
        }
    }
}

/// Puts what all parts sent in an epoch into a part's history.
fn receive(part: &mut Part, compiled: &Compiled, from: u64, steps: u64, sent: &[&Outgoing]) {
    for offset in 0..steps as usize {
        let step = from + 1 + offset as u64;
        part.history.begin(step);
        for sent in sent {
            for (population, spikes) in sent[offset].iter().enumerate() {
                if !spikes.neurons.is_empty() {
                    part.history.add(step, population, spikes);
                }
            }
        }
        part.launch(compiled, step, from + steps);
    }
}

/// The course of a run: which steps, what changes when.
struct Course<'a> {
    context: Context<'a>,
    epoch: u64,
    from: u64,
    end: u64,
}

impl Course<'_> {
    /// Advances a part from epoch to epoch; `exchange` makes the spikes of all parts known to it and
    /// says whether to go on. Gives the step reached.
    fn advance(
        &self,
        part: &mut Part,
        mut exchange: impl FnMut(&mut Part, u64, u64) -> bool,
    ) -> u64 {
        let mut step = self.from;
        let stimuli = self.context.stimuli;
        while step < self.end {
            let steps = self.epoch.min(self.end - step);
            part.run_epoch(&self.context, step, steps);
            let go_on = exchange(part, step, steps);
            step += steps;
            for population in stimuli.changed_at(step) {
                let current = stimuli.current_after(self.context.compiled, population, step);
                part.set_current(population, &current);
            }
            if !go_on {
                break;
            }
        }
        step
    }
}

impl ClockEngine {
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
        let mut recorder =
            Recorder { compiled, recorded: &self.recorded, recording: &mut self.recording };
        let Some((first, others)) = self.parts.split_first_mut() else {
            return;
        };
        let grid = compiled.network.grid();
        self.step = if others.is_empty() {
            course.advance(first, |part, from, steps| {
                let outgoing = std::mem::take(&mut part.outgoing);
                receive(part, compiled, from, steps, &[&outgoing]);
                recorder.record(from, steps, &[&outgoing]);
                part.outgoing = outgoing;
                observer(grid.time_of(from + steps))
            })
        } else {
            run_together(&course, first, others, &mut recorder, observer)
        };
        self.recording.duration = grid.time_of(self.step);
        self.join_samples();
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

/// Runs all parts, each in a thread of its own, the first in this one, which also records. What a
/// part sends in one epoch lies in a place of its own until the epoch after the next.
fn run_together(
    course: &Course<'_>,
    first: &mut Part,
    others: &mut [Part],
    recorder: &mut Recorder<'_>,
    observer: Observer<'_>,
) -> u64 {
    let threads = others.len() + 1;
    let meeting = Meeting::new(threads);
    // One for even epochs and one for odd ones, so that none is overwritten before all have read it.
    let stop = [AtomicBool::new(false), AtomicBool::new(false)];
    let place = || (0..threads).map(|_| RwLock::new(Outgoing::new())).collect::<Vec<_>>();
    let places = [place(), place()];
    let exchange = |part: &mut Part, number: usize, epoch: &mut usize, from: u64, steps: u64| {
        let places = &places[*epoch % 2];
        *epoch += 1;
        {
            let mut own = places[number].write().unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut *own, &mut part.outgoing);
        }
        let round = meeting.arrive();
        // Most of the next step's work needs nothing from the others: threads that are not equally
        // fast seldom wait.
        part.land(course.context.compiled, from + steps + 1);
        let together = meeting.wait(round);
        let guards: Vec<_> =
            places.iter().map(|p| p.read().unwrap_or_else(PoisonError::into_inner)).collect();
        let sent: Vec<&Outgoing> = guards.iter().map(|guard| &**guard).collect();
        receive(part, course.context.compiled, from, steps, &sent);
        together
    };
    std::thread::scope(|scope| {
        for (number, part) in (1..).zip(others) {
            let (exchange, meeting, stop) = (&exchange, &meeting, &stop);
            scope.spawn(move || {
                let attendance = meeting.attend();
                let mut epoch = 0;
                course.advance(part, |part, from, steps| {
                    exchange(part, number, &mut epoch, from, steps)
                        && !stop[(epoch + 1) % 2].load(Ordering::Acquire)
                });
                attendance.leave();
            });
        }
        let attendance = meeting.attend();
        let mut epoch = 0;
        let grid = course.context.compiled.network.grid();
        let reached = course.advance(first, |part, from, steps| {
            // Asked before the meeting, so that all threads know the answer after it.
            let go_on = observer(grid.time_of(from + steps));
            stop[epoch % 2].store(!go_on, Ordering::Release);
            let together = exchange(part, 0, &mut epoch, from, steps);
            let places = &places[(epoch + 1) % 2];
            let guards: Vec<_> =
                places.iter().map(|p| p.read().unwrap_or_else(PoisonError::into_inner)).collect();
            let sent: Vec<&Outgoing> = guards.iter().map(|guard| &**guard).collect();
            recorder.record(from, steps, &sent);
            go_on && together
        });
        attendance.leave();
        reached
    })
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
