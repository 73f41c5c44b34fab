//! Weights fitted again to what neurons send.
//!
//! # Idea
//! What rounding takes away is not noise: small activations go together with large ones nearby. So
//! from the numbers that are sent one can tell a part of what is missing. With a the activations of a
//! source, â what its numbers stand for, and W its weights, a change D of the weights is taken for
//! which Σ |D â − W (a − â)|² over calibration samples, with a ridge, is smallest. The weights W + D
//! make of what was sent what W made of what was meant.
//!
//! Convolutions keep their shape: one kernel, fitted at many places. Maps that are no convolution and
//! no matrix stay as they are.
//!
//! # References
//! He et al. 2017, ICCV, "Channel pruning for accelerating very deep neural networks", section 3.1
//! (reconstruction by least squares after pruning); Frantar and Alistarh 2022, NeurIPS, "Optimal brain
//! compression" (the same after quantising).

use super::ridge::{Rows, solve};
use crate::linear::{Geometry, LinearMap};

/// The ridge, as a part of the mean variance of a source's values (`docs/design/layers_in_turn.md`).
const RIDGE: f64 = 0.1;
/// The most features: the time grows with their third power.
const MOST_FEATURES: usize = 2048;
/// The most features where there are fewer rows: the time grows with the features then.
const MOST_WITH_FEW_ROWS: usize = 1 << 15;
/// The most features for a row: fewer rows would be learnt by heart.
const MOST_UNKNOWN: usize = 4;
/// Rows for a feature: more say little new.
const ROWS_A_FEATURE: usize = 64;
/// The fewest rows that a limit on rows leaves.
const FEWEST_ROWS: usize = 8192;

/// A source on all samples: what its numbers stand for, and what it meant.
pub(super) struct Sent<'a> {
    /// `[sample][neuron]`.
    pub sent: &'a [Vec<f64>],
    /// `[sample][neuron]`.
    pub meant: &'a [&'a [f32]],
}

/// The map with fitted weights; as it is where nothing can be fitted.
pub(super) fn refit(map: &LinearMap, source: &Sent<'_>) -> LinearMap {
    let changed = match map {
        LinearMap::Dense { targets, sources, weights } => {
            dense(*targets, *sources, weights, source).map(|weights| LinearMap::Dense {
                targets: *targets,
                sources: *sources,
                weights,
            })
        }
        LinearMap::Convolution { geometry, weights } => convolution(geometry, weights, source)
            .map(|weights| LinearMap::Convolution { geometry: *geometry, weights }),
        LinearMap::Identity { .. } | LinearMap::Sparse { .. } => None,
    };
    changed.unwrap_or_else(|| map.clone())
}

fn dense(targets: usize, sources: usize, weights: &[f64], source: &Sent<'_>) -> Option<Vec<f64>> {
    let few = source.sent.len() < sources;
    let most = if few { MOST_WITH_FEW_ROWS } else { MOST_FEATURES };
    if sources > most || source.sent.len() * MOST_UNKNOWN < sources {
        return None;
    }
    let mut rows = Rows { features: sources, targets, x: Vec::new(), y: Vec::new() };
    for (sent, meant) in source.sent.iter().zip(source.meant) {
        rows.x.extend_from_slice(sent);
        rows.y.extend(missing(weights, sent, meant));
    }
    let change = solve(&rows, RIDGE)?;
    Some(weights.iter().zip(change).map(|(weight, more)| weight + more).collect())
}

/// W (a − â).
fn missing<'a>(weights: &'a [f64], sent: &[f64], meant: &[f32]) -> impl Iterator<Item = f64> + 'a {
    let off: Vec<f64> = sent.iter().zip(meant).map(|(s, &m)| f64::from(m) - s).collect();
    weights
        .chunks_exact(off.len().max(1))
        .map(move |row| row.iter().zip(&off).map(|(weight, off)| weight * off).sum())
}

fn convolution(geometry: &Geometry, weights: &[f64], source: &Sent<'_>) -> Option<Vec<f64>> {
    let [out, per_group, height, width] = geometry.weight_shape().map(|n| n as usize);
    let features = per_group * height * width;
    let groups = geometry.groups as usize;
    let out_group = out / groups.max(1);
    let cells = geometry.target[1] as usize * geometry.target[2] as usize;
    let places = cells * source.sent.len();
    if features > MOST_FEATURES || places < features || out_group == 0 {
        return None;
    }
    let most = (ROWS_A_FEATURE * features).max(FEWEST_ROWS);
    let stride = odd(places.div_ceil(most), cells);
    let mut changed = weights.to_vec();
    for group in 0..groups {
        let own = group * out_group * features..(group + 1) * out_group * features;
        let window = Window { geometry, channel: group * per_group, channels: per_group };
        let mut rows = Rows { features, targets: out_group, x: Vec::new(), y: Vec::new() };
        let (mut sent, mut meant) = (vec![0.0; features], vec![0.0_f32; features]);
        for place in (0..places).step_by(stride) {
            let (sample, cell) = (place / cells, place % cells);
            window.read(cell, &source.sent[sample], &mut sent);
            window.read(cell, source.meant[sample], &mut meant);
            rows.x.extend_from_slice(&sent);
            rows.y.extend(missing(&weights[own.clone()], &sent, &meant));
        }
        let Some(change) = solve(&rows, RIDGE) else { continue };
        changed[own].iter_mut().zip(change).for_each(|(weight, more)| *weight += more);
    }
    Some(changed)
}

