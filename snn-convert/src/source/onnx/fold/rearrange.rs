//! Constants in another shape or order.

use super::arithmetic::{aligned, place};
use super::{axis_of, checked_size, invalid, operand, pick, plain_integers};
use crate::source::onnx::node::{NodeContext, Refusal};
use crate::source::onnx::tensor::{Elements, Tensor};

fn result(context: &NodeContext<'_>, extents: Vec<usize>, elements: Elements) -> Tensor {
    Tensor { name: context.result_name().to_owned(), extents, elements }
}

pub fn shape(context: &NodeContext<'_>, operands: &[&Tensor]) -> Result<Tensor, Refusal> {
    let extents = &operand(operands, 0)?.extents;
    let range = shape_range(context, extents.len());
    let part = extents.get(range).unwrap_or_default();
    let part = part.iter().map(|&extent| extent as i64).collect();
    Ok(Tensor::integers(context.result_name(), part))
}

/// The axes that `Shape` gives, by its attributes `start` and `end`.
pub fn shape_range(context: &NodeContext<'_>, rank: usize) -> std::ops::Range<usize> {
    let limit = |value: i64| {
        let positive = if value < 0 { value.saturating_add(rank as i64) } else { value };
        positive.clamp(0, rank as i64) as usize
    };
    let start = limit(context.integer("start").unwrap_or(0));
    let end = context.integer("end").map_or(rank, limit);
    start..end.max(start)
}

pub fn concat(context: &NodeContext<'_>, operands: &[&Tensor]) -> Result<Tensor, Refusal> {
    let first = operand(operands, 0)?;
    let rank = first.extents.len();
    let axis = axis_of(context.integer("axis").unwrap_or(0), rank)?;
    let mut extents = first.extents.clone();
    extents[axis] = 0;
    for tensor in operands {
        let fits = tensor.extents.len() == rank
            && (0..rank).all(|n| n == axis || tensor.extents[n] == extents[n]);
        if !fits {
            return invalid("the operands' extents do not fit each other");
        }
        extents[axis] = extents[axis].saturating_add(tensor.extents[axis]);
    }
    let total: usize = operands.iter().map(|tensor| tensor.elements.len()).sum();
    let size = checked_size(&extents, operands)?;
    if size != total {
        return invalid("the operands' extents do not fit their elements");
    }
    let outer: usize = extents[..axis].iter().product();
    fn join<T: Copy>(parts: &[&[T]], outer: usize, total: usize) -> Vec<T> {
        let mut all = Vec::with_capacity(total);
        for block in 0..outer {
            for part in parts {
                let length = part.len() / outer;
                all.extend_from_slice(&part[block * length..(block + 1) * length]);
            }
        }
        all
    }
    let floats: Option<Vec<&[f32]>> = operands
        .iter()
        .map(|tensor| match &tensor.elements {
            Elements::Floats(values) => Some(values.as_slice()),
            Elements::Integers(_) => None,
        })
        .collect();
    let integers: Option<Vec<&[i64]>> = operands
        .iter()
        .map(|tensor| match &tensor.elements {
            Elements::Integers(values) => Some(values.as_slice()),
            Elements::Floats(_) => None,
        })
        .collect();
    let elements = match (floats, integers) {
        (Some(parts), _) => Elements::Floats(join(&parts, outer, total)),
        (_, Some(parts)) => Elements::Integers(join(&parts, outer, total)),
        _ => return invalid("some operands hold whole numbers, others do not"),
    };
    Ok(result(context, extents, elements))
}

pub fn constant_of_shape(
    context: &NodeContext<'_>,
    operands: &[&Tensor],
) -> Result<Tensor, Refusal> {
    let mut extents = Vec::new();
    for &extent in plain_integers(operands, 0)?.iter().take(17) {
        match usize::try_from(extent) {
            Ok(extent) => extents.push(extent),
            Err(_) => return invalid(format!("extent {extent}")),
        }
    }
    let size = Tensor::size(&extents).filter(|&size| size <= context.filled && extents.len() <= 16);
    let Some(size) = size else {
        let (rank, left) = (extents.len().min(16), context.filled);
        return invalid(format!(
            "a constant of extents {:?} would be filled with one number; {left} more elements are \
             allowed in this model",
            &extents[..rank]
        ));
    };
    let value = context.tensor("value")?;
    let elements = match value.map(|tensor| tensor.elements) {
        Some(Elements::Integers(values)) => {
            Elements::Integers(vec![values.first().copied().unwrap_or(0); size])
        }
        Some(Elements::Floats(values)) => {
            Elements::Floats(vec![values.first().copied().unwrap_or(0.0); size])
        }
        None => Elements::Floats(vec![0.0; size]),
    };
    Ok(result(context, extents, elements))
}

