//! Where signals enter.

use super::primitive::primitive;

primitive! {
    /// Where signals enter the graph.
    Input = "Input" {
        /// Extents of the signal, without batch and time.
        shape: Vec<usize>,
    }
    check |_node| Ok(())
}
