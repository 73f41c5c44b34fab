//! Summing of graded changes: Lava's `Sigma`.
//!
//! `sigma += a` in 32-bit words, and sigma is sent in every step.
//!
//! State: sigma. Values beyond the declared 24 bits are kept, as in Lava's CPU model, and counted.
//! Reference: lava-nc 0.10.0 `PySigmaModelFixed`.

use std::sync::Arc;

use crate::emulator::{
    error::EmulatorError, overflow::OverflowCounter, parameters::Parameters, spikes::Spike,
};

use super::{NeuronState, Process, ProcessInfo, ProcessKind, is_wide};

/// The registry entry.
pub static INFO: ProcessInfo = ProcessInfo {
    name: "sigma",
    summary: "Adds its input up and sends the sum in every step (Lava's Sigma).",
    parameters: &[],
    ports: &["a_in"],
    variables: &["sigma"],
    kind: ProcessKind::Computed(build),
};

#[derive(Debug)]
struct Sigma;

fn build(_parameters: &Parameters<'_>, _neurons: usize) -> Result<Arc<dyn Process>, EmulatorError> {
    Ok(Arc::new(Sigma))
}

impl Process for Sigma {
    fn initial_state(&self, neurons: usize) -> NeuronState {
        NeuronState::with_variables(neurons, 1)
    }

    fn step(
        &self,
        time: u64,
        input: &[i32],
        state: &mut NeuronState,
        spikes: &mut Vec<Spike>,
        overflows: &mut OverflowCounter,
    ) {
        for (neuron, (sigma, &a)) in state.current.iter_mut().zip(input).enumerate() {
            *sigma = sigma.wrapping_add(a);
            if is_wide(*sigma) {
                overflows.record_state(0, time, neuron);
            }
            if *sigma != 0 {
                spikes.push(Spike { neuron: neuron as u32, payload: *sigma });
            }
        }
    }
}
