//! What a conversion keeps: test samples shown to the trained and to the spiking network.

use super::digest::Digest;
use super::disagreement::{Disagreement, disagreements};
use super::early_stop::{EarlyStop, early_stop};
use super::layers::{LayerError, layer_errors};
use super::results::{ImageResult, ResultsFile};
use super::{ConvertedModel, Stages, samples_for};
use crate::data::{Preparation, Samples, noise};
use crate::error::Error;
use crate::memory;
use crate::model_io::npz::{self, NpzLimits};
use crate::network_files::unreadable;
use crate::pipeline::engine;
use crate::progress::Progress;
use crate::sim_core::engine::EngineEntry;
use crate::snn_convert::ann::{Keep, map_batch};
use crate::snn_convert::fidelity::{FidelityConfig, Presenter, SampleRun, largest, wilson};
use crate::snn_convert::lower::{Conversion, Readout, Timing};
use crate::snn_convert::method::MethodError;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

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

/// What a conversion does on test samples; accuracies in per cent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TestReport {
    /// Accuracy of the trained network; none without labels.
    pub ann_accuracy: Option<f64>,
    /// Its 95 % confidence interval (Wilson).
    pub ann_accuracy_interval: Option<[f64; 2]>,
    /// Accuracy of the spiking network by number of steps; none without labels.
    pub accuracy: Option<BTreeMap<u32, f64>>,
    /// 95 % confidence intervals (Wilson).
    pub accuracy_interval: Option<BTreeMap<u32, [f64; 2]>>,
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
    /// Multiplications and additions of the trained network per sample.
    pub ann_macs_per_image: u64,
    /// Largest distance of our evaluation of the trained network from the recorded `logits`.
    pub max_logit_difference: Option<f64>,
    /// Time per sample at the largest number of steps, all threads together working on it.
    pub milliseconds_per_image: f64,
    /// With early stop: what it gives.
    pub early_stop: Option<EarlyStop>,
    /// Errors of the layers' activations, where the code has one activation a layer.
    pub layer_errors: Vec<LayerError>,
    /// Images on which the classes differ at the largest number of steps (at most 500 are listed).
    pub disagreements: Vec<Disagreement>,
    /// Their number.
    pub disagreement_count: usize,
    /// Samples shown.
    pub images: usize,
    /// Samples that were asked for; more than were shown where the work was stopped.
    pub images_wanted: usize,
    /// Name of the engine.
    pub engine: &'static str,
    /// The file of results that the work can go on with, where there is one.
    pub results: Option<PathBuf>,
    /// What the user should know about the numbers.
    pub warnings: Vec<String>,
}

/// A network with the numbers of steps that it answers for.
struct Variant {
    steps: Vec<u32>,
    conversion: Conversion,
}

