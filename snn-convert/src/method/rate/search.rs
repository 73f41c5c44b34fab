//! Chooses among recipes by what they do on the calibration samples.
//!
//! Among recipes that are good enough ([`super::goal`]) the one with the fewest spikes is taken; if
//! none is, the one that comes closest. Nothing is drawn at random: the same samples give the same
//! choice.

use super::allocate::shares;
use super::correct::{calibrate, thresholds};
use super::goal::{Goal, Measure, answers, measure};
use super::materials::Materials;
use super::{BOTH, BURST, Correction, Recipe, SIGNED, finish};
use crate::lower::{Candidate, Conversion, Graded, UnitScale};
use crate::method::{MethodConfig, MethodError, Prepared};
use crate::threshold::{RULES, ThresholdRule, find_rule};

/// Scales that are tried, the coarsest first. A coarser one has fewer spikes.
const SCALES: [f64; 8] = [2.8, 2.0, 1.4, 1.0, 0.7, 0.5, 0.35, 0.25];
/// Numbers of steps that are tried where an accuracy is asked for.
const STEPS: [u32; 7] = [1, 2, 4, 8, 16, 32, 64];
/// The form of the default method.
const BOTH_FORM: (&str, Option<Graded>) = ("signed spikes, bursts of two or more", Some(BOTH));
/// Places that a search looks back, for the next form, from where the one before it was good enough.
const LOOK_BACK: usize = 2;

/// A recipe that was tried, and what came of it.
struct Trial {
    recipe: Recipe,
    scales: Vec<UnitScale>,
    measure: Measure,
    candidate: Candidate,
}

/// Forms of neurons with their names.
type Forms = [(&'static str, Option<Graded>)];

/// The default method: one form of neuron, the coarsest scale that is good enough.
pub(super) fn fit_scale(
    prepared: &Prepared<'_>,
    config: &MethodConfig,
) -> Result<Conversion, MethodError> {
    super::super::check_rate_code("rate", config.code)?;
    let materials = Materials::new(prepared, true)?;
    materials.check(Some(BOTH))?;
    let search = Search { materials: &materials, steps: config.steps, goal: answers(&materials) };
    let tried = search.over(&[config.threshold], &[BOTH_FORM]);
    finished(prepared, config, search, tried)
}

/// Searches over rules, forms and scales; over numbers of steps where an accuracy is asked for.
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
        BOTH_FORM,
    ]
    .into_iter()
    .filter(|(_, graded)| materials.check(*graded).is_ok())
    .collect();
    let mut search =
        Search { materials: &materials, steps: config.steps, goal: answers(&materials) };
    let mut tried = Vec::new();
    if let Some(accuracy) = config.accuracy {
        search.goal = Goal::Accuracy(accuracy);
        // The form that needs the fewest steps says how many are needed.
        let strongest = &forms[forms.len().saturating_sub(1)..];
        for steps in STEPS {
            search.steps = steps;
            tried.extend(search.over(&rules[..1], strongest));
            if tried.iter().any(|trial| trial.measure.reaches(search.goal)) {
                break;
            }
        }
        let others = forms.split_last().map_or(&[][..], |(_, others)| others);
        tried.extend(search.over(&rules[..1], others));
        tried.extend(search.over(&rules[1..], &forms));
    } else {
        tried.extend(search.over(&rules, &forms));
    }
    finished(prepared, config, search, tried)
}

/// What stays the same while recipes are tried.
#[derive(Clone, Copy)]
struct Search<'a> {
    materials: &'a Materials<'a>,
    steps: u32,
    goal: Goal,
}

impl Search<'_> {
    fn over(self, rules: &[&'static ThresholdRule], forms: &Forms) -> Vec<Trial> {
        let materials = self.materials;
        let mut tried: Vec<Trial> = Vec::new();
        let mut first = 0;
        for &rule in rules {
            let base = Recipe {
                rule,
                steps: self.steps,
                scale: 1.0,
                shares: Vec::new(),
                graded: None,
                correction: Correction::Potential,
            };
            let units = 0..materials.prepared.structure.units.len();
            let thetas: Vec<Vec<f64>> =
                units.map(|unit| thresholds(materials, &base, unit)).collect();
            let shares = shares(materials, &thetas);
            let finest = shares.iter().flatten().copied().fold(1.0, f64::min);
            for &(form, graded) in forms {
                let found = ladder(first, |place| {
                    let shares = shares.clone();
                    let scale = SCALES[place];
                    let graded = graded.map(|graded| widened(graded, scale * finest));
                    if materials.check(graded).is_err() {
                        return false;
                    }
                    let recipe = Recipe { scale, shares, graded, ..base.clone() };
                    let (scales, network) = calibrate(materials, &recipe);
                    let measure = measure(materials, &network, recipe.steps, self.goal);
                    let candidate = candidate(form, &recipe, measure);
                    tried.push(Trial { recipe, scales, measure, candidate });
                    measure.reaches(self.goal)
                });
                first = found.map_or(first, |place| place.saturating_sub(LOOK_BACK));
            }
        }
        tried
    }
}

