//! The geometry of a convolution: which source neuron reaches which target through which weight.
//!
//! A convolution is a cross-correlation, as in PyTorch and ONNX: target `(o, y, x)` sums
//! `kernel[o, i, ky, kx] * source[i, y*stride + ky*dilation - padding_top, …]`.
//! The geometry alone is enough to walk all synapses, so that a shared kernel never has to be
//! expanded into one weight a synapse.

use serde::{Deserialize, Serialize};

/// Stride, padding, dilation and groups of a two-dimensional convolution, with its extents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Convolution {
    /// Source `[channels, height, width]`.
    pub source: [u32; 3],
    /// Target `[channels, height, width]`.
    pub target: [u32; 3],
    /// Kernel `[height, width]`.
    pub kernel: [u32; 2],
    /// Step of the window `[down, right]`.
    #[serde(default = "ones")]
    pub stride: [u32; 2],
    /// Zeros around the source `[top, left, bottom, right]`.
    #[serde(default)]
    pub padding: [u32; 4],
    /// Distance of neighbouring kernel elements `[down, right]`.
    #[serde(default = "ones")]
    pub dilation: [u32; 2],
    /// Source and target channels are cut into this many independent groups.
    #[serde(default = "one")]
    pub groups: u32,
}

pub(super) fn ones() -> [u32; 2] {
    [1, 1]
}

pub(super) fn one() -> u32 {
    1
}

/// One synapse of a convolution, seen from its source neuron.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvolutionSynapse {
    /// Index of the target neuron.
    pub target: u32,
    /// Index into the kernel weights `[out, in / groups, height, width]`.
    pub weight: u32,
}

/// What is wrong with a convolution's numbers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConvolutionError {
    /// A number that must be at least one is zero.
    #[error("{what} is 0; it must be at least 1")]
    Zero {
        /// Which number.
        what: &'static str,
    },
    /// Channels cannot be cut into that many groups.
    #[error("{channels} {side} channels cannot be cut into {groups} groups")]
    Groups {
        /// `source` or `target`.
        side: &'static str,
        /// Channels on that side.
        channels: u32,
        /// Groups asked for.
        groups: u32,
    },
    /// The stated target extent is not the one that the other numbers give.
    #[error(
        "target is {stated} {axis} but source {source_extent}, kernel {kernel}, stride {stride}, \
         padding {padding} and dilation {dilation} give {computed}"
    )]
    Extent {
        /// `rows` or `columns`.
        axis: &'static str,
        /// What the description says.
        stated: u32,
        /// What the formula gives.
        computed: u64,
        /// Source extent on this axis.
        source_extent: u32,
        /// Kernel extent on this axis.
        kernel: u32,
        /// Stride on this axis.
        stride: u32,
        /// Padding on this axis, both sides together.
        padding: u64,
        /// Dilation on this axis.
        dilation: u32,
    },
}

impl Convolution {
    /// The kernel's shape `[out, in / groups, height, width]`.
    pub fn weight_shape(&self) -> [u32; 4] {
        let groups = self.groups.max(1);
        [self.target[0], self.source[0] / groups, self.kernel[0], self.kernel[1]]
    }

    /// The number of shared weights.
    pub fn weight_count(&self) -> u64 {
        self.weight_shape().iter().fold(1, |product, &n| product.saturating_mul(n.into()))
    }

    /// Checks that all numbers fit together.
    ///
    /// # Errors
    /// The first [`ConvolutionError`] found.
    pub fn check(&self) -> Result<(), ConvolutionError> {
        let positive = [
            ("stride", self.stride[0].min(self.stride[1])),
            ("dilation", self.dilation[0].min(self.dilation[1])),
            ("kernel", self.kernel[0].min(self.kernel[1])),
            ("groups", self.groups),
        ];
        for (what, value) in positive {
            if value == 0 {
                return Err(ConvolutionError::Zero { what });
            }
        }
        for (side, channels) in [("source", self.source[0]), ("target", self.target[0])] {
            if channels % self.groups != 0 {
                return Err(ConvolutionError::Groups { side, channels, groups: self.groups });
            }
        }
        for axis in 0..2 {
            let padding = u64::from(self.padding[axis]) + u64::from(self.padding[axis + 2]);
            let computed = output_extent(
                self.source[axis + 1],
                self.kernel[axis],
                self.stride[axis],
                padding,
                self.dilation[axis],
            );
            if computed != u64::from(self.target[axis + 1]) {
                return Err(ConvolutionError::Extent {
                    axis: ["rows", "columns"][axis],
                    stated: self.target[axis + 1],
                    computed,
                    source_extent: self.source[axis + 1],
                    kernel: self.kernel[axis],
                    stride: self.stride[axis],
                    padding,
                    dilation: self.dilation[axis],
                });
            }
        }
        Ok(())
    }

    /// Calls `visit` for every synapse of one source neuron, in ascending order of the target.
    ///
    /// `source` must be below the number of source neurons; others have no synapse.
    pub fn for_each_target(&self, source: u32, mut visit: impl FnMut(ConvolutionSynapse)) {
        let [channels, height, width] = self.source;
        let (column, rest) = (source % width.max(1), source / width.max(1));
        let (row, channel) = (rest % height.max(1), rest / height.max(1));
        if channel >= channels {
            return;
        }
        let in_per_group = channels / self.groups;
        let out_per_group = self.target[0] / self.groups;
        let group = channel / in_per_group;
        let [_, target_height, target_width] = self.target;
        for out in group * out_per_group..(group + 1) * out_per_group {
            let kernel_base = (out * in_per_group + channel % in_per_group) * self.kernel[0];
            self.for_each_tap(0, row, |target_row, kernel_row| {
                let weight_base = (kernel_base + kernel_row) * self.kernel[1];
                let target_base = (out * target_height + target_row) * target_width;
                self.for_each_tap(1, column, |target_column, kernel_column| {
                    visit(ConvolutionSynapse {
                        target: target_base + target_column,
                        weight: weight_base + kernel_column,
                    });
                });
            });
        }
    }