/// Shows test samples to the trained and to the spiking network; `stop` is asked between batches.
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
    let samples = test_samples(model, config, &mut warnings)?;
    let variants = variants(model, &config.steps, &mut warnings)?;
    let continuous = variants
        .iter()
        .any(|variant| matches!(variant.conversion.timing, Timing::Once { continuous: true, .. }));
    let suits = if continuous { "event" } else { "clock" };
    let engine = engine(config.engine.as_deref().unwrap_or(suits))?;
    if model.stages.head.is_some() && model.conversion.readout != Readout::Membrane {
        let message = "a float head needs scores, but this method counts spikes: choose another \
                       method, or leave --float-head out";
        return Err(Error::Usage(message.to_string()));
    }
    let steps: Vec<u32> = variants.iter().flat_map(|variant| variant.steps.clone()).collect();
    let key = Digest::new()
        .add(&model.key.to_le_bytes())
        .add_samples(&samples)
        .add(format!("{:?} {} {:?}", config.seed, engine.name, model.choices).as_bytes())
        .value();
    let fallback = || PathBuf::from(format!("spikeloom-{key:016x}.results.jsonl"));
    let path = match (&config.results, config.resume) {
        (Some(path), _) => Some(path.clone()),
        (None, true) => Some(fallback()),
        (None, false) => None,
    };
    let (mut file, done) = match &path {
        Some(path) => {
            let (file, done) = ResultsFile::open(path, key, &steps, config.resume)?;
            (Some(file), done)
        }
        None => (None, Vec::new()),
    };
    let show = Show { model, engine, seed: config.seed, variants: &variants };
    let logits = recorded_logits(model, config, samples.len())?;
    let mut work = Work { results: done, ..Work::default() };
    work.results.truncate(samples.len());
    show.all(&samples, logits.as_ref(), &mut work, file.as_mut(), progress, stop)?;
    let stopped = work.results.len() < samples.len();
    let mut kept = path;
    if stopped && kept.is_none() && !work.results.is_empty() {
        let path = fallback();
        let (mut file, _) = ResultsFile::open(&path, key, &steps, path.exists())?;
        file.append(&work.results)?;
        kept = Some(path);
    }
    let layer_errors = match stopped {
        true => Vec::new(),
        false => {
            let last = variants.last().map(|variant| &variant.conversion);
            last.map_or(Ok(Vec::new()), |conversion| {
                let images = samples.first(config.layer_images);
                let input = model.stages.core_input(&images.values)?;
                layer_errors(&model.convertible, conversion, &input, steps.last().copied())
            })?
        }
    };
    Ok(report(model, config, &steps, &work, Rest { samples, engine, layer_errors, kept, warnings }))
}

fn test_samples(
    model: &ConvertedModel,
    config: &TestConfig,
    warnings: &mut Vec<String>,
) -> Result<Samples, Error> {
    let classes = model.graph.node(model.graph.output()).shape.size();
    let Some(path) = &config.test else {
        warnings.push(
            "no test samples were given: noise is shown, so that only agreement with the \
                       trained network means something; give --test"
                .to_string(),
        );
        let count = config.limit.unwrap_or(100).min(1000);
        return Ok(noise::samples(model.graph.input_shape().extents(), count, 2));
    };
    let all = samples_for(&model.graph, path, config.labels.as_deref(), &config.preparation)?;
    all.check_labels(classes).map_err(|error| Error::from(error).in_file(path))?;
    Ok(match config.limit {
        Some(limit) => all.first(limit),
        None => all,
    })
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

/// What grows while images are shown.
#[derive(Default)]
struct Work {
    results: Vec<ImageResult>,
    logit_difference: Option<f64>,
    /// Time that the last network took, and for how many images.
    elapsed: Duration,
    shown: usize,
}

/// What does not change while images are shown.
struct Show<'a> {
    model: &'a ConvertedModel,
    engine: EngineEntry,
    seed: u64,
    variants: &'a [Variant],
}

