//! Front ends: one folder a file format, all to the same graph.
//!
//! ONNX and Keras files say how their network is built. PyTorch's state dicts and safetensors
//! files hold tensors only: an [`architecture`] says how they belong together.
pub mod architecture;
mod error;
pub mod half;
pub mod keras;
pub(crate) mod layer;
pub mod onnx;
pub mod pytorch;
pub mod safetensors;
pub mod weights;

pub use error::SourceError;
