//! What a test of a conversion found, in numbers.

use super::disagreement::{Disagreement, disagreements};
use super::early_stop::{EarlyStop, early_stop};
use super::layers::LayerError;
use super::results::ImageResult;
use crate::snn_convert::fidelity::wilson;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

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

/// What was found, and what it was found with.
pub(super) struct Findings {
    /// One an image, in their order.
    pub results: Vec<ImageResult>,
    /// Numbers of steps, ascending.
    pub steps: Vec<u32>,
    /// Images that were asked for.
    pub images_wanted: usize,
    /// Whether classes are known.
    pub labelled: bool,
    /// See [`TestReport::ann_macs_per_image`].
    pub ann_macs_per_image: u64,
    /// See [`TestReport::max_logit_difference`].
    pub max_logit_difference: Option<f64>,
    /// See [`TestReport::milliseconds_per_image`].
    pub milliseconds_per_image: f64,
    /// Lead at which an image is stopped early.
    pub early_stop: Option<f64>,
    /// See [`TestReport::layer_errors`].
    pub layer_errors: Vec<LayerError>,
    /// Name of the engine.
    pub engine: &'static str,
    /// The file of results.
    pub kept: Option<PathBuf>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

impl Findings {
    /// The report on them.
    pub(super) fn report(self) -> TestReport {
        let Findings { results, steps, labelled, .. } = &self;
        let count = results.len();
        let share = |hits: usize| 100.0 * hits as f64 / count.max(1) as f64;
        let hits =
            |right: &dyn Fn(&ImageResult) -> bool| results.iter().filter(|r| right(r)).count();
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
            let interval = |(at, &steps): (usize, &u32)| (steps, wilson(right_at(at), count));
            steps.iter().enumerate().map(interval).collect()
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
            ann_macs_per_image: self.ann_macs_per_image,
            max_logit_difference: self.max_logit_difference,
            milliseconds_per_image: self.milliseconds_per_image,
            early_stop: self.early_stop.map(|lead| early_stop(results, steps, lead, *labelled)),
            layer_errors: self.layer_errors,
            disagreements: listed,
            disagreement_count,
            images: count,
            images_wanted: self.images_wanted,
            engine: self.engine,
            results: self.kept,
            warnings: self.warnings,
        }
    }
}
