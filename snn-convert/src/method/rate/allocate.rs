//! Shares thresholds out among layers.
//!
//! A spike of an early layer with thousands of neurons costs as much as one of a late layer with
//! sixty, but says less. With thresholds x times those of the rule, layer l sends S/x spikes and adds
//! the squared error E x² to the scores (rounding errors are independent). For a given sum of errors
//! the sum of spikes is smallest where x³ is proportional to S/E.

use super::Recipe;
use super::correct::thresholds;
use super::materials::Materials;
use crate::structure::{Origin, UnitKind};
use rayon::prelude::*;

/// Samples that errors are measured on.
const SAMPLES: usize = 48;
/// No layer's thresholds are changed by more than this factor.
const LARGEST_FACTOR: f64 = 3.0;

/// The factor of each unit.
pub(super) fn shares(materials: &Materials<'_>, recipe: &Recipe) -> Vec<f64> {
    let units = &materials.prepared.structure.units;
    let measured: Vec<Option<(f64, f64)>> = (0..units.len())
        .map(|index| match units[index].kind {
            UnitKind::Rectifier { .. } => Some(measure(materials, recipe, index)),
            _ => None,
        })
        .collect();
    let weight = |&(spikes, error): &(f64, f64)| {
        (spikes > 0.0 && error > 0.0).then(|| (spikes / error).cbrt())
    };
    let weights: Vec<Option<f64>> =
        measured.iter().map(|pair| pair.as_ref().and_then(weight)).collect();
    let errors = || measured.iter().flatten().map(|pair| pair.1).zip(weights.iter().flatten());
    let before: f64 = errors().map(|(error, _)| error).sum();
    let after: f64 = errors().map(|(error, weight)| error * weight * weight).sum();
    if !(before > 0.0 && after > 0.0) {
        return vec![1.0; units.len()];
    }
    let common = (before / after).sqrt();
    let share = |weight: &Option<f64>| {
        weight.map_or(1.0, |w| (w * common).clamp(1.0 / LARGEST_FACTOR, LARGEST_FACTOR))
    };
    weights.iter().map(share).collect()
}

/// Spikes of a layer, and the squared error of the scores when it alone is rounded.
fn measure(materials: &Materials<'_>, recipe: &Recipe, index: usize) -> (f64, f64) {
    let thetas = thresholds(materials, recipe, index);
    let samples = materials.activations.len().min(SAMPLES);
    let stride = (materials.activations.len() / samples.max(1)).max(1);
    let chosen: Vec<&Vec<Vec<f32>>> = materials.activations.iter().step_by(stride).collect();
    let pairs: Vec<(f64, f64)> = chosen
        .par_iter()
        .map(|values| round_one(materials, recipe, index, &thetas, values))
        .collect();
    // Summed in order: the result does not depend on threads.
    let (spikes, errors): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
    let count = spikes.len().max(1) as f64;
    (spikes.iter().sum::<f64>() / count, errors.iter().sum::<f64>() / count)
}

/// Rounds one layer's activations on one sample and follows that to the scores.
fn round_one(
    materials: &Materials<'_>,
    recipe: &Recipe,
    index: usize,
    thetas: &[f64],
    activations: &[Vec<f32>],
) -> (f64, f64) {
    let units = &materials.prepared.structure.units;
    let steps = f64::from(recipe.steps);
    let per_channel = units[index].shape.per_channel().max(1);
    let wide = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect::<Vec<_>>();
    let mut differences: Vec<Option<Vec<f64>>> = vec![None; units.len()];
    let mut spikes = 0.0;
    let rounded = activations[index].iter().enumerate().map(|(neuron, &value)| {
        let step = thetas[neuron / per_channel] / steps;
        let count = (f64::from(value) / step + 0.5).floor().clamp(0.0, steps);
        spikes += count;
        count * step - f64::from(value)
    });
    differences[index] = Some(rounded.collect());
    for later in index + 1..units.len() {
        let unit = &units[later];
        let mut changed: Option<Vec<f64>> = None;
        for branch in &unit.branches {
            let Origin::Unit(source) = branch.origin else { continue };
            let Some(difference) = &differences[source] else { continue };
            let slots = changed.get_or_insert_with(|| vec![0.0; unit.shape.size()]);
            if unit.kind == UnitKind::MaxPool {
                let values = wide(&activations[source]);
                slots.fill(f64::NEG_INFINITY);
                for (neuron, (value, difference)) in values.iter().zip(difference).enumerate() {
                    let moved = value + difference;
                    branch.map.for_each_target(neuron, |t, _| slots[t] = slots[t].max(moved));
                }
                for (slot, old) in slots.iter_mut().zip(&activations[later]) {
                    *slot -= f64::from(*old);
                }
                if source == index {
                    // The gates speak the layer's scale: their spikes are its spikes.
                    let per = unit.shape.per_channel().max(1);
                    spikes += slots
                        .iter()
                        .zip(&activations[later])
                        .enumerate()
                        .map(|(n, (d, a))| (d + f64::from(*a)) * steps / thetas[n / per])
                        .sum::<f64>();
                }
            } else {
                branch.map.apply(difference, slots);
            }
        }
        if let (UnitKind::Rectifier { maximum }, Some(changed)) = (unit.kind, &mut changed) {
            // Where a neuron is silent or saturated, a small change of its input is lost.
            for (change, &value) in changed.iter_mut().zip(&activations[later]) {
                let value = f64::from(value);
                *change = match value > 0.0 && value < maximum {
                    true => (value + *change).clamp(0.0, maximum) - value,
                    false => 0.0,
                };
            }
        }
        differences[later] = changed;
    }
    let error = differences
        .last()
        .and_then(Option::as_ref)
        .map_or(0.0, |scores| scores.iter().map(|difference| difference * difference).sum());
    (spikes, error)
}
