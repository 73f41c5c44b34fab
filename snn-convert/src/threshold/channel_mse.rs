//! The threshold of each channel that codes its activations with the smallest mean squared error.
//!
//! With soft reset and half a threshold at the start, T steps of an even input a code it as
//! θ/T · clip(floor(a T/θ + 1/2), 0, T). The rule searches θ on a grid of 1.00, 0.99, …, 0.05 times
//! the channel's maximum.
//! Source: Li et al. 2021, ICML, "A free lunch from ANN"; Bu et al. 2022, ICLR, equation 11 (the
//! code's values).

use super::{ThresholdRule, for_channels};

/// Values of a channel that the search looks at; more are thinned evenly.
const MOST_VALUES: usize = 20_000;

pub static RULE: ThresholdRule = ThresholdRule {
    name: "channel_mse",
    summary: "per channel the smallest mean squared error of the code with T steps",
    reference: "Li et al. 2021, ICML; Bu et al. 2022, ICLR",
    choose: |sample, steps| for_channels(sample, |channel| search(channel, steps)),
};

fn search(ascending: &[f32], steps: u32) -> f64 {
    let maximum = f64::from(ascending.last().copied().unwrap_or(0.0));
    // Zeros are coded without error by every threshold.
    let positive = &ascending[ascending.partition_point(|&value| value <= 0.0)..];
    let stride = positive.len().div_ceil(MOST_VALUES).max(1);
    let values: Vec<f64> = positive.iter().rev().step_by(stride).map(|&v| f64::from(v)).collect();
    let mut best = (f64::INFINITY, maximum);
    for percent in (5..=100).rev() {
        let threshold = maximum * f64::from(percent) / 100.0;
        let error = values.iter().map(|&value| squared_error(value, threshold, steps)).sum();
        if error < best.0 {
            best = (error, threshold);
        }
    }
    best.1
}

fn squared_error(value: f64, threshold: f64, steps: u32) -> f64 {
    let steps = f64::from(steps);
    let count = (value * steps / threshold + 0.5).floor().clamp(0.0, steps);
    let error = value - count * threshold / steps;
    error * error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outlier_is_given_up_for_a_finer_code_of_the_rest() {
        let mut values: Vec<f32> = (0..1000).map(|k| k as f32 / 1000.0).collect();
        values.push(4.0);
        let coarse = search(&values, 4);
        assert!(coarse < 2.0, "{coarse}");
        // With many steps the step size no longer matters, the outlier does.
        let fine = search(&values, 1024);
        assert!(fine > 3.9, "{fine}");
    }

    #[test]
    fn the_error_is_that_of_the_spiking_code() {
        // 0.6 with θ = 1, T = 4: floor(2.4 + 0.5) = 2 spikes stand for 0.5.
        assert!((squared_error(0.6, 1.0, 4) - 0.01).abs() < 1e-12);
        assert!((squared_error(3.0, 1.0, 4) - 4.0).abs() < 1e-12);
    }
}
