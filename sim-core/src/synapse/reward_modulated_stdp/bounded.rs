//! The weight between two events: within its bounds at every moment, or at set moments only.
//!
//! Between events c and n decay and c keeps its sign, so the weight turns round at most once: where n
//! falls through the baseline b. A weight that moves one way and is cut at the end is as one that never
//! left its bounds; so it is enough to cut at the turn and at the end. A weight that is cut at the
//! moments k·h only can pass a bound and come back between two of them: then it is cut on both sides of
//! the turn, which gives what cutting at every k·h gives.

use crate::time::Time;

/// Femtoseconds of a millisecond.
const PER_MILLISECOND: f64 = 1e12;

/// What moves a weight between events.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounded {
    /// τ_c (ms).
    pub(super) tau_eligibility: f64,
    /// τ_n (ms).
    pub(super) tau_reward: f64,
    /// b (1/ms).
    pub(super) baseline: f64,
    pub(super) smallest: f64,
    pub(super) largest: f64,
    /// h; zero: the weight is never out of its bounds.
    pub(super) interval: Time,
}

impl Bounded {
    /// The weight and the eligibility at `until`, with no event since `since`, when the concentration
    /// was `n` (1/ms).
    pub(super) fn elapse(
        &self,
        mut state: [f64; 2],
        mut n: f64,
        mut since: Time,
        until: Time,
    ) -> [f64; 2] {
        for cut in self.cuts(n, since) {
            if cut > since && cut < until {
                let elapsed = (cut - since).milliseconds();
                state = self.moved(state, n, elapsed);
                n *= (-elapsed / self.tau_reward).exp();
                since = cut;
            }
        }
        self.moved(state, n, (until - since).milliseconds())
    }

    /// Between which times the weight turns round; both are `since` where it does not.
    fn cuts(&self, n: f64, since: Time) -> [Time; 2] {
        if self.baseline <= 0.0 || n <= self.baseline {
            return [since; 2];
        }
        let falls = self.tau_reward * (n / self.baseline).ln() * PER_MILLISECOND;
        let turn = since.saturating_add(Time(falls as i64));
        if self.interval <= Time::ZERO {
            return [turn; 2];
        }
        let before = Time(turn.0.div_euclid(self.interval.0) * self.interval.0);
        [before, before.saturating_add(self.interval)]
    }

    /// The weight and the eligibility after a time (ms), cut at its end.
    fn moved(&self, state: [f64; 2], n: f64, elapsed: f64) -> [f64; 2] {
        let [w, c] = state;
        let kappa = 1.0 / self.tau_eligibility + 1.0 / self.tau_reward;
        let decay = (-elapsed / self.tau_eligibility).exp();
        let gain = c * n * -(-kappa * elapsed).exp_m1() / kappa
            + self.baseline * c * self.tau_eligibility * (-elapsed / self.tau_eligibility).exp_m1();
        [(w + gain).max(self.smallest).min(self.largest), c * decay]
    }
}
