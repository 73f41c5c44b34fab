//! Trades spikes of a phase code against errors of the scores.
//!
//! # Idea
//! With g² the squared derivatives of all scores by an activation a, sending the number n in levels δ
//! costs g² (n δ − a)² of squared error and as many spikes as n has ones. For a price λ of a spike the
//! sum g² (n δ − a)² + λ · ones(n) over the calibration samples is smallest where every neuron takes
//! the n for which (n − a/δ)² + λ/(g² δ²) · ones(n) is smallest, which is the neuron's own rule with
//! that cost; so a channel's δ is the best of a grid, and its cost follows. Then, layer by layer,
//! weights are fitted to what their sources send ([`super::refit`]), and biases are moved by what
//! potentials miss on average: what rounding takes away and can be told from what is sent costs no
//! accuracy, and no spikes.
//!
//! Candidates are judged on samples that nothing was fitted on, where there are enough; what is chosen is
//! then fitted on all. Where a network is sure of its samples, and there are more of them, all weights and
//! biases are moved from end to end, at that price and at higher ones ([`super::descent`]).
//!
//! Where even the lowest price is not good enough, as in deep networks of thin layers, numbers of a few
//! bits are too coarse: then the first phase may hold up to [`MOST_BURST`] spikes, so that levels are
//! finer and only the rare large numbers cost more.
//!
//! The highest price is taken at which the scores stay near those of the trained network
//! ([`super::wanted`]). This is the rate-distortion view of quantisation with spikes as
//! the rate.
//!
//! # References
//! Shoham and Gersho 1988, IEEE Trans. ASSP 36:1445 (one price for all channels).

use super::super::goal::{Measure, measure_bounded, sample_doubt};
use super::super::materials::{MOST_SAMPLES, Materials, Shared};
use super::codes::Pricing;
use super::descent::Descent;
use super::fit::{Fitted, Fitting, blends};
use super::network::show;
use super::wanted::Wanted;
use super::{Codes, describe};
use crate::lower::{Candidate, Conversion};
use crate::method::{MethodConfig, MethodError, Prepared};

/// Prices of a spike, in the mean squared error of a level of four bits; the highest first.
const PRICES: [f64; 16] =
    [256.0, 128.0, 64.0, 32.0, 16.0, 8.0, 4.0, 2.0, 1.0, 0.5, 0.25, 0.12, 0.06, 0.03, 0.004, 0.0];
/// Lower ones are not tried with four phases: smaller errors on calibration samples no longer mean fewer on
/// others (`docs/design/layers_in_turn.md`). A phase more makes errors four times smaller.
const LOWEST: f64 = 0.12;
/// So much a network may doubt its answers on samples where its weights are moved: those of networks that
/// doubt more suit other images less, at the same divergence on kept samples.
const MOST_DOUBT: f64 = 0.05;
/// Fewer samples are learnt by heart where weights are moved.
const FEWEST_TO_MOVE: usize = 300;
/// A price that was good enough is tried again as many times higher: half a place.
pub(super) const BETWEEN: f64 = 1.41;
/// Prices at which weights are moved.
const MOST_MOVES: usize = 5;
/// So much further from the goal may a network be whose weights are then moved.
const EASED: f64 = 1.25;
/// Place of the price that is tried first.
const FIRST: usize = 7;
/// Most spikes in the first phase where one is not enough.
const MOST_BURST: u32 = 7;
/// Place of the price that is tried first with them.
const FIRST_WITH_BURSTS: usize = 10;

/// A price that was tried.
struct Trial {
    codes: Codes,
    fitted: Fitted,
    measure: Measure,
    price: f64,
    form: Form,
}

/// What else is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Form {
    weights: Weights,
    /// Most spikes in the first phase.
    first_burst: u32,
}

/// Where weights come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weights {
    /// The trained network's.
    Trained,
    /// Fitted layer by layer.
    Fitted,
    /// Moved from end to end.
    Moved,
}

