//! Latency: each value sends one spike, the earlier the larger it is.
//!
//! In a window of length W a value x in 0..=1 spikes (1 − x) W after the opening, a fraction x before
//! the end; 0 does not spike. In S time slots it spikes S − n slots after the opening with n = ⌊x S + 1/2⌋.
//! Values outside that range have no time; they are refused.
//!
//! Source: Thorpe, Delorme and Van Rullen 2001, Neural Networks 14:715.

use super::{CodeEntry, InputCode};
use sim_core::time::Time;

pub(super) const ENTRY: CodeEntry = CodeEntry {
    name: "latency",
    summary: "each value (0 to 1) sends one spike, the earlier the larger it is",
    code: InputCode::Latency,
};

/// The time after the opening of a window at which a value spikes.
pub fn encode(value: f64, window: Time) -> Option<Time> {
    let wait = ((1.0 - value.min(1.0)) * window.0 as f64).round();
    (value > 0.0).then_some(Time(wait as i64))
}

/// The value that a spike at this time after the opening stands for; `None` without a spike.
pub fn decode(time: Option<Time>, window: Time) -> f64 {
    time.map_or(0.0, |time| (window - time).0 as f64 / window.0 as f64)
}

/// The slot, counted from the opening, in which a value spikes.
pub fn encode_slot(value: f64, slots: u32) -> Option<u32> {
    let levels = (value * f64::from(slots) + 0.5).floor().clamp(0.0, f64::from(slots));
    (levels >= 1.0).then_some(slots - levels as u32)
}

/// The value that a spike in this slot stands for; `None` without a spike.
pub fn decode_slot(slot: Option<u32>, slots: u32) -> f64 {
    slot.map_or(0.0, |slot| f64::from(slots.saturating_sub(slot)) / f64::from(slots))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_spikes_at_once_a_half_in_the_middle_and_zero_never() {
        let window = Time(1000);
        assert_eq!(encode(1.0, window), Some(Time(0)));
        assert_eq!(encode(0.5, window), Some(Time(500)));
        assert_eq!(encode(0.0, window), None);
        assert_eq!(
            [1.0, 0.5, 0.03, 0.0].map(|x| encode_slot(x, 16)),
            [Some(0), Some(8), None, None]
        );
        assert_eq!(encode_slot(1.0 / 32.0, 16), Some(15));
    }

    proptest! {
        #[test]
        fn what_is_decoded_is_what_was_encoded(value in 0.0..=1.0_f64, slots in 1..4096_u32) {
            let window = Time(1_000_000_000_000_000);
            // Half a femtosecond of a window of a second, and the rounding of 1 − x and the quotient.
            let error = (decode(encode(value, window), window) - value).abs();
            prop_assert!(error <= 7.5e-16, "{error}");
            let error = (decode_slot(encode_slot(value, slots), slots) - value).abs();
            // Half a slot; 1e-12 for the rounding of the quotients.
            prop_assert!(error <= 0.5 / f64::from(slots) + 1e-12, "{error}");
        }

        #[test]
        fn larger_values_never_spike_later(a in 0.001..=1.0_f64, b in 0.001..=1.0_f64) {
            let window = Time(1_000_000);
            let [early, late] = [a.max(b), a.min(b)];
            prop_assert!(encode(early, window) <= encode(late, window));
        }
    }
}
