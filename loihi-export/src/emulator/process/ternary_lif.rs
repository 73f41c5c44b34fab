//! Integrate-and-fire with two thresholds and signed spikes: Lava's `TernaryLIF`.
//!
//! Current, membrane and bias as in [`super::lif`]. Spike and reset rule: payload +1 where
//! `v > vth_hi << 6`, -1 where `v < vth_lo << 6`, and `v = 0` after either; where both hold the
//! payloads cancel and nothing happens.
//!
//! Reference: lava-nc 0.10.0 `PyTernLifModelFixed`.

use std::sync::Arc;

use crate::emulator::{
    arithmetic::INPUT_SHIFT, error::EmulatorError, overflow::OverflowCounter,
    parameters::Parameters, spikes::Spike,
};

use super::{
    ChipField, NeuronState, ParameterInfo, Process, ProcessInfo, ProcessKind,
    lif::{BIAS_EXPONENT, BIAS_MANTISSA, CURRENT_DECAY, Membrane, VOLTAGE_DECAY},
};

/// The registry entry.
pub static INFO: ProcessInfo = ProcessInfo {
    name: "ternary_lif",
    summary: "Leaky integrate-and-fire with an upper and a lower threshold and signed spikes.",
    parameters: &[
        CURRENT_DECAY,
        VOLTAGE_DECAY,
        ParameterInfo {
            name: "vth_hi",
            meaning: "upper threshold mantissa; payload +1 above vth_hi * 64",
            minimum: -(1 << 24),
            maximum: 1 << 24,
            default: None,
            per_neuron: false,
            field: Some(ChipField::SignedThreshold),
        },
        ParameterInfo {
            name: "vth_lo",
            meaning: "lower threshold mantissa; payload -1 below vth_lo * 64",
            minimum: -(1 << 24),
            maximum: 1 << 24,
            default: None,
            per_neuron: false,
            field: Some(ChipField::SignedThreshold),
        },
        BIAS_MANTISSA,
        BIAS_EXPONENT,
    ],
    ports: &["a_in"],
    variables: &["u", "v"],
    kind: ProcessKind::Computed(build),
};

#[derive(Debug)]
struct TernaryLif {
    membrane: Membrane,
    upper: i32,
    lower: i32,
}

fn build(parameters: &Parameters<'_>, neurons: usize) -> Result<Arc<dyn Process>, EmulatorError> {
    Ok(Arc::new(TernaryLif {
        membrane: Membrane::new(parameters, neurons)?,
        upper: (parameters.one("vth_hi")? << INPUT_SHIFT) as i32,
        lower: (parameters.one("vth_lo")? << INPUT_SHIFT) as i32,
    }))
}

impl Process for TernaryLif {
    fn step(
        &self,
        time: u64,
        input: &[i32],
        state: &mut NeuronState,
        spikes: &mut Vec<Spike>,
        overflows: &mut OverflowCounter,
    ) {
        let (upper, lower) = (self.upper, self.lower);
        self.membrane.update(time, input, state, overflows, |neuron, v| {
            let payload = i32::from(v > upper) - i32::from(v < lower);
            if payload != 0 {
                spikes.push(Spike { neuron: neuron as u32, payload });
            }
            payload != 0
        });
    }
}
