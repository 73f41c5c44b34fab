//! `Add`, `Sub`, `Mul`, `Div`, `Neg`, `Sum`: sums of branches, or a constant.

use super::broadcast::constant;
use super::{NodeContext, OperatorReader, Reading, Refusal, invalid, unsupported};
use crate::ann::operator::{Add, Affine, Identity, Operator};
use crate::source::onnx::node::ReadInput;

/// `Add` of two branches or of a constant.
pub static ADD: OperatorReader = OperatorReader { name: "Add", read: add };

/// `Sub` of a branch or a constant.
pub static SUB: OperatorReader = OperatorReader { name: "Sub", read: subtract };

/// `Neg`.
pub static NEG: OperatorReader = OperatorReader { name: "Neg", read: negate };

/// `Sum` of branches.
pub static SUM: OperatorReader = OperatorReader { name: "Sum", read: sum };

/// `Mul` by a constant.
pub static MUL: OperatorReader = OperatorReader { name: "Mul", read: multiply };

/// `Div` by a constant.
pub static DIV: OperatorReader = OperatorReader { name: "Div", read: divide };

fn add(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    if context.is_constant(0) || context.is_constant(1) {
        let (activation, other) = if context.is_constant(0) { (1, 0) } else { (0, 1) };
        let shift = constant(context, activation, other)?;
        return affine(context, activation, Affine::add(shift));
    }
    Ok(Reading::Node(Add.into(), vec![context.activation(0)?, context.activation(1)?]))
}

fn subtract(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    if context.is_constant(0) {
        let shift = constant(context, 1, 0)?;
        return affine(context, 1, Affine { gain: vec![-1.0], shift });
    }
    if !context.is_constant(1) {
        let (a, b) = (context.activation(0)?, context.activation(1)?);
        let minus = Affine::multiply(vec![-1.0]).into();
        return Ok(Reading::Steps(vec![
            (minus, vec![ReadInput::Node(b)]),
            (Add.into(), vec![ReadInput::Node(a), ReadInput::Step(0)]),
        ]));
    }
    let shift = constant(context, 0, 1)?.iter().map(|value| -value).collect();
    affine(context, 0, Affine::add(shift))
}

fn negate(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    affine(context, 0, Affine::multiply(vec![-1.0]))
}

/// A sum of any number of branches.
fn sum(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    let first = context.activation(0)?;
    if context.inputs.len() == 1 {
        return Ok(Reading::Node(Identity.into(), vec![first]));
    }
    let mut steps: Vec<(Operator, Vec<ReadInput>)> = Vec::new();
    let mut last = ReadInput::Node(first);
    for index in 1..context.inputs.len() {
        steps.push((Add.into(), vec![last, ReadInput::Node(context.activation(index)?)]));
        last = ReadInput::Step(steps.len() - 1);
    }
    Ok(Reading::Steps(steps))
}

fn multiply(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    if !context.is_constant(0) && !context.is_constant(1) {
        both_known(context)?;
        return unsupported("one operand to be a constant: spikes cannot carry products (gating)");
    }
    let (activation, other) = if context.is_constant(0) { (1, 0) } else { (0, 1) };
    let gain = constant(context, activation, other)?;
    affine(context, activation, Affine::multiply(gain))
}

fn divide(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    if !context.is_constant(1) {
        context.activation(1)?;
        return unsupported("a constant divisor: spikes cannot carry quotients");
    }
    let divisor = constant(context, 0, 1)?;
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
