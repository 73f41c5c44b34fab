//! Integrate and fire.

use super::primitive::primitive;
use super::primitive::same_shape;
use crate::array::Array;

primitive! {
    /// `v' = R I`; where `v > v_threshold` a spike leaves and `v` becomes `v_reset`.
    If = "IF" {
        /// Resistances R.
        r: Array,
        /// Thresholds; a spike leaves where `v > v_threshold`.
        v_threshold: Array,
        /// Potentials after a spike; zero in files that lack them.
        v_reset: Array = zeros_like(v_threshold),
    }
    check |node| same_shape(&[("r", &node.r), ("v_threshold", &node.v_threshold), ("v_reset", &node.v_reset)])
}
