//! What it would give to stop each image as soon as its best score leads far enough.

use super::results::ImageResult;
use serde::Serialize;

/// What stopping early gives.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EarlyStop {
    /// The lead that was asked for, in scores of the trained network.
    pub margin: f64,
    /// Mean number of steps.
    pub steps: f64,
    /// Accuracy; none without labels.
    pub accuracy: Option<f64>,
    /// Spikes per sample.
    pub spikes_per_image: f64,
    /// Synaptic operations per sample.
    pub synaptic_operations_per_image: f64,
}

/// Reads each image at the first number of steps at which its best score leads far enough.
pub(super) fn early_stop(
    results: &[ImageResult],
    steps: &[u32],
    margin: f64,
    labelled: bool,
) -> EarlyStop {
    let count = results.len().max(1) as f64;
    let (mut hits, mut sums) = (0, [0_u64; 3]);
    for result in results {
        let leads = result.margins.iter().position(|&lead| lead >= margin);
        let at = leads.unwrap_or(steps.len().saturating_sub(1));
        hits += usize::from(result.label == Some(result.classes[at]));
        let own = [steps[at].into(), result.spikes[at], result.synaptic_operations[at]];
        sums.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
    }
    let [steps, spikes_per_image, synaptic_operations_per_image] =
        sums.map(|sum| sum as f64 / count);
    let accuracy = labelled.then_some(100.0 * hits as f64 / count);
    EarlyStop { margin, steps, accuracy, spikes_per_image, synaptic_operations_per_image }
}
