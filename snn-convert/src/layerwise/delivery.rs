//! What spikes of one layer bring to the next, laid out for speed.
//!
//! Targets of a convolution are summed channels last: the weights that one spike brings to all
//! channels of a cell lie side by side, so the inner loop is a run of multiply-adds.

use crate::linear::LinearMap;
use sim_core::network::Convolution as Geometry;
use sim_core::neuron::exact;

/// A spike of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerSpike {
    /// Index within the layer.
    pub neuron: u32,
    /// Its payload: 1, or for signed spikes and bursts another number.
    pub payload: i32,
}

/// A linear map with weights on the grid of stepwise models (see [`exact`]).
#[derive(Debug, Clone)]
pub enum Delivery {
    /// A convolution; sums lie channels last.
    Convolution {
        /// Extents and window.
        geometry: Geometry,
        /// Weights `[source channel, kernel row, kernel column, target channel of the group]`.
        weights: Vec<f64>,
    },
    /// A matrix `[source, target]`.
    Dense {
        /// Number of targets.
        targets: usize,
        /// Weights.
        weights: Vec<f64>,
    },
    /// Listed weights.
    Sparse {
        /// Number of targets.
        targets: usize,
        /// First entry of each source, and the end.
        rows: Vec<usize>,
        /// Target and weight of each entry.
        entries: Vec<(u32, f64)>,
    },
}

impl Delivery {
    /// Lays out a map.
    pub fn new(map: &LinearMap) -> Self {
        match map {
            LinearMap::Convolution { geometry, weights } => {
                let [out, per_group, height, width] = geometry.weight_shape().map(|n| n as usize);
                let out_group = out / geometry.groups.max(1) as usize;
                let taps = height * width;
                let mut turned = vec![0.0; weights.len()];
                for (index, &weight) in weights.iter().enumerate() {
                    let (target, within) = (index / taps / per_group, index / taps % per_group);
                    let channel = target / out_group * per_group + within;
                    let place = (channel * taps + index % taps) * out_group + target % out_group;
                    turned[place] = exact::round(weight);
                }
                Delivery::Convolution { geometry: *geometry, weights: turned }
            }
            LinearMap::Dense { targets, sources, weights } => {
                let mut turned = vec![0.0; weights.len()];
                for (index, &weight) in weights.iter().enumerate() {
                    turned[index % sources * targets + index / sources] = exact::round(weight);
                }
                Delivery::Dense { targets: *targets, weights: turned }
            }
            other => {
                let mut rows = vec![0];
                let mut entries = Vec::new();
                for source in 0..other.sources() {
                    other.for_each_target(source, |target, weight| {
                        entries.push((target as u32, exact::round(weight)));
                    });
                    rows.push(entries.len());
                }
                Delivery::Sparse { targets: other.targets(), rows, entries }
            }
        }
    }

    /// Number of targets.
    pub fn targets(&self) -> usize {
        match self {
            Delivery::Convolution { geometry, .. } => {
                geometry.target.iter().map(|&n| n as usize).product()
            }
            Delivery::Dense { targets, .. } | Delivery::Sparse { targets, .. } => *targets,
        }
    }

    /// Adds to `sums`, in the layout of [`Delivery::collect`], what spikes bring.
    pub fn deliver(&self, spikes: &[LayerSpike], sums: &mut [f64]) {
        match self {
            Delivery::Convolution { geometry, weights } => {
                for spike in spikes {
                    convolve(geometry, weights, *spike, sums);
                }
            }
            Delivery::Dense { targets, weights } => {
                for spike in spikes {
                    let row = &weights[spike.neuron as usize * targets..][..*targets];
                    add(row, f64::from(spike.payload), sums);
                }
            }
            Delivery::Sparse { rows, entries, .. } => {
                for spike in spikes {
                    let source = spike.neuron as usize;
                    let payload = f64::from(spike.payload);
                    for &(target, weight) in &entries[rows[source]..rows[source + 1]] {
                        sums[target as usize] += weight * payload;
                    }
                }
            }
        }
    }

    /// Adds `sums` to `input`, which is in the order of the neurons, and empties them.
    pub fn collect(&self, sums: &mut [f64], input: &mut [f64]) {
        if let Delivery::Convolution { geometry, .. } = self {
            let channels = geometry.target[0] as usize;
            let cells = geometry.target[1] as usize * geometry.target[2] as usize;
            for (cell, sums) in sums.chunks_exact_mut(channels).enumerate() {
                for (channel, sum) in sums.iter_mut().enumerate() {
                    input[channel * cells + cell] += std::mem::take(sum);
                }
            }
            return;
        }
        for (slot, sum) in input.iter_mut().zip(sums) {
            *slot += std::mem::take(sum);
        }
    }
}

fn add(row: &[f64], payload: f64, sums: &mut [f64]) {
    if payload == 1.0 {
        sums.iter_mut().zip(row).for_each(|(sum, weight)| *sum += weight);
    } else {
        sums.iter_mut().zip(row).for_each(|(sum, weight)| *sum += weight * payload);
    }
}

fn convolve(geometry: &Geometry, weights: &[f64], spike: LayerSpike, sums: &mut [f64]) {
    let [_, height, width] = geometry.source.map(|n| n as usize);
    let [out, target_height, target_width] = geometry.target.map(|n| n as usize);
    let [kernel_height, kernel_width] = geometry.kernel.map(|n| n as usize);
    let [down, right] = geometry.stride.map(|n| n as usize);
    let [dilate_down, dilate_right] = geometry.dilation.map(|n| n as usize);
    let groups = geometry.groups.max(1) as usize;
    let out_group = out / groups;
    let source = spike.neuron as usize;
    let (channel, row, column) =
        (source / (height * width), source / width % height, source % width);
    let first = channel / (geometry.source[0] as usize / groups) * out_group;
    let row = row + geometry.padding[0] as usize;
    let column = column + geometry.padding[1] as usize;
    let payload = f64::from(spike.payload);
    for kernel_row in 0..kernel_height {
        let Some(above) = row.checked_sub(kernel_row * dilate_down) else { break };
        if above % down != 0 || above / down >= target_height {
            continue;
        }
        for kernel_column in 0..kernel_width {
            let Some(left) = column.checked_sub(kernel_column * dilate_right) else { break };
            if left % right != 0 || left / right >= target_width {
                continue;
            }
            let cell = above / down * target_width + left / right;
            let tap = (channel * kernel_height + kernel_row) * kernel_width + kernel_column;
            let sums = &mut sums[cell * out + first..][..out_group];
            add(&weights[tap * out_group..][..out_group], payload, sums);
        }
    }
}
