//! Deterministic rate: evenly spaced spikes, as many as the value asks for.
//!
//! Up to step t a value x in 0..=1 has sent floor(x t + 1/2) spikes: an integrate-and-fire encoder
//! that starts at half its threshold. After T steps the count is the nearest to x T.

use super::{CodeEntry, InputCode};

pub(super) const ENTRY: CodeEntry = CodeEntry {
    name: "deterministic_rate",
    summary: "each value (0 to 1) becomes evenly spaced spikes",
    code: InputCode::DeterministicRate,
};

/// Whether a value spikes in step `step` (1, 2, …).
pub fn spikes(value: f64, step: u32) -> bool {
    count(value, step) > count(value, step - 1)
}

/// Spikes sent up to and including step `step`.
fn count(value: f64, step: u32) -> f64 {
    (value.clamp(0.0, 1.0) * f64::from(step) + 0.5).floor()
}

/// The spikes of a whole sample, `[step][neuron]`, for `steps` steps.
pub fn encode(values: &[f32], steps: u32) -> Vec<Vec<u32>> {
    (1..=steps)
        .map(|step| {
            let fires = |&index: &usize| spikes(f64::from(values[index]), step);
            (0..values.len()).filter(fires).map(|index| index as u32).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_the_nearest_to_the_value_and_spikes_are_even() {
        for sixteenth in 0..=16 {
            let value = f64::from(sixteenth) / 16.0;
            for steps in [1, 4, 8, 16, 32] {
                let sent = (1..=steps).filter(|&step| spikes(value, step)).count() as f64;
                assert!((sent - value * f64::from(steps)).abs() <= 0.5);
            }
            let times: Vec<u32> = (1..=64).filter(|&step| spikes(value, step)).collect();
            let gaps: Vec<u32> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
            let (low, high) = (gaps.iter().min(), gaps.iter().max());
            assert!(low.zip(high).is_none_or(|(low, high)| high - low <= 1), "{gaps:?}");
        }
        assert_eq!(encode(&[0.0, 1.0, 0.5], 2), [vec![1, 2], vec![1]]);
    }
}
