//! A trained network in a chip's integers: errors of every layer, and accuracy by weight bits.
//!
//! The network is converted for hard reset once, then quantised under each rule and number of bits
//! that is asked for; every variant runs on the fixed-point engine. What the integers cost is told
//! apart from what the conversion costs: the same network runs in float, too.

mod calibrate;

pub use calibrate::{CALIBRATION_IMAGES, Calibrated, LayerGap};

use crate::conversion::{Answer, ConvertConfig, ConvertedModel, convert, samples_for};
use crate::data::{Samples, check_labels};
use crate::error::Error;
use crate::exports::{chip_network, is_trained_network};
use crate::fixed_point::{FixedPointRun, FixedPointRunner};
use crate::loihi_export::chip::ChipSpec;
use crate::loihi_export::emulator::Overflow;
use crate::loihi_export::quantise::float_to_fixed::LayerError;
use crate::loihi_export::quantise::layer::Granularity;
use crate::loihi_export::quantise::network::QuantisedNetwork;
use crate::loihi_export::quantise::scale::ScaleRule;
use crate::loihi_export::quantise::{QuantiseConfig, quantise};
use crate::memory;
use crate::pipeline::{accuracy, ann_classes, engine, evaluate};
use crate::progress::Progress;
use crate::sim_core::network::ValidNetwork;
use crate::snn_convert::fidelity::FidelityConfig;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// The input code that the fixed-point engine plays.
const CODE: &str = "deterministic_rate";
/// The method whose networks keep the chip's rules.
const METHOD: &str = "hard_reset";

/// What is quantised, and how often.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyConfig {
    /// How the trained network is converted; its steps are those of a sample.
    pub conversion: ConvertConfig,
    /// Samples that calibration has not seen, with labels.
    pub test: Option<PathBuf>,
    /// Labels from a file of their own.
    pub labels: Option<PathBuf>,
    /// At most so many test samples.
    pub limit: Option<usize>,
    /// Rules by which scales are chosen, with their names.
    pub scales: Vec<(String, ScaleRule)>,
    /// What has a scale of its own.
    pub granularities: Vec<Granularity>,
    /// Bits of a weight.
    pub weight_bits: Vec<u8>,
    /// Whether thresholds and biases are calibrated against the float network.
    pub calibrate: bool,
}

impl StudyConfig {
    /// Whether one way of quantising is asked for.
    fn is_single(&self) -> bool {
        self.scales.len() * self.granularities.len() * self.weight_bits.len() == 1
    }
}

/// A network in integers, and what it does.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Variant {
    /// Rule of its scales.
    pub scale: String,
    /// What has a scale of its own.
    pub granularity: Granularity,
    /// Bits of a weight.
    pub weight_bits: u8,
    /// Errors of every layer, in units of the real numbers.
    pub layers: Vec<LayerError>,
    /// What calibration changed, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibrated: Option<Calibrated>,
    /// Accuracy on the test samples in per cent; none without labels.
    pub accuracy: Option<f64>,
    /// Share of test samples with the class of the trained network, in per cent.
    pub agreement: Option<f64>,
    /// Spikes of a sample, the input's not counted.
    pub spikes_per_sample: Option<f64>,
    /// Wraps and clips of all test samples together.
    pub overflows: Option<u64>,
    /// The same by place, each with the step and neuron of its first in the first such sample.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overflow_places: Vec<Overflow>,
    /// Why there is no such network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// Everything that was found out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Study {
    /// Name of the network.
    pub network: String,
    /// Name of the chip.
    pub chip: String,
    /// Steps of a sample; none for a network description.
    pub steps: Option<u32>,
    /// Accuracy of the trained network in per cent.
    pub ann_accuracy: Option<f64>,
    /// Accuracy of the hard-reset network in float.
    pub float_accuracy: Option<f64>,
    /// Test samples.
    pub images: usize,
    /// One entry a rule, granularity and number of bits.
    pub variants: Vec<Variant>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// The trained network's side of a study.
