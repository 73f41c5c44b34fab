//! Engines: one contract, two ways to advance a network.
//!
//! The **clock-driven** engine advances every neuron in every step of the grid. The **event-driven**
//! engine advances a neuron from one input or threshold crossing to the next, in integer time, and
//! touches it only when something happens to it. For stepwise models, and for delta currents with input on the
//! grid, both give the same spikes; for exponential currents the clock engine's spikes converge to
//! the event engine's exact times as dt shrinks.
//!
//! A neuron of the clock engine sees, at the end of step k, all spikes dated t_k − delay, summed in
//! the order (projection, delay, source). Spikes of one time are ordered by neuron. So results do not
//! depend on the number of threads or on how neurons are divided among them.
//!
//! ```
//! use std::sync::Arc;
//! use sim_core::engine::{Compiled, EngineConfig, find_engine};
//! use sim_core::connectome::CompileConfig;
//! use sim_core::time::Time;
//! # use sim_core::{network::*, neuron::lif_delta::LifDelta, units::*};
//! # let mut network = Network::new("one", Milliseconds(0.1));
//! # network.add_population("cell", Population::new(1, LifDelta::default()));
//! # network.add_stimulus(
//! #     "dc",
//! #     Stimulus::constant_current("cell", Picoamperes(500.0), Milliseconds(0.0)),
//! # );
//! # network.add_probe("spikes", Probe::spikes("cell"));
//! let compiled = Compiled::new(network.validate().unwrap(), CompileConfig::UNLIMITED).unwrap();
//! let mut engine = (find_engine("clock").unwrap().start)(Arc::new(compiled), EngineConfig::default()).unwrap();
//! engine.run(Time::from_milliseconds(100.0).unwrap(), &mut |_| true).unwrap();
//! assert_eq!(engine.recording().counters.spikes, [6]);
//! ```

mod checkpoint;
mod clock;
mod drives;
mod event;
mod plastic;
mod source;
mod weights;

pub(crate) use clock::epoch_of;

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::connectome::{
    CompileConfig, CompileError, Connectome, Footprint, Precision, compile, predict_event,
    predict_for,
};
use crate::network::ValidNetwork;
use crate::recording::{Counters, PopulationInfo, Recording, Trace};
use crate::time::Time;
pub use kernels::Instructions;
use std::ops::Range;
use std::sync::Arc;

/// A valid network with its connectome, shared by any number of engines.
#[derive(Debug)]
pub struct Compiled {
    network: ValidNetwork,
    connectome: Connectome,
    out_degrees: Vec<u64>,
}

impl Compiled {
    /// Compiles a network.
    ///
    /// # Errors
    /// [`CompileError`], where the network does not fit.
    pub fn new(network: ValidNetwork, config: CompileConfig) -> Result<Self, CompileError> {
        let connectome = compile(&network, config)?;
        let out_degrees = connectome.out_degrees();
        Ok(Compiled { network, connectome, out_degrees })
    }

    /// The network.
    pub fn network(&self) -> &ValidNetwork {
        &self.network
    }

    /// Its synapses.
    pub fn connectome(&self) -> &Connectome {
        &self.connectome
    }

    /// Synapses that leave a neuron.
    pub fn out_degree(&self, neuron: u32) -> u64 {
        self.out_degrees[neuron as usize]
    }

    /// Synapses that leave each of these neurons.
    fn out_degrees(&self, neurons: Range<u32>) -> &[u64] {
        &self.out_degrees[neurons.start as usize..neurons.end as usize]
    }

    /// An empty recording with the network's populations and probes.
    fn recording(&self) -> Recording {
        let population = |(name, population): (&String, &crate::network::ValidPopulation)| {
            PopulationInfo { name: name.clone(), first: population.first, size: population.size() }
        };
        let mut recording = Recording {
            populations: self.network.populations().iter().map(population).collect(),
            ..Recording::default()
        };
        recording.counters = Counters::new(recording.populations.len());
        recording.weights = weights::traces(self);
        for (name, probe) in self.network.probes() {
            let Some(variable) = probe.variable else {
                continue;
            };
            let model = self.network.populations()[probe.population].model;
            recording.traces.push(Trace {
                probe: name.clone(),
                population: probe.population,
                variable: model.spec().variables[variable].name,
                times: Vec::new(),
                values: Vec::new(),
            });
        }
        recording
    }

