//! Sums of exponentials with polynomial factors, and the first time at which one rises to zero.
//!
//! Between inputs the distance of a linear neuron's potential to its threshold is
//! f(t) = Σ pᵢ(t) exp(−λᵢ t) with polynomials pᵢ of degree 0 to 2. Multiplying f by exp(λ₁ t) and
//! differentiating removes the first term (or lowers its degree), and by Rolle's theorem f has at
//! most one root between two neighbouring roots of that derivative. Applied again and again this
//! brackets **every** root: no crossing is missed, however briefly the potential stays above.

/// One term (a + b t + c t²) exp(−rate t).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Term {
    /// λ [1/ms].
    pub rate: f64,
    /// a.
    pub constant: f64,
    /// b [1/ms].
    pub slope: f64,
    /// c [1/ms²].
    pub curvature: f64,
}

impl Term {
    /// a exp(−rate t).
    pub fn new(rate: f64, constant: f64) -> Self {
        Term { rate, constant, slope: 0.0, curvature: 0.0 }
    }

    fn polynomial(&self, t: f64) -> f64 {
        self.constant + t * (self.slope + t * self.curvature)
    }

    fn is_zero(&self) -> bool {
        self.constant == 0.0 && self.slope == 0.0 && self.curvature == 0.0
    }
}

/// The value of the sum at `t` (ms).
pub fn value(terms: &[Term], t: f64) -> f64 {
    terms.iter().map(|term| term.polynomial(t) * (-term.rate * t).exp()).sum()
}

/// The first t in (0, `horizon`] at which the sum passes from below zero to zero or above.
///
/// Rates must differ from each other. A sum that starts at or above zero crosses where it rises
/// again after having been negative.
pub fn first_upward_crossing(terms: &[Term], horizon: f64) -> Option<f64> {
    let roots = roots(terms, horizon);
    let mut from = 0.0;
    for (index, &root) in roots.iter().enumerate() {
        let to = roots.get(index + 1).copied().unwrap_or(horizon);
        let before = value(terms, 0.5 * (from + root));
        let after = if to > root { value(terms, 0.5 * (root + to)) } else { value(terms, to) };
        if before < 0.0 && after >= 0.0 {
            return Some(root);
        }
        from = root;
    }
    None
}

/// All sign changes of the sum in (0, horizon], ascending.
fn roots(terms: &[Term], horizon: f64) -> Vec<f64> {
    let terms: Vec<Term> = terms.iter().copied().filter(|term| !term.is_zero()).collect();
    let Some((first, rest)) = terms.split_first() else {
        return Vec::new();
    };
    if rest.is_empty() && first.slope == 0.0 && first.curvature == 0.0 {
        return Vec::new();
    }
    let mut bounds = vec![0.0];
    bounds.extend(roots(&derivative(first, rest), horizon));
    bounds.push(horizon);
    let mut found = Vec::new();
    for pair in bounds.windows(2) {
        let (low, high) = (value(&terms, pair[0]), value(&terms, pair[1]));
        if (low < 0.0) != (high < 0.0) {
            found.push(bisect(&terms, pair[0], pair[1], low < 0.0));
        }
    }
    found
}

/// exp(−λ₁ t) · d/dt (f exp(λ₁ t)): the first term vanishes or loses a degree.
fn derivative(first: &Term, rest: &[Term]) -> Vec<Term> {
    let lowered = Term {
        rate: first.rate,
        constant: first.slope,
        slope: 2.0 * first.curvature,
        curvature: 0.0,
    };
    let others = rest.iter().map(|term| {
        let difference = first.rate - term.rate;
        Term {
            rate: term.rate,
            constant: difference * term.constant + term.slope,
            slope: difference * term.slope + 2.0 * term.curvature,
            curvature: difference * term.curvature,
        }
    });
    std::iter::once(lowered).chain(others).filter(|term| !term.is_zero()).collect()
}

