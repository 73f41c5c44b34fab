//! Resonate-and-fire: Lava's `RF`.
//!
//! A damped rotation of a complex state. With `tr` the shift toward zero and `M = 2^23`:
//! ```text
//! re' = clip(tr(cos * re, db) - tr(sin * im, db) + (a_real << se), -(M-1), M-1)
//! im' = clip(tr(sin * re, db) + tr(cos * im, db) + (a_imag << se), -(M-1), M-1)
//! ```
//! Spike rule: `re' >= vth` in the step in which the phase passes zero, `im < 0` and `im' >= 0`.
//! Nothing is reset.
//!
//! Ports: 0 `a_real_in`, 1 `a_imag_in`. State: real, imag (24 bit); clips are counted.
//! Reference: lava-nc 0.10.0 `PyRFModelFixed`; E. Izhikevich, "Resonate-and-fire neurons", 2001.

use std::sync::Arc;

use crate::emulator::{
    arithmetic::{STATE_BOUND, keep_32_bits, shift_toward_zero},
    error::EmulatorError,
    overflow::OverflowCounter,
    parameters::Parameters,
    spikes::Spike,
};

use super::{NeuronState, ParameterInfo, Process, ProcessInfo, ProcessKind};

/// The registry entry.
pub static INFO: ProcessInfo = ProcessInfo {
    name: "rf",
    summary: "Resonate-and-fire that spikes where its phase passes zero (Lava's RF).",
    parameters: PARAMETERS,
    ports: PORTS,
    variables: VARIABLES,
    kind: ProcessKind::Computed(build),
};

/// Input ports of both resonators.
pub(super) const PORTS: &[&str] = &["a_real_in", "a_imag_in"];
/// State of both resonators.
pub(super) const VARIABLES: &[&str] = &["real", "imag"];
/// Parameters of both resonators.
pub(super) const PARAMETERS: &[ParameterInfo] = &[
    parameter("sin_decay", "(1 - alpha) * sin(2 pi / period) * 2^decay_bits", DECAY, None),
    parameter("cos_decay", "(1 - alpha) * cos(2 pi / period) * 2^decay_bits", DECAY, None),
    parameter("vth", "threshold in units of the state", (-(1 << 30), 1 << 30), None),
    parameter("state_exp", "synaptic input is shifted left by this", (0, 16), Some(6)),
    parameter("decay_bits", "fractional bits of the two decays", (0, 24), Some(12)),
];

const DECAY: (i64, i64) = (-(1 << 24), 1 << 24);

const fn parameter(
    name: &'static str,
    meaning: &'static str,
    (minimum, maximum): (i64, i64),
    default: Option<i64>,
) -> ParameterInfo {
    ParameterInfo { name, meaning, minimum, maximum, default, per_neuron: false, field: None }
}

/// The damped rotation that both resonators share.
#[derive(Debug)]
pub(super) struct Rotation {
    sine: i64,
    cosine: i64,
    decay_bits: u32,
    state_exponent: u32,
    /// Threshold in units of the state.
    pub(super) threshold: i32,
}

impl Rotation {
    pub(super) fn new(parameters: &Parameters<'_>) -> Result<Self, EmulatorError> {
        Ok(Self {
            sine: parameters.one("sin_decay")?,
            cosine: parameters.one("cos_decay")?,
            decay_bits: parameters.one("decay_bits")? as u32,
            state_exponent: parameters.one("state_exp")? as u32,
            threshold: parameters.one("vth")? as i32,
        })
    }

    /// Turns all neurons; `fire` gets the old imaginary part and the new state, which it may
    /// reset, and says whether the neuron spikes.
    pub(super) fn turn(
        &self,
        step: u64,
        input: &[i32],
        state: &mut NeuronState,
        spikes: &mut Vec<Spike>,
        overflows: &mut OverflowCounter,
        fire: impl Fn(i32, &mut i32, &mut i32) -> bool,
    ) {
        let (real_input, imaginary_input) = input.split_at(input.len() / 2);
        let states = state.current.iter_mut().zip(state.membrane.iter_mut());
        let drives = real_input.iter().zip(imaginary_input);
        for (neuron, ((real, imaginary), (&a, &b))) in states.zip(drives).enumerate() {
            let part = |factor: i64, value: i32| {
                shift_toward_zero(factor * i64::from(value), self.decay_bits)
            };
            let drive = |value: i32| keep_32_bits(i64::from(value) << self.state_exponent);
            let turned = [
                part(self.cosine, *real) - part(self.sine, *imaginary) + i64::from(drive(a)),
                part(self.sine, *real) + part(self.cosine, *imaginary) + i64::from(drive(b)),
            ];
            let before = *imaginary;
            let [new_real, new_imaginary] =
                turned.map(|exact| exact.clamp(1 - STATE_BOUND, STATE_BOUND - 1));
            let clipped = [new_real, new_imaginary].into_iter().zip(turned).enumerate();
            for (variable, _) in clipped.filter(|(_, (kept, exact))| kept != exact) {
                overflows.record_state(variable, step, neuron);
            }
            (*real, *imaginary) = (new_real as i32, new_imaginary as i32);
            if fire(before, real, imaginary) {
                spikes.push(Spike::plain(neuron as u32));
            }
        }
    }
}

#[derive(Debug)]
struct ResonateAndFire {
    rotation: Rotation,
}

fn build(parameters: &Parameters<'_>, _neurons: usize) -> Result<Arc<dyn Process>, EmulatorError> {
    Ok(Arc::new(ResonateAndFire { rotation: Rotation::new(parameters)? }))
}

impl Process for ResonateAndFire {
    fn step(
        &self,
        time: u64,
        input: &[i32],
        state: &mut NeuronState,
        spikes: &mut Vec<Spike>,
        overflows: &mut OverflowCounter,
    ) {
        let threshold = self.rotation.threshold;
        self.rotation.turn(time, input, state, spikes, overflows, |before, real, imaginary| {
            *real >= threshold && *imaginary >= 0 && before < 0
        });
    }
}
