//! The event-driven engine: a queue of spikes and threshold crossings in integer time.
//!
//! One entry in the queue stands for a spike and all its synapses of one projection and delay. All
//! deliveries of one time are gathered before any neuron is touched; then the neurons concerned are
//! advanced from their own last event to now, in ascending order, and their next crossing is
//! foretold. A foretold crossing is void when the neuron was touched in the meantime.

mod queue;

use super::source::{Stimuli, poisson_spikes};
use super::{Compiled, Engine, EngineConfig, EngineError, Observer, check_threads};
use crate::connectome::Message;
use crate::network::ValidStimulus;
use crate::neuron::{Combine, EventNeurons, ModelTime};
use crate::recording::{Recording, Spike};
use crate::time::Time;
use queue::Queue;
use std::sync::Arc;

/// Starts the engine; see [`super::Start`].
pub(super) fn start(
    compiled: Arc<Compiled>,
    config: EngineConfig,
) -> Result<Box<dyn Engine>, EngineError> {
    check_threads(config.threads)?;
    let mut populations = Vec::new();
    for (name, population) in compiled.network.populations() {
        let spec = population.model.spec();
        let neurons = population.model.event(&population.neurons).map_err(|reason| {
            EngineError::NotEventDriven { population: name.clone(), model: spec.name, reason }
        })?;
        let size = population.neurons.size;
        let receptors = spec.receptors.len();
        populations.push(Members {
            first: population.first,
            neurons,
            stepwise: spec.time == ModelTime::Stepwise,
            receptors,
            inputs: vec![0.0; size * receptors],
            touched: vec![false; size],
            crossing: vec![false; size],
            version: vec![0; size],
            running: vec![0; size],
        });
    }
    let mut engine = EventEngine {
        populations,
        queue: Queue::new(),
        touched: Vec::new(),
        given: Stimuli::new(&compiled.network),
        stimuli: Stimuli::new(&compiled.network),
        recorded: compiled.recorded(),
        recording: compiled.recording(),
        seed: compiled.network.seed(),
        now: Time::ZERO,
        compiled,
    };
    engine.restart();
    Ok(Box::new(engine))
}

/// What happens at one time, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A spike reaches all targets of one projection and delay.
    Delivery { fanout: u32, delay: u32, source: u32, message: Message },
    /// A neuron (population, local index) reaches its threshold if it is still at this version.
    Crossing { population: u32, neuron: u32, version: u32 },
    /// The next spike of a spike list is due.
    ListSpike { stimulus: u32, position: u64 },
    /// A step of a Poisson stimulus is due.
    PoissonStep { stimulus: u32, step: u64 },
    /// The current into a population changes.
    CurrentChange { population: u32, step: u64 },
    /// A trace takes a sample.
    Sample { trace: u32 },
}

/// A population's neurons and what is about to happen to them.
struct Members {
    first: u32,
    /// `None` for sources.
    neurons: Option<Box<dyn EventNeurons>>,
    stepwise: bool,
    receptors: usize,
    /// Input gathered at the present time `[neuron, receptor]`.
    inputs: Vec<f64>,
    /// Whether a neuron is concerned at the present time.
    touched: Vec<bool>,
    /// Whether its foretold crossing is now.
    crossing: Vec<bool>,
    /// How often the neuron was touched; voids older crossings.
    version: Vec<u32>,
    /// Sum of the payloads sent so far.
    running: Vec<i32>,
}

struct EventEngine {
    compiled: Arc<Compiled>,
    populations: Vec<Members>,
    queue: Queue<Event>,
    /// (population, neuron) concerned at the present time.
    touched: Vec<(u32, u32)>,
    /// Stimuli as given last; they act from the next reset on.
    given: Stimuli,
    /// Stimuli that act.
    stimuli: Stimuli,
    recorded: Vec<bool>,
    recording: Recording,
    seed: u64,
    now: Time,
}

impl EventEngine {
    fn restart(&mut self) {
        self.stimuli.clone_from(&self.given);
        self.now = Time::ZERO;
        self.queue.clear();
        self.recording = self.compiled.recording();
        for members in &mut self.populations {
            members.running.fill(0);
            if let Some(neurons) = &mut members.neurons {
                neurons.reset();
            }
        }
        self.schedule_stimuli();
        for population in 0..self.populations.len() {
            self.change_current(population, 0, Time::ZERO);
        }
    }

    fn schedule(&mut self, time: Time, event: Event) {
        self.queue.push(time, event);
    }

