//! Shared kernel weights (Lava's `Conv`), never expanded into one weight a synapse.
//!
//! Sums are kept `[row][column][channel]` and the kernel `[in][ky][kx][out]`, so that one tap of a
//! spike adds a contiguous run of weights to all output channels of its group.

use sim_core::network::Convolution;

use crate::emulator::spikes::Spike;

use super::{Sum, SynapseTable};

/// A target position and the kernel position that reaches it.
type Tap = (usize, usize);

/// A convolution by source position.
#[derive(Debug)]
pub(crate) struct ConvolutionTable {
    geometry: Convolution,
    /// Kernel weights `[group][in / groups][ky][kx][out / groups]`.
    kernel: Vec<i32>,
    /// Taps of each source row and of each source column.
    row_taps: Vec<Vec<Tap>>,
    column_taps: Vec<Vec<Tap>>,
    /// Target neuron of each position.
    positions: Vec<u32>,
    largest: u64,
}

impl ConvolutionTable {
    /// `weights` are `[out, in / groups, kernel rows, kernel columns]`; the geometry is checked.
    pub(crate) fn new(geometry: Convolution, weights: &[i32]) -> Self {
        let [outs, ins, rows, columns] = geometry.weight_shape().map(|n| n as usize);
        let out_per_group = outs / geometry.groups.max(1) as usize;
        let mut kernel = vec![0; weights.len()];
        let mut largest = 0;
        for (out, filter) in weights.chunks_exact((ins * rows * columns).max(1)).enumerate() {
            let (group, member) = (out / out_per_group, out % out_per_group);
            for (tap, &weight) in filter.iter().enumerate() {
                let place = (group * ins * rows * columns + tap) * out_per_group + member;
                if let Some(slot) = kernel.get_mut(place) {
                    *slot = weight;
                }
            }
            let sum = filter.iter().map(|weight| u64::from(weight.unsigned_abs())).sum();
            largest = largest.max(sum);
        }
        let [channels, height, width] = geometry.target;
        let mut positions = Vec::new();
        for row in 0..height {
            for column in 0..width {
                positions.extend((0..channels).map(|c| (c * height + row) * width + column));
            }
        }
        let (row_taps, column_taps) = (taps(&geometry, 0), taps(&geometry, 1));
        Self { geometry, kernel, row_taps, column_taps, positions, largest }
    }

    fn add<S: Sum>(&self, spikes: &[Spike], sums: &mut [S]) -> u64 {
        let [channels, height, width] = self.geometry.source.map(|n| n as usize);
        let groups = self.geometry.groups.max(1) as usize;
        let [outs, ins, kernel_rows, kernel_columns] =
            self.geometry.weight_shape().map(|n| n as usize);
        let (out_per_group, target_width) = (outs / groups, self.geometry.target[2] as usize);
        let mut visited = 0;
        for spike in spikes {
            let neuron = spike.neuron as usize;
            let (column, row) = (neuron % width, neuron / width % height);
            let channel = neuron / width / height;
            if channel >= channels {
                continue;
            }
            let group = channel / ins;
            let (rows, columns) = (&self.row_taps[row], &self.column_taps[column]);
            visited += (rows.len() * columns.len() * out_per_group) as u64;
            for &(target_row, kernel_row) in rows {
                let kernel_row = (channel * kernel_rows + kernel_row) * kernel_columns;
                for &(target_column, kernel_column) in columns {
                    let weights = (kernel_row + kernel_column) * out_per_group;
                    let position = (target_row * target_width + target_column) * outs;
                    let start = position + group * out_per_group;
                    let run = &self.kernel[weights..weights + out_per_group];
                    let sums = &mut sums[start..start + out_per_group];
                    for (sum, &weight) in sums.iter_mut().zip(run) {
                        *sum = sum.plus(weight, spike.payload);
                    }
                }
            }
        }
        visited
    }
}

impl SynapseTable for ConvolutionTable {
    fn add_plain(&self, spikes: &[Spike], sums: &mut [i32]) -> u64 {
        self.add(spikes, sums)
    }

    fn add_graded(&self, spikes: &[Spike], sums: &mut [i64]) -> u64 {
        self.add(spikes, sums)
    }

    fn largest_plain_sum(&self) -> u64 {
        self.largest
    }

    fn targets_of_positions(&self) -> Option<&[u32]> {
        Some(&self.positions)
    }
}

/// For each source position of an axis: which targets it reaches through which kernel element.
///
/// Walks only kernel elements that fall inside the source, so the work is that of the result.
fn taps(geometry: &Convolution, axis: usize) -> Vec<Vec<Tap>> {
    let (stride, dilation) = (geometry.stride[axis] as usize, geometry.dilation[axis] as usize);
    let (padding, kernel) = (geometry.padding[axis] as usize, geometry.kernel[axis] as usize);
    let (sources, targets) =
        (geometry.source[axis + 1] as usize, geometry.target[axis + 1] as usize);
    let is_empty = geometry.source.contains(&0) || geometry.target.contains(&0);
    let mut taps = vec![Vec::new(); if is_empty { 0 } else { sources }];
    for target in 0..if is_empty { 0 } else { targets } {
        let window = target * stride;
        let first = padding.saturating_sub(window).div_ceil(dilation);
        let end = (sources + padding).saturating_sub(window).div_ceil(dilation).min(kernel);
        for element in first..end {
            if let Some(taps) = taps.get_mut(window + element * dilation - padding) {
                taps.push((target, element));
            }
        }
    }
    taps
}
