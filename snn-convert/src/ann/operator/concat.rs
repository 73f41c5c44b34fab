//! Branches side by side.

use super::{LinearMap, Misfit, Operation, Role, SampleShape, TensorView, linear_part};

/// The operands one after the other along an axis; all other extents are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concat {
    /// The axis of a sample (0: channels).
    pub axis: usize,
    /// Number of operands.
    pub operands: usize,
}

impl Concat {
    /// Rows of one operand: how many, and the values of each.
    fn rows(&self, shape: &SampleShape) -> (usize, usize) {
        let row = shape.extents().iter().skip(self.axis).product();
        (shape.size() / row, row)
    }
}

impl Operation for Concat {
    fn name(&self) -> &'static str {
        "Concat"
    }

    fn role(&self) -> Role {
        Role::Linear
    }

    fn arity(&self) -> usize {
        self.operands
    }

    fn infer_shape(&self, inputs: &[&SampleShape]) -> Result<SampleShape, Misfit> {
        let axis = self.axis;
        let needed = || format!("inputs that differ at most in axis {axis}, counted without batch");
        let misfit = || Misfit::Shape { needed: needed() };
        let mut extents = inputs.first().ok_or_else(misfit)?.extents().to_vec();
        let along = extents.get_mut(axis).ok_or_else(misfit)?;
        *along = 0;
        for input in inputs {
            let equal = input.rank() == extents.len()
                && (0..extents.len()).all(|n| n == axis || extents[n] == input.extents()[n]);
            if !equal {
                return Err(misfit());
            }
            // Each extent is at most 2^26, and there are fewer operands than bytes in a file.
            extents[axis] = extents[axis].saturating_add(input.extents()[axis]);
        }
        Ok(SampleShape::new(extents)?)
    }

    fn evaluate(&self, inputs: &[TensorView<'_>], output: &mut [f32]) {
        let total: usize = inputs.iter().map(|input| self.rows(input.shape).1).sum();
        let mut offset = 0;
        for input in inputs {
            let (_, row) = self.rows(input.shape);
            for (target, source) in output.chunks_exact_mut(total).zip(input.values.chunks(row)) {
                target[offset..offset + row].copy_from_slice(source);
            }
            offset += row;
        }
    }

    fn linear_map(
        &self,
        operand: usize,
        inputs: &[&SampleShape],
    ) -> Result<Option<LinearMap>, Misfit> {
        let shape = self.infer_shape(inputs)?;
        let (_, total) = self.rows(&shape);
        let before = inputs.iter().take(operand).map(|input| self.rows(input).1);
        let offset: usize = before.sum();
        let Some(input) = inputs.get(operand) else { return Ok(None) };
        let (_, row) = self.rows(input);
        let place = |source: usize| Some(source / row * total + offset + source % row);
        Ok(Some(linear_part::places(input.size(), shape.size(), place)))
    }
}
