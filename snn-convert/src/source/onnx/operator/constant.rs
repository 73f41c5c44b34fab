//! `Constant`.

use super::{NodeContext, OperatorReader, Reading, Refusal, unsupported};
use crate::source::onnx::tensor::{Elements, Tensor};

/// The reader.
pub static READER: OperatorReader = OperatorReader { name: "Constant", read };

fn read(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    if let Some(tensor) = context.tensor("value")? {
        return Ok(Reading::Constant(tensor));
    }
    let name = context.result_name();
    let floats = |extents, values: Vec<f32>| Tensor {
        name: name.to_owned(),
        extents,
        elements: Elements::Floats(values),
    };
    let tensor = if let Some(value) = context.float("value_float") {
        floats(Vec::new(), vec![value])
    } else if let Some(values) = context.floats("value_floats") {
        floats(vec![values.len()], values.to_vec())
    } else if let Some(value) = context.integer("value_int") {
        Tensor::integer(name, value)
    } else if let Some(values) = context.integers("value_ints") {
        Tensor::integers(name, values.to_vec())
    } else {
        return unsupported("a constant of numbers (attribute `value`)");
    };
    Ok(Reading::Constant(tensor))
}
