//! Codes of channels for a price of a spike.

use super::super::materials::Materials;
use super::super::sensitivity::{Channel, Channels, channels};
use super::{ChannelCode, Codes, levels, rule_codes};
use crate::calibrate::UnitSample;
use crate::method::{MethodConfig, Prepared};
use crate::structure::{Unit, UnitKind};
use sim_core::neuron::phase::largest_number;

/// Activations of a channel that its level is chosen on.
const MOST_VALUES: usize = 128;
/// Levels are tried in steps of √2 around the threshold rule's: places finer, and coarser a bit.
const PLACES: (i32, i32) = (2, 2);

/// What codes are chosen by.
pub(super) struct Pricing<'a> {
    prepared: &'a Prepared<'a>,
    pub config: &'a MethodConfig,
    channels: Channels,
    /// The threshold rule's codes.
    rule: Codes,
}

impl<'a> Pricing<'a> {
    /// Prepares, with how much the scores depend on each channel on the materials' samples.
    pub fn new(materials: &Materials<'a>, config: &'a MethodConfig) -> Self {
        let prepared = materials.prepared;
        let (channels, rule) = (channels(materials), rule_codes(prepared, config));
        Pricing { prepared, config, channels, rule }
    }

    /// The mean of g² δ² over activations, with levels of four bits.
    pub fn unit_price(&self) -> f64 {
        let (mut sum, mut count) = (0.0, 0.0);
        let levels = f64::from(levels(self.config.steps)) / 15.0;
        for (code, channel) in
            self.rule.iter().zip(&self.channels).flat_map(|(a, b)| a.iter().zip(b))
        {
            sum += channel.sensitivity * (code.level * levels).powi(2);
            count += channel.active;
        }
        if count > 0.0 { sum / count } else { 0.0 }
    }

    /// The best code of each channel for a price, with up to `first_burst` spikes in the first phase.
    pub fn codes(&self, price: f64, first_burst: u32) -> Codes {
        let units = self.prepared.structure.units.iter();
        let each = units.zip(&self.prepared.calibration.units);
        let of_unit = |(index, (unit, sample)): (usize, (&Unit, &UnitSample))| {
            let UnitKind::Rectifier { maximum } = unit.kind else { return Vec::new() };
            let channels = self.rule[index].iter().zip(&self.channels[index]).zip(&sample.channels);
            let code = |((rule, channel), values): ((&ChannelCode, &Channel), &Vec<f32>)| {
                let phases = self.config.steps;
                best_code(*rule, *channel, (values, maximum), price, (phases, first_burst))
            };
            channels.map(code).collect()
        };
        each.enumerate().map(of_unit).collect()
    }
}

/// The level of a grid, and the cost, with the smallest sum of errors and spikes over a channel's
/// activations; the rule's where the scores do not depend on the channel.
fn best_code(
    rule: ChannelCode,
    channel: Channel,
    (ascending, maximum): (&[f32], f64),
    price: f64,
    (phases, first_burst): (u32, u32),
) -> ChannelCode {
    let slope = channel.sensitivity / channel.active.max(1.0);
    let active = &ascending[ascending.partition_point(|&value| value <= 0.0)..];
    if slope <= 0.0 || active.is_empty() {
        return rule;
    }
    let stride = active.len().div_ceil(MOST_VALUES).max(1);
    let values: Vec<f64> = active.iter().step_by(stride).map(|&v| f64::from(v)).collect();
    let mut best = (f64::INFINITY, rule);
    // Twice as many numbers reach as far with levels half as large.
    let finer = PLACES.0 + 2 * (first_burst.ilog2() as i32);
    for place in -finer..=2 * phases as i32 + PLACES.1 {
        let level = rule.level * (0.5 * f64::from(place)).exp2();
        // A ReLU6 never stands for more than 6.
        let most =
            (maximum / level + 0.5).floor().min(f64::from(largest_number(phases, first_burst)));
        let error = slope * level * level;
        let cost = price / error;
        let code = ChannelCode { level, cost, largest: (most as u32).max(1), phases };
        let sum: f64 = values
            .iter()
            .map(|value| {
                let value = value / level;
                let number = code.number(value);
                let off = f64::from(number) - value;
                error * off * off + price * f64::from(code.spikes(number))
            })
            .sum();
        if sum < best.0 {
            best = (sum, code);
        }
    }
    best.1
}
