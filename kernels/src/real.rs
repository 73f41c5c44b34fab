//! e^x and x^y in double precision by plain arithmetic: no call, no table, no branch, so that loops
//! over them become vector code, with the same bits for every instruction set.

// Coefficients are written as they were computed, which is longer than they are kept.
#![allow(clippy::excessive_precision)]

/// 1.5 · 2^52: what is added to a small number leaves its nearest whole number in the lowest bits.
const TO_WHOLE: f64 = 6_755_399_441_055_744.0;

/// ln 2 in two parts; a whole number below 2^11 times the first is exact.
const LN_2: [f64; 2] = [0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10];

/// Below it e^x is taken as zero: it would not be a normal number.
const LOWEST: f64 = -708.0;

/// Above it e^x is no finite number.
const HIGHEST: f64 = 709.0;

/// Bits of a 64-bit float's fraction.
const FRACTION: u32 = 52;

/// What is added to exponents where they are stored.
const BIAS: u64 = 1023;

/// e^x to within two units in the last place; 0 below −708, and the value at 709 above that.
#[inline(always)]
pub fn exp(x: f64) -> f64 {
    let low = if x < LOWEST { LOWEST } else { x };
    let inside = if low > HIGHEST { HIGHEST } else { low };
    let shifted = inside * std::f64::consts::LOG2_E + TO_WHOLE;
    let whole = shifted - TO_WHOLE;
    // |r| <= ln 2 / 2.
    let r = (inside - whole * LN_2[0]) - whole * LN_2[1];
    let power_of_two = f64::from_bits(shifted.to_bits().wrapping_add(BIAS) << FRACTION);
    let value = exp_near_zero(r) * power_of_two;
    if x < LOWEST { 0.0 } else { value }
}

/// e^r by its series to the 13th power, in pairs so that few operations wait for others.
#[inline(always)]
fn exp_near_zero(r: f64) -> f64 {
    const C: [f64; 14] = [
        1.0,
        1.0,
        1.0 / 2.0,
        1.0 / 6.0,
        1.0 / 24.0,
        1.0 / 120.0,
        1.0 / 720.0,
        1.0 / 5_040.0,
        1.0 / 40_320.0,
        1.0 / 362_880.0,
        1.0 / 3_628_800.0,
        1.0 / 39_916_800.0,
        1.0 / 479_001_600.0,
        1.0 / 6_227_020_800.0,
    ];
    let (r2, pair) = (r * r, |k: usize| C[k] + C[k + 1] * r);
    let r4 = r2 * r2;
    let low = pair(2) + pair(4) * r2;
    let middle = pair(6) + pair(8) * r2;
    let high = pair(10) + pair(12) * r2;
    // 1 and r are added last, as they are the largest.
    1.0 + (r + r2 * (low + r4 * (middle + r4 * high)))
}

/// `base`^`exponent` to within 4 · (1 + |exponent · ln base|) units in the last place, for a base of zero
/// or above and an exponent of zero or above; a base that is no normal number counts as zero.
#[inline(always)]
pub fn power(base: f64, exponent: f64) -> f64 {
    let normal = base >= f64::MIN_POSITIVE;
    let value = exp(exponent * ln(if normal { base } else { 1.0 }));
    let of_zero = if exponent == 0.0 { 1.0 } else { 0.0 };
    if normal { value } else { of_zero }
}

/// ln x of a normal number above zero.
#[inline(always)]
fn ln(x: f64) -> f64 {
    const D: [f64; 10] = [
        1.0 / 3.0,
        1.0 / 5.0,
        1.0 / 7.0,
        1.0 / 9.0,
        1.0 / 11.0,
        1.0 / 13.0,
        1.0 / 15.0,
        1.0 / 17.0,
        1.0 / 19.0,
        1.0 / 21.0,
    ];
    // x = 2^k m with m from 1/√2 to √2; the first exponent is that of 1/√2.
    const SHIFT: u64 = 0x3ff0_0000_0000_0000 - 0x3fe6_a09e_667f_3bcd;
    const ONE: u64 = 0x4330_0000_0000_0000;
    let stored = x.to_bits().wrapping_add(SHIFT) >> FRACTION;
    let m = f64::from_bits(x.to_bits().wrapping_sub(stored.wrapping_sub(BIAS) << FRACTION));
    // 2^52 + stored, less 2^52 + 1023.
    let k = f64::from_bits(ONE | stored) - (4_503_599_627_370_496.0 + 1023.0);
    // ln m = 2 artanh f = 2 f (1 + f²/3 + f⁴/5 + …), |f| < 0.172.
    let f = (m - 1.0) / (m + 1.0);
    let s = f * f;
    let (s2, pair) = (s * s, |n: usize| D[n] + D[n + 1] * s);
    let s4 = s2 * s2;
    let low = pair(0) + pair(2) * s2;
    let high = pair(4) + pair(6) * s2 + pair(8) * s4;
    let series = s * (low + s4 * high);
    k * LN_2[0] + (2.0 * f + (2.0 * f * series + k * LN_2[1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ULP: f64 = f64::EPSILON;

    #[test]
    fn e_to_the_x_is_that_of_the_mathematical_library() {
        let mut largest = 0.0_f64;
        for step in 0..200_000 {
            let x = f64::from(step) * 0.007 - 700.3;
            largest = largest.max((exp(x) / x.exp() - 1.0).abs());
        }
        assert!(largest < 2.0 * ULP, "{largest}");
        for (x, expected) in [(0.0, 1.0), (-0.0, 1.0), (-708.1, 0.0), (-1e300, 0.0)] {
            assert_eq!(exp(x), expected, "{x}");
        }
        assert_eq!(exp(f64::NEG_INFINITY), 0.0);
        assert!(exp(f64::INFINITY).is_finite() && exp(f64::NAN).is_nan());
    }

    #[test]
    fn powers_are_those_of_the_mathematical_library() {
        for exponent in [0.0, 0.02, 0.4, 1.0, 2.5] {
            for step in 1..60_000 {
                let base = 1e-5 * 1.0006_f64.powi(step);
                let allowed = 4.0 * ULP * (1.0 + (exponent * base.ln()).abs());
                let error = (power(base, exponent) / base.powf(exponent) - 1.0).abs();
                assert!(error < allowed, "{base}^{exponent}: {error}");
            }
        }
        assert_eq!((power(0.0, 0.4), power(0.0, 0.0), power(1.0, 0.4)), (0.0, 1.0, 1.0));
    }
}
