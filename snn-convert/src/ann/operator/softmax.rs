//! Scores as probabilities.

use super::{Misfit, Operation, Role, SampleShape, TensorView, first, first_shape};

/// `y[i] = exp(x[i]) / Σ_j exp(x[j])` over a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Softmax;

impl Operation for Softmax {
    fn name(&self) -> &'static str {
        "Softmax"
    }

    fn role(&self) -> Role {
        Role::Readout
    }

    fn infer_shape(&self, inputs: &[&SampleShape]) -> Result<SampleShape, Misfit> {
        let input = first_shape(inputs)?;
        if input.rank() != 1 {
            return Err(Misfit::Shape { needed: "a list of scores".to_owned() });
        }
        Ok(input.clone())
    }

    fn evaluate(&self, inputs: &[TensorView<'_>], output: &mut [f32]) {
        let scores = first(inputs);
        // The largest score is subtracted so that no exponential overflows.
        let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        output.iter_mut().zip(scores).for_each(|(y, x)| *y = (x - largest).exp());
        let sum: f32 = output.iter().sum();
        output.iter_mut().for_each(|y| *y /= sum);
    }
}
