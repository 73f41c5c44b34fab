//! A leaky integrator with synaptic current.

use super::primitive::primitive;
use super::primitive::same_shape;
use crate::array::Array;

primitive! {
    /// `τ_syn I' = -I + w_in S`; `τ_mem v' = (v_leak - v) + R I`.
    CubaLi = "CubaLI" {
        /// Time constants of the synaptic current.
        tau_syn: Array,
        /// Time constants of the membrane.
        tau_mem: Array,
        /// Resistances R.
        r: Array,
        /// Potentials that the membrane leaks to.
        v_leak: Array,
        /// Factors of the input.
        w_in: Array,
    }
    check |node| same_shape(&[("tau_syn", &node.tau_syn), ("tau_mem", &node.tau_mem), ("r", &node.r), ("v_leak", &node.v_leak), ("w_in", &node.w_in)])
}
