//! Trades spikes of a phase code against errors of the scores.
//!
//! # Idea
//! With g² the squared derivatives of all scores by an activation a, sending the number n in levels δ
//! costs g² (n δ − a)² of squared error and as many spikes as n has ones. For a price λ of a spike the
//! sum g² (n δ − a)² + λ · ones(n) over the calibration samples is smallest where every neuron takes
//! the n for which (n − a/δ)² + λ/(g² δ²) · ones(n) is smallest, which is the neuron's own rule with
//! that cost; so a channel's δ is the best of a grid, and its cost follows. Biases are then moved,
//! layer by layer, by what potentials miss on average: what rounding takes away costs no accuracy,
//! and no spikes.
//!
//! Prices are tried from the highest down, until the answers are those of the trained network
//! (`snn-convert/src/method/goal.rs`). This is the rate-distortion view of quantisation with spikes as
//! the rate.
//!
//! # References
//! Shoham and Gersho 1988, IEEE Trans. ASSP 36:1445 (one price for all channels).

use super::super::goal::{Goal, Measure, answers, measure};
use super::super::materials::{MOST_SAMPLES, Materials};
use super::super::sensitivity::{Channel, Channels, channels};
use super::network::{PhaseLayer, show};
use super::{ChannelCode, Codes, describe, levels, rule_codes, scales_of};
use crate::ann::{Keep, NodeId, map_batch};
use crate::lower::{Candidate, Conversion, UnitScale};
use crate::method::{MethodConfig, MethodError, Prepared};
use crate::structure::{Unit, UnitKind};
use rayon::prelude::*;
use sim_core::neuron::phase::number_for;
use std::collections::BTreeMap;

/// Prices of a spike, in the mean squared error of a level of four bits; the highest first.
const PRICES: [f64; 16] =
    [256.0, 128.0, 64.0, 32.0, 16.0, 8.0, 4.0, 2.0, 1.0, 0.5, 0.25, 0.12, 0.06, 0.03, 0.004, 0.0];
/// A price that was good enough is tried again as many times higher: half a place.
const BETWEEN: f64 = 1.41;
/// Activations of a channel that its level is chosen on.
const MOST_VALUES: usize = 128;
/// Levels are tried in steps of √2 around the threshold rule's: places finer, and coarser a bit.
const PLACES: (i32, i32) = (2, 2);
/// Samples that a first, cheap look corrects on, and how much of the goal's loss it lets pass.
const LOOK: (usize, f64) = (32, 2.0);

/// A price that was tried.
struct Trial {
    codes: Codes,
    scales: Vec<UnitScale>,
    measure: Measure,
    price: f64,
    /// Whether corrections were made on all samples.
    whole: bool,
}

/// Searches for the highest price at which the answers stay.
pub(super) fn convert(
    prepared: &Prepared<'_>,
    config: &MethodConfig,
) -> Result<Conversion, MethodError> {
    let materials = Materials::new(prepared, "phase", MOST_SAMPLES)?;
    let goal = match config.steps {
        // More bits are asked for by who wants to be nearer.
        phases @ 5.. => answers(&materials).eased(0.5_f64.powi(phases as i32 - 4)),
        _ => answers(&materials),
    };
    let search = Search {
        materials: &materials,
        config,
        channels: channels(&materials),
        rule: rule_codes(prepared, config),
        potentials: mean_potentials(&materials)?,
    };
    let mut tried: Vec<Trial> = Vec::new();
    for (place, &price) in PRICES.iter().enumerate() {
        tried.push(search.attempt(price, goal));
        (prepared.watch)(place + 1, PRICES.len());
        if tried.last().is_some_and(|trial| trial.measure.reaches(goal)) {
            if place > 0 {
                tried.push(search.attempt(price * BETWEEN, goal));
            }
            break;
        }
    }
    (prepared.watch)(PRICES.len(), PRICES.len());
    let order = |trial: &Trial| match trial.measure.reaches(goal) {
        true => (false, trial.measure.spikes),
        false => (true, trial.measure.distance(goal)),
    };
    let best = tried.iter().enumerate().min_by(|(_, a), (_, b)| {
        let (a, b) = (order(a), order(b));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
    });
    let Some((chosen, trial)) = best else {
        let unit = prepared.name.to_string();
        let reason = "no price of a spike was tried".to_string();
        return Err(MethodError::Unit { method: "phase", unit, reason });
    };
    let scales = match trial.whole {
        true => trial.scales.clone(),
        false => search.calibrate(&trial.codes, &materials.corrected()).0,
    };
    let mut conversion = describe(prepared, config, &trial.codes, &scales);
    conversion.notes.push(reason(trial, tried.len(), goal, &materials));
    conversion.candidates = tried.iter().map(|trial| candidate(trial, config)).collect();
    conversion.candidates[chosen].chosen = true;
    Ok(conversion)
}

