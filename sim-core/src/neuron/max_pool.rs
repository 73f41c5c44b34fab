//! Stepwise gate that passes on the fastest of its inputs: exact max pooling of a rate code.
//!
//! # Equations
//! m ← max(m, largest running sum of a source that spikes in this step); a source's running sum is
//! the sum of the payloads that it has sent so far: the number of its spikes where they carry none.
//!
//! # Spike and reset
//! A spike in every step in which m grows, with the growth as payload (1 for spikes without payload
//! and weight 1, whose count grows by one a step). The sum sent after any number of steps is exactly
//! the largest sum among the inputs: max pooling commutes with counting, with burst spikes, and with
//! a phase code, as the leading bits of the largest number are the largest leading bits. Pooling the
//! spikes of single steps instead would overestimate uneven inputs.
//!
//! # Parameters
//! None.
//!
//! # State
//! `largest_count` m, initially 0.
//!
//! # Numerics
//! Exact (small whole numbers).
//!
//! # Engines
//! Clock-driven and event-driven.
//!
//! # References
//! Rueckauer et al. 2017, Front. Neurosci. 11:682, section 2.3.4 (gating by the running rate).

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
    name: "max_pool",
    summary: "stepwise gate that passes on the fastest of its inputs (exact max pooling)",
    time: ModelTime::Stepwise,
    parameters: &[],
    receptors: &[ReceptorSpec {
        name: "running_count",
        weight: Dimension::Number,
        combine: Combine::LargestRunningCount,
        meaning: "running count of the source × weight",
    }],
    variables: &[VariableSpec {
        name: "largest_count",
        dimension: Dimension::Number,
        initial: Some(0.0),
        meaning: "largest running count seen",
    }],
    current: None,
    spikes: false,
    subtracting_reset: false,
    graded: true,
    refractory_input: &[],
    reference: "Rueckauer et al. 2017, Front. Neurosci. 11:682, section 2.3.4",
};

/// A max-pooling gate.
pub fn max_pool() -> Neuron {
    Neuron::new(SPEC.name)
}

impl NeuronModel for Model {
    fn spec(&self) -> &'static ModelSpec {
        &SPEC
    }

    fn clock(&self, neurons: &LoweredNeurons) -> Option<Box<dyn ClockNeurons>> {
        Some(Box::new(State { largest: vec![0.0; neurons.size] }))
    }

    fn event(&self, neurons: &LoweredNeurons) -> Result<Option<Box<dyn EventNeurons>>, String> {
        Ok(Some(Box::new(State { largest: vec![0.0; neurons.size] })))
    }
}

struct State {
    largest: Vec<f64>,
}

impl State {
    /// How much the largest count grows; `None` where it does not.
    fn raise(&mut self, neuron: usize, count: f64) -> Option<i32> {
        let growth = count - self.largest[neuron];
        (growth > 0.0).then(|| {
            self.largest[neuron] = count;
            growth as i32
        })
    }
}

impl ClockNeurons for State {
    fn step(&mut self, drive: Drive<'_>, spikes: &mut Emitted) {
        for (neuron, &count) in drive.inputs[0].iter().enumerate() {
            if let Some(growth) = self.raise(neuron, count) {
                spikes.push_graded(neuron as u32, growth);
            }
        }
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        visitor.reals(&mut self.largest.iter_mut());
    }

    fn variable(&self, _index: usize) -> Vec<f64> {
        self.largest.clone()
    }

    fn reset(&mut self) {
        self.largest.fill(0.0);
    }

    fn bytes(&self) -> u64 {
        bytes_of(&self.largest)
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
        self.raise(neuron, inputs[0])
    }

    fn set_current(&mut self, _neuron: usize, _time: Time, _current: f64) {}

    fn next_spike(&self, _neuron: usize) -> Option<Time> {
        None
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        visitor.reals(&mut self.largest.iter_mut());
    }

    fn variable(&self, _index: usize, neuron: usize, _time: Time) -> f64 {
        self.largest[neuron]
    }

    fn reset(&mut self) {
        self.largest.fill(0.0);
    }

    fn bytes(&self) -> u64 {
        ClockNeurons::bytes(self)
    }
}
