//! Numeric solution of a neuron's differential equations over one step of the grid.
//!
//! Two methods. **Adaptive**: Runge–Kutta–Fehlberg 4(5); the fifth-order solution is kept, its
//! difference to the fourth-order one estimates the error, and a step is taken again with a shorter
//! length where the estimate of any state variable exceeds the tolerance (absolute, in the base
//! unit of that variable). The length is carried from one step of the grid to the next. **Fixed**:
//! classical Runge–Kutta of order four in equal steps.
//!
//! Equations may name a peak of the first state variable. The step that passes it is shortened
//! until it ends there, so that what happens at the peak does not depend on the step length.
//!
//! # References
//! Fehlberg 1969, NASA TR R-315; Hairer, Nørsett & Wanner, Solving Ordinary Differential
//! Equations I, II.4.

mod standard;

pub(super) use standard::Standard;

/// How to solve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Method {
    /// Runge–Kutta–Fehlberg 4(5) with this absolute tolerance [base units].
    Adaptive {
        /// Largest estimated error of a step.
        tolerance: f64,
    },
    /// Runge–Kutta 4 in steps of this length [ms].
    Fixed {
        /// Step length [ms].
        length: f64,
    },
}

/// Steps are not shortened below this part of the span: rounding errors dominate there.
const SHORTEST_PART: f64 = 1e-13;

/// Steps tried in one span before the remainder is done at once. Only states that run away (to
/// infinities that no step length resolves) come near it; it keeps a run finite.
const MOST_TRIALS: u32 = 100_000;

/// Steps grow or shrink by no more than this factor at a time.
const LARGEST_CHANGE: f64 = 5.0;

/// Part of the step length that the error estimate allows which is taken.
const SAFETY: f64 = 0.9;

/// Carried step lengths stay below this [ms].
const LONGEST_STEP_MS: f64 = 1e3;

/// Advances `state` by `span` [ms].
///
/// Gives the time [ms] that is left where the first variable reached `peak`; the state is then the
/// one at that moment. `length` is the step length to begin with, and what it became.
pub(super) fn advance<const N: usize>(
    slope: impl Fn(&[f64; N]) -> [f64; N],
    state: &mut [f64; N],
    span: f64,
    method: Method,
    length: &mut f64,
    peak: f64,
) -> Option<f64> {
    if state[0] >= peak {
        return Some(span);
    }
    let mut left = span;
    for trial in 1..=MOST_TRIALS {
        let wanted = match method {
            Method::Adaptive { .. } => *length,
            Method::Fixed { length } => length,
        };
        let clipped = wanted >= left * (1.0 - SHORTEST_PART) || trial == MOST_TRIALS;
        let size = if clipped { left } else { wanted };
        let next = match method {
            Method::Fixed { .. } => fourth_order(&slope, state, size),
            Method::Adaptive { tolerance } => {
                let (next, error) = fehlberg(&slope, state, size);
                let factor = change(&error, tolerance);
                let shortest = size <= span * SHORTEST_PART || trial == MOST_TRIALS;
                if factor < 1.0 && exceeds(&error, tolerance) && !shortest {
                    *length = size * factor;
                    continue;
                }
                let proposed = if clipped { length.max(size * factor) } else { size * factor };
                *length = proposed.min(LONGEST_STEP_MS);
                next
            }
        };
        if next[0] >= peak {
            let step = |size: f64| match method {
                Method::Fixed { .. } => fourth_order(&slope, state, size),
                Method::Adaptive { .. } => fehlberg(&slope, state, size).0,
            };
            let (size, at_peak) = shorten(step, size, next, span * SHORTEST_PART, peak);
            *state = at_peak;
            return Some((left - size).max(0.0));
        }
        *state = next;
        left -= size;
        // What is no number stays so: no step length helps.
        if clipped || !next.iter().all(|variable| variable.is_finite()) {
            break;
        }
    }
    None
}

fn exceeds<const N: usize>(error: &[f64; N], tolerance: f64) -> bool {
    // Not `any(e > tolerance)`: an estimate that is no number exceeds it too.
    !error.iter().all(|e| e.abs() <= tolerance)
}

/// By which factor the step length should change.
fn change<const N: usize>(error: &[f64; N], tolerance: f64) -> f64 {
    let largest = error.iter().fold(0.0, |largest: f64, e| match e.is_finite() {
        true => largest.max(e.abs()),
        false => f64::INFINITY,
    });
    (SAFETY * (tolerance / largest).powf(0.2)).clamp(1.0 / LARGEST_CHANGE, LARGEST_CHANGE)
}

/// The shortest step, up to `precision` [ms], that ends at or beyond the peak, and its end.
fn shorten<const N: usize>(
    step: impl Fn(f64) -> [f64; N],
    size: f64,
    end: [f64; N],
    precision: f64,
    peak: f64,
) -> (f64, [f64; N]) {
    let (mut low, mut high, mut end) = (0.0, size, end);
    while high - low > precision {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        let tried = step(middle);
        if tried[0] >= peak {
            (high, end) = (middle, tried);
        } else {
            low = middle;
        }
    }
    (high, end)
}

/// state + size · Σ weight · slope.
fn combine<const N: usize>(state: &[f64; N], size: f64, terms: &[(f64, &[f64; N])]) -> [f64; N] {
    std::array::from_fn(|i| {
        let sum: f64 = terms.iter().map(|(weight, slope)| weight * slope[i]).sum();
        state[i] + size * sum
    })
}

