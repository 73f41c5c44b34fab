//! Stepwise integrator that never spikes: the read-out of converted networks.
//!
//! # Equations
//! v ← v + Σ w + I at the end of every step.
//!
//! # Spike and reset
//! None.
//!
//! # Parameters
//! None.
//!
//! # State
//! `membrane_potential` v, initially 0: the summed input, from which a class is read.
//!
//! # Numerics
//! Exact, as [`super::integrate_and_fire`].
//!
//! # Engines
//! Clock-driven and event-driven.
//!
//! # References
//! Rueckauer et al. 2017, Front. Neurosci. 11:682 (membrane read-out of the last layer).

use super::exact;
use super::model::{
    ClockNeurons, Combine, Drive, Emitted, EventNeurons, LoweredNeurons, ModelSpec, ModelTime,
    NeuronModel, ReceptorSpec, StateVisitor, VariableSpec, bytes_of,
};
use crate::network::Neuron;
use crate::time::{Grid, Time};
use crate::units::Dimension;

/// The model.
pub struct Model;

static SPEC: ModelSpec = ModelSpec {
    name: "integrator",
    summary: "stepwise integrator that never spikes (read-out of converted networks)",
    time: ModelTime::Stepwise,
    parameters: &[],
    receptors: &[ReceptorSpec {
        name: "input",
        weight: Dimension::Number,
        combine: Combine::Sum,
        meaning: "jump of the potential",
    }],
    variables: &[VariableSpec {
        name: "membrane_potential",
        dimension: Dimension::Number,
        initial: Some(0.0),
        meaning: "sum of the input",
    }],
    current: Some(Dimension::Number),
    spikes: false,
    subtracting_reset: false,
    graded: false,
    refractory_input: &[],
    reference: "Rueckauer et al. 2017, Front. Neurosci. 11:682",
};

/// An integrator, initially 0.
pub fn integrator() -> Neuron {
    Neuron::new(SPEC.name)
}

impl NeuronModel for Model {
    fn spec(&self) -> &'static ModelSpec {
        &SPEC
    }

    fn round(&self, value: f64) -> f64 {
        exact::round(value)
    }

    fn clock(&self, neurons: &LoweredNeurons) -> Option<Box<dyn ClockNeurons>> {
        Some(Box::new(State::new(neurons)))
    }

    fn event(&self, neurons: &LoweredNeurons) -> Result<Option<Box<dyn EventNeurons>>, String> {
        Ok(Some(Box::new(State::new(neurons))))
    }
}

/// Sums, each at the step of its own last event (the clock-driven engine keeps no such step).
struct State {
    potential: Vec<f64>,
    initial: Vec<f64>,
    last_step: Vec<u64>,
    current: Vec<f64>,
    grid: Grid,
}

impl State {
    fn new(neurons: &LoweredNeurons) -> Self {
        let initial = neurons.initial.first().and_then(|column| column.as_ref());
        let initial: Vec<f64> = (0..neurons.size)
            .map(|i| exact::round(initial.map_or(0.0, |column| column.get(i))))
            .collect();
        State {
            potential: initial.clone(),
            initial,
            last_step: vec![0; neurons.size],
            current: vec![0.0; neurons.size],
            grid: neurons.grid,
        }
    }

    fn at_step(&self, neuron: usize, step: u64) -> f64 {
        let silent = step.saturating_sub(self.last_step[neuron]);
        self.potential[neuron] + silent as f64 * self.current[neuron]
    }

    fn advance(&mut self, neuron: usize, time: Time) {
        let step = self.grid.step_at(time);
        self.potential[neuron] = self.at_step(neuron, step);
        self.last_step[neuron] = step;
    }

    fn restart(&mut self) {
        self.potential.clone_from(&self.initial);
        self.last_step.fill(0);
        self.current.fill(0.0);
    }
}

impl ClockNeurons for State {
    fn step(&mut self, drive: Drive<'_>, _spikes: &mut Emitted) {
        let inputs = drive.inputs[0].iter().zip(drive.current);
        for (potential, (input, current)) in self.potential.iter_mut().zip(inputs) {
            *potential += input + current;
        }
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        visitor.reals(&mut self.potential.iter_mut());
    }

    fn variable(&self, _index: usize) -> Vec<f64> {
        self.potential.clone()
    }

    fn reset(&mut self) {
        self.restart();
    }

    fn bytes(&self) -> u64 {
        bytes_of(&self.potential)
            + bytes_of(&self.initial)
            + bytes_of(&self.last_step)
            + bytes_of(&self.current)
    }
}

impl EventNeurons for State {
    fn receive(
        &mut self,
        neuron: usize,
        time: Time,
        inputs: &[f64],
        _crossing: bool,
    ) -> Option<i32> {
        self.advance(neuron, time);
        self.potential[neuron] += inputs[0];
        None
    }

    fn set_current(&mut self, neuron: usize, time: Time, current: f64) {
        self.advance(neuron, time);
        self.current[neuron] = current;
    }

    fn next_spike(&self, _neuron: usize) -> Option<Time> {
        None
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        visitor.reals(&mut self.potential.iter_mut());
        visitor.steps(&mut self.last_step.iter_mut());
        visitor.reals(&mut self.current.iter_mut());
    }

    fn variable(&self, _index: usize, neuron: usize, time: Time) -> f64 {
        self.at_step(neuron, self.grid.step_at(time))
    }

    fn reset(&mut self) {
        self.restart();
    }

    fn bytes(&self) -> u64 {
        ClockNeurons::bytes(self)
    }
}
