//! What is good enough of a phase code.
//!
//! Scores on samples and blends must stay near those of the trained network
//! (`snn-convert/src/method/goal.rs`), nearer with more phases, which are asked for by who wants that.
//! Figures behind the limits: `docs/design/layers_in_turn.md`.

use super::super::goal::{Goal, Measure, doubt, sample_doubt};
use super::super::materials::Materials;
use super::tune::BETWEEN;
use crate::method::MethodConfig;

/// Least part of a price that is tried next.
const LEAST: f64 = 0.35;
/// So much nearer the scores must be with bursts: networks that need them lose more
/// (`docs/design/layers_in_turn.md`).
const NEARER: f64 = 0.7;

/// What is good enough with four phases.
struct Limits {
    /// Largest divergence of the scores, in nats. A phase more may change a quarter as much.
    divergence: f64,
    /// So much the trained network doubts its answers on samples where half of that is good enough: the same
    /// divergence costs it more answers.
    doubt: f64,
    /// Largest share of other answers on samples, in per cent, and so much more for a doubt of all; half as
    /// many with a phase more.
    differing: [f64; 2],
    /// Largest expected loss on blends whatever the divergence is, as a part of the trained network's own
    /// doubt of those; half as much with a phase more.
    loss: f64,
    /// What a sample's divergence counts for at most, in nats.
    bound: f64,
}

/// Where nothing was fitted on what is judged (`docs/design/layers_in_turn.md`).
const APART: Limits =
    Limits { divergence: 0.045, doubt: 0.12, differing: [3.0, 40.0], loss: 0.6, bound: 0.5 };
/// Where samples are too few to share out, and weights were fitted on those that are judged.
const SAME: Limits = Limits {
    divergence: 0.016,
    doubt: f64::INFINITY,
    differing: [2.0, 0.0],
    loss: f64::INFINITY,
    bound: f64::INFINITY,
};
/// Largest expected loss on blends with four phases, as a part of the trained network's own doubt; half as
/// much with a phase more.
const LOSS: f64 = 0.1;

/// What is good enough.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    /// What is asked of the scores.
    pub goal: Goal,
    /// Largest expected loss on blends, in per cent.
    loss: f64,
    /// What a sample's divergence counts for at most, in nats.
    pub bound: f64,
}

impl Wanted {
    /// What is good enough for so many phases; `apart` where nothing was fitted on what is judged.
    pub fn new(config: &MethodConfig, judged: &Materials<'_>, apart: bool) -> Self {
        // More bits are asked for by who wants to be nearer.
        let more = config.steps.saturating_sub(4) as i32;
        let limits = if apart { APART } else { SAME };
        let (sample_doubt, doubt) = (sample_doubt(judged), doubt(judged));
        let divergence = limits.divergence / (1.0 + sample_doubt / limits.doubt);
        let [differing, doubtful] = limits.differing;
        let goal = Goal::Scores {
            divergence: divergence * 0.25_f64.powi(more),
            agreement: 100.0 - (differing + doubtful * sample_doubt) * 0.5_f64.powi(more),
            loss: (!apart).then_some(LOSS * doubt * 0.5_f64.powi(more)),
        };
        Wanted { goal, loss: limits.loss * doubt * 0.5_f64.powi(more), bound: limits.bound }
    }

    /// What is good enough with bursts in the first phase.
    pub fn with_bursts(self) -> Wanted {
        match self.goal {
            Goal::Scores { divergence, agreement, .. } => {
                let divergence = NEARER * divergence;
                Wanted { goal: Goal::Scores { divergence, agreement, loss: None }, ..self }
            }
            Goal::Accuracy(_) => self,
        }
    }

    /// Whether a candidate is good enough.
    pub fn reached_by(self, measure: Measure) -> bool {
        measure.reaches(self.goal) && measure.loss <= self.loss
    }

    /// How far a candidate is from it.
    pub fn distance(self, measure: Measure) -> f64 {
        measure.distance(self.goal) + (measure.loss - self.loss).max(0.0) / 100.0
    }

    /// What to multiply a price by that led to this divergence: the further away, the less.
    pub fn lower(self, divergence: f64) -> f64 {
        let part = match self.goal {
            Goal::Scores { divergence: most, .. } => (most / divergence).powi(2),
            Goal::Accuracy(_) => 1.0,
        };
        if part.is_nan() { LEAST } else { part.clamp(LEAST, 1.0 / BETWEEN) }
    }

    /// With so many times the divergence, the loss and the differing answers.
    pub fn eased(self, times: f64) -> Wanted {
        Wanted { goal: self.goal.eased(times), loss: times * self.loss, ..self }
    }
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.goal)?;
        if self.loss.is_finite() {
            write!(f, ", and at most {:.2} points of expected loss on blends", self.loss)?;
        }
        Ok(())
    }
}
