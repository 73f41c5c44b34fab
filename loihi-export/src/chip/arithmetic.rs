//! Arithmetic in which the public emulators of Loihi differ, as named choices.
//!
//! What the silicon does is not published. Lava's choices are the default wherever a chip's
//! description states none; a description of one's own, or one of the named [`ARITHMETICS`], states
//! others. The emulator counts what wraps and clips under each.

use serde::{Deserialize, Serialize};

use super::sourced::{Evidence, Sourced};

/// Choices of one chip description.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arithmetic {
    /// Which way the low bits of weights of mixed sign are dropped.
    pub mixed_sign_truncation: Sourced<Truncation>,
    /// What becomes of a synaptic current beyond its 24 bits; Lava's single wrap where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_overflow: Option<Sourced<CurrentOverflow>>,
    /// Bits, with sign, of the sum of the weights that reach a neuron in a step; further ones are
    /// dropped. Lava's 32 where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accumulator_bits: Option<Sourced<u8>>,
}

/// Lava's accumulator.
const LAVA_ACCUMULATOR_BITS: u8 = 32;

impl Arithmetic {
    /// What becomes of a synaptic current beyond its bits.
    pub fn current_overflow(&self) -> CurrentOverflow {
        self.current_overflow.as_ref().map_or(CurrentOverflow::WrapOnce, |stated| stated.value)
    }

    /// Bits of the sum of the weights that reach a neuron, with sign.
    pub fn accumulator_bits(&self) -> u8 {
        self.accumulator_bits.as_ref().map_or(LAVA_ACCUMULATOR_BITS, |stated| stated.value)
    }
}

/// Which way a number goes when its low bits are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Truncation {
    /// Down, as an arithmetic shift does: -3 without its lowest bit is -4 (Lava).
    Floor,
    /// Toward zero: -3 without its lowest bit is -2 (brian2-loihi).
    TowardZero,
}

impl Truncation {
    /// Clears the lowest `bits` bits of `value`; 62 bits at most.
    pub fn clear_low_bits(self, value: i64, bits: u32) -> i64 {
        let bits = bits.min(62);
        match self {
            Self::Floor => (value >> bits) << bits,
            Self::TowardZero => value.signum() * ((value.abs() >> bits) << bits),
        }
    }
}

/// What becomes of a synaptic current u beyond 24 bits; `M = 2^23`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CurrentOverflow {
    /// u - 2M above M and u + 2M at -M and below, once; M itself is kept (Lava).
    #[default]
    WrapOnce,
    /// Its low 24 bits in two's complement: -M to M - 1 (nengo-loihi).
    TwosComplement,
    /// It stays at -(M - 1) or M - 1, as the membrane potential does.
    Saturate,
}

/// A set of choices with a name.
#[derive(Debug)]
pub struct NamedArithmetic {
    /// Name on the command line.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    truncation: Truncation,
    current_overflow: CurrentOverflow,
    accumulator_bits: u8,
    source: &'static str,
    evidence: Evidence,
}

/// All named sets, Lava's first.
pub static ARITHMETICS: &[NamedArithmetic] = &[
    NamedArithmetic {
        name: "lava",
        summary: "weights floor, u wraps once at 24 bits, sums of 32 bits (lava-nc 0.10.0)",
        truncation: Truncation::Floor,
        current_overflow: CurrentOverflow::WrapOnce,
        accumulator_bits: LAVA_ACCUMULATOR_BITS,
        source: "lava-nc 0.10.0 source: truncate_weights, PyLifModelBitAcc",
        evidence: Evidence::Run,
    },
    NamedArithmetic {
        name: "brian2_loihi",
        summary: "as Lava, but odd negative weights of mixed sign go toward zero (brian2-loihi 0.5.2)",
        truncation: Truncation::TowardZero,
        current_overflow: CurrentOverflow::WrapOnce,
        accumulator_bits: LAVA_ACCUMULATOR_BITS,
        source: "brian2-loihi 0.5.2: its rounding of weights, run against Lava",
        evidence: Evidence::Run,
    },
    NamedArithmetic {
        name: "nengo_loihi",
        summary: "weights floor, u in two's complement of 24 bits, sums of 22 bits (nengo-loihi 1.1.0)",
        truncation: Truncation::Floor,
        current_overflow: CurrentOverflow::TwosComplement,
        accumulator_bits: 22,
        source: "nengo-loihi 1.1.0 source: U_BITS 23 and Q_BITS 21, both without the sign; not run",
        evidence: Evidence::Secondary,
    },
];

impl NamedArithmetic {
    /// The choices with their source.
    pub fn choices(&self) -> Arithmetic {
        let source = self.source.to_owned();
        Arithmetic {
            mixed_sign_truncation: stated(self.truncation, &source, self.evidence),
            current_overflow: Some(stated(self.current_overflow, &source, self.evidence)),
            accumulator_bits: Some(stated(self.accumulator_bits, &source, self.evidence)),
        }
    }
}

fn stated<T>(value: T, source: &str, evidence: Evidence) -> Sourced<T> {
    Sourced { value, source: source.to_owned(), evidence, note: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn low_bits_are_cleared_down_or_toward_zero() {
        assert_eq!(Truncation::Floor.clear_low_bits(-3, 1), -4);
        assert_eq!(Truncation::TowardZero.clear_low_bits(-3, 1), -2);
    }

    #[test]
    fn named_sets_state_everything_and_the_first_is_the_default() {
        let first = ARITHMETICS[0].choices();
        let silent = Arithmetic { current_overflow: None, accumulator_bits: None, ..first.clone() };
        assert_eq!(first.current_overflow(), silent.current_overflow());
        assert_eq!(first.accumulator_bits(), silent.accumulator_bits());
        assert!(ARITHMETICS.iter().all(|named| !named.summary.is_empty()));
    }
}
