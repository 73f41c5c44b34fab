//! Convolution of pictures.

use super::field::Padding;
use super::primitive::{check_convolution, primitive};
use crate::array::Array;

primitive! {
    /// Cross-correlation of `[channels, height, width]` plus a bias, as in PyTorch.
    Conv2d = "Conv2d" {
        /// Extents of the input `[height, width]`, where they are stated.
        input_shape: Option<[usize; 2]>,
        /// Kernels `[out, in / groups, height, width]`.
        weight: Array,
        /// Step of the window `[down, right]`.
        stride: [usize; 2],
        /// Zeros around the input `[height, width]`.
        padding: Padding<2>,
        /// Distance of neighbouring kernel elements `[down, right]`.
        dilation: [usize; 2],
        /// Independent groups of channels.
        groups: usize,
        /// Bias `[out]`.
        bias: Array,
    }
    check |node| check_convolution(
        2, &node.weight, &node.bias, &node.stride, &node.dilation, node.groups,
    )
}
