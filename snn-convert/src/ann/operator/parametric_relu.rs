//! The rectifier with trained slopes on the negative side (PReLU).

use super::super::error::{check_finite, check_length};
use super::{Misfit, Operation, Role, SampleShape, TensorView, first, first_shape};

/// `y = x` where x > 0, else `slope[c] · x`, with a trained slope a channel.
///
/// Source: He et al. 2015, "Delving Deep into Rectifiers", equation 1.
#[derive(Debug, Clone, PartialEq)]
pub struct ParametricRelu {
    /// Factor of negative values `[channels]`.
    pub slope: Vec<f32>,
}

impl Operation for ParametricRelu {
    fn name(&self) -> &'static str {
        "PRelu"
    }

    fn role(&self) -> Role {
        Role::Activation
    }

    fn infer_shape(&self, inputs: &[&SampleShape]) -> Result<SampleShape, Misfit> {
        let input = first_shape(inputs)?;
        check_length("slope", &self.slope, input.channels(), || "one a channel".to_owned())?;
        check_finite("slope", &self.slope)?;
        Ok(input.clone())
    }

    fn evaluate(&self, inputs: &[TensorView<'_>], output: &mut [f32]) {
        let pixels = inputs.first().map_or(1, |input| input.shape.per_channel());
        let planes = output.chunks_exact_mut(pixels).zip(first(inputs).chunks_exact(pixels));
        for ((target, source), slope) in planes.zip(&self.slope) {
            let pairs = target.iter_mut().zip(source);
            pairs.for_each(|(y, &x)| *y = if x > 0.0 { x } else { slope * x });
        }
    }

    fn parameters(&self) -> Vec<(&'static str, &[f32])> {
        vec![("slope", &self.slope)]
    }
}
