//! A matrix product with a bias.

use super::primitive::{at_least_axes, primitive};
use crate::array::Array;

primitive! {
    /// `y = W x + b`.
    Affine = "Affine" {
        /// Weights `[…, out, in]`.
        weight: Array,
        /// Bias `[…, out]`.
        bias: Array,
    }
    check |node| {
        at_least_axes("weight", &node.weight, 2)?;
        let (weight, bias) = (&node.weight.shape, &node.bias.shape);
        let out = weight.get(weight.len() - 2);
        if bias.last() == out {
            return Ok(());
        }
        Err(format!("bias has shape {bias:?} but weight {weight:?}; expected one bias a row"))
    }
}
