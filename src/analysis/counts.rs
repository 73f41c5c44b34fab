//! Spike counts in bins: histograms over time, variability and correlation.

use super::Trains;

/// Spikes in each bin of `width` (ms) from begin to end; a rest shorter than a bin is left out.
pub fn histogram(train: &[f64], begin: f64, end: f64, width: f64) -> Vec<u32> {
    // A whole number of bins may come out a rounding below itself.
    let bins = ((end - begin) / width * (1.0 + 1e-12)).floor().max(0.0) as usize;
    let mut counts = vec![0; bins];
    for &time in train {
        // Bins are (begin, begin + width]: a spike at the end of a step belongs to that step.
        let place = ((time - begin) / width * (1.0 - 1e-12)).ceil() as usize;
        if let Some(count) = place.checked_sub(1).and_then(|bin| counts.get_mut(bin)) {
            *count += 1;
        }
    }
    counts
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Variance over mean of the counts in windows of `width` (ms), averaged over the neurons that
/// spike: 1 for a Poisson process, 0 for a clock. `None` with fewer than two windows.
pub fn fano_factor(trains: &Trains, width: f64) -> Option<f64> {
    let of = |train: &Vec<f64>| {
        let counts = histogram(train, trains.begin, trains.end, width);
        let (mean, variance) = moments(&counts)?;
        (mean > 0.0).then(|| variance / mean)
    };
    mean(&trains.neurons.iter().filter_map(of).collect::<Vec<f64>>())
}

/// Mean and unbiased variance.
fn moments(counts: &[u32]) -> Option<(f64, f64)> {
    if counts.len() < 2 {
        return None;
    }
    let n = counts.len() as f64;
    let mean = counts.iter().map(|&count| f64::from(count)).sum::<f64>() / n;
    let squares: f64 = counts.iter().map(|&count| (f64::from(count) - mean).powi(2)).sum();
    Some((mean, squares / (n - 1.0)))
}

/// Pearson's correlation of the counts of two trains; `None` where one of them is constant.
pub fn count_correlation(first: &[u32], second: &[u32]) -> Option<f64> {
    let (mean_a, variance_a) = moments(first)?;
    let (mean_b, variance_b) = moments(second)?;
    if variance_a == 0.0 || variance_b == 0.0 || first.len() != second.len() {
        return None;
    }
    let pairs = first.iter().zip(second);
    let product = |(&a, &b): (&u32, &u32)| (f64::from(a) - mean_a) * (f64::from(b) - mean_b);
    let covariance = pairs.map(product).sum::<f64>() / (first.len() as f64 - 1.0);
    Some(covariance / (variance_a * variance_b).sqrt())
}

/// The mean correlation of pairs of neurons that spike, in bins of `width` (ms). Of more than
/// `most` such neurons every k-th is taken.
pub fn mean_correlation(trains: &Trains, width: f64, most: usize) -> Option<f64> {
    let active: Vec<&Vec<f64>> = trains.neurons.iter().filter(|train| !train.is_empty()).collect();
    let stride = active.len().div_ceil(most.max(1)).max(1);
    let counts: Vec<Vec<u32>> = active
        .iter()
        .step_by(stride)
        .map(|train| histogram(train, trains.begin, trains.end, width))
        .collect();
    let mut sum = 0.0;
    let mut pairs = 0_u32;
    for (index, first) in counts.iter().enumerate() {
        for second in &counts[..index] {
            if let Some(correlation) = count_correlation(first, second) {
                sum += correlation;
                pairs += 1;
            }
        }
    }
    (pairs > 0).then(|| sum / f64::from(pairs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_close_at_their_end_and_a_rest_is_left_out() {
        let counts = histogram(&[0.1, 1.0, 1.1, 2.9, 3.0, 3.05], 0.0, 3.1, 1.0);
        assert_eq!(counts, [2, 1, 2]);
        assert_eq!(histogram(&[0.3], 0.0, 0.3, 0.1), [0, 0, 1], "a grid time in its own step");
        assert!(histogram(&[1.0], 0.0, 0.5, 1.0).is_empty());
    }

    #[test]
    fn a_clock_has_no_variability_and_pairs_of_spikes_have_twice_that_of_single_ones() {
        let clock: Vec<f64> = (1..=100).map(|k| f64::from(k) * 10.0).collect();
        let mut trains =
            Trains { neurons: vec![clock.clone()], begin: 0.0, end: 1000.0, ..Trains::default() };
        assert_eq!(fano_factor(&trains, 100.0), Some(0.0));
        let irregular: Vec<f64> = clock.iter().copied().filter(|t| (t % 70.0) < 25.0).collect();
        trains.neurons = vec![irregular.clone()];
        let single = fano_factor(&trains, 50.0).unwrap();
        trains.neurons = vec![irregular.iter().flat_map(|&t| [t, t]).collect()];
        let double = fano_factor(&trains, 50.0).unwrap();
        assert!((double - 2.0 * single).abs() < 1e-12 && single > 0.1);
    }

    #[test]
    fn a_train_correlates_with_itself_and_with_its_complement() {
        let (a, b) = ([0, 1, 0, 1, 1], [1, 0, 1, 0, 0]);
        assert!((count_correlation(&a, &a).unwrap() - 1.0).abs() < 1e-12);
        assert!((count_correlation(&a, &b).unwrap() + 1.0).abs() < 1e-12);
        assert_eq!(count_correlation(&a, &[1, 1, 1, 1, 1]), None);
    }
}
