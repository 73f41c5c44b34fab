//! Numbers computed from constants.

use super::{batch, checked_size, invalid, operand, plain_integers};
use crate::source::onnx::message::element_type;
use crate::source::onnx::node::{NodeContext, Refusal};
use crate::source::onnx::tensor::{BATCH, Elements, Tensor};

type Floats = fn(f32, f32) -> f32;
type Integers = fn(i64, i64) -> Option<i64>;

pub fn add(context: &NodeContext<'_>, operands: &[&Tensor]) -> Result<Tensor, Refusal> {
    pairwise(context, operands, |a, b| a + b, i64::checked_add)
}

pub fn subtract(context: &NodeContext<'_>, operands: &[&Tensor]) -> Result<Tensor, Refusal> {
    pairwise(context, operands, |a, b| a - b, i64::checked_sub)
}

pub fn multiply(context: &NodeContext<'_>, operands: &[&Tensor]) -> Result<Tensor, Refusal> {
    pairwise(context, operands, |a, b| a * b, i64::checked_mul)
}

pub fn divide(context: &NodeContext<'_>, operands: &[&Tensor]) -> Result<Tensor, Refusal> {
    pairwise(context, operands, |a, b| a / b, i64::checked_div)
}

pub fn power(context: &NodeContext<'_>, operands: &[&Tensor]) -> Result<Tensor, Refusal> {
    let whole = |a: i64, b: i64| a.checked_pow(u32::try_from(b).ok()?);
    pairwise(context, operands, f32::powf, whole)
}

pub fn negate(context: &NodeContext<'_>, operands: &[&Tensor]) -> Result<Tensor, Refusal> {
    let source = operand(operands, 0)?;
    let elements = match &source.elements {
        Elements::Floats(values) => Elements::Floats(values.iter().map(|value| -value).collect()),
        Elements::Integers(_) => {
            let values = plain_integers(operands, 0)?;
            Elements::Integers(values.iter().map(|value| value.saturating_neg()).collect())
        }
    };
    Ok(result(context, source.extents.clone(), elements))
}

pub fn root(context: &NodeContext<'_>, operands: &[&Tensor]) -> Result<Tensor, Refusal> {
    each(context, operands, f32::sqrt)
}

pub fn reciprocal(context: &NodeContext<'_>, operands: &[&Tensor]) -> Result<Tensor, Refusal> {
    each(context, operands, f32::recip)
}

/// The product of all elements (exporters multiply the extents of a shape).
pub fn product(context: &NodeContext<'_>, operands: &[&Tensor]) -> Result<Tensor, Refusal> {
    let source = operand(operands, 0)?;
    if source.extents.len() > 1 {
        return invalid("a product over one of several axes is not computed");
    }
    let keep = context.integer("keepdims").unwrap_or(1) != 0;
    let extents = if keep { vec![1; source.extents.len()] } else { Vec::new() };
    let elements = match &source.elements {
        Elements::Floats(values) => Elements::Floats(vec![values.iter().product()]),
        Elements::Integers(_) => {
            let values = plain_integers(operands, 0)?;
            let product = values.iter().try_fold(1_i64, |a, &b| a.checked_mul(b));
            match product {
                Some(product) => Elements::Integers(vec![product]),
                None => return invalid("a product of extents overflows"),
            }
        }
    };
    Ok(result(context, extents, elements))
}

/// The Euclidean norm over all axes but the first (weight normalisation).
pub fn norm(context: &NodeContext<'_>, operands: &[&Tensor]) -> Result<Tensor, Refusal> {
    let source = operand(operands, 0)?;
    let Elements::Floats(values) = &source.elements else {
        return invalid("a norm needs numbers");
    };
    let axes = context.axes(1)?;
    let rank = source.extents.len();
    let others =
        (1..rank as i64).all(|axis| axes.contains(&axis) || axes.contains(&(axis - rank as i64)));
    let keep = context.integer("keepdims").unwrap_or(1) != 0;
    if rank == 0 || axes.len() + 1 != rank || !others || !keep {
        return invalid("only a norm over all axes but the first, which stay, is computed");
    }
    let rows = source.extents[0];
    let row = values.len().checked_div(rows).unwrap_or(0).max(1);
    let norms = values.chunks(row).map(|row| {
        let sum: f64 = row.iter().map(|&value| f64::from(value).powi(2)).sum();
        sum.sqrt() as f32
    });
    let mut extents = vec![1; rank];
    extents[0] = rows;
    let norms: Vec<f32> = norms.collect();
    if norms.len() != rows {
        return invalid("a norm of a tensor without elements");
    }
    Ok(result(context, extents, Elements::Floats(norms)))
}

