//! The rectifier with a slope on the negative side.

use super::{Misfit, Operation, Role, SampleShape, TensorView, first, first_shape};

/// `y = x` where x > 0, else `slope · x`, with one slope for all values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LeakyRelu {
    /// Factor of negative values; 0 is a ReLU, 1 the identity.
    pub slope: f32,
}

impl Operation for LeakyRelu {
    fn name(&self) -> &'static str {
        "LeakyRelu"
    }

    fn role(&self) -> Role {
        Role::Activation
    }

    fn infer_shape(&self, inputs: &[&SampleShape]) -> Result<SampleShape, Misfit> {
        if !self.slope.is_finite() {
            let got = self.slope.to_string();
            let allowed = "it must be finite";
            return Err(Misfit::Parameter { parameter: "slope", got, allowed });
        }
        first_shape(inputs).cloned()
    }

    fn evaluate(&self, inputs: &[TensorView<'_>], output: &mut [f32]) {
        let pairs = output.iter_mut().zip(first(inputs));
        pairs.for_each(|(y, &x)| *y = if x > 0.0 { x } else { self.slope * x });
    }
}
