//! The sum over windows.

use super::primitive::check_window;
use super::primitive::primitive;

primitive! {
    /// The sum over windows of `[channels, height, width]`.
    SumPool2d = "SumPool2d" {
        /// Window `[height, width]`.
        kernel_size: [usize; 2],
        /// Step of the window `[down, right]`.
        stride: [usize; 2],
        /// Zeros on both sides `[height, width]`.
        padding: [usize; 2],
    }
    check |node| check_window(node.kernel_size, node.stride)
}
