//! Chooses among recipes by what they do on the calibration samples.
//!
//! Among recipes that are good enough ([`super::goal`]) the one with the fewest spikes is taken; if
//! none is, the one that comes closest. Nothing is drawn at random: the same samples give the same
//! choice.

use super::super::goal::{Goal, Measure, Shown, measure, scores};
use super::super::materials::{MOST_SAMPLES, Materials};
use super::super::sensitivity::{Channels, channels};
use super::allocate::shares;
use super::correct::{calibrate, thresholds};
use super::{BOTH, BURST, Correction, Recipe, SIGNED, check_windows, finish};
use crate::coding::readout::Slope;
use crate::layerwise::LayerwiseNetwork;
use crate::lower::{Candidate, Conversion, Graded, Readout, UnitScale};
use crate::method::{MethodConfig, MethodError, Prepared};
use crate::threshold::{RULES, ThresholdRule, find_rule};

/// Scales that are tried, the coarsest first. A coarser one has fewer spikes.
const SCALES: [f64; 10] = [2.8, 2.0, 1.4, 1.0, 0.7, 0.5, 0.35, 0.25, 0.18, 0.125];
/// A scale that was good enough is tried again as many times coarser: half a place.
const BETWEEN: f64 = 1.19;
/// The next finer scale has at least so many times the spikes.
const FINER: f64 = 1.2;
/// Numbers of steps that are tried where an accuracy is asked for.
const STEPS: [u32; 7] = [1, 2, 4, 8, 16, 32, 64];
/// The form of the default method.
const BOTH_FORM: (&str, Option<Graded>) = ("signed spikes, bursts of two or more", Some(BOTH));
/// Places that a search looks back, for the next form, from where the one before it was good enough.
const LOOK_BACK: usize = 2;
/// Samples that a first, cheap look corrects on, and how many times the goal's divergence it lets pass.
const LOOK: (usize, f64) = (32, 2.0);

/// A recipe that was tried, and what came of it.
struct Trial {
    recipe: Recipe,
    scales: Vec<UnitScale>,
    measure: Measure,
    candidate: Candidate,
    /// Whether corrections were made on all samples.
    whole: bool,
}