    /// Calls `visit(target position, kernel position)` along one axis, targets ascending.
    pub(crate) fn for_each_tap(&self, axis: usize, position: u32, mut visit: impl FnMut(u32, u32)) {
        let padded = u64::from(position) + u64::from(self.padding[axis]);
        let (stride, dilation) = (u64::from(self.stride[axis]), u64::from(self.dilation[axis]));
        let reach = u64::from(self.kernel[axis] - 1) * dilation;
        let last = (padded / stride).min(u64::from(self.target[axis + 1]).saturating_sub(1));
        let mut target = padded.saturating_sub(reach).div_ceil(stride);
        while target <= last && self.target[axis + 1] > 0 {
            let offset = padded - target * stride;
            if offset % dilation == 0 {
                visit(target as u32, (offset / dilation) as u32);
            }
            target += 1;
        }
    }

    /// How often a kernel position meets a source position, along each axis.
    pub fn tap_counts(&self) -> [u64; 2] {
        [0, 1].map(|axis| {
            let mut count = 0;
            for position in 0..self.source[axis + 1] {
                self.for_each_tap(axis, position, |_, _| count += 1);
            }
            count
        })
    }

    /// The number of synapses, counted by walking one axis at a time.
    pub fn synapse_count(&self) -> u64 {
        let [rows, columns] = self.tap_counts();
        let channel_pairs =
            u64::from(self.source[0]) * u64::from(self.target[0] / self.groups.max(1));
        channel_pairs * rows * columns
    }
}

/// The extent of a convolution's output on one axis; 0 where the kernel is larger than the source.
pub fn output_extent(source: u32, kernel: u32, stride: u32, padding: u64, dilation: u32) -> u64 {
    let reach = u64::from(dilation) * u64::from(kernel.saturating_sub(1)) + 1;
    let padded = u64::from(source) + padding;
    if stride == 0 || padded < reach { 0 } else { (padded - reach) / u64::from(stride) + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All synapses by the definition: for every target and kernel element, which source it reads.
    fn by_definition(c: &Convolution) -> Vec<(u32, u32, u32)> {
        let mut all = Vec::new();
        let [_, height, width] = c.source;
        let (ipg, opg) = (c.source[0] / c.groups, c.target[0] / c.groups);
        for out in 0..c.target[0] {
            for y in 0..c.target[1] {
                for x in 0..c.target[2] {
                    for i in 0..ipg {
                        for ky in 0..c.kernel[0] {
                            for kx in 0..c.kernel[1] {
                                let row = i64::from(y * c.stride[0] + ky * c.dilation[0])
                                    - i64::from(c.padding[0]);
                                let column = i64::from(x * c.stride[1] + kx * c.dilation[1])
                                    - i64::from(c.padding[1]);
                                if row < 0 || column < 0 {
                                    continue;
                                }
                                let (row, column) = (row as u32, column as u32);
                                if row >= height || column >= width {
                                    continue;
                                }
                                let channel = out / opg * ipg + i;
                                let source = (channel * height + row) * width + column;
                                let target = (out * c.target[1] + y) * c.target[2] + x;
                                let weight =
                                    ((out * ipg + i) * c.kernel[0] + ky) * c.kernel[1] + kx;
                                all.push((source, target, weight));
                            }
                        }
                    }
                }
            }
        }
        all.sort_unstable();
        all
    }

    #[test]
    fn walking_from_the_source_visits_exactly_the_synapses_of_the_definition() {
        let mut cases = 0;
        for (stride, dilation, padding) in [
            ([1, 1], [1, 1], [0, 0, 0, 0]),
            ([1, 1], [1, 1], [1, 1, 1, 1]),
            ([2, 1], [1, 2], [2, 0, 1, 3]),
            ([3, 2], [2, 1], [0, 1, 2, 0]),
        ] {
            for (channels_in, channels_out, groups) in [(1, 3, 1), (4, 6, 2), (4, 4, 4)] {
                let (source, kernel) = ([channels_in, 9, 8], [3, 2]);
                let extent = |axis: usize| {
                    let pad = u64::from(padding[axis] + padding[axis + 2]);
                    let (s, k) = (source[axis + 1], kernel[axis]);
                    output_extent(s, k, stride[axis], pad, dilation[axis]) as u32
                };
                let target = [channels_out, extent(0), extent(1)];
                let c = Convolution { source, target, kernel, stride, padding, dilation, groups };
                c.check().unwrap();
                let mut walked = Vec::new();
                for neuron in 0..channels_in * 9 * 8 {
                    let mut previous = None;
                    c.for_each_target(neuron, |s| {
                        assert!(previous < Some(s.target), "targets ascend");
                        previous = Some(s.target);
                        walked.push((neuron, s.target, s.weight));
                    });
                }
                walked.sort_unstable();
                assert_eq!(walked, by_definition(&c));
                assert_eq!(walked.len() as u64, c.synapse_count());
                cases += 1;
            }
        }
        assert_eq!(cases, 12);
    }

    #[test]
    fn a_wrong_target_extent_is_named_with_the_right_one() {
        let c = Convolution {
            source: [1, 8, 8],
            target: [2, 5, 6],
            kernel: [3, 3],
            stride: [1, 1],
            padding: [0; 4],
            dilation: [1, 1],
            groups: 1,
        };
        let message = c.check().unwrap_err().to_string();
        assert!(message.contains("rows") && message.ends_with("give 6"), "{message}");
    }
}
