//! Thresholds, and the calibration of biases and potentials, layer by layer.

use super::super::materials::Materials;
use super::{Correction, Recipe, form};
use crate::layerwise::{Layer, LayerRun, LayerwiseNetwork, Reached, Train};
use crate::linear::ChannelScale;
use crate::lower::UnitScale;
use crate::structure::{Origin, Unit, UnitKind};
use rayon::prelude::*;

/// Initial potentials are moved within these bounds, in thresholds.
const POTENTIALS: [f64; 2] = [-1.0, 2.0];
/// Initial potentials that are tried, evenly between these bounds: an eighth of a threshold apart.
const STARTS: u32 = 25;

/// The scales of all units, and the network that they make; corrections are made on the samples
/// `corrected`.
pub(super) fn calibrate(
    materials: &Materials<'_>,
    recipe: &Recipe,
    corrected: &[usize],
) -> (Vec<UnitScale>, LayerwiseNetwork) {
    let units = &materials.prepared.structure.units;
    let mut scales: Vec<UnitScale> = Vec::with_capacity(units.len());
    let mut layers: Vec<Layer> = Vec::with_capacity(units.len());
    let mut trains: Vec<Vec<Train>> = vec![Vec::new(); corrected.len()];
    for (index, unit) in units.iter().enumerate() {
        let mut scale = unit_scale(materials, recipe, index, &scales);
        let mut layer = Layer::new(unit, &scale, &scales, form(recipe));
        if recipe.correction != Correction::None {
            correct((materials, corrected), recipe, index, &mut layer, &mut scale, &trains);
            let runs = run((materials, corrected), &layer, &trains, correction_steps(recipe));
            for (trains, run) in trains.iter_mut().zip(runs) {
                trains.push(run.train);
                forget(trains, units, index);
            }
        }
        scales.push(scale);
        layers.push(layer);
    }
    (scales, LayerwiseNetwork::of_layers(layers))
}

/// Corrections are made for fewer than all the steps: what they move weighs most early. Where the
/// slope of the potential is read, which looks at the later steps, three quarters of them are better
/// than half (`docs/design/rate_codes.md`).
fn correction_steps(recipe: &Recipe) -> u32 {
    match recipe.correction {
        Correction::Start => (3 * recipe.steps).div_ceil(4),
        _ => recipe.steps.div_ceil(2),
    }
}

/// Empties the trains that no later unit reads.
fn forget(trains: &mut [Train], units: &[Unit], done: usize) {
    for (source, train) in trains.iter_mut().enumerate() {
        let reads = |unit: &Unit| unit.branches.iter().any(|b| b.origin == Origin::Unit(source));
        if !units.iter().skip(done + 1).any(reads) {
            *train = Train::new();
        }
    }
}

/// The thresholds of one unit.
pub(super) fn thresholds(materials: &Materials<'_>, recipe: &Recipe, index: usize) -> Vec<f64> {
    let unit = &materials.prepared.structure.units[index];
    let UnitKind::Rectifier { maximum } = unit.kind else { return vec![1.0] };
    let sample = &materials.prepared.calibration.units[index];
    let chosen = (recipe.rule.choose)(sample, recipe.steps);
    // A ReLU6 never stands for more than 6; a scale above 1 then stretches single spikes, not the
    // range, which the largest rate keeps.
    chosen.into_iter().map(|theta| theta.min(maximum)).collect()
}

fn unit_scale(
    materials: &Materials<'_>,
    recipe: &Recipe,
    index: usize,
    scales: &[UnitScale],
) -> UnitScale {
    let unit = &materials.prepared.structure.units[index];
    let thresholds = match (unit.kind, unit.branches.first().map(|branch| branch.origin)) {
        // Counts are compared within a channel: the pool speaks its source's scale.
        (UnitKind::MaxPool, Some(Origin::Unit(source))) => scales[source].output.factors.clone(),
        (UnitKind::Rectifier { .. }, _) => {
            let shares = recipe.shares.get(index).map_or(&[][..], Vec::as_slice);
            let share =
                |channel: usize| shares.get(channel).or(shares.last()).copied().unwrap_or(1.0);
            let chosen = thresholds(materials, recipe, index).into_iter().enumerate();
            chosen.map(|(channel, theta)| theta * recipe.scale * share(channel)).collect()
        }
        _ => vec![1.0],
    };
    // A dead channel keeps its input: it may live on other samples, at the layer's coarsest scale.
    super::super::plain_scale(unit, thresholds, Vec::new())
}

