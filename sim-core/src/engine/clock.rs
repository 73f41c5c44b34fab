//! The clock-driven engine: every neuron in every step of the grid.
//!
//! Neurons are divided into parts of consecutive global indices, one a thread. A part owns the
//! state and the inputs of its neurons: each target is written by one thread, in one order. As no
//! spike acts earlier than the shortest delay, parts run that many steps (an epoch) on their own;
//! then their spikes are joined, in the order of the neurons, and all parts see them.

use super::source::{Stimuli, poisson_spikes};
use super::{Compiled, Engine, EngineConfig, EngineError, Observer, check_threads};
use crate::connectome::{Arriving, Scratch};
use crate::network::ValidStimulus;
use crate::neuron::{ClockNeurons, Combine, Drive, Emitted};
use crate::recording::{Recording, Spike};
use crate::time::Time;
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Arc;

/// Starts the engine; see [`super::Start`].
pub(super) fn start(
    compiled: Arc<Compiled>,
    config: EngineConfig,
) -> Result<Box<dyn Engine>, EngineError> {
    check_threads(config.threads)?;
    check_grid(&compiled)?;
    let pool = match config.threads {
        1 => None,
        threads => {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            Some(pool.map_err(|error| EngineError::NoThreads { reason: error.to_string() })?)
        }
    };
    let neurons = compiled.connectome.neuron_count();
    let threads = (config.threads as u32).clamp(1, neurons.max(1));
    let bound = |part: u32| (u64::from(neurons) * u64::from(part) / u64::from(threads)) as u32;
    let parts = (0..threads).map(|part| Part::new(&compiled, bound(part)..bound(part + 1)));
    let delays = || compiled.connectome.fanouts().iter().flat_map(|f| f.delays().distinct());
    let epoch = u64::from(delays().copied().min().unwrap_or(1));
    let history_length = u64::from(delays().copied().max().unwrap_or(1)) + epoch;
    let mut engine = ClockEngine {
        parts: parts.collect(),
        pool,
        epoch,
        history: History::new(&compiled, history_length),
        given: Stimuli::new(&compiled.network),
        stimuli: Stimuli::new(&compiled.network),
        recorded: compiled.recorded(),
        recording: compiled.recording(),
        seed: compiled.network.seed(),
        step: 0,
        list_positions: vec![0; compiled.network.stimuli().len()],
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

/// The spikes of one population in one step, neurons local and ascending.
#[derive(Debug, Clone, Default)]
struct StepSpikes {
    neurons: Vec<u32>,
    /// Their payloads, of graded models only.
    payloads: Vec<i32>,
    /// Running sums of the payloads of these neurons, where a projection needs them.
    running: Vec<i32>,
}

impl StepSpikes {
    fn arriving(&self, delay: u32) -> Arriving<'_> {
        let StepSpikes { neurons, payloads, running } = self;
        Arriving { neurons, payloads, running, delay }
    }

    fn clear(&mut self) {
        self.neurons.clear();
        self.payloads.clear();
        self.running.clear();
    }
}

/// The spikes of the last steps, by step and population.
#[derive(Debug)]
struct History {
    steps: Vec<Vec<StepSpikes>>,
    /// Running sums of the payloads of all neurons of populations for which a projection needs
    /// them; else empty.
    running: Vec<Vec<i32>>,
}

impl History {
    fn new(compiled: &Compiled, length: u64) -> Self {
        let populations = compiled.network.populations();
        let fanouts = compiled.connectome.fanouts();
        let counted = |index: usize| {
            fanouts.iter().any(|fanout| {
                fanout.source_population() == index
                    && fanout.combine() == Combine::LargestRunningCount
            })
        };
        let size = |index: usize| {
            if counted(index) { populations[index].size() as usize } else { 0 }
        };
        History {
            steps: vec![vec![StepSpikes::default(); populations.len()]; length as usize],
            running: (0..populations.len()).map(|index| vec![0; size(index)]).collect(),
        }
    }

    fn at(&self, step: u64) -> &[StepSpikes] {
        &self.steps[(step % self.steps.len() as u64) as usize]
    }

    /// Puts the spikes of a step in the place of the oldest, counting them.
    fn store(&mut self, step: u64, population: usize, sent: &Emitted) {
        let slot = (step % self.steps.len() as u64) as usize;
        let spikes = &mut self.steps[slot][population];
        spikes.clear();
        spikes.neurons.extend_from_slice(&sent.neurons);
        spikes.payloads.extend_from_slice(&sent.payloads);
        let running = &mut self.running[population];
        if running.is_empty() {
            return;
        }
        for (index, &neuron) in sent.neurons.iter().enumerate() {
            let payload = sent.payloads.get(index).copied().unwrap_or(1);
            let sum = &mut running[neuron as usize];
            *sum = sum.wrapping_add(payload);
            spikes.running.push(*sum);
        }
    }

    fn clear(&mut self) {
        self.steps.iter_mut().flatten().for_each(StepSpikes::clear);
        self.running.iter_mut().for_each(|sums| sums.fill(0));
    }
}

/// The neurons of one population that one thread owns.
struct Piece {
    population: usize,
    /// Indices local to the population.
    range: Range<u32>,
    /// `None` for sources.
    neurons: Option<Box<dyn ClockNeurons>>,
    /// Input of the step, one vector a receptor.
    inputs: Vec<Vec<f64>>,
    current: Vec<f64>,
    /// Spikes of the epoch by step, local to the population.
    spikes: Vec<Emitted>,
    /// Samples of the epoch: (step, index of the trace, values).
    samples: Vec<(u64, usize, Vec<f64>)>,
}

/// What one thread owns.
struct Part {
    pieces: Vec<Piece>,
    /// Memory for sums on their way through a projection.
    scratch: Scratch,
}

impl Part {
    fn new(compiled: &Compiled, neurons: Range<u32>) -> Self {
        let mut pieces = Vec::new();
        for (index, population) in compiled.network.populations().values().enumerate() {
            let own = population.range();
            let (start, end) = (own.start.max(neurons.start), own.end.min(neurons.end));
            if start >= end {
                continue;
            }
            let range = start - own.start..end - own.start;
            let lowered = population.neurons.part(range.start as usize..range.end as usize);
            pieces.push(Piece {
                population: index,
                neurons: population.model.clock(&lowered),
                inputs: vec![vec![0.0; lowered.size]; population.model.spec().receptors.len()],
                current: vec![0.0; lowered.size],
                range,
                spikes: Vec::new(),
                samples: Vec::new(),
            });
        }
        Part { pieces, scratch: Scratch::default() }
    }

    /// Advances the part's neurons by `steps` steps after step `from`.
    fn run_epoch(
        &mut self,
        (compiled, stimuli): (&Compiled, &Stimuli),
        history: &History,
        from: u64,
        steps: u64,
    ) {
        let traced: Vec<(usize, usize, u64)> = traces(compiled).collect();
        for piece in &mut self.pieces {
            piece.spikes.resize(steps as usize, Emitted::default());
            piece.spikes.iter_mut().for_each(Emitted::clear);
            let Some(neurons) = &mut piece.neurons else {
                continue;
            };
            for offset in 0..steps {
                let step = from + 1 + offset;
                let (population, range) = (piece.population, &piece.range);
                arrive(
                    compiled,
                    history,
                    step,
                    (population, range),
                    &mut piece.inputs,
                    &mut self.scratch,
                );
                for (seed, drive) in stimuli.drives(population) {
                    let input = &mut piece.inputs[drive.receptor()];
                    drive.arrive(seed, step, range.clone(), |neuron, weight| {
                        input[(neuron - range.start) as usize] += weight;
                    });
                }
                let drive = Drive { inputs: &piece.inputs, current: &piece.current };
                let spikes = &mut piece.spikes[offset as usize];
                neurons.step(drive, spikes);
                let first = piece.range.start;
                spikes.neurons.iter_mut().for_each(|neuron| *neuron += first);
                for (trace, &(population, variable, interval)) in traced.iter().enumerate() {
                    if population == piece.population && step.is_multiple_of(interval) {
                        piece.samples.push((step, trace, neurons.variable(variable)));
                    }
                }
            }
        }
    }
}

/// (population, variable, interval) of each trace.
fn traces(compiled: &Compiled) -> impl Iterator<Item = (usize, usize, u64)> {
    compiled.network.probes().values().filter_map(|probe| {
        probe.variable.map(|variable| (probe.population, variable, probe.interval))
    })
}

/// Sets `inputs`, one a receptor, to what arrives in `step` at a piece of a population.
fn arrive(
    compiled: &Compiled,
    history: &History,
    step: u64,
    (population, range): (usize, &Range<u32>),
    inputs: &mut [Vec<f64>],
    scratch: &mut Scratch,
) {
    inputs.iter_mut().for_each(|input| input.fill(0.0));
    // A bit a receptor: whether something was added. All above the last share one.
    let mut filled = 0_u64;
    for fanout in compiled.connectome.fanouts() {
        if fanout.target_population() != population {
            continue;
        }
        let bit = 1 << fanout.receptor().min(63);
        let input = &mut inputs[fanout.receptor()];
        for &delay in fanout.delays().distinct() {
            let Some(sent) = step.checked_sub(u64::from(delay)).filter(|&sent| sent > 0) else {
                continue;
            };
            let spikes = history.at(sent)[fanout.source_population()].arriving(delay);
            if !spikes.neurons.is_empty() {
                fanout.deliver_all(spikes, range, input, filled & bit == 0, scratch);
                filled |= bit;
            }
        }
    }
}

struct ClockEngine {
    compiled: Arc<Compiled>,
    parts: Vec<Part>,
    pool: Option<rayon::ThreadPool>,
    /// Steps between exchanges of spikes: the shortest delay.
    epoch: u64,
    history: History,
    /// Stimuli as given last; they act from the next reset on.
    given: Stimuli,
    /// Stimuli that act.
    stimuli: Stimuli,
    recorded: Vec<bool>,
    recording: Recording,
    seed: u64,
    /// Steps done.
    step: u64,
    /// Next entry of each spike list.
    list_positions: Vec<usize>,
}

impl ClockEngine {
    fn restart(&mut self) {
        self.stimuli.restart(&self.given, &self.compiled.network, self.seed);
        self.step = 0;
        self.list_positions.fill(0);
        self.history.clear();
        self.recording = self.compiled.recording();
        for piece in self.parts.iter_mut().flat_map(|part| &mut part.pieces) {
            piece.samples.clear();
            if let Some(neurons) = &mut piece.neurons {
                neurons.reset();
            }
        }
        for population in 0..self.compiled.network.populations().len() {
            self.set_currents(population);
        }
    }

    /// Sets the current that acts after the present step.
    fn set_currents(&mut self, population: usize) {
        let current = self.stimuli.current_after(&self.compiled, population, self.step);
        for piece in self.parts.iter_mut().flat_map(|part| &mut part.pieces) {
            if piece.population == population {
                let range = piece.range.start as usize..piece.range.end as usize;
                piece.current.copy_from_slice(&current[range]);
            }
        }
    }

    /// Runs up to `steps` steps without an exchange.
    fn run_epoch(&mut self, steps: u64) {
        let (compiled, history, from) = (&*self.compiled, &self.history, self.step);
        let stimuli = &self.stimuli;
        let advance = |part: &mut Part| part.run_epoch((compiled, stimuli), history, from, steps);
        match &self.pool {
            None => self.parts.iter_mut().for_each(advance),
            Some(pool) => pool.install(|| self.parts.par_iter_mut().for_each(advance)),
        }
        self.exchange(steps);
        self.step += steps;
    }

    /// Joins the spikes and samples of the parts, step by step, and records them.
    fn exchange(&mut self, steps: u64) {
        let compiled = self.compiled.clone();
        let mut sent = Emitted::default();
        for offset in 0..steps {
            let step = self.step + 1 + offset;
            let time = compiled.network.grid().time_of(step);
            for (index, population) in compiled.network.populations().values().enumerate() {
                sent.clear();
                self.source_spikes(index, step, &mut sent.neurons);
                for piece in self.parts.iter().flat_map(|part| &part.pieces) {
                    if piece.population == index {
                        let spikes = &piece.spikes[offset as usize];
                        sent.neurons.extend_from_slice(&spikes.neurons);
                        sent.payloads.extend_from_slice(&spikes.payloads);
                    }
                }
                self.history.store(step, index, &sent);
                for (place, &neuron) in sent.neurons.iter().enumerate() {
                    let neuron = population.first + neuron;
                    let payload = sent.payloads.get(place).copied().unwrap_or(1);
                    self.recording.counters.add(index, compiled.out_degree(neuron), payload);
                    if self.recorded[index] {
                        self.recording.push_spike(Spike { time, neuron }, payload);
                    }
                }
            }
        }
        self.join_samples();
    }

    /// The spikes that stimuli send from a population in a step, ascending.
    fn source_spikes(&mut self, population: usize, step: u64, spikes: &mut Vec<u32>) {
        let compiled = self.compiled.clone();
        let time = compiled.network.grid().time_of(step);
        let mut trains = Vec::new();
        for (index, stimulus) in self.stimuli.entries().iter().enumerate() {
            if stimulus.population() != population {
                continue;
            }
            let seed = self.stimuli.seed(index);
            match stimulus {
                ValidStimulus::SpikeList { spikes: list, .. } => {
                    let position = &mut self.list_positions[index];
                    while let Some((_, neuron)) = list.get(*position).filter(|(t, _)| *t <= time) {
                        spikes.push(*neuron);
                        *position += 1;
                    }
                }
                ValidStimulus::Poisson { probability, .. } => {
                    let size = compiled.network.populations()[population].size();
                    spikes.extend((0..size).filter(|&neuron| {
                        let p = probability.get(neuron as usize);
                        poisson_spikes(seed, neuron, step, p)
                    }));
                }
                ValidStimulus::ConstantCurrent { .. }
                | ValidStimulus::VaryingCurrent { .. }
                | ValidStimulus::Drive { .. } => {}
                ValidStimulus::Train { .. } => trains.push(index),
            }
        }
        for index in trains {
            let mut sent = Vec::new();
            self.stimuli.take_train(index, time, &mut sent);
            spikes.extend(sent.into_iter().map(|(_, neuron)| neuron));
        }
        // Several stimuli may drive one source; it still spikes at most once a step.
        spikes.sort_unstable();
        spikes.dedup();
    }

    fn join_samples(&mut self) {
        let grid = self.compiled.network.grid();
        let pieces = self.parts.iter_mut().flat_map(|part| &mut part.pieces);
        let mut samples: Vec<(u64, usize, u32, Vec<f64>)> = Vec::new();
        for piece in pieces {
            let first = piece.range.start;
            let own = piece.samples.drain(..);
            samples.extend(own.map(|(step, trace, values)| (step, trace, first, values)));
        }
        samples.sort_by_key(|&(step, trace, first, _)| (step, trace, first));
        for (step, trace, first, values) in samples {
            let trace = &mut self.recording.traces[trace];
            if first == 0 {
                trace.times.push(grid.time_of(step));
            }
            trace.values.extend(values);
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
        let steps = grid.steps_in(span).ok_or(EngineError::SpanOffGrid { span, dt })?;
        let end = self.step.saturating_add(steps);
        while self.step < end {
            let until = end.min(self.stimuli.next_change(self.step).unwrap_or(end));
            self.run_epoch(self.epoch.min(until - self.step));
            for population in self.stimuli.changed_at(self.step) {
                self.set_currents(population);
            }
            self.recording.duration = self.now();
            if !observer(self.now()) {
                return Err(EngineError::Stopped { at: self.now() });
            }
        }
        Ok(())
    }

    fn recording(&self) -> &Recording {
        &self.recording
    }

    fn variable(&self, population: usize, variable: usize) -> Vec<f64> {
        let pieces = self.parts.iter().flat_map(|part| &part.pieces);
        pieces
            .filter(|piece| piece.population == population)
            .filter_map(|piece| piece.neurons.as_ref().map(|neurons| neurons.variable(variable)))
            .flatten()
            .collect()
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
