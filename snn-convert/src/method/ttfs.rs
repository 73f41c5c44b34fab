//! Time-to-first-spike code: each neuron spikes once, the earlier the larger its activation.
//!
//! # Idea
//! A layer listens while the layer before it spikes: each spike that arrives raises the slope of the
//! potential by its weight, so a source that spikes a fraction a of its window before the end adds
//! w·a. When the window is over the potential is the trained network's pre-activation z, exactly;
//! then it rises by a ramp, the same for all, and reaches the threshold B after B − z: the spike
//! stands for z. z ≤ 0 gives no spike, so there are as many spikes as active units.
//!
//! `ttfs` keeps times to a femtosecond: a window is a second long and B at most
//! [`HEADROOM`] times the largest activation seen, so rounding a time costs 1e-15 of B. `ttfs_slots`
//! has as many time slots a window as `steps` says; its B is chosen a channel by the threshold rule,
//! and values are rounded to whole slots.
//!
//! Max pooling passes on the first spike of a window: exact. Activations above B come out as B; the
//! neurons count how often (variable `overflow`). A ReLU6 has B = 6, where that is what it does.
//!
//! # References
//! Stanojevic et al. 2022, arXiv:2212.12522; Stanojevic et al. 2024, Nature Communications 15, 6793.

use super::turns::{TurnCode, check_code, lower_in_turns};
use super::{Method, MethodConfig, MethodError, Prepared, plain_scale};
use crate::coding::InputCode;
use crate::declutter::declutter_exactly;
use crate::lower::{Conversion, SpikeValue, UnitScale};
use crate::structure::{Origin, Structure, Unit, UnitKind, structure};
use sim_core::network::Neuron;
use sim_core::neuron::first_arrival::first_arrival;
use sim_core::neuron::first_spike::first_spike;
use sim_core::neuron::first_spike_slots::first_spike_slots;
use sim_core::units::Milliseconds;

pub static METHOD: Method = Method {
    name: "ttfs",
    summary: "one spike a neuron in continuous time: the trained network's scores, exactly",
    reference: "Stanojevic et al. 2022, arXiv:2212.12522",
    convert: convert_exact,
};

pub static SLOTS: Method = Method {
    name: "ttfs_slots",
    summary: "one spike a neuron in one of `steps` time slots a layer",
    reference: "Stanojevic et al. 2022, arXiv:2212.12522, with spike times in slots",
    convert: convert_slots,
};

/// The window of a layer in exact time, as many times the largest activation in calibration.
///
/// Time is cheap here (a femtosecond is 1e-15 of a window), a value beyond the window is not.
pub const HEADROOM: f64 = 4.0;

/// Length of a window in exact time [steps of 1 ms].
const WINDOW: u32 = 1000;

/// The most slots: levels and their sums stay within what is exact.
pub const MOST_SLOTS: u32 = 4096;

fn convert_exact(
    prepared: &Prepared<'_>,
    config: &MethodConfig,
) -> Result<Conversion, MethodError> {
    check_code("ttfs", config.code, InputCode::Latency, "constant_current or latency")?;
    let exact = exact_structure(prepared);
    let structure = exact.as_ref().unwrap_or(prepared.structure);
    let prepared = &Prepared { structure, ..*prepared };
    let scales = scales(prepared, |index| {
        let sample = &prepared.calibration.units[index];
        let largest = f64::from(sample.maximum());
        vec![if largest > 0.0 { HEADROOM * largest } else { 1.0 }; sample.channels.len()]
    });
    let code = TurnCode {
        // One step more than the window: the shortest delay.
        span: WINDOW + 1,
        current_steps: WINDOW,
        current_gain: 1.0,
        neuron: &|_, opening| first_spike(milliseconds(opening), milliseconds(WINDOW)),
        maximum: first_arrival,
        readout: |_, opening| first_spike(milliseconds(opening), milliseconds(WINDOW)),
        offset: 0.0,
        ramp: Some(0),
        input_neuron: |_, _| Neuron::spike_source(),
        input_scale: 1.0,
        full_scale: 1.0,
        window: WINDOW,
        code_steps: 1,
        spike_value: SpikeValue::Earliness { window: WINDOW },
        continuous: true,
    };
    Ok(lower_in_turns(prepared, &scales, config.code, &code))
}

/// The units of the network as it was read, whose weights were not rounded again by folding; `None`
/// where folding made other units.
fn exact_structure(prepared: &Prepared<'_>) -> Option<Structure> {
    let graph = declutter_exactly(prepared.original).ok()?.graph;
    let exact = structure(&graph).ok()?;
    let folded = &prepared.structure.units;
    let same = |(a, b): (&Unit, &Unit)| a.kind == b.kind && a.shape == b.shape;
    let agree = exact.units.len() == folded.len() && exact.units.iter().zip(folded).all(same);
    agree.then_some(exact)
}

fn convert_slots(
    prepared: &Prepared<'_>,
    config: &MethodConfig,
) -> Result<Conversion, MethodError> {
    check_code("ttfs_slots", config.code, InputCode::Latency, "constant_current or latency")?;
    let slots = config.steps;
    if !(2..=MOST_SLOTS).contains(&slots) {
        let (method, got, allowed) = ("ttfs_slots", slots, "2 to 4096 time slots");
        return Err(MethodError::Steps { method, got, allowed });
    }
    let samples = &prepared.calibration.units;
    let scales = scales(prepared, |index| (config.threshold.choose)(&samples[index], slots));
    let code = TurnCode {
        span: slots,
        current_steps: slots,
        current_gain: 1.0,
        neuron: &|_, opening| first_spike_slots(milliseconds(opening), milliseconds(slots)),
        maximum: first_arrival,
        // Read in the step before it would open, so that it never spikes.
        readout: |code, opening| {
            first_spike_slots(milliseconds(opening + 1), milliseconds(code.span))
        },
        // Half a level rounds to the nearest; the ramp's first level comes with the opening.
        offset: -0.5 / f64::from(slots),
        ramp: Some(1),
        input_neuron: |_, _| Neuron::spike_source(),
        input_scale: 1.0,
        full_scale: 1.0,
        window: slots,
        code_steps: slots,
        spike_value: SpikeValue::Earliness { window: slots },
        continuous: false,
    };
    Ok(lower_in_turns(prepared, &scales, config.code, &code))
}

fn milliseconds(steps: u32) -> Milliseconds {
    Milliseconds(f64::from(steps))
}

/// The value that the full window of each unit stands for, a channel; `choose` gives that of a
/// rectifier.
pub(super) fn scales(
    prepared: &Prepared<'_>,
    choose: impl Fn(usize) -> Vec<f64>,
) -> Vec<UnitScale> {
    let mut scales: Vec<UnitScale> = Vec::new();
    for (index, unit) in prepared.structure.units.iter().enumerate() {
        let factors = match unit.kind {
            UnitKind::MaxPool => match unit.branches.first().map(|branch| branch.origin) {
                // Spikes are compared within a channel: the pool speaks its source's scale.
                Some(Origin::Unit(source)) => scales[source].output.factors.clone(),
                _ => vec![1.0],
            },
            UnitKind::Readout => vec![1.0],
            UnitKind::Rectifier { maximum } => {
                let chosen = choose(index);
                chosen.into_iter().map(|bound| bound.min(maximum)).collect()
            }
        };
        scales.push(plain_scale(unit, factors, Vec::new()));
    }
    scales
}
