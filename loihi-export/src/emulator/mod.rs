//! The fixed-point engine: what the chip computes, bit for bit as Lava 0.10 does.
//!
//! Time runs in steps t = 1, 2, …. In each step every projection first delivers what the spikes of
//! step t - 1 (or earlier, with delays) accumulated; then every population updates and spikes;
//! then the spikes are accumulated. So a spike needs one step through a projection, and the spikes
//! of an input in step t reach the first layer in step t + 1.
//!
//! # Example
//! ```
//! use loihi_export::{chip::ChipSpec, emulator::{Emulator, SpikeTrain}, quantise::network::*};
//! use sim_core::network::Shape;
//!
//! let population = |name: &str, process: &str, parameters: &[(&str, i64)]| QuantisedPopulation {
//!     name: name.into(),
//!     shape: Shape::List(1),
//!     process: process.into(),
//!     parameters: parameters.iter().map(|(k, v)| (k.to_string(), IntegerValues::One(*v))).collect(),
//! };
//! let network = QuantisedNetwork {
//!     name: "one neuron".into(),
//!     chip: "loihi2".into(),
//!     populations: vec![
//!         population("in", "input", &[]),
//!         population("out", "lif", &[("du", 4095), ("vth", 15)]),
//!     ],
//!     projections: vec![QuantisedProjection {
//!         name: "in-out".into(),
//!         source: 0,
//!         target: 1,
//!         connection: Connection::Dense {
//!             weights: vec![10],
//!             sign_mode: SignMode::Excitatory,
//!             weight_bits: 8,
//!             weight_exponent: 0,
//!         },
//!         delay: DelaySteps::One(0),
//!         message_bits: 0,
//!         port: 0,
//!         learning: None,
//!     }],
//! };
//! let mut emulator = Emulator::new(&network, &ChipSpec::built_in("loihi2")?)?;
//! let input = SpikeTrain::from_rows([[1].as_slice(), &[1], &[0]]);
//! let recording = emulator.run(3, &[input])?;
//! assert_eq!(recording.spikes[1].at(1), []); // 10 of 15
//! assert_eq!(recording.spikes[1].at(2).len(), 1); // 20 of 15
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::sync::Arc;

use crate::{chip::ChipSpec, quantise::network::QuantisedNetwork};

pub mod arithmetic;
pub mod connection;
pub mod error;
pub mod learning;
pub mod overflow;
pub mod parameters;
pub mod process;
pub mod program;
pub mod recording;
pub mod spikes;
pub mod verify;

pub use error::{EmulatorError, ParameterProblem, ProjectionProblem};
pub use overflow::{Overflow, OverflowKind, OverflowReport};
pub use parameters::FieldWarning;
pub use process::PROCESSES;
pub use recording::{EmulatorRecording, StateTrace};
pub use spikes::{Spike, SpikeTrain};

use learning::connection::{LearningProjection, LearningRun};
use overflow::{OverflowCounter, OverflowKind as Kind};
use process::NeuronState;
use program::{Program, ProgramPopulation};

/// An integer network ready to run.
///
/// Copies share the synapses and have their own state, so that many inputs run side by side.
#[derive(Debug, Clone)]
pub struct Emulator {
    program: Arc<Program>,
    time: u64,
    populations: Vec<PopulationState>,
    projections: Vec<ProjectionRun>,
    synaptic_events: u64,
}

#[derive(Debug, Clone)]
struct PopulationState {
    neurons: NeuronState,
    input: Vec<i32>,
    spikes: Vec<Spike>,
    overflows: OverflowCounter,
}

/// A projection while it runs.
#[derive(Debug, Clone)]
struct ProjectionRun {
    sums: connection::ProjectionState,
    learning: Option<LearningRun>,
    overflows: OverflowCounter,
}

impl Emulator {
    /// Checks a network and sorts its synapses by source.
    ///
    /// # Errors
    /// [`EmulatorError`] for the first population or projection that cannot be computed as Lava
    /// would: unknown processes and parameters, weights that do not fit their stored range, ….
    pub fn new(network: &QuantisedNetwork, chip: &ChipSpec) -> Result<Self, EmulatorError> {
        let program = Program::new(network, chip)?;
        let populations = program
            .populations
            .iter()
            .map(|population| PopulationState {
                neurons: match &population.process {
                    Some(process) => process.initial_state(population.neurons),
                    None => NeuronState::default(),
                },
                input: vec![0; population.neurons.saturating_mul(population.info.ports.len())],
                spikes: Vec::new(),
                overflows: OverflowCounter::default(),
            })
            .collect();
        let projections = program
            .projections
            .iter()
            .map(|projection| ProjectionRun {
                sums: projection.table.state(),
                learning: projection.learning.as_ref().map(LearningProjection::start),
                overflows: OverflowCounter::default(),
            })
            .collect();
        let program = Arc::new(program);
        Ok(Self { program, time: 0, populations, projections, synaptic_events: 0 })
    }

