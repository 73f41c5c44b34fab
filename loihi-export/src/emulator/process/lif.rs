//! Leaky integrate-and-fire: Lava's `LIF` and, with a reset interval, `LIFReset`.
//!
//! Equations, with `a` the synaptic input, `tr` the shift toward zero and `M = 2^23`:
//! ```text
//! u = wrap(tr(u * (4096 - (du + 1)), 12) + (a << 6))
//! v = clip(tr(v * (4096 - dv), 12) + u + bias, -(M-1), M-1)
//! bias = bias_mant << bias_exp            (flooring shift right for negative exponents)
//! ```
//! Spike and reset rule: a neuron spikes where `v > vth << 6`; then `v = 0`, and `u` goes on.
//! With `reset_interval > 0`, u and v are set to 0 *before* the update of every step t (from 1)
//! with `t % reset_interval == reset_offset % reset_interval`.
//!
//! State: u, v (24 bit, in 32-bit words). Numerics: exact integers; u wraps, v saturates; both are
//! counted. Reference: lava-nc 0.10.0 `PyLifModelBitAcc`, `PyLifResetModelBitAcc`.

use std::sync::Arc;

use crate::chip::CurrentOverflow;
use crate::emulator::{
    arithmetic::{
        DECAY_UNITY, INPUT_SHIFT, bounded_current, clip_membrane, decayed_current,
        decayed_membrane, shift_signed,
    },
    error::EmulatorError,
    overflow::{OverflowCounter, OverflowKind},
    parameters::Parameters,
    spikes::Spike,
};

use super::{ChipField, DRIVEN, NeuronState, ParameterInfo, Process, ProcessInfo, ProcessKind};

/// The registry entry.
pub static INFO: ProcessInfo = ProcessInfo {
    name: "lif",
    summary: "Leaky integrate-and-fire with exponential current, hard reset and optional regular \
              reset (Lava's LIF and LIFReset).",
    parameters: &[
        CURRENT_DECAY,
        VOLTAGE_DECAY,
        ParameterInfo {
            name: "vth",
            meaning: "threshold mantissa; a neuron spikes above vth * 64",
            minimum: -(1 << 24),
            maximum: 1 << 24,
            default: None,
            per_neuron: true,
            field: Some(ChipField::Threshold),
        },
        BIAS_MANTISSA,
        BIAS_EXPONENT,
        ParameterInfo {
            name: "reset_interval",
            meaning: "steps between regular resets of u and v; 0 for none",
            minimum: 0,
            maximum: u32::MAX as i64,
            default: Some(0),
            per_neuron: false,
            field: None,
        },
        ParameterInfo {
            name: "reset_offset",
            meaning: "step, modulo the interval, in which the regular reset happens",
            minimum: 0,
            maximum: u32::MAX as i64,
            default: Some(0),
            per_neuron: false,
            field: None,
        },
        DRIVEN,
    ],
    ports: &["a_in"],
    variables: &["u", "v"],
    kind: ProcessKind::Computed(build),
};

/// Decay of the synaptic current; shared by all integrate-and-fire processes.
pub(super) const CURRENT_DECAY: ParameterInfo = ParameterInfo {
    name: "du",
    meaning: "decay of the synaptic current, factor 1 - (du + 1) / 4096; 4095 forgets in one \
              step, -1 never",
    minimum: -4096,
    maximum: 65535,
    default: Some(0),
    per_neuron: true,
    field: Some(ChipField::CurrentDecay),
};

/// Decay of the membrane potential.
pub(super) const VOLTAGE_DECAY: ParameterInfo = ParameterInfo {
    name: "dv",
    meaning: "decay of the membrane potential, factor 1 - dv / 4096; 0 never forgets",
    minimum: -4096,
    maximum: 65535,
    default: Some(0),
    per_neuron: true,
    field: Some(ChipField::VoltageDecay),
};

/// Bias mantissa. Lava stores 16 bits and wraps silently beyond them.
pub(super) const BIAS_MANTISSA: ParameterInfo = ParameterInfo {
    name: "bias_mant",
    meaning: "bias mantissa, added to the membrane potential each step times 2^bias_exp",
    minimum: i16::MIN as i64,
    maximum: i16::MAX as i64,
    default: Some(0),
    per_neuron: true,
    field: Some(ChipField::BiasMantissa),
};

/// Bias exponent.
pub(super) const BIAS_EXPONENT: ParameterInfo = ParameterInfo {
    name: "bias_exp",
    meaning: "bias exponent; 6 gives the bias the weights' unit",
    minimum: -31,
    maximum: 31,
    default: Some(0),
    per_neuron: true,
    field: Some(ChipField::BiasExponent),
};

/// The update of u and v that all integrate-and-fire processes share.
#[derive(Debug)]
pub(super) struct Membrane {
    /// Factors of current and membrane; one for all neurons, or one each.
    factors: Factors,
    /// What becomes of a current beyond its 24 bits.
    overflow: CurrentOverflow,
    /// Effective bias; one value a neuron.
    bias: Vec<i32>,
}

