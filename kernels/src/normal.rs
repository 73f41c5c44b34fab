//! Normally distributed numbers from random bits: the inverse of the cumulative distribution.
//!
//! Additions, multiplications, divisions and square roots alone, in one order, so that all instruction sets
//! give the same bits; no function of the system's mathematical library, whose bits differ from
//! machine to machine.
//!
//! Reference: M. J. Wichura 1988, "Algorithm AS 241: The percentage points of the normal
//! distribution", Appl. Statist. 37:477, doi 10.2307/2347330 (routine PPND16, relative error 1e-16).

#![allow(clippy::excessive_precision, reason = "coefficients as published")]

use crate::instructions::compiled_for_each_set;

/// Numbers that are made together.
const LANES: usize = 16;

/// Coefficients of numerator and denominator, the highest power first.
type Rational = [[f64; 8]; 2];

/// |q| up to here is central.
const CENTRAL: f64 = 0.425;

/// In the variable 0.425² − q².
const MIDDLE: Rational = [
    [
        2.509_080_928_730_122_7e3,
        3.343_057_558_358_812_8e4,
        6.726_577_092_700_870_1e4,
        4.592_195_393_154_987_1e4,
        1.373_169_376_550_946_1e4,
        1.971_590_950_306_551_4e3,
        1.331_416_678_917_843_8e2,
        3.387_132_872_796_366_6,
    ],
    [
        5.226_495_278_852_854_6e3,
        2.872_908_573_572_194_3e4,
        3.930_789_580_009_271e4,
        2.121_379_430_158_659_6e4,
        5.394_196_021_424_751e3,
        6.871_870_074_920_579e2,
        4.231_333_070_160_091e1,
        1.0,
    ],
];

/// In the variable √(−ln p) − 1.6, for √(−ln p) up to 5.
const TAIL: Rational = [
    [
        7.745_450_142_783_414e-4,
        2.272_384_498_926_918_4e-2,
        2.417_807_251_774_506e-1,
        1.270_458_252_452_368_4,
        3.647_848_324_763_204_6,
        5.769_497_221_460_691,
        4.630_337_846_156_546,
        1.423_437_110_749_683_5,
    ],
    [
        1.050_750_071_644_416_9e-9,
        5.475_938_084_995_345e-4,
        1.519_866_656_361_645_7e-2,
        1.481_039_764_274_800_8e-1,
        6.897_673_349_851e-1,
        1.676_384_830_183_803_8,
        2.053_191_626_637_758_8,
        1.0,
    ],
];

/// In the variable √(−ln p) − 5, beyond.
const FAR: Rational = [
    [
        2.010_334_399_292_288_1e-7,
        2.711_555_568_743_487_6e-5,
        1.242_660_947_388_078_4e-3,
        2.653_218_952_657_612_3e-2,
        2.965_605_718_285_048_7e-1,
        1.784_826_539_917_291_3,
        5.463_784_911_164_114,
        6.657_904_643_501_104,
    ],
    [
        2.044_263_103_389_939_8e-15,
        1.421_511_758_316_445_9e-7,
        1.846_318_317_510_054_7e-5,
        7.868_691_311_456_133e-4,
        1.487_536_129_085_061_5e-2,
        1.369_298_809_227_358e-1,
        5.998_322_065_558_879e-1,
        1.0,
    ],
];

/// A uniform number in (−1/2, 1/2): the middle of one of 2^52 intervals.
#[inline(always)]
fn centred(bits: u64) -> f64 {
    let one_to_two = f64::from_bits(0x3ff0_0000_0000_0000 | (bits >> 12));
    (one_to_two - 1.5) + 0.5 * f64::EPSILON
}

/// The natural logarithm of a normal number above zero: of its mantissa m in [√½, √2) by the series of
/// 2 artanh((m − 1)/(m + 1)).
#[inline(always)]
fn logarithm(x: f64) -> f64 {
    const ROOT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    const MANTISSA: u64 = 0x000f_ffff_ffff_ffff;
    const TWO_52: u64 = 0x4330_0000_0000_0000;
    let shifted = x.to_bits().wrapping_sub(ROOT_HALF);
    let biased = shifted.wrapping_add(1024 << 52) >> 52;
    let exponent = f64::from_bits(TWO_52 | biased) - (f64::from_bits(TWO_52) + 1024.0);
    let m = f64::from_bits((shifted & MANTISSA) + ROOT_HALF);
    let s = (m - 1.0) / (m + 1.0);
    let z = s * s;
    let mut sum = 1.0 / 21.0;
    for denominator in [19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0] {
        sum = sum * z + 1.0 / denominator;
    }
    exponent * std::f64::consts::LN_2 + 2.0 * s * sum
}

/// √(−ln p) of the smaller tail.
#[inline(always)]
fn depth(q: f64) -> f64 {
    (-logarithm(0.5 - q.abs())).sqrt()
}

