//! Readers of ONNX operators, one a file (pointwise ones and shape arithmetic share a file each).
//!
//! To add one: write its file with a `pub static READER`, and add it to [`OPERATORS`].

mod arithmetic;
mod batch_normalization;
mod clip;
mod constant;
mod convolution;
mod flatten;
mod gemm;
mod matrix_product;
mod needed;
mod pass_through;
mod pooling;
mod reduce_mean;
mod relu;
mod reshape;
mod shape_arithmetic;
mod softmax;
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
    &batch_normalization::READER,
    &clip::READER,
    &constant::READER,
    &convolution::READER,
    &flatten::READER,
    &gemm::READER,
    &matrix_product::READER,
    &pass_through::DROPOUT,
    &pass_through::IDENTITY,
    &pooling::AVERAGE_POOL,
    &pooling::GLOBAL_AVERAGE_POOL,
    &pooling::MAX_POOL,
    &reduce_mean::READER,
    &relu::READER,
    &reshape::READER,
    &shape_arithmetic::CONCAT,
    &shape_arithmetic::GATHER,
    &shape_arithmetic::SHAPE,
    &shape_arithmetic::UNSQUEEZE,
    &softmax::READER,
];

/// The reader of an operator.
pub fn find(name: &str) -> Option<&'static OperatorReader> {
    OPERATORS.iter().copied().find(|reader| reader.name == name)
}

/// The names of the ONNX operators that can be read, in alphabetical order.
pub fn supported_operators() -> Vec<&'static str> {
    let mut names: Vec<&'static str> = OPERATORS.iter().map(|reader| reader.name).collect();
    names.sort_unstable();
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
