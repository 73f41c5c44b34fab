//! A leaky integrator.

use super::primitive::primitive;
use super::primitive::same_shape;
use crate::array::Array;

primitive! {
    /// `τ v' = (v_leak - v) + R I`.
    Li = "LI" {
        /// Time constants τ.
        tau: Array,
        /// Resistances R.
        r: Array,
        /// Potentials that the membrane leaks to.
        v_leak: Array,
    }
    check |node| same_shape(&[("tau", &node.tau), ("r", &node.r), ("v_leak", &node.v_leak)])
}
