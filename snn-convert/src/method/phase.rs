//! Phase code: each activation is sent as a binary number, one bit a step, the highest first.
//!
//! # Idea
//! A layer listens for K steps, each spike counting its weight times 2^(K−1−phase); then it rounds its
//! potential to a whole number of levels from 0 to 2^K − 1 and sends its bits while the next layer
//! listens. The result is that of the trained network with activations of K bits; a neuron spikes as
//! often as its number has ones, and takes a number with fewer ones where that is hardly further away
//! ([`SPIKE_COST`]). The largest number of a window has the largest leading bits, so max
//! pooling passes on the growth of the largest running sum, exactly and without waiting.
//!
//! A channel's largest number stands for what the threshold rule says (the 99.9 % percentile by
//! default); larger activations are cut (variable `overflow` counts the levels).
//!
//! # References
//! Kim et al. 2018, Neurocomputing 311:373 (weighted spikes); layers in turn as in Stöckl and Maass
//! 2021, Nature Machine Intelligence 3:230.

use super::ttfs::scales;
use super::turns::{TurnCode, check_code, lower_in_turns};
use super::{Method, MethodConfig, MethodError, Prepared};
use crate::coding::InputCode;
use crate::lower::{Conversion, SpikeValue};
use crate::structure::UnitKind;
use sim_core::neuron::integrator::integrator;
use sim_core::neuron::max_pool::max_pool;
use sim_core::neuron::phase::phase;
use sim_core::units::{Milliseconds, Quantity};

pub static METHOD: Method = Method {
    name: "phase",
    summary: "activations as binary numbers of `steps` bits, one a step, layer after layer",
    reference: "Kim et al. 2018, Neurocomputing 311:373",
    convert,
};

/// What a spike less may cost, in squared levels (`docs/design/layers_in_turn.md`).
pub const SPIKE_COST: f64 = 0.2;

/// The most phases.
pub const MOST_PHASES: u32 = 16;

fn convert(prepared: &Prepared<'_>, config: &MethodConfig) -> Result<Conversion, MethodError> {
    check_code("phase", config.code, InputCode::Phase, "constant_current or phase")?;
    let phases = config.steps;
    if !(1..=MOST_PHASES).contains(&phases) {
        let (method, got, allowed) = ("phase", phases, "1 to 16 phases");
        return Err(MethodError::Steps { method, got, allowed });
    }
    let levels = (1_u32 << phases) - 1;
    let mut scales = scales(prepared, |sample| (config.threshold.choose)(sample, levels));
    // From here on scales are the values of one level.
    for (scale, unit) in scales.iter_mut().zip(&prepared.structure.units) {
        if unit.kind != UnitKind::Readout {
            let own = [&mut scale.output.factors, &mut scale.threshold.factors];
            own.into_iter().flatten().for_each(|factor| *factor /= f64::from(levels));
        }
    }
    let code = TurnCode {
        span: phases,
        current_steps: 1,
        current_gain: 1.0,
        neuron: |code, opening| {
            let neuron = phase(Milliseconds(f64::from(opening)), code.code_steps);
            neuron.parameter("spike_cost", Quantity::from(SPIKE_COST))
        },
        maximum: max_pool,
        readout: |_, _| integrator(),
        offset: 0.0,
        ramp: None,
        input_neuron: |code, opening| phase(Milliseconds(f64::from(opening)), code.code_steps),
        input_scale: 1.0 / f64::from(levels),
        full_scale: f64::from(levels),
        window: phases,
        code_steps: phases,
        spike_value: SpikeValue::Payload,
        continuous: false,
    };
    Ok(lower_in_turns(prepared, &scales, config.code, &code))
}
