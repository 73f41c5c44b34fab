//! A picture as a list.

use super::{Misfit, Operation, Role, SampleShape, TensorView, copy, first_shape};

/// All values of a sample as one list, in C order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flatten;

impl Operation for Flatten {
    fn name(&self) -> &'static str {
        "Flatten"
    }

    fn role(&self) -> Role {
        Role::Arrangement
    }

    fn infer_shape(&self, inputs: &[&SampleShape]) -> Result<SampleShape, Misfit> {
        Ok(SampleShape::new([first_shape(inputs)?.size()])?)
    }

    fn evaluate(&self, inputs: &[TensorView<'_>], output: &mut [f32]) {
        copy(inputs, output);
    }
}
