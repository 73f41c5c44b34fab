//! The event-driven engine: spikes and threshold crossings in integer time, bound to no grid.
//!
//! Nothing acts earlier than the shortest delay after it was sent, so time is cut into windows of
//! that length: all input of a window is known when it begins. Deliveries (one entry for a spike and
//! all its synapses of one projection and delay) wait in a calendar; a window's are sorted by time
//! and handed to the neurons, which advance from input to input and find the crossings between by
//! themselves. Windows in which nothing happens are skipped. Where windows are cut does not change
//! a bit: a neuron is advanced at the times of its own inputs and spikes only.
//!
//! Neurons are divided into parts of consecutive global indices, one a thread.

mod calendar;
mod checkpoint;
mod cuts;
mod part;
mod rows;
mod trains;

use super::plastic::{PlasticSynapses, longest_window};
use super::source::{Stimuli, poisson_spikes};
use super::weights::{due, next_sample, sample};
use super::{Compiled, Engine, EngineConfig, EngineError, Observer, check_threads};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::connectome::Message;
use crate::network::ValidStimulus;
use crate::neuron::{ModelTime, Sent};
use crate::recording::{Recording, Spike};
use crate::time::Time;
use calendar::{Arrives, Calendar};
use part::{Drives, Part};
use std::sync::Arc;

/// A spike on its way to its targets in one projection; ordered by time, then as the engines sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Delivery {
    time: Time,
    fanout: u32,
    delay: u32,
    source: u32,
    message: Message,
    /// When the spike was sent.
    emitted: Time,
}

impl Arrives for Delivery {
    fn time(&self) -> Time {
        self.time
    }
}

/// Windows of networks without synapses [fs]: how often the observer is asked.
const LONGEST_WINDOW: Time = Time(100_000_000_000_000);

/// Synaptic events in a window below which other threads are not worth waking.
const WORTH_THREADS: u64 = 4096;

/// Starts the engine; see [`super::Start`].
pub(super) fn start(
    compiled: Arc<Compiled>,
    config: EngineConfig,
) -> Result<Box<dyn Engine>, EngineError> {
    check_threads(config.threads)?;
    let pool = match config.threads {
        1 => None,
        threads => {
            // The thread that asks for the run is the first.
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads - 1).build();
            Some(pool.map_err(|error| EngineError::NoThreads { reason: error.to_string() })?)
        }
    };
    let neurons = compiled.connectome.neuron_count();
    let threads = (config.threads as u32).clamp(1, neurons.max(1));
    let bound = |part: u32| (u64::from(neurons) * u64::from(part) / u64::from(threads)) as u32;
    let parts = (0..threads)
        .map(|part| Part::new(&compiled, bound(part)..bound(part + 1)))
        .collect::<Result<Vec<Part>, _>>()
        .map_err(|(index, reason)| not_event_driven(&compiled, index, reason))?;
    let delays = || compiled.connectome.fanouts().iter().flat_map(|f| f.delays().distinct());
    let windows = longest_window(&compiled);
    let shortest = delays().copied().chain(windows).min().map(u64::from);
    // On the grid, as steps of Poisson input lie in one window each.
    let longest = (LONGEST_WINDOW.0 / compiled.network.grid().step().0).max(1) as u64;
    let window = compiled.network.grid().time_of(shortest.unwrap_or(longest));
    let populations = compiled.network.populations().len();
    let mut outgoing = vec![Vec::new(); populations];
    for (index, fanout) in compiled.connectome.fanouts().iter().enumerate() {
        outgoing[fanout.source_population()].push(index as u32);
    }
    let mut engine = EventEngine {
        parts,
        pool,
        calendar: Calendar::new(window),
        due: Vec::new(),
        sent: Vec::new(),
        outgoing,
        running: vec![0; neurons as usize],
        given: Stimuli::new(&compiled.network),
        stimuli: Stimuli::new(&compiled.network),
        recorded: compiled.recorded(),
        recording: compiled.recording(),
        seed: compiled.network.seed(),
        list_positions: vec![0; compiled.network.stimuli().len()],
        now: Time::ZERO,
        compiled,
    };
    engine.restart();
    Ok(Box::new(engine))
}

