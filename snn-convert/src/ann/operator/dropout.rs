//! Dropout, which acts only in training.

use super::{Misfit, Operation, Role, SampleShape, TensorView, copy, first_shape};

/// Leaves values as they are: dropout is a training method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dropout;

impl Operation for Dropout {
    fn name(&self) -> &'static str {
        "Dropout"
    }

    fn role(&self) -> Role {
        Role::Arrangement
    }

    fn infer_shape(&self, inputs: &[&SampleShape]) -> Result<SampleShape, Misfit> {
        first_shape(inputs).cloned()
    }

    fn evaluate(&self, inputs: &[TensorView<'_>], output: &mut [f32]) {
        copy(inputs, output);
    }
}
