//! Gate that passes on the first spike that reaches it: exact max pooling of a first-spike code.
//!
//! # Equations
//! None: where the earlier spike stands for the larger value, the first of a window's spikes stands
//! for the largest value.
//!
//! # Spike and reset
//! One spike, at the time of the first input above zero; later input is ignored.
//!
//! # Parameters
//! None.
//!
//! # State
//! `arrived`, 0 before the first input and 1 afterwards.
//!
//! # Numerics
//! Exact.
//!
//! # Engines
//! Event-driven and clock-driven.
//!
//! # References
//! Stanojevic et al. 2022, arXiv:2212.12522 (max pooling as the earliest spike).

use super::model::{
    ClockNeurons, Combine, Drive, Emitted, EventNeurons, LoweredNeurons, ModelSpec, ModelTime,
    NeuronModel, ReceptorSpec, StateVisitor, VariableSpec, bytes_of,
};
use crate::network::Neuron;
use crate::time::Time;
use crate::units::Dimension;

/// The model.
pub struct Model;

static SPEC: ModelSpec = ModelSpec {
    name: "first_arrival",
    summary: "gate that passes on the first spike that reaches it (max pooling of first-spike codes)",
    time: ModelTime::Continuous,
    parameters: &[],
    receptors: &[ReceptorSpec {
        name: "input",
        weight: Dimension::Number,
        combine: Combine::Sum,
        meaning: "above zero: the spike is passed on if it is the first",
    }],
    variables: &[VariableSpec {
        name: "arrived",
        dimension: Dimension::Number,
        initial: Some(0.0),
        meaning: "1 once a spike has arrived",
    }],
    current: None,
    spikes: false,
    subtracting_reset: false,
    graded: false,
    refractory_input: &[],
    reference: "Stanojevic et al. 2022, arXiv:2212.12522",
};

/// A gate for the first spike.
pub fn first_arrival() -> Neuron {
    Neuron::new(SPEC.name)
}

impl NeuronModel for Model {
    fn spec(&self) -> &'static ModelSpec {
        &SPEC
    }

    fn clock(&self, neurons: &LoweredNeurons) -> Option<Box<dyn ClockNeurons>> {
        Some(Box::new(State::new(neurons)))
    }

    fn event(&self, neurons: &LoweredNeurons) -> Result<Option<Box<dyn EventNeurons>>, String> {
        Ok(Some(Box::new(State::new(neurons))))
    }
}

struct State {
    arrived: Vec<f64>,
    initial: Vec<f64>,
}

impl State {
    fn new(neurons: &LoweredNeurons) -> Self {
        let initial = neurons.initial.first().and_then(|column| column.as_ref());
        let initial: Vec<f64> =
            (0..neurons.size).map(|n| initial.map_or(0.0, |column| column.get(n))).collect();
        State { arrived: initial.clone(), initial }
    }

    fn pass(&mut self, neuron: usize, input: f64) -> bool {
        let first = input > 0.0 && self.arrived[neuron] <= 0.0;
        if first {
            self.arrived[neuron] = 1.0;
        }
        first
    }
}

impl ClockNeurons for State {
    fn step(&mut self, drive: Drive<'_>, spikes: &mut Emitted) {
        for (neuron, &input) in drive.inputs[0].iter().enumerate() {
            if self.pass(neuron, input) {
                spikes.push(neuron as u32);
            }
        }
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        visitor.reals(&mut self.arrived.iter_mut());
    }

    fn variable(&self, _index: usize) -> Vec<f64> {
        self.arrived.clone()
    }

    fn reset(&mut self) {
        self.arrived.clone_from(&self.initial);
    }

    fn bytes(&self) -> u64 {
        bytes_of(&self.arrived) + bytes_of(&self.initial)
    }
}

impl EventNeurons for State {
    fn receive(
        &mut self,
        neuron: usize,
        _time: Time,
        inputs: &[f64],
        _crossing: bool,
    ) -> Option<i32> {
        self.pass(neuron, inputs[0]).then_some(1)
    }

    fn set_current(&mut self, _neuron: usize, _time: Time, _current: f64) {}

    fn next_spike(&self, _neuron: usize) -> Option<Time> {
        None
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        visitor.reals(&mut self.arrived.iter_mut());
    }

    fn variable(&self, _index: usize, neuron: usize, _time: Time) -> f64 {
        self.arrived[neuron]
    }

    fn reset(&mut self) {
        self.arrived.clone_from(&self.initial);
    }

    fn bytes(&self) -> u64 {
        ClockNeurons::bytes(self)
    }
}
