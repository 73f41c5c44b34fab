//! What a reset has to do with the threshold and with a lower bound of the potential.

use super::model::{LoweredNeurons, LoweredReset};

/// A lower bound of the potential (mV) so low that it is none.
pub const NO_LOWER_BOUND: f64 = -1e9;

/// Whether a neuron's potential has a lower bound (parameter `index`).
pub(super) fn is_bounded(neurons: &LoweredNeurons, index: usize) -> bool {
    neurons.parameters[index].numbers().iter().any(|&bound| bound > NO_LOWER_BOUND)
}

/// What the event-driven engine says of such neurons.
pub(super) const BOUNDED: &str = "a lower bound of the potential (lowest_potential) makes it leave \
    its closed solution; leave it out, or run it on the clock-driven engine";

/// A bound (parameter `lowest`) above the reset would lift the potential at once: what is wrong.
pub(super) fn reset_above_bound(
    neurons: &LoweredNeurons,
    lowest: usize,
) -> Option<(&'static str, String)> {
    let LoweredReset::To(reset) = &neurons.reset else {
        return None;
    };
    let lowest = &neurons.parameters[lowest];
    let distinct = reset.numbers().len().max(lowest.numbers().len()).min(neurons.size);
    let pairs = (0..distinct).map(|neuron| (reset.get(neuron), lowest.get(neuron)));
    let wrong = pairs.into_iter().find(|(reset, lowest)| reset < lowest);
    let message =
        |(reset, lowest)| format!("the reset {reset} lies below the lowest potential {lowest}");
    wrong.map(|wrong| ("lowest_potential", message(wrong)))
}

/// Neurons whose reset lies at or above their threshold would spike for ever: what is wrong.
pub(super) fn reset_below_threshold(
    neurons: &LoweredNeurons,
    threshold: usize,
) -> Vec<(&'static str, String)> {
    let LoweredReset::To(reset) = &neurons.reset else {
        return Vec::new();
    };
    let threshold = &neurons.parameters[threshold];
    let distinct = reset.numbers().len().max(threshold.numbers().len()).min(neurons.size);
    let pairs = (0..distinct).map(|neuron| (reset.get(neuron), threshold.get(neuron)));
    let wrong = pairs.into_iter().find(|(reset, theta)| reset >= theta);
    let told = wrong.map(|(reset, theta)| {
        ("threshold", format!("the reset {reset} is not below the threshold {theta}"))
    });
    told.into_iter().collect()
}
