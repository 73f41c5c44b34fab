//! `Max` and `Min` with a constant: a clip.

use super::broadcast::constant;
use super::{NodeContext, OperatorReader, Reading, Refusal, unsupported};
use crate::ann::operator::{Clip, Relu};

/// `Max`.
pub static MAX: OperatorReader = OperatorReader { name: "Max", read: maximum };

/// `Min`.
pub static MIN: OperatorReader = OperatorReader { name: "Min", read: minimum };

fn maximum(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    let (activation, limit) = limit(context)?;
    let input = vec![context.activation(activation)?];
    if limit == 0.0 {
        return Ok(Reading::Node(Relu.into(), input));
    }
    Ok(Reading::Node(Clip { minimum: limit, maximum: f32::INFINITY }.into(), input))
}

fn minimum(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    let (activation, limit) = limit(context)?;
    let clip = Clip { minimum: f32::NEG_INFINITY, maximum: limit };
    Ok(Reading::Node(clip.into(), vec![context.activation(activation)?]))
}

fn limit(context: &NodeContext<'_>) -> Result<(usize, f32), Refusal> {
    if context.inputs.len() != 2 || context.is_constant(0) == context.is_constant(1) {
        for index in 0..context.inputs.len().min(2) {
            context.activation(index)?;
        }
        return unsupported("one value that depends on the sample, and one constant");
    }
    let (activation, other) = if context.is_constant(0) { (1, 0) } else { (0, 1) };
    let values = constant(context, activation, other)?;
    match values.split_first() {
        Some((&limit, rest)) if rest.iter().all(|&value| value == limit) => Ok((activation, limit)),
        _ => unsupported("one limit for all values"),
    }
}
