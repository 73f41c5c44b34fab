//! `Clip`: limits as attributes (before operator set 11) or as operands.

use super::{NodeContext, OperatorReader, Reading, Refusal, invalid};
use crate::ann::operator::{Clip, Relu};
use crate::source::onnx::tensor::Elements;

/// The reader.
pub static READER: OperatorReader = OperatorReader { name: "Clip", read };

fn read(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    let (minimum, maximum) = if context.opset < 11 {
        (context.float("min"), context.float("max"))
    } else {
        (limit(context, 1)?, limit(context, 2)?)
    };
    // A limit that is left out, or is the largest number there is, limits nothing.
    let minimum = minimum.filter(|&value| value > f32::MIN).unwrap_or(f32::NEG_INFINITY);
    let maximum = maximum.filter(|&value| value < f32::MAX).unwrap_or(f32::INFINITY);
    let input = context.activation(0)?;
    if minimum == 0.0 && maximum == f32::INFINITY {
        return Ok(Reading::Node(Relu.into(), vec![input]));
    }
    Ok(Reading::Node(Clip { minimum, maximum }.into(), vec![input]))
}

fn limit(context: &NodeContext<'_>, index: usize) -> Result<Option<f32>, Refusal> {
    let Some(tensor) = context.optional_constant(index)? else { return Ok(None) };
    match &tensor.elements {
        Elements::Floats(values) => match values.as_slice() {
            [value] if !value.is_nan() => Ok(Some(*value)),
            [_] => invalid(format!("the limit `{}` is NaN", tensor.name)),
            _ => invalid(format!("the limit `{}` is no single number", tensor.name)),
        },
        Elements::Integers(_) => invalid(format!("the limit `{}` is no float32", tensor.name)),
    }
}