    /// Steps since the last reset.
    pub fn time(&self) -> u64 {
        self.time
    }

    /// Values that Lava computes with but that the chip's fields are too narrow for.
    pub fn field_warnings(&self) -> &[FieldWarning] {
        &self.program.warnings
    }

    /// Indices of the input populations, in the order in which input is given.
    ///
    /// A population of a computing process with parameter `driven` is one, too: what is given for
    /// it acts as synaptic input of the same step, on its first port.
    pub fn inputs(&self) -> &[usize] {
        &self.program.inputs
    }

    /// Index of a population.
    ///
    /// # Errors
    /// [`EmulatorError::UnknownPopulation`] with the known names.
    pub fn population(&self, name: &str) -> Result<usize, EmulatorError> {
        let found = self.program.populations.iter().position(|found| found.name == name);
        found.ok_or_else(|| self.program.unknown(format!("'{name}'")))
    }

    /// Spikes of a population in the last step, neurons ascending; none for unknown indices.
    pub fn spikes(&self, population: usize) -> &[Spike] {
        self.populations.get(population).map_or(&[], |state| &state.spikes)
    }

    /// The first state variable after the last step `[neurons]`: the synaptic current `u` of
    /// integrate-and-fire neurons; empty for inputs.
    pub fn current(&self, population: usize) -> &[i32] {
        self.populations.get(population).map_or(&[], |state| &state.neurons.current)
    }

    /// The second state variable after the last step `[neurons]`: the membrane potential `v` of
    /// integrate-and-fire neurons; empty for inputs and processes with one variable.
    ///
    /// An integrate-and-fire neuron that has just spiked reads 0. 64 units are one unit of the threshold mantissa.
    pub fn membrane(&self, population: usize) -> &[i32] {
        self.populations.get(population).map_or(&[], |state| &state.neurons.membrane)
    }

    /// A state variable after the last step `[neurons]` by the name that the process documents;
    /// `None` for variables that the population's process does not have.
    pub fn variable(&self, population: usize, name: &str) -> Option<&[i32]> {
        let info = self.program.populations.get(population)?.info;
        let index = info.variables.iter().position(|variable| *variable == name)?;
        self.populations.get(population)?.neurons.variable(index)
    }

    /// A variable of a learning projection after the last step: `weights`, `tag_1`, `tag_2` a
    /// synapse in the order of the connection's weights, `x1`, `x2` a source, `y1` to `y3` a target.
    ///
    /// `None` for projections that do not learn and for other names.
    pub fn learned(&self, projection: usize, name: &str) -> Option<&[i64]> {
        self.projections.get(projection)?.learning.as_ref()?.variable(name)
    }

    /// Synapses that spikes have passed since the counters were cleared.
    pub fn synaptic_events(&self) -> u64 {
        self.synaptic_events
    }

    /// Everything that wrapped or was clipped since the counters were cleared.
    pub fn overflows(&self) -> OverflowReport {
        let populations = self.populations.iter().zip(&self.program.populations);
        let mut overflows: Vec<_> = populations
            .flat_map(|(state, population)| {
                let ProgramPopulation { name, info, .. } = population;
                state.overflows.entries(name, info.name, info.variables)
            })
            .collect();
        for (run, projection) in self.projections.iter().zip(&self.program.projections) {
            overflows.extend(run.overflows.entries(&projection.table.name, projection.kind, &[]));
        }
        OverflowReport { overflows }
    }

    /// Back to step 0 with empty neurons and synapses; counters go on.
    pub fn reset(&mut self) {
        self.time = 0;
        for (population, program) in self.populations.iter_mut().zip(&self.program.populations) {
            if let Some(process) = &program.process {
                population.neurons = process.initial_state(program.neurons);
            }
            population.spikes.clear();
        }
        for (run, projection) in self.projections.iter_mut().zip(&self.program.projections) {
            run.sums.clear();
            run.learning = projection.learning.as_ref().map(LearningProjection::start);
        }
    }

    /// Sets the overflow and event counters to zero.
    pub fn clear_counters(&mut self) {
        self.synaptic_events = 0;
        for population in &mut self.populations {
            population.overflows = OverflowCounter::default();
        }
        for run in &mut self.projections {
            run.overflows = OverflowCounter::default();
        }
    }

