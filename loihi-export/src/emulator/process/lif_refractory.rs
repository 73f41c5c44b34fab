//! Leaky integrate-and-fire whose potential is held for a while after a spike, as on Loihi.
//!
//! u and v as in [`super::lif`]. Spike and reset rule: a neuron spikes where `v > vth << 6`; then
//! `v = 0`, and v is held there in the next `refractory - 1` steps, while u goes on. Input of those
//! steps acts through what is left of u afterwards.
//!
//! State: u, v, held (steps for which v is still held). Lava's CPU models have no such neuron in
//! fixed point; source: the compartment's refractory delay of Loihi 1, as brian2-loihi 0.5.2 computes
//! it (C. Michaelis et al., Frontiers in Neuroinformatics 16:1015624, 2022).

use std::sync::Arc;

use crate::emulator::{
    arithmetic::INPUT_SHIFT, error::EmulatorError, overflow::OverflowCounter,
    parameters::Parameters, spikes::Spike,
};
use crate::quantise::network::LONGEST_REFRACTORY;

use super::{
    ChipField, NeuronState, ParameterInfo, Process, ProcessInfo, ProcessKind,
    lif::{BIAS_EXPONENT, BIAS_MANTISSA, CURRENT_DECAY, Membrane, VOLTAGE_DECAY},
};

/// The registry entry.
pub static INFO: ProcessInfo = ProcessInfo {
    name: "lif_refractory",
    summary: "Leaky integrate-and-fire whose potential is held after a spike (Loihi's refractory \
              delay; Lava has none in fixed point).",
    parameters: &[
        CURRENT_DECAY,
        VOLTAGE_DECAY,
        ParameterInfo {
            name: "vth",
            meaning: "threshold mantissa; a neuron spikes above vth * 64",
            minimum: 0,
            maximum: 1 << 24,
            default: None,
            per_neuron: true,
            field: Some(ChipField::Threshold),
        },
        BIAS_MANTISSA,
        BIAS_EXPONENT,
        ParameterInfo {
            name: "refractory",
            meaning: "steps from a spike to the first step in which v moves again; 1 holds nothing",
            minimum: 1,
            maximum: LONGEST_REFRACTORY,
            default: Some(1),
            per_neuron: false,
            field: None,
        },
    ],
    ports: &["a_in"],
    variables: &["u", "v", "held"],
    kind: ProcessKind::Computed(build),
};

#[derive(Debug)]
struct RefractoryLif {
    membrane: Membrane,
    /// One a neuron.
    thresholds: Vec<i32>,
    /// Steps for which v is held after a spike.
    hold: i32,
}

fn build(parameters: &Parameters<'_>, neurons: usize) -> Result<Arc<dyn Process>, EmulatorError> {
    let thresholds = parameters.each("vth", neurons)?;
    Ok(Arc::new(RefractoryLif {
        membrane: Membrane::new(parameters, neurons)?,
        thresholds: thresholds.map(|vth| (vth << INPUT_SHIFT) as i32).collect(),
        hold: parameters.one("refractory")? as i32 - 1,
    }))
}

impl Process for RefractoryLif {
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
        // The update borrows the whole state.
        let mut held = state.more.pop().unwrap_or_default();
        self.membrane.update(time, input, state, overflows, |neuron, v| {
            let (Some(held), Some(&threshold)) =
                (held.get_mut(neuron), self.thresholds.get(neuron))
            else {
                return false;
            };
            // Resetting is holding: the update moved v, and it goes back to 0.
            if *held > 0 {
                *held -= 1;
                return true;
            }
            let fires = v > threshold;
            if fires {
                *held = self.hold;
                spikes.push(Spike::plain(neuron as u32));
            }
            fires
        });
        state.more.push(held);
    }
}
