//! `Concat`, `Transpose`, `Squeeze`, `Unsqueeze`, `Pad`, `Slice` of values that depend on the
//! sample; `Shape` of them.

use super::{NodeContext, OperatorReader, Reading, Refusal, invalid, unsupported};
use crate::ann::operator::{Concat, Identity, Operator, Pad, Reshape, Transpose};
use crate::ann::{NodeId, SampleShape};
use crate::source::onnx::fold::shape_range;
use crate::source::onnx::tensor::{BATCH, Elements, Tensor};

/// `Shape`: known while reading, but for the batch.
pub static SHAPE: OperatorReader = OperatorReader { name: "Shape", read: shape };

/// `Concat`.
pub static CONCAT: OperatorReader = OperatorReader { name: "Concat", read: concat };

/// `Transpose`.
pub static TRANSPOSE: OperatorReader = OperatorReader { name: "Transpose", read: transpose };

/// `Squeeze`.
pub static SQUEEZE: OperatorReader = OperatorReader { name: "Squeeze", read: squeeze };

/// `Unsqueeze`.
pub static UNSQUEEZE: OperatorReader = OperatorReader { name: "Unsqueeze", read: unsqueeze };

/// `Pad` with a constant.
pub static PAD: OperatorReader = OperatorReader { name: "Pad", read: pad };

/// `Slice` without gaps.
pub static SLICE: OperatorReader = OperatorReader { name: "Slice", read: slice };

fn shape(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    let extents = context.shape(0)?.extents().iter().map(|&extent| extent as i64);
    let all: Vec<i64> = std::iter::once(BATCH).chain(extents).collect();
    let range = shape_range(context, all.len());
    let part = all.get(range).unwrap_or_default().to_vec();
    Ok(Reading::Constant(Tensor::integers(context.result_name(), part)))
}

fn concat(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    let mut inputs: Vec<NodeId> = Vec::with_capacity(context.inputs.len());
    for index in 0..context.inputs.len() {
        inputs.push(context.activation(index)?);
    }
    let rank = context.shape(0)?.rank() + 1;
    let axes = context.sample_axes(&[context.integer("axis").unwrap_or(1)], rank)?;
    let concat = Concat { axis: axes.first().copied().unwrap_or(0), operands: inputs.len() };
    Ok(Reading::Node(concat.into(), inputs))
}

fn transpose(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    let (input, shape) = (context.activation(0)?, context.shape(0)?);
    let rank = shape.rank() + 1;
    let reversed: Vec<i64> = (0..rank as i64).rev().collect();
    let stated = context.integers("perm").filter(|stated| !stated.is_empty());
    let Some((&0, rest)) = stated.unwrap_or(&reversed).split_first() else {
        return unsupported("the batch axis in its place (perm starts with 0)");
    };
    let permutation = context.sample_axes(rest, rank)?;
    Ok(Reading::Node(Transpose { permutation }.into(), vec![input]))
}

fn squeeze(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    let (input, shape) = (context.activation(0)?, context.shape(0)?);
    let stated = context.axes(1)?;
    if stated.is_empty() && context.batch == Some(1) {
        return unsupported("stated axes: without them the batch of 1 would go too");
    }
    let gone = context.sample_axes(stated, shape.rank() + 1)?;
    let mut extents = Vec::new();
    for (axis, &extent) in shape.extents().iter().enumerate() {
        match gone.contains(&axis) {
            true if extent != 1 => {
                return invalid(format!("an axis of extent {extent} cannot be squeezed"));
            }
            true => {}
            false if stated.is_empty() && extent == 1 => {}
            false => extents.push(extent),
        }
    }
    if extents.is_empty() {
        extents.push(1);
    }
    reshaped(input, extents)
}

fn unsqueeze(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    let (input, shape) = (context.activation(0)?, context.shape(0)?);
    let stated = context.axes(1)?;
    let rank = shape.rank().saturating_add(stated.len());
    let new = context.sample_axes(stated, rank.saturating_add(1))?;
    let mut old = shape.extents().iter().copied();
    let mut extents = Vec::new();
    for axis in 0..rank.min(crate::ann::shape::MAXIMUM_RANK + 1) {
        extents.push(if new.contains(&axis) { 1 } else { old.next().unwrap_or(1) });
    }
    reshaped(input, extents)
}

