//! Chooses among recipes by what they do on the calibration samples.
//!
//! A recipe is good enough where hardly any answer differs from the trained network's, and those that
//! do were doubtful anyway: with p the trained network's softmax, the expected loss is the mean of
//! p(its answer) − p(the spiking answer). Among recipes that are good enough the one with the fewest
//! spikes is taken; if none is, the one with the smallest loss. No labels are used, and nothing is
//! drawn at random: the same samples give the same choice.

use super::allocate::shares;
use super::correct::calibrate;
use super::materials::Materials;
use super::{BOTH, BURST, Correction, Recipe, SIGNED, finish};
use crate::fidelity::largest;
use crate::layerwise::LayerwiseNetwork;
use crate::lower::{Candidate, Conversion, Graded, UnitScale};
use crate::method::{MethodConfig, MethodError, Prepared};
use crate::threshold::{RULES, ThresholdRule, find_rule};
use rayon::prelude::*;

/// Scales that are tried, the coarsest first. A coarser one has fewer spikes.
const SCALES: [f64; 8] = [2.8, 2.0, 1.4, 1.0, 0.7, 0.5, 0.35, 0.25];
/// The scale that a search begins with.
const FIRST: usize = 3;

/// What is good enough.
#[derive(Debug, Clone, Copy)]
struct Goal {
    /// Smallest share of equal answers, in per cent.
    agreement: f64,
    /// Largest expected loss, in per cent.
    loss: f64,
}

/// Measured on the reference networks (`docs/design/rate_codes.md`).
const GOAL: Goal = Goal { agreement: 97.0, loss: 0.4 };
/// Samples between two looks at whether the goal can still be reached.
const CHUNK: usize = 64;

/// What a recipe does on the calibration samples.
#[derive(Debug, Clone, Copy)]
struct Measure {
    agreement: f64,
    loss: f64,
    spikes: f64,
}

impl Measure {
    fn reaches(self, goal: Goal) -> bool {
        self.agreement >= goal.agreement && self.loss <= goal.loss
    }
}

/// A recipe that was tried, and what came of it.
struct Trial {
    recipe: Recipe,
    scales: Vec<UnitScale>,
    measure: Measure,
    candidate: Candidate,
}

/// The default method: one form of neuron, the coarsest scale that is good enough.
pub(super) fn fit_scale(
    prepared: &Prepared<'_>,
    config: &MethodConfig,
) -> Result<Conversion, MethodError> {
    super::super::check_rate_code("rate", config.code)?;
    let materials = Materials::new(prepared, true)?;
    materials.check(Some(BOTH))?;
    let forms = [("signed spikes, bursts of two or more", Some(BOTH))];
    search(prepared, config, &materials, &[config.threshold], &forms)
}

/// Searches over rules, forms and scales.
pub(super) fn auto(
    prepared: &Prepared<'_>,
    config: &MethodConfig,
) -> Result<Conversion, MethodError> {
    super::super::check_rate_code("auto", config.code)?;
    let materials = Materials::new(prepared, true)?;
    let mut rules: Vec<&'static ThresholdRule> = vec![RULES[0]];
    let named = [config.threshold.name, "channel_mse"];
    for rule in named.into_iter().filter_map(find_rule) {
        if rules.iter().all(|known| known.name != rule.name) {
            rules.push(rule);
        }
    }
    let forms: Vec<(&'static str, Option<Graded>)> = [
        ("single spikes", None),
        ("signed spikes", Some(SIGNED)),
        ("bursts of four or more", Some(BURST)),
        ("signed spikes, bursts of two or more", Some(BOTH)),
    ]
    .into_iter()
    .filter(|(_, graded)| materials.check(*graded).is_ok())
    .collect();
    search(prepared, config, &materials, &rules, &forms)
}

