//! A step function.

use super::primitive::primitive;
use crate::array::Array;

primitive! {
    /// `z = 1` where `v > threshold`, else 0.
    Threshold = "Threshold" {
        /// Thresholds.
        threshold: Array,
    }
    check |_node| Ok(())
}