    /// Which populations have their spikes recorded.
    fn recorded(&self) -> Vec<bool> {
        let probes = || self.network.probes().values();
        (0..self.network.populations().len())
            .map(|index| probes().any(|p| p.population == index && p.variable.is_none()))
            .collect()
    }
}

/// How an engine runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineConfig {
    /// Threads, at least one; spikes do not depend on it.
    pub threads: usize,
    /// Instruction set of the clock-driven engine's vector code; spikes do not depend on it.
    pub instructions: Instructions,
}

impl Default for EngineConfig {
    fn default() -> Self {
        EngineConfig { threads: 1, instructions: Instructions::widest() }
    }
}

/// Why an engine cannot start or go on.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EngineError {
    /// Zero threads, or more than make sense.
    #[error("{threads} threads; give 1 to {most}")]
    Threads {
        /// What was asked for.
        threads: usize,
        /// The most that are allowed.
        most: usize,
    },
    /// The operating system gave no threads.
    #[error("no threads could be started: {reason}")]
    NoThreads {
        /// What it said.
        reason: String,
    },
    /// A model that the event-driven engine cannot run.
    #[error("population `{population}`: the event-driven engine cannot run `{model}`: {reason}")]
    NotEventDriven {
        /// The population.
        population: String,
        /// Its model.
        model: &'static str,
        /// Why.
        reason: String,
    },
    /// A spike time between grid points.
    #[error(
        "stimulus `{stimulus}` has a spike at {time}, which is not a multiple of dt = {dt}: the \
         clock-driven engine needs times on the grid; choose a dt that divides them, or the \
         event-driven engine"
    )]
    OffGrid {
        /// The stimulus.
        stimulus: String,
        /// The spike time.
        time: Time,
        /// The step.
        dt: Time,
    },
    /// A span that is not a whole number of steps.
    #[error("{span} is not a whole number of steps of {dt}")]
    SpanOffGrid {
        /// The span asked for.
        span: Time,
        /// The step.
        dt: Time,
    },
    /// A stimulus of another kind or with another number of values.
    #[error("stimulus {index} does not take these {given} values: kind, number or range differ")]
    WrongStimulus {
        /// Index of the stimulus.
        index: usize,
        /// How many values were given.
        given: usize,
    },
    /// The observer asked to stop; state and recording are valid up to then.
    #[error("stopped at {at} as asked")]
    Stopped {
        /// The time reached.
        at: Time,
    },
}

/// Told how far a run is; returns whether it goes on.
pub type Observer<'a> = &'a mut dyn FnMut(Time) -> bool;

/// A network being simulated.
pub trait Engine: Send {
    /// The time reached.
    fn now(&self) -> Time;

