//! Trained networks from files: what they would become, and what they become.

mod answer;
mod digest;
mod disagreement;
mod early_stop;
mod evaluate;
mod layers;
mod page;
pub mod plan;
mod plausible;
mod results;
mod show;
mod stage;
mod test_report;
mod test_samples;

pub use answer::Answer;
pub use disagreement::Disagreement;
pub use early_stop::EarlyStop;
pub use evaluate::{TestConfig, test};
pub use layers::LayerError;
pub use page::page;
pub use plan::{ConversionPlan, plan};
pub use results::ImageResult;
pub use stage::Stages;
pub use test_report::TestReport;

use crate::data::{Preparation, Samples, noise};
use crate::error::Error;
use crate::lists::named;
use crate::models::{LoadOptions, load_model};
use crate::progress::{Progress, Silent};
use crate::snn_convert::ann::{AnnGraph, Keep, map_batch};
use crate::snn_convert::coding::readout::{READOUTS, ReadoutEntry, find_readout, read_by};
use crate::snn_convert::coding::{CODES, CodeEntry, InputCode, find_code};
use crate::snn_convert::convert::{ConvertError, Convertible};
use crate::snn_convert::declutter::declutter;
use crate::snn_convert::lower::Conversion;
use crate::snn_convert::method::{AUTO, METHODS, Method, MethodConfig, MethodError, find_method};
use crate::snn_convert::threshold::{RULES, ThresholdRule, find_rule};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Samples of noise that stand in where no calibration samples are given.
const NOISE_SAMPLES: usize = 100;

/// How a trained network is converted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ConvertConfig {
    /// Samples to calibrate on; noise without.
    pub calibrate: Option<PathBuf>,
    /// How stored numbers become the network's input.
    pub preparation: Preparation,
    /// Name of the method; the first of the registry where none is given.
    pub method: Option<String>,
    /// Name of the threshold rule; the first of the registry where none is given.
    pub threshold: Option<String>,
    /// Name of the input code; the first that the method takes where none is given.
    pub code: Option<String>,
    /// Name of the read-out; the method's own where none is given.
    pub readout: Option<String>,
    /// Number of steps that thresholds and code are made for.
    pub steps: u32,
    /// Accuracy on the calibration samples, in per cent, that a method that searches must reach; it
    /// chooses the number of steps then.
    pub accuracy: Option<f64>,
    /// Everything up to and with this node stays float.
    pub float_front: Option<String>,
    /// Everything from this node on stays float.
    pub float_head: Option<String>,
    /// What the file alone does not say about its network.
    pub load: LoadOptions,
}

/// A converted network with where it comes from.
pub struct ConvertedModel {
    /// The trained network.
    pub graph: AnnGraph,
    /// The trained network in parts, of which one became spikes.
    pub stages: Stages,
    /// What became of every node.
    pub plan: ConversionPlan,
    /// The spiking network.
    pub conversion: Conversion,
    /// Method, threshold rule and code that were used.
    pub choices: [&'static str; 3],
    /// What the user should know about the result.
    pub warnings: Vec<String>,
    /// The file and everything that was chosen, for results that are kept.
    key: u64,
    convertible: Convertible,
    method: &'static Method,
    threshold: &'static ThresholdRule,
    code: InputCode,
    readout: Option<ReadoutEntry>,
    /// Smallest and largest score on the calibration samples.
    scores: [f64; 2],
    steps: u32,
}

impl ConvertedModel {
    /// The number of steps that the conversion is made for: what was asked for, or what a search
    /// chose.
    pub fn made_for_steps(&self) -> u32 {
        let chosen = self.conversion.candidates.iter().find(|candidate| candidate.chosen);
        chosen.map_or(self.steps, |candidate| candidate.steps)
    }

