//! How many integers a real weight's unit becomes.

use serde::{Deserialize, Serialize};

use super::float_to_fixed::{FloatLayer, FloatToFixedError, round_all};

/// How the scale of a layer, or of each of its channels, is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum ScaleRule {
    /// The largest weight uses the largest integer; nothing is clipped.
    Maximum,
    /// As many of the absolute weights as `share` (in 0..=1) fit; larger ones are clipped.
    Percentile {
        /// Share of the weights that must not be clipped.
        share: f64,
    },
    /// The scale with the smallest squared weight error among `candidates` between a quarter of
    /// the largest weight and the largest weight.
    SmallestError {
        /// Scales that are tried; at least 1.
        candidates: u32,
    },
    /// The weights were trained on a grid: its step becomes the integers' step, so that weights and
    /// threshold keep the relation that they were trained with.
    Trained,
}

/// Scales that the rule `mse` tries.
const CANDIDATES: u32 = 100;

/// A rule by the name that people give it; one line each.
pub static SCALE_RULES: &[(&str, &str, ScaleRule)] = &[
    ("maximum", "the largest weight uses the largest integer", ScaleRule::Maximum),
    (
        "percentile",
        "the largest of every thousand weights is clipped; percentile=0.99 says another share",
        ScaleRule::Percentile { share: 0.999 },
    ),
    (
        "mse",
        "the scale with the smallest squared error of the weights",
        ScaleRule::SmallestError { candidates: CANDIDATES },
    ),
    ("trained", "the grid that the weights were trained on", ScaleRule::Trained),
];

impl std::str::FromStr for ScaleRule {
    type Err = String;

    /// `maximum`, `percentile`, `percentile=0.99`, `mse`, `trained`.
    fn from_str(text: &str) -> Result<Self, String> {
        let known = || SCALE_RULES.iter().map(|rule| rule.0).collect::<Vec<_>>().join(", ");
        if let Some(share) = text.strip_prefix("percentile=") {
            let share = share.parse().ok().filter(|share| (0.0..=1.0).contains(share));
            let wrong = || format!("`{text}`: the share of a percentile is a number from 0 to 1");
            return share.map(|share| Self::Percentile { share }).ok_or_else(wrong);
        }
        let found = SCALE_RULES.iter().find(|rule| rule.0 == text).map(|rule| rule.2);
        found.ok_or_else(|| format!("`{text}` is no rule of scales; known are {}", known()))
    }
}

