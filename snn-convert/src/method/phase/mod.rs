//! Phase code: each activation is sent as a binary number, one bit a step, the highest first.
//!
//! # Idea
//! A layer listens for K steps, each spike counting its weight times 2^(K−1−phase); then it rounds its
//! potential to a whole number of levels from 0 to 2^K − 1 and sends its bits while the next layer
//! listens. The result is that of the trained network with activations of K bits; a neuron spikes as
//! often as its number has ones, and takes a number with fewer ones where that is hardly further away.
//! The largest number of a window has the largest leading bits, so max pooling passes on the growth of
//! the largest running sum, exactly and without waiting.
//!
//! - `phase` trades spikes against errors of the scores ([`tune`]): each channel's level and the
//!   error that a spike less may cost come from how much the scores depend on the channel, and
//!   weights ([`refit`]) and biases make up for what rounding takes away. The coarsest trade at which
//!   the answers are still the trained network's is taken. A channel that few scores depend on sends
//!   its large activations only. Where numbers of K bits are too coarse, as in deep networks of thin
//!   layers, the first phase may hold several spikes: levels are finer then, and only large numbers,
//!   which are rare, cost more.
//! - `phase_plain` takes the threshold rule's value (the 99.9 % percentile by default) as the largest
//!   number of a channel, and the same cost, [`SPIKE_COST`], everywhere.
//!
//! Larger activations are cut (variable `overflow` counts the levels).
//!
//! # References
//! Kim et al. 2018, Neurocomputing 311:373 (weighted spikes); layers in turn as in Stöckl and Maass
//! 2021, Nature Machine Intelligence 3:230.

mod codes;
mod descent;
mod fit;
mod network;
mod refit;
mod ridge;
mod tune;
mod wanted;

use super::ttfs::scales;
use super::turns::{TurnCode, check_code, lower_in_turns};
use super::{Method, MethodConfig, MethodError, Prepared};
use crate::coding::InputCode;
use crate::lower::{Conversion, SpikeValue, UnitScale};
use crate::structure::UnitKind;
use sim_core::neuron::integrator::integrator;
use sim_core::neuron::max_pool::max_pool;
use sim_core::neuron::phase::{largest_number, number_for, phase, spikes_of};
use sim_core::units::{Milliseconds, Values};

pub static METHOD: Method = Method {
    name: "phase",
    summary: "activations as binary numbers of `steps` bits, a step each; fitted for few spikes",
    reference: "Kim et al. 2018, Neurocomputing 311:373",
    convert: |prepared, config| {
        check(config)?;
        tune::convert(prepared, config)
    },
};

pub static PLAIN: Method = Method {
    name: "phase_plain",
    summary: "as phase, with the threshold rule's range and one rounding for all channels",
    reference: "Kim et al. 2018, Neurocomputing 311:373",
    convert: |prepared, config| {
        check(config)?;
        let codes = rule_codes(prepared, config);
        Ok(describe(prepared, config, &codes, &scales_of(prepared, &codes)))
    },
};

/// What a spike less may cost without a search, in squared levels (`docs/design/layers_in_turn.md`).
pub const SPIKE_COST: f64 = 0.2;

/// The most phases.
pub const MOST_PHASES: u32 = 16;

/// How one channel rounds its activations.
#[derive(Debug, Clone, Copy, PartialEq)]
struct ChannelCode {
    /// Activation that the number 1 stands for.
    level: f64,
    /// Squared error, in levels, that a spike less may cost.
    cost: f64,
    /// The largest number.
    largest: u32,
    /// Phases of a number.
    phases: u32,
}

impl ChannelCode {
    /// The number that is sent for a potential in levels.
    fn number(self, potential: f64) -> u32 {
        number_for(potential, self.phases, self.largest, self.cost)
    }

    /// Spikes of a number.
    fn spikes(self, number: u32) -> u32 {
        spikes_of(number, self.phases)
    }
}

/// One code a channel of each unit; of units that are no rectifiers none.
type Codes = Vec<Vec<ChannelCode>>;

fn check(config: &MethodConfig) -> Result<(), MethodError> {
    check_code("phase", config.code, InputCode::Phase, "constant_current or phase")?;
    if (1..=MOST_PHASES).contains(&config.steps) {
        return Ok(());
    }
    let (method, got, allowed) = ("phase", config.steps, "1 to 16 phases");
    Err(MethodError::Steps { method, got, allowed })
}

/// The largest number of so many bits.
fn levels(phases: u32) -> u32 {
    (1 << phases) - 1
}

/// The threshold rule's range for every channel.
fn rule_codes(prepared: &Prepared<'_>, config: &MethodConfig) -> Codes {
    let largest = levels(config.steps);
    let of_unit = |(unit, sample): (&crate::structure::Unit, _)| {
        let UnitKind::Rectifier { maximum } = unit.kind else { return Vec::new() };
        let bounds = (config.threshold.choose)(sample, largest).into_iter();
        let level = |bound: f64| bound.min(maximum) / f64::from(largest);
        let phases = config.steps;
        let code = |bound| ChannelCode { level: level(bound), cost: SPIKE_COST, largest, phases };
        bounds.map(code).collect()
    };
    let units = prepared.structure.units.iter().zip(&prepared.calibration.units);
    units.map(of_unit).collect()
}

/// Scales whose unit is a level.
fn scales_of(prepared: &Prepared<'_>, codes: &Codes) -> Vec<UnitScale> {
    scales(prepared, |index| codes[index].iter().map(|code| code.level).collect())
}

/// The spiking network.
fn describe(
    prepared: &Prepared<'_>,
    config: &MethodConfig,
    codes: &Codes,
    scales: &[UnitScale],
) -> Conversion {
    let (phases, levels) = (config.steps, f64::from(levels(config.steps)));
    let largest = codes.iter().flatten().map(|code| code.largest).max().unwrap_or(1);
    let first = 1 << (phases - 1);
    let burst = (largest / first).max(1);
    let bare = |opening: u32| {
        let neuron = phase(Milliseconds(f64::from(opening)), phases);
        match burst {
            1 => neuron,
            _ => neuron.parameter("first_burst", f64::from(burst)),
        }
    };
    let neuron = |index: usize, opening: u32| {
        let per_channel = prepared.structure.units[index].shape.per_channel().max(1);
        let each = |value: fn(&ChannelCode) -> f64| {
            let all: Vec<f64> = codes[index].iter().map(value).collect();
            match all.split_first() {
                Some((first, rest)) if rest.iter().all(|value| value == first) => {
                    Values::from(*first)
                }
                _ => Values::numbers(
                    all.iter().flat_map(|&v| std::iter::repeat_n(v, per_channel)).collect(),
                ),
            }
        };
        bare(opening)
            .parameter("spike_cost", each(|code| code.cost))
            .parameter("largest", each(|code| f64::from(code.largest)))
    };
    let code = TurnCode {
        span: phases,
        current_steps: 1,
        current_gain: 1.0,
        neuron: &neuron,
        maximum: max_pool,
        readout: |_, _| integrator(),
        offset: 0.0,
        ramp: None,
        input_neuron: |code, opening| phase(Milliseconds(f64::from(opening)), code.code_steps),
        input_scale: 1.0 / levels,
        full_scale: f64::from(largest_number(phases, burst)),
        window: phases,
        code_steps: phases,
        spike_value: SpikeValue::Payload { first },
        continuous: false,
    };
    lower_in_turns(prepared, scales, config.code, &code)
}
