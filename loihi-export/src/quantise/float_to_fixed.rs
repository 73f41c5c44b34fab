//! From real weights, biases and thresholds of a layer to the integers of Lava's LIF.
//!
//! One scale a layer takes all three: `weight_int = round(weight * scale)`,
//! `vth = floor(threshold * scale)` and `bias_mant = round(bias * scale)` with `bias_exp = 6`, so
//! that bias, weights and threshold share a unit (all three meet the state shifted left by 6).
//! Multiplying everything by one positive number leaves the spikes of an integrate-and-fire layer
//! unchanged, so only rounding and clipping remain, and the report says how much of both there is.
//! The threshold loses nothing: whole numbers are above x exactly when they are above floor(x).
//!
//! Dense layers of mixed sign store even weights from -256 to 254 (8 bits as Lava counts them).
//! Convolutions are rounded to -128 to 127, because Lava neither clips nor truncates a kernel.

use serde::Serialize;
use sim_core::network::SpikeCondition;

use super::grid::WeightGrid;
use super::scale::{ScaleRule, choose_scale};

/// Largest threshold mantissa (17 bits).
const THRESHOLD_MAX: f64 = 131_071.0;
/// Largest bias mantissa (13 bits with sign).
pub(super) const BIAS_MAX: f64 = 4_095.0;

/// A layer in real numbers.
#[derive(Debug, Clone, Copy)]
pub struct FloatLayer<'a> {
    /// Name for reports.
    pub name: &'a str,
    /// Weights in any order; the integers keep it.
    pub weights: &'a [f32],
    /// Biases, one a neuron or channel; may be empty.
    pub bias: &'a [f32],
    /// Threshold of the layer, above 0.
    pub threshold: f32,
    /// When a neuron spikes; the chip's neurons spike above `vth`.
    pub spike: SpikeCondition,
    /// Which integers the weights may become.
    pub grid: WeightGrid,
}

/// A layer in integers.
#[derive(Debug, Clone, PartialEq)]
pub struct FixedLayer {
    /// Weights in the order of the layer.
    pub weights: Vec<i32>,
    /// Bias mantissas for `bias_exp = 6`.
    pub bias_mant: Vec<i64>,
    /// Threshold mantissa `vth`.
    pub vth: i64,
    /// Integers per unit of the real weights.
    pub scale: f64,
    /// What rounding and clipping changed.
    pub report: LayerError,
}

/// What quantising a layer changed; errors are in units of the real numbers.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LayerError {
    /// Layer.
    pub layer: String,
    /// Integers per unit of the real weights; the mean where channels have scales of their own.
    pub scale: f64,
    /// Smallest and largest scale of a channel, where channels have scales of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_scales: Option<[f64; 2]>,
    /// Bits of a weight.
    pub weight_bits: u8,
    /// Largest absolute error of a weight.
    pub weight_error_max: f64,
    /// Root mean square error of the weights.
    pub weight_error_rms: f64,
    /// Weights that were clipped.
    pub weights_clipped: usize,
    /// Largest absolute error of a bias.
    pub bias_error_max: f64,
    /// Biases that were clipped.
    pub biases_clipped: usize,
    /// How far the integer threshold lies from the real one; no whole number lies between them.
    pub threshold_error: f64,
    /// Relative error of the membrane's time constant; 0 where it does not decay.
    pub decay_error: f64,
    /// Relative error of the synaptic current's time constant; 0 where it lasts one step.
    pub current_decay_error: f64,
}

