//! What a candidate of a search does on the calibration samples, and when that is good enough.
//!
//! Without an accuracy that is asked for, scores must stay near the trained network's, and no labels are
//! needed: with p and q the softmax of either's scores, the **divergence** is the mean Σ p ln(p/q), and
//! the geometric mean of that of samples and that of blends ([`super::materials`]) is limited. It counts
//! every score of every sample, not only answers that change, so a few hundred samples are enough to
//! tell two candidates apart.
//!
//! A phase code may instead change hardly any answer, and only doubtful ones: the **expected loss** is
//! the mean of p(its answer) − p(the spiking answer) on blends, where answers are doubtful enough to
//! change, compared with how much the trained network itself doubts them.
//!
//! # References
//! Kullback and Leibler 1951, Ann. Math. Statist. 22:79 (the divergence).

use super::materials::{Materials, wide};
use crate::fidelity::largest;
use crate::structure::{Origin, Structure, UnitKind};
use rayon::prelude::*;

/// What is good enough.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Goal {
    /// The trained network's scores.
    Scores {
        /// The largest divergence, in nats, the geometric mean of that on samples and that on blends.
        divergence: f64,
        /// Smallest share of equal answers on samples, in per cent: scores that are all small have a
        /// small divergence whatever becomes of them.
        agreement: f64,
        /// The largest expected loss on blends, in per cent, with which a larger divergence is good
        /// enough, too.
        loss: Option<f64>,
    },
    /// Right answers on the calibration samples, in per cent; without labels the trained network's.
    Accuracy(f64),
}

/// Largest divergence of a rate code, in nats for each layer that spikes on the longest way through the
/// network: each adds rounding errors of its own (`docs/design/rate_codes.md`).
const DIVERGENCE: f64 = 0.001;

/// Layers after which further ones allow no larger divergence: errors of deep networks are many, and some
/// cancel.
const MOST_DEPTH: f64 = 6.0;

/// Smallest share of equal answers of a rate code, in per cent.
const AGREEMENT: f64 = 95.0;

/// The goal of rate codes where no accuracy is asked for.
pub(super) fn scores(structure: &Structure) -> Goal {
    let mut depths: Vec<u32> = Vec::with_capacity(structure.units.len());
    for unit in &structure.units {
        let before = unit.branches.iter().filter_map(|branch| match branch.origin {
            Origin::Input => None,
            Origin::Unit(source) => depths.get(source),
        });
        let own = u32::from(matches!(unit.kind, UnitKind::Rectifier { .. }));
        depths.push(before.copied().max().unwrap_or(0) + own);
    }
    let depth = f64::from(depths.last().copied().unwrap_or(0)).clamp(1.0, MOST_DEPTH);
    Goal::Scores { divergence: DIVERGENCE * depth, agreement: AGREEMENT, loss: None }
}

/// The mean probability, in per cent, that the trained network gives to all classes but its answer on
/// blends; on samples where there are none.
pub(super) fn doubt(materials: &Materials<'_>) -> f64 {
    match materials.blends.is_empty() {
        false => 100.0 * mean_doubt(materials.blends.iter().map(|blend| &blend.scores)),
        true => 100.0 * sample_doubt(materials),
    }
}

/// The same on samples, as a part of 1.
pub(super) fn sample_doubt(materials: &Materials<'_>) -> f64 {
    mean_doubt(materials.scores.iter())
}

fn mean_doubt<'a>(scores: impl ExactSizeIterator<Item = &'a Vec<f32>>) -> f64 {
    let count = scores.len().max(1) as f64;
    let of_scores = |scores: &Vec<f32>| {
        let wide = of_classes(wide(scores));
        1.0 - share(&wide, largest(&wide))
    };
    scores.map(of_scores).sum::<f64>() / count
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
    /// Divergence of the scores in nats, the geometric mean of that on samples and that on blends.
    pub divergence: f64,
    /// Share of right answers, in per cent; without labels of those of the trained network.
    pub accuracy: f64,
    /// Spikes a sample.
    pub spikes: f64,
}

