//! `Slice` with steps other than 1: every n-th value along an axis, or values in reverse.

use super::{NodeContext, Reading, Refusal, invalid};
use crate::ann::SampleShape;
use crate::ann::operator::Pick;

/// Reads a slice with its `[starts, ends, steps]`, one of each an axis.
pub(super) fn read(
    context: &NodeContext<'_>,
    [starts, ends, steps]: [&[i64]; 3],
    axes: &[i64],
) -> Result<Reading, Refusal> {
    let (input, shape) = (context.activation(0)?, context.shape(0)?);
    if steps.len() != axes.len() || steps.contains(&0) {
        return invalid("it needs one step an axis, none of them 0");
    }
    // The positions that are kept along each axis.
    let extents = shape.extents();
    let mut kept: Vec<Vec<usize>> = extents.iter().map(|&extent| (0..extent).collect()).collect();
    for (number, &axis) in axes.iter().enumerate() {
        let whole =
            starts[number] == 0 && ends[number] >= i64::from(i32::MAX) && steps[number] == 1;
        if whole && (axis == 0 || axis.checked_add(shape.rank() as i64 + 1) == Some(0)) {
            continue;
        }
        for axis in context.sample_axes(&[axis], shape.rank() + 1)? {
            kept[axis] = positions(extents[axis], starts[number], ends[number], steps[number]);
        }
    }
    let shape = match SampleShape::new(kept.iter().map(Vec::len).collect::<Vec<_>>()) {
        Ok(shape) => shape,
        Err(problem) => return invalid(format!("its result is impossible: {problem}")),
    };
    let mut indices: Vec<u32> = vec![0];
    for (kept, &extent) in kept.iter().zip(extents) {
        let further = |&before: &u32| {
            kept.iter().map(move |&position| before * extent as u32 + position as u32)
        };
        indices = indices.iter().flat_map(further).collect();
    }
    Ok(Reading::Node(Pick { shape, indices }.into(), vec![input]))
}

/// The positions of a slice along an axis, as numpy counts them.
fn positions(extent: usize, start: i64, end: i64, step: i64) -> Vec<usize> {
    let extent = extent as i64;
    let (low, high) = if step > 0 { (0, extent) } else { (-1, extent - 1) };
    let limit = |value: i64| {
        let counted = if value < 0 { value.saturating_add(extent) } else { value };
        counted.clamp(low, high)
    };
    let (mut at, end) = (limit(start), limit(end));
    let mut found = Vec::new();
    while at >= 0 && at < extent && if step > 0 { at < end } else { at > end } {
        found.push(at as usize);
        at = at.saturating_add(step);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::positions;

    #[test]
    fn positions_are_those_of_numpy() {
        // numpy: list(range(7))[start:end:step]
        assert_eq!(positions(7, 0, i64::MAX, 2), [0, 2, 4, 6]);
        assert_eq!(positions(7, 1, -1, 2), [1, 3, 5]);
        assert_eq!(positions(7, -1, i64::MIN, -1), [6, 5, 4, 3, 2, 1, 0]);
        assert_eq!(positions(7, 5, 1, -3), [5, 2]);
        assert_eq!(positions(7, 6, 2, 1), [0; 0]);
        assert_eq!(positions(3, i64::MAX, 0, i64::MAX), [0; 0]);
    }
}
