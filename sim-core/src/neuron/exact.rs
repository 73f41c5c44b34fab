//! Numbers on a dyadic grid: their sums are exact, so they do not depend on order or grouping.
//!
//! A 64-bit float holds every multiple of 2^-32 up to 2^20 in magnitude exactly. Stepwise models
//! without leak round weights, currents, thresholds and initial values to that grid (an error of at
//! most 1.2e-10) when a network is compiled. Then a potential that was built up by adding one input
//! after the other equals one that was advanced by many silent steps at once, bit for bit: the
//! clock-driven and the event-driven engine agree by construction, for any number of threads.

/// Steps of the grid in one: 2^32.
const STEPS: f64 = 4_294_967_296.0;

/// The largest magnitude up to which sums are exact: 2^20.
pub const LARGEST_EXACT: f64 = 1_048_576.0;

/// The nearest multiple of 2^-32.
pub fn round(value: f64) -> f64 {
    (value * STEPS).round_ties_even() / STEPS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_rounded_numbers_do_not_depend_on_order_or_grouping() {
        let terms: Vec<f64> =
            (1..2000).map(|k| round((f64::from(k) * 0.73).sin() * 37.0)).collect();
        let forward = terms.iter().sum::<f64>();
        let backward = terms.iter().rev().sum::<f64>();
        let pairs = terms.chunks(7).map(|chunk| chunk.iter().sum::<f64>()).sum::<f64>();
        assert_eq!(forward.to_bits(), backward.to_bits());
        assert_eq!(forward.to_bits(), pairs.to_bits());
        let step = round(0.1);
        let added = (0..1000).fold(0.0, |sum, _| sum + step);
        assert_eq!(added.to_bits(), (step * 1000.0).to_bits());
    }
}
