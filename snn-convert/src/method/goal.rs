//! What a candidate of a search does on the calibration samples, and when that is good enough.
//!
//! Without an accuracy that is asked for, a candidate is good enough where hardly any answer differs
//! from the trained network's, and those that do were doubtful anyway: with p the trained network's
//! softmax, the expected loss is the mean of p(its answer) − p(the spiking answer). No labels are
//! needed for that. The loss is that on blends ([`super::materials`]), where answers are doubtful
//! enough to change: it is compared with how much the trained network itself doubts them.

use super::materials::{Materials, wide};
use crate::fidelity::largest;
use rayon::prelude::*;

/// What is good enough.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Goal {
    /// The trained network's answers.
    Answers {
        /// Smallest share of equal answers on samples, in per cent.
        agreement: f64,
        /// Largest expected loss on blends, in per cent.
        loss: f64,
    },
    /// Right answers on the calibration samples, in per cent; without labels the trained network's.
    Accuracy(f64),
}

/// Smallest share of equal answers, in per cent. How this and the next came about:
/// `docs/design/rate_codes.md`.
const AGREEMENT: f64 = 98.0;
/// Largest expected loss as a part of the trained network's own doubt.
const LOSS: f64 = 0.1;

/// The goal where no accuracy is asked for.
///
/// The loss may be a tenth of the trained network's doubt: of the mean probability of all classes
/// but its answer.
pub(super) fn answers(materials: &Materials<'_>) -> Goal {
    let doubts: Vec<f64> = match materials.blends.is_empty() {
        false => materials.blends.iter().map(|blend| doubt(&blend.scores)).collect(),
        true => materials.scores.iter().map(|scores| doubt(scores)).collect(),
    };
    let mean = doubts.iter().sum::<f64>() / doubts.len().max(1) as f64;
    Goal::Answers { agreement: AGREEMENT, loss: 100.0 * LOSS * mean }
}

fn doubt(scores: &[f32]) -> f64 {
    let wide = wide(scores);
    1.0 - share(&wide, largest(&wide))
}

/// Samples (and as many blends) between two looks at whether the goal can still be reached.
const CHUNK: usize = 32;

/// What a candidate does on the calibration samples.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measure {
    /// Share of answers equal to the trained network's, in per cent.
    pub agreement: f64,
    /// Expected loss on blends, in per cent.
    pub loss: f64,
    /// Share of right answers, in per cent; without labels of those of the trained network.
    pub accuracy: f64,
    /// Spikes a sample.
    pub spikes: f64,
}

impl Goal {
    /// With so many times the loss, and as much more of changed answers.
    pub(super) fn eased(self, times: f64) -> Goal {
        match self {
            Goal::Answers { agreement, loss } => {
                Goal::Answers { agreement: 100.0 - times * (100.0 - agreement), loss: times * loss }
            }
            accuracy => accuracy,
        }
    }
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
                "at least {agreement} % equal answers and at most {loss:.2} points of expected loss \
                 on blends"
            ),
            Goal::Accuracy(accuracy) => write!(f, "at least {accuracy} % right answers"),
        }
    }
}

/// What a candidate reads out for a sample, in the trained network's units, and its spikes.
pub(super) type Shown = (Vec<f64>, u64);

/// One sample's answer.
struct Answer {
    /// Whether it is a blend.
    blend: bool,
    equal: bool,
    right: bool,
    loss: f64,
    spikes: u64,
}

/// Shows samples and blends, as long as the goal can still be reached with at most `most_spikes` a
/// sample.
pub(super) fn measure(
    materials: &Materials<'_>,
    show: impl Fn(&[f32]) -> Shown + Sync,
    goal: Goal,
    most_spikes: f64,
) -> Measure {
    let samples = materials.samples.len();
    let blends = if matches!(goal, Goal::Accuracy(_)) { 0 } else { materials.blends.len() };
    let mut seen: Vec<Answer> = Vec::with_capacity(samples + blends);
    let chunks = samples.max(blends).div_ceil(CHUNK);
    for chunk in 0..chunks {
        let part = |count: usize| (chunk * CHUNK).min(count)..((chunk + 1) * CHUNK).min(count);
        let own = part(samples).map(|index| (false, index));
        let items: Vec<(bool, usize)> =
            own.chain(part(blends).map(|index| (true, index))).collect();
        let answers = items.par_iter().map(|&item| answer(materials, &show, item));
        seen.extend(answers.collect::<Vec<Answer>>());
        let reached = summary(&seen, [samples, blends]);
        // A tenth more may still even out.
        if !reached.reaches(goal) || reached.spikes > 1.1 * most_spikes {
            break;
        }
    }
    let shown = [false, true].map(|kind| seen.iter().filter(|a| a.blend == kind).count());
    summary(&seen, shown)
}

fn answer(
    materials: &Materials<'_>,
    show: impl Fn(&[f32]) -> Shown,
    (blend, index): (bool, usize),
) -> Answer {
    let (sample, trained) = match blend {
        false => (materials.samples[index], &materials.scores[index][..]),
        true => (&materials.blends[index].sample[..], &materials.blends[index].scores[..]),
    };
    let (read, spikes) = show(sample);
    let scores = materials.judged(read);
    let trained = wide(trained);
    let (wanted, answer) = (largest(&trained), largest(&scores));
    let label = if blend { None } else { materials.labels.get(index).copied() };
    Answer {
        blend,
        equal: answer == wanted,
        right: answer == label.unwrap_or(wanted),
        loss: share(&trained, wanted) - share(&trained, answer),
        spikes,
    }
}

/// Shares of so many samples and blends, those not seen counted as right. Sums are made in order:
/// the result does not depend on threads.
fn summary(seen: &[Answer], [samples, blends]: [usize; 2]) -> Measure {
    let own = || seen.iter().filter(|answer| !answer.blend);
    let without = |good: fn(&Answer) -> bool| {
        let bad = own().filter(|answer| !good(answer)).count() as f64;
        100.0 - 100.0 * bad / samples.max(1) as f64
    };
    // Without blends the samples have to do.
    let judged = blends > 0;
    let loss = seen.iter().filter(|a| a.blend == judged).map(|a| a.loss).sum::<f64>();
    Measure {
        agreement: without(|answer| answer.equal),
        loss: 100.0 * loss / if judged { blends } else { samples }.max(1) as f64,
        accuracy: without(|answer| answer.right),
        spikes: own().map(|answer| answer.spikes).sum::<u64>() as f64 / own().count().max(1) as f64,
    }
}

/// The softmax of scores at one place.
fn share(scores: &[f64], place: usize) -> f64 {
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = scores.iter().map(|score| (score - most).exp()).sum();
    scores.get(place).map_or(0.0, |score| (score - most).exp() / sum)
}
