//! Operators that change nothing in a finished network: `Identity`, `Dropout`, `Cast`.

use super::{NodeContext, OperatorReader, Reading, Refusal, unsupported};
use crate::ann::operator::{Dropout, Identity};
use crate::source::onnx::message::element_type;
use crate::source::onnx::tensor::{BATCH, Elements, Tensor};

/// `Identity`; of a weight, another name for it.
pub static IDENTITY: OperatorReader = OperatorReader { name: "Identity", read: identity };

/// `Dropout`; its rate does not matter to a finished network.
pub static DROPOUT: OperatorReader = OperatorReader { name: "Dropout", read: dropout };

/// `Cast` between kinds of floats.
pub static CAST: OperatorReader = OperatorReader { name: "Cast", read: cast };

/// `CastLike`: the dynamo exporter gives constants the kind of an activation.
pub static CAST_LIKE: OperatorReader = OperatorReader { name: "CastLike", read: cast_like };

fn cast_like(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    if !context.is_constant(0) {
        return Ok(Reading::Node(Identity.into(), vec![context.activation(0)?]));
    }
    let source = context.constant(0)?;
    match &source.elements {
        Elements::Floats(_) => Ok(Reading::SameConstant(source.clone())),
        Elements::Integers(values) if values.contains(&BATCH) => {
            unsupported("a result that does not depend on the size of the batch")
        }
        Elements::Integers(values) => Ok(Reading::Constant(Tensor {
            name: context.result_name().to_owned(),
            extents: source.extents.clone(),
            elements: Elements::Floats(values.iter().map(|&value| value as f32).collect()),
        })),
    }
}

fn identity(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    if context.is_constant(0) {
        return Ok(Reading::SameConstant(context.constant(0)?.clone()));
    }
    Ok(Reading::Node(Identity.into(), vec![context.activation(0)?]))
}

fn dropout(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    if let Some(training) = context.optional_constant(2)?
        && matches!(&training.elements, Elements::Integers(values) if values.iter().any(|&v| v != 0))
    {
        return unsupported("training_mode = false: call `model.eval()` before the export");
    }
    Ok(Reading::Node(Dropout.into(), vec![context.activation(0)?]))
}

fn cast(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    use element_type::{BFLOAT16, DOUBLE, FLOAT, FLOAT16};
    let to = context.integer("to").and_then(|to| i32::try_from(to).ok()).unwrap_or(0);
    let input = context.activation(0)?;
    let class = context.is_class(input);
    if ![FLOAT, DOUBLE, FLOAT16, BFLOAT16].contains(&to) && !class {
        return unsupported(format!(
            "floats throughout; a cast to {} cuts values off",
            element_type::name(to)
        ));
    }
    Ok(Reading::Node(Identity.into(), vec![input]))
}
