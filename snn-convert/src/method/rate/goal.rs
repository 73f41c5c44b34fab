//! What a recipe does on the calibration samples, and when that is good enough.
//!
//! Without an accuracy that is asked for, a recipe is good enough where hardly any answer differs from
//! the trained network's, and those that do were doubtful anyway: with p the trained network's
//! softmax, the expected loss is the mean of p(its answer) − p(the spiking answer). No labels are
//! needed for that.

use super::materials::Materials;
use crate::fidelity::largest;
use crate::layerwise::LayerwiseNetwork;
use rayon::prelude::*;

/// What is good enough.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Goal {
    /// The trained network's answers.
    Answers {
        /// Smallest share of equal answers, in per cent.
        agreement: f64,
        /// Largest expected loss, in per cent.
        loss: f64,
    },
    /// Right answers on the calibration samples, in per cent; without labels the trained network's.
    Accuracy(f64),
}

/// Smallest share of equal answers, in per cent. How this and the next came about:
/// `docs/design/rate_codes.md`.
const AGREEMENT: f64 = 98.0;
/// Largest expected loss as a part of the trained network's own doubt, and its bounds, in per cent.
const LOSS: (f64, [f64; 2]) = (0.05, [0.05, 0.3]);

/// The goal where no accuracy is asked for.
///
/// A network that is sure of its answers has more to lose by each that changes: the loss may be a
/// twentieth of its doubt, the mean probability of all classes but its answer.
pub(super) fn answers(materials: &Materials<'_>) -> Goal {
    let doubt = |activations: &Vec<Vec<f32>>| {
        let scores = activations.last().map_or(&[][..], Vec::as_slice);
        let wide: Vec<f64> = scores.iter().map(|&score| f64::from(score)).collect();
        1.0 - share(&wide, largest(&wide))
    };
    let samples = materials.activations.len().max(1) as f64;
    let doubt = 100.0 * materials.activations.iter().map(doubt).sum::<f64>() / samples;
    let (part, [low, high]) = LOSS;
    Goal::Answers { agreement: AGREEMENT, loss: (part * doubt).clamp(low, high) }
}

/// Samples between two looks at whether the goal can still be reached.
const CHUNK: usize = 64;

/// What a recipe does on the calibration samples.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measure {
    /// Share of answers equal to the trained network's, in per cent.
    pub agreement: f64,
    /// Expected loss, in per cent.
    pub loss: f64,
    /// Share of right answers, in per cent; without labels of those of the trained network.
    pub accuracy: f64,
    /// Spikes a sample.
    pub spikes: f64,
}

impl Measure {
    pub(super) fn reaches(self, goal: Goal) -> bool {
        match goal {
            Goal::Answers { agreement, loss } => self.agreement >= agreement && self.loss <= loss,
            Goal::Accuracy(accuracy) => self.accuracy >= accuracy,
        }
    }

    /// How far it is from a goal that it misses.
    pub(super) fn distance(self, goal: Goal) -> f64 {
        match goal {
            Goal::Answers { .. } => self.loss + 100.0 - self.agreement,
            Goal::Accuracy(accuracy) => accuracy - self.accuracy,
        }
    }
}

impl std::fmt::Display for Goal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Goal::Answers { agreement, loss } => write!(
                f,
                "at least {agreement} % equal answers and at most {loss:.2} points of expected loss"
            ),
            Goal::Accuracy(accuracy) => write!(f, "at least {accuracy} % right answers"),
        }
    }
}

/// One sample's answer.
struct Answer {
    equal: bool,
    right: bool,
    loss: f64,
    spikes: u64,
}

/// Shows samples, as long as the goal can still be reached.
pub(super) fn measure(
    materials: &Materials<'_>,
    network: &LayerwiseNetwork,
    steps: u32,
    goal: Goal,
) -> Measure {
    let count = materials.samples.len();
    let mut seen: Vec<Answer> = Vec::with_capacity(count);
    let indices: Vec<usize> = (0..count).collect();
    for part in indices.chunks(CHUNK) {
        let answers: Vec<Answer> =
            part.par_iter().map(|&index| answer(materials, network, index, steps)).collect();
        seen.extend(answers);
        if !summary(&seen, count.max(1) as f64).reaches(goal) {
            break;
        }
    }
    summary(&seen, seen.len().max(1) as f64)
}

fn answer(
    materials: &Materials<'_>,
    network: &LayerwiseNetwork,
    index: usize,
    steps: u32,
) -> Answer {
    let run = network.run(materials.samples[index], &[steps]);
    let wanted = materials.activations[index].last().map_or(&[][..], Vec::as_slice);
    let wide: Vec<f64> = wanted.iter().map(|&score| f64::from(score)).collect();
    let answer = largest(run.scores.last().map_or(&[][..], Vec::as_slice));
    let trained = largest(&wide);
    Answer {
        equal: answer == trained,
        right: answer == materials.labels.get(index).copied().unwrap_or(trained),
        loss: share(&wide, trained) - share(&wide, answer),
        spikes: run.spikes[0],
    }
}

/// Shares of `total` samples, those not seen counted as right. Sums are made in order: the result
/// does not depend on threads.
fn summary(seen: &[Answer], total: f64) -> Measure {
    let without = |good: fn(&Answer) -> bool| {
        let bad = seen.iter().filter(|answer| !good(answer)).count() as f64;
        100.0 - 100.0 * bad / total
    };
    Measure {
        agreement: without(|answer| answer.equal),
        loss: 100.0 * seen.iter().map(|answer| answer.loss).sum::<f64>() / total,
        accuracy: without(|answer| answer.right),
        spikes: seen.iter().map(|answer| answer.spikes).sum::<u64>() as f64
            / seen.len().max(1) as f64,
    }
}

/// The softmax of scores at one place.
fn share(scores: &[f64], place: usize) -> f64 {
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = scores.iter().map(|score| (score - most).exp()).sum();
    scores.get(place).map_or(0.0, |score| (score - most).exp() / sum)
}