struct Trained {
    model: ConvertedModel,
    calibration: Option<Samples>,
    test: Option<Samples>,
    classes: Vec<usize>,
}

/// Quantises a trained network in all the ways asked for, and runs each on the test samples.
///
/// # Errors
/// [`Error`] naming the file that does not fit; variants that have no integers are part of the study.
pub fn study(
    path: &Path,
    chip: &ChipSpec,
    config: &StudyConfig,
    progress: &dyn Progress,
) -> Result<Study, Error> {
    if !is_trained_network(path)? {
        return described(path, chip, config);
    }
    let trained = read(path, config)?;
    let valid = trained.model.conversion.network.validate()?;
    let steps = config.conversion.steps;
    let mut warnings = trained.model.warnings.clone();
    let ann_accuracy = trained.test.as_ref().map(|test| accuracy(&trained.classes, &test.labels));
    let float_accuracy = match &trained.test {
        Some(test) => Some(in_float(&trained.model, test, steps, progress)?),
        None => {
            let message = "no test samples were given, so that only the layers' errors are told; \
                           give --test";
            warnings.push(message.to_string());
            None
        }
    };
    let mut variants = Vec::new();
    for (name, rule) in &config.scales {
        for &granularity in &config.granularities {
            for &weight_bits in &config.weight_bits {
                let how = QuantiseConfig { scale: *rule, granularity, weight_bits };
                let empty = empty(name, &how);
                variants.push(variant(&trained, &valid, chip, config, (how, empty), progress)?);
            }
        }
    }
    Ok(Study {
        network: valid.name().to_string(),
        chip: chip.name.clone(),
        steps: Some(steps),
        ann_accuracy,
        float_accuracy,
        images: trained.test.as_ref().map_or(0, Samples::len),
        variants,
        warnings,
    })
}

/// A variant of which nothing is known yet.
fn empty(scale: &str, how: &QuantiseConfig) -> Variant {
    Variant {
        scale: scale.to_string(),
        granularity: how.granularity,
        weight_bits: how.weight_bits,
        layers: Vec::new(),
        calibrated: None,
        accuracy: None,
        agreement: None,
        spikes_per_sample: None,
        overflows: None,
        overflow_places: Vec::new(),
        refused: None,
    }
}

/// A network description in all the ways asked for: the errors of its populations.
fn described(path: &Path, chip: &ChipSpec, config: &StudyConfig) -> Result<Study, Error> {
    let samples = [&config.test, &config.conversion.calibrate];
    if samples.into_iter().any(Option::is_some) {
        return Err(Error::Usage(format!(
            "{} is a network description: --test and --calibrate are for trained networks",
            path.display()
        )));
    }
    let valid = chip_network(path, None)?;
    let (mut variants, mut warnings) = (Vec::new(), Vec::new());
    for (name, rule) in &config.scales {
        for &granularity in &config.granularities {
            for &weight_bits in &config.weight_bits {
                let how = QuantiseConfig { scale: *rule, granularity, weight_bits };
                let mut variant = empty(name, &how);
                match quantise(&valid, chip, &how) {
                    Ok(quantised) => {
                        variant.layers = quantised.errors;
                        warnings.extend(quantised.notes);
                    }
                    // One way that is asked for alone is what the user wants to know about.
                    Err(error) if config.is_single() => return Err(error.into()),
                    Err(error) => variant.refused = Some(error.to_string()),
                }
                variants.push(variant);
            }
        }
    }
    warnings.dedup();
    Ok(Study {
        network: valid.name().to_string(),
        chip: chip.name.clone(),
        steps: None,
        ann_accuracy: None,
        float_accuracy: None,
        images: 0,
        variants,
        warnings,
    })
}

