//! The chip's integer arithmetic as small pure functions.
//!
//! `tr(x, n) = sign(x) * (|x| >> n)` rounds toward zero; `>>` alone floors. States are 24 bits
//! wide: `M = 2^23`. Formulas: lava-nc 0.10.0, CPU models tagged `fixed_pt`.

use crate::chip::CurrentOverflow;

/// `M = 2^23`, the bound of a signed 24-bit state.
pub const STATE_BOUND: i64 = 1 << 23;
/// Synaptic input and thresholds are shifted left by this before they meet the state.
pub const INPUT_SHIFT: u32 = 6;
/// A decay factor of `2^12` keeps everything.
pub const DECAY_UNITY: i64 = 1 << 12;

/// `tr(value, bits)`: drops low bits toward zero; `bits` at most 62.
#[inline]
pub fn shift_toward_zero(value: i64, bits: u32) -> i64 {
    // Adding 2^bits - 1 to negative values makes the floor of the shift a ceiling.
    let correction = (value >> 63) & ((1 << bits) - 1);
    (value + correction) >> bits
}

/// `value << exponent`, or the flooring `value >> -exponent` for negative exponents (|e| < 32).
#[inline]
pub fn shift_signed(value: i64, exponent: i8) -> i64 {
    if exponent >= 0 { value << exponent } else { value >> -exponent }
}

/// The low 32 bits of a sum, as a 32-bit register keeps them.
#[inline]
pub fn keep_32_bits(value: i64) -> i32 {
    value as i32
}

/// `((sum + M) mod 2M) - M`: the low 24 bits of a convolution's sum, as a signed number.
#[inline]
pub fn keep_24_bits(sum: i64) -> i32 {
    ((sum + STATE_BOUND).rem_euclid(2 * STATE_BOUND) - STATE_BOUND) as i32
}

/// `u * factor / 2^12 + (a << 6)` with the decay toward zero, before it is wrapped.
///
/// `factor` is `4096 - (du + 1)`.
#[inline]
pub fn decayed_current(current: i32, factor: i64, input: i32) -> i64 {
    shift_toward_zero(i64::from(current) * factor, 12) + (i64::from(input) << INPUT_SHIFT)
}

/// Wraps a current into 24 bits once: `u - 2M` above `M`, `u + 2M` at `-M` and below.
///
/// `M` itself is kept. A current further away than one wrap stays outside the 24 bits.
#[inline]
pub fn wrap_current(current: i64) -> i32 {
    let kept = i64::from(keep_32_bits(current));
    let wrapped = if kept > STATE_BOUND {
        kept - 2 * STATE_BOUND
    } else if kept <= -STATE_BOUND {
        kept + 2 * STATE_BOUND
    } else {
        kept
    };
    keep_32_bits(wrapped)
}

/// A current in 24 bits under one of the rules on which emulators differ.
#[inline]
pub fn bounded_current(current: i64, rule: CurrentOverflow) -> i32 {
    match rule {
        CurrentOverflow::WrapOnce => wrap_current(current),
        CurrentOverflow::TwosComplement => keep_24_bits(current),
        CurrentOverflow::Saturate => clip_membrane(current),
    }
}

/// The low `bits` bits of a sum as a signed number; 2 to 32 bits.
#[inline]
pub fn keep_bits(sum: i32, bits: u8) -> i32 {
    let dropped = 32 - u32::from(bits.clamp(2, 32));
    (sum << dropped) >> dropped
}

/// `v * factor / 2^12 + u + bias` with the decay toward zero, before it is clipped.
///
/// `factor` is `4096 - dv`.
#[inline]
pub fn decayed_membrane(membrane: i32, factor: i64, current: i32, bias: i32) -> i64 {
    shift_toward_zero(i64::from(membrane) * factor, 12) + i64::from(current) + i64::from(bias)
}

/// Clips a membrane potential to `-(M-1)..=M-1`; it saturates and never wraps.
#[inline]
pub fn clip_membrane(membrane: i64) -> i32 {
    i64::from(keep_32_bits(membrane)).clamp(1 - STATE_BOUND, STATE_BOUND - 1) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shifts_round_as_their_definitions_say() {
        for value in [-4097_i64, -4096, -4095, -1, 0, 1, 4095, 4096, 1 << 40, -(1 << 40) - 1] {
            let definition = value.signum() * (value.abs() >> 12);
            assert_eq!(shift_toward_zero(value, 12), definition, "{value}");
        }
        assert_eq!(shift_signed(-5, -1), -3);
        assert_eq!(shift_signed(-5, 2), -20);
    }

    #[test]
    fn the_current_wraps_once_and_keeps_the_upper_bound() {
        assert_eq!(wrap_current(STATE_BOUND), 1 << 23);
        assert_eq!(wrap_current(STATE_BOUND + 1), -(1 << 23) + 1);
        assert_eq!(wrap_current(-STATE_BOUND), 1 << 23);
        assert_eq!(wrap_current(1 - STATE_BOUND), 1 - (1 << 23));
        assert_eq!(wrap_current(3 * STATE_BOUND + 1), (1 << 23) + 1, "only one wrap");
    }

    #[test]
    fn currents_and_sums_follow_the_chips_rule() {
        let beyond = STATE_BOUND + 5;
        let kept = |rule| bounded_current(beyond, rule);
        assert_eq!(kept(CurrentOverflow::WrapOnce), 5 - (1 << 23));
        assert_eq!(kept(CurrentOverflow::TwosComplement), 5 - (1 << 23));
        assert_eq!(kept(CurrentOverflow::Saturate), (1 << 23) - 1);
        // They differ at the bound itself.
        assert_eq!(bounded_current(STATE_BOUND, CurrentOverflow::WrapOnce), 1 << 23);
        assert_eq!(bounded_current(STATE_BOUND, CurrentOverflow::TwosComplement), -(1 << 23));
        assert_eq!(keep_bits((1 << 21) + 3, 22), 3 - (1 << 21));
        assert_eq!((keep_bits(-7, 22), keep_bits(i32::MIN, 32)), (-7, i32::MIN));
    }

    #[test]
    fn the_membrane_saturates_symmetrically() {
        assert_eq!(clip_membrane(STATE_BOUND), (1 << 23) - 1);
        assert_eq!(clip_membrane(-STATE_BOUND), 1 - (1 << 23));
        assert_eq!(clip_membrane(-7), -7);
    }

    #[test]
    fn convolution_sums_keep_24_bits() {
        assert_eq!(keep_24_bits(STATE_BOUND), -(1 << 23));
        assert_eq!(keep_24_bits(STATE_BOUND - 1), (1 << 23) - 1);
        assert_eq!(keep_24_bits(-STATE_BOUND - 1), (1 << 23) - 1);
    }
}
