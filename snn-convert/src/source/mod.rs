//! Front ends: one folder a file format, all to the same graph.
pub mod onnx;