fn candidate(trial: &Trial, config: &MethodConfig) -> Candidate {
    Candidate {
        steps: config.steps,
        threshold: config.threshold.name.to_string(),
        neurons: "binary numbers, scale: price of a spike".to_string(),
        scale: trial.price,
        agreement: trial.measure.agreement,
        expected_loss: trial.measure.loss,
        accuracy: trial.measure.accuracy,
        spikes: trial.measure.spikes,
        chosen: false,
    }
}

fn reason(trial: &Trial, tried: usize, goal: Goal, materials: &Materials<'_>) -> String {
    let Measure { agreement, loss, spikes, .. } = trial.measure;
    let (samples, blends) = (materials.samples.len(), materials.blends.len());
    let why = match trial.measure.reaches(goal) {
        true => format!("fewest spikes among those with {goal}"),
        false => format!("none had {goal}; this one came closest: more phases would help"),
    };
    format!(
        "chosen from {tried} prices of a spike on {samples} calibration samples and {blends} blends of \
         two: {agreement:.1} % equal answers, expected loss {loss:.2} points, {spikes:.0} spikes a \
         sample ({why})"
    )
}

/// What stays the same while prices are tried.
struct Search<'a> {
    materials: &'a Materials<'a>,
    config: &'a MethodConfig,
    channels: Channels,
    /// The threshold rule's codes.
    rule: Codes,
    /// The trained network's mean potential of each channel of each unit, for the samples that
    /// corrections are made on.
    potentials: BTreeMap<usize, Vec<Vec<f64>>>,
}

impl Search<'_> {
    fn attempt(&self, price: f64, goal: Goal) -> Trial {
        let codes = self.codes(price * self.unit_price());
        let all = self.materials.corrected();
        let few: Vec<usize> =
            all.iter().step_by(all.len().div_ceil(LOOK.0).max(1)).copied().collect();
        let look = |corrected: &[usize], goal: Goal| {
            let (scales, layers) = self.calibrate(&codes, corrected);
            (scales, measure(self.materials, |sample| show(&layers, sample), goal, f64::INFINITY))
        };
        let (scales, measure) = look(&few, goal.eased(LOOK.1));
        if few.len() < all.len() && measure.reaches(goal.eased(LOOK.1)) {
            let (scales, measure) = look(&all, goal);
            return Trial { codes, scales, measure, price, whole: true };
        }
        Trial { codes, scales, measure, price, whole: few.len() == all.len() }
    }

    /// The mean of g² δ² over activations, with levels of four bits.
    fn unit_price(&self) -> f64 {
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

    /// The best code of each channel for a price.
    fn codes(&self, price: f64) -> Codes {
        let units = self.materials.prepared.structure.units.iter();
        let each = units.zip(&self.materials.prepared.calibration.units);
        let of_unit = |(index, (unit, sample)): (usize, (&Unit, &crate::calibrate::UnitSample))| {
            let UnitKind::Rectifier { maximum } = unit.kind else { return Vec::new() };
            let channels = self.rule[index].iter().zip(&self.channels[index]).zip(&sample.channels);
            let code = |((rule, channel), values): ((&ChannelCode, &Channel), &Vec<f32>)| {
                best_code(*rule, *channel, values, maximum, (price, self.config.steps))
            };
            channels.map(code).collect()
        };
        each.enumerate().map(of_unit).collect()
    }

    /// Scales with corrected biases, and the network that they make.
    fn calibrate(&self, codes: &Codes, corrected: &[usize]) -> (Vec<UnitScale>, Vec<PhaseLayer>) {
        let units = &self.materials.prepared.structure.units;
        let mut scales = scales_of(self.materials.prepared, codes);
        let mut layers: Vec<PhaseLayer> = Vec::with_capacity(units.len());
        let sample = |index: usize| -> Vec<f64> {
            self.materials.samples[index].iter().map(|&value| f64::from(value)).collect()
        };
        let samples: Vec<Vec<f64>> = corrected.iter().map(|&index| sample(index)).collect();
        let mut numbers: Vec<Vec<Vec<f64>>> = vec![Vec::new(); samples.len()];
        for (index, unit) in units.iter().enumerate() {
            let mut layer = PhaseLayer::new(unit, &codes[index], &scales[index], &scales);
            let shown = samples.par_iter().zip(&numbers);
            let mut potentials: Vec<Vec<f64>> =
                shown.map(|(sample, numbers)| layer.potentials(sample, numbers)).collect();
            if unit.kind != UnitKind::MaxPool {
                let missing = self.missing(index, corrected, &scales[index], &potentials);
                let threshold = &scales[index].threshold;
                let biases = unit.bias.iter().zip(&missing).enumerate();
                let moved = biases.map(|(n, (bias, more))| bias + more * threshold.at(n)).collect();
                scales[index].bias = Some(moved);
                layer.add_bias(&missing);
                for potentials in &mut potentials {
                    potentials.iter_mut().zip(&missing).for_each(|(v, more)| *v += more);
                }
            }
            potentials.par_iter_mut().for_each(|own| {
                layer.round(own);
            });
            for (numbers, own) in numbers.iter_mut().zip(potentials) {
                numbers.push(own);
            }
            layers.push(layer);
        }
        (scales, layers)
    }

    /// By how many levels potentials fall short on average, the same for a channel.
    fn missing(
        &self,
        index: usize,
        corrected: &[usize],
        scale: &UnitScale,
        potentials: &[Vec<f64>],
    ) -> Vec<f64> {
        let unit = &self.materials.prepared.structure.units[index];
        let per_channel = unit.shape.per_channel().max(1);
        let mut sums = vec![0.0; unit.shape.channels()];
        for (sample, potentials) in corrected.iter().zip(potentials) {
            let Some(wanted) = self.potentials.get(sample).map(|units| &units[index]) else {
                continue;
            };
            for (channel, (sum, own)) in
                sums.iter_mut().zip(potentials.chunks(per_channel)).enumerate()
            {
                let level = scale.threshold.at(channel * per_channel);
                *sum += wanted[channel] / level - own.iter().sum::<f64>() / own.len() as f64;
            }
        }
        let means = sums.into_iter().map(|sum| sum / corrected.len().max(1) as f64);
        means.flat_map(|mean| std::iter::repeat_n(mean, per_channel)).collect()
    }
}