/// Searches for the highest price at which the answers stay.
pub(super) fn convert(
    prepared: &Prepared<'_>,
    config: &MethodConfig,
) -> Result<Conversion, MethodError> {
    let all = Materials::new(prepared, "phase", MOST_SAMPLES)?;
    let moves = sample_doubt(&all) <= MOST_DOUBT && all.samples.len() >= FEWEST_TO_MOVE;
    let shared = all.shared_out("phase")?;
    let (fitted, judged) = (shared.fitted(), shared.judged());
    let apart = matches!(shared, Shared::Apart { .. });
    let blends = blends(fitted)?;
    let goal = Wanted::new(config, judged, apart);
    let search = Search {
        judged,
        pricing: Pricing::new(fitted, config),
        fitting: Fitting::new(fitted, &blends, config.steps)?,
        descent: if moves { Descent::new(fitted) } else { None },
    };
    let eased = if search.descent.is_some() { goal.eased(EASED) } else { goal };
    let mut tried = search.over_prices(eased);
    search.over_moved(goal, &mut tried);
    let mut goal = goal;
    if !tried.iter().any(|trial| goal.reached_by(trial.measure)) {
        goal = goal.with_bursts();
        search.over_bursts(goal, &mut tried);
    }
    let best = best(&tried, goal).and_then(|place| Some((place, tried.get(place)?)));
    let Some((chosen, trial)) = best else {
        let unit = prepared.name.to_string();
        let reason = "no price of a spike was tried".to_string();
        return Err(MethodError::Unit { method: "phase", unit, reason });
    };
    let again = match apart && trial.form.weights != Weights::Moved {
        true => Some(fitted_on_all(prepared, config, trial)?),
        false => None,
    };
    let (codes, fitted) = match &again {
        Some((codes, fitted)) => (codes, fitted),
        None => (&trial.codes, &trial.fitted),
    };
    let fitted_units = Prepared { structure: &fitted.structure, ..*prepared };
    let mut conversion = describe(&fitted_units, config, codes, &fitted.scales);
    conversion.notes.push(reason(trial, tried.len(), goal, judged));
    if again.is_some() {
        let note = "what was chosen was then fitted on all calibration samples";
        conversion.notes.push(note.to_string());
    }
    conversion.candidates = tried.iter().map(|trial| candidate(trial, config)).collect();
    conversion.candidates[chosen].chosen = true;
    Ok(conversion)
}

/// Codes and a network with the price and the form of one that was tried, fitted on all samples.
fn fitted_on_all(
    prepared: &Prepared<'_>,
    config: &MethodConfig,
    trial: &Trial,
) -> Result<(Codes, Fitted), MethodError> {
    let all = Materials::new(prepared, "phase", MOST_SAMPLES)?;
    let pricing = Pricing::new(&all, config);
    let codes = pricing.codes(trial.price * pricing.unit_price(), trial.form.first_burst);
    let blends = blends(&all)?;
    let fitting = Fitting::new(&all, &blends, config.steps)?;
    let fitted = fitting.fit(&codes, trial.form.weights == Weights::Fitted);
    Ok((codes, fitted))
}

/// The place of the candidate with the fewest spikes of those that are good enough, or else of the
/// nearest.
fn best(tried: &[Trial], goal: Wanted) -> Option<usize> {
    let order = |trial: &Trial| match goal.reached_by(trial.measure) {
        true => (false, trial.measure.spikes),
        false => (true, goal.distance(trial.measure)),
    };
    let better = |a: &Trial, b: &Trial| {
        let (a, b) = (order(a), order(b));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
    };
    let found = tried.iter().enumerate().min_by(|(_, a), (_, b)| better(a, b));
    found.map(|(place, _)| place)
}

fn candidate(trial: &Trial, config: &MethodConfig) -> Candidate {
    Candidate {
        steps: config.steps,
        threshold: config.threshold.name.to_string(),
        neurons: {
            let numbers = match trial.form.first_burst {
                1 => "binary numbers".to_string(),
                most => format!("binary numbers, up to {most} spikes in the first phase"),
            };
            let weights = match trial.form.weights {
                Weights::Trained => "",
                Weights::Fitted => ", fitted weights",
                Weights::Moved => ", weights moved",
            };
            format!("{numbers}{weights}, scale: price of a spike")
        },
        scale: trial.price,
        agreement: trial.measure.agreement,
        expected_loss: trial.measure.loss,
        divergence: trial.measure.divergence,
        accuracy: trial.measure.accuracy,
        spikes: trial.measure.spikes,
        chosen: false,
    }
}

fn reason(trial: &Trial, tried: usize, goal: Wanted, materials: &Materials<'_>) -> String {
    let Measure { agreement, divergence, loss, spikes, .. } = trial.measure;
    let (samples, blends) = (materials.samples.len(), materials.blends.len());
    let why = match goal.reached_by(trial.measure) {
        true => format!("fewest spikes among those with {goal}"),
        false => format!("none had {goal}; this one came closest: more phases would help"),
    };
    format!(
        "chosen from {tried} prices of a spike on {samples} calibration samples and {blends} blends of \
         two: {agreement:.1} % equal answers, divergence {divergence:.4} nats, expected loss {loss:.2} points, \
         {spikes:.0} spikes a sample ({why})"
    )
}

/// What stays the same while prices are tried.
struct Search<'a> {
    judged: &'a Materials<'a>,
    pricing: Pricing<'a>,
    fitting: Fitting<'a>,
    /// None where weights cannot be moved.
    descent: Option<Descent<'a>>,
}