fn search(
    prepared: &Prepared<'_>,
    config: &MethodConfig,
    materials: &Materials<'_>,
    rules: &[&'static ThresholdRule],
    forms: &[(&'static str, Option<Graded>)],
) -> Result<Conversion, MethodError> {
    let mut tried: Vec<Trial> = Vec::new();
    for &rule in rules {
        let base = Recipe {
            rule,
            steps: config.steps,
            scale: 1.0,
            shares: vec![1.0; prepared.structure.units.len()],
            graded: None,
            correction: Correction::Potential,
        };
        let shares = shares(materials, &base);
        for &(form, graded) in forms {
            ladder(|place| {
                let shares = shares.clone();
                let scale = SCALES[place];
                let graded = graded.map(|graded| widened(graded, scale));
                if materials.check(graded).is_err() {
                    return false;
                }
                let recipe = Recipe { scale, shares, graded, ..base.clone() };
                let (scales, network) = calibrate(materials, &recipe);
                let measure = measure(materials, &network, recipe.steps);
                let candidate = candidate(form, &recipe, measure);
                tried.push(Trial { recipe, scales, measure, candidate });
                measure.reaches(GOAL)
            });
        }
    }
    let best = tried.iter().enumerate().min_by(|(_, a), (_, b)| {
        let (a, b) = (a.measure, b.measure);
        let failed = |measure: Measure| !measure.reaches(GOAL);
        let cost = |measure: Measure| match measure.reaches(GOAL) {
            true => measure.spikes,
            false => measure.loss + 100.0 - measure.agreement,
        };
        failed(a).cmp(&failed(b)).then(cost(a).total_cmp(&cost(b)))
    });
    let Some((chosen, trial)) = best else {
        return Err(MethodError::Unit {
            method: "rate",
            unit: prepared.name.to_string(),
            reason: "no recipe suits it; convert with the method `rate_plain`".to_string(),
        });
    };
    let mut conversion = finish(prepared, config, &trial.scales, &trial.recipe);
    conversion.notes.push(reason(trial, tried.len(), materials.samples.len()));
    conversion.candidates = tried.into_iter().map(|trial| trial.candidate).collect();
    conversion.candidates[chosen].chosen = true;
    Ok(conversion)
}

/// Bursts for a scale: finer spikes stand for less, so more of them fit into a step and the largest
/// activation stays within reach.
fn widened(graded: Graded, scale: f64) -> Graded {
    let wide = |number: u32| (f64::from(number) / scale.min(1.0)).ceil() as u32;
    Graded { burst: wide(graded.burst), correction: wide(graded.correction), ..graded }
}

/// Tries coarser scales as long as they are good enough, or finer ones until one is.
fn ladder(mut good: impl FnMut(usize) -> bool) {
    if good(FIRST) {
        for place in (0..FIRST).rev() {
            if !good(place) {
                return;
            }
        }
    } else {
        for place in FIRST + 1..SCALES.len() {
            if good(place) {
                return;
            }
        }
    }
}

/// Shows samples, as long as the goal can still be reached.
fn measure(materials: &Materials<'_>, network: &LayerwiseNetwork, steps: u32) -> Measure {
    let total = materials.samples.len().max(1) as f64;
    let mut seen: Vec<(bool, f64, u64)> = Vec::with_capacity(materials.samples.len());
    let pairs = materials.samples.chunks(CHUNK).zip(materials.activations.chunks(CHUNK));
    for (samples, activations) in pairs {
        let part: Vec<(bool, f64, u64)> = samples
            .par_iter()
            .zip(activations)
            .map(|(sample, activations)| answer(network, sample, activations, steps))
            .collect();
        seen.extend(part);
        let worst = summary(&seen, total);
        if !worst.reaches(GOAL) {
            break;
        }
    }
    summary(&seen, seen.len().max(1) as f64)
}

/// Whether the answer is the trained network's, what it loses, and the spikes.
fn answer(
    network: &LayerwiseNetwork,
    sample: &[f32],
    activations: &[Vec<f32>],
    steps: u32,
) -> (bool, f64, u64) {
    let run = network.run(sample, &[steps]);
    let wanted = activations.last().map_or(&[][..], Vec::as_slice);
    let wide: Vec<f64> = wanted.iter().map(|&score| f64::from(score)).collect();
    let answer = largest(run.scores.last().map_or(&[][..], Vec::as_slice));
    let right = largest(&wide);
    (answer == right, share(&wide, right) - share(&wide, answer), run.spikes[0])
}

/// Shares of `total` samples, those not seen counted as right. Sums are made in order: the result
/// does not depend on threads.
fn summary(seen: &[(bool, f64, u64)], total: f64) -> Measure {
    let wrong = seen.iter().filter(|answer| !answer.0).count() as f64;
    Measure {
        agreement: 100.0 - 100.0 * wrong / total,
        loss: 100.0 * seen.iter().map(|answer| answer.1).sum::<f64>() / total,
        spikes: seen.iter().map(|answer| answer.2).sum::<u64>() as f64 / seen.len().max(1) as f64,
    }
}

/// The softmax of scores at one place.
fn share(scores: &[f64], place: usize) -> f64 {
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = scores.iter().map(|score| (score - most).exp()).sum();
    scores.get(place).map_or(0.0, |score| (score - most).exp() / sum)
}

fn candidate(form: &str, recipe: &Recipe, measure: Measure) -> Candidate {
    Candidate {
        threshold: recipe.rule.name.to_string(),
        neurons: form.to_string(),
        scale: recipe.scale,
        agreement: measure.agreement,
        expected_loss: measure.loss,
        spikes: measure.spikes,
        chosen: false,
    }
}

fn reason(trial: &Trial, tried: usize, samples: usize) -> String {
    let Candidate { threshold, neurons, scale, agreement, expected_loss, spikes, .. } =
        &trial.candidate;
    let why = match trial.measure.reaches(GOAL) {
        true => format!(
            "fewest spikes among those with at least {} % equal answers and at most {} points of \
             expected loss",
            GOAL.agreement, GOAL.loss
        ),
        false => format!(
            "none reached {} % equal answers with at most {} points of expected loss; this one came \
             closest: more steps would help",
            GOAL.agreement, GOAL.loss
        ),
    };
    format!(
        "chosen from {tried} candidates on {samples} calibration samples: {neurons}, thresholds \
         {threshold} × {scale}: {agreement:.1} % equal answers, expected loss {expected_loss:.2} \
         points, {spikes:.0} spikes a sample ({why})"
    )
}
