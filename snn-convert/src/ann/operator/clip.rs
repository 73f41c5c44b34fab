//! A pointwise limit, such as ReLU6.

use super::{Misfit, Operation, Role, SampleShape, TensorView, first, first_shape};

/// `y = min(max(x, minimum), maximum)`; ReLU6 is 0 to 6.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clip {
    /// Lower limit; may be minus infinity.
    pub minimum: f32,
    /// Upper limit; may be infinity.
    pub maximum: f32,
}

impl Operation for Clip {
    fn name(&self) -> &'static str {
        "Clip"
    }

    fn role(&self) -> Role {
        Role::Activation
    }

    fn infer_shape(&self, inputs: &[&SampleShape]) -> Result<SampleShape, Misfit> {
        // NaN compares false and is refused with the rest.
        let ordered = self.minimum <= self.maximum;
        if !ordered || self.minimum == f32::INFINITY || self.maximum == f32::NEG_INFINITY {
            return Err(Misfit::Parameter {
                parameter: "range",
                got: format!("{} to {}", self.minimum, self.maximum),
                allowed: "the lower limit must not exceed the upper one",
            });
        }
        first_shape(inputs).cloned()
    }

    fn evaluate(&self, inputs: &[TensorView<'_>], output: &mut [f32]) {
        output
            .iter_mut()
            .zip(first(inputs))
            .for_each(|(y, x)| *y = x.max(self.minimum).min(self.maximum));
    }
}