    fn schedule_stimuli(&mut self) {
        let compiled = self.compiled.clone();
        let grid = compiled.network.grid();
        for index in 0..self.stimuli.entries().len() {
            let stimulus = index as u32;
            match &self.stimuli.entries()[index] {
                ValidStimulus::SpikeList { spikes, .. } => {
                    if let Some(&(time, _)) = spikes.first() {
                        self.schedule(time, Event::ListSpike { stimulus, position: 0 });
                    }
                }
                ValidStimulus::Poisson { .. } => {
                    self.schedule(grid.time_of(1), Event::PoissonStep { stimulus, step: 1 });
                }
                ValidStimulus::ConstantCurrent { .. } => {}
            }
        }
        for (step, population) in self.stimuli.changes() {
            let population = population as u32;
            if step > 0 {
                self.schedule(grid.time_of(step), Event::CurrentChange { population, step });
            }
        }
        let traces = compiled.network.probes().values().filter(|probe| probe.variable.is_some());
        for (trace, probe) in traces.enumerate() {
            let trace = trace as u32;
            self.schedule(grid.time_of(probe.interval), Event::Sample { trace });
        }
    }

    /// Handles everything that happens at the time of the queue's head.
    fn advance(&mut self, time: Time) {
        self.now = time;
        let mut sources: Vec<(u32, u32, i32)> = Vec::new();
        let mut late: Vec<Event> = Vec::new();
        // Handling a spike of a list may add another of the same time.
        while let Some(events) = self.queue.take(time) {
            for &event in &events {
                match event {
                    Event::Delivery { fanout, delay, source, message } => {
                        self.deliver(fanout, delay, source, message);
                    }
                    Event::Crossing { population, neuron, version } => {
                        let members = &mut self.populations[population as usize];
                        if members.version[neuron as usize] == version {
                            members.crossing[neuron as usize] = true;
                            touch(members, &mut self.touched, population, neuron);
                        }
                    }
                    Event::ListSpike { stimulus, position } => {
                        self.list_spike(stimulus, position, &mut sources);
                    }
                    Event::PoissonStep { stimulus, step } => {
                        self.poisson_step(stimulus, step, &mut sources);
                    }
                    Event::CurrentChange { .. } | Event::Sample { .. } => late.push(event),
                }
            }
            self.queue.give_back(events);
        }
        self.update_touched(time, sources);
        for event in late {
            match event {
                Event::CurrentChange { population, step } => {
                    self.change_current(population as usize, step, time);
                }
                Event::Sample { trace } => self.sample(trace, time),
                _ => {}
            }
        }
    }

    /// Gathers the input that a spike brings now.
    fn deliver(&mut self, fanout: u32, delay: u32, source: u32, message: Message) {
        let fanout = &self.compiled.connectome.fanouts()[fanout as usize];
        let population = fanout.target_population();
        let members = &mut self.populations[population];
        let (receptors, receptor) = (members.receptors, fanout.receptor());
        let largest = fanout.combine() == Combine::LargestRunningCount;
        let factor = message.factor(fanout.combine());
        let touched = &mut self.touched;
        fanout.for_each_with_delay(source, delay, |target, weight| {
            let slot = &mut members.inputs[target as usize * receptors + receptor];
            if largest {
                *slot = slot.max(weight * factor);
            } else {
                *slot += weight * factor;
            }
            touch_flag(&mut members.touched, touched, population as u32, target);
        });
    }

    /// Advances the neurons concerned, in ascending order, and sends their spikes.
    fn update_touched(&mut self, time: Time, mut spiking: Vec<(u32, u32, i32)>) {
        let mut touched = std::mem::take(&mut self.touched);
        touched.sort_unstable();
        for &(population, neuron) in &touched {
            let members = &mut self.populations[population as usize];
            let (index, receptors) = (neuron as usize, members.receptors);
            let inputs = &mut members.inputs[index * receptors..(index + 1) * receptors];
            let crossing = std::mem::take(&mut members.crossing[index]);
            members.touched[index] = false;
            let Some(neurons) = &mut members.neurons else {
                continue;
            };
            if let Some(payload) = neurons.receive(index, time, inputs, crossing) {
                spiking.push((population, neuron, payload));
            }
            inputs.fill(0.0);
            self.foretell(population, neuron);
        }
        touched.clear();
        self.touched = touched;
        spiking.sort_unstable();
        // Several stimuli may drive one source; it still spikes at most once at a time.
        spiking.dedup();
        for (population, neuron, payload) in spiking {
            self.send(population as usize, neuron, payload, time);
        }
    }

    /// Schedules the crossing that comes if nothing more arrives.
    fn foretell(&mut self, population: u32, neuron: u32) {
        let members = &mut self.populations[population as usize];
        let index = neuron as usize;
        members.version[index] = members.version[index].wrapping_add(1);
        let version = members.version[index];
        let next = members.neurons.as_ref().and_then(|neurons| neurons.next_spike(index));
        if let Some(time) = next {
            self.schedule(time, Event::Crossing { population, neuron, version });
        }
    }

