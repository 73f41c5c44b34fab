//! `MatMul` by a constant: a dense layer without bias. A constant `Add` after it becomes the
//! bias when the graph is decluttered.
//!
//! On samples with several axes it works on the last one, which is a convolution of width 1 over
//! all others.

use super::gemm::matrix;
use super::{NodeContext, OperatorReader, Reading, Refusal};
use crate::ann::operator::Dense;
use crate::source::layer::over_last_axis;

/// The reader.
pub static READER: OperatorReader = OperatorReader { name: "MatMul", read };

fn read(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    let (extents, values) = context.weight(1)?;
    let (outputs, inputs, weight) = matrix(extents, values, false)?;
    let (input, shape) = (context.activation(0)?, context.shape(0)?);
    if shape.rank() > 1 {
        let Some(operators) = over_last_axis(shape, outputs, inputs, weight) else {
            let needed = format!("{inputs} values on the last axis; samples are {shape}");
            return Err(Refusal::Invalid(needed));
        };
        return Ok(Reading::chain(input, operators));
    }
    let dense = Dense { weight, bias: None, outputs, inputs };
    Ok(Reading::Node(dense.into(), vec![input]))
}
