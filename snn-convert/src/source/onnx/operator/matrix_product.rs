//! `MatMul` by a constant: a dense layer without bias. A constant `Add` after it becomes the
//! bias when the graph is decluttered.

use super::gemm::matrix;
use super::{NodeContext, OperatorReader, Reading, Refusal};
use crate::ann::operator::Dense;

/// The reader.
pub static READER: OperatorReader = OperatorReader { name: "MatMul", read };

fn read(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    let (extents, values) = context.weight(1)?;
    let (outputs, inputs, weight) = matrix(extents, values, false)?;
    let dense = Dense { weight, bias: None, outputs, inputs };
    Ok(Reading::Node(dense.into(), vec![context.activation(0)?]))
}