fn reshaped(input: NodeId, extents: Vec<usize>) -> Result<Reading, Refusal> {
    match SampleShape::new(extents) {
        Ok(shape) => Ok(Reading::Node(Reshape { shape }.into(), vec![input])),
        Err(problem) => invalid(format!("its result is impossible: {problem}")),
    }
}

fn pad(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    let (input, shape) = (context.activation(0)?, context.shape(0)?);
    let mode = context.text("mode").unwrap_or_default();
    if !["", "constant"].contains(&mode.as_str()) {
        return unsupported(format!("padding with a constant; its mode is `{mode:.40}`"));
    }
    // Operator set 11 turned borders and value from attributes into operands.
    let borders = match context.has(1) {
        true => context.index_list(1)?,
        false => context.integers("pads").unwrap_or_default(),
    };
    let value = match context.optional_constant(2)?.map(|tensor| &tensor.elements) {
        Some(Elements::Floats(values)) => values.first().copied().unwrap_or(0.0),
        Some(Elements::Integers(_)) => return invalid("its constant is no float"),
        None => context.float("value").unwrap_or(0.0),
    };
    let rank = shape.rank() + 1;
    let axes: Vec<i64> = match context.has(3) {
        true => context.index_list(3)?.to_vec(),
        false => (0..rank as i64).collect(),
    };
    if borders.len() != axes.len().saturating_mul(2) || axes.len() > rank {
        return invalid(format!("it has {} borders for {} axes", borders.len(), axes.len()));
    }
    let mut pad = Pad { before: vec![0; rank - 1], after: vec![0; rank - 1], value };
    for (number, &axis) in axes.iter().enumerate() {
        let (before, after) = (borders[number], borders[axes.len() + number]);
        if before == 0 && after == 0 {
            continue;
        }
        for axis in context.sample_axes(&[axis], rank)? {
            (pad.before[axis], pad.after[axis]) = (before, after);
        }
    }
    Ok(Reading::Node(pad.into(), vec![input]))
}

/// A part of the values is a negative border.
fn slice(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    let (input, shape) = (context.activation(0)?, context.shape(0)?);
    let rank = shape.rank() + 1;
    let list = |index: usize, name: &str| match context.has(index) {
        true => context.index_list(index),
        false => Ok(context.integers(name).unwrap_or_default()),
    };
    let (starts, ends) = (list(1, "starts")?, list(2, "ends")?);
    let stated = list(3, "axes")?;
    let axes: Vec<i64> = match stated.is_empty() {
        true => (0..starts.len().min(rank + 1) as i64).collect(),
        false => stated.to_vec(),
    };
    if starts.len() != axes.len() || ends.len() != axes.len() || axes.len() > rank {
        return invalid("starts, ends and axes have different lengths");
    }
    let steps = list(4, "steps")?;
    if steps.iter().any(|&step| step != 1) {
        return super::strided_slice::read(context, [starts, ends, steps], &axes);
    }
    let mut pad = Pad { before: vec![0; rank - 1], after: vec![0; rank - 1], value: 0.0 };
    for (number, &axis) in axes.iter().enumerate() {
        // The whole batch: exporters write the largest number for its end.
        let whole = starts[number] == 0 && ends[number] >= i64::from(i32::MAX);
        if whole && (axis == 0 || axis.checked_add(rank as i64) == Some(0)) {
            continue;
        }
        for axis in context.sample_axes(&[axis], rank)? {
            let extent = shape.extents()[axis] as i64;
            let limit = |value: i64| {
                let positive = if value < 0 { value.saturating_add(extent) } else { value };
                positive.clamp(0, extent)
            };
            let (start, end) = (limit(starts[number]), limit(ends[number]));
            (pad.before[axis], pad.after[axis]) = (-start, end - extent);
        }
    }
    let whole = pad.before.iter().chain(&pad.after).all(|&cells| cells == 0);
    let operator: Operator = if whole { Identity.into() } else { pad.into() };
    Ok(Reading::Node(operator, vec![input]))
}
