//! Resonate-and-fire with graded spikes and a frequency a neuron: Lava's `RFZero`.
//!
//! In 32-bit words, with flooring shifts:
//! ```text
//! u' = (u * lct >> 15) - (v * lst >> 15) + u_in
//! v' = (v * lct >> 15) + (u * lst >> 15) + v_in
//! ```
//! Spike rule: payload u' where `u' > uth`, `v' >= 0` and `v < 0`. Nothing is reset or clipped.
//!
//! Ports: 0 `u_in`, 1 `v_in`. State: u, v. Products wrap at 32 bits, as Lava's do; wraps and
//! states beyond the declared 24 bits are counted. Reference: lava-nc 0.10.0
//! `PyRFZeroModelFixed`.

use std::sync::Arc;

use crate::emulator::{
    error::EmulatorError, overflow::OverflowCounter, parameters::Parameters, spikes::Spike,
};

use super::{NeuronState, ParameterInfo, Process, ProcessInfo, ProcessKind, is_wide};

/// The registry entry.
pub static INFO: ProcessInfo = ProcessInfo {
    name: "rf_zero",
    summary: "Resonate-and-fire with a frequency a neuron and graded spikes (Lava's RFZero).",
    parameters: &[
        ParameterInfo {
            name: "lst",
            meaning: "damped sine of the step's angle times 2^15",
            minimum: -(1 << 15),
            maximum: 1 << 15,
            default: None,
            per_neuron: true,
            field: None,
        },
        ParameterInfo {
            name: "lct",
            meaning: "damped cosine of the step's angle times 2^15",
            minimum: -(1 << 15),
            maximum: 1 << 15,
            default: None,
            per_neuron: true,
            field: None,
        },
        ParameterInfo {
            name: "uth",
            meaning: "threshold of u",
            minimum: i32::MIN as i64,
            maximum: i32::MAX as i64,
            default: Some(1),
            per_neuron: false,
            field: None,
        },
    ],
    ports: &["u_in", "v_in"],
    variables: &["u", "v"],
    kind: ProcessKind::Computed(build),
};

#[derive(Debug)]
struct RfZero {
    /// Sine and cosine of each neuron.
    angles: Vec<(i32, i32)>,
    threshold: i32,
}

fn build(parameters: &Parameters<'_>, neurons: usize) -> Result<Arc<dyn Process>, EmulatorError> {
    let sines = parameters.each("lst", neurons)?;
    let angles = sines.zip(parameters.each("lct", neurons)?);
    let angles = angles.map(|(sine, cosine)| (sine as i32, cosine as i32)).collect();
    Ok(Arc::new(RfZero { angles, threshold: parameters.one("uth")? as i32 }))
}

impl Process for RfZero {
    fn step(
        &self,
        time: u64,
        input: &[i32],
        state: &mut NeuronState,
        spikes: &mut Vec<Spike>,
        overflows: &mut OverflowCounter,
    ) {
        let (u_input, v_input) = input.split_at(input.len() / 2);
        let states = state.current.iter_mut().zip(state.membrane.iter_mut());
        let drives = u_input.iter().zip(v_input).zip(&self.angles);
        for (neuron, ((u, v), ((&a, &b), &(sine, cosine)))) in states.zip(drives).enumerate() {
            let wide = |x: i32, y: i32| x.checked_mul(y).is_none();
            let lost = [wide(*u, cosine) || wide(*v, sine), wide(*v, cosine) || wide(*u, sine)];
            let part = |x: i32, y: i32| x.wrapping_mul(y) >> 15;
            let new_u = part(*u, cosine).wrapping_sub(part(*v, sine)).wrapping_add(a);
            let new_v = part(*v, cosine).wrapping_add(part(*u, sine)).wrapping_add(b);
            for (variable, (lost, new)) in lost.into_iter().zip([new_u, new_v]).enumerate() {
                if lost || is_wide(new) {
                    overflows.record_state(variable, time, neuron);
                }
            }
            if new_u > self.threshold && new_v >= 0 && *v < 0 && new_u != 0 {
                spikes.push(Spike { neuron: neuron as u32, payload: new_u });
            }
            (*u, *v) = (new_u, new_v);
        }
    }
}
