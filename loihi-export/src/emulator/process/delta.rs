//! Delta coding of a graded signal: Lava's `Delta`.
//!
//! In 32-bit words:
//! ```text
//! x = a << (spike_exp + state_exp)
//! d = x - act + residue;  act = x
//! ```
//! Spike rule: without `cum_error` s = d where `|d| >= vth`, else 0. With it `error += d` and
//! s = d where `|error| >= vth`; `error = 0` where s is not 0. Then `residue = d - s`, and the
//! payload is `s >> state_exp` (flooring).
//!
//! State: act, residue, error. Nothing wraps at 24 bits in Lava's CPU model; states beyond them
//! are counted. Reference: lava-nc 0.10.0 `PyDeltaModelFixed`.

use std::sync::Arc;

use crate::emulator::{
    error::EmulatorError, overflow::OverflowCounter, parameters::Parameters, spikes::Spike,
};

use super::{DRIVEN, NeuronState, ParameterInfo, Process, ProcessInfo, ProcessKind, is_wide};

/// The registry entry.
pub static INFO: ProcessInfo = ProcessInfo {
    name: "delta",
    summary: "Sends the change of its input where that reaches a threshold (Lava's Delta).",
    parameters: &[THRESHOLD, SPIKE_EXPONENT, STATE_EXPONENT, CUMULATIVE_ERROR, DRIVEN],
    ports: &["a_in"],
    variables: &["act", "residue", "error"],
    kind: ProcessKind::Computed(build),
};

/// Threshold of both delta coders.
pub(super) const THRESHOLD: ParameterInfo = ParameterInfo {
    name: "vth",
    meaning: "threshold in units of the state: Lava's vth times 2^(spike_exp + state_exp)",
    minimum: i32::MIN as i64,
    maximum: i32::MAX as i64,
    default: None,
    per_neuron: false,
    field: None,
};

/// Fractional bits of the spikes.
pub(super) const SPIKE_EXPONENT: ParameterInfo = ParameterInfo {
    name: "spike_exp",
    meaning: "fractional bits of a spike's payload",
    minimum: 0,
    maximum: 15,
    default: Some(0),
    per_neuron: false,
    field: None,
};

/// Further fractional bits of the state.
pub(super) const STATE_EXPONENT: ParameterInfo = ParameterInfo {
    name: "state_exp",
    meaning: "fractional bits of the state beyond those of the payload",
    minimum: 0,
    maximum: 15,
    default: Some(0),
    per_neuron: false,
    field: None,
};

/// Whether changes are added up until they reach the threshold.
pub(super) const CUMULATIVE_ERROR: ParameterInfo = ParameterInfo {
    name: "cum_error",
    meaning: "1 to compare the sum of the changes since the last spike with the threshold",
    minimum: 0,
    maximum: 1,
    default: Some(0),
    per_neuron: false,
    field: None,
};

/// The coder that Delta and SigmaDelta share.
#[derive(Debug)]
pub(super) struct Coder {
    threshold: i32,
    state_exponent: u32,
    cumulative: bool,
}

/// Where a neuron keeps the coder's state.
pub(super) struct CoderState<'a> {
    pub(super) activation: &'a mut i32,
    pub(super) residue: &'a mut i32,
    pub(super) error: &'a mut i32,
}

impl Coder {
    pub(super) fn new(parameters: &Parameters<'_>) -> Result<Self, EmulatorError> {
        Ok(Self {
            threshold: parameters.one("vth")? as i32,
            state_exponent: parameters.one("state_exp")? as u32,
            cumulative: parameters.one("cum_error")? != 0,
        })
    }

    /// Codes one value; returns the payload and whether a state left 24 bits.
    pub(super) fn code(&self, value: i32, state: CoderState<'_>) -> (i32, bool) {
        let CoderState { activation, residue, error } = state;
        let change = value.wrapping_sub(*activation).wrapping_add(*residue);
        let compared = if self.cumulative {
            *error = error.wrapping_add(change);
            *error
        } else {
            change
        };
        // The absolute value of the smallest number is negative, as numpy's is.
        let sent = if compared.wrapping_abs() >= self.threshold { change } else { 0 };
        let lost = is_wide(change) || is_wide(*error);
        if self.cumulative && sent != 0 {
            *error = 0;
        }
        *residue = change.wrapping_sub(sent);
        *activation = value;
        (sent >> self.state_exponent, lost || is_wide(value))
    }
}

#[derive(Debug)]
struct Delta {
    coder: Coder,
    shift: u32,
}

fn build(parameters: &Parameters<'_>, _neurons: usize) -> Result<Arc<dyn Process>, EmulatorError> {
    let shift = parameters.one("spike_exp")? + parameters.one("state_exp")?;
    Ok(Arc::new(Delta { coder: Coder::new(parameters)?, shift: shift as u32 }))
}

impl Process for Delta {
    fn initial_state(&self, neurons: usize) -> NeuronState {
        NeuronState::with_variables(neurons, 3)
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
        let [errors] = more.as_mut_slice() else { return };
        let states = current.iter_mut().zip(membrane).zip(errors);
        for (neuron, (((activation, residue), error), &a)) in states.zip(input).enumerate() {
            let exact = i64::from(a) << self.shift;
            let value = exact as i32;
            let (payload, lost) = self.coder.code(value, CoderState { activation, residue, error });
            if lost || i64::from(value) != exact {
                overflows.record_state(0, time, neuron);
            }
            if payload != 0 {
                spikes.push(Spike { neuron: neuron as u32, payload });
            }
        }
    }
}
