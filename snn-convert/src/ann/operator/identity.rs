//! An operator that changes nothing.

use super::{Misfit, Operation, Role, SampleShape, TensorView, copy, first_shape};

/// Leaves values as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity;

impl Operation for Identity {
    fn name(&self) -> &'static str {
        "Identity"
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
