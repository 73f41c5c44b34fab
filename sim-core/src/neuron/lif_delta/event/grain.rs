//! Distances from V∞ as multiples of a grain.
//!
//! Sums of multiples of one power of two are exact, whatever their order, while they stay below 2^53 of them. So input
//! may be added before its time and be taken back (see [`super::ahead`]), and nothing is lost. The grain is 2^-48 of the
//! way from rest to the threshold or the reset, the longer one, rounded down to a power of two: sums up to
//! thirty times that way are exact, and an input is rounded by less than 4e-15 of it.

use super::super::{Constants, REST, THRESHOLD};
use crate::neuron::model::{Column, LoweredNeurons, LoweredReset, bytes_of};

/// Binary digits between the way and a grain.
const DIGITS: i32 = 48;

/// What numbers are rounded with, one for all neurons or one each: 1.5 · 2^52 grains, at which a number in
/// double precision has the grain as its last digit.
#[derive(Debug)]
pub(super) enum Grains {
    One(f64),
    Each(Vec<f64>),
}

impl Grains {
    pub(super) fn new(neurons: &LoweredNeurons, constants: &Constants) -> Self {
        let of = |neuron: usize| {
            let rest = constants.rest[neuron];
            let way = (constants.threshold[neuron] - rest).abs();
            rounder(way.max((constants.reset.get(neuron) - rest).abs()))
        };
        let one = |column: &Column| matches!(column, Column::One(_));
        let same_reset = match &neurons.reset {
            LoweredReset::To(column) => one(column),
            LoweredReset::Subtract => true,
        };
        let same = [REST, THRESHOLD].iter().all(|&index| one(&neurons.parameters[index]));
        let size = constants.rest.len();
        match same && same_reset && size > 0 {
            true => Grains::One(of(0)),
            false => Grains::Each((0..size).map(of).collect()),
        }
    }

    /// Bytes on the heap.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Grains::One(_) => 0,
            Grains::Each(rounders) => bytes_of(rounders),
        }
    }

    #[inline(always)]
    pub(super) fn get(&self, neuron: usize) -> f64 {
        match self {
            Grains::One(rounder) => *rounder,
            Grains::Each(rounders) => rounders[neuron],
        }
    }
}

/// What rounds to grains that belong to a way.
fn rounder(way: f64) -> f64 {
    // Beyond these a grain, or what rounds to it, would not be a number.
    let way = if way.is_normal() { way.clamp(1e-200, 1e200) } else { 1.0 };
    1.5 * 2.0_f64.powi(52 + way.log2().floor() as i32 - DIGITS)
}

/// The nearest multiple of the grain.
#[inline(always)]
pub(super) fn rounded(number: f64, rounder: f64) -> f64 {
    (number + rounder) - rounder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_rounded_numbers_do_not_depend_on_their_order() {
        for way in [3e-7, 1.0, 15.0, 20.0, 4e9] {
            let (rounder, grain) = (rounder(way), 2.0_f64.powi(way.log2().floor() as i32 - DIGITS));
            let numbers: Vec<f64> = (1..400)
                .map(|n| rounded(way * (f64::from(n) * 0.37).sin() * 0.2, rounder))
                .collect();
            assert!(numbers.iter().all(|number| number % grain == 0.0), "{way}");
            let number = way / 7.3;
            let error = rounded(number, rounder) - number;
            assert!(error != 0.0 && error.abs() <= 4e-15 * way, "{way}: {error}");
            let forth = numbers.iter().fold(0.0, |sum, number| sum + number);
            let back = numbers.iter().rev().fold(0.0, |sum, number| sum + number);
            assert_eq!(forth, back, "{way}");
            assert_eq!(numbers.iter().fold(forth, |sum, number| sum - number), 0.0, "{way}");
        }
        assert!(rounder(0.0).is_finite() && rounder(f64::INFINITY).is_finite());
    }
}