/// Forms of neurons with their names.
type Forms = [(&'static str, Option<Graded>)];

/// The default method: one form of neuron, the coarsest scale that is good enough.
pub(super) fn fit_scale(
    prepared: &Prepared<'_>,
    config: &MethodConfig,
) -> Result<Conversion, MethodError> {
    super::super::check_rate_code("rate", config.code)?;
    check_windows(prepared, Some(BOTH))?;
    let materials = Materials::new(prepared, "rate", MOST_SAMPLES)?;
    let mut search = Search::new(&materials, config.steps, SCALES.len());
    search.over(&[config.threshold], &[BOTH_FORM]);
    search.finished(config)
}

/// Searches over rules, forms and scales; over numbers of steps where an accuracy is asked for.
pub(super) fn auto(
    prepared: &Prepared<'_>,
    config: &MethodConfig,
) -> Result<Conversion, MethodError> {
    super::super::check_rate_code("auto", config.code)?;
    // An accuracy that is asked for is a share of samples; answers are judged on blends, too.
    let most = if config.accuracy.is_some() { MOST_SAMPLES } else { MOST_SAMPLES / 2 };
    let materials = Materials::new(prepared, "auto", most)?;
    let mut rules: Vec<&'static ThresholdRule> = vec![RULES[0]];
    let named = [config.threshold.name, "channel_mse"];
    for rule in named.into_iter().filter_map(find_rule) {
        if rules.iter().all(|known| known.name != rule.name) {
            rules.push(rule);
        }
    }
    // The strongest form first: it says how many spikes are needed at the most.
    let forms: Vec<(&'static str, Option<Graded>)> = [
        BOTH_FORM,
        ("signed spikes", Some(SIGNED)),
        ("bursts of four or more", Some(BURST)),
        ("single spikes", None),
    ]
    .into_iter()
    .filter(|(_, graded)| check_windows(prepared, *graded).is_ok())
    .collect();
    let ladders = rules.len() + forms.len();
    let mut search = Search::new(&materials, config.steps, ladders * SCALES.len());
    if let Some(accuracy) = config.accuracy {
        search.goal = Goal::Accuracy(accuracy);
        for steps in STEPS {
            search.steps = steps;
            search.over(&rules[..1], &forms[..forms.len().min(1)]);
            if search.best().is_some() {
                break;
            }
        }
        search.over(&rules[..1], forms.get(1..).unwrap_or_default());
        search.over(&rules[1..], &forms);
    } else {
        // Which rule is best hardly depends on the form.
        search.over(&rules, &forms[..forms.len().min(1)]);
        let rule = search.best().map_or(rules[0], |trial| trial.recipe.rule);
        search.over(&[rule], forms.get(1..).unwrap_or_default());
    }
    search.finished(config)
}

/// A search under way.
struct Search<'a> {
    materials: &'a Materials<'a>,
    channels: Channels,
    steps: u32,
    goal: Goal,
    tried: Vec<Trial>,
    /// Place at which the next ladder begins.
    first: usize,
    /// Candidates looked at or passed over, and how many there are at the most.
    progress: [usize; 2],
}

impl<'a> Search<'a> {
    fn new(materials: &'a Materials<'a>, steps: u32, most: usize) -> Self {
        Search {
            materials,
            channels: channels(materials),
            steps,
            goal: scores(materials.prepared.structure),
            tried: Vec::new(),
            first: 0,
            progress: [0, most],
        }
    }

    /// The cheapest trial that is good enough.
    fn best(&self) -> Option<&Trial> {
        let good = self.tried.iter().filter(|trial| trial.measure.reaches(self.goal));
        good.min_by(|a, b| a.measure.spikes.total_cmp(&b.measure.spikes))
    }

    /// Its spikes.
    fn fewest(&self) -> f64 {
        self.best().map_or(f64::INFINITY, |trial| trial.measure.spikes)
    }

    fn over(&mut self, rules: &[&'static ThresholdRule], forms: &Forms) {
        for &rule in rules {
            let mut base = Recipe {
                rule,
                steps: self.steps,
                scale: 1.0,
                shares: Vec::new(),
                graded: None,
                correction: Correction::Start,
                readout: Readout::Slope,
            };
            let units = 0..self.materials.prepared.structure.units.len();
            let thetas: Vec<Vec<f64>> =
                units.map(|unit| thresholds(self.materials, &base, unit)).collect();
            base.shares = shares(self.materials, &self.channels, &thetas);
            for &(form, graded) in forms {
                let start = self.progress[0];
                self.ladder(form, &Recipe { graded, ..base.clone() });
                self.advance(start + SCALES.len());
            }
        }
    }

    /// Tries scales from a place on, finer and finer, until one is good enough or a cheaper one is
    /// known.
    ///
    /// Coarse ones fail fast. Going down from what is good would end at the first that is not, though
    /// a coarser one may be good again: with few steps errors do not grow evenly.
    fn ladder(&mut self, form: &str, base: &Recipe) {
        let start = self.first;
        for (place, &scale) in SCALES.iter().enumerate().skip(start) {
            let Some(measure) = self.attempt(form, base, scale) else { continue };
            self.advance(self.progress[0] + 1);
            if measure.reaches(self.goal) {
                let mut good = place;
                let reaches = |search: &mut Self, place: usize| {
                    let measure = search.attempt(form, base, SCALES[place]);
                    measure.is_some_and(|measure| measure.reaches(search.goal))
                };
                // The ladder may have begun too far down.
                while place == start && good > 0 && reaches(self, good - 1) {
                    good -= 1;
                }
                if good > 0 {
                    self.attempt(form, base, SCALES[good] * BETWEEN);
                }
                self.first = good.saturating_sub(LOOK_BACK);
                return;
            }
            if FINER * measure.spikes > self.fewest() {
                return;
            }
        }
    }

    /// Tries a recipe at a scale; none where its bursts do not fit the windows of maxima.
    fn attempt(&mut self, form: &str, base: &Recipe, scale: f64) -> Option<Measure> {
        let finest = base.shares.iter().flatten().copied().fold(1.0, f64::min);
        let graded = base.graded.map(|graded| widened(graded, scale * finest));
        check_windows(self.materials.prepared, graded).ok()?;
        let recipe = Recipe { scale, graded, ..base.clone() };
        let most_spikes = self.fewest();
        let all = self.materials.corrected();
        let few: Vec<usize> =
            all.iter().step_by(all.len().div_ceil(LOOK.0).max(1)).copied().collect();
        let look = |corrected: &[usize], goal: Goal| {
            let (scales, network) = calibrate(self.materials, &recipe, corrected);
            let show = |sample: &[f32]| shown(&network, sample, recipe.steps);
            (scales, measure(self.materials, show, goal, most_spikes))
        };
        let (mut scales, mut measured) = (Vec::new(), None);
        if few.len() < all.len() && !matches!(self.goal, Goal::Accuracy(_)) {
            let (first_scales, first) = look(&few, self.goal.eased(LOOK.1));
            if !first.reaches(self.goal.eased(LOOK.1)) || first.spikes > 1.1 * most_spikes {
                (scales, measured) = (first_scales, Some(first));
            }
        }
        let whole = measured.is_none();
        let measure = match measured {
            Some(measure) => measure,
            None => {
                let (all_scales, measure) = look(&all, self.goal);
                scales = all_scales;
                measure
            }
        };
        let candidate = candidate(form, &recipe, measure);
        self.tried.push(Trial { recipe, scales, measure, candidate, whole });
        Some(measure)
    }

    fn advance(&mut self, done: usize) {
        self.progress[0] = done.min(self.progress[1]);
        (self.materials.prepared.watch)(self.progress[0], self.progress[1]);
    }
}

/// What the slope of a network's potentials says after its steps.
fn shown(network: &LayerwiseNetwork, sample: &[f32], steps: u32) -> Shown {
    let run = network.run(sample, &(1..=steps).collect::<Vec<u32>>());
    let mut slope = Slope::default();
    run.scores.iter().for_each(|potentials| slope.add(potentials));
    let read = slope.summed().into_iter().map(|sum| sum / f64::from(steps)).collect();
    (read, run.spikes.last().copied().unwrap_or(0))
}

impl Search<'_> {
    /// The best of what was tried.
    fn finished(self, config: &MethodConfig) -> Result<Conversion, MethodError> {
        let Search { materials, goal, tried, .. } = self;
        let prepared = materials.prepared;
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
        let scales = match trial.whole {
            true => trial.scales.clone(),
            false => calibrate(materials, &trial.recipe, &materials.corrected()).0,
        };
        let mut conversion = finish(prepared, config, &scales, &trial.recipe);
        conversion.notes.push(reason(trial, tried.len(), goal, materials));
        conversion.candidates = tried.into_iter().map(|trial| trial.candidate).collect();
        conversion.candidates[chosen].chosen = true;
        Ok(conversion)
    }
}

/// Bursts for the finest of the thresholds, as a part of the rule's: finer spikes stand for less, so
/// more of them fit into a step and the largest activation stays within reach.
fn widened(graded: Graded, scale: f64) -> Graded {
    let wide = |number: u32| (f64::from(number) / scale.min(1.0)).ceil() as u32;
    Graded { burst: wide(graded.burst), correction: wide(graded.correction), ..graded }
}

fn candidate(form: &str, recipe: &Recipe, measure: Measure) -> Candidate {
    Candidate {
        steps: recipe.steps,
        threshold: recipe.rule.name.to_string(),
        neurons: form.to_string(),
        scale: recipe.scale,
        agreement: measure.agreement,
        expected_loss: measure.loss,
        divergence: measure.divergence,
        accuracy: measure.accuracy,
        spikes: measure.spikes,
        chosen: false,
    }
}

fn reason(trial: &Trial, tried: usize, goal: Goal, materials: &Materials<'_>) -> String {
    let Candidate { threshold, neurons, scale, agreement, divergence, spikes, steps, .. } =
        &trial.candidate;
    let (samples, blends) = (materials.samples.len(), materials.blends.len());
    let few = if matches!(goal, Goal::Accuracy(_)) {
        "fewest steps, then spikes"
    } else {
        "fewest spikes"
    };
    let why = match trial.measure.reaches(goal) {
        true => format!("{few} among those with {goal}"),
        false => format!("none had {goal}; this one came closest: more steps would help"),
    };
    let right = match (goal, materials.labels.is_empty()) {
        (Goal::Accuracy(_), false) => format!("{:.1} % right answers, ", trial.measure.accuracy),
        _ => String::new(),
    };
    format!(
        "chosen from {tried} candidates on {samples} calibration samples and {blends} blends \
         of two: {steps} steps, {neurons}, \
         thresholds {threshold} × {scale}: {right}{agreement:.1} % equal answers, divergence \
         {divergence:.4} nats, {spikes:.0} spikes a sample ({why})"
    )
}
