//! Step lengths as the standard control of the GNU Scientific Library (its first differential-equation
//! interface) chooses them, for the same Runge–Kutta–Fehlberg steps.
//!
//! NEST solves with that library, to tolerances that an action potential magnifies to visible errors.
//! With the same choice of steps the same errors come out, so that equations can be compared to the last
//! recorded digit rather than to the error of a solver.
//!
//! # Rule
//! With the largest r = |error| / (ε_abs + ε_rel |h dy/dt|) of all variables a step is taken again,
//! 0.9 r^(−1/5) times as long (a fifth at least), where r > 1.1; the next is 0.9 r^(−1/6) times as long
//! (at least as long, at most five times) where r < 0.5. The step that ends at the end of the span is
//! shortened to do so, and what the control makes of its length is carried on.
//!
//! # References
//! GNU Scientific Library reference manual, "Ordinary Differential Equations", adaptive step-size control.

use super::{LARGEST_CHANGE, MOST_TRIALS, SAFETY, fehlberg};

/// Above this a step is taken again.
const REFUSED: f64 = 1.1;

/// Below this the next is longer.
const GROWS: f64 = 0.5;

/// The control of one neuron.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) struct Standard<const N: usize> {
    /// ε_abs, in the units of the scaled variables.
    pub(in super::super) absolute: f64,
    /// ε_rel, in parts of the change of a variable in a step.
    pub(in super::super) relative: f64,
    /// What the other solver's variables are in ours.
    pub(in super::super) scale: [f64; N],
}

impl<const N: usize> Standard<N> {
    /// One step from `at` (ms) towards `end`: `state` and `at` are moved on; `length` is the step length
    /// to try, and what it became.
    pub(in super::super) fn evolve(
        &self,
        slope: impl Fn(&[f64; N]) -> [f64; N],
        state: &mut [f64; N],
        (at, end): (&mut f64, f64),
        length: &mut f64,
    ) {
        let mut size = *length;
        for trial in 1..=MOST_TRIALS {
            let last = size > end - *at;
            size = if last { end - *at } else { size };
            let then = if last { end } else { *at + size };
            let (next, error) = fehlberg(&slope, state, size);
            let largest = self.largest(&slope, &next, &error, size);
            if largest > REFUSED && trial < MOST_TRIALS {
                let shorter = size * (SAFETY / largest.powf(0.2)).max(1.0 / LARGEST_CHANGE);
                if shorter < size && then + shorter != then {
                    size = shorter;
                    continue;
                }
            } else if largest < GROWS {
                size *= (SAFETY / largest.powf(1.0 / 6.0)).clamp(1.0, LARGEST_CHANGE);
            }
            (*state, *at, *length) = (next, then, size);
            return;
        }
    }

    /// The largest error in units of what is allowed.
    fn largest(
        &self,
        slope: impl Fn(&[f64; N]) -> [f64; N],
        next: &[f64; N],
        error: &[f64; N],
        size: f64,
    ) -> f64 {
        let changes = if self.relative > 0.0 { slope(next) } else { [0.0; N] };
        let ratios = (0..N).map(|variable| {
            let scale = self.scale[variable];
            let change = (size * changes[variable] * scale).abs();
            (error[variable] * scale).abs() / (self.absolute + self.relative * change)
        });
        ratios.fold(f64::MIN_POSITIVE, f64::max)
    }
}
