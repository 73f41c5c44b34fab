//! Local threshold balancing: thresholds that grow while activations lie above them.
//!
//! θ ← θ + 2 ⟨(a − θ)₊⟩ a channel, from θ = 0, where ⟨⟩ is the mean over all calibration samples: the
//! gradient step that lowers the mean squared part that a threshold cuts off. Each step looks at all
//! samples, not at a batch, so the result depends neither on their order nor on a batch size, and
//! activations are those of the trained network, not cut at earlier layers' thresholds. The
//! thresholds after [`ROUNDS`] steps are taken, fewer where they no longer move: with infinitely many
//! they would be the maxima.
//!
//! Source: Bu et al. 2025, CVPR, arXiv 2409.03368, "Inference-scale complexity in ANN-SNN
//! conversion".

use super::{ThresholdRule, for_channels};

/// Steps of the iteration, as many as the paper's authors use batches.
const ROUNDS: usize = 20;
/// A threshold that moves by less than this share stands still.
const STILL: f64 = 1e-4;

pub static RULE: ThresholdRule = ThresholdRule {
    name: "local_balance",
    summary: "per channel a threshold that grows while activations lie above it (LTB)",
    reference: "Bu et al. 2025, CVPR, arXiv 2409.03368",
    choose: |sample, _steps| for_channels(sample, balance),
};

fn balance(ascending: &[f32]) -> f64 {
    let count = ascending.len().max(1) as f64;
    let mut threshold = 0.0;
    for _ in 0..ROUNDS {
        let above = ascending.partition_point(|&value| f64::from(value) <= threshold);
        let excess: f64 =
            ascending[above..].iter().map(|&value| f64::from(value) - threshold).sum();
        let step = 2.0 * excess / count;
        threshold += step;
        if step <= STILL * threshold {
            break;
        }
    }
    // Sparse channels grow slowly; a threshold below the mean of what is above zero helps nobody.
    let first = ascending.partition_point(|&value| value <= 0.0);
    let active = ascending.get(first..).unwrap_or_default();
    let mean =
        active.iter().map(|&value| f64::from(value)).sum::<f64>() / active.len().max(1) as f64;
    let maximum = ascending.last().map_or(0.0, |&value| f64::from(value));
    threshold.max(mean).min(maximum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_iteration_is_that_of_the_equation() {
        // Ten equal values 1: θ = 0 + 2 · 1 = 2, beyond all of them: the maximum is taken.
        assert!((balance(&[1.0; 10]) - 1.0).abs() < 1e-12);
        // One 10 among nineteen zeros: 20 rounds of θ ← θ + 2 (10 − θ) / 20 give 10 (1 − 0.9^20),
        // but the mean of what is above zero is 10.
        let mut sparse = [0.0; 20];
        sparse[19] = 10.0;
        assert!((balance(&sparse) - 10.0).abs() < 1e-12);
        // One of four is 4: 0 → 2 → 2 + 2 · 2/4 = 3 → 3.5 → … → 4 from below.
        let threshold = balance(&[0.0, 0.0, 0.0, 4.0]);
        assert!((threshold - 4.0).abs() < 1e-3 && threshold <= 4.0, "{threshold}");
    }

    #[test]
    fn neither_order_nor_repetition_of_the_samples_matters() {
        let values: Vec<f32> = (0..500).map(|k| (k as f32 / 50.0).exp() / 1000.0).collect();
        let mut twice: Vec<f32> = values.iter().chain(&values).copied().collect();
        twice.sort_unstable_by(f32::total_cmp);
        assert!((balance(&values) - balance(&twice)).abs() < 1e-9);
    }
}