pub fn expand(context: &NodeContext<'_>, operands: &[&Tensor]) -> Result<Tensor, Refusal> {
    let source = operand(operands, 0)?;
    let target = plain_integers(operands, 1)?;
    let target: Option<Vec<usize>> =
        target.iter().take(17).map(|&extent| usize::try_from(extent).ok()).collect();
    let extents = target.and_then(|target| aligned(&source.extents, &target));
    let Some(extents) = extents else {
        return invalid(format!("extents {:?} cannot be enlarged in this way", source.extents));
    };
    let size = checked_size(&extents, operands)?;
    let places = (0..size).map(|index| place(index, &extents, &source.extents));
    let elements = pick(source, places)?;
    Ok(result(context, extents, elements))
}

pub fn flatten(context: &NodeContext<'_>, operands: &[&Tensor]) -> Result<Tensor, Refusal> {
    let source = operand(operands, 0)?;
    let axis = context.integer("axis").unwrap_or(1);
    let rank = source.extents.len();
    let axis = if axis == rank as i64 { rank } else { axis_of(axis, rank)? };
    let rows: usize = source.extents[..axis].iter().product();
    let columns: usize = source.extents[axis..].iter().product();
    Ok(result(context, vec![rows, columns], source.elements.clone()))
}

/// Elements at places along an axis.
pub fn gather(context: &NodeContext<'_>, operands: &[&Tensor]) -> Result<Tensor, Refusal> {
    let source = operand(operands, 0)?;
    let indices = operand(operands, 1)?;
    let list = plain_integers(operands, 1)?;
    let rank = source.extents.len();
    let axis = axis_of(context.integer("axis").unwrap_or(0), rank)?;
    let extent = source.extents[axis];
    let mut places = Vec::with_capacity(list.len());
    for &index in list {
        let positive = if index < 0 { index.saturating_add(extent as i64) } else { index };
        match usize::try_from(positive) {
            Ok(place) if place < extent => places.push(place),
            _ => return invalid(format!("index {index} into a list of {extent}")),
        }
    }
    let mut extents = source.extents[..axis].to_vec();
    extents.extend(&indices.extents);
    extents.extend(&source.extents[axis + 1..]);
    checked_size(&extents, operands)?;
    let inner: usize = source.extents[axis + 1..].iter().product();
    let outer: usize = source.extents[..axis].iter().product();
    let picked = (0..outer).flat_map(|block| {
        let row = move |&place: &usize| {
            let start = (block * extent + place) * inner;
            start..start + inner
        };
        places.iter().flat_map(row)
    });
    let elements = pick(source, picked)?;
    Ok(result(context, extents, elements))
}

pub fn reshape(context: &NodeContext<'_>, operands: &[&Tensor]) -> Result<Tensor, Refusal> {
    let source = operand(operands, 0)?;
    let target = plain_integers(operands, 1)?;
    let zero_is_copy = context.integer("allowzero").unwrap_or(0) == 0;
    let size = source.elements.len();
    let mut extents = Vec::new();
    let mut open = None;
    for (axis, &extent) in target.iter().enumerate().take(17) {
        extents.push(match extent {
            0 if zero_is_copy => source.extents.get(axis).copied().unwrap_or(0),
            -1 if open.is_none() => {
                open = Some(axis);
                1
            }
            _ => usize::try_from(extent).unwrap_or(0),
        });
    }
    let known = Tensor::size(&extents);
    if let (Some(axis), Some(known)) = (open, known) {
        extents[axis] = size.checked_div(known).unwrap_or(0);
    }
    if Tensor::size(&extents) != Some(size) || extents.len() > 16 {
        return invalid(format!("{size} elements cannot be arranged as {target:?}"));
    }
    Ok(result(context, extents, source.elements.clone()))
}

pub fn slice(context: &NodeContext<'_>, operands: &[&Tensor]) -> Result<Tensor, Refusal> {
    let source = operand(operands, 0)?;
    let list = |index: usize, name: &str| match operands.len() > index {
        true => plain_integers(operands, index).map(<[i64]>::to_vec),
        false => Ok(context.integers(name).unwrap_or_default().to_vec()),
    };
    let (starts, ends) = (list(1, "starts")?, list(2, "ends")?);
    let (mut axes, mut steps) = (list(3, "axes")?, list(4, "steps")?);
    if axes.is_empty() {
        axes = (0..starts.len().min(17) as i64).collect();
    }
    if steps.is_empty() {
        steps = vec![1; axes.len()];
    }
    if [starts.len(), ends.len(), steps.len()] != [axes.len(); 3] || axes.len() > 16 {
        return invalid("starts, ends, axes and steps have different lengths");
    }
    let mut kept: Vec<Vec<usize>> = source.extents.iter().map(|&n| (0..n).collect()).collect();
    for (number, &axis) in axes.iter().enumerate() {
        let axis = axis_of(axis, source.extents.len())?;
        let all = std::mem::take(&mut kept[axis]);
        kept[axis] = part(all, starts[number], ends[number], steps[number])?;
    }
    let extents: Vec<usize> = kept.iter().map(Vec::len).collect();
    let size = checked_size(&extents, operands)?;
    let places = (0..size).map(|index| {
        let (mut rest, mut place, mut stride) = (index, 0, 1);
        for axis in (0..kept.len()).rev() {
            place += kept[axis][rest % kept[axis].len()] * stride;
            rest /= kept[axis].len();
            stride *= source.extents[axis];
        }
        place
    });
    let elements = pick(source, places)?;
    Ok(result(context, extents, elements))
}

