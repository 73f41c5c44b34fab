//! What each channel sends, and how much the scores depend on it.
//!
//! Derivatives come from one walk back through the units a sample: the second-order view of
//! quantisation as in LeCun et al. 1990, "Optimal brain damage", here for what a spike stands for.

use super::head::FloatHead;
use super::materials::Materials;
use crate::linear::LinearMap;
use crate::structure::{Branch, Origin, Unit, UnitKind};
use rayon::prelude::*;

/// Samples that derivatives are taken at.
const SAMPLES: usize = 64;
/// Values by which a float head may be differentiated one by one, over all samples.
const HEAD_EVALUATIONS: usize = 1 << 14;

/// One channel over all samples looked at.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Channel {
    /// Sum of its activations Σ a, with those of maxima that pass them on.
    pub spikes: f64,
    /// Σ g² over its activations above zero, where g² are the squared derivatives of all scores.
    pub sensitivity: f64,
    /// Number of activations above zero.
    pub active: f64,
}

/// One entry a channel of each unit.
pub(super) type Channels = Vec<Vec<Channel>>;

/// Walks back through the network on some of the samples.
pub(super) fn channels(materials: &Materials<'_>) -> Channels {
    let units = &materials.prepared.structure.units;
    let count = materials.activations.len();
    let most = match materials.prepared.head {
        Some(head) if head.has_costly_slopes() => {
            let read = units.last().map_or(1, |unit| unit.shape.size());
            (HEAD_EVALUATIONS / read.max(1)).clamp(1, SAMPLES)
        }
        _ => SAMPLES,
    };
    let stride = count.div_ceil(most).max(1);
    let chosen: Vec<&Vec<Vec<f32>>> = materials.activations.iter().step_by(stride).collect();
    let head = materials.prepared.head;
    let each: Vec<Channels> = chosen
        .par_iter()
        .enumerate()
        .map(|(number, activations)| sample_channels(units, activations, head, number))
        .collect();
    // Summed in order: the result does not depend on threads.
    let mut sums = silent(units);
    for own in each {
        for (sum, own) in sums.iter_mut().flatten().zip(own.into_iter().flatten()) {
            sum.spikes += own.spikes;
            sum.sensitivity += own.sensitivity;
            sum.active += own.active;
        }
    }
    sums
}

/// One sample's part.
fn sample_channels(
    units: &[Unit],
    activations: &[Vec<f32>],
    head: Option<&FloatHead>,
    number: usize,
) -> Channels {
    let mut slopes: Vec<Vec<f64>> = units.iter().map(|unit| vec![0.0; unit.shape.size()]).collect();
    if let (Some(last), Some(read)) = (slopes.last_mut(), activations.last()) {
        *last = match head {
            Some(head) => head.slopes(read, &signs(number, head.outputs())),
            None => signs(number, read.len()),
        };
    }
    let mut channels = silent(units);
    for index in (0..units.len()).rev() {
        let unit = &units[index];
        let own = std::mem::take(&mut slopes[index]);
        let per_channel = unit.shape.per_channel().max(1);
        for (neuron, (&slope, &value)) in own.iter().zip(&activations[index]).enumerate() {
            if value > 0.0 && unit.kind != UnitKind::Readout {
                let channel = &mut channels[index][neuron / per_channel];
                channel.spikes += f64::from(value);
                channel.sensitivity += slope * slope;
                channel.active += 1.0;
            }
        }
        for branch in &unit.branches {
            let Origin::Unit(source) = branch.origin else { continue };
            let values = [&activations[index][..], &activations[source][..]];
            walk_back(unit, branch, &own, values, &mut slopes[source]);
            if unit.kind == UnitKind::MaxPool {
                // Gates speak their source's scale: their spikes are its spikes.
                let own: Vec<f64> = channels[index].iter().map(|own| own.spikes).collect();
                for (channel, spikes) in channels[source].iter_mut().zip(own) {
                    channel.spikes += spikes;
                }
            }
        }
    }
    channels
}

fn silent(units: &[Unit]) -> Channels {
    units.iter().map(|unit| vec![Channel::default(); unit.shape.channels()]).collect()
}

/// Adds the derivatives of what a branch brings to those of its source; activations are those of the
/// unit and of the source.
pub(super) fn walk_back(
    unit: &Unit,
    branch: &Branch,
    own: &[f64],
    [values, inputs]: [&[f32]; 2],
    slopes: &mut [f64],
) {
    match unit.kind {
        UnitKind::MaxPool => {
            let mut taken = vec![false; own.len()];
            for (neuron, slope) in slopes.iter_mut().enumerate() {
                branch.map.for_each_target(neuron, |target, _| {
                    if inputs[neuron] == values[target] && !taken[target] {
                        taken[target] = true;
                        *slope += own[target];
                    }
                });
            }
        }
        UnitKind::Rectifier { maximum } => {
            // Where a neuron is silent or cut, a small change of its input is lost.
            let passes = |value: f32| value > 0.0 && f64::from(value) < maximum;
            let open: Vec<f64> = own
                .iter()
                .zip(values)
                .map(|(&slope, &value)| if passes(value) { slope } else { 0.0 })
                .collect();
            add_transposed(&branch.map, &open, slopes);
        }
        UnitKind::Readout => add_transposed(&branch.map, own, slopes),
    }
}

fn add_transposed(map: &LinearMap, targets: &[f64], sources: &mut [f64]) {
    for (source, sum) in sources.iter_mut().enumerate() {
        map.for_each_target(source, |target, weight| *sum += weight * targets[target]);
    }
}

/// Signs of all scores, for sample `number`: rows of a Hadamard matrix but the first, which would add
/// to all scores alike and so change no answer. A derivative of the scores so summed has, on average
/// over the rows, the square that is the sum of squares of the derivatives of each.
fn signs(number: usize, scores: usize) -> Vec<f64> {
    let row = number % 63 + 1;
    let sign = |score: usize| match (row & score).count_ones().is_multiple_of(2) {
        true => 1.0,
        false => -1.0,
    };
    (0..scores).map(sign).collect()
}
