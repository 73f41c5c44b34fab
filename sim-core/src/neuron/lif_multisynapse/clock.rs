//! The neurons step by step, one port after the other.
//!
//! In each step: V is advanced exactly under the currents that flow at the step's beginning; the
//! currents decay and receive the input that arrives at its end; then the neuron is examined for a
//! spike, as in NEST.

use super::{CAPACITANCE, FIRST_PORT, REFRACTORY, RESET_MV, REST, TAU, THRESHOLD};
use crate::network::SpikeCondition;
use crate::neuron::current_synapse::propagator;
use crate::neuron::model::{
    ClockNeurons, Column, Drive, Emitted, LoweredNeurons, StateVisitor, bytes_of,
};
use crate::neuron::ode_neurons::reaches;
use crate::neuron::typed_parameters::initial_or;

/// One neuron's constants.
#[derive(Debug, Clone, Copy)]
struct Membrane {
    /// Potential per current (mV/pA).
    resistance: f64,
    rest: f64,
    reset: f64,
    threshold: f64,
    /// Of the potential, in a step.
    decay: f64,
    refractory_steps: u32,
}

/// What a step makes of a port's current: what is left of it, and the potential it adds (mV/pA).
#[derive(Debug, Clone, Copy)]
struct Step {
    decay: f64,
    to_potential: f64,
}

/// One for all neurons, or one each.
#[derive(Debug)]
enum Steps {
    One(Step),
    Each(Vec<Step>),
}

/// A port of all neurons.
#[derive(Debug)]
struct Port {
    steps: Steps,
    currents: Vec<f64>,
    /// What they begin with (pA).
    initial: Column,
}

/// The neurons of a part of a population. State variables: V and the current of each port.
pub(super) struct PortNeurons {
    condition: SpikeCondition,
    membranes: Vec<Membrane>,
    ports: Vec<Port>,
    initial: Vec<f64>,
    potentials: Vec<f64>,
    /// Steps of the refractory time that remain.
    remaining: Vec<u32>,
    /// What the currents add to the potentials in a step (mV).
    added: Vec<f64>,
}

/// Whether a step is the same for all neurons.
fn shared(neurons: &LoweredNeurons, port: usize) -> bool {
    let columns = [TAU, CAPACITANCE, FIRST_PORT + port];
    columns.iter().all(|&column| matches!(neurons.parameters[column], Column::One(_)))
}

impl PortNeurons {
    /// From validated numbers.
    pub(super) fn new(neurons: &LoweredNeurons) -> Self {
        let dt = neurons.grid.dt();
        let of = |column: usize, neuron: usize| neurons.parameters[column].get(neuron);
        let membrane = |neuron: usize| Membrane {
            resistance: of(TAU, neuron) / of(CAPACITANCE, neuron),
            rest: of(REST, neuron),
            // Validation offers no subtraction for this model.
            reset: neurons.reset.value(neuron).unwrap_or(RESET_MV),
            threshold: of(THRESHOLD, neuron),
            decay: (-dt / of(TAU, neuron)).exp(),
            refractory_steps: (of(REFRACTORY, neuron) / dt).round() as u32,
        };
        let step = |port: usize, neuron: usize| {
            let tau = of(FIRST_PORT + port, neuron);
            Step {
                decay: (-dt / tau).exp(),
                to_potential: propagator(of(TAU, neuron), of(CAPACITANCE, neuron), tau, dt),
            }
        };
        let port = |port: usize| {
            let initial = neurons.initial.get(1 + port).cloned().flatten();
            let initial = initial.unwrap_or(Column::One(0.0));
            Port {
                steps: match shared(neurons, port) {
                    true => Steps::One(step(port, 0)),
                    false => Steps::Each((0..neurons.size).map(|n| step(port, n)).collect()),
                },
                currents: initial.expand(0..neurons.size),
                initial,
            }
        };
        let potential = |neuron: usize| initial_or(neurons, 0, neuron, of(REST, neuron));
        let initial: Vec<f64> = (0..neurons.size).map(potential).collect();
        PortNeurons {
            condition: neurons.spike,
            membranes: (0..neurons.size).map(membrane).collect(),
            ports: (0..neurons.parameters.len() - FIRST_PORT).map(port).collect(),
            potentials: initial.clone(),
            initial,
            remaining: vec![0; neurons.size],
            added: vec![0.0; neurons.size],
        }
    }
}

impl Port {
    /// Adds what the currents add to the potentials; then they decay and receive their input.
    fn advance(&mut self, added: &mut [f64], inputs: &[f64]) {
        let advance = |step: &Step, (current, (added, input)): (&mut f64, (&mut f64, &f64))| {
            *added += *current * step.to_potential;
            *current = *current * step.decay + input;
        };
        let cells = self.currents.iter_mut().zip(added.iter_mut().zip(inputs));
        match &self.steps {
            Steps::One(step) => cells.for_each(|cell| advance(step, cell)),
            Steps::Each(steps) => steps.iter().zip(cells).for_each(|(step, c)| advance(step, c)),
        }
    }
}

impl ClockNeurons for PortNeurons {
    fn step(&mut self, drive: Drive<'_>, spikes: &mut Emitted) {
        self.added.fill(0.0);
        for (port, inputs) in self.ports.iter_mut().zip(drive.inputs) {
            port.advance(&mut self.added, inputs);
        }
        for (index, m) in self.membranes.iter().enumerate() {
            let (potential, remaining) = (&mut self.potentials[index], &mut self.remaining[index]);
            if *remaining > 0 {
                *remaining -= 1;
            } else {
                let limit = m.rest + drive.current[index] * m.resistance;
                *potential = limit + (*potential - limit) * m.decay + self.added[index];
            }
            if reaches(self.condition, *potential, m.threshold) {
                (*potential, *remaining) = (m.reset, m.refractory_steps);
                spikes.push(index as u32);
            }
        }
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        visitor.reals(&mut self.potentials.iter_mut());
        for port in &mut self.ports {
            visitor.reals(&mut port.currents.iter_mut());
        }
        visitor.counts(&mut self.remaining.iter_mut());
    }

    fn variable(&self, index: usize) -> Vec<f64> {
        match index.checked_sub(1).and_then(|port| self.ports.get(port)) {
            Some(port) => port.currents.clone(),
            None => self.potentials.clone(),
        }
    }

    fn reset(&mut self) {
        self.potentials.clone_from(&self.initial);
        for port in &mut self.ports {
            port.currents = port.initial.expand(0..self.membranes.len());
        }
        self.remaining.fill(0);
    }

    fn bytes(&self) -> u64 {
        let of_port = |port: &Port| {
            let steps = match &port.steps {
                Steps::One(_) => 0,
                Steps::Each(each) => bytes_of(each),
            };
            steps + bytes_of(&port.currents) + port.initial.bytes()
        };
        let ports: u64 = self.ports.iter().map(of_port).sum();
        let potentials = [&self.initial, &self.potentials, &self.added];
        let potentials: u64 = potentials.into_iter().map(|list| bytes_of(list)).sum();
        ports + potentials + bytes_of(&self.membranes) + bytes_of(&self.remaining)
    }
}