/// The positions from a start to an end, forwards or backwards.
fn part(all: Vec<usize>, start: i64, end: i64, step: i64) -> Result<Vec<usize>, Refusal> {
    let extent = all.len() as i64;
    let limit = |value: i64, least: i64, most: i64| {
        let positive = if value < 0 { value.saturating_add(extent) } else { value };
        positive.clamp(least, most)
    };
    match step {
        1.. => {
            let (start, end) = (limit(start, 0, extent), limit(end, 0, extent));
            let range = start as usize..end.max(start) as usize;
            let step = usize::try_from(step).unwrap_or(usize::MAX);
            Ok(all[range].iter().copied().step_by(step).collect())
        }
        0 => invalid("a step of 0"),
        _ => {
            let (start, end) = (limit(start, -1, extent - 1), limit(end, -1, extent - 1));
            let range = (end + 1) as usize..(start.max(end) + 1) as usize;
            let step = usize::try_from(step.unsigned_abs()).unwrap_or(usize::MAX);
            Ok(all[range].iter().rev().copied().step_by(step).collect())
        }
    }
}

pub fn squeeze(context: &NodeContext<'_>, operands: &[&Tensor]) -> Result<Tensor, Refusal> {
    let source = operand(operands, 0)?;
    let axes = context.axes(1)?;
    let rank = source.extents.len();
    let mut gone = Vec::new();
    for &axis in axes.iter().take(rank) {
        gone.push(axis_of(axis, rank)?);
    }
    let mut extents = Vec::new();
    for (axis, &extent) in source.extents.iter().enumerate() {
        let drop = gone.contains(&axis) || axes.is_empty() && extent == 1;
        if drop && extent != 1 {
            return invalid(format!("axis {axis} has extent {extent}, not 1"));
        }
        extents.extend((!drop).then_some(extent));
    }
    Ok(result(context, extents, source.elements.clone()))
}

pub fn unsqueeze(context: &NodeContext<'_>, operands: &[&Tensor]) -> Result<Tensor, Refusal> {
    let source = operand(operands, 0)?;
    let axes = context.axes(1)?;
    let rank = source.extents.len().saturating_add(axes.len());
    if rank > 16 {
        return invalid(format!("a tensor of {rank} axes"));
    }
    let mut new = Vec::new();
    for &axis in axes {
        new.push(axis_of(axis, rank)?);
    }
    let mut old = source.extents.iter().copied();
    let mut extents = Vec::new();
    for axis in 0..rank {
        extents.push(if new.contains(&axis) { 1 } else { old.next().unwrap_or(1) });
    }
    if old.next().is_some() {
        return invalid("an axis is named twice");
    }
    Ok(result(context, extents, source.elements.clone()))
}

pub fn transpose(context: &NodeContext<'_>, operands: &[&Tensor]) -> Result<Tensor, Refusal> {
    let source = operand(operands, 0)?;
    let rank = source.extents.len();
    let mut permutation: Vec<usize> = (0..rank).rev().collect();
    if let Some(stated) = context.integers("perm").filter(|stated| !stated.is_empty()) {
        permutation.clear();
        for &axis in stated.iter().take(rank + 1) {
            permutation.push(axis_of(axis, rank)?);
        }
    }
    let mut sorted = permutation.clone();
    sorted.sort_unstable();
    if !sorted.iter().copied().eq(0..rank) {
        return invalid(format!("perm {permutation:?} must name every axis once"));
    }
    let stride = |&axis: &usize| source.extents[axis + 1..].iter().product::<usize>();
    let strides: Vec<usize> = permutation.iter().map(stride).collect();
    let extents: Vec<usize> = permutation.iter().map(|&axis| source.extents[axis]).collect();
    let mut index = vec![0; rank];
    let mut from = 0;
    let walk = (0..source.elements.len()).map(|_| {
        let here = from;
        for axis in (0..rank).rev() {
            index[axis] += 1;
            from += strides[axis];
            if index[axis] < extents[axis] {
                break;
            }
            from -= strides[axis] * extents[axis];
            index[axis] = 0;
        }
        here
    });
    let elements = pick(source, walk)?;
    Ok(result(context, extents, elements))
}
