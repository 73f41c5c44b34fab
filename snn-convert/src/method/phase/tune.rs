//! Trades spikes of a phase code against errors of the scores.
//!
//! # Idea
//! With g² the squared derivatives of all scores by an activation a, sending the number n in levels δ
//! costs g² (n δ − a)² of squared error and as many spikes as n has ones. For a price λ of a spike the
//! sum g² (n δ − a)² + λ · ones(n) over the calibration samples is smallest where every neuron takes
//! the n for which (n − a/δ)² + λ/(g² δ²) · ones(n) is smallest, which is the neuron's own rule with
//! that cost; so a channel's δ is the best of a grid, and its cost follows. Then, layer by layer,
//! weights are fitted to what their sources send ([`super::refit`]), and biases are moved by what
//! potentials miss on average: what rounding takes away and can be told from what is sent costs no
//! accuracy, and no spikes.
//!
//! The highest price is taken at which the scores stay near those of the trained network
//! (`snn-convert/src/method/goal.rs`). This is the rate-distortion view of quantisation with spikes as
//! the rate.
//!
//! # References
//! Shoham and Gersho 1988, IEEE Trans. ASSP 36:1445 (one price for all channels).

use super::super::goal::{Goal, Measure, doubt, measure};
use super::super::materials::{MOST_SAMPLES, Materials};
use super::super::sensitivity::{Channel, Channels, channels};
use super::fit::{Fitted, Fitting, blends};
use super::network::show;
use super::{ChannelCode, Codes, describe, levels, rule_codes};
use crate::lower::{Candidate, Conversion};
use crate::method::{MethodConfig, MethodError, Prepared};
use crate::structure::{Unit, UnitKind};
use sim_core::neuron::phase::number_for;

/// Prices of a spike, in the mean squared error of a level of four bits; the highest first.
const PRICES: [f64; 16] =
    [256.0, 128.0, 64.0, 32.0, 16.0, 8.0, 4.0, 2.0, 1.0, 0.5, 0.25, 0.12, 0.06, 0.03, 0.004, 0.0];
/// Lower ones are not tried with four phases: smaller errors on calibration samples no longer mean fewer on
/// others (`docs/design/layers_in_turn.md`). A phase more makes errors four times smaller.
const LOWEST: f64 = 0.12;
/// Largest divergence of the scores with four phases, in nats: about 0.3 points of accuracy
/// (`docs/design/layers_in_turn.md`). A phase more may change a quarter as much.
const DIVERGENCE: f64 = 0.016;
/// Smallest share of equal answers on samples with four phases, in per cent; half as many may differ
/// with a phase more.
const AGREEMENT: f64 = 98.0;
/// Largest expected loss on blends with four phases, as a part of the trained network's own doubt; half as
/// much with a phase more.
const LOSS: f64 = 0.1;
/// A price that was good enough is tried again as many times higher: half a place.
const BETWEEN: f64 = 1.41;
/// Activations of a channel that its level is chosen on.
const MOST_VALUES: usize = 128;
/// Levels are tried in steps of √2 around the threshold rule's: places finer, and coarser a bit.
const PLACES: (i32, i32) = (2, 2);
/// Place of the price that is tried first.
const FIRST: usize = 7;

/// A price that was tried.
struct Trial {
    codes: Codes,
    fitted: Fitted,
    measure: Measure,
    price: f64,
    /// Whether weights were fitted.
    weights: bool,
}

/// Searches for the highest price at which the answers stay.
pub(super) fn convert(
    prepared: &Prepared<'_>,
    config: &MethodConfig,
) -> Result<Conversion, MethodError> {
    let materials = Materials::new(prepared, "phase", MOST_SAMPLES)?;
    let blends = blends(&materials)?;
    // More bits are asked for by who wants to be nearer.
    let more = config.steps.saturating_sub(4) as i32;
    let divergence = DIVERGENCE * 0.25_f64.powi(more);
    let agreement = 100.0 - (100.0 - AGREEMENT) * 0.5_f64.powi(more);
    let loss = Some(LOSS * doubt(&materials) * 0.5_f64.powi(more));
    let goal = Goal::Scores { divergence, agreement, loss };
    let search = Search {
        materials: &materials,
        config,
        channels: channels(&materials),
        rule: rule_codes(prepared, config),
        fitting: Fitting::new(&materials, &blends)?,
    };
    let tried = search.over_prices(goal);
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
    let fitted = &Prepared { structure: &trial.fitted.structure, ..*prepared };
    let mut conversion = describe(fitted, config, &trial.codes, &trial.fitted.scales);
    conversion.notes.push(reason(trial, tried.len(), goal, &materials));
    conversion.candidates = tried.iter().map(|trial| candidate(trial, config)).collect();
    conversion.candidates[chosen].chosen = true;
    Ok(conversion)
}

