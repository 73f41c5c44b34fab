//! A factor.

use super::primitive::primitive;
use crate::array::Array;

primitive! {
    /// `y = s x`, element by element.
    Scale = "Scale" {
        /// Factors.
        scale: Array,
    }
    check |_node| Ok(())
}
