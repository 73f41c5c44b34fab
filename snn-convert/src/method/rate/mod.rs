//! Rate codes with soft reset: the net number of spikes in T steps is the rounded activation.
//!
//! # Idea
//! Neurons integrate, spike at the threshold θ and subtract it; the potential starts at θ/2. For an
//! even input a they spike clip(⌊a T/θ + 1/2⌋, 0, T) times, the nearest code of a. Thresholds come
//! from a [rule](crate::threshold) on calibration samples. Max pooling is exact in the counts; the
//! last layer integrates, and its potential is read; `rate` and `auto` read the slope of its course
//! ([`crate::coding::readout`]).
//!
//! Inputs of deep layers are not even: some spikes come early, others late. Three things help:
//! - **signed spikes**: a neuron that has spiked too often takes spikes back (the net count never
//!   falls below zero); with a tolerance of half a threshold it does not answer mere noise;
//! - **bursts**: a neuron that is late sends several spikes in a step;
//! - **calibration**: layer by layer, on the spikes that really arrive, the initial potentials
//!   (`rate_potential`) or biases (`rate_bias`) are moved so that the mean count is that of the
//!   activation; `rate` and `auto` take the initial potentials with the smallest squared errors.
//!
//! # References
//! Rueckauer et al. 2017, Front. Neurosci. 11:682 (reset by subtraction); Bu et al. 2022, AAAI
//! (half a threshold at the start); Wang et al. 2022, IJCAI (signed spikes with memory); Park et al.
//! 2019, DAC (bursts); Li et al. 2021, ICML (calibration of biases and potentials).

mod allocate;
mod correct;
mod search;

use super::materials::{MOST_SAMPLES, Materials};
use super::{Method, MethodConfig, MethodError, Prepared};
use crate::linear::LinearMap;
use crate::lower::{Conversion, Graded, NeuronForm, Readout, UnitScale, lower};
use crate::structure::UnitKind;
use crate::threshold::ThresholdRule;
use sim_core::network::SpikeCondition;
use sim_core::neuron::max_pool_graded::PoolRule;

use correct::calibrate;

/// What is moved so that mean counts are those of the activations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Correction {
    None,
    /// The bias of each channel.
    Bias,
    /// The initial potential of each neuron, by what its mean count misses.
    Potential,
    /// The initial potential of each neuron, for the smallest squared error of its counts.
    Start,
}

/// One way to make a rate code.
#[derive(Clone)]
struct Recipe {
    rule: &'static ThresholdRule,
    /// Number of steps that thresholds and corrections are made for.
    steps: u32,
    /// Thresholds are those of the rule times this.
    scale: f64,
    /// A factor for each threshold of each unit; empty for none.
    shares: Vec<Vec<f64>>,
    graded: Option<Graded>,
    correction: Correction,
    /// How the scores are read.
    readout: Readout,
}

/// Single spikes of either sign.
const SIGNED: Graded =
    Graded { burst: 1, correction: 1, tolerance: 0.0, pool: PoolRule::Difference };
/// Up to four spikes in a step, none taken back.
const BURST: Graded =
    Graded { burst: 4, correction: 0, tolerance: 0.0, pool: PoolRule::Difference };
/// Up to two spikes in a step, of either sign, with a tolerance.
///
/// Measured on five networks (`docs/design/rate_codes.md`): a second spike a step makes deep layers
/// faster than any number beyond; half a threshold of tolerance saves a quarter of the spikes.
const BOTH: Graded = Graded { burst: 2, correction: 2, tolerance: 0.5, pool: PoolRule::Difference };

/// The default.
pub static METHOD: Method = Method {
    name: "rate",
    summary: "rate code with signed spikes and bursts, calibrated; thresholds fitted to the steps",
    reference: "Wang et al. 2022, IJCAI; Park et al. 2019, DAC; Li et al. 2021, ICML",
    convert: |prepared, config| search::fit_scale(prepared, config),
};

/// One spike a step, which stays; no calibration beyond thresholds.
pub static PLAIN: Method = Method {
    name: "rate_plain",
    summary: "rate code, one spike a step, half a threshold at the start, no correction",
    reference: "Rueckauer et al. 2017, Front. Neurosci. 11:682; Bu et al. 2022, AAAI",
    convert: |prepared, config| convert(prepared, config, None, Correction::None),
};

/// Calibrated biases.
pub static BIAS: Method = Method {
    name: "rate_bias",
    summary: "as rate_plain, with the bias of each channel calibrated layer by layer",
    reference: "Li et al. 2021, ICML, \"A free lunch from ANN\"",
    convert: |prepared, config| convert(prepared, config, None, Correction::Bias),
};

/// Calibrated initial potentials.
pub static POTENTIAL: Method = Method {
    name: "rate_potential",
    summary: "as rate_plain, with the initial potential of each neuron calibrated layer by layer",
    reference: "Li et al. 2021, ICML, \"A free lunch from ANN\"",
    convert: |prepared, config| convert(prepared, config, None, Correction::Potential),
};

