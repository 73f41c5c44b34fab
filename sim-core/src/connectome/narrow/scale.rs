//! What one unit of an integer weight is worth, for each target population and receptor.
//!
//! Weights become 16-bit integers; their sums are exact in 32 bits. The largest weight decides the
//! scale. Where single weights (one for all synapses of a projection) meet at a receptor, a scale is
//! sought on which all of them are whole numbers, small ones first: their sums may fit 16 bits.

/// Weights are stored in −32,767 ..= 32,767.
pub const LARGEST_INTEGER: f64 = 32_767.0;

/// The largest integers that are tried for the largest weight.
const SMALLEST_TRIED: u32 = 16_384;

/// Small integers that are tried for the largest weight, where all are single.
const SMALL: std::ops::RangeInclusive<u32> = 1..=256;

/// Relative errors of single weights below this count as none.
const EXACT: f64 = 1e-12;

/// The value of one unit for these weights: `singles` are stored often, `largest` bounds the others.
pub fn unit(singles: &[f64], largest: f64) -> f64 {
    let most = singles.iter().fold(largest, |most, single| most.max(single.abs()));
    if most == 0.0 || !most.is_finite() {
        return 1.0;
    }
    let error = |unit: f64| {
        let off = |single: &f64| {
            let whole = (single / unit).round();
            if *single == 0.0 { 0.0 } else { (whole * unit / single - 1.0).abs() }
        };
        singles.iter().map(off).fold(0.0, f64::max)
    };
    let small = SMALL.map(|integer| most / f64::from(integer)).find(|&unit| error(unit) < EXACT);
    if let Some(unit) = small.filter(|_| largest == 0.0) {
        return unit;
    }
    let mut best = most / LARGEST_INTEGER;
    let mut smallest = error(best);
    let tried = (SMALLEST_TRIED..LARGEST_INTEGER as u32).rev();
    for unit in tried.map(|integer| most / f64::from(integer)) {
        if smallest < EXACT {
            break;
        }
        let error = error(unit);
        if error < smallest {
            (best, smallest) = (unit, error);
        }
    }
    best
}

/// A weight as an integer.
pub fn quantise(weight: f64, unit: f64) -> i16 {
    // Half away from zero: the cast cuts off what lies behind the point.
    let scaled = (weight / unit).clamp(-LARGEST_INTEGER, LARGEST_INTEGER);
    (scaled + 0.5_f64.copysign(scaled)) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_weights_become_whole_numbers_where_a_scale_allows_it() {
        for largest in [0.0, 0.5] {
            let unit = unit(&[0.1, -0.5], largest);
            let (small, large) = (quantise(0.1, unit), quantise(-0.5, unit));
            assert_eq!(i32::from(small) * -5, i32::from(large));
            assert!((f64::from(small) * unit - 0.1).abs() < 1e-15);
        }
        assert_eq!(unit(&[0.1, -0.5], 0.0), 0.1);
        assert_eq!(unit(&[-0.45], 0.0), 0.45);
    }

    #[test]
    fn no_weight_is_off_by_more_than_half_a_unit() {
        let unit = unit(&[], 351.2);
        assert_eq!(unit, 351.2 / LARGEST_INTEGER);
        for k in 0..1000 {
            let weight = f64::from(k) * 0.351;
            assert!((f64::from(quantise(weight, unit)) * unit - weight).abs() <= 0.5 * unit);
        }
        assert_eq!(super::unit(&[0.0], 0.0), 1.0);
    }
}