/// Runs a layer on the samples that corrections are made on.
fn run(
    (materials, corrected): (&Materials<'_>, &[usize]),
    layer: &Layer,
    trains: &[Vec<Train>],
    steps: u32,
) -> Vec<LayerRun> {
    let one = |(index, trains): (usize, &Vec<Train>)| {
        let sample = materials.samples[index];
        let sample: Vec<f64> = sample.iter().map(|&value| f64::from(value)).collect();
        layer.run(&layer.current(&sample), |unit| trains.get(unit), &[steps])
    };
    corrected.par_iter().copied().zip(trains.par_iter()).map(one).collect()
}

fn correct(
    (materials, corrected): (&Materials<'_>, &[usize]),
    recipe: &Recipe,
    index: usize,
    layer: &mut Layer,
    scale: &mut UnitScale,
    trains: &[Vec<Train>],
) {
    let unit = &materials.prepared.structure.units[index];
    if unit.kind == UnitKind::MaxPool {
        return;
    }
    if recipe.correction == Correction::Start && unit.kind != UnitKind::Readout {
        let initial = nearest_starts((materials, corrected), recipe, index, layer, scale, trains);
        layer.set_initial(&initial);
        scale.initial = Some(initial);
        return;
    }
    let steps = correction_steps(recipe);
    let runs = run((materials, corrected), layer, trains, steps);
    let missing = missing((materials, corrected), index, &runs, &scale.threshold, steps);
    let per_channel = unit.shape.per_channel().max(1);
    match recipe.correction {
        Correction::None => {}
        Correction::Start | Correction::Potential => {
            let moved = |(start, missing): (f64, &f64)| match unit.kind {
                UnitKind::Readout => start + missing,
                _ => (start + missing).clamp(POTENTIALS[0], POTENTIALS[1]),
            };
            let start = scale.initials(unit, form(recipe));
            let initial: Vec<f64> = start.into_iter().zip(&missing).map(moved).collect();
            layer.set_initial(&initial);
            scale.initial = Some(initial);
        }
        Correction::Bias => {
            let means: Vec<f64> = missing
                .chunks(per_channel)
                .map(|channel| channel.iter().sum::<f64>() / channel.len() as f64)
                .collect();
            let moved = |(neuron, bias): (usize, &f64)| {
                let mean = means[neuron / per_channel] / f64::from(steps);
                bias + mean * scale.threshold.at(neuron)
            };
            let bias: Vec<f64> = unit.bias.iter().enumerate().map(moved).collect();
            layer.set_bias(&scale.biases(&bias));
            scale.bias = Some(bias);
        }
    }
}

/// The initial potential of each neuron with which its counts come nearest to its activations: that
/// with the smallest squared error over samples, of those the nearest to where it starts.
///
/// A mean count is not enough to go by: where all activations are 0.3 spikes, as behind the margins of
/// pictures, what the mean misses makes every neuron spike once on every sample.
fn nearest_starts(
    (materials, corrected): (&Materials<'_>, &[usize]),
    recipe: &Recipe,
    index: usize,
    layer: &Layer,
    scale: &UnitScale,
    trains: &[Vec<Train>],
) -> Vec<f64> {
    let unit = &materials.prepared.structure.units[index];
    let start = scale.initials(unit, form(recipe));
    let steps = correction_steps(recipe);
    let one = |(index, trains): (usize, &Vec<Train>)| {
        let sample = materials.samples[index];
        let sample: Vec<f64> = sample.iter().map(|&value| f64::from(value)).collect();
        layer.reached(&layer.current(&sample), |unit| trains.get(unit), steps)
    };
    let reached: Vec<Reached> =
        corrected.par_iter().copied().zip(trains.par_iter()).map(one).collect();
    let rates = scale.largest_rates(unit);
    let per_channel = unit.shape.per_channel().max(1);
    let nearest = |neuron: usize| {
        let rate = rates.as_ref().map_or(f64::INFINITY, |rates| rates[neuron / per_channel]);
        let most = (rate * f64::from(steps)).floor();
        let wanted = f64::from(steps) / scale.threshold.at(neuron);
        let count = |arrived: f64, start: f64| (arrived + start).floor().clamp(0.0, most);
        // What arrived, and what the neuron sent beyond the count that it would have sent of it at
        // once, less what it should have sent.
        let samples = corrected.iter().zip(&reached).map(|(&sample, reached)| {
            let arrived = reached.arrived[neuron];
            let more = f64::from(reached.counts[neuron]) - count(arrived, start[neuron]);
            (arrived, more - f64::from(materials.activations[sample][index][neuron]) * wanted)
        });
        let samples: Vec<(f64, f64)> = samples.collect();
        let mut best = (f64::INFINITY, f64::INFINITY, start[neuron]);
        for place in 0..STARTS {
            let part = f64::from(place) / f64::from(STARTS - 1);
            let candidate = POTENTIALS[0] + part * (POTENTIALS[1] - POTENTIALS[0]);
            let error = |&(arrived, more): &(f64, f64)| (count(arrived, candidate) + more).powi(2);
            let squares: f64 = samples.iter().map(error).sum();
            let off = (candidate - start[neuron]).abs();
            // Sums that differ by rounding only are equal.
            let equal = 1e-9 * samples.len() as f64;
            if squares < best.0 - equal || (squares <= best.0 + equal && off < best.1) {
                best = (squares, off, candidate);
            }
        }
        best.2
    };
    (0..unit.shape.size()).into_par_iter().map(nearest).collect()
}

/// By how many spikes the mean count of each neuron falls short of its activation.
fn missing(
    (materials, corrected): (&Materials<'_>, &[usize]),
    index: usize,
    runs: &[LayerRun],
    threshold: &ChannelScale,
    steps: u32,
) -> Vec<f64> {
    let size = materials.prepared.structure.units[index].shape.size();
    let mut missing = vec![0.0; size];
    for (&sample, run) in corrected.iter().zip(runs) {
        let activations = &materials.activations[sample];
        for (neuron, (missing, &wanted)) in missing.iter_mut().zip(&activations[index]).enumerate()
        {
            let sent = match run.scores.last() {
                Some(scores) => scores[neuron],
                None => f64::from(run.counts[neuron]),
            };
            *missing += f64::from(wanted) * f64::from(steps) / threshold.at(neuron) - sent;
        }
    }
    let samples = runs.len().max(1) as f64;
    missing.iter_mut().for_each(|missing| *missing /= samples);
    missing
}
