//! Rules that choose the activation which one spike a step stands for, one a file.
//!
//! A rule sees the activations of one unit and gives a threshold a channel. To add one: its file
//! with a `pub static RULE`, and its line in [`RULES`].

mod channel_mse;
mod channel_percentile;
mod layer_maximum;
mod layer_percentile;
mod local_balance;

use crate::calibrate::UnitSample;

/// A threshold rule.
pub struct ThresholdRule {
    /// Name on the command line.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// Where it comes from.
    pub reference: &'static str,
    /// The thresholds of a unit's channels for a code of `steps` steps.
    pub choose: fn(&UnitSample, steps: u32) -> Vec<f64>,
}

/// All rules; the first is the default.
pub static RULES: &[&ThresholdRule] = &[
    &channel_percentile::RULE,
    &channel_mse::RULE,
    &local_balance::RULE,
    &layer_percentile::RULE,
    &layer_maximum::RULE,
];

/// The rule of this name.
pub fn find_rule(name: &str) -> Option<&'static ThresholdRule> {
    RULES.iter().copied().find(|rule| rule.name == name)
}

/// Thresholds from a function of a channel's ascending activations; dead channels get the unit's
/// largest activation, so that they stay silent instead of amplifying noise.
fn for_channels(sample: &UnitSample, choose: impl Fn(&[f32]) -> f64) -> Vec<f64> {
    let largest = match f64::from(sample.maximum()) {
        largest if largest > 0.0 => largest,
        _ => 1.0,
    };
    (0..sample.channels.len())
        .map(|channel| {
            let threshold = choose(&sample.channels[channel]);
            let usable = !sample.is_dead(channel) && threshold > 1e-6 * largest;
            if usable { threshold } else { largest }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_gives_positive_thresholds_also_for_dead_channels() {
        let ramp: Vec<f32> = (0..1000).map(|k| k as f32 / 100.0).collect();
        let sample = UnitSample { channels: vec![ramp, vec![0.0; 1000], vec![0.0; 1000]] };
        for rule in RULES {
            for steps in [1, 8, 64] {
                let thresholds = (rule.choose)(&sample, steps);
                assert_eq!(thresholds.len(), 3, "{}", rule.name);
                assert!(thresholds.iter().all(|&t| t > 0.0 && t <= 9.99 + 1e-6), "{}", rule.name);
                // A layer's rule gives dead channels the layer's threshold, others the maximum.
                assert!(thresholds[1] >= 9.97, "{}", rule.name);
            }
        }
        let silent = UnitSample { channels: vec![vec![0.0; 10]] };
        assert!(RULES.iter().all(|rule| (rule.choose)(&silent, 8) == [1.0]));
    }
}