/// Why a layer cannot be quantised.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FloatToFixedError {
    /// A number is not finite.
    #[error("layer '{layer}': {what} {index} is {value}; all numbers must be finite")]
    NotFinite {
        /// Layer.
        layer: String,
        /// `weight` or `bias`.
        what: &'static str,
        /// Position.
        index: usize,
        /// The value.
        value: f32,
    },
    /// The threshold is not above 0.
    #[error("layer '{layer}': threshold {value}; it must be finite and above 0")]
    Threshold {
        /// Layer.
        layer: String,
        /// The value.
        value: f32,
    },
    /// No weight differs from 0, and no bias is above 0.
    #[error(
        "layer '{layer}': all {count} weights are 0 and no bias is above it, so there is nothing to \
         scale by and it never spikes; leave the layer out, or the projections into it"
    )]
    NoWeight {
        /// Layer.
        layer: String,
        /// Number of weights.
        count: usize,
    },
    /// The rule's number is outside its range.
    #[error("layer '{layer}': {what} is {value}; allowed is {allowed}")]
    Rule {
        /// Layer.
        layer: String,
        /// Which number.
        what: &'static str,
        /// The value.
        value: f64,
        /// What is allowed.
        allowed: &'static str,
    },
    /// The weights lie on no grid.
    #[error(
        "layer '{layer}': its weights lie on no grid of {steps} steps (the largest is {largest}); \
         the rule `trained` keeps networks that were trained with such weights, choose another rule"
    )]
    NoGrid {
        /// Layer.
        layer: String,
        /// Largest absolute weight.
        largest: f64,
        /// Steps of the grid from 0 to its largest integer.
        steps: f64,
    },
    /// With this scale the threshold would be rounded to nothing.
    #[error(
        "layer '{layer}': threshold {threshold} times scale {scale} is below 1; the weights are \
         too large for the threshold, rescale the layer"
    )]
    ThresholdVanishes {
        /// Layer.
        layer: String,
        /// Threshold.
        threshold: f32,
        /// Scale.
        scale: f64,
    },
}

/// Quantises one layer.
///
/// The scale of the rule is lowered where the threshold would not fit its 17 bits.
///
/// # Errors
/// [`FloatToFixedError`] for numbers that are not finite, thresholds that are not positive or
/// vanish, layers without a weight, and rules outside their range.
pub fn quantise_layer(
    layer: &FloatLayer<'_>,
    rule: ScaleRule,
) -> Result<FixedLayer, FloatToFixedError> {
    check(layer)?;
    let scale = match layer.weights.iter().all(|&weight| weight == 0.0) {
        // Without weights the largest bias uses the largest integer.
        true => BIAS_MAX / layer.bias.iter().map(|&bias| f64::from(bias).abs()).fold(0.0, f64::max),
        false => choose_scale(layer, rule)?,
    };
    let scale = scale.min(THRESHOLD_MAX / f64::from(layer.threshold));
    let vth = integer_threshold(f64::from(layer.threshold) * scale, layer.spike);
    if vth < 1.0 {
        return Err(FloatToFixedError::ThresholdVanishes {
            layer: layer.name.to_owned(),
            threshold: layer.threshold,
            scale,
        });
    }
    let layer_bits = layer.grid.bits;
    let (weights, weight_errors) = round_all(layer.weights, scale, |x| layer.grid.nearest(x));
    let (bias, bias_errors) = round_all(layer.bias, scale, |x| {
        let kept = x.round().clamp(-BIAS_MAX - 1.0, BIAS_MAX);
        (kept, kept != x.round())
    });
    let report = LayerError {
        layer: layer.name.to_owned(),
        scale,
        channel_scales: None,
        weight_bits: layer_bits,
        weight_error_max: weight_errors.largest,
        weight_error_rms: weight_errors.mean_square(weights.len()).sqrt(),
        weights_clipped: weight_errors.clipped,
        bias_error_max: bias_errors.largest,
        biases_clipped: bias_errors.clipped,
        threshold_error: vth / scale - f64::from(layer.threshold),
        decay_error: 0.0,
        current_decay_error: 0.0,
    };
    Ok(FixedLayer {
        weights: weights.into_iter().map(|w| w as i32).collect(),
        bias_mant: bias.into_iter().map(|b| b as i64).collect(),
        vth: vth as i64,
        scale,
        report,
    })
}