    /// One step; `inputs` are the spikes of each input population, in the order of
    /// [`Self::inputs`].
    ///
    /// # Errors
    /// [`EmulatorError::InputCount`] or [`EmulatorError::Input`]; nothing has changed then.
    pub fn step(&mut self, inputs: &[&[Spike]]) -> Result<(), EmulatorError> {
        self.program.check_input_count(inputs.len())?;
        for (&index, spikes) in self.program.inputs.iter().zip(inputs) {
            self.program.check_input(index, spikes, self.time + 1)?;
        }
        self.time += 1;
        self.update_populations(inputs);
        self.accumulate();
        Ok(())
    }

    fn update_populations(&mut self, inputs: &[&[Spike]]) {
        let program = Arc::clone(&self.program);
        let mut given = inputs.iter();
        for (population, state) in program.populations.iter().zip(&mut self.populations) {
            state.spikes.clear();
            let Some(process) = &population.process else {
                state.spikes.extend_from_slice(given.next().copied().unwrap_or_default());
                continue;
            };
            state.input.fill(0);
            if population.driven {
                for spike in given.next().copied().unwrap_or_default() {
                    if let Some(input) = state.input.get_mut(spike.neuron as usize) {
                        *input = spike.payload;
                    }
                }
            }
            for &incoming in &population.incoming {
                if let (Some(projection), Some(run)) =
                    (program.projections.get(incoming), self.projections.get_mut(incoming))
                {
                    let table = &projection.table;
                    let first = projection.port * population.neurons;
                    let port = state.input.get_mut(first..).unwrap_or_default();
                    for neuron in table.deliver(&mut run.sums, self.time, port) {
                        state.overflows.record(Kind::SynapticSum, self.time, neuron);
                    }
                }
            }
            if program.accumulator_bits < 32 {
                for (place, sum) in state.input.iter_mut().enumerate() {
                    let kept = arithmetic::keep_bits(*sum, program.accumulator_bits);
                    if kept != std::mem::replace(sum, kept) {
                        let neuron = place % population.neurons.max(1);
                        state.overflows.record(Kind::SynapticSum, self.time, neuron);
                    }
                }
            }
            let PopulationState { neurons, input, spikes, overflows } = state;
            process.step(self.time, input, neurons, spikes, overflows);
        }
    }

    fn accumulate(&mut self) {
        let spikes: Vec<&[Spike]> =
            self.populations.iter().map(|population| population.spikes.as_slice()).collect();
        let runs = self.projections.iter_mut();
        for (projection, run) in self.program.projections.iter().zip(runs) {
            let (time, table) = (self.time, &projection.table);
            let sent = spikes.get(projection.source).copied().unwrap_or_default();
            self.synaptic_events += match (&projection.learning, &mut run.learning) {
                (Some(learning), Some(state)) => {
                    let add = |sums: &mut [i64]| learning.accumulate(state, sent, sums);
                    let events =
                        table.accumulate_sums(&mut run.sums, time, &mut run.overflows, add);
                    learning.learn(state, time, &spikes, &mut run.overflows);
                    events
                }
                _ => table.accumulate(&mut run.sums, time, sent, &mut run.overflows),
            };
        }
    }

    /// Runs `steps` steps and records all spikes; `inputs` as in [`Self::step`], silent after
    /// their end.
    ///
    /// # Errors
    /// As [`Self::step`].
    pub fn run(
        &mut self,
        steps: usize,
        inputs: &[SpikeTrain],
    ) -> Result<EmulatorRecording, EmulatorError> {
        self.run_traced(steps, inputs, &[])
    }

    /// As [`Self::run`], and records u and v of the populations `traced` after every step.
    ///
    /// # Errors
    /// As [`Self::step`], and [`EmulatorError::UnknownPopulation`].
    pub fn run_traced(
        &mut self,
        steps: usize,
        inputs: &[SpikeTrain],
        traced: &[usize],
    ) -> Result<EmulatorRecording, EmulatorError> {
        self.program.check_input_count(inputs.len())?;
        if let Some(unknown) = traced.iter().find(|&&index| index >= self.populations.len()) {
            return Err(self.program.unknown(unknown.to_string()));
        }
        let names = self.program.populations.iter().map(|population| population.name.clone());
        let mut recording = EmulatorRecording::new(names.collect(), traced);
        let events = self.synaptic_events;
        for step in 0..steps {
            let spikes: Vec<_> = inputs.iter().map(|train| train.at(step)).collect();
            self.step(&spikes)?;
            for (train, population) in recording.spikes.iter_mut().zip(&self.populations) {
                train.push_step(&population.spikes);
            }
            for trace in &mut recording.traces {
                if let Some(population) = self.populations.get(trace.population) {
                    trace.push(&population.neurons);
                }
            }
        }
        recording.synaptic_events = self.synaptic_events - events;
        Ok(recording)
    }
}