    /// Simulates `span` further, a whole number of steps. `run(a)` then `run(b)` equals `run(a + b)`.
    ///
    /// # Errors
    /// [`EngineError::SpanOffGrid`]; [`EngineError::Stopped`] when the observer says so.
    fn run(&mut self, span: Time, observer: Observer<'_>) -> Result<(), EngineError>;

    /// What was recorded so far.
    fn recording(&self) -> &Recording;

    /// The present values of a state variable (by index) of a population (by index).
    fn variable(&self, population: usize, variable: usize) -> Vec<f64>;

    /// The present weights of a projection (by index) whose synapses change: (source, delay in
    /// steps, target, weight), indices local to the populations, ascending; `None` where they are
    /// those of the connectome. A weight is that of its synapse's last spike.
    fn weights(&self, _projection: usize) -> Option<Vec<(u32, u32, u32, f64)>> {
        None
    }

    /// Replaces the amplitude of a constant current, in the base unit, one value a neuron. Takes
    /// effect at the next [`reset`](Self::reset).
    ///
    /// # Errors
    /// [`EngineError::WrongStimulus`].
    fn set_current(&mut self, stimulus: usize, amplitude: &[f64]) -> Result<(), EngineError>;

    /// Replaces the probabilities of a spike in a step of a Poisson stimulus, one a neuron. Takes
    /// effect at the next [`reset`](Self::reset).
    ///
    /// # Errors
    /// [`EngineError::WrongStimulus`], also where one lies outside 0..=1.
    fn set_probability(&mut self, stimulus: usize, probability: &[f64]) -> Result<(), EngineError>;

    /// Replaces the spikes of a spike list: (time, neuron local to the population), in any order.
    /// Takes effect at the next [`reset`](Self::reset).
    ///
    /// # Errors
    /// [`EngineError::WrongStimulus`]; the clock-driven engine dates a spike between grid points
    /// at the end of its step.
    fn set_spikes(&mut self, stimulus: usize, spikes: &[(Time, u32)]) -> Result<(), EngineError>;

    /// Back to time zero and the initial state with an empty recording; random stimuli draw from
    /// `seed`. Connectivity stays.
    fn reset(&mut self, seed: u64);

    /// The same with the weights kept as they are now, for episodes of training: neurons, traces of
    /// plasticity and short-term states begin anew. A later [`reset`](Self::reset) goes back to the
    /// network's weights.
    fn reset_state(&mut self, seed: u64);

    /// Everything that is needed to go on from here, for any number of threads; see
    /// [`crate::checkpoint`]. Asked between runs, it changes no later result. What was recorded
    /// is not in it, only what was counted.
    fn checkpoint(&mut self) -> Checkpoint;

    /// Goes on from a checkpoint with an empty recording: what follows is, byte by byte, what would
    /// have followed there.
    ///
    /// # Errors
    /// [`CheckpointError`]: another network, engine, version or precision, or damaged state; the
    /// engine is then as it was (where it does not fit) or at its beginning (where it is damaged).
    fn restore(&mut self, checkpoint: &Checkpoint) -> Result<(), CheckpointError>;

    /// Hands over the spikes and samples recorded since the last call, so that memory stays bounded;
    /// counters and duration go on.
    fn take_recorded(&mut self) -> Recording;
}

/// Starts an engine on a compiled network.
pub type Start = fn(Arc<Compiled>, EngineConfig) -> Result<Box<dyn Engine>, EngineError>;

/// Predicts the size of a network that is compiled like this, in an engine.
pub type Predict = fn(&ValidNetwork, CompileConfig) -> Footprint;

/// An engine in the list of engines.
#[derive(Debug, Clone, Copy)]
pub struct EngineEntry {
    /// Name on the command line.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// How it computes unless it is told otherwise: in the narrow form where it can run that.
    pub precision: Precision,
    /// Predicts the size of a network in it.
    pub predict: Predict,
    /// Starts it.
    pub start: Start,
}

/// All engines.
pub static ENGINES: &[EngineEntry] = &[
    EngineEntry {
        name: "clock",
        summary: "clock-driven: every neuron in every step of the grid; runs every model",
        precision: Precision::Single,
        predict: predict_for,
        start: clock::start,
    },
    EngineEntry {
        name: "event",
        summary: "event-driven: spikes and crossings at exact times, bound to no grid",
        precision: Precision::Double,
        predict: predict_event,
        start: event::start,
    },
];

/// The engine of this name.
pub fn find_engine(name: &str) -> Option<EngineEntry> {
    ENGINES.iter().copied().find(|engine| engine.name == name)
}

/// More threads than this are surely a mistake.
const MOST_THREADS: usize = 4096;

fn check_threads(threads: usize) -> Result<(), EngineError> {
    let allowed = (1..=MOST_THREADS).contains(&threads);
    allowed.then_some(()).ok_or(EngineError::Threads { threads, most: MOST_THREADS })
}
