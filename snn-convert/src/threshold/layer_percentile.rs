//! The 99.9th percentile of all activations of the layer above zero, for all channels.
//!
//! Most activations of a rectifier are 0; counted with the others they would pull the percentile
//! down to any value. So only those above zero count.
//! Source: Rueckauer et al. 2017, Front. Neurosci. 11:682, section 2.2.1.

use super::{ThresholdRule, for_channels};
use crate::calibrate::percentile;

/// Share of positive activations that do not saturate, in per cent.
const PERCENT: f64 = 99.9;

pub static RULE: ThresholdRule = ThresholdRule {
    name: "layer_percentile",
    summary: "the 99.9th percentile of the layer's activations above zero, for all channels",
    reference: "Rueckauer et al. 2017, Front. Neurosci. 11:682",
    choose: |sample, _steps| {
        let above = sample.channels.iter().flatten().copied().filter(|&value| value > 0.0);
        let mut above: Vec<f32> = above.collect();
        above.sort_unstable_by(f32::total_cmp);
        let threshold = percentile(&above, PERCENT);
        for_channels(sample, |_| threshold)
    },
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::UnitSample;

    #[test]
    fn zeros_do_not_pull_the_percentile_down() {
        let active: Vec<f32> = (1..=1000).map(|k| k as f32 / 1000.0).collect();
        let mut sparse = vec![0.0; 1_000_000];
        sparse.extend(&active);
        let of = |channel: Vec<f32>| (RULE.choose)(&UnitSample { channels: vec![channel] }, 8)[0];
        assert!((of(sparse) - of(active.clone())).abs() < 1e-9);
        assert!((of(active) - 0.999).abs() < 1e-4);
    }
}
