//! `ReduceMean` and `ReduceSum` over axes of a sample; over all pixels a mean is global pooling.

use super::{NodeContext, OperatorReader, Reading, Refusal, unsupported};
use crate::ann::operator::{Affine, GlobalAveragePool, Mean, Operator};

/// `ReduceMean`.
pub static READER: OperatorReader = OperatorReader { name: "ReduceMean", read };

/// `ReduceSum`: a mean times the number of values.
pub static SUM: OperatorReader = OperatorReader { name: "ReduceSum", read: sum };

fn read(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    let (operator, _) = mean(context)?;
    Ok(Reading::Node(operator, vec![context.activation(0)?]))
}

fn sum(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    let (operator, count) = mean(context)?;
    let factor = Affine::multiply(vec![count as f32]);
    Ok(Reading::chain(context.activation(0)?, [operator, factor.into()]))
}

/// The mean and how many values it is of.
fn mean(context: &NodeContext<'_>) -> Result<(Operator, usize), Refusal> {
    // Operator sets 13 and 18 turned the axes of sums and means from an attribute into an operand.
    let shape = context.shape(0)?;
    let stated = context.axes(1)?;
    if stated.is_empty() {
        return unsupported("stated axes, without the batch axis");
    }
    let mut axes = context.sample_axes(stated, shape.rank() + 1)?;
    axes.sort_unstable();
    axes.dedup();
    let count = axes.iter().map(|&axis| shape.extents()[axis]).product();
    let keep_axes = context.integer("keepdims").unwrap_or(1) != 0;
    let pixels = shape.rank() > 1 && axes.iter().copied().eq(1..shape.rank());
    let operator = match pixels {
        true => GlobalAveragePool { keep_axes }.into(),
        false => Mean { axes, keep_axes }.into(),
    };
    Ok((operator, count))
}
