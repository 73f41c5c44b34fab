//! Readers of ONNX operators on values that depend on the sample, one a file (closely related ones
//! share a file). What is computed from constants alone is in `fold`.
//!
//! To add one: write its file with a `pub static READER`, and add it to [`OPERATORS`].

mod arithmetic;
mod arrangement;
mod batch_normalization;
mod broadcast;
mod clip;
mod constant;
mod convolution;
mod flatten;
mod gemm;
mod leaky_relu;
mod limits;
mod matrix_product;
mod needed;
mod pass_through;
mod pooling;
mod readout;
mod reduce_mean;
mod relu;
mod reshape;
mod strided_slice;
mod window;

pub use needed::what_is_needed;

use super::node::{NodeContext, Reading, Refusal};

/// How one ONNX operator is read.
pub struct OperatorReader {
    /// The operator's name in the specification.
    pub name: &'static str,
    /// Makes a node or a constant of it.
    pub read: fn(&NodeContext<'_>) -> Result<Reading, Refusal>,
}

/// The registry: one line an operator.
pub static OPERATORS: &[&OperatorReader] = &[
    &arithmetic::ADD,
    &arithmetic::SUB,
    &arithmetic::MUL,
    &arithmetic::DIV,
    &arithmetic::NEG,
    &arithmetic::SUM,
    &arrangement::CONCAT,
    &arrangement::PAD,
    &arrangement::SHAPE,
    &arrangement::SLICE,
    &arrangement::SQUEEZE,
    &arrangement::TRANSPOSE,
    &arrangement::UNSQUEEZE,
    &batch_normalization::READER,
    &clip::READER,
    &constant::READER,
    &convolution::READER,
    &flatten::READER,
    &gemm::READER,
    &leaky_relu::LEAKY,
    &leaky_relu::TRAINED,
    &limits::MAX,
    &limits::MIN,
    &matrix_product::READER,
    &pass_through::CAST,
    &pass_through::CAST_LIKE,
    &pass_through::DROPOUT,
    &pass_through::IDENTITY,
    &pooling::AVERAGE_POOL,
    &pooling::GLOBAL_AVERAGE_POOL,
    &pooling::GLOBAL_MAX_POOL,
    &pooling::MAX_POOL,
    &pooling::REDUCE_MAX,
    &readout::ARG_MAX,
    &readout::LOG_SOFTMAX,
    &readout::SIGMOID,
    &readout::SOFTMAX,
    &reduce_mean::READER,
    &reduce_mean::SUM,
    &relu::READER,
    &reshape::READER,
];

/// The reader of an operator.
pub fn find(name: &str) -> Option<&'static OperatorReader> {
    OPERATORS.iter().copied().find(|reader| reader.name == name)
}

/// The names of the ONNX operators that can be read, in alphabetical order; those that are only
/// computed from constants included.
pub fn supported_operators() -> Vec<&'static str> {
    let mut names: Vec<&'static str> = OPERATORS.iter().map(|reader| reader.name).collect();
    names.extend(super::fold::names());
    names.sort_unstable();
    names.dedup();
    names
}

/// A refusal that says what would be needed.
fn unsupported<T>(needed: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Unsupported(needed.into()))
}

/// A refusal that says what breaks the operator's definition.
fn invalid<T>(problem: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Invalid(problem.into()))
}