fn not_event_driven(compiled: &Compiled, index: usize, reason: String) -> EngineError {
    let (name, model) = match compiled.network.populations().get_index(index) {
        Some((name, population)) => (name.clone(), population.model.spec().name),
        None => (String::new(), ""),
    };
    EngineError::NotEventDriven { population: name, model, reason }
}

struct EventEngine {
    compiled: Arc<Compiled>,
    parts: Vec<Part>,
    pool: Option<rayon::ThreadPool>,
    calendar: Calendar<Delivery>,
    /// Deliveries of the present window.
    due: Vec<Delivery>,
    /// Spikes of the present window: (time, global index, payload).
    sent: Vec<Sent>,
    /// Projections that leave each population.
    outgoing: Vec<Vec<u32>>,
    /// Sum of the payloads that each neuron has sent.
    running: Vec<i32>,
    /// Stimuli as given last; they act from the next reset on.
    given: Stimuli,
    /// Stimuli that act.
    stimuli: Stimuli,
    recorded: Vec<bool>,
    recording: Recording,
    seed: u64,
    /// Next entry of each spike list.
    list_positions: Vec<usize>,
    now: Time,
}

impl EventEngine {
    fn restart(&mut self) {
        self.rewind(Part::reset);
    }

    /// Back to time zero; `reset` brings a part to its beginning.
    fn rewind(&mut self, reset: impl FnMut(&mut Part)) {
        self.stimuli.restart(&self.given, &self.compiled.network, self.seed);
        self.now = Time::ZERO;
        self.list_positions.fill(0);
        self.running.fill(0);
        self.calendar.clear();
        self.recording = self.compiled.recording();
        self.parts.iter_mut().for_each(reset);
        for population in 0..self.compiled.network.populations().len() {
            self.change_current(population, 0);
        }
        self.foretell();
    }

    /// Foretells the crossings of neurons that were touched outside of a window.
    fn foretell(&mut self) {
        self.due.clear();
        self.advance_parts(self.now);
    }

    /// When something happens next, at which time that must be simulated; `None`: never.
    fn next_time(&mut self) -> Option<Time> {
        let crossing = self.parts.iter_mut().filter_map(Part::next_crossing).min();
        let grid = self.compiled.network.grid();
        let mut next = [crossing, self.calendar.next_time(), self.next_pause()]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(Time::NEVER);
        for (index, stimulus) in self.stimuli.entries().iter().enumerate() {
            match stimulus {
                ValidStimulus::SpikeList { spikes, .. } => {
                    if let Some(&(time, _)) = spikes.get(self.list_positions[index]) {
                        next = next.min(time);
                    }
                }
                ValidStimulus::Poisson { .. } => {
                    next = next.min(grid.time_of(self.step_after(self.now)));
                }
                ValidStimulus::Train { .. } => {
                    next = next.min(self.stimuli.next_of_train(index).unwrap_or(Time::NEVER));
                }
                ValidStimulus::ConstantCurrent { .. }
                | ValidStimulus::VaryingCurrent { .. }
                | ValidStimulus::Drive { .. } => {}
            }
        }
        let before = self.step_after(self.now) - 1;
        if let Some(step) = self.stimuli.next_drive(before) {
            next = next.min(grid.time_of(step));
        }
        (next < Time::NEVER).then_some(next)
    }

    /// The first step that ends after `time`.
    fn step_after(&self, time: Time) -> u64 {
        self.compiled.network.grid().step_at(time.saturating_add(Time(1)))
    }

    /// The next time at which a sample is taken or a current changes: a window ends there.
    fn next_pause(&self) -> Option<Time> {
        let grid = self.compiled.network.grid();
        let step = self.step_after(self.now);
        let traces = self.compiled.network.probes().values().filter(|p| p.variable.is_some());
        let sample = traces.map(|probe| step.next_multiple_of(probe.interval)).min();
        let change = self.stimuli.next_change(step - 1);
        let plastic = self.parts.iter().flat_map(|part| part.plastic.iter().flatten());
        let homeostasis = plastic.filter_map(|synapses| synapses.next_homeostasis(step - 1)).min();
        let weights = next_sample(&self.compiled, step - 1);
        [sample, change, homeostasis, weights]
            .into_iter()
            .flatten()
            .min()
            .map(|step| grid.time_of(step))
    }

