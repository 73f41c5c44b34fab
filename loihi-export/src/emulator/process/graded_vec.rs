//! Passes graded input on: Lava's `GradedVec`.
//!
//! Payload a where `|a| > vth`. Lava adds a to `v` and clears v in the same step, so that v is 0
//! after every step; its parameter `exp` has no effect.
//!
//! Reference: lava-nc 0.10.0 `PyGradedVecModelFixed`.

use std::sync::Arc;

use crate::emulator::{
    error::EmulatorError, overflow::OverflowCounter, parameters::Parameters, spikes::Spike,
};

use super::{NeuronState, ParameterInfo, Process, ProcessInfo, ProcessKind};

/// The registry entry.
pub static INFO: ProcessInfo = ProcessInfo {
    name: "graded_vec",
    summary: "Sends its input on where the magnitude exceeds a threshold (Lava's GradedVec).",
    parameters: &[THRESHOLD],
    ports: &["a_in"],
    variables: &["v"],
    kind: ProcessKind::Computed(build),
};

/// Threshold of the graded vectors and the product neuron.
pub(super) const THRESHOLD: ParameterInfo = ParameterInfo {
    name: "vth",
    meaning: "threshold of the payload",
    minimum: i32::MIN as i64,
    maximum: i32::MAX as i64,
    default: Some(1),
    per_neuron: false,
    field: None,
};

#[derive(Debug)]
struct GradedVec {
    threshold: i32,
}

fn build(parameters: &Parameters<'_>, _neurons: usize) -> Result<Arc<dyn Process>, EmulatorError> {
    Ok(Arc::new(GradedVec { threshold: parameters.one("vth")? as i32 }))
}

/// Sends the values that `pass` lets through; 0 is never sent.
pub(super) fn send(
    values: impl Iterator<Item = i32>,
    spikes: &mut Vec<Spike>,
    pass: impl Fn(i32) -> bool,
) {
    for (neuron, payload) in values.enumerate() {
        if payload != 0 && pass(payload) {
            spikes.push(Spike { neuron: neuron as u32, payload });
        }
    }
}

impl Process for GradedVec {
    fn initial_state(&self, neurons: usize) -> NeuronState {
        NeuronState::with_variables(neurons, 1)
    }

    fn step(
        &self,
        _time: u64,
        input: &[i32],
        _state: &mut NeuronState,
        spikes: &mut Vec<Spike>,
        _overflows: &mut OverflowCounter,
    ) {
        // The absolute value of the smallest number is negative, as numpy's is.
        send(input.iter().copied(), spikes, |value| value.wrapping_abs() > self.threshold);
    }
}
