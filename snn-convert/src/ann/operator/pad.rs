//! A constant border, or a border cut off.

use super::super::error::check_finite;
use super::{
    LinearMap, Misfit, Operation, Role, SampleShape, TensorView, first, first_shape, linear_part,
};

/// Cells of one constant around the values of a sample; negative numbers cut cells off.
#[derive(Debug, Clone, PartialEq)]
pub struct Pad {
    /// Cells in front, one number an axis of the sample.
    pub before: Vec<i64>,
    /// Cells behind, one number an axis of the sample.
    pub after: Vec<i64>,
    /// What the new cells hold.
    pub value: f32,
}

/// The most cells on a side.
const MAXIMUM: i64 = 1 << 20;

impl Pad {
    /// Where a value of the source goes; `None` where it is cut off.
    fn place(&self, source: &SampleShape, target: &SampleShape, index: usize) -> Option<usize> {
        let (mut rest, mut place, mut stride) = (index, 0, 1);
        for axis in (0..source.rank()).rev() {
            let extent = source.extents()[axis];
            let moved = (rest % extent) as i64 + self.before[axis];
            rest /= extent;
            let moved = usize::try_from(moved).ok().filter(|&n| n < target.extents()[axis])?;
            place += moved * stride;
            stride *= target.extents()[axis];
        }
        Some(place)
    }
}

impl Operation for Pad {
    fn name(&self) -> &'static str {
        "Pad"
    }

    fn role(&self) -> Role {
        Role::Linear
    }

    fn infer_shape(&self, inputs: &[&SampleShape]) -> Result<SampleShape, Misfit> {
        let input = first_shape(inputs)?;
        check_finite("value", &[self.value])?;
        if self.before.len() != input.rank() || self.after.len() != input.rank() {
            let needed = format!("{} axes, one for each stated border", self.before.len());
            return Err(Misfit::Shape { needed });
        }
        let mut extents = Vec::with_capacity(input.rank());
        for ((&extent, &before), &after) in
            input.extents().iter().zip(&self.before).zip(&self.after)
        {
            if before.abs() > MAXIMUM || after.abs() > MAXIMUM {
                let (got, allowed) = (format!("{before} and {after}"), "-2^20 to 2^20 each");
                return Err(Misfit::Parameter { parameter: "border", got, allowed });
            }
            extents.push(usize::try_from(extent as i64 + before + after).unwrap_or(0));
        }
        Ok(SampleShape::new(extents)?)
    }

    fn evaluate(&self, inputs: &[TensorView<'_>], output: &mut [f32]) {
        let Some(shape) = inputs.first().map(|input| input.shape) else { return };
        let Ok(target) = self.infer_shape(&[shape]) else { return };
        output.fill(self.value);
        for (index, value) in first(inputs).iter().enumerate() {
            if let Some(place) = self.place(shape, &target, index) {
                output[place] = *value;
            }
        }
    }

    fn linear_map(&self, _: usize, inputs: &[&SampleShape]) -> Result<Option<LinearMap>, Misfit> {
        let source = first_shape(inputs)?;
        let target = self.infer_shape(inputs)?;
        let place = |index| self.place(source, &target, index);
        Ok(Some(linear_part::places(source.size(), target.size(), place)))
    }
}