impl Show<'_> {
    fn all(
        &self,
        samples: &Samples,
        logits: Option<&Vec<f64>>,
        work: &mut Work,
        mut file: Option<&mut ResultsFile>,
        progress: &dyn Progress,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<(), Error> {
        let mut presenters = Vec::new();
        for variant in self.variants {
            let steps = variant.steps.clone();
            let config = FidelityConfig { steps, seed: self.seed, compile: memory::available() };
            presenters.push(Presenter::counting(&variant.conversion, config)?);
        }
        let left = samples.len().saturating_sub(work.results.len());
        progress.begin(&format!("{} engine", self.engine.name), (left * presenters.len()) as u64);
        // Batches grow until one takes about half a second: short enough to stop between them.
        let mut batch = 16;
        while work.results.len() < samples.len() && !stop() {
            let started = Instant::now();
            let first = work.results.len();
            let images = samples.select(first..(first + batch).min(samples.len()));
            let own = logits.map(|logits| {
                let outputs = logits.len() / samples.len().max(1);
                &logits[first * outputs..(first + images.len()) * outputs]
            });
            let shown = self.batch(first, &images, own, &presenters, work, progress);
            let results = shown.inspect_err(|_| progress.end())?;
            if let Some(file) = &mut file {
                file.append(&results)?;
            }
            work.results.extend(results);
            if started.elapsed() < Duration::from_millis(500) && batch < 4096 {
                batch *= 2;
            }
        }
        progress.end();
        Ok(())
    }

    fn batch(
        &self,
        first: usize,
        images: &Samples,
        logits: Option<&[f64]>,
        presenters: &[Presenter<'_>],
        work: &mut Work,
        progress: &dyn Progress,
    ) -> Result<Vec<ImageResult>, Error> {
        let Stages { whole, .. } = &self.model.stages;
        let outputs = map_batch(whole, &images.values, Keep::Outputs, |_, activations| {
            activations.output().iter().map(|&score| f64::from(score)).collect::<Vec<f64>>()
        })?;
        if let Some(recorded) = logits {
            let pairs = outputs.iter().flatten().zip(recorded);
            let most = pairs.map(|(ours, theirs)| (ours - theirs).abs()).fold(0.0, f64::max);
            work.logit_difference = Some(work.logit_difference.unwrap_or(0.0).max(most));
        }
        let mut results: Vec<ImageResult> = outputs
            .iter()
            .enumerate()
            .map(|(index, scores)| ImageResult {
                image: first + index,
                label: images.labels.get(index).copied(),
                ann_class: largest(scores),
                ann_margin: margin(scores),
                classes: Vec::new(),
                margins: Vec::new(),
                spikes: Vec::new(),
                synaptic_operations: Vec::new(),
            })
            .collect();
        let values = self.model.stages.core_input(&images.values)?;
        let size = values.len() / images.len().max(1);
        let core: Vec<&[f32]> = values.chunks_exact(size.max(1)).collect();
        for (presenter, variant) in presenters.iter().zip(self.variants) {
            let started = Instant::now();
            let runs =
                presenter.show_from(first, &core, self.engine.start, &|| progress.advance())?;
            if std::ptr::eq(presenter, &presenters[presenters.len() - 1]) {
                work.elapsed += started.elapsed();
                work.shown += runs.len();
            }
            for (result, run) in results.iter_mut().zip(&runs) {
                self.read(variant, run, result)?;
            }
        }
        Ok(results)
    }

    /// Adds what a network did on an image.
    fn read(
        &self,
        variant: &Variant,
        run: &SampleRun,
        result: &mut ImageResult,
    ) -> Result<(), Error> {
        // A read-out that stops early has summed over fewer steps.
        for (&steps, scores) in run.steps_used.iter().zip(&run.scores_at) {
            let per_step = match variant.conversion.timing {
                Timing::AnyStep => 1.0 / f64::from(steps.max(1)),
                Timing::Once { .. } => 1.0,
            };
            let scores: Vec<f64> = scores.iter().map(|score| score * per_step).collect();
            let scores = self.model.stages.scores(&scores)?;
            result.classes.push(largest(&scores));
            result.margins.push(margin(&scores));
        }
        result.spikes.extend(&run.spikes);
        result.synaptic_operations.extend(&run.synaptic_operations);
        Ok(())
    }
}

/// The distance of the best score from the next.
fn margin(scores: &[f64]) -> f64 {
    let best = largest(scores);
    let next = scores.iter().enumerate().filter(|(index, _)| *index != best);
    let next = next.map(|(_, score)| *score).fold(f64::NEG_INFINITY, f64::max);
    match scores.get(best) {
        Some(score) if next.is_finite() => score - next,
        _ => 0.0,
    }
}

/// The array `logits` of the test file; none where it has no such array.
fn recorded_logits(
    model: &ConvertedModel,
    config: &TestConfig,
    samples: usize,
) -> Result<Option<Vec<f64>>, Error> {
    let Some(path) = config.test.as_ref().filter(|path| path.is_file()) else {
        return Ok(None);
    };
    let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
    if !bytes.starts_with(b"PK") {
        return Ok(None);
    }
    logits_in(&bytes, model.graph.node(model.graph.output()).shape.size(), samples, path)
}

fn logits_in(
    bytes: &[u8],
    outputs: usize,
    samples: usize,
    path: &Path,
) -> Result<Option<Vec<f64>>, Error> {
    let mut arrays = npz::read_npz(bytes, NpzLimits::default())
        .map_err(|error| Error::from(error).in_file(path))?;
    let Ok(logits) = npz::take(&mut arrays, "logits") else {
        return Ok(None);
    };
    let mut recorded = logits.values.to_f64().unwrap_or_default();
    let needed = samples.saturating_mul(outputs);
    if recorded.len() < needed || logits.shape.last() != Some(&outputs) {
        let shape = &logits.shape;
        let message =
            format!("`logits` has the shape {shape:?}; the network gives {outputs} values");
        return Err(Error::Usage(message).in_file(path));
    }
    recorded.truncate(needed);
    Ok(Some(recorded))
}

/// What else a report needs.
struct Rest {
    samples: Samples,
    engine: EngineEntry,
    layer_errors: Vec<LayerError>,
    kept: Option<PathBuf>,
    warnings: Vec<String>,
}

fn report(
    model: &ConvertedModel,
    config: &TestConfig,
    steps: &[u32],
    work: &Work,
    rest: Rest,
) -> TestReport {
    let results = &work.results;
    let count = results.len();
    let labelled = !rest.samples.labels.is_empty();
    let share = |hits: usize| 100.0 * hits as f64 / count.max(1) as f64;
    let hits = |right: &dyn Fn(&ImageResult) -> bool| results.iter().filter(|r| right(r)).count();
    let by_steps = |of: &dyn Fn(usize) -> f64| -> BTreeMap<u32, f64> {
        steps.iter().enumerate().map(|(at, &steps)| (steps, of(at))).collect()
    };
    let right_at = |at: usize| hits(&|result| result.label == Some(result.classes[at]));
    let mean = |of: &dyn Fn(&ImageResult) -> u64| {
        results.iter().map(of).sum::<u64>() as f64 / count.max(1) as f64
    };
    let spikes = by_steps(&|at| mean(&|result| result.spikes[at]));
    let operations = by_steps(&|at| mean(&|result| result.synaptic_operations[at]));
    let last = |by_steps: &BTreeMap<u32, f64>| by_steps.values().last().copied().unwrap_or(0.0);
    let ann_hits = hits(&|result| result.label == Some(result.ann_class));
    let (listed, disagreement_count) = disagreements(results);
    let intervals = || {
        steps.iter().enumerate().map(|(at, &steps)| (steps, wilson(right_at(at), count))).collect()
    };
    TestReport {
        ann_accuracy: labelled.then(|| share(ann_hits)),
        ann_accuracy_interval: labelled.then(|| wilson(ann_hits, count)),
        accuracy: labelled.then(|| by_steps(&|at| share(right_at(at)))),
        accuracy_interval: labelled.then(intervals),
        agreement: by_steps(&|at| share(hits(&|r| r.classes[at] == r.ann_class))),
        spikes_per_image: last(&spikes),
        spikes_per_image_by_steps: spikes,
        synaptic_operations_per_image: last(&operations),
        synaptic_operations_per_image_by_steps: operations,
        ann_macs_per_image: model.plan.macs,
        max_logit_difference: work.logit_difference,
        milliseconds_per_image: work.elapsed.as_secs_f64() * 1000.0 / work.shown.max(1) as f64,
        early_stop: config.early_stop.map(|margin| early_stop(results, steps, margin, labelled)),
        layer_errors: rest.layer_errors,
        disagreements: listed,
        disagreement_count,
        images: count,
        images_wanted: rest.samples.len(),
        engine: rest.engine.name,
        results: rest.kept,
        warnings: rest.warnings,
    }
}
