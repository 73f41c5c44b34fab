//! What neurons share that listen in a window and spike in the next: first-spike slots and phases.

use super::model::{ClockNeurons, Drive, Emitted, StateVisitor};
use crate::time::Grid;

/// Neurons that know the step of their own last event.
pub(super) trait Windowed: Send {
    /// Brings a neuron to its next step, in which a current acts, and adds the input of that step;
    /// gives the payload of its spike.
    fn advance(&mut self, neuron: usize, current: f64, input: f64) -> Option<i32>;

    /// Whether spikes carry their payload.
    const GRADED: bool;

    /// A state variable of all neurons.
    fn values(&self, index: usize) -> Vec<f64>;

    /// See [`ClockNeurons::visit_state`].
    fn visit(&mut self, visitor: &mut dyn StateVisitor);

    /// Back to the initial state.
    fn restart(&mut self);

    /// See [`ClockNeurons::bytes`].
    fn bytes(&self) -> u64;
}

/// Such neurons, advanced together step by step.
pub(super) struct InStep<W>(pub(super) W);

impl<W: Windowed> ClockNeurons for InStep<W> {
    fn step(&mut self, drive: Drive<'_>, spikes: &mut Emitted) {
        for (neuron, (&input, &current)) in drive.inputs[0].iter().zip(drive.current).enumerate() {
            match self.0.advance(neuron, current, input) {
                None => {}
                Some(payload) if W::GRADED => spikes.push_graded(neuron as u32, payload),
                Some(_) => spikes.push(neuron as u32),
            }
        }
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        self.0.visit(visitor);
    }

    fn variable(&self, index: usize) -> Vec<f64> {
        self.0.values(index)
    }

    fn reset(&mut self) {
        self.0.restart();
    }

    fn bytes(&self) -> u64 {
        self.0.bytes()
    }
}

/// Says that a time lies off the grid.
pub(super) fn off_grid(grid: Grid, milliseconds: f64) -> String {
    format!("{milliseconds} ms is not a whole number of steps of {} ms", grid.dt())
}
