//! Axes made one.

use super::primitive::primitive;

primitive! {
    /// The axes `start_dim..=end_dim` become one; the batch is no axis.
    Flatten = "Flatten" {
        /// Extents of the input, where they are stated.
        input_type: Option<Vec<usize>>,
        /// First axis.
        start_dim: i64,
        /// Last axis; -1 is the last one of the input.
        end_dim: i64,
    }
    check |_node| Ok(())
}