#[inline(always)]
fn quantiles(bits: &[u64], normals: &mut [f64]) {
    for (bits, normals) in
        bits.as_chunks::<LANES>().0.iter().zip(normals.as_chunks_mut::<LANES>().0)
    {
        let (mut q, mut r, mut outer) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        let mut far = 0_u64;
        for lane in 0..LANES {
            q[lane] = centred(bits[lane]);
            let depth = depth(q[lane]);
            let central = q[lane].abs() <= CENTRAL;
            r[lane] = if central { CENTRAL * CENTRAL - q[lane] * q[lane] } else { depth - 1.6 };
            outer[lane] = if central { 0.0 } else { 1.0 };
            far |= u64::from(depth > 5.0);
        }
        for lane in 0..LANES {
            let select = |middle: f64, tail: f64| if outer[lane] == 0.0 { middle } else { tail };
            let (mut above, mut below) = (0.0, 0.0);
            for power in 0..8 {
                above = above * r[lane] + select(MIDDLE[0][power], TAIL[0][power]);
                below = below * r[lane] + select(MIDDLE[1][power], TAIL[1][power]);
            }
            let sign = 1.0_f64.copysign(q[lane]);
            normals[lane] = select(q[lane], sign) * above / below;
        }
        if far != 0 {
            replace_far(&q, normals);
        }
    }
}

/// One number in 10^11 lies beyond 6.6 standard deviations.
#[cold]
#[inline(never)]
fn replace_far(q: &[f64; LANES], normals: &mut [f64; LANES]) {
    for (&q, normal) in q.iter().zip(normals) {
        let depth = depth(q);
        if depth > 5.0 {
            let polynomial =
                |of: [f64; 8]| of.into_iter().fold(0.0, |sum, next| sum * (depth - 5.0) + next);
            *normal = 1.0_f64.copysign(q) * polynomial(FAR[0]) / polynomial(FAR[1]);
        }
    }
}

compiled_for_each_set! {
    /// Turns random bits into numbers of the standard normal distribution, one each.
    ///
    /// Both slices are equally long, a multiple of [`BATCH`](crate::philox::BATCH). The upper 52
    /// bits b stand for the quantile (b + ½)/2^52: no number lies beyond 8.2.
    pub fn standard_normals = quantiles;
    (bits: &[u64], normals: &mut [f64])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Instructions;
    use crate::philox::{BATCH, Sequence, random_bits};

    /// Quantiles by Python 3.11's `statistics.NormalDist().inv_cdf` of (b + ½)/2^52.
    const KNOWN: [(u64, f64); 8] = [
        (0, -8.209536151601386),
        (1 << 12, -7.04768326661057),
        (1 << 51, 2.7829164246717676e-16),
        (12_345_678_901_234, -2.7772213489127853),
        (400_000_000_000_000, -1.3480705764880072),
        (1_000_000_000_000_000, -0.765306238870681),
        (4_400_000_000_000_000, 1.9953247092254298),
        ((1 << 52) - 1, 8.209536151601386),
    ];

    #[test]
    fn quantiles_are_those_of_an_independent_implementation() {
        let mut bits: Vec<u64> = KNOWN.iter().map(|(upper, _)| upper << 12).collect();
        bits.resize(BATCH, 1 << 63);
        for instructions in Instructions::available() {
            let mut normals = vec![0.0; BATCH];
            standard_normals(instructions, &bits, &mut normals);
            for (&(upper, expected), normal) in KNOWN.iter().zip(&normals) {
                let error = (normal - expected).abs();
                assert!(error <= 4e-15 * expected.abs().max(1.0), "{upper}: {normal} {expected}");
            }
        }
    }

    #[test]
    fn all_sets_give_the_same_bits_and_the_moments_are_normal() {
        let mut bits = vec![0; 200 * BATCH];
        random_bits(Instructions::widest(), Sequence { key: [1, 2], object: 3, tag: 4 }, &mut bits);
        let mut expected = vec![0.0; bits.len()];
        quantiles(&bits, &mut expected);
        for instructions in Instructions::available() {
            let mut normals = vec![0.0; bits.len()];
            standard_normals(instructions, &bits, &mut normals);
            assert_eq!(normals, expected, "{}", instructions.name());
        }
        // Five standard errors of 6,400 numbers: 1/80, √2/80, √96/80.
        let moment = |power: i32| {
            expected.iter().map(|z| z.powi(power)).sum::<f64>() / expected.len() as f64
        };
        assert!(moment(1).abs() < 5.0 / 80.0, "{}", moment(1));
        assert!((moment(2) - 1.0).abs() < 5.0 * 1.5 / 80.0, "{}", moment(2));
        assert!((moment(4) - 3.0).abs() < 5.0 * 9.8 / 80.0, "{}", moment(4));
    }

    #[test]
    fn logarithms_are_those_of_the_library_within_rounding() {
        for x in [0.5, 0.7, 0.07, 1e-5, 2.0_f64.powi(-53), 0.075, 1.0] {
            assert!((logarithm(x) - x.ln()).abs() <= 4e-16 * x.ln().abs().max(1.0), "{x}");
        }
    }
}
