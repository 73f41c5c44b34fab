//! Phase: each value is sent as a binary number of K bits, one bit a step, the highest first.
//!
//! A value x in 0..=1 becomes n = ⌊x (2^K − 1) + 1/2⌋; the spike in phase r counts 2^(K−1−r). Values
//! outside that range have no number; they are refused.
//!
//! Source: Kim et al. 2018, Neurocomputing 311:373 (weighted spikes).

use super::{CodeEntry, InputCode};

pub(super) const ENTRY: CodeEntry = CodeEntry {
    name: "phase",
    summary: "each value (0 to 1) is sent as a binary number, one bit a step",
    code: InputCode::Phase,
};

/// Whether a value spikes in each of `phases` (1 to 31) phases.
pub fn encode(value: f64, phases: u32) -> Vec<bool> {
    let most = (1_u32 << phases.min(31)) - 1;
    let number = (value.clamp(0.0, 1.0) * f64::from(most) + 0.5).floor() as u32;
    (0..phases.min(31)).rev().map(|bit| number >> bit & 1 == 1).collect()
}

/// The value that spikes in these phases stand for.
pub fn decode(spikes: &[bool]) -> f64 {
    let number = spikes.iter().fold(0.0, |number, &bit| 2.0 * number + f64::from(u8::from(bit)));
    number / (f64::from(spikes.len() as u32).exp2() - 1.0).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_highest_bit_comes_first() {
        assert_eq!(encode(1.0, 4), [true; 4]);
        assert_eq!(encode(0.0, 4), [false; 4]);
        // 0.6 · 15 = 9 = 1001b.
        assert_eq!(encode(0.6, 4), [true, false, false, true]);
        assert_eq!(decode(&[true, false, false, true]), 0.6);
    }

    proptest! {
        #[test]
        fn what_is_decoded_is_what_was_encoded(value in 0.0..=1.0_f64, phases in 1..=20_u32) {
            let error = (decode(&encode(value, phases)) - value).abs();
            // Half a level; 1e-12 for the rounding of the quotients.
            prop_assert!(error <= 0.5 / (f64::from(phases).exp2() - 1.0) + 1e-12, "{error}");
        }
    }
}
