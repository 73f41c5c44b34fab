//! Intervals between the spikes of one neuron.

/// The intervals (ms) of an ascending train.
pub fn intervals(train: &[f64]) -> Vec<f64> {
    train.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

/// Standard deviation over mean of the intervals: 0 for a clock, 1 for a Poisson process. `None`
/// with fewer than two intervals. The deviation is that of the sample (divided by n), as in
/// published tables of the cortical microcircuit.
pub fn coefficient_of_variation(train: &[f64]) -> Option<f64> {
    let intervals = intervals(train);
    let n = intervals.len() as f64;
    let mean = intervals.iter().sum::<f64>() / n;
    if intervals.len() < 2 || mean <= 0.0 {
        return None;
    }
    let squares: f64 = intervals.iter().map(|interval| (interval - mean).powi(2)).sum();
    Some((squares / n).sqrt() / mean)
}

/// Local variation 3/(n−1) Σ ((I_k − I_{k+1})/(I_k + I_{k+1}))²: as the coefficient of variation,
/// but blind to slow changes of the rate. `None` with fewer than two intervals.
/// Source: Shinomoto, Shima and Tanji 2003, Neural Comput. 15:2823, equation 2.2.
pub fn local_variation(train: &[f64]) -> Option<f64> {
    let intervals = intervals(train);
    if intervals.len() < 2 || intervals.windows(2).any(|pair| pair[0] + pair[1] <= 0.0) {
        return None;
    }
    let term = |pair: &[f64]| ((pair[0] - pair[1]) / (pair[0] + pair[1])).powi(2);
    let sum: f64 = intervals.windows(2).map(term).sum();
    Some(3.0 * sum / (intervals.len() as f64 - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim_core::random::{Purpose, Stream};

    #[test]
    fn a_clock_has_no_variation_and_alternating_intervals_the_closed_form() {
        let clock = [1.0, 3.0, 5.0, 7.0];
        assert_eq!(coefficient_of_variation(&clock), Some(0.0));
        assert_eq!(local_variation(&clock), Some(0.0));
        let alternating = [0.0, 1.0, 4.0, 5.0, 8.0];
        assert_eq!(coefficient_of_variation(&alternating), Some(0.5), "1 and 3: mean 2, sd 1");
        assert_eq!(local_variation(&alternating), Some(0.75), "3 (2/4)^2");
        assert_eq!(coefficient_of_variation(&[1.0, 2.0]), None);
    }

    #[test]
    fn a_poisson_train_has_variation_one() {
        let mut stream = Stream::new(1, Purpose::Example, 0, 0);
        let mut time = 0.0;
        let train: Vec<f64> = (0..40_000)
            .map(|_| {
                time -= (1.0 - stream.next_uniform()).ln();
                time
            })
            .collect();
        // Standard errors are about 1/sqrt(40,000) and 1.1/sqrt(40,000): five of them.
        assert!((coefficient_of_variation(&train).unwrap() - 1.0).abs() < 0.025);
        assert!((local_variation(&train).unwrap() - 1.0).abs() < 0.03);
    }
}
