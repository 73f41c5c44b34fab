//! The power spectrum of a population's activity.

use super::{Trains, histogram};
use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

/// Power at equally spaced frequencies.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize)]
pub struct Spectrum {
    /// Frequencies (Hz), from one step above zero.
    pub frequencies: Vec<f64>,
    /// Power density of the population rate ((1/s)²/Hz).
    pub power: Vec<f64>,
}

impl Spectrum {
    /// The frequency of the largest power.
    pub fn peak(&self) -> Option<f64> {
        let at = |a: &usize, b: &usize| self.power[*a].total_cmp(&self.power[*b]);
        (0..self.power.len()).max_by(at).map(|index| self.frequencies[index])
    }
}

/// Welch's estimate: the population rate in bins of `width` (ms) is cut into segments of `segment`
/// bins that overlap by half, each is freed of its mean, tapered by a Hann window and transformed;
/// their power is averaged. `None` where the window holds not one segment.
///
/// Source: Welch 1967, IEEE Trans. Audio Electroacoust. 15:70.
pub fn power_spectrum(trains: &Trains, width: f64, segment: usize) -> Option<Spectrum> {
    let mut all: Vec<f64> = trains.neurons.iter().flatten().copied().collect();
    all.sort_by(f64::total_cmp);
    let counts = histogram(&all, trains.begin, trains.end, width);
    if segment < 4 || counts.len() < segment || trains.neurons.is_empty() {
        return None;
    }
    let per_second = 1000.0 / (width * trains.neurons.len() as f64);
    let taper: Vec<f64> = (0..segment)
        .map(|k| 0.5 - 0.5 * (std::f64::consts::TAU * k as f64 / segment as f64).cos())
        .collect();
    let norm: f64 = taper.iter().map(|weight| weight * weight).sum();
    let transform = FftPlanner::new().plan_fft_forward(segment);
    let half = segment / 2;
    let mut power = vec![0.0; half];
    let mut count = 0.0;
    for start in (0..=counts.len() - segment).step_by(half) {
        let piece = &counts[start..start + segment];
        let mean = piece.iter().map(|&c| f64::from(c)).sum::<f64>() / segment as f64;
        let mut values: Vec<Complex<f64>> = piece
            .iter()
            .zip(&taper)
            .map(|(&c, weight)| Complex::from((f64::from(c) - mean) * per_second * weight))
            .collect();
        transform.process(&mut values);
        for (sum, value) in power.iter_mut().zip(&values[1..]) {
            // One-sided: both signs of a frequency count.
            *sum += 2.0 * value.norm_sqr() * width / 1000.0 / norm;
        }
        count += 1.0;
    }
    power.iter_mut().for_each(|sum| *sum /= count);
    let step = 1000.0 / (width * segment as f64);
    Some(Spectrum { frequencies: (1..=half).map(|k| k as f64 * step).collect(), power })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim_core::random::{Purpose, Stream};

    fn trains(probability: impl Fn(f64) -> f64) -> Trains {
        let neurons = (0..50)
            .map(|neuron| {
                let mut stream = Stream::new(5, Purpose::Example, neuron, 0);
                (1..=8192)
                    .map(f64::from)
                    .filter(|&time| stream.next_uniform() < probability(time))
                    .collect()
            })
            .collect();
        Trains { neurons, begin: 0.0, end: 8192.0, ..Trains::default() }
    }

    #[test]
    fn a_rhythm_stands_out_at_its_frequency() {
        let rhythm = trains(|t| 0.02 * (1.0 + (std::f64::consts::TAU * 0.04 * t).sin()));
        let spectrum = power_spectrum(&rhythm, 1.0, 512).unwrap();
        assert!((spectrum.peak().unwrap() - 40.0).abs() < 2.0, "{:?}", spectrum.peak());
    }

    #[test]
    fn independent_poisson_trains_have_the_flat_spectrum_of_their_rate() {
        // One-sided density 2 r / N for N neurons of rate r = 20/s (1 − p of it on the grid).
        let spectrum = power_spectrum(&trains(|_| 0.02), 1.0, 256).unwrap();
        let mean = spectrum.power.iter().sum::<f64>() / spectrum.power.len() as f64;
        assert!((mean / (2.0 * 20.0 * 0.98 / 50.0) - 1.0).abs() < 0.05, "{mean}");
        assert!(power_spectrum(&trains(|_| 0.02), 1.0, 10_000).is_none(), "too short");
    }
}
