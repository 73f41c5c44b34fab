//! What a conversion keeps: test samples shown to the trained and to the spiking network.

use super::ConvertedModel;
use super::digest::Digest;
use super::layers::layer_errors;
use super::plausible;
use super::results::ResultsFile;
use super::show::{Show, Variant, Work};
use super::test_report::{Findings, TestReport};
use super::test_samples::TestSamples;
use crate::data::Preparation;
use crate::error::Error;
use crate::pipeline::engine;
use crate::progress::Progress;
use crate::sim_core::engine::EngineEntry;
use crate::snn_convert::lower::Timing;
use crate::snn_convert::method::MethodError;
use std::path::PathBuf;

/// How a conversion is tested.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TestConfig {
    /// Samples that calibration has not seen, with labels; noise without.
    pub test: Option<PathBuf>,
    /// Labels from a file of their own.
    pub labels: Option<PathBuf>,
    /// How stored numbers become the network's input.
    pub preparation: Preparation,
    /// Numbers of steps (phases, slots) at which the class is read, ascending.
    pub steps: Vec<u32>,
    /// Name of the engine; the one that suits the method where none is given.
    pub engine: Option<String>,
    /// At most so many samples.
    pub limit: Option<usize>,
    /// Seed of random input codes.
    pub seed: u64,
    /// Stop an image at the first number of steps at which the best score a step leads by this much.
    pub early_stop: Option<f64>,
    /// File in which the result of every image is kept.
    pub results: Option<PathBuf>,
    /// Whether to go on with that file.
    pub resume: bool,
    /// Images whose activations are compared layer by layer.
    pub layer_images: usize,
}

/// Shows test samples to the trained and to the spiking network; `stop` is asked between batches.
///
/// Samples are read as they are needed, so that memory does not grow with their number.
///
/// # Errors
/// [`Error`] naming the file that does not fit.
pub fn test(
    model: &ConvertedModel,
    config: &TestConfig,
    progress: &dyn Progress,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<TestReport, Error> {
    let mut warnings = Vec::new();
    let mut samples = TestSamples::open(model, config, &mut warnings)?;
    let variants = variants(model, &config.steps, &mut warnings)?;
    let engine = engine_for(&variants, config)?;
    if model.stages.head.is_some() && !model.conversion.readout.gives_scores() {
        let message = "a float head needs scores, but this method counts spikes: choose another \
                       method, or leave --float-head out";
        return Err(Error::Usage(message.to_string()));
    }
    let steps: Vec<u32> = variants.iter().flat_map(|variant| variant.steps.clone()).collect();
    let key = || key(model, config, engine, samples.len());
    let fallback = |key: u64| PathBuf::from(format!("spikeloom-{key:016x}.results.jsonl"));
    let (path, key) = match (&config.results, config.resume) {
        (Some(path), _) => (Some(path.clone()), Some(key()?)),
        (None, true) => {
            let key = key()?;
            (Some(fallback(key)), Some(key))
        }
        (None, false) => (None, None),
    };
    let (mut file, done) = match path.as_ref().zip(key) {
        Some((path, key)) => {
            let (file, done) = ResultsFile::open(path, key, &steps, config.resume)?;
            (Some(file), done)
        }
        None => (None, Vec::new()),
    };
    let show = Show { model, engine, seed: config.seed, variants: &variants };
    let mut work = Work { results: done, ..Work::default() };
    work.results.truncate(samples.len());
    show.all(&mut samples, &mut work, file.as_mut(), progress, stop)?;
    let stopped = work.results.len() < samples.len();
    let mut kept = path;
    if stopped && kept.is_none() && !work.results.is_empty() {
        let key = self::key(model, config, engine, samples.len())?;
        let path = fallback(key);
        let (mut file, _) = ResultsFile::open(&path, key, &steps, path.exists())?;
        file.append(&work.results)?;
        kept = Some(path);
    }
    let compared = variants.last().filter(|_| !stopped && config.layer_images > 0);
    let layer_errors = match compared {
        None => Vec::new(),
        Some(variant) => {
            let images =
                TestSamples::open(model, config, &mut Vec::new())?.take(config.layer_images)?;
            let input = model.stages.core_input(&images.values)?;
            layer_errors(&model.convertible, &variant.conversion, &input, steps.last().copied())?
        }
    };
    let findings = Findings {
        images_wanted: samples.len(),
        labelled: samples.are_labelled(),
        ann_macs_per_image: model.plan.macs,
        max_logit_difference: work.logit_difference,
        milliseconds_per_image: work.elapsed.as_secs_f64() * 1000.0 / work.shown.max(1) as f64,
        results: work.results,
        early_stop: config.early_stop,
        engine: engine.name,
        steps,
        layer_errors,
        kept,
        warnings,
    };
    let mut report = findings.report();
    report.warnings.extend(plausible::of_report(
        &report,
        samples.classes(),
        samples.largest_logit(),
    ));
    Ok(report)
}

/// The engine that was asked for, or the one that suits the method.
fn engine_for(variants: &[Variant], config: &TestConfig) -> Result<EngineEntry, Error> {
    let continuous = variants
        .iter()
        .any(|variant| matches!(variant.conversion.timing, Timing::Once { continuous: true, .. }));
    let suits = if continuous { "event" } else { "clock" };
    engine(config.engine.as_deref().unwrap_or(suits))
}

/// What results belong to: the conversion, the samples as they are stored, and how they are shown.
fn key(
    model: &ConvertedModel,
    config: &TestConfig,
    engine: EngineEntry,
    samples: usize,
) -> Result<u64, Error> {
    let shown = (config.seed, engine.name, model.choices, &config.preparation, samples);
    let mut digest =
        Digest::new().add(&model.key.to_le_bytes()).add(format!("{shown:?}").as_bytes());
    for path in config.test.iter().chain(&config.labels) {
        digest = digest.add_contents(path)?;
    }
    Ok(digest.value())
}

/// One network for all numbers of steps, or one each where layers take turns.
fn variants(
    model: &ConvertedModel,
    steps: &[u32],
    warnings: &mut Vec<String>,
) -> Result<Vec<Variant>, Error> {
    match model.conversion.timing {
        Timing::AnyStep => {
            let conversion = model.conversion.clone();
            return Ok(vec![Variant { steps: steps.to_vec(), conversion }]);
        }
        Timing::Once { continuous: true, code_steps, .. } => {
            let conversion = model.conversion.clone();
            return Ok(vec![Variant { steps: vec![code_steps], conversion }]);
        }
        Timing::Once { .. } => {}
    }
    let mut variants = Vec::new();
    let mut refused = None;
    for &steps in steps {
        match model.made_for(steps) {
            Ok(conversion) => variants.push(Variant { steps: vec![steps], conversion }),
            Err(error) => match &error {
                Error::Convert(convert) if is_about_steps(convert) => {
                    warnings.push(format!("{steps} steps are left out: {error}"));
                    refused = Some(error);
                }
                _ => return Err(error),
            },
        }
    }
    match refused {
        Some(error) if variants.is_empty() => Err(error),
        _ => Ok(variants),
    }
}

fn is_about_steps(error: &crate::snn_convert::convert::ConvertError) -> bool {
    use crate::snn_convert::convert::ConvertError;
    matches!(error, ConvertError::Method(MethodError::Steps { .. }))
}
