//! A pure delay.

use super::primitive::primitive;
use crate::array::Array;

primitive! {
    /// `y(t) = x(t - τ)`.
    Delay = "Delay" {
        /// Delays τ in the unit of time of the graph.
        delay: Array,
    }
    check |_node| Ok(())
}
