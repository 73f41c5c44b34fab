//! Shares thresholds out among channels.
//!
//! A spike of a channel that the answer hardly depends on costs as much as one of a channel that
//! decides it. With thresholds θ, a channel sends Σ a / θ spikes a step and, rounding errors being
//! independent and as large as θ, adds Σ g² θ² to the squared error of the scores, where a are its
//! activations and g² the squared derivatives of all scores. For a given sum of errors the sum of
//! spikes is smallest where θ³ is proportional to Σ a / Σ g².
//!
//! Derivatives come from one walk back through the units a sample: the second-order view of
//! quantisation as in LeCun et al. 1990, "Optimal brain damage", here for thresholds.

use super::materials::Materials;
use crate::linear::LinearMap;
use crate::structure::{Branch, Origin, Unit, UnitKind};
use rayon::prelude::*;

/// Samples that derivatives are taken at.
const SAMPLES: usize = 64;
/// The bounds of factors: finer thresholds need larger bursts, coarser ones send their first spike
/// late.
const FACTORS: [f64; 2] = [1.0 / 3.0, 6.0];

/// Spikes (Σ a) and sensitivity (Σ g²) of each channel of each unit.
type Weights = Vec<Vec<[f64; 2]>>;

/// The factor of each channel of each unit that spikes by itself; `thetas` are the rule's thresholds.
/// Together the factors leave the squared error of the scores as it is.
pub(super) fn shares(materials: &Materials<'_>, thetas: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let units = &materials.prepared.structure.units;
    let weights = weights(materials);
    let spikes_alone = |unit: &Unit| matches!(unit.kind, UnitKind::Rectifier { .. });
    // Cube roots first; then one common factor.
    let mut before = 0.0_f64;
    let mut after = 0.0_f64;
    let mut wanted: Vec<Vec<Option<f64>>> = Vec::with_capacity(units.len());
    for ((unit, weights), thetas) in units.iter().zip(&weights).zip(thetas) {
        let own = weights.iter().zip(thetas).map(|(&[spikes, sensitivity], theta)| {
            let usable = spikes_alone(unit) && spikes > 0.0 && sensitivity > 0.0;
            let root = usable.then(|| (spikes / sensitivity).cbrt())?;
            before += sensitivity * theta * theta;
            after += sensitivity * root * root;
            Some(root)
        });
        wanted.push(own.collect());
    }
    let common = if before > 0.0 && after > 0.0 { (before / after).sqrt() } else { 1.0 };
    let factor = |(root, theta): (&Option<f64>, &f64)| {
        root.map_or(1.0, |root| (root * common / theta).clamp(FACTORS[0], FACTORS[1]))
    };
    let of_unit = |(roots, thetas): (&Vec<Option<f64>>, &Vec<f64>)| {
        roots.iter().zip(thetas).map(factor).collect()
    };
    wanted.iter().zip(thetas).map(of_unit).collect()
}

fn weights(materials: &Materials<'_>) -> Weights {
    let units = &materials.prepared.structure.units;
    let count = materials.activations.len();
    let stride = count.div_ceil(SAMPLES).max(1);
    let chosen: Vec<&Vec<Vec<f32>>> = materials.activations.iter().step_by(stride).collect();
    let each: Vec<Weights> = chosen
        .par_iter()
        .enumerate()
        .map(|(number, activations)| sample_weights(units, activations, number))
        .collect();
    // Summed in order: the result does not depend on threads.
    let mut sums: Weights =
        units.iter().map(|unit| vec![[0.0; 2]; unit.shape.channels()]).collect();
    for own in each {
        for (sum, own) in sums.iter_mut().flatten().zip(own.into_iter().flatten()) {
            sum.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
        }
    }
    sums
}

/// One sample's part.
fn sample_weights(units: &[Unit], activations: &[Vec<f32>], number: usize) -> Weights {
    let mut slopes: Vec<Vec<f64>> = units.iter().map(|unit| vec![0.0; unit.shape.size()]).collect();
    if let (Some(last), Some(scores)) = (slopes.last_mut(), activations.last()) {
        *last = signs(number, scores.len());
    }
    let mut weights: Weights =
        units.iter().map(|unit| vec![[0.0; 2]; unit.shape.channels()]).collect();
    for index in (0..units.len()).rev() {
        let unit = &units[index];
        let own = std::mem::take(&mut slopes[index]);
        let per_channel = unit.shape.per_channel().max(1);
        for (neuron, (&slope, &value)) in own.iter().zip(&activations[index]).enumerate() {
            if value > 0.0 && unit.kind != UnitKind::Readout {
                let [spikes, sensitivity] = &mut weights[index][neuron / per_channel];
                *spikes += f64::from(value);
                *sensitivity += slope * slope;
            }
        }
        for branch in &unit.branches {
            let Origin::Unit(source) = branch.origin else { continue };
            walk_back(unit, branch, &own, activations, [index, source], &mut slopes[source]);
            if unit.kind == UnitKind::MaxPool {
                // Gates speak their source's scale: their spikes are its spikes.
                let own: Vec<f64> = weights[index].iter().map(|weights| weights[0]).collect();
                for (weights, spikes) in weights[source].iter_mut().zip(own) {
                    weights[0] += spikes;
                }
            }
        }
    }
    weights
}

/// Adds the derivatives of what a branch brings to those of its source.
fn walk_back(
    unit: &Unit,
    branch: &Branch,
    own: &[f64],
    activations: &[Vec<f32>],
    [index, source]: [usize; 2],
    slopes: &mut [f64],
) {
    let values = &activations[index];
    match unit.kind {
        UnitKind::MaxPool => {
            let inputs = &activations[source];
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