fn read(path: &Path, config: &StudyConfig) -> Result<Trained, Error> {
    let mut conversion = config.conversion.clone();
    conversion.method.get_or_insert_with(|| METHOD.to_string());
    conversion.code.get_or_insert_with(|| CODE.to_string());
    let model = convert(path, &conversion)?;
    if model.choices[2] != CODE {
        return Err(Error::Usage(format!(
            "the fixed-point engine plays the input code `{CODE}`, not `{}`: leave --code out",
            model.choices[2]
        )));
    }
    let preparation = &config.conversion.preparation;
    let samples = |file: &PathBuf, labels: Option<&Path>| {
        samples_for(&model.graph, file, labels, preparation)
    };
    let calibration =
        config.conversion.calibrate.as_ref().map(|file| samples(file, None)).transpose()?;
    let test = config.test.as_ref().map(|file| -> Result<Samples, Error> {
        let all = samples(file, config.labels.as_deref())?;
        let classes = Answer::of(&model.graph).classes();
        check_labels(&all.labels, classes).map_err(|error| Error::from(error).in_file(file))?;
        Ok(config.limit.map_or_else(|| all.clone(), |limit| all.first(limit)))
    });
    let test = test.transpose()?;
    let classes = match &test {
        Some(test) => ann_classes(&model.graph, test)?,
        None => Vec::new(),
    };
    Ok(Trained { model, calibration, test, classes })
}

/// Accuracy of the converted network before its numbers are rounded.
fn in_float(
    model: &ConvertedModel,
    test: &Samples,
    steps: u32,
    progress: &dyn Progress,
) -> Result<f64, Error> {
    let fidelity = FidelityConfig { steps: vec![steps], seed: 1, compile: memory::available() };
    let float = evaluate(&model.conversion, test, engine("clock")?, &fidelity, progress)?;
    Ok(float.summary.accuracy.last().copied().unwrap_or_default())
}

fn variant(
    trained: &Trained,
    valid: &ValidNetwork,
    chip: &ChipSpec,
    config: &StudyConfig,
    (how, mut variant): (QuantiseConfig, Variant),
    progress: &dyn Progress,
) -> Result<Variant, Error> {
    let mut quantised = match quantise(valid, chip, &how) {
        Ok(quantised) => quantised,
        Err(error) => {
            variant.refused = Some(error.to_string());
            return Ok(variant);
        }
    };
    variant.layers = std::mem::take(&mut quantised.errors);
    let steps = config.conversion.steps;
    if let (true, Some(samples)) = (config.calibrate, &trained.calibration) {
        let conversion = &trained.model.conversion;
        let calibrated =
            calibrate::calibrate(conversion, &mut quantised.network, chip, samples, steps)?;
        variant.calibrated = Some(calibrated);
    }
    if let Some(test) = &trained.test {
        let runs = runs(&quantised.network, chip, test, steps, progress)?;
        let classes: Vec<usize> = runs.iter().map(|run| run.class).collect();
        let spikes: u64 = runs.iter().map(|run| run.spikes).sum();
        variant.accuracy = Some(accuracy(&classes, &test.labels));
        variant.agreement = Some(accuracy(&classes, &trained.classes));
        variant.spikes_per_sample = Some(spikes as f64 / runs.len().max(1) as f64);
        variant.overflows = Some(runs.iter().map(|run| run.overflows).sum());
        variant.overflow_places = by_place(&runs);
    }
    Ok(variant)
}

/// Overflows of all samples, added up by place, variable and kind.
fn by_place(runs: &[FixedPointRun]) -> Vec<Overflow> {
    let mut places: Vec<Overflow> = Vec::new();
    for overflow in runs.iter().flat_map(|run| &run.overflow_report.overflows) {
        let same = |other: &&mut Overflow| {
            (&other.place, other.variable, other.kind)
                == (&overflow.place, overflow.variable, overflow.kind)
        };
        match places.iter_mut().find(same) {
            Some(known) => known.count += overflow.count,
            None => places.push(overflow.clone()),
        }
    }
    places
}

fn runs(
    network: &QuantisedNetwork,
    chip: &ChipSpec,
    test: &Samples,
    steps: u32,
    progress: &dyn Progress,
) -> Result<Vec<FixedPointRun>, Error> {
    FixedPointRunner::new(network, chip, steps)?.run(test, progress)
}