impl Search<'_> {
    /// Looks for the highest price that is good enough with fitted weights, and above it with those of
    /// the trained network, which are better in some networks with fine levels.
    fn over_prices(&self, goal: Wanted) -> Vec<Trial> {
        let mut tried: Vec<Trial> = Vec::new();
        let [fitted, trained] =
            [Weights::Fitted, Weights::Trained].map(|weights| Form { weights, first_burst: 1 });
        let place = self.ladder(FIRST, fitted, goal, &mut tried);
        let start = place.map_or(FIRST, |place| place.saturating_sub(1));
        let without = self.ladder_up(start, trained, goal, &mut tried);
        let last = match (without, place) {
            (Some(better), _) => Some((better, trained)),
            (None, Some(place)) => Some((place, fitted)),
            (None, None) => {
                let place = self.ladder(FIRST + 1, trained, goal, &mut tried);
                place.map(|place| (place, trained))
            }
        };
        if let Some((place, form)) = last {
            self.attempt(PRICES[place] * BETWEEN, form, goal, &mut tried);
        }
        (self.judged.prepared.watch)(PRICES.len(), PRICES.len());
        tried
    }

    /// The same with bursts in the first phase, with weights from where they came nearest without.
    fn over_bursts(&self, goal: Wanted, tried: &mut Vec<Trial>) {
        let nearest = best(tried, goal).and_then(|place| tried.get(place));
        let weights = match nearest.map(|trial| trial.form.weights) {
            Some(Weights::Trained) => Weights::Trained,
            _ => Weights::Fitted,
        };
        let form = Form { weights, first_burst: MOST_BURST };
        if let Some(place) = self.ladder(FIRST_WITH_BURSTS, form, goal, tried) {
            self.attempt(PRICES[place] * BETWEEN, form, goal, tried);
        }
        (self.judged.prepared.watch)(PRICES.len(), PRICES.len());
    }

    /// The place of the highest price that is good enough: up from `start`, or down.
    fn ladder(
        &self,
        start: usize,
        form: Form,
        goal: Wanted,
        tried: &mut Vec<Trial>,
    ) -> Option<usize> {
        self.ladder_up(start, form, goal, tried).or_else(|| {
            // Twice as many numbers are a phase more.
            let bits = self.pricing.config.steps.max(4) + form.first_burst.ilog2();
            let lowest = LOWEST * 4.0_f64.powi(4 - bits as i32);
            let lower = PRICES.iter().enumerate().skip(start + 1);
            let mut lower = lower.take_while(|(_, price)| **price >= lowest);
            let good = lower.find(|(_, price)| self.attempt(**price, form, goal, tried));
            good.map(|(place, _)| place)
        })
    }

    /// The same, only up.
    fn ladder_up(
        &self,
        start: usize,
        form: Form,
        goal: Wanted,
        tried: &mut Vec<Trial>,
    ) -> Option<usize> {
        let higher = PRICES.iter().enumerate().take(start + 1).rev();
        let good = higher.take_while(|(_, price)| self.attempt(**price, form, goal, tried));
        good.last().map(|(place, _)| place)
    }

    /// Tries a price; whether it is good enough.
    fn attempt(&self, price: f64, form: Form, goal: Wanted, tried: &mut Vec<Trial>) -> bool {
        let codes = self.pricing.codes(price * self.pricing.unit_price(), form.first_burst);
        let fitted = self.fitting.fit(&codes, form.weights == Weights::Fitted);
        self.judge(codes, fitted, (price, form), goal, tried)
    }

    fn judge(
        &self,
        codes: Codes,
        fitted: Fitted,
        (price, form): (f64, Form),
        goal: Wanted,
        tried: &mut Vec<Trial>,
    ) -> bool {
        let shown = |sample: &[f32]| show(&fitted.layers, sample);
        let measure = measure_bounded(self.judged, shown, goal.goal, [f64::INFINITY, goal.bound]);
        tried.push(Trial { codes, fitted, measure, price, form });
        (self.judged.prepared.watch)(tried.len().min(PRICES.len()), PRICES.len());
        goal.reached_by(measure)
    }

    /// Moves the best network's weights at its price, and goes on to higher ones while they are good
    /// enough; to lower ones where it is not.
    fn over_moved(&self, goal: Wanted, tried: &mut Vec<Trial>) {
        let Some(descent) = &self.descent else { return };
        let eased = goal.eased(EASED);
        let Some(start) = best(tried, eased).and_then(|place| tried.get(place)) else { return };
        let (mut price, mut structure) = (start.price, start.fitted.with_biases());
        let mut up = true;
        let form = Form { weights: Weights::Moved, first_burst: 1 };
        for attempt in 0..MOST_MOVES {
            let total = price * self.pricing.unit_price();
            let codes = self.pricing.codes(total, 1);
            structure = descent.descend(&structure, &codes, total, attempt);
            let fitted = self.fitting.of_structure(structure.clone(), &codes);
            let good = self.judge(codes, fitted, (price, form), goal, tried);
            if attempt == 0 {
                up = good;
            } else if up != good {
                break;
            }
            let last = tried.last().map_or(0.0, |trial| trial.measure.divergence);
            price *= if up { BETWEEN } else { goal.lower(last) };
        }
    }
}