    /// Records a spike and schedules its deliveries.
    fn send(&mut self, population: usize, neuron: u32, payload: i32, time: Time) {
        let compiled = self.compiled.clone();
        let grid = compiled.network.grid();
        let members = &mut self.populations[population];
        let global = members.first + neuron;
        let running = &mut members.running[neuron as usize];
        *running = running.wrapping_add(payload);
        let message = Message { payload, running: *running };
        self.recording.counters.spikes[population] += 1;
        self.recording.counters.synaptic_operations += compiled.out_degree(global);
        if self.recorded[population] {
            self.recording.push_spike(Spike { time, neuron: global }, payload);
        }
        for (index, fanout) in compiled.connectome.fanouts().iter().enumerate() {
            if fanout.source_population() != population {
                continue;
            }
            for &delay in fanout.delays().distinct() {
                let mut arrival = time.saturating_add(grid.time_of(u64::from(delay)));
                if self.populations[fanout.target_population()].stepwise {
                    // Stepwise models see input at the end of the step that it falls in.
                    arrival = grid.time_of(grid.step_at(arrival));
                }
                let (fanout, source) = (index as u32, neuron);
                self.schedule(arrival, Event::Delivery { fanout, delay, source, message });
            }
        }
    }

    fn list_spike(&mut self, stimulus: u32, position: u64, spiking: &mut Vec<(u32, u32, i32)>) {
        let entry = self.stimuli.entries().get(stimulus as usize);
        let Some(ValidStimulus::SpikeList { population, spikes }) = entry else { return };
        if let Some(&(_, neuron)) = spikes.get(position as usize) {
            spiking.push((*population as u32, neuron, 1));
        }
        let position = position + 1;
        if let Some(&(time, _)) = spikes.get(position as usize) {
            self.schedule(time, Event::ListSpike { stimulus, position });
        }
    }

    fn poisson_step(&mut self, stimulus: u32, step: u64, spiking: &mut Vec<(u32, u32, i32)>) {
        let entry = self.stimuli.entries().get(stimulus as usize);
        let Some(ValidStimulus::Poisson { population, probability }) = entry else { return };
        for neuron in 0..self.compiled.network.populations()[*population].size() {
            let p = probability.get(neuron as usize);
            if poisson_spikes(self.seed, stimulus as usize, neuron, step, p) {
                spiking.push((*population as u32, neuron, 1));
            }
        }
        let step = step + 1;
        let time = self.compiled.network.grid().time_of(step);
        self.schedule(time, Event::PoissonStep { stimulus, step });
    }

    fn change_current(&mut self, population: usize, step: u64, time: Time) {
        if self.compiled.network.populations()[population].model.spec().current.is_none() {
            return;
        }
        let current = self.stimuli.current_after(&self.compiled, population, step);
        for (neuron, current) in current.into_iter().enumerate() {
            if let Some(neurons) = &mut self.populations[population].neurons {
                neurons.set_current(neuron, time, current);
            }
            self.foretell(population as u32, neuron as u32);
        }
    }

    fn sample(&mut self, trace: u32, time: Time) {
        let compiled = self.compiled.clone();
        let mut probes = compiled.network.probes().values().filter(|p| p.variable.is_some());
        let Some(probe) = probes.nth(trace as usize) else {
            return;
        };
        let Some(variable) = probe.variable else {
            return;
        };
        let members = &self.populations[probe.population];
        let recorded = &mut self.recording.traces[trace as usize];
        if let Some(neurons) = &members.neurons {
            recorded.times.push(time);
            let size = members.version.len();
            let values = (0..size).map(|neuron| neurons.variable(variable, neuron, time));
            recorded.values.extend(values);
        }
        let grid = compiled.network.grid();
        let next = time.saturating_add(grid.time_of(probe.interval));
        self.schedule(next, Event::Sample { trace });
    }
}

fn touch(members: &mut Members, touched: &mut Vec<(u32, u32)>, population: u32, neuron: u32) {
    touch_flag(&mut members.touched, touched, population, neuron);
}

fn touch_flag(flags: &mut [bool], touched: &mut Vec<(u32, u32)>, population: u32, neuron: u32) {
    if !std::mem::replace(&mut flags[neuron as usize], true) {
        touched.push((population, neuron));
    }
}

impl Engine for EventEngine {
    fn now(&self) -> Time {
        self.now
    }

    fn run(&mut self, span: Time, observer: Observer<'_>) -> Result<(), EngineError> {
        let grid = self.compiled.network.grid();
        let dt = grid.step();
        let end = self.now.saturating_add(span);
        // A run that was stopped between grid points may be completed to one.
        let on_grid = grid.steps_in(span).or_else(|| grid.steps_in(end));
        on_grid.ok_or(EngineError::SpanOffGrid { span, dt })?;
        let mut told = self.now;
        while let Some(time) = self.queue.next_time().filter(|&time| time <= end) {
            self.advance(time);
            if time - told >= dt {
                told = time;
                self.recording.duration = time;
                if !observer(time) {
                    return Err(EngineError::Stopped { at: time });
                }
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
        let members = &self.populations[population];
        let Some(neurons) = &members.neurons else {
            return Vec::new();
        };
        let value = |neuron: usize| neurons.variable(variable, neuron, self.now);
        (0..members.version.len()).map(value).collect()
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
}
