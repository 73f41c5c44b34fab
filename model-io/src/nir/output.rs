//! Where signals leave.

use super::primitive::primitive;

primitive! {
    /// Where signals leave the graph.
    Output = "Output" {
        /// Extents of the signal, without batch and time.
        shape: Vec<usize>,
    }
    check |_node| Ok(())
}
