//! ONNX models.
//!
//! Reads what PyTorch's two exporters and others write for feed-forward networks (operator sets 9
//! to 23), from bytes; weights in other files come from whoever knows the model's folder
//! ([`ExternalData`]). The batch axis, free or fixed, is removed. Files are not trusted: sizes are checked
//! before anything is allocated for them, and a damaged file gives an error that names the place.
//!
//! References: the ONNX specification, IR and operators, <https://onnx.ai/onnx/>.
mod error;
mod external;
mod fold;
pub mod message;
mod node;
mod operator;
mod order;
mod read;
mod tensor;

pub use error::{OnnxError, UnsupportedNode};
pub use external::{ExternalData, NoExternalData, Place};
pub use operator::supported_operators;
pub use read::{MAXIMUM_OPSET, MINIMUM_OPSET, OnnxOptions, read, read_model, read_with};
