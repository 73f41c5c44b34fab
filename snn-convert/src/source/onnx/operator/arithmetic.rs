//! `Add`, `Sub`, `Mul`, `Div`: a sum of branches, or a constant.

use super::{NodeContext, OperatorReader, Reading, Refusal, invalid, unsupported};
use crate::ann::operator::{Add, Affine};

/// `Add` of two branches or of a constant.
pub static ADD: OperatorReader = OperatorReader { name: "Add", read: add };

/// `Sub` with a constant on one side.
pub static SUB: OperatorReader = OperatorReader { name: "Sub", read: subtract };

/// `Mul` by a constant.
pub static MUL: OperatorReader = OperatorReader { name: "Mul", read: multiply };

/// `Div` by a constant.
pub static DIV: OperatorReader = OperatorReader { name: "Div", read: divide };

fn add(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    if context.is_constant(0) || context.is_constant(1) {
        let (activation, constant) = if context.is_constant(0) { (1, 0) } else { (0, 1) };
        let shift = per_channel(context, activation, constant)?;
        return affine(context, activation, Affine::add(shift));
    }
    Ok(Reading::Node(Add.into(), vec![context.activation(0)?, context.activation(1)?]))
}

fn subtract(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    if context.is_constant(0) {
        let shift = per_channel(context, 1, 0)?;
        return affine(context, 1, Affine { gain: vec![-1.0], shift });
    }
    if !context.is_constant(1) {
        both_known(context)?;
        return unsupported("one operand to be a constant; differences of branches are not read");
    }
    let shift = per_channel(context, 0, 1)?.iter().map(|value| -value).collect();
    affine(context, 0, Affine::add(shift))
}

fn multiply(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    if !context.is_constant(0) && !context.is_constant(1) {
        both_known(context)?;
        return unsupported("one operand to be a constant: spikes cannot carry products (gating)");
    }
    let (activation, constant) = if context.is_constant(0) { (1, 0) } else { (0, 1) };
    let gain = per_channel(context, activation, constant)?;
    affine(context, activation, Affine::multiply(gain))
}

fn divide(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    if !context.is_constant(1) {
        context.activation(1)?;
        return unsupported("a constant divisor: spikes cannot carry quotients");
    }
    let divisor = per_channel(context, 0, 1)?;
    if divisor.contains(&0.0) {
        return invalid("the divisor is 0");
    }
    affine(context, 0, Affine::multiply(divisor.iter().map(|value| value.recip()).collect()))
}

/// Passes on that an operand could not be read.
fn both_known(context: &NodeContext<'_>) -> Result<(), Refusal> {
    context.activation(0)?;
    context.activation(1)?;
    Ok(())
}

fn affine(
    context: &NodeContext<'_>,
    activation: usize,
    affine: Affine,
) -> Result<Reading, Refusal> {
    Ok(Reading::Node(affine.into(), vec![context.activation(activation)?]))
}

/// A constant as one number, or one a channel of the activation.
///
/// Extents align at their ends (NumPy's rule). Behind the batch axis only the channel axis may
/// be longer than 1.
fn per_channel(
    context: &NodeContext<'_>,
    activation: usize,
    constant: usize,
) -> Result<Vec<f32>, Refusal> {
    let (extents, values) = context.weight(constant)?;
    let shape = context.shape(activation)?;
    // With more axes than the activation it would raise the activation's rank.
    let rank = shape.rank();
    let aligned = extents.len() <= rank + 1;
    let at_channel_axis = || extents.iter().rev().nth(rank - 1) == Some(&shape.channels());
    let fits =
        aligned && (values.len() == 1 || values.len() == shape.channels() && at_channel_axis());
    if !fits {
        return unsupported(format!(
            "a constant that is one number or one a channel ({} of them); its extents are \
             {extents:?}, for samples of {shape}",
            shape.channels()
        ));
    }
    Ok(values.to_vec())
}