/// See [`Search::potentials`].
fn mean_potentials(
    materials: &Materials<'_>,
) -> Result<BTreeMap<usize, Vec<Vec<f64>>>, MethodError> {
    let prepared = materials.prepared;
    let units = &prepared.structure.units;
    let corrected = materials.corrected();
    let chosen: Vec<&[f32]> = corrected.iter().map(|&index| materials.samples[index]).collect();
    let nodes: Vec<NodeId> = units.iter().map(|unit| unit.operand).collect();
    let kept = map_batch(prepared.graph, &chosen.concat(), Keep::Nodes(&nodes), |_, values| {
        let means = |unit: &Unit| -> Vec<f64> {
            let values = values.of(unit.operand).unwrap_or_default();
            let mean =
                |own: &[f32]| own.iter().map(|&v| f64::from(v)).sum::<f64>() / own.len() as f64;
            values.chunks(unit.shape.per_channel().max(1)).map(mean).collect()
        };
        units.iter().map(means).collect::<Vec<_>>()
    });
    let kept = kept.map_err(|error| MethodError::Unit {
        method: "phase",
        unit: prepared.name.to_string(),
        reason: format!("it does not evaluate on the samples: {error}"),
    })?;
    Ok(corrected.into_iter().zip(kept).collect())
}

/// The level of a grid, and the cost, with the smallest sum of errors and spikes over a channel's
/// activations; the rule's where the scores do not depend on the channel.
fn best_code(
    rule: ChannelCode,
    channel: Channel,
    ascending: &[f32],
    maximum: f64,
    (price, phases): (f64, u32),
) -> ChannelCode {
    let slope = channel.sensitivity / channel.active.max(1.0);
    let active = &ascending[ascending.partition_point(|&value| value <= 0.0)..];
    if slope <= 0.0 || active.is_empty() {
        return rule;
    }
    let stride = active.len().div_ceil(MOST_VALUES).max(1);
    let values: Vec<f64> = active.iter().step_by(stride).map(|&v| f64::from(v)).collect();
    let mut best = (f64::INFINITY, rule);
    for place in -PLACES.0..=2 * phases as i32 + PLACES.1 {
        let level = rule.level * (0.5 * f64::from(place)).exp2();
        // A ReLU6 never stands for more than 6.
        let most = (maximum / level + 0.5).floor().min(f64::from(levels(phases)));
        let error = slope * level * level;
        let cost = price / error;
        let code = ChannelCode { level, cost, largest: (most as u32).max(1) };
        let sum: f64 = values
            .iter()
            .map(|value| {
                let value = value / level;
                let number = number_for(value, code.largest, cost);
                let off = f64::from(number) - value;
                error * off * off + price * f64::from(number.count_ones())
            })
            .sum();
        if sum < best.0 {
            best = (sum, code);
        }
    }
    best.1
}
