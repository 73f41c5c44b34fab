//! Trained networks from files: what they would become, and what they become.

use crate::data::{Samples, Scaling};
use crate::error::Error;
use crate::lists::named;
use crate::memory;
use crate::model_io::npz::{self, NpzLimits};
use crate::network_files::unreadable;
use crate::pipeline::{accuracy, ann_classes, engine, evaluate, read_model};
use crate::progress::Progress;
use crate::snn_convert::ann::{AnnError, AnnGraph, Keep, map_batch};
use crate::snn_convert::coding::{CODES, InputCode, find_code};
use crate::snn_convert::convert::{ConvertError, Convertible};
use crate::snn_convert::declutter::{Plan, declutter};
use crate::snn_convert::fidelity::FidelityConfig;
use crate::snn_convert::lower::Conversion;
use crate::snn_convert::method::{METHODS, Method, MethodConfig, MethodError, find_method};
use crate::snn_convert::structure::structure;
use crate::snn_convert::threshold::{RULES, ThresholdRule, find_rule};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How a trained network is converted.
#[derive(Debug, Clone, PartialEq)]
pub struct ConvertConfig {
    /// Samples to calibrate on (npz).
    pub calibrate: PathBuf,
    /// How stored numbers become the network's input.
    pub scaling: Scaling,
    /// Name of the method; the first of the registry where none is given.
    pub method: Option<String>,
    /// Name of the threshold rule; the first of the registry where none is given.
    pub threshold: Option<String>,
    /// Name of the input code; the first that the method takes where none is given.
    pub code: Option<String>,
    /// Number of steps that thresholds and code are made for.
    pub steps: u32,
}

/// A converted network with where it comes from.
#[derive(Debug)]
pub struct ConvertedModel {
    /// The trained network.
    pub graph: AnnGraph,
    /// What became of every node.
    pub plan: Plan,
    /// The spiking network.
    pub conversion: Conversion,
    /// Method, threshold rule and code that were used.
    pub choices: [&'static str; 3],
}

/// What would become of every node of a model, without any data.
///
/// # Errors
/// [`Error`] naming the file and all nodes that cannot be converted.
pub fn plan(path: &Path) -> Result<Plan, Error> {
    let graph = read_model(path)?;
    let in_file = |error: ConvertError| Error::from(error).in_file(path);
    let decluttered = declutter(&graph).map_err(|error| in_file(error.into()))?;
    structure(&decluttered.graph).map_err(|error| in_file(error.into()))?;
    Ok(decluttered.plan)
}

/// Reads, calibrates and converts a model.
///
/// # Errors
/// [`Error`] naming the file that is wrong, or the name that is unknown.
pub fn convert(path: &Path, config: &ConvertConfig) -> Result<ConvertedModel, Error> {
    let method = match &config.method {
        Some(name) => {
            let names = METHODS.iter().map(|method| method.name);
            named("method", name, find_method(name), names)?
        }
        None => METHODS[0],
    };
    let threshold = match &config.threshold {
        Some(name) => {
            named("threshold rule", name, find_rule(name), RULES.iter().map(|rule| rule.name))?
        }
        None => RULES[0],
    };
    let codes = match &config.code {
        Some(name) => {
            vec![named("input code", name, find_code(name), CODES.iter().map(|c| c.name))?]
        }
        None => CODES.to_vec(),
    };
    let graph = read_model(path)?;
    let samples = samples_for(&graph, &config.calibrate, config.scaling)?;
    let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into());
    let convertible = Convertible::new(&name, &graph, &samples.values)
        .map_err(|error| Error::from(error).in_file(path))?;
    let choices = |code: &'static str| [method.name, threshold.name, code];
    let mut refused = None;
    for entry in codes {
        match convert_with(&convertible, method, threshold, entry.code, config.steps) {
            Ok(conversion) => {
                let plan = convertible.decluttered.plan;
                return Ok(ConvertedModel {
                    graph,
                    plan,
                    conversion,
                    choices: choices(entry.name),
                });
            }
            // The method wants another code.
            Err(error @ ConvertError::Method(MethodError::Code { .. })) => refused = Some(error),
            Err(error) => return Err(Error::from(error).in_file(path)),
        }
    }
    let none = || Error::Usage(format!("method `{}` takes none of the input codes", method.name));
    Err(refused.map_or_else(none, Error::from))
}

fn convert_with(
    convertible: &Convertible,
    method: &Method,
    threshold: &'static ThresholdRule,
    code: InputCode,
    steps: u32,
) -> Result<Conversion, ConvertError> {
    convertible.convert(method, &MethodConfig { threshold, code, steps })
}

/// Reads samples and checks that they fit the network.
///
/// # Errors
/// [`Error`] naming the file.
pub fn samples_for(graph: &AnnGraph, path: &Path, scaling: Scaling) -> Result<Samples, Error> {
    let samples = Samples::read(path, scaling)?;
    let (needed, shape) = (graph.input_shape().size(), graph.input_shape());
    if samples.size == needed {
        return Ok(samples);
    }
    let got = samples.size;
    let message = format!("a sample has {got} values; the network takes {needed} ({shape})");
    Err(Error::Usage(message).in_file(path))
}

