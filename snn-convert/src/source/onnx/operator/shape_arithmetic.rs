//! What an exporter writes for `x.view(x.size(0), -1)`: `Shape`, `Gather`, `Unsqueeze`, `Concat`
//! on shapes, all known while reading.
//!
//! The batch extent is not known; `Shape` gives 0 for it, which `Reshape` understands as "as it
//! was". Nothing that is supported computes with it, so the 0 cannot leak into a number.

use super::{NodeContext, OperatorReader, Reading, Refusal, invalid, unsupported};
use crate::source::onnx::tensor::{Elements, Tensor};

/// `Shape`.
pub static SHAPE: OperatorReader = OperatorReader { name: "Shape", read: shape };

/// `Gather` of one extent of a shape.
pub static GATHER: OperatorReader = OperatorReader { name: "Gather", read: gather };

/// `Unsqueeze` of a single number to a list.
pub static UNSQUEEZE: OperatorReader = OperatorReader { name: "Unsqueeze", read: unsqueeze };

/// `Concat` of lists of extents.
pub static CONCAT: OperatorReader = OperatorReader { name: "Concat", read: concat };

/// The most numbers a list of extents may have.
const MAXIMUM_LIST: usize = 64;

fn shape(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    if context.integer("start").unwrap_or(0) != 0 || context.integer("end").is_some() {
        return unsupported("the whole shape (attributes `start` and `end` left out)");
    }
    let extents = context.shape(0)?.extents().iter().map(|&extent| extent as i64);
    let extents = std::iter::once(0).chain(extents).collect();
    Ok(Reading::Constant(Tensor::integers(context.result_name(), extents)))
}

fn gather(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    let values = list(context, 0)?;
    let indices = context.constant(1)?;
    let (Elements::Integers(index), true) = (&indices.elements, indices.extents.is_empty()) else {
        return unsupported("a single index into a shape");
    };
    let index = index.first().copied().unwrap_or(0);
    let wrapped = if index < 0 { index.saturating_add(values.len() as i64) } else { index };
    match usize::try_from(wrapped).ok().and_then(|wrapped| values.get(wrapped)) {
        Some(&value) => Ok(Reading::Constant(Tensor::integer(context.result_name(), value))),
        None => invalid(format!("index {index} into a list of {}", values.len())),
    }
}

fn unsqueeze(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    match list(context, 0)? {
        &[value] => Ok(Reading::Constant(Tensor::integers(context.result_name(), vec![value]))),
        _ => unsupported("a single number (an extent) to make a list of"),
    }
}

fn concat(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    let mut all = Vec::new();
    for index in 0..context.inputs.len() {
        if context.inputs.len() > MAXIMUM_LIST || !context.is_constant(index) {
            // Reports an operand that depends on the sample, or passes on an unknown one.
            context.activation(index)?;
            return unsupported(
                "projections from several populations side by side (concatenation)",
            );
        }
        all.extend_from_slice(list(context, index)?);
    }
    if all.len() > MAXIMUM_LIST {
        return invalid(format!("a shape has at most {MAXIMUM_LIST} extents"));
    }
    Ok(Reading::Constant(Tensor::integers(context.result_name(), all)))
}

fn list<'a>(context: &'a NodeContext<'_>, index: usize) -> Result<&'a [i64], Refusal> {
    let values = context.index_list(index)?;
    if values.len() > MAXIMUM_LIST {
        return invalid(format!("a shape has at most {MAXIMUM_LIST} extents"));
    }
    Ok(values)
}