impl Goal {
    /// With so many times the divergence, the loss and the differing answers.
    pub(super) fn eased(self, times: f64) -> Goal {
        match self {
            Goal::Scores { divergence, agreement, loss } => Goal::Scores {
                divergence: times * divergence,
                agreement: 100.0 - times * (100.0 - agreement),
                loss: loss.map(|loss| times * loss),
            },
            Goal::Accuracy(accuracy) => Goal::Accuracy(accuracy),
        }
    }
}

impl Measure {
    pub(super) fn reaches(self, goal: Goal) -> bool {
        match goal {
            Goal::Scores { divergence, agreement, loss } => {
                let near = self.divergence <= divergence;
                self.agreement >= agreement && (near || loss.is_some_and(|most| self.loss <= most))
            }
            Goal::Accuracy(accuracy) => self.accuracy >= accuracy,
        }
    }

    /// How far it is from a goal that it misses.
    pub(super) fn distance(self, goal: Goal) -> f64 {
        match goal {
            Goal::Scores { divergence, agreement, loss } => {
                // Of a candidate without scores the divergence is no number, and so is the distance.
                let further = self.divergence - divergence;
                let near = further < 0.0 || loss.is_some_and(|most| self.loss <= most);
                let over = if near && !further.is_nan() { 0.0 } else { further };
                over + (agreement - self.agreement).max(0.0) / 100.0
            }
            Goal::Accuracy(accuracy) => accuracy - self.accuracy,
        }
    }
}

impl std::fmt::Display for Goal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Goal::Scores { divergence, agreement, loss } => {
                write!(
                    f,
                    "at least {agreement:.0} % equal answers and scores whose divergence from the \
                     trained network's is at most {divergence:.4} nats"
                )?;
                let Some(loss) = loss else { return Ok(()) };
                write!(f, ", or at most {loss:.2} points of expected loss on blends")
            }
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
    divergence: f64,
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
    measure_bounded(materials, show, goal, [most_spikes, f64::INFINITY])
}

/// The same, where no sample's divergence counts for more than `most` nats: a few that go wrong altogether
/// would hide what becomes of all others.
pub(super) fn measure_bounded(
    materials: &Materials<'_>,
    show: impl Fn(&[f32]) -> Shown + Sync,
    goal: Goal,
    [most_spikes, most]: [f64; 2],
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
        let bounded = |own: Answer| Answer { divergence: bound(own.divergence, most), ..own };
        seen.extend(answers.map(bounded).collect::<Vec<Answer>>());
        let reached = summary(&seen, [samples, blends]);
        // A tenth more may still even out.
        if !reached.reaches(goal) || reached.spikes > 1.1 * most_spikes {
            break;
        }
    }
    let shown = [false, true].map(|kind| seen.iter().filter(|a| a.blend == kind).count());
    summary(&seen, shown)
}

