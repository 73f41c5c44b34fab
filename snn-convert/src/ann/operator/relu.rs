//! The rectifier.

use super::{Misfit, Operation, Role, SampleShape, TensorView, first, first_shape};

/// `y = max(x, 0)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relu;

impl Operation for Relu {
    fn name(&self) -> &'static str {
        "Relu"
    }

    fn role(&self) -> Role {
        Role::Activation
    }

    fn infer_shape(&self, inputs: &[&SampleShape]) -> Result<SampleShape, Misfit> {
        first_shape(inputs).cloned()
    }

    fn evaluate(&self, inputs: &[TensorView<'_>], output: &mut [f32]) {
        output.iter_mut().zip(first(inputs)).for_each(|(y, x)| *y = x.max(0.0));
    }
}
