//! `Softmax`, `LogSoftmax`, `Sigmoid`, `ArgMax`: functions of finished scores.
//!
//! They are read wherever they stand, so that the network can be evaluated; only at its end can
//! they be converted.

use super::{NodeContext, OperatorReader, Reading, Refusal, unsupported};
use crate::ann::SampleShape;
use crate::ann::operator::{ArgMax, LogSoftmax, Operator, Reshape, Sigmoid, Softmax};

/// `Softmax`.
pub static SOFTMAX: OperatorReader = OperatorReader { name: "Softmax", read: softmax };

/// `LogSoftmax`.
pub static LOG_SOFTMAX: OperatorReader = OperatorReader { name: "LogSoftmax", read: log_softmax };

/// `Sigmoid`.
pub static SIGMOID: OperatorReader = OperatorReader { name: "Sigmoid", read: sigmoid };

/// `ArgMax`.
pub static ARG_MAX: OperatorReader = OperatorReader { name: "ArgMax", read: arg_max };

fn softmax(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    over_scores(context, |axis| Softmax { axis }.into())
}

fn log_softmax(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    over_scores(context, |axis| LogSoftmax { axis }.into())
}

fn sigmoid(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    Ok(Reading::Node(Sigmoid.into(), vec![context.activation(0)?]))
}

/// Before operator set 13 all axes from the stated one on counted as one.
fn over_scores(
    context: &NodeContext<'_>,
    operator: fn(usize) -> Operator,
) -> Result<Reading, Refusal> {
    let old = context.opset < 13;
    let stated = context.integer("axis").unwrap_or(if old { 1 } else { -1 });
    let (input, shape) = (context.activation(0)?, context.shape(0)?);
    let axes = context.sample_axes(&[stated], shape.rank() + 1)?;
    let axis = axes.first().copied().unwrap_or(0);
    let last = shape.extents().iter().skip(axis + 1).all(|&extent| extent == 1);
    if !old || last {
        return Ok(Reading::Node(operator(axis), vec![input]));
    }
    let (outer, inner) = shape.extents().split_at(axis);
    let mut flat = outer.to_vec();
    flat.push(inner.iter().product());
    let Ok(flat) = SampleShape::new(flat) else {
        return unsupported("scores with fewer axes");
    };
    let back = Reshape { shape: shape.clone() };
    Ok(Reading::chain(input, [Reshape { shape: flat }.into(), operator(axis), back.into()]))
}

fn arg_max(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    let (input, shape) = (context.activation(0)?, context.shape(0)?);
    let stated = context.integer("axis").unwrap_or(0);
    let axes = context.sample_axes(&[stated], shape.rank() + 1)?;
    if context.integer("select_last_index").unwrap_or(0) != 0 {
        return unsupported("the first of equal scores (select_last_index = 0)");
    }
    let keep_axis = context.integer("keepdims").unwrap_or(1) != 0;
    let axis = axes.first().copied().unwrap_or(0);
    Ok(Reading::Node(ArgMax { axis, keep_axis }.into(), vec![input]))
}