/// A divergence, or `most` where it is larger; what is no number stays none.
fn bound(divergence: f64, most: f64) -> f64 {
    if divergence > most { most } else { divergence }
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
    let scores = of_classes(materials.judged(read));
    let trained = of_classes(wide(trained));
    let (wanted, answer) = (largest(&trained), largest(&scores));
    let label = if blend { None } else { materials.labels.get(index).copied() };
    Answer {
        blend,
        equal: answer == wanted,
        right: answer == label.unwrap_or(wanted),
        loss: share(&trained, wanted) - share(&trained, answer),
        divergence: divergence(&trained, &scores),
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
    let mean_divergence = |blend: bool, count: usize| {
        let sum = seen.iter().filter(|a| a.blend == blend).map(|a| a.divergence).sum::<f64>();
        sum / count.max(1) as f64
    };
    let own_divergence = mean_divergence(false, samples);
    let divergence = match judged {
        true => (own_divergence * mean_divergence(true, blends)).sqrt(),
        false => own_divergence,
    };
    Measure {
        agreement: without(|answer| answer.equal),
        loss: 100.0 * loss / if judged { blends } else { samples }.max(1) as f64,
        divergence,
        accuracy: without(|answer| answer.right),
        spikes: own().map(|answer| answer.spikes).sum::<u64>() as f64 / own().count().max(1) as f64,
    }
}

/// Scores of classes: a single one is that of class 1 against class 0.
fn of_classes(mut scores: Vec<f64>) -> Vec<f64> {
    if scores.len() == 1 {
        scores.insert(0, 0.0);
    }
    scores
}

/// Σ p ln(p/q) in nats, p and q being the softmax of the trained network's scores and of others; no
/// number where there are not as many others.
fn divergence(trained: &[f64], scores: &[f64]) -> f64 {
    if trained.len() != scores.len() {
        return f64::NAN;
    }
    let (trained, scores) = (logarithms(trained), logarithms(scores));
    trained.iter().zip(&scores).map(|(p, q)| p.exp() * (p - q)).sum()
}

/// The logarithms of the softmax.
fn logarithms(scores: &[f64]) -> Vec<f64> {
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum = scores.iter().map(|score| (score - most).exp()).sum::<f64>().ln();
    scores.iter().map(|score| score - most - sum).collect()
}

/// The softmax of scores at one place.
fn share(scores: &[f64], place: usize) -> f64 {
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = scores.iter().map(|score| (score - most).exp()).sum();
    scores.get(place).map_or(0.0, |score| (score - most).exp() / sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_divergence_is_that_of_the_softmax() {
        // p = (3/4, 1/4), q = (1/2, 1/2).
        let by_hand = 0.75 * 1.5_f64.ln() + 0.25 * 0.5_f64.ln();
        let found = divergence(&[3.0_f64.ln(), 0.0], &[7.0, 7.0]);
        assert!((found - by_hand).abs() < 1e-12, "{found} {by_hand}");
        assert_eq!(divergence(&[1.0, 2.0], &[1.0, 2.0]), 0.0);
        // Far scores neither overflow nor vanish: p = (1, 0), q = (0, 1) to all digits.
        assert!((divergence(&[2000.0, 0.0], &[0.0, 2000.0]) - 2000.0).abs() < 1e-9);
        assert!(divergence(&[1.0, 2.0], &[]).is_nan());
    }

    #[test]
    fn a_single_score_is_judged_against_its_absence() {
        assert_eq!(of_classes(vec![-1.5]), [0.0, -1.5]);
        assert_eq!(of_classes(vec![1.0, 2.0]), [1.0, 2.0]);
        assert_eq!([-1.5, 1.5].map(|score| largest(&of_classes(vec![score]))), [0, 1]);
    }

    #[test]
    fn goals_are_reached_from_below_and_ease() {
        let measure =
            Measure { agreement: 90.0, loss: 1.0, divergence: 0.01, accuracy: 95.0, spikes: 5.0 };
        let goal = |divergence, agreement| Goal::Scores { divergence, agreement, loss: None };
        assert!(measure.reaches(goal(0.01, 90.0)));
        assert!(!measure.reaches(goal(0.009, 90.0)) && !measure.reaches(goal(0.01, 91.0)));
        assert!(measure.reaches(goal(0.005, 95.0).eased(2.0)));
        assert!((measure.distance(goal(0.004, 90.0)) - 0.006).abs() < 1e-12);
        assert!((measure.distance(goal(0.02, 92.0)) - 0.02).abs() < 1e-12);
        let or_loss = |most| Goal::Scores { divergence: 0.004, agreement: 90.0, loss: Some(most) };
        assert!(measure.reaches(or_loss(1.0)) && !measure.reaches(or_loss(0.9)));
        assert!(measure.reaches(or_loss(0.5).eased(2.0)) && measure.distance(or_loss(1.0)) == 0.0);
        let nothing = Measure { divergence: f64::NAN, ..measure };
        assert!(!nothing.reaches(goal(1.0, 0.0)) && nothing.distance(goal(1.0, 0.0)).is_nan());
    }
}
