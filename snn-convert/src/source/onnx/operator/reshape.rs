//! `Reshape` that keeps the samples of a batch apart.

use super::{NodeContext, OperatorReader, Reading, Refusal, invalid, unsupported};
use crate::ann::operator::{Flatten, Reshape};
use crate::ann::shape::{MAXIMUM_RANK, SampleShape};
use crate::source::onnx::tensor::BATCH;

/// The reader.
pub static READER: OperatorReader = OperatorReader { name: "Reshape", read };

/// The first extent must stand for the batch: -1, 0 (as it was), or the batch that the file was
/// exported with, which is 1 where the batch axis is free.
fn read(context: &NodeContext<'_>) -> Result<Reading, Refusal> {
    let target = context.index_list(1)?;
    let zero_is_copy = context.integer("allowzero").unwrap_or(0) == 0;
    let input = context.activation(0)?;
    let source = context.shape(0)?;
    let Some((&batch, rest)) = target.split_first().filter(|(_, rest)| !rest.is_empty()) else {
        return unsupported(format!("a batch axis in its target {target:?}"));
    };
    let stands_for_batch = match batch {
        -1 => true,
        0 => zero_is_copy,
        BATCH => true,
        extent => extent == context.batch.unwrap_or(1),
    };
    if !stands_for_batch || rest.len() > MAXIMUM_RANK {
        return unsupported(format!(
            "a target whose first extent is the batch (-1, 0 or the batch at export) and that has \
             at most {MAXIMUM_RANK} further axes; it is {target:?} for samples of {source}"
        ));
    }
    let Some(extents) = resolve(rest, source, batch != -1, zero_is_copy) else {
        return invalid(format!("samples of {source} cannot be arranged as {rest:?}"));
    };
    let shape = match SampleShape::new(extents) {
        Ok(shape) if shape.size() == source.size() => shape,
        _ => return invalid(format!("samples of {source} cannot be arranged as {rest:?}")),
    };
    if shape.rank() == 1 {
        return Ok(Reading::Node(Flatten.into(), vec![input]));
    }
    Ok(Reading::Node(Reshape { shape }.into(), vec![input]))
}

/// Replaces 0 by the source's extent on that axis, and one -1 by what is left.
fn resolve(
    target: &[i64],
    source: &SampleShape,
    may_infer: bool,
    zero_is_copy: bool,
) -> Option<Vec<usize>> {
    let mut extents = Vec::with_capacity(target.len());
    let mut open = None;
    for (axis, &extent) in target.iter().enumerate() {
        extents.push(match extent {
            0 if zero_is_copy => *source.extents().get(axis)?,
            -1 if may_infer && open.is_none() => {
                open = Some(axis);
                1
            }
            _ => usize::try_from(extent).ok()?,
        });
    }
    if let Some(axis) = open {
        let known = extents.iter().try_fold(1_usize, |size, &extent| size.checked_mul(extent))?;
        if known == 0 || !source.size().is_multiple_of(known) {
            return None;
        }
        *extents.get_mut(axis)? = source.size() / known;
    }
    Some(extents)
}
