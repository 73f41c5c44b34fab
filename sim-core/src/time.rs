//! Time as a whole number of femtoseconds.
//!
//! One femtosecond is far below the precision that spike times are compared at (1e-9 ms is a
//! thousand of them), and every common step (0.1 ms, 0.025 ms, 2^-k ms for k ≤ 12) is a whole
//! number of them, so that grid times are compared exactly. 64 bits reach 2.5 hours.
//!
//! **Interval convention.** Step k (k = 1, 2, …) is the interval (t_{k-1}, t_k], t_k = k·dt. A spike
//! found in step k of the clock-driven engine is dated t_k, the end of the step. With delay d it
//! arrives at t_k + d.

use serde::{Deserialize, Serialize};

/// A point in time or a span of it, in femtoseconds.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Time(pub i64);

/// Femtoseconds in a millisecond.
pub const FEMTOSECONDS_PER_MILLISECOND: f64 = 1e12;

impl Time {
    /// The beginning.
    pub const ZERO: Time = Time(0);
    /// Later than everything.
    pub const NEVER: Time = Time(i64::MAX);

    /// The nearest time to a number of milliseconds; `None` where it is not finite or beyond
    /// ±2.5 hours.
    pub fn from_milliseconds(milliseconds: f64) -> Option<Time> {
        let femtoseconds = (milliseconds * FEMTOSECONDS_PER_MILLISECOND).round();
        // 2^63 as a float is the first value that does not fit.
        (femtoseconds.abs() < 9.2e18).then_some(Time(femtoseconds as i64))
    }

    /// This time in milliseconds.
    pub fn milliseconds(self) -> f64 {
        self.0 as f64 / FEMTOSECONDS_PER_MILLISECOND
    }

    /// The sum, at most [`Time::NEVER`].
    pub fn saturating_add(self, span: Time) -> Time {
        Time(self.0.saturating_add(span.0))
    }
}

impl std::ops::Sub for Time {
    type Output = Time;

    fn sub(self, earlier: Time) -> Time {
        Time(self.0.saturating_sub(earlier.0))
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ms", self.milliseconds())
    }
}

/// The grid of a simulation: its step, and conversions between steps and times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// The length of a step; above zero.
    step: Time,
}

impl Grid {
    /// A grid of 1 ms.
    pub const MILLISECOND: Grid = Grid { step: Time(1_000_000_000_000) };

    /// A grid with this step; `None` where the step is not above zero.
    pub fn new(step: Time) -> Option<Grid> {
        (step > Time::ZERO).then_some(Grid { step })
    }

    /// The length of a step.
    pub fn step(self) -> Time {
        self.step
    }

    /// The length of a step in milliseconds.
    pub fn dt(self) -> f64 {
        self.step.milliseconds()
    }

    /// The end of step `step`.
    pub fn time_of(self, step: u64) -> Time {
        let product = i128::from(self.step.0) * i128::from(step);
        Time(i64::try_from(product).unwrap_or(i64::MAX))
    }

    /// The grid point that `time` means if it was computed from a number of milliseconds; `time`
    /// itself where none is so near.
    ///
    /// Beyond 4 s doubles lie further apart than femtoseconds, so that a decimal such as 8500.2 ms
    /// becomes a time beside its grid point. Eight roundings of a double (2^-50 of the time) are
    /// allowed: no time that people can mean otherwise lies so near.
    pub fn nearest(self, time: Time) -> Time {
        let steps = (i128::from(time.0) * 2 + i128::from(self.step.0))
            .div_euclid(2 * i128::from(self.step.0));
        let beside = steps * i128::from(self.step.0) - i128::from(time.0);
        let allowed = i128::from(time.0.unsigned_abs() >> 50).min(i128::from(self.step.0 / 4));
        match beside.abs() <= allowed {
            true => Time(i64::try_from(i128::from(time.0) + beside).unwrap_or(time.0)),
            false => time,
        }
    }

    /// The number of whole steps in so many milliseconds if they are on the grid, up to the rounding
    /// of doubles (see [`nearest`](Self::nearest)).
    pub fn steps_in_milliseconds(self, milliseconds: f64) -> Option<u64> {
        Time::from_milliseconds(milliseconds).and_then(|time| self.steps_in(self.nearest(time)))
    }

    /// The number of whole steps in `span` if it is on the grid.
    pub fn steps_in(self, span: Time) -> Option<u64> {
        let on_grid = span.0 >= 0 && span.0 % self.step.0 == 0;
        on_grid.then_some((span.0 / self.step.0) as u64)
    }

    /// The number of the step that `time` lies in: the smallest k with `time <= k·dt`.
    pub fn step_at(self, time: Time) -> u64 {
        if time.0 <= 0 { 0 } else { ((time.0 - 1) / self.step.0 + 1) as u64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grid_times_of_common_steps_are_exact() {
        for dt in [0.1, 0.01, 0.025, 1.0, 0.000244140625] {
            let step = Time::from_milliseconds(dt).unwrap();
            let grid = Grid::new(step).unwrap();
            for k in [1_u64, 3, 7, 1000, 123_457] {
                assert_eq!(Time::from_milliseconds(k as f64 * dt).unwrap(), grid.time_of(k));
                assert_eq!(grid.steps_in(grid.time_of(k)), Some(k));
                assert_eq!(grid.step_at(Time(grid.time_of(k).0 + 1)), k + 1);
                assert_eq!(grid.step_at(grid.time_of(k)), k);
            }
        }
    }

    #[test]
    fn decimals_of_any_size_lie_on_their_grid_and_nothing_else_does() {
        for dt in [0.1, 0.05, 0.01, 0.025, 0.2, 1.0, 0.000244140625, 1.0 / 3.0] {
            let grid = Grid::new(Time::from_milliseconds(dt).unwrap()).unwrap();
            for near in [0.0, 1.0, 4096.0, 8500.0, 1e5, 1e6, 8.9e6] {
                let first = (near / grid.dt()) as u64;
                for k in (0..2_000).map(|more| first + more) {
                    let time = grid.time_of(k);
                    // A third of a millisecond has no decimal: its multiples are summed in whole
                    // femtoseconds.
                    let milliseconds = time.0 as f64 / 1e12;
                    assert_eq!(grid.steps_in_milliseconds(milliseconds), Some(k), "{dt} {k}");
                    // As people and formats write it: in seconds, and as a decimal.
                    let seconds = milliseconds / 1000.0;
                    assert_eq!(grid.steps_in_milliseconds(seconds * 1000.0), Some(k), "{dt} {k}");
                    let beside = milliseconds + 0.01 * grid.dt();
                    assert_eq!(grid.steps_in_milliseconds(beside), None, "{dt} {k}");
                }
            }
        }
        let grid = Grid::new(Time::from_milliseconds(0.1).unwrap()).unwrap();
        assert_eq!(grid.steps_in_milliseconds(8500.2), Some(85_002));
        assert_eq!(grid.steps_in_milliseconds(1_000_000.1), Some(10_000_001));
        // What is on no grid of decimals stays where it is: a femtosecond beside, near the beginning.
        assert_eq!(grid.nearest(Time(100_000_000_001)), Time(100_000_000_001));
        assert_eq!(grid.nearest(Time::NEVER), Time::NEVER);
        assert_eq!(grid.nearest(Time(-8_500_200_000_000_001)), Time(-8_500_200_000_000_000));
    }

    #[test]
    fn times_out_of_reach_are_refused() {
        assert_eq!(Time::from_milliseconds(f64::NAN), None);
        assert_eq!(Time::from_milliseconds(1e8), None);
        assert_eq!(Grid::new(Time::ZERO), None);
    }
}
