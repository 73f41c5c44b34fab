//! Adaptive threshold and refractoriness: Lava's `ATRLIF`.
//!
//! With `tr` the shift toward zero and `M = 2^23`:
//! ```text
//! i     = wrap(tr(trunc(i * (4096 - (delta_i + 1))), 12) + a * 64)
//! v     = clip(tr(v * keep_v, 12) + i + bias, -(M-1), M-1)
//! theta = tr((theta - theta_0) * keep_theta, 12) + theta_0
//! r     = tr(r * keep_r, 12)                       keep_x = trunc(4096 - delta_x)
//! ```
//! Spike rule: `v - r >= theta`; then `r += 2 * theta` and `theta += theta_step`. v is not reset.
//! theta starts at theta_0.
//!
//! Lava takes the decays as fractions and multiplies them by 4096 without rounding, so the decay
//! of i is not a whole number of 4096ths: `delta_i_fraction` holds its rest, and the product is
//! one of double-precision numbers, cut toward zero. The other decays are cut to whole numbers.
//!
//! State: i, v, theta, r. i wraps, v saturates (both counted); theta and r have no bound in
//! Lava's CPU model and are counted beyond 24 bits. Reference: lava-nc 0.10.0
//! `PyATRLIFModelFixed`.

use std::sync::Arc;

use crate::chip::CurrentOverflow;
use crate::emulator::{
    arithmetic::{
        DECAY_UNITY, INPUT_SHIFT, bounded_current, clip_membrane, keep_32_bits, shift_signed,
        shift_toward_zero,
    },
    error::EmulatorError,
    overflow::{OverflowCounter, OverflowKind},
    parameters::Parameters,
    spikes::Spike,
};

use super::{
    NeuronState, ParameterInfo, Process, ProcessInfo, ProcessKind, is_wide,
    lif::{BIAS_EXPONENT, BIAS_MANTISSA},
};

/// Parts of one 4096th in which the rest of the current's decay is given.
pub const FRACTION_UNITY: i64 = 1 << 52;

/// The registry entry.
pub static INFO: ProcessInfo = ProcessInfo {
    name: "atrlif",
    summary: "Integrate-and-fire with adaptive threshold and refractoriness (Lava's ATRLIF).",
    parameters: &[
        decay("delta_i", "decay of the current in 4096ths, without its fraction", 4096),
        decay("delta_i_fraction", "rest of delta_i in 2^-52 of a 4096th", FRACTION_UNITY - 1),
        decay("delta_v", "decay of the potential in 4096ths, rounded up", 4096),
        decay("delta_theta", "decay of the threshold in 4096ths, rounded up", 4096),
        decay("delta_r", "decay of the refractory state in 4096ths, rounded up", 4096),
        ParameterInfo {
            per_neuron: true,
            ..threshold("theta_0", "resting threshold in units of the state: Lava's times 64", 320)
        },
        threshold("theta_step", "rise of the threshold at a spike, in units of the state", 0),
        BIAS_MANTISSA,
        BIAS_EXPONENT,
    ],
    ports: &["a_in"],
    variables: &["i", "v", "theta", "r"],
    kind: ProcessKind::Computed(build),
};

const fn decay(name: &'static str, meaning: &'static str, maximum: i64) -> ParameterInfo {
    let (minimum, default) = (0, Some(0));
    ParameterInfo { name, meaning, minimum, maximum, default, per_neuron: true, field: None }
}

const fn threshold(name: &'static str, meaning: &'static str, default: i64) -> ParameterInfo {
    let (minimum, maximum, default) = (-(1 << 30), 1 << 30, Some(default));
    ParameterInfo { name, meaning, minimum, maximum, default, per_neuron: false, field: None }
}

#[derive(Debug)]
struct AdaptiveThreshold {
    neurons: Vec<Neuron>,
    overflow: CurrentOverflow,
    rise: i32,
}

/// What is one neuron's own.
#[derive(Debug, Clone, Copy)]
struct Neuron {
    current_factor: f64,
    /// Of v, theta and r, in 4096ths.
    kept: [i64; 3],
    resting: i32,
    bias: i32,
}