/// Signed spikes.
pub static SIGNED_SPIKES: Method = Method {
    name: "rate_signed",
    summary: "rate code whose neurons take back spikes that came too early",
    reference: "Wang et al. 2022, IJCAI, \"Signed neuron with memory\"",
    convert: |prepared, config| convert(prepared, config, Some(SIGNED), Correction::None),
};

/// Signed spikes, maxima by gates.
pub static SIGNED_GATE: Method = Method {
    name: "rate_signed_gate",
    summary: "as rate_signed, with maxima that pass the spikes of the input in the lead",
    reference: "Rueckauer et al. 2017, Front. Neurosci. 11:682, section 2.3.4",
    convert: |prepared, config| {
        let gate = Graded { pool: PoolRule::Gate, ..SIGNED };
        convert(prepared, config, Some(gate), Correction::None)
    },
};

/// Bursts.
pub static BURSTS: Method = Method {
    name: "rate_burst",
    summary: "rate code with up to four spikes in a step",
    reference: "Park et al. 2019, DAC",
    convert: |prepared, config| convert(prepared, config, Some(BURST), Correction::None),
};

/// The search.
pub static AUTO: Method = Method {
    name: "auto",
    summary: "the rate code with the fewest spikes that keeps the trained network's answers",
    reference: "search over threshold rules, corrections and scales on the calibration samples",
    convert: |prepared, config| search::auto(prepared, config),
};

/// Converts by one recipe with the thresholds of the rule as they are.
fn convert(
    prepared: &Prepared<'_>,
    config: &MethodConfig,
    graded: Option<Graded>,
    correction: Correction,
) -> Result<Conversion, MethodError> {
    super::check_rate_code("rate", config.code)?;
    let recipe = Recipe {
        rule: config.threshold,
        steps: config.steps,
        scale: 1.0,
        shares: Vec::new(),
        graded,
        correction,
        readout: Readout::Membrane,
    };
    check_windows(prepared, graded)?;
    let materials = match correction {
        Correction::None => Materials::empty(prepared),
        _ => Materials::new(prepared, "rate", MOST_SAMPLES)?,
    };
    let (scales, _) = calibrate(&materials, &recipe, &materials.corrected());
    Ok(finish(prepared, config, &scales, &recipe))
}

/// Refuses windows that are too large for maxima over bursts.
fn check_windows(prepared: &Prepared<'_>, graded: Option<Graded>) -> Result<(), MethodError> {
    let Some(graded) = graded else { return Ok(()) };
    for unit in &prepared.structure.units {
        let window = match (unit.kind, unit.branches.first().map(|branch| &branch.map)) {
            (UnitKind::MaxPool, Some(LinearMap::Convolution { geometry, .. })) => {
                geometry.kernel[0].saturating_mul(geometry.kernel[1])
            }
            _ => continue,
        };
        let most = graded.largest_window();
        if window > most {
            return Err(MethodError::Unit {
                method: "rate",
                unit: unit.name.clone(),
                reason: format!(
                    "a maximum over {window} signed or burst inputs; at most {most} can be told \
                     apart: convert with the method `rate_plain`, which has no such limit"
                ),
            });
        }
    }
    Ok(())
}

/// The description, with what the calibration has to say.
fn finish(
    prepared: &Prepared<'_>,
    config: &MethodConfig,
    scales: &[UnitScale],
    recipe: &Recipe,
) -> Conversion {
    let mut conversion =
        lower(prepared.name, prepared.structure, scales, config.code, form(recipe));
    let calibrated = prepared.structure.units.iter().zip(&prepared.calibration.units);
    for (layer, (unit, sample)) in conversion.layers.iter_mut().zip(calibrated) {
        if !matches!(unit.kind, UnitKind::Rectifier { .. }) {
            continue;
        }
        let channels = sample.channels.len();
        let dead: Vec<String> =
            (0..channels).filter(|&c| sample.is_dead(c)).map(|c| c.to_string()).collect();
        layer.dead_channels = dead.len();
        if !dead.is_empty() {
            conversion.notes.push(format!(
                "{}: {} of {channels} channels were silent on all {} calibration samples ({}); they \
                 have the layer's largest threshold, and spike where other samples drive them",
                layer.population,
                dead.len(),
                prepared.calibration.samples,
                shortened(&dead),
            ));
        }
    }
    conversion
}

/// At most ten names.
fn shortened(names: &[String]) -> String {
    match names.get(..10) {
        Some(first) if names.len() > 10 => format!("{}, …", first.join(", ")),
        _ => names.join(", "),
    }
}

fn form(recipe: &Recipe) -> NeuronForm {
    NeuronForm {
        spike: SpikeCondition::AtOrAbove,
        soft_reset: true,
        initial: 0.5,
        bias_waits: true,
        readout: recipe.readout,
        graded: recipe.graded,
    }
}
