//! Whether threads pay: a network is advanced by one thread and by all in turn, and then in the way that is faster.
//!
//! Threads meet behind every epoch. Where an epoch has little work, or where other programs keep a core busy, the
//! meeting costs more than it saves, and how much depends on the machine and the moment: it is measured.
//! Results do not depend on it.

use std::time::Duration;

/// How long the network is advanced before it is asked again.
const SLICE: Duration = Duration::from_millis(20);

/// How long the other way is tried.
const TRIAL: Duration = Duration::from_millis(4);

/// Slices between two trials later; in the beginning there are more.
const TRIED_EVERY: u64 = 32;

/// What the two ways cost.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Seconds a step when it was last tried: of one thread, of all.
    costs: [Option<f64>; 2],
    /// Slices done.
    slices: u64,
}

impl Pace {
    /// Whether all threads advance the network next, and for how many steps, a multiple of `epoch`.
    pub(super) fn next(&self, epoch: u64) -> (bool, u64) {
        let [alone, together] = self.costs;
        let Some(alone) = alone else {
            return (false, epoch);
        };
        let (all, span) = match (together, self.slices) {
            // The first epoch was done with cold caches: one thread is tried once more.
            (Some(_), ..3) => (false, TRIAL),
            (None, _) => (true, TRIAL),
            (Some(together), slices)
                if slices.is_power_of_two() || slices.is_multiple_of(TRIED_EVERY) =>
            {
                (together >= alone, TRIAL)
            }
            (Some(together), _) => (together < alone, SLICE),
        };
        let cost = if all { together.unwrap_or(alone) } else { alone };
        let steps = (span.as_secs_f64() / cost.max(1e-9)) as u64;
        (all, steps.max(1).next_multiple_of(epoch))
    }

    /// Notes how long so many steps took.
    pub(super) fn took(&mut self, all: bool, steps: u64, time: Duration) {
        self.costs[usize::from(all)] = Some(time.as_secs_f64() / steps.max(1) as f64);
        self.slices += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The share of the steps that all threads do where one takes `alone` for a step and all `together`.
    fn share(alone: Duration, together: Duration) -> f64 {
        let (mut pace, mut steps) = (Pace::default(), [0_u64; 2]);
        for _ in 0..200 {
            let (all, count) = pace.next(4);
            assert!(count > 0 && count.is_multiple_of(4));
            steps[usize::from(all)] += count;
            pace.took(all, count, count as u32 * if all { together } else { alone });
        }
        steps[1] as f64 / (steps[0] + steps[1]) as f64
    }

    #[test]
    fn nearly_all_steps_go_the_faster_way() {
        let (short, long) = (Duration::from_micros(3), Duration::from_micros(40));
        assert!(share(long, short) > 0.97);
        assert!(share(short, long) < 0.03);
    }

    #[test]
    fn the_way_changes_when_the_machine_does() {
        let mut pace = Pace::default();
        let mut last = true;
        for slice in 0..100 {
            let (all, steps) = pace.next(1);
            // Another program takes the second core in slice 40.
            let micros = if !all {
                10
            } else if slice < 40 {
                6
            } else {
                300
            };
            pace.took(all, steps, Duration::from_micros(micros * steps));
            if slice == 39 {
                assert!(all);
            }
            last = all;
        }
        assert!(!last);
    }
}