    /// The same conversion, made for another number of steps.
    ///
    /// # Errors
    /// [`Error::Convert`], where the method has no network for it.
    pub fn made_for(&self, steps: u32) -> Result<Conversion, Error> {
        if steps == self.steps {
            return Ok(self.conversion.clone());
        }
        let config = MethodConfig::new(self.threshold, self.code, steps);
        let conversion = self.convertible.convert(self.method, &config)?;
        read_as(conversion, self.readout, self.scores)
    }
}

/// What was asked for by name.
struct Choice {
    method: &'static Method,
    threshold: &'static ThresholdRule,
    codes: Vec<CodeEntry>,
    readout: Option<ReadoutEntry>,
}

fn choose(config: &ConvertConfig) -> Result<Choice, Error> {
    let method = match &config.method {
        Some(name) => {
            let names = METHODS.iter().map(|method| method.name);
            named("method", name, find_method(name), names)?
        }
        None if config.accuracy.is_some() => AUTO,
        None => METHODS[0],
    };
    check_accuracy(config.accuracy, method)?;
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
    let readout = match &config.readout {
        Some(name) => {
            let names = READOUTS.iter().map(|entry| entry.name);
            Some(named("read-out", name, find_readout(name), names)?)
        }
        None => None,
    };
    Ok(Choice { method, threshold, codes, readout })
}

/// Only a search can reach an accuracy that is asked for.
fn check_accuracy(accuracy: Option<f64>, method: &Method) -> Result<(), Error> {
    let Some(accuracy) = accuracy else { return Ok(()) };
    if !(0.0..=100.0).contains(&accuracy) {
        let message = format!("--target-accuracy {accuracy}: give per cent, from 0 to 100");
        return Err(Error::Usage(message));
    }
    if method.name != AUTO.name {
        return Err(Error::Usage(format!(
            "--target-accuracy is for the method `auto`, which searches for it; `{}` makes one \
             network for the number of steps that --made-for says",
            method.name
        )));
    }
    Ok(())
}

/// Gives a conversion the read-out that was asked for.
fn read_as(
    conversion: Conversion,
    readout: Option<ReadoutEntry>,
    scores: [f64; 2],
) -> Result<Conversion, Error> {
    match readout {
        Some(entry) => read_by(conversion, entry.readout, scores)
            .map_err(|error| Error::Usage(error.to_string())),
        None => Ok(conversion),
    }
}

/// The smallest and the largest score on some samples, before a softmax or sigmoid at the end: what a
/// spiking network reads out.
fn score_range(graph: &AnnGraph, values: &[f32]) -> Result<[f64; 2], Error> {
    let graph = declutter(graph)?.graph;
    let ranges = map_batch(&graph, values, Keep::Outputs, |_, activations| {
        let start = [f64::INFINITY, f64::NEG_INFINITY];
        activations.output().iter().fold(start, |[low, high], &score| {
            [low.min(f64::from(score)), high.max(f64::from(score))]
        })
    })?;
    let start = [f64::INFINITY, f64::NEG_INFINITY];
    Ok(ranges.iter().fold(start, |all, own| [all[0].min(own[0]), all[1].max(own[1])]))
}

/// Tells `progress` how far the search of a method is.
struct Searching<'a> {
    progress: &'a dyn Progress,
    told: Mutex<Option<usize>>,
}

impl Searching<'_> {
    fn tell(&self, done: usize, total: usize) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let before = told.unwrap_or_else(|| {
            self.progress.begin("searching", total as u64);
            0
        });
        (before..done).for_each(|_| self.progress.advance());
        *told = Some(before.max(done));
    }

    fn end(self) {
        if self.told.into_inner().unwrap_or_else(PoisonError::into_inner).is_some() {
            self.progress.end();
        }
    }
}

/// Reads, calibrates and converts a model.
///
/// # Errors
/// As [`convert_watched`].
pub fn convert(path: &Path, config: &ConvertConfig) -> Result<ConvertedModel, Error> {
    convert_watched(path, config, &Silent)
}

/// Reads, calibrates and converts a model; a search tells `progress` how far it is.
///
/// # Errors
/// [`Error`] naming the file that is wrong, or the name that is unknown.
pub fn convert_watched(
    path: &Path,
    config: &ConvertConfig,
    progress: &dyn Progress,
) -> Result<ConvertedModel, Error> {
    let Choice { method, threshold, codes, readout } = choose(config)?;
    let graph = load_model(path, &config.load)?;
    let (front, head) = (config.float_front.as_deref(), config.float_head.as_deref());
    let stages = Stages::cut(graph.clone(), front, head)?;
    let mut warnings = Vec::new();
    let samples = match &config.calibrate {
        Some(file) => {
            let samples = samples_for(&graph, file, None, &config.preparation)?;
            warnings.extend(plausible::of_range(&samples.values, &config.preparation));
            samples
        }
        None => {
            warnings.push(noise::WARNING.to_string());
            noise::samples(graph.input_shape().extents(), NOISE_SAMPLES, 1)
        }
    };
    let in_file = |error: Error| error.in_file(path);
    let plan = plan::of_stages(&stages).map_err(in_file)?;
    let values = stages.core_input(&samples.values)?;
    let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into());
    let convertible = Convertible::new(&name, &stages.core, &values)
        .and_then(|convertible| convertible.with_head(stages.head.as_ref()))
        .map_err(|error| in_file(Error::from(error)))?
        .with_labels(&samples.labels);
    let scores = score_range(&stages.core, &values)?;
    let key = digest::of_conversion(path, config, &samples)?;
    let mut refused = None;
    for entry in codes {
        let own = MethodConfig {
            accuracy: config.accuracy,
            ..MethodConfig::new(threshold, entry.code, config.steps)
        };
        let searching = Searching { progress, told: Mutex::new(None) };
        let result =
            convertible.convert_watched(method, &own, &|done, total| searching.tell(done, total));
        searching.end();
        match result {
            Ok(conversion) => {
                let choices = [method.name, threshold.name, entry.name];
                let code = entry.code;
                let conversion = read_as(conversion, readout, scores)?;
                return Ok(ConvertedModel {
                    graph,
                    stages,
                    plan,
                    conversion,
                    choices,
                    warnings,
                    key,
                    convertible,
                    method,
                    threshold,
                    code,
                    readout,
                    scores,
                    steps: config.steps,
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

/// Reads samples, with labels from a file of their own if one is given, and makes them the network's
/// input.
///
/// # Errors
/// [`Error`] naming the file; both shapes where they do not fit.
pub fn samples_for(
    graph: &AnnGraph,
    path: &Path,
    labels: Option<&Path>,
    preparation: &Preparation,
) -> Result<Samples, Error> {
    let input = graph.input_shape();
    let channels = input.picture().map(|[channels, _, _]| channels);
    let samples = Samples::read_with(path, labels, channels, preparation.scaling)?;
    let fitted = samples.fit(input.extents(), preparation);
    fitted.map_err(|error| Error::from(error).in_file(path))
}