#[derive(Debug)]
enum Factors {
    One(i64, i64),
    Each(Vec<(i64, i64)>),
}

impl Membrane {
    pub(super) fn new(parameters: &Parameters<'_>, neurons: usize) -> Result<Self, EmulatorError> {
        let mantissas = parameters.each("bias_mant", neurons)?;
        let exponents = parameters.each("bias_exp", neurons)?;
        let bias = mantissas.zip(exponents).map(|(m, e)| shift_signed(m, e as i8) as i32).collect();
        let decays = parameters.each("du", neurons)?.zip(parameters.each("dv", neurons)?);
        let factors: Vec<_> =
            decays.map(|(du, dv)| (DECAY_UNITY - (du + 1), DECAY_UNITY - dv)).collect();
        let factors = match factors.first() {
            Some(&first) if factors.iter().all(|&other| other == first) => {
                Factors::One(first.0, first.1)
            }
            _ => Factors::Each(factors),
        };
        Ok(Self { factors, overflow: parameters.current_overflow(), bias })
    }

    /// Updates all neurons; `fire` says what payload a membrane potential emits (0 for none).
    pub(super) fn update(
        &self,
        step: u64,
        input: &[i32],
        state: &mut NeuronState,
        overflows: &mut OverflowCounter,
        fire: impl FnMut(usize, i32) -> bool,
    ) {
        // The two ends of each decay are exact without a product; converted networks use both.
        match &self.factors {
            &Factors::One(0, DECAY_UNITY) => {
                self.update_with(
                    |_, _| 0,
                    |_, v| i64::from(v),
                    step,
                    input,
                    state,
                    overflows,
                    fire,
                );
            }
            &Factors::One(0, membrane) => self.update_with(
                |_, _| 0,
                |_, v| decayed_membrane(v, membrane, 0, 0),
                step,
                input,
                state,
                overflows,
                fire,
            ),
            &Factors::One(current, membrane) => self.update_with(
                |_, u| decayed_current(u, current, 0),
                |_, v| decayed_membrane(v, membrane, 0, 0),
                step,
                input,
                state,
                overflows,
                fire,
            ),
            Factors::Each(factors) => {
                let at = |neuron: usize| factors.get(neuron).copied().unwrap_or_default();
                self.update_with(
                    |neuron, u| decayed_current(u, at(neuron).0, 0),
                    |neuron, v| decayed_membrane(v, at(neuron).1, 0, 0),
                    step,
                    input,
                    state,
                    overflows,
                    fire,
                );
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "monomorphised inner loop")]
    #[inline(always)]
    fn update_with(
        &self,
        decay_current: impl Fn(usize, i32) -> i64,
        decay_membrane: impl Fn(usize, i32) -> i64,
        step: u64,
        input: &[i32],
        state: &mut NeuronState,
        overflows: &mut OverflowCounter,
        mut fire: impl FnMut(usize, i32) -> bool,
    ) {
        let states = state.current.iter_mut().zip(state.membrane.iter_mut());
        let drives = input.iter().zip(&self.bias);
        for (neuron, ((u, v), (&a, &bias))) in states.zip(drives).enumerate() {
            let exact = decay_current(neuron, *u) + (i64::from(a) << INPUT_SHIFT);
            *u = bounded_current(exact, self.overflow);
            if i64::from(*u) != exact {
                overflows.record(OverflowKind::Current, step, neuron);
            }
            let exact = decay_membrane(neuron, *v) + i64::from(*u) + i64::from(bias);
            *v = clip_membrane(exact);
            if i64::from(*v) != exact {
                overflows.record(OverflowKind::Membrane, step, neuron);
            }
            if fire(neuron, *v) {
                *v = 0;
            }
        }
    }
}

#[derive(Debug)]
struct Lif {
    membrane: Membrane,
    /// One a neuron.
    thresholds: Vec<i32>,
    reset_interval: u64,
    reset_offset: u64,
}

fn build(parameters: &Parameters<'_>, neurons: usize) -> Result<Arc<dyn Process>, EmulatorError> {
    Ok(Arc::new(Lif {
        membrane: Membrane::new(parameters, neurons)?,
        thresholds: parameters
            .each("vth", neurons)?
            .map(|vth| (vth << INPUT_SHIFT) as i32)
            .collect(),
        reset_interval: parameters.one("reset_interval")? as u64,
        reset_offset: parameters.one("reset_offset")? as u64,
    }))
}

impl Process for Lif {
    fn step(
        &self,
        time: u64,
        input: &[i32],
        state: &mut NeuronState,
        spikes: &mut Vec<Spike>,
        overflows: &mut OverflowCounter,
    ) {
        let interval = self.reset_interval;
        if interval > 0 && time % interval == self.reset_offset % interval {
            state.clear();
        }
        let thresholds = self.thresholds.as_slice();
        self.membrane.update(time, input, state, overflows, |neuron, v| {
            let fires = thresholds.get(neuron).is_some_and(|&threshold| v > threshold);
            if fires {
                spikes.push(Spike::plain(neuron as u32));
            }
            fires
        });
    }
}
