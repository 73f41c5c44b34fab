//! Convolution along one axis.

use super::field::Padding;
use super::primitive::{check_convolution, primitive};
use crate::array::Array;

primitive! {
    /// Cross-correlation of `[channels, length]` plus a bias.
    Conv1d = "Conv1d" {
        /// Length of the input, where it is stated.
        input_shape: Option<usize>,
        /// Kernels `[out, in / groups, length]`.
        weight: Array,
        /// Step of the window.
        stride: usize,
        /// Zeros around the input.
        padding: Padding<1>,
        /// Distance of neighbouring kernel elements.
        dilation: usize,
        /// Independent groups of channels.
        groups: usize,
        /// Bias `[out]`.
        bias: Array,
    }
    check |node| {
        let (stride, dilation) = ([node.stride], [node.dilation]);
        check_convolution(1, &node.weight, &node.bias, &stride, &dilation, node.groups)
    }
}
