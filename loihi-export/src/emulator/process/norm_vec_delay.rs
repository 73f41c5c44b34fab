//! Scales a graded vector by a factor that arrives a step later: Lava's `NormVecDelay`.
//!
//! In step t: `s2_out = a1[t]^2`; payload `p = a1[t - 1] * a2[t]` where `|p| > vth`; all in 32-bit
//! words. Lava's own description says two steps, its model waits one. Its parameter `exp` has no
//! effect.
//!
//! Ports: 0 `a_in1`, 1 `a_in2`. State: `v = a1[t]`, `v2 = a1[t - 1]`, and `s2_out`, Lava's second
//! output: a projection takes the first; squares for another population are those of a
//! `prod_neuron` whose both ports get the same input. Products that wrap are counted, at v2 for
//! payloads and at `s2_out` for squares. Reference: lava-nc 0.10.0 `NormVecDelayModel`.

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
    name: "norm_vec_delay",
    summary: "Scales its first input of the step before by its second (Lava's NormVecDelay).",
    parameters: &[THRESHOLD],
    ports: &["a_in1", "a_in2"],
    variables: &["v", "v2", "s2_out"],
    kind: ProcessKind::Computed(build),
};

/// Position of `v2` among the variables.
const EARLIER: usize = 1;
/// Position of `s2_out` among the variables.
const SQUARE: usize = 2;

#[derive(Debug)]
struct NormVecDelay {
    threshold: i32,
}

fn build(parameters: &Parameters<'_>, _neurons: usize) -> Result<Arc<dyn Process>, EmulatorError> {
    Ok(Arc::new(NormVecDelay { threshold: parameters.one("vth")? as i32 }))
}

impl Process for NormVecDelay {
    fn initial_state(&self, neurons: usize) -> NeuronState {
        NeuronState::with_variables(neurons, INFO.variables.len())
    }

    fn step(
        &self,
        time: u64,
        input: &[i32],
        state: &mut NeuronState,
        spikes: &mut Vec<Spike>,
        overflows: &mut OverflowCounter,
    ) {
        let (vector, factors) = input.split_at(input.len() / 2);
        let NeuronState { current, membrane, more } = state;
        std::mem::swap(current, membrane);
        current.clear();
        current.extend_from_slice(vector);
        let squares = more.iter_mut().flatten();
        for (neuron, (square, &value)) in squares.zip(vector).enumerate() {
            let (product, wrapped) = value.overflowing_mul(value);
            *square = product;
            if wrapped {
                overflows.record_state(SQUARE, time, neuron);
            }
        }
        let products = membrane.iter().zip(factors).enumerate().map(|(neuron, (&a, &b))| {
            let (product, wrapped) = a.overflowing_mul(b);
            if wrapped {
                overflows.record_state(EARLIER, time, neuron);
            }
            product
        });
        send(products, spikes, |value| value.wrapping_abs() > self.threshold);
    }
}
