//! Front ends: one folder a file format, all to the same graph.
pub mod half;
pub(crate) mod layer;
pub mod onnx;