    /// Everything that happens up to and including `until`, which lies in the present window.
    fn run_window(&mut self, until: Time) {
        self.calendar.take(until, &mut self.due);
        self.sent.clear();
        self.source_spikes(until);
        self.advance_parts(until);
        for part in &mut self.parts {
            self.sent.append(&mut part.spikes);
        }
        self.sent.sort_unstable();
        let sent = std::mem::take(&mut self.sent);
        self.tell_modulators(&sent);
        for &(time, neuron, payload) in &sent {
            self.send(time, neuron, payload);
        }
        self.sent = sent;
        self.now = until;
        self.pause();
    }

    /// Tells synapses of the spikes that modulate them.
    fn tell_modulators(&mut self, sent: &[Sent]) {
        let populations = self.compiled.network.populations();
        for synapses in self.parts.iter_mut().flat_map(|part| part.plastic.iter_mut().flatten()) {
            let Some(modulator) = synapses.modulator else {
                continue;
            };
            let range = populations[modulator].range();
            for &(time, _, _) in sent.iter().filter(|spike| range.contains(&spike.1)) {
                synapses.modulator_spike(time);
            }
        }
    }

    /// Delivers what is due and advances all neurons to `until`.
    fn advance_parts(&mut self, until: Time) {
        let (compiled, due) = (&*self.compiled, &self.due);
        let steps = self.step_after(self.now)..self.step_after(until);
        let drives = Drives { stimuli: &self.stimuli, steps };
        let advance = |part: &mut Part| part.run_window(compiled, due, &drives, until);
        let events = || {
            let fanouts = compiled.connectome.fanouts();
            let row = |d: &Delivery| fanouts[d.fanout as usize].row_length(d.source);
            due.iter().map(row).sum::<u64>()
        };
        match (&self.pool, self.parts.split_first_mut()) {
            (Some(pool), Some((first, others))) if events() >= WORTH_THREADS => {
                pool.in_place_scope(|scope| {
                    let advance = &advance;
                    others.iter_mut().for_each(|part| scope.spawn(move |_| advance(part)));
                    advance(first);
                });
            }
            _ => self.parts.iter_mut().for_each(advance),
        }
    }

    /// Records a spike and puts its deliveries into the calendar.
    fn send(&mut self, time: Time, neuron: u32, payload: i32) {
        let compiled = self.compiled.clone();
        let grid = compiled.network.grid();
        let ranges = compiled.connectome.populations();
        let population = ranges.partition_point(|range| range.end <= neuron);
        let source = neuron - ranges[population].start;
        let running = &mut self.running[neuron as usize];
        *running = running.wrapping_add(payload);
        let message = Message { payload, running: *running };
        self.recording.counters.add(population, compiled.out_degree(neuron), payload);
        if self.recorded[population] {
            self.recording.push_spike(Spike { time, neuron }, payload);
        }
        for &fanout in &self.outgoing[population] {
            let synapses = &compiled.connectome.fanouts()[fanout as usize];
            let target = &compiled.network.populations()[synapses.target_population()];
            let stepwise = target.model.spec().time == ModelTime::Stepwise;
            for delay in synapses.delays_of(source) {
                let mut arrival = time.saturating_add(grid.time_of(u64::from(delay)));
                if stepwise {
                    // Stepwise models see input at the end of the step that it falls in.
                    arrival = grid.time_of(grid.step_at(arrival));
                }
                let (time, emitted) = (arrival, time);
                self.calendar.push(Delivery { time, fanout, delay, source, message, emitted });
            }
        }
    }

    /// The spikes that stimuli send after now and not later than `until`.
    fn source_spikes(&mut self, until: Time) {
        let network = &self.compiled.network;
        let steps = self.step_after(self.now)..self.step_after(until);
        let mut trains = Vec::new();
        for (index, stimulus) in self.stimuli.entries().iter().enumerate() {
            let first = network.populations()[stimulus.population()].first;
            let seed = self.stimuli.seed(index);
            match stimulus {
                ValidStimulus::SpikeList { spikes, .. } => {
                    let position = &mut self.list_positions[index];
                    while let Some(&(time, neuron)) =
                        spikes.get(*position).filter(|(time, _)| *time <= until)
                    {
                        self.sent.push((time, first + neuron, 1));
                        *position += 1;
                    }
                }
                ValidStimulus::Poisson { population, probability } => {
                    for step in steps.clone() {
                        let time = network.grid().time_of(step);
                        for neuron in 0..network.populations()[*population].size() {
                            let p = probability.get(neuron as usize);
                            if poisson_spikes(seed, neuron, step, p) {
                                self.sent.push((time, first + neuron, 1));
                            }
                        }
                    }
                }
                ValidStimulus::Train { .. } => trains.push((index, first)),
                ValidStimulus::ConstantCurrent { .. }
                | ValidStimulus::VaryingCurrent { .. }
                | ValidStimulus::Drive { .. } => {}
            }
        }
        for (index, first) in trains {
            let mut sent = Vec::new();
            self.stimuli.take_train(index, until, &mut sent);
            self.sent.extend(sent.into_iter().map(|(time, neuron)| (time, first + neuron, 1)));
        }
        // Several stimuli may drive one source; it still spikes at most once at a time.
        self.sent.sort_unstable();
        self.sent.dedup();
    }

