//! An integrator.

use super::primitive::primitive;
use crate::array::Array;

primitive! {
    /// `v' = R I`.
    I = "I" {
        /// Resistances R.
        r: Array,
    }
    check |_node| Ok(())
}