/// The next stride that has no divisor in common with the cells, so that all of them are met.
fn odd(stride: usize, cells: usize) -> usize {
    fn common(a: usize, b: usize) -> usize {
        if b == 0 { a } else { common(b, a % b) }
    }
    (stride..).find(|&stride| stride == 1 || common(stride, cells) == 1).unwrap_or(stride)
}

/// What the targets of one group see of the source.
struct Window<'a> {
    geometry: &'a Geometry,
    /// First source channel.
    channel: usize,
    channels: usize,
}

impl Window<'_> {
    /// Reads the values that reach a cell of the target, in the order of a target's weights.
    fn read<T: Copy + Default>(&self, cell: usize, source: &[T], values: &mut [T]) {
        let Geometry { kernel, stride, padding, dilation, .. } = self.geometry;
        let [_, height, width] = self.geometry.source.map(|n| n as usize);
        let columns = self.geometry.target[2] as usize;
        let at = [cell / columns, cell % columns];
        // The place of a tap along an axis; none in the padding.
        let along = |axis: usize, tap: u32, extent: usize| {
            let place = at[axis] * stride[axis] as usize + (tap * dilation[axis]) as usize;
            place.checked_sub(padding[axis] as usize).filter(|&place| place < extent)
        };
        let mut values = values.iter_mut();
        for channel in self.channel..self.channel + self.channels {
            for tap in 0..kernel[0] {
                let row = along(0, tap, height);
                for (tap, value) in (0..kernel[1]).zip(values.by_ref()) {
                    *value = match (row, along(1, tap, width)) {
                        (Some(row), Some(column)) => {
                            source[(channel * height + row) * width + column]
                        }
                        _ => T::default(),
                    };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, step: f64) -> Vec<f64> {
        (0..count).map(|n| (n as f64 * step).sin()).collect()
    }

    fn geometry(groups: u32, stride: u32, dilation: u32, padding: [u32; 4]) -> Geometry {
        let extent = |n: u32, padding: u32| (n + padding - 2 * dilation - 1) / stride + 1;
        let target = [4, extent(7, padding[0] + padding[2]), extent(6, padding[1] + padding[3])];
        Geometry {
            source: [2, 7, 6],
            target,
            kernel: [3, 3],
            stride: [stride; 2],
            padding,
            dilation: [dilation; 2],
            groups,
        }
    }

    #[test]
    fn windows_times_weights_are_the_convolution() {
        for geometry in [
            geometry(1, 1, 1, [1, 1, 1, 1]),
            geometry(2, 2, 1, [0, 1, 1, 0]),
            geometry(1, 1, 2, [2, 0, 1, 1]),
        ] {
            geometry.check().unwrap();
            let weights = numbers(geometry.weight_count() as usize, 0.7);
            let source = numbers(2 * 7 * 6, 1.1);
            let map = LinearMap::Convolution { geometry, weights: weights.clone() };
            let mut expected = vec![0.0; map.targets()];
            map.apply(&source, &mut expected);
            let [out, per_group, ..] = geometry.weight_shape().map(|n| n as usize);
            let (features, out_group) = (per_group * 9, out / geometry.groups as usize);
            let cells = map.targets() / out;
            for target in 0..out {
                let channel = target / out_group * per_group;
                let window = Window { geometry: &geometry, channel, channels: per_group };
                let mut values = vec![0.0; features];
                for cell in 0..cells {
                    window.read(cell, &source, &mut values);
                    let own = &weights[target * features..(target + 1) * features];
                    let sum: f64 = own.iter().zip(&values).map(|(w, v)| w * v).sum();
                    assert!((sum - expected[target * cells + cell]).abs() < 1e-12);
                }
            }
        }
    }

    #[test]
    fn weights_make_up_for_a_source_that_stands_for_too_little() {
        // Everything that is sent is 0.8 of what is meant: weights grow to nearly 1 / 0.8.
        let map = LinearMap::Dense { targets: 2, sources: 3, weights: numbers(6, 0.9) };
        let row = |k: i32| numbers(4, 0.3 + f64::from(k))[1..].iter().map(|&v| v as f32).collect();
        let meant: Vec<Vec<f32>> = (0..50).map(row).collect();
        let sent: Vec<Vec<f64>> =
            meant.iter().map(|own| own.iter().map(|&v| 0.8 * f64::from(v)).collect()).collect();
        let meant: Vec<&[f32]> = meant.iter().map(Vec::as_slice).collect();
        let LinearMap::Dense { weights, .. } = refit(&map, &Sent { sent: &sent, meant: &meant })
        else {
            panic!("another form")
        };
        // A ridge of 0.1 leaves a tenth or so of the gap.
        for (fitted, before) in weights.iter().zip(numbers(6, 0.9)) {
            assert!((fitted - 1.23 * before).abs() < 0.05, "{fitted} {before}");
        }
    }
}
