//! Where a sample enters the network.

use super::{Misfit, Operation, Role, SampleShape, TensorView};

/// The network's input; reads nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// The shape of one sample.
    pub shape: SampleShape,
}

impl Operation for Input {
    fn name(&self) -> &'static str {
        "Input"
    }

    fn role(&self) -> Role {
        Role::Input
    }

    fn arity(&self) -> usize {
        0
    }

    fn infer_shape(&self, _: &[&SampleShape]) -> Result<SampleShape, Misfit> {
        Ok(self.shape.clone())
    }

    /// Does nothing: the evaluation puts the sample here.
    fn evaluate(&self, _: &[TensorView<'_>], _: &mut [f32]) {}
}