/// The root between `low` and `high`, to the last bit that bisection can give; the end at which
/// the sum is on the far side, so that a crossing is never dated before it happens.
fn bisect(terms: &[Term], mut low: f64, mut high: f64, rising: bool) -> f64 {
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if (value(terms, middle) < 0.0) == rising {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crossing_of_a_single_exponential_is_its_logarithm() {
        // 5 − 20 exp(−t/10): crosses zero at t = 10 ln 4.
        let terms = [Term::new(0.0, 5.0), Term::new(0.1, -20.0)];
        let found = first_upward_crossing(&terms, 1000.0).unwrap();
        assert!((found - 10.0 * 4.0_f64.ln()).abs() < 1e-13 * found, "{found}");
        assert_eq!(first_upward_crossing(&[Term::new(0.0, -5.0), Term::new(0.1, -2.0)], 1e3), None);
    }

    #[test]
    fn a_peak_that_only_just_passes_zero_is_found() {
        // exp(−t) − exp(−2t) peaks at ln 2 with the value 1/4.
        for excess in [1e-3, 1e-6, 1e-9, 1e-12] {
            let terms = [Term::new(0.0, -0.25 + excess), Term::new(1.0, 1.0), Term::new(2.0, -1.0)];
            let found = first_upward_crossing(&terms, 60.0).unwrap();
            let expected = -(0.5 + excess.sqrt()).ln();
            assert!((found - expected).abs() < 1e-7, "{excess}: {found} {expected}");
        }
        let below = [Term::new(0.0, -0.25 - 1e-12), Term::new(1.0, 1.0), Term::new(2.0, -1.0)];
        assert_eq!(first_upward_crossing(&below, 60.0), None);
    }

    #[test]
    fn a_polynomial_factor_is_handled() {
        // t exp(−t) peaks at 1 with 1/e; it rises through 0.2 before that.
        let terms = [Term::new(0.0, -0.2), Term { slope: 1.0, ..Term::new(1.0, 0.0) }];
        let found = first_upward_crossing(&terms, 50.0).unwrap();
        assert!((found * (-found).exp() - 0.2).abs() < 1e-14 && found < 1.0, "{found}");
    }

    #[test]
    fn a_quadratic_factor_is_handled() {
        // t² exp(−t) peaks at 2 with 4/e²; it rises through 0.2 before that.
        let square = Term { curvature: 1.0, ..Term::new(1.0, 0.0) };
        let found = first_upward_crossing(&[Term::new(0.0, -0.2), square], 50.0).unwrap();
        assert!((found * found * (-found).exp() - 0.2).abs() < 1e-14 && found < 2.0, "{found}");
        let too_high = Term::new(0.0, -4.0 * (-2.0_f64).exp() - 1e-12);
        assert_eq!(first_upward_crossing(&[too_high, square], 50.0), None);
        // (t − 1)(t − 3) exp(−t/2) falls through zero at 1 and rises through it at 3.
        let alone = Term { rate: 0.5, constant: 3.0, slope: -4.0, curvature: 1.0 };
        let found = first_upward_crossing(&[alone], 50.0).unwrap();
        assert!((found - 3.0).abs() < 1e-13, "{found}");
    }

    #[test]
    fn no_crossing_is_missed_against_a_fine_scan() {
        let mut crossings = 0;
        for case in 0..400_u32 {
            let number = |k: u32| f64::from((case * 7919 + k * 104_729) % 1000) / 500.0 - 1.0;
            let terms = [
                Term::new(0.0, number(1) * 0.2),
                Term::new(0.1, number(2)),
                Term::new(0.5, 2.0 * number(3)),
                Term {
                    rate: 0.23,
                    constant: number(4),
                    slope: 0.1 * number(5),
                    curvature: 0.01 * number(6),
                },
            ];
            let scan = (1..=40_000)
                .map(|k| f64::from(k) * 0.005)
                .find(|&t| value(&terms, t - 0.005) < 0.0 && value(&terms, t) >= 0.0);
            let found = first_upward_crossing(&terms, 200.0);
            match (scan, found) {
                (Some(scan), Some(found)) => {
                    assert!(found <= scan + 1e-9, "case {case}: {found} after {scan}");
                    crossings += 1;
                }
                (Some(scan), None) => panic!("case {case}: missed the crossing at {scan}"),
                _ => {}
            }
        }
        assert!(crossings > 100, "{crossings}");
    }
}