    /// Takes the samples that are due now, then changes the currents that change now.
    fn pause(&mut self) {
        let compiled = self.compiled.clone();
        let Some(step) = compiled.network.grid().steps_in(self.now) else {
            return;
        };
        let plastic = self.parts.iter_mut().flat_map(|part| part.plastic.iter_mut().flatten());
        plastic.for_each(|synapses| synapses.pause(step));
        for (trace, projection) in due(&compiled, step) {
            let trace = &mut self.recording.weights[trace];
            sample(trace, self.now, checkpoint::plastic(&mut self.parts, projection));
        }
        let traces = compiled.network.probes().values().filter_map(|probe| {
            probe.variable.map(|variable| (probe.population, variable, probe.interval))
        });
        for (trace, (population, variable, interval)) in traces.enumerate() {
            if step.is_multiple_of(interval) {
                let values = self.variable(population, variable);
                let trace = &mut self.recording.traces[trace];
                trace.times.push(self.now);
                trace.values.extend(values);
            }
        }
        for population in self.stimuli.changed_at(step) {
            self.change_current(population, step);
        }
        self.foretell();
    }

    /// Sets the current that acts after step `step`, which ends now.
    fn change_current(&mut self, population: usize, step: u64) {
        if self.compiled.network.populations()[population].model.spec().current.is_none() {
            return;
        }
        let current = self.stimuli.current_after(&self.compiled, population, step);
        for piece in self.parts.iter_mut().filter_map(|part| part.piece_of(population)) {
            for (neuron, index) in piece.range.clone().enumerate() {
                piece.neurons.set_current(neuron, self.now, current[index as usize]);
                piece.inbox.touch(neuron as u32);
            }
        }
    }
}

impl Engine for EventEngine {
    fn now(&self) -> Time {
        self.now
    }

    fn run(&mut self, span: Time, observer: Observer<'_>) -> Result<(), EngineError> {
        let grid = self.compiled.network.grid();
        let dt = grid.step();
        let span = grid.nearest(span);
        let end = self.now.saturating_add(span);
        grid.steps_in(span).ok_or(EngineError::SpanOffGrid { span, dt })?;
        while let Some(next) = self.next_time().filter(|&next| next <= end) {
            let pause = self.next_pause().unwrap_or(end);
            let until = end.min(pause).min(self.calendar.end_of_window(next));
            self.run_window(until);
            self.recording.duration = until;
            if !observer(until) {
                return Err(EngineError::Stopped { at: until });
            }
        }
        self.now = end;
        self.recording.duration = end;
        Ok(())
    }

    fn recording(&self) -> &Recording {
        &self.recording
    }

    fn variable(&self, population: usize, variable: usize) -> Vec<f64> {
        let pieces = self.parts.iter().flat_map(|part| &part.pieces);
        pieces
            .filter(|piece| piece.population == population)
            .flat_map(|piece| {
                let value = |neuron| piece.neurons.variable(variable, neuron, self.now);
                (0..piece.range.len()).map(value)
            })
            .collect()
    }

    fn weights(&self, projection: usize) -> Option<Vec<(u32, u32, u32, f64)>> {
        let parts = self.parts.iter().filter_map(|part| part.plastic.get(projection)?.as_ref());
        let mut weights: Vec<_> = parts.flat_map(PlasticSynapses::weights).collect();
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
        let now = self.now;
        self.seed = seed;
        self.rewind(|part| part.reset_state(now));
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
