//! Leaky membranes with exponentially decaying synaptic currents, for the clock-driven engine: any
//! number of receptors, and a threshold that may move.
//!
//! In each step: V is advanced exactly under the currents that flow at the step's beginning; the
//! currents decay and receive the input that arrives at its end; then the neuron is examined for a
//! spike, as in NEST.

use super::current_synapse::propagator;
use super::model::{ClockNeurons, Drive, Emitted, LoweredNeurons, StateVisitor, bytes_of};
use super::ode_neurons::reaches;
use super::typed_parameters::initial_or;
use crate::network::SpikeCondition;

/// One neuron's constants in base units.
#[derive(Debug, Clone, Copy)]
pub(super) struct Membrane<const R: usize> {
    /// Time constant [ms].
    pub(super) tau: f64,
    /// Capacitance [pF].
    pub(super) capacitance: f64,
    /// Resting potential [mV].
    pub(super) rest: f64,
    /// Potential after a spike [mV].
    pub(super) reset: f64,
    /// Time V is held after a spike [ms].
    pub(super) refractory: f64,
    /// Decay of the current of each receptor [ms].
    pub(super) tau_synapse: [f64; R],
    /// Threshold at rest [mV].
    pub(super) threshold: f64,
    /// Jump of the threshold with a spike [mV]; 0 where it stays.
    pub(super) threshold_jump: f64,
    /// Decay of these jumps [ms].
    pub(super) tau_threshold: f64,
}

/// Per-step factors of one neuron.
#[derive(Debug, Clone, Copy)]
struct Step<const R: usize> {
    decay: f64,
    synapse_decay: [f64; R],
    synapse_to_potential: [f64; R],
    threshold_decay: f64,
    refractory_steps: u32,
}

/// What changes of one neuron.
#[derive(Debug, Clone, Copy)]
struct Cell<const R: usize> {
    potential: f64,
    currents: [f64; R],
    /// How far the threshold lies above the one at rest [mV].
    raised: f64,
    /// Steps of the refractory time that remain.
    remaining: u32,
}

/// The neurons of a part of a population. State variables: V, the current of each receptor, and the
/// threshold.
pub(super) struct CurrentNeurons<const R: usize> {
    condition: SpikeCondition,
    membranes: Vec<Membrane<R>>,
    steps: Vec<Step<R>>,
    initial: Vec<Cell<R>>,
    cells: Vec<Cell<R>>,
}

impl<const R: usize> CurrentNeurons<R> {
    /// From validated numbers; `membrane` gives the constants of each neuron.
    pub(super) fn new(neurons: &LoweredNeurons, membrane: impl Fn(usize) -> Membrane<R>) -> Self {
        let membranes: Vec<Membrane<R>> = (0..neurons.size).map(membrane).collect();
        let dt = neurons.grid.dt();
        let step = |m: &Membrane<R>| Step {
            decay: (-dt / m.tau).exp(),
            synapse_decay: m.tau_synapse.map(|tau| (-dt / tau).exp()),
            synapse_to_potential: m
                .tau_synapse
                .map(|tau| propagator(m.tau, m.capacitance, tau, dt)),
            threshold_decay: (-dt / m.tau_threshold).exp(),
            refractory_steps: (m.refractory / dt).round() as u32,
        };
        let cell = |(index, m): (usize, &Membrane<R>)| Cell {
            potential: initial_or(neurons, 0, index, m.rest),
            currents: std::array::from_fn(|r| initial_or(neurons, 1 + r, index, 0.0)),
            raised: initial_or(neurons, 1 + R, index, m.threshold) - m.threshold,
            remaining: 0,
        };
        let cells: Vec<Cell<R>> = membranes.iter().enumerate().map(cell).collect();
        CurrentNeurons {
            condition: neurons.spike,
            steps: membranes.iter().map(step).collect(),
            initial: cells.clone(),
            membranes,
            cells,
        }
    }
}

impl<const R: usize> ClockNeurons for CurrentNeurons<R> {
    fn step(&mut self, drive: Drive<'_>, spikes: &mut Emitted) {
        let constants = self.membranes.iter().zip(&self.steps);
        for (index, (cell, (m, step))) in self.cells.iter_mut().zip(constants).enumerate() {
            if cell.remaining > 0 {
                cell.remaining -= 1;
            } else {
                let limit = m.rest + drive.current[index] * m.tau / m.capacitance;
                let synaptic = cell.currents.iter().zip(&step.synapse_to_potential);
                let synaptic: f64 = synaptic.map(|(current, factor)| current * factor).sum();
                cell.potential = limit + (cell.potential - limit) * step.decay + synaptic;
            }
            for (receptor, current) in cell.currents.iter_mut().enumerate() {
                *current = *current * step.synapse_decay[receptor] + drive.inputs[receptor][index];
            }
            cell.raised *= step.threshold_decay;
            if reaches(self.condition, cell.potential, m.threshold + cell.raised) {
                cell.potential = m.reset;
                cell.remaining = step.refractory_steps;
                cell.raised += m.threshold_jump;
                spikes.push(index as u32);
            }
        }
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        visitor.reals(&mut self.cells.iter_mut().map(|cell| &mut cell.potential));
        for receptor in 0..R {
            visitor.reals(&mut self.cells.iter_mut().map(|cell| &mut cell.currents[receptor]));
        }
        visitor.reals(&mut self.cells.iter_mut().map(|cell| &mut cell.raised));
        visitor.counts(&mut self.cells.iter_mut().map(|cell| &mut cell.remaining));
    }

    fn variable(&self, index: usize) -> Vec<f64> {
        let of = |(cell, m): (&Cell<R>, &Membrane<R>)| match index {
            0 => cell.potential,
            receptor if receptor <= R => cell.currents[receptor - 1],
            _ => m.threshold + cell.raised,
        };
        self.cells.iter().zip(&self.membranes).map(of).collect()
    }

    fn reset(&mut self) {
        self.cells.clone_from(&self.initial);
    }

    fn bytes(&self) -> u64 {
        bytes_of(&self.membranes)
            + bytes_of(&self.steps)
            + bytes_of(&self.initial)
            + bytes_of(&self.cells)
    }
}