/// How a conversion is tested.
#[derive(Debug, Clone, PartialEq)]
pub struct TestConfig {
    /// Samples that calibration has not seen, with labels (npz).
    pub test: PathBuf,
    /// How stored numbers become the network's input.
    pub scaling: Scaling,
    /// Numbers of steps at which the class is read, ascending.
    pub steps: Vec<u32>,
    /// Name of the engine.
    pub engine: String,
    /// At most so many samples.
    pub limit: Option<usize>,
    /// Seed of random input codes.
    pub seed: u64,
}

/// What a conversion does on test samples; accuracies in per cent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TestReport {
    /// Accuracy of the trained network; none without labels.
    pub ann_accuracy: Option<f64>,
    /// Accuracy of the spiking network by number of steps; none without labels.
    pub accuracy: Option<BTreeMap<u32, f64>>,
    /// Share of samples with the class of the trained network, by number of steps.
    pub agreement: BTreeMap<u32, f64>,
    /// Spikes per sample at the largest number of steps, input not counted.
    pub spikes_per_image: f64,
    /// Spikes per sample by number of steps.
    pub spikes_per_image_by_steps: BTreeMap<u32, f64>,
    /// Synaptic operations per sample at the largest number of steps.
    pub synaptic_operations_per_image: f64,
    /// Synaptic operations per sample by number of steps.
    pub synaptic_operations_per_image_by_steps: BTreeMap<u32, f64>,
    /// Largest distance of our evaluation of the trained network from the recorded `logits`.
    pub max_logit_difference: Option<f64>,
    /// Time per sample at the largest number of steps, all threads together working on it.
    pub milliseconds_per_image: f64,
    /// Samples shown.
    pub images: usize,
    /// Name of the engine.
    pub engine: &'static str,
}

/// Shows test samples to the trained and to the spiking network.
///
/// # Errors
/// [`Error`] naming the file that does not fit.
pub fn test(
    model: &ConvertedModel,
    config: &TestConfig,
    progress: &dyn Progress,
) -> Result<TestReport, Error> {
    let engine = engine(&config.engine)?;
    let all = samples_for(&model.graph, &config.test, config.scaling)?;
    let samples = match config.limit {
        Some(limit) => all.first(limit),
        None => all,
    };
    let ann = ann_classes(&model.graph, &samples)
        .map_err(|error| error.in_file(config.test.as_path()))?;
    let max_logit_difference = logit_difference(&model.graph, &samples, &config.test)?;
    let fidelity = FidelityConfig {
        steps: config.steps.clone(),
        seed: config.seed,
        compile: memory::available(),
    };
    let started = std::time::Instant::now();
    let evaluation = evaluate(&model.conversion, &samples, engine, &fidelity, progress)?;
    let elapsed = started.elapsed().as_secs_f64() * 1000.0;
    let summary = evaluation.summary;
    let by_steps = |values: &[f64]| -> BTreeMap<u32, f64> {
        config.steps.iter().copied().zip(values.iter().copied()).collect()
    };
    let agreement: Vec<f64> = (0..config.steps.len())
        .map(|at| {
            let classes: Vec<usize> = evaluation.runs.iter().map(|run| run.classes[at]).collect();
            accuracy(&classes, &ann)
        })
        .collect();
    let labelled = !samples.labels.is_empty();
    let last = |values: &[f64]| values.last().copied().unwrap_or(0.0);
    Ok(TestReport {
        ann_accuracy: labelled.then(|| accuracy(&ann, &samples.labels)),
        accuracy: labelled.then(|| by_steps(&summary.accuracy)),
        agreement: by_steps(&agreement),
        spikes_per_image: last(&summary.spikes),
        spikes_per_image_by_steps: by_steps(&summary.spikes),
        synaptic_operations_per_image: last(&summary.synaptic_operations),
        synaptic_operations_per_image_by_steps: by_steps(&summary.synaptic_operations),
        max_logit_difference,
        milliseconds_per_image: elapsed / samples.len().max(1) as f64,
        images: samples.len(),
        engine: engine.name,
    })
}

/// The largest distance to the array `logits` of the file; none where it has no such array.
fn logit_difference(
    graph: &AnnGraph,
    samples: &Samples,
    path: &Path,
) -> Result<Option<f64>, Error> {
    let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
    let mut arrays = npz::read_npz(&bytes, NpzLimits::default())
        .map_err(|error| Error::from(error).in_file(path))?;
    let Ok(logits) = npz::take(&mut arrays, "logits") else {
        return Ok(None);
    };
    let outputs = graph.node(graph.output()).shape.size();
    let recorded = logits.values.to_f64().unwrap_or_default();
    if recorded.len() < samples.len().saturating_mul(outputs)
        || logits.shape.last() != Some(&outputs)
    {
        let shape = &logits.shape;
        let message =
            format!("`logits` has the shape {shape:?}; the network gives {outputs} values");
        return Err(Error::Usage(message).in_file(path));
    }
    let differences = map_batch(graph, &samples.values, Keep::Outputs, |index, activations| {
        let recorded = &recorded[index * outputs..(index + 1) * outputs];
        let pairs = activations.output().iter().zip(recorded);
        pairs.map(|(&ours, &theirs)| (f64::from(ours) - theirs).abs()).fold(0.0, f64::max)
    });
    let differences: Result<Vec<f64>, AnnError> = differences;
    Ok(Some(differences?.into_iter().fold(0.0, f64::max)))
}