pub fn cast(context: &NodeContext<'_>, operands: &[&Tensor]) -> Result<Tensor, Refusal> {
    use element_type::*;
    let source = operand(operands, 0)?;
    let to = context.integer("to").and_then(|to| i32::try_from(to).ok()).unwrap_or(0);
    let elements = match (&source.elements, to) {
        (Elements::Floats(values), FLOAT | FLOAT16 | DOUBLE | BFLOAT16) => {
            Elements::Floats(values.clone())
        }
        (Elements::Integers(_), FLOAT | FLOAT16 | DOUBLE | BFLOAT16) => {
            let values = plain_integers(operands, 0)?;
            Elements::Floats(values.iter().map(|&value| value as f32).collect())
        }
        (Elements::Integers(values), INT64 | INT32 | UINT64) => Elements::Integers(values.clone()),
        (Elements::Integers(values), BOOL) => {
            Elements::Integers(values.iter().map(|&value| i64::from(value != 0)).collect())
        }
        (Elements::Floats(values), INT64 | INT32) => {
            Elements::Integers(values.iter().map(|&value| value as i64).collect())
        }
        (_, other) => return invalid(format!("a cast to {}", element_type::name(other))),
    };
    Ok(result(context, source.extents.clone(), elements))
}

fn result(context: &NodeContext<'_>, extents: Vec<usize>, elements: Elements) -> Tensor {
    Tensor { name: context.result_name().to_owned(), extents, elements }
}

fn each(
    context: &NodeContext<'_>,
    operands: &[&Tensor],
    compute: fn(f32) -> f32,
) -> Result<Tensor, Refusal> {
    let source = operand(operands, 0)?;
    let Elements::Floats(values) = &source.elements else {
        return invalid(format!("`{}` must hold floats", source.name));
    };
    let values = values.iter().map(|&value| compute(value)).collect();
    Ok(result(context, source.extents.clone(), Elements::Floats(values)))
}

/// Two operands whose extents align at their ends (numpy's rule).
fn pairwise(
    context: &NodeContext<'_>,
    operands: &[&Tensor],
    floats: Floats,
    integers: Integers,
) -> Result<Tensor, Refusal> {
    let (a, b) = (operand(operands, 0)?, operand(operands, 1)?);
    let Some(extents) = aligned(&a.extents, &b.extents) else {
        return invalid(format!("extents {:?} and {:?} do not fit", a.extents, b.extents));
    };
    let size = checked_size(&extents, operands)?;
    let places =
        (0..size).map(|n| (place(n, &extents, &a.extents), place(n, &extents, &b.extents)));
    let elements = match (&a.elements, &b.elements) {
        (Elements::Floats(x), Elements::Floats(y)) => {
            let value = |(i, j): (usize, usize)| Some(floats(*x.get(i)?, *y.get(j)?));
            places.map(value).collect::<Option<Vec<f32>>>().map(Elements::Floats)
        }
        (Elements::Integers(x), Elements::Integers(y)) => {
            if x.contains(&BATCH) || y.contains(&BATCH) {
                return Err(batch());
            }
            let value = |(i, j): (usize, usize)| integers(*x.get(i)?, *y.get(j)?);
            places.map(value).collect::<Option<Vec<i64>>>().map(Elements::Integers)
        }
        _ => return invalid("one operand holds whole numbers, the other does not"),
    };
    match elements {
        Some(elements) => Ok(result(context, extents, elements)),
        None => invalid("a whole number overflows or is divided by 0"),
    }
}

/// The extents of the result of two operands.
pub(super) fn aligned(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let at = |extents: &[usize], axis: usize| {
        (axis + extents.len()).checked_sub(rank).and_then(|n| extents.get(n).copied()).unwrap_or(1)
    };
    (0..rank)
        .map(|axis| match (at(a, axis), at(b, axis)) {
            (x, y) if x == y || y == 1 => Some(x),
            (1, y) => Some(y),
            _ => None,
        })
        .collect()
}

/// The element of an operand that belongs to an element of the result.
pub(super) fn place(index: usize, result: &[usize], operand: &[usize]) -> usize {
    let (mut rest, mut place, mut stride) = (index, 0, 1);
    for (axis, &extent) in result.iter().enumerate().rev() {
        let position = rest % extent;
        rest /= extent;
        let own = (axis + operand.len()).checked_sub(result.len()).and_then(|n| operand.get(n));
        if let Some(&own) = own {
            place += if own == 1 { 0 } else { position * stride };
            stride *= own;
        }
    }
    place
}