fn finished(
    prepared: &Prepared<'_>,
    config: &MethodConfig,
    search: Search<'_>,
    tried: Vec<Trial>,
) -> Result<Conversion, MethodError> {
    let goal = search.goal;
    let best = tried.iter().enumerate().min_by(|(_, a), (_, b)| {
        let failed = |trial: &Trial| !trial.measure.reaches(goal);
        let cost = |trial: &Trial| match failed(trial) {
            true => trial.measure.distance(goal),
            false => trial.measure.spikes,
        };
        let steps = |trial: &Trial| if failed(trial) { 0 } else { trial.recipe.steps };
        let order = failed(a).cmp(&failed(b));
        order.then(steps(a).cmp(&steps(b))).then(cost(a).total_cmp(&cost(b)))
    });
    let Some((chosen, trial)) = best else {
        return Err(MethodError::Unit {
            method: "rate",
            unit: prepared.name.to_string(),
            reason: "no recipe suits it; convert with the method `rate_plain`".to_string(),
        });
    };
    let mut conversion = finish(prepared, config, &trial.scales, &trial.recipe);
    conversion.notes.push(reason(trial, tried.len(), search));
    conversion.candidates = tried.into_iter().map(|trial| trial.candidate).collect();
    conversion.candidates[chosen].chosen = true;
    Ok(conversion)
}

/// Bursts for the finest of the thresholds, as a part of the rule's: finer spikes stand for less, so
/// more of them fit into a step and the largest activation stays within reach.
fn widened(graded: Graded, scale: f64) -> Graded {
    let wide = |number: u32| (f64::from(number) / scale.min(1.0)).ceil() as u32;
    Graded { burst: wide(graded.burst), correction: wide(graded.correction), ..graded }
}

/// Tries scales from a place on, finer and finer, until one is good enough; gives its place.
///
/// Coarse ones fail fast. Going down from what is good would end at the first that is not, though a
/// coarser one may be good again: with few steps errors do not grow evenly.
fn ladder(first: usize, mut good: impl FnMut(usize) -> bool) -> Option<usize> {
    (first..SCALES.len()).find(|&place| good(place))
}

fn candidate(form: &str, recipe: &Recipe, measure: Measure) -> Candidate {
    Candidate {
        steps: recipe.steps,
        threshold: recipe.rule.name.to_string(),
        neurons: form.to_string(),
        scale: recipe.scale,
        agreement: measure.agreement,
        expected_loss: measure.loss,
        accuracy: measure.accuracy,
        spikes: measure.spikes,
        chosen: false,
    }
}

fn reason(trial: &Trial, tried: usize, search: Search<'_>) -> String {
    let Candidate { threshold, neurons, scale, agreement, expected_loss, spikes, steps, .. } =
        &trial.candidate;
    let (goal, samples) = (search.goal, search.materials.samples.len());
    let few = if matches!(goal, Goal::Accuracy(_)) {
        "fewest steps, then spikes"
    } else {
        "fewest spikes"
    };
    let why = match trial.measure.reaches(goal) {
        true => format!("{few} among those with {goal}"),
        false => format!("none had {goal}; this one came closest: more steps would help"),
    };
    let right = match (goal, search.materials.labels.is_empty()) {
        (Goal::Accuracy(_), false) => format!("{:.1} % right answers, ", trial.measure.accuracy),
        _ => String::new(),
    };
    format!(
        "chosen from {tried} candidates on {samples} calibration samples: {steps} steps, {neurons}, \
         thresholds {threshold} × {scale}: {right}{agreement:.1} % equal answers, expected loss \
         {expected_loss:.2} points, {spikes:.0} spikes a sample ({why})"
    )
}
