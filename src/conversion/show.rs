//! Test samples on their way through the trained and the spiking network.

use super::answer::{Answer, class_and_margin};
use super::results::{ImageResult, ResultsFile};
use super::test_samples::TestSamples;
use super::{ConvertedModel, Stages};
use crate::data::Samples;
use crate::error::Error;
use crate::memory;
use crate::progress::Progress;
use crate::sim_core::engine::EngineEntry;
use crate::snn_convert::ann::{Keep, map_batch};
use crate::snn_convert::fidelity::{FidelityConfig, Presenter, SampleRun};
use crate::snn_convert::lower::{Conversion, Timing};
use std::time::{Duration, Instant};

/// Most samples that are shown before it is asked whether to stop.
const MOST_TOGETHER: usize = 4096;

/// Values that the samples of a batch may have together: 64 MiB of them.
const BATCH_VALUES: usize = 1 << 24;

/// A network with the numbers of steps that it answers for.
pub(super) struct Variant {
    pub(super) steps: Vec<u32>,
    pub(super) conversion: Conversion,
}

/// What grows while images are shown.
#[derive(Default)]
pub(super) struct Work {
    pub(super) results: Vec<ImageResult>,
    pub(super) logit_difference: Option<f64>,
    /// Time that the last network took, and for how many images.
    pub(super) elapsed: Duration,
    pub(super) shown: usize,
}

/// What does not change while images are shown.
pub(super) struct Show<'a> {
    pub(super) model: &'a ConvertedModel,
    pub(super) engine: EngineEntry,
    pub(super) seed: u64,
    pub(super) variants: &'a [Variant],
}

impl Show<'_> {
    /// Shows all samples that are left, batch by batch.
    pub(super) fn all(
        &self,
        samples: &mut TestSamples,
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
        samples.skip(work.results.len())?;
        progress.begin(&format!("{} engine", self.engine.name), (left * presenters.len()) as u64);
        // Batches grow until one takes about half a second: short enough to stop between them. What
        // is in memory stays small, too.
        let most = (BATCH_VALUES / samples.size().max(1)).clamp(1, MOST_TOGETHER);
        let mut batch = 16_usize.min(most);
        while work.results.len() < samples.len() && !stop() {
            let started = Instant::now();
            let first = work.results.len();
            let shown = samples.take(batch).and_then(|images| {
                self.batch(
                    first,
                    &images,
                    samples.logits(first, images.len()),
                    &presenters,
                    work,
                    progress,
                )
            });
            let results = shown.inspect_err(|_| progress.end())?;
            if let Some(file) = &mut file {
                file.append(&results)?;
            }
            work.results.extend(results);
            if started.elapsed() < Duration::from_millis(500) {
                batch = (2 * batch).min(most);
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
        let answer = Answer::of(whole);
        let kept = Keep::Nodes(std::slice::from_ref(&answer.node));
        let outputs = map_batch(whole, &images.values, kept, |_, activations| {
            let scores = activations.of(answer.node).unwrap_or_default();
            scores.iter().map(|&score| f64::from(score)).collect::<Vec<f64>>()
        })?;
        if let Some(recorded) = logits {
            let pairs = outputs.iter().flatten().zip(recorded);
            let most = pairs.map(|(ours, theirs)| (ours - theirs).abs()).fold(0.0, f64::max);
            work.logit_difference = Some(work.logit_difference.unwrap_or(0.0).max(most));
        }
        let mut results: Vec<ImageResult> = outputs
            .iter()
            .enumerate()
            .map(|(index, scores)| (index, answer.read(scores)))
            .map(|(index, (ann_class, ann_margin))| ImageResult {
                image: first + index,
                label: images.labels.get(index).copied(),
                ann_class,
                ann_margin,
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
            let (class, margin) = match self.model.stages.scores(&scores)? {
                Some((scores, answer)) => answer.read(&scores),
                None => class_and_margin(&scores),
            };
            result.classes.push(class);
            result.margins.push(margin);
        }
        result.spikes.extend(&run.spikes);
        result.synaptic_operations.extend(&run.synaptic_operations);
        Ok(())
    }
}
