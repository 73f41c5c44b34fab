//! A matrix product.

use super::primitive::at_least_axes;
use super::primitive::primitive;
use crate::array::Array;

primitive! {
    /// `y = W x`.
    Linear = "Linear" {
        /// Weights `[…, out, in]`.
        weight: Array,
    }
    check |node| at_least_axes("weight", &node.weight, 2)
}
