//! The same values with other extents.

use super::{Misfit, Operation, Role, SampleShape, TensorView, copy, first_shape};

/// The values of a sample in C order, with another shape of the same size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reshape {
    /// The new shape of one sample.
    pub shape: SampleShape,
}

impl Operation for Reshape {
    fn name(&self) -> &'static str {
        "Reshape"
    }

    fn role(&self) -> Role {
        Role::Arrangement
    }

    fn infer_shape(&self, inputs: &[&SampleShape]) -> Result<SampleShape, Misfit> {
        if first_shape(inputs)?.size() != self.shape.size() {
            let needed = format!("{} values, to arrange them as {}", self.shape.size(), self.shape);
            return Err(Misfit::Shape { needed });
        }
        Ok(self.shape.clone())
    }

    fn evaluate(&self, inputs: &[TensorView<'_>], output: &mut [f32]) {
        copy(inputs, output);
    }
}
