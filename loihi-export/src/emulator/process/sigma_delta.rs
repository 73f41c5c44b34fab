//! Summing, activation and delta coding in one neuron: Lava's `SigmaDelta`.
//!
//! In 32-bit words:
//! ```text
//! sigma += a
//! x = sigma + bias, or max(sigma + bias, 0) with relu
//! ```
//! then x is coded as in [`super::delta`]. The input is *not* shifted: the weights before it have
//! to give it the unit of the state.
//!
//! State: sigma, act, residue, error. Values beyond the declared 24 bits are kept, as in Lava's
//! CPU model, and counted. Reference: lava-nc 0.10.0 `PySigmaDeltaModelFixed`.

use std::sync::Arc;

use crate::emulator::{
    error::EmulatorError, overflow::OverflowCounter, parameters::Parameters, spikes::Spike,
};

use super::{
    NeuronState, ParameterInfo, Process, ProcessInfo, ProcessKind,
    delta::{CUMULATIVE_ERROR, Coder, CoderState, SPIKE_EXPONENT, STATE_EXPONENT, THRESHOLD},
    is_wide,
};

/// The registry entry.
pub static INFO: ProcessInfo = ProcessInfo {
    name: "sigma_delta",
    summary: "Adds changes up, applies an activation and sends its changes (Lava's SigmaDelta).",
    parameters: &[
        THRESHOLD,
        ParameterInfo {
            name: "bias",
            meaning: "bias in units of the state: Lava's bias times 2^(spike_exp + state_exp)",
            minimum: i32::MIN as i64,
            maximum: i32::MAX as i64,
            default: Some(0),
            per_neuron: true,
            field: None,
        },
        ParameterInfo {
            name: "relu",
            meaning: "1 for a rectified activation, 0 for the identity",
            minimum: 0,
            maximum: 1,
            default: Some(1),
            per_neuron: false,
            field: None,
        },
        SPIKE_EXPONENT,
        STATE_EXPONENT,
        CUMULATIVE_ERROR,
    ],
    ports: &["a_in"],
    variables: &["sigma", "act", "residue", "error"],
    kind: ProcessKind::Computed(build),
};

#[derive(Debug)]
struct SigmaDelta {
    coder: Coder,
    bias: Vec<i32>,
    rectified: bool,
}

fn build(parameters: &Parameters<'_>, neurons: usize) -> Result<Arc<dyn Process>, EmulatorError> {
    Ok(Arc::new(SigmaDelta {
        coder: Coder::new(parameters)?,
        bias: parameters.each("bias", neurons)?.map(|bias| bias as i32).collect(),
        rectified: parameters.one("relu")? != 0,
    }))
}

impl Process for SigmaDelta {
    fn initial_state(&self, neurons: usize) -> NeuronState {
        NeuronState::with_variables(neurons, 4)
    }

    fn step(
        &self,
        time: u64,
        input: &[i32],
        state: &mut NeuronState,
        spikes: &mut Vec<Spike>,
        overflows: &mut OverflowCounter,
    ) {
        let NeuronState { current, membrane, more } = state;
        let [residues, errors] = more.as_mut_slice() else { return };
        let states = current.iter_mut().zip(membrane).zip(residues.iter_mut().zip(errors));
        let drives = input.iter().zip(&self.bias);
        for (neuron, (((sigma, activation), (residue, error)), (&a, &bias))) in
            states.zip(drives).enumerate()
        {
            *sigma = sigma.wrapping_add(a);
            let biased = sigma.wrapping_add(bias);
            let value = if self.rectified { biased.max(0) } else { biased };
            let (payload, lost) = self.coder.code(value, CoderState { activation, residue, error });
            for (variable, lost) in [is_wide(*sigma), lost].into_iter().enumerate() {
                if lost {
                    overflows.record_state(variable, time, neuron);
                }
            }
            if payload != 0 {
                spikes.push(Spike { neuron: neuron as u32, payload });
            }
        }
    }
}
