//! What a neuron with bursts and corrections answers to its potential.

/// The largest burst or correction.
pub const LARGEST_PAYLOAD: i32 = 127;

/// A `largest_rate` from which on there is no limit.
pub const NO_LIMIT: f64 = 1e6;

/// A silence longer than this is for ever: sums are exact only below 2^20.
const LONGEST_SILENCE: u64 = 1 << 40;

/// The parameters of one neuron; see the [module](super).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// What one spike stands for; a multiple of 2^-32.
    pub threshold: f64,
    /// Most spikes in a step, a whole number.
    pub burst: f64,
    /// Most spikes taken back in a step, a whole number.
    pub correction: f64,
    /// How far below zero nothing is taken back.
    pub tolerance: f64,
    /// Most net spikes a step on average.
    pub largest_rate: f64,
    /// The step before the first that counts.
    pub onset: u64,
}

impl Answer {
    /// The payload of the spike that is sent in `step`; 0 for none.
    pub fn payload(&self, potential: f64, count: f64, step: u64) -> i32 {
        let number = if potential >= self.threshold {
            let room = (self.most(step) - count).max(0.0);
            (potential / self.threshold).floor().min(self.burst).min(room)
        } else if potential < -self.tolerance {
            let sent = count.max(0.0);
            (potential / self.threshold).floor().max(-self.correction).max(-sent)
        } else {
            return 0;
        };
        number as i32
    }

    /// The largest net count up to and including `step`.
    fn most(&self, step: u64) -> f64 {
        if self.largest_rate >= NO_LIMIT {
            return f64::INFINITY;
        }
        (self.largest_rate * step.saturating_sub(self.onset) as f64).floor()
    }

    /// In how many steps after `step` the neuron spikes if nothing but `current` arrives.
    pub fn silent_steps(&self, potential: f64, count: f64, current: f64, step: u64) -> Option<u64> {
        let spikes = |silent: u64| {
            let potential = potential + silent as f64 * current;
            self.payload(potential, count, step.saturating_add(silent)) != 0
        };
        if spikes(1) {
            return Some(1);
        }
        let rises = current > 0.0;
        // A full count waits until the limit has grown; the potential may fall in the meantime.
        let unlimited = Answer { largest_rate: NO_LIMIT, ..*self };
        let wants = |silent: u64| {
            let potential = potential + silent as f64 * current;
            let payload = unlimited.payload(potential, count, 0);
            if rises { payload > 0 } else { payload < 0 }
        };
        let moves = if current == 0.0 { None } else { first(wants) };
        let admitted = || first(|silent| self.most(step.saturating_add(silent)) > count);
        let held = self.largest_rate < NO_LIMIT;
        let candidates = [
            moves.filter(|_| !held),
            moves.filter(|_| held).and_then(|moves| {
                if rises { admitted().map(|admitted| moves.max(admitted)) } else { Some(moves) }
            }),
            if held { admitted() } else { None },
        ];
        candidates.into_iter().flatten().filter(|&silent| spikes(silent)).min()
    }
}

/// The smallest number from 1 on at which a monotone condition holds.
fn first(holds: impl Fn(u64) -> bool) -> Option<u64> {
    let mut high = 1;
    while !holds(high) {
        high *= 2;
        if high > LONGEST_SILENCE {
            return None;
        }
    }
    let mut low = high / 2;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Answer {
        Answer {
            threshold: 1.0,
            burst: 3.0,
            correction: 2.0,
            tolerance: 0.25,
            largest_rate: NO_LIMIT,
            onset: 0,
        }
    }

    #[test]
    fn bursts_and_corrections_are_bounded_and_counts_stay_above_zero() {
        let plain = answer();
        for (potential, count, payload) in [
            (0.99, 0.0, 0),
            (1.0, 0.0, 1),
            (2.5, 0.0, 2),
            (9.0, 0.0, 3),
            (-0.25, 5.0, 0),
            (-0.26, 5.0, -1),
            (-1.5, 5.0, -2),
            (-7.0, 5.0, -2),
            (-7.0, 1.0, -1),
            (-7.0, 0.0, 0),
        ] {
            assert_eq!(plain.payload(potential, count, 9), payload, "{potential} {count}");
        }
        // ReLU6 with θ = 4: at most 1.5 spikes a step, from the onset.
        let capped = Answer { largest_rate: 1.5, onset: 2, ..plain };
        for (step, payload) in [(2, 0), (3, 1), (4, 3), (5, 3)] {
            assert_eq!(capped.payload(9.0, 0.0, step), payload, "{step}");
        }
        assert_eq!(capped.payload(9.0, 3.0, 4), 0);
    }

    #[test]
    fn the_first_spike_after_silence_is_the_one_that_steps_find() {
        let mut asked = 0;
        for rate in [NO_LIMIT, 0.3, 1.0] {
            for tolerance in [0.0, 0.5] {
                let neuron = Answer { largest_rate: rate, tolerance, ..answer() };
                for (potential, count, current) in (0..400_i32).map(|k| {
                    let k = f64::from(k);
                    ((k * 0.37).sin() * 3.0, (k % 4.0), (k * 1.7).cos() * 0.3 * (k % 3.0))
                }) {
                    let slow = (1..400).find(|&silent| {
                        let potential = potential + silent as f64 * current;
                        neuron.payload(potential, count, 5 + silent) != 0
                    });
                    let fast = neuron.silent_steps(potential, count, current, 5);
                    assert_eq!(fast.filter(|&silent| silent < 400), slow);
                    asked += u32::from(slow.is_some());
                }
            }
        }
        assert!(asked > 500, "{asked}");
    }
}