/// The threshold mantissa that whole-number states cross when they cross `exact`.
///
/// Sums of integer weights and biases are whole numbers: v > x is v > floor(x), and v ≥ x is
/// v > ceil(x) - 1. Rounding to the nearest instead would move the threshold by up to 1/2.
fn integer_threshold(exact: f64, spike: SpikeCondition) -> f64 {
    let whole = exact.round();
    // The scale comes from `f32` weights: what lies this close to a whole number is that number.
    let is_whole = (exact - whole).abs() <= 1e-6 * whole;
    match spike {
        SpikeCondition::Above if is_whole => whole,
        SpikeCondition::Above => exact.floor(),
        SpikeCondition::AtOrAbove if is_whole => whole - 1.0,
        SpikeCondition::AtOrAbove => exact.ceil() - 1.0,
    }
}

fn check(layer: &FloatLayer<'_>) -> Result<(), FloatToFixedError> {
    let name = || layer.name.to_owned();
    for (what, values) in [("weight", layer.weights), ("bias", layer.bias)] {
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            let value = values.get(index).copied().unwrap_or(f32::NAN);
            return Err(FloatToFixedError::NotFinite { layer: name(), what, index, value });
        }
    }
    let value = layer.threshold;
    if !value.is_finite() || value <= 0.0 {
        return Err(FloatToFixedError::Threshold { layer: name(), value });
    }
    if !(1..=8).contains(&layer.grid.bits) {
        return Err(FloatToFixedError::Rule {
            layer: name(),
            what: "weight_bits",
            value: f64::from(layer.grid.bits),
            allowed: "1 to 8",
        });
    }
    let drives = layer.bias.iter().any(|&bias| bias > 0.0);
    if layer.weights.iter().all(|&weight| weight == 0.0) && !drives {
        return Err(FloatToFixedError::NoWeight { layer: name(), count: layer.weights.len() });
    }
    Ok(())
}

/// What rounding changed.
#[derive(Default)]
pub(super) struct Errors {
    pub(super) largest: f64,
    pub(super) squared: f64,
    pub(super) clipped: usize,
}

impl Errors {
    fn mean_square(&self, count: usize) -> f64 {
        if count == 0 { 0.0 } else { self.squared / count as f64 }
    }
}

