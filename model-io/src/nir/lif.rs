//! Leaky integrate and fire.

use super::primitive::primitive;
use super::primitive::same_shape;
use crate::array::Array;

primitive! {
    /// `τ v' = (v_leak - v) + R I`; where `v > v_threshold` a spike leaves and `v` becomes `v_reset`.
    Lif = "LIF" {
        /// Time constants τ of the membrane.
        tau: Array,
        /// Resistances R.
        r: Array,
        /// Potentials that the membrane leaks to.
        v_leak: Array,
        /// Thresholds; a spike leaves where `v > v_threshold`.
        v_threshold: Array,
        /// Potentials after a spike; zero in files that lack them.
        v_reset: Array = zeros_like(v_threshold),
    }
    check |node| same_shape(&[("tau", &node.tau), ("r", &node.r), ("v_leak", &node.v_leak), ("v_threshold", &node.v_threshold), ("v_reset", &node.v_reset)])
}
