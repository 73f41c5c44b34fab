//! Passes positive graded input on: Lava's `GradedReluVec`.
//!
//! Payload a where `a > vth`; otherwise as [`super::graded_vec`].
//!
//! Reference: lava-nc 0.10.0 `PyGradedReluVecModelFixed`.

use std::sync::Arc;

use crate::emulator::{
    error::EmulatorError, overflow::OverflowCounter, parameters::Parameters, spikes::Spike,
};

use super::{
    NeuronState, Process, ProcessInfo, ProcessKind,
    graded_vec::{THRESHOLD, send},
};

/// The registry entry.
pub static INFO: ProcessInfo = ProcessInfo {
    name: "graded_relu_vec",
    summary: "Sends its input on where it exceeds a threshold (Lava's GradedReluVec).",
    parameters: &[THRESHOLD],
    ports: &["a_in"],
    variables: &["v"],
    kind: ProcessKind::Computed(build),
};

#[derive(Debug)]
struct GradedReluVec {
    threshold: i32,
}

fn build(parameters: &Parameters<'_>, _neurons: usize) -> Result<Arc<dyn Process>, EmulatorError> {
    Ok(Arc::new(GradedReluVec { threshold: parameters.one("vth")? as i32 }))
}

impl Process for GradedReluVec {
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
        send(input.iter().copied(), spikes, |value| value > self.threshold);
    }
}