/// Rounds all values; errors are measured in the values' own unit.
pub(super) fn round_all(
    values: &[f32],
    scale: f64,
    nearest: impl Fn(f64) -> (f64, bool),
) -> (Vec<f64>, Errors) {
    let mut errors = Errors::default();
    let round = |&value: &f32| {
        let value = f64::from(value);
        let (kept, clipped) = nearest(value * scale);
        let error = (kept / scale - value).abs();
        errors.largest = errors.largest.max(error);
        errors.squared += error * error;
        errors.clipped += usize::from(clipped);
        kept
    };
    let rounded = values.iter().map(round).collect();
    (rounded, errors)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantise::grid::WeightForm;

    fn layer<'a>(weights: &'a [f32], bias: &'a [f32], form: WeightForm) -> FloatLayer<'a> {
        let grid = WeightGrid { form, bits: 8 };
        let spike = SpikeCondition::Above;
        FloatLayer { name: "fc", weights, bias, threshold: 1.0, spike, grid }
    }

    #[test]
    fn whole_numbers_cross_the_integer_threshold_when_they_cross_the_exact_one() {
        for exact in [1.0, 1.25, 1.5, 1.75, 2.0, 77.999_999_999, 300.4, 131_070.6] {
            let near = if exact == 77.999_999_999 { 78.0 } else { exact };
            let above = integer_threshold(exact, SpikeCondition::Above);
            let at_or_above = integer_threshold(exact, SpikeCondition::AtOrAbove);
            for offset in -3..=3 {
                let v = exact.round() + f64::from(offset);
                assert_eq!(v > above, v > near, "{v} > {exact}");
                assert_eq!(v > at_or_above, v >= near, "{v} >= {exact}");
            }
        }
    }

    #[test]
    fn the_largest_weight_uses_the_largest_integer_and_all_share_the_scale() {
        let layer = layer(&[0.5, -0.25, 0.001], &[0.1, -0.5], WeightForm::EvenNineBits);
        let fixed = quantise_layer(&layer, ScaleRule::Maximum).unwrap();
        assert_eq!(fixed.weights, [254, -128, 0]);
        // The scale is 254 / 0.5 = 508.
        assert_eq!((fixed.scale, fixed.vth), (508.0, 508));
        assert_eq!(fixed.bias_mant, [51, -254]);
        assert_eq!((fixed.report.weights_clipped, fixed.report.threshold_error), (0, 0.0));
        assert!(fixed.report.weight_error_max <= 1.0 / 508.0, "half a step of 2 / 508");
    }

    #[test]
    fn a_percentile_clips_the_rest_and_says_how_many() {
        let weights: Vec<f32> =
            (1..=101).map(|k| if k == 101 { 100.0 } else { k as f32 / 100.0 }).collect();
        let layer = layer(&weights, &[], WeightForm::EightBits);
        let fixed = quantise_layer(&layer, ScaleRule::Percentile { share: 0.99 }).unwrap();
        assert_eq!(fixed.report.weights_clipped, 1);
        assert_eq!(*fixed.weights.last().unwrap(), 127);
        assert!((fixed.report.weight_error_max - 99.0).abs() < 1e-6, "100 became 1");
    }

    #[test]
    fn the_error_search_is_never_worse_than_the_maximum() {
        let weights: Vec<f32> =
            (0..400).map(|k| ((k * 7919 % 401) as f32 / 200.0 - 1.0).powi(5)).collect();
        for grid in [WeightForm::EvenNineBits, WeightForm::EightBits] {
            let layer = layer(&weights, &[], grid);
            let rms = |rule| quantise_layer(&layer, rule).unwrap().report.weight_error_rms;
            let searched = rms(ScaleRule::SmallestError { candidates: 100 });
            assert!(searched <= rms(ScaleRule::Maximum), "{grid:?}");
            assert!(searched > 0.0);
        }
    }

    #[test]
    fn the_threshold_lowers_the_scale_where_it_would_not_fit() {
        let mut layer = layer(&[0.001], &[], WeightForm::EvenNineBits);
        layer.threshold = 10.0;
        let fixed = quantise_layer(&layer, ScaleRule::Maximum).unwrap();
        assert_eq!((fixed.vth, fixed.weights[0]), (131_071, 14));
        layer.threshold = 1e-9;
        let error = quantise_layer(&layer, ScaleRule::Maximum).unwrap_err();
        assert!(matches!(error, FloatToFixedError::ThresholdVanishes { .. }), "{error}");
    }

    #[test]
    fn bad_numbers_are_refused_with_their_place() {
        let refuse = |weights: &[f32], bias: &[f32], rule| {
            quantise_layer(&layer(weights, bias, WeightForm::EightBits), rule)
                .unwrap_err()
                .to_string()
        };
        assert!(refuse(&[1.0, f32::NAN], &[], ScaleRule::Maximum).contains("weight 1 is NaN"));
        assert!(refuse(&[1.0], &[f32::INFINITY], ScaleRule::Maximum).contains("bias 0 is inf"));
        assert!(refuse(&[0.0; 3], &[], ScaleRule::Maximum).contains("all 3 weights are 0"));
        assert!(refuse(&[1.0], &[], ScaleRule::Percentile { share: 2.0 }).contains("0 to 1"));
        let none = ScaleRule::SmallestError { candidates: 0 };
        assert!(refuse(&[1.0], &[], none).contains("1 to 10000"));
    }
}