/// Scale of a layer; weights, threshold and bias are multiplied by it.
pub(super) fn choose_scale(
    layer: &FloatLayer<'_>,
    rule: ScaleRule,
) -> Result<f64, FloatToFixedError> {
    let refuse = |what, value, allowed| {
        Err(FloatToFixedError::Rule { layer: layer.name.to_owned(), what, value, allowed })
    };
    let mut sizes: Vec<f64> = layer.weights.iter().map(|&w| f64::from(w).abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let largest = sizes.last().copied().unwrap_or(1.0);
    let scale_for = |size: f64| layer.grid.largest() / size;
    match rule {
        ScaleRule::Maximum => Ok(scale_for(largest)),
        ScaleRule::Percentile { share } => {
            if !(0.0..=1.0).contains(&share) {
                return refuse("share", share, "0 to 1");
            }
            let place = (share * (sizes.len() - 1) as f64).round() as usize;
            let size = sizes.get(place).copied().unwrap_or(largest);
            Ok(scale_for(if size > 0.0 { size } else { largest }))
        }
        ScaleRule::SmallestError { candidates } => {
            if !(1..=10_000).contains(&candidates) {
                return refuse("candidates", f64::from(candidates), "1 to 10000");
            }
            let mut best = (f64::INFINITY, scale_for(largest));
            for candidate in 0..candidates {
                // From the largest weight downwards, so that ties clip least.
                let part = f64::from(candidate) / f64::from(candidates);
                let scale = scale_for(largest * (1.0 - 0.75 * part));
                let (_, errors) = round_all(layer.weights, scale, |x| layer.grid.nearest(x));
                if errors.squared < best.0 {
                    best = (errors.squared, scale);
                }
            }
            Ok(best.1)
        }
        ScaleRule::Trained => {
            // The lowest integer is one step further from 0 than the highest.
            let steps = layer.grid.largest_steps() + 1.0;
            let unit = common_unit(&sizes, largest / steps);
            let unit = unit.ok_or_else(|| FloatToFixedError::NoGrid {
                layer: layer.name.to_owned(),
                largest,
                steps,
            })?;
            Ok(layer.grid.step() / unit)
        }
    }
}

/// Part of the unit by which a weight may miss a whole number of them; weights come in single
/// precision.
const GRID_TOLERANCE: f64 = 1e-3;

/// The largest number of which all sizes are whole multiples, if it is not below `least`.
///
/// Euclid's algorithm with a tolerance; `sizes` ascend.
fn common_unit(sizes: &[f64], least: f64) -> Option<f64> {
    let least = least * (1.0 - GRID_TOLERANCE);
    let mut unit = 0.0_f64;
    for &size in sizes.iter().filter(|size| **size > 0.0) {
        let (mut a, mut b) = (unit.max(size), unit.min(size));
        while b > GRID_TOLERANCE * least {
            let rest = (a - (a / b).round() * b).abs();
            (a, b) = (b, if rest > GRID_TOLERANCE * a { rest } else { 0.0 });
        }
        unit = a;
        if unit < least {
            return None;
        }
    }
    // A mean over all multiples takes the single precision out.
    let counted =
        sizes.iter().filter(|size| **size > 0.0).map(|size| (size, (size / unit).round()));
    let (sum, count) = counted.fold((0.0, 0.0), |(sum, count), (size, n)| (sum + size, count + n));
    (count > 0.0).then(|| sum / count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantise::float_to_fixed::quantise_layer;
    use crate::quantise::grid::{WeightForm, WeightGrid};
    use sim_core::network::SpikeCondition;

    fn layer(weights: &[f32], bits: u8) -> FloatLayer<'_> {
        let grid = WeightGrid { form: WeightForm::EvenNineBits, bits };
        let spike = SpikeCondition::Above;
        FloatLayer { name: "fc", weights, bias: &[], threshold: 0.3, spike, grid }
    }

    #[test]
    fn weights_trained_on_a_grid_are_kept_exactly() {
        let step = 0.0173_f32;
        let weights: Vec<f32> = [3, -8, 7, 0, 5, -1].map(|k| k as f32 * step).to_vec();
        let fixed = quantise_layer(&layer(&weights, 4), ScaleRule::Trained).unwrap();
        assert_eq!(fixed.weights, [3, -8, 7, 0, 5, -1].map(|k| k * 32));
        assert!(fixed.report.weight_error_max < 1e-6, "{:?}", fixed.report);
        // 0.3 / 0.0173 = 17.34 steps of 32.
        assert_eq!(fixed.vth, (0.3 / 0.0173 * 32.0) as i64);
        // More bits than the grid needs keep it, too.
        let fixed = quantise_layer(&layer(&weights, 8), ScaleRule::Trained).unwrap();
        assert_eq!(fixed.weights, [3, -8, 7, 0, 5, -1].map(|k| k * 2));
        let text = quantise_layer(&layer(&weights, 3), ScaleRule::Trained).unwrap_err().to_string();
        assert!(text.contains("no grid of 4 steps") && text.contains("another rule"), "{text}");
        let uneven: Vec<f32> = (1..60).map(|k| (k as f32).sqrt()).collect();
        assert!(quantise_layer(&layer(&uneven, 8), ScaleRule::Trained).is_err());
    }

    #[test]
    fn rules_have_names() {
        for (name, summary, rule) in SCALE_RULES {
            assert_eq!(name.parse(), Ok(*rule));
            assert!(!summary.is_empty());
        }
        assert_eq!("percentile=0.5".parse(), Ok(ScaleRule::Percentile { share: 0.5 }));
        assert!("percentile=2".parse::<ScaleRule>().unwrap_err().contains("0 to 1"));
        assert!("best".parse::<ScaleRule>().unwrap_err().contains("maximum, percentile, mse"));
    }
}
