//! Batch normalisation with the statistics of training.

use super::super::error::{check_finite, check_length};
use super::{
    LinearMap, Misfit, Operation, Role, SampleShape, TensorView, first_shape, linear_part,
};

/// `y = scale (x − mean) / √(variance + epsilon) + offset`, a channel.
///
/// Source: Ioffe and Szegedy 2015, "Batch Normalization", algorithm 2 (inference).
#[derive(Debug, Clone, PartialEq)]
pub struct BatchNormalization {
    /// Trained factor `[channels]` (γ).
    pub scale: Vec<f32>,
    /// Trained summand `[channels]` (β).
    pub offset: Vec<f32>,
    /// Running mean `[channels]`.
    pub mean: Vec<f32>,
    /// Running variance `[channels]`.
    pub variance: Vec<f32>,
    /// Keeps the root away from zero.
    pub epsilon: f32,
}

impl BatchNormalization {
    /// The same map as `gain[c] x + shift[c]`.
    pub fn gain_and_shift(&self) -> (Vec<f64>, Vec<f64>) {
        let wide = |values: &[f32], c: usize| values.get(c).map_or(0.0, |&value| f64::from(value));
        (0..self.scale.len())
            .map(|c| {
                let root = (wide(&self.variance, c) + f64::from(self.epsilon)).sqrt();
                let gain = wide(&self.scale, c) / root;
                (gain, wide(&self.offset, c) - gain * wide(&self.mean, c))
            })
            .unzip()
    }
}

impl Operation for BatchNormalization {
    fn name(&self) -> &'static str {
        "BatchNormalization"
    }

    fn role(&self) -> Role {
        Role::Linear
    }

    fn infer_shape(&self, inputs: &[&SampleShape]) -> Result<SampleShape, Misfit> {
        let input = first_shape(inputs)?;
        for (name, values) in self.parameters() {
            check_length(name, values, input.channels(), || "one a channel".to_owned())?;
            check_finite(name, values)?;
        }
        let positive = |variance: &f32| f64::from(*variance) + f64::from(self.epsilon) > 0.0;
        if !self.epsilon.is_finite() || !self.variance.iter().all(positive) {
            return Err(Misfit::Parameter {
                parameter: "variance + epsilon",
                got: "not positive for some channel".to_owned(),
                allowed: "it must be positive: its root is divided by",
            });
        }
        Ok(input.clone())
    }

    fn evaluate(&self, inputs: &[TensorView<'_>], output: &mut [f32]) {
        let Some(input) = inputs.first() else { return };
        let (gain, shift) = self.gain_and_shift();
        super::affine::apply(input, &gain, &shift, output);
    }

    fn linear_map(&self, _: usize, inputs: &[&SampleShape]) -> Result<Option<LinearMap>, Misfit> {
        let (gain, _) = self.gain_and_shift();
        Ok(Some(linear_part::gains(first_shape(inputs)?, &gain)))
    }

    fn parameters(&self) -> Vec<(&'static str, &[f32])> {
        vec![
            ("scale", &self.scale),
            ("offset", &self.offset),
            ("mean", &self.mean),
            ("variance", &self.variance),
        ]
    }
}