fn candidate(trial: &Trial, config: &MethodConfig) -> Candidate {
    Candidate {
        steps: config.steps,
        threshold: config.threshold.name.to_string(),
        neurons: match trial.weights {
            true => "binary numbers, fitted weights, scale: price of a spike".to_string(),
            false => "binary numbers, scale: price of a spike".to_string(),
        },
        scale: trial.price,
        agreement: trial.measure.agreement,
        expected_loss: trial.measure.loss,
        divergence: trial.measure.divergence,
        accuracy: trial.measure.accuracy,
        spikes: trial.measure.spikes,
        chosen: false,
    }
}

fn reason(trial: &Trial, tried: usize, goal: Goal, materials: &Materials<'_>) -> String {
    let Measure { agreement, divergence, loss, spikes, .. } = trial.measure;
    let (samples, blends) = (materials.samples.len(), materials.blends.len());
    let why = match trial.measure.reaches(goal) {
        true => format!("fewest spikes among those with {goal}"),
        false => format!("none had {goal}; this one came closest: more phases would help"),
    };
    format!(
        "chosen from {tried} prices of a spike on {samples} calibration samples and {blends} blends of \
         two: {agreement:.1} % equal answers, divergence {divergence:.4} nats, expected loss {loss:.2} points, \
         {spikes:.0} spikes a sample ({why})"
    )
}

/// What stays the same while prices are tried.
struct Search<'a> {
    materials: &'a Materials<'a>,
    config: &'a MethodConfig,
    channels: Channels,
    /// The threshold rule's codes.
    rule: Codes,
    fitting: Fitting<'a>,
}

impl Search<'_> {
    /// Looks for the highest price that is good enough with fitted weights, and above it with those of
    /// the trained network, which are better in some networks with fine levels.
    fn over_prices(&self, goal: Goal) -> Vec<Trial> {
        let mut tried: Vec<Trial> = Vec::new();
        let place = self.ladder(FIRST, true, goal, &mut tried);
        let start = place.map_or(FIRST, |place| place.saturating_sub(1));
        let without = self.ladder_up(start, false, goal, &mut tried);
        let last = match (without, place) {
            (Some(better), _) => Some((better, false)),
            (None, Some(place)) => Some((place, true)),
            (None, None) => self.ladder(FIRST + 1, false, goal, &mut tried).map(|p| (p, false)),
        };
        if let Some((place, weights)) = last {
            self.attempt(PRICES[place] * BETWEEN, weights, goal, &mut tried);
        }
        (self.materials.prepared.watch)(PRICES.len(), PRICES.len());
        tried
    }

    /// The place of the highest price that is good enough: up from `start`, or down.
    fn ladder(
        &self,
        start: usize,
        weights: bool,
        goal: Goal,
        tried: &mut Vec<Trial>,
    ) -> Option<usize> {
        self.ladder_up(start, weights, goal, tried).or_else(|| {
            let lowest = LOWEST * 4.0_f64.powi(4 - self.config.steps.max(4) as i32);
            let lower = PRICES.iter().enumerate().skip(start + 1);
            let mut lower = lower.take_while(|(_, price)| **price >= lowest);
            let good = lower.find(|(_, price)| self.attempt(**price, weights, goal, tried));
            good.map(|(place, _)| place)
        })
    }

    /// The same, only up.
    fn ladder_up(
        &self,
        start: usize,
        weights: bool,
        goal: Goal,
        tried: &mut Vec<Trial>,
    ) -> Option<usize> {
        let higher = PRICES.iter().enumerate().take(start + 1).rev();
        let good = higher.take_while(|(_, price)| self.attempt(**price, weights, goal, tried));
        good.last().map(|(place, _)| place)
    }

    /// Tries a price; whether it is good enough.
    fn attempt(&self, price: f64, weights: bool, goal: Goal, tried: &mut Vec<Trial>) -> bool {
        let codes = self.codes(price * self.unit_price());
        let fitted = self.fitting.fit(&codes, weights);
        let shown = |sample: &[f32]| show(&fitted.layers, sample);
        let measure = measure(self.materials, shown, goal, f64::INFINITY);
        tried.push(Trial { codes, fitted, measure, price, weights });
        (self.materials.prepared.watch)(tried.len().min(PRICES.len()), PRICES.len());
        measure.reaches(goal)
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