/// One classical Runge–Kutta step.
fn fourth_order<const N: usize>(
    slope: impl Fn(&[f64; N]) -> [f64; N],
    state: &[f64; N],
    size: f64,
) -> [f64; N] {
    let k1 = slope(state);
    let k2 = slope(&combine(state, size, &[(0.5, &k1)]));
    let k3 = slope(&combine(state, size, &[(0.5, &k2)]));
    let k4 = slope(&combine(state, size, &[(1.0, &k3)]));
    let (outer, inner) = (1.0 / 6.0, 1.0 / 3.0);
    combine(state, size, &[(outer, &k1), (inner, &k2), (inner, &k3), (outer, &k4)])
}

/// One Runge–Kutta–Fehlberg step: the fifth-order solution and its estimated error.
fn fehlberg<const N: usize>(
    slope: impl Fn(&[f64; N]) -> [f64; N],
    state: &[f64; N],
    size: f64,
) -> ([f64; N], [f64; N]) {
    let at = |terms: &[(f64, &[f64; N])]| slope(&combine(state, size, terms));
    let k1 = slope(state);
    let k2 = at(&[(1.0 / 4.0, &k1)]);
    let k3 = at(&[(3.0 / 32.0, &k1), (9.0 / 32.0, &k2)]);
    let k4 = at(&[(1932.0 / 2197.0, &k1), (-7200.0 / 2197.0, &k2), (7296.0 / 2197.0, &k3)]);
    let k5 =
        at(&[(439.0 / 216.0, &k1), (-8.0, &k2), (3680.0 / 513.0, &k3), (-845.0 / 4104.0, &k4)]);
    let k6 = at(&[
        (-8.0 / 27.0, &k1),
        (2.0, &k2),
        (-3544.0 / 2565.0, &k3),
        (1859.0 / 4104.0, &k4),
        (-11.0 / 40.0, &k5),
    ]);
    let fifth = combine(
        state,
        size,
        &[
            (16.0 / 135.0, &k1),
            (6656.0 / 12_825.0, &k3),
            (28_561.0 / 56_430.0, &k4),
            (-9.0 / 50.0, &k5),
            (2.0 / 55.0, &k6),
        ],
    );
    let error = combine(
        &[0.0; N],
        size,
        &[
            (1.0 / 360.0, &k1),
            (-128.0 / 4275.0, &k3),
            (-2197.0 / 75_240.0, &k4),
            (1.0 / 50.0, &k5),
            (2.0 / 55.0, &k6),
        ],
    );
    (fifth, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A turning wheel: y = (cos t, sin t).
    fn wheel(y: &[f64; 2]) -> [f64; 2] {
        [-y[1], y[0]]
    }

    fn error_after(span: f64, method: Method) -> f64 {
        let (mut state, mut length) = ([1.0, 0.0], span);
        let left = advance(wheel, &mut state, span, method, &mut length, f64::INFINITY);
        assert_eq!(left, None);
        (state[0] - span.cos()).hypot(state[1] - span.sin())
    }

    #[test]
    fn fixed_steps_are_of_fourth_order() {
        let coarse = error_after(10.0, Method::Fixed { length: 0.1 });
        let fine = error_after(10.0, Method::Fixed { length: 0.05 });
        assert!((coarse / fine).log2() > 3.9 && fine < 1e-6, "{coarse} {fine}");
    }

    #[test]
    fn a_fehlberg_step_is_of_fifth_order_and_its_estimate_of_fourth() {
        let of = |size: f64| {
            let (end, estimate) = fehlberg(wheel, &[1.0, 0.0], size);
            let error = (end[0] - size.cos()).hypot(end[1] - size.sin());
            (error, estimate[0].hypot(estimate[1]))
        };
        let ((coarse, coarse_estimate), (fine, fine_estimate)) = (of(0.4), of(0.2));
        // In one step the error of order five goes with the sixth power of the size.
        assert!((coarse / fine).log2() > 5.8, "{coarse} {fine}");
        let order = (coarse_estimate / fine_estimate).log2();
        assert!((4.8..5.8).contains(&order), "{coarse_estimate} {fine_estimate}");
        assert!(fine_estimate > fine, "{fine_estimate} {fine}");
    }

    #[test]
    fn the_adaptive_error_follows_the_tolerance() {
        for tolerance in [1e-4, 1e-6, 1e-8, 1e-10] {
            let error = error_after(10.0, Method::Adaptive { tolerance });
            // Some dozens of steps, each off by at most the tolerance.
            assert!(error < 50.0 * tolerance, "{tolerance}: {error}");
        }
    }

    #[test]
    fn a_step_ends_at_the_peak() {
        // y' = y² leaves 1 and reaches 50 at t = 0.98.
        for method in [Method::Adaptive { tolerance: 1e-9 }, Method::Fixed { length: 1e-3 }] {
            let (mut state, mut length) = ([1.0], 2.0);
            let slope = |y: &[f64; 1]| [y[0] * y[0]];
            let left = advance(slope, &mut state, 2.0, method, &mut length, 50.0).unwrap();
            assert!((left - 1.02).abs() < 1e-6 && (state[0] - 50.0).abs() < 1e-6, "{left}");
        }
    }

    #[test]
    fn a_state_that_runs_away_ends() {
        let (mut state, mut length) = ([1.0], 1.0);
        let slope = |y: &[f64; 1]| [y[0] * y[0]];
        let method = Method::Adaptive { tolerance: 1e-6 };
        advance(slope, &mut state, 2.0, method, &mut length, f64::INFINITY);
        assert!(!state[0].is_finite() || state[0].abs() > 1e3, "{}", state[0]);
    }
}
