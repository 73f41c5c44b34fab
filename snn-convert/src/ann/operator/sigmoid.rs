//! A score as a probability of its own.

use super::{Misfit, Operation, Role, SampleShape, TensorView, first, first_shape};

/// `y = 1 / (1 + exp(−x))`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sigmoid;

impl Operation for Sigmoid {
    fn name(&self) -> &'static str {
        "Sigmoid"
    }

    fn role(&self) -> Role {
        Role::Readout
    }

    fn infer_shape(&self, inputs: &[&SampleShape]) -> Result<SampleShape, Misfit> {
        first_shape(inputs).cloned()
    }

    fn evaluate(&self, inputs: &[TensorView<'_>], output: &mut [f32]) {
        let pairs = output.iter_mut().zip(first(inputs));
        pairs.for_each(|(y, &x)| *y = 1.0 / (1.0 + (-x).exp()));
    }
}