fn build(parameters: &Parameters<'_>, neurons: usize) -> Result<Arc<dyn Process>, EmulatorError> {
    let each = |name: &str| parameters.each(name, neurons);
    let decays = each("delta_i")?.zip(each("delta_i_fraction")?);
    let kept = each("delta_v")?.zip(each("delta_theta")?).zip(each("delta_r")?);
    let drives = each("theta_0")?.zip(each("bias_mant")?.zip(each("bias_exp")?));
    let own = decays.zip(kept).zip(drives);
    let neuron = |(((decay, rest), ((v, theta), r)), (resting, (mantissa, exponent)))| {
        let decay = decay as f64 + rest as f64 / FRACTION_UNITY as f64;
        Neuron {
            current_factor: DECAY_UNITY as f64 - (decay + 1.0),
            kept: [v, theta, r].map(|lost: i64| DECAY_UNITY - lost),
            resting: resting as i32,
            bias: shift_signed(mantissa, exponent as i8) as i32,
        }
    };
    Ok(Arc::new(AdaptiveThreshold {
        neurons: own.map(neuron).collect(),
        overflow: parameters.current_overflow(),
        rise: parameters.one("theta_step")? as i32,
    }))
}

impl AdaptiveThreshold {
    /// One neuron: `[i, v, theta, r]` and its input; whether it spikes and what was lost.
    fn update(&self, own: &Neuron, state: [&mut i32; 4], a: i32) -> (bool, [bool; 3]) {
        let [i, v, theta, r] = state;
        let Neuron { current_factor, kept: [keep_v, keep_theta, keep_r], resting, bias } = *own;
        let decayed = (f64::from(*i) * current_factor) as i64;
        let exact_i = shift_toward_zero(decayed, 12) + (i64::from(a) << INPUT_SHIFT);
        *i = bounded_current(exact_i, self.overflow);
        let kept = |x: i32, keep: i64| shift_toward_zero(i64::from(x) * keep, 12);
        let exact_v = kept(*v, keep_v) + i64::from(*i) + i64::from(bias);
        *v = clip_membrane(exact_v);
        let risen = kept(theta.wrapping_sub(resting), keep_theta);
        *theta = keep_32_bits(risen).wrapping_add(resting);
        *r = keep_32_bits(kept(*r, keep_r));
        let fires = v.wrapping_sub(*r) >= *theta;
        if fires {
            *r = r.wrapping_add(theta.wrapping_mul(2));
            *theta = theta.wrapping_add(self.rise);
        }
        let lost =
            [i64::from(*i) != exact_i, i64::from(*v) != exact_v, is_wide(*theta) || is_wide(*r)];
        (fires, lost)
    }
}

impl Process for AdaptiveThreshold {
    fn initial_state(&self, neurons: usize) -> NeuronState {
        let mut state = NeuronState::with_variables(neurons, 4);
        if let Some(thresholds) = state.more.first_mut() {
            for (threshold, own) in thresholds.iter_mut().zip(&self.neurons) {
                *threshold = own.resting;
            }
        }
        state
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
        let [thresholds, refractory] = more.as_mut_slice() else { return };
        let states = current.iter_mut().zip(membrane).zip(thresholds.iter_mut().zip(refractory));
        let drives = input.iter().zip(&self.neurons);
        for (neuron, (((i, v), (theta, r)), (&a, own))) in states.zip(drives).enumerate() {
            let (fires, lost) = self.update(own, [i, v, theta, r], a);
            for (variable, _) in lost.into_iter().enumerate().filter(|(_, lost)| *lost) {
                match variable {
                    0 => overflows.record(OverflowKind::Current, time, neuron),
                    1 => overflows.record(OverflowKind::Membrane, time, neuron),
                    further => overflows.record_state(further, time, neuron),
                }
            }
            if fires {
                spikes.push(Spike::plain(neuron as u32));
            }
        }
    }
}
