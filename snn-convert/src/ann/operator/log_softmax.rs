//! Scores as logarithms of probabilities.

use super::softmax::{along, check_axis};
use super::{Misfit, Operation, Role, SampleShape, TensorView, first, first_shape};

/// `y[i] = x[i] − ln Σ_j exp(x[j])` along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogSoftmax {
    /// The axis of a sample.
    pub axis: usize,
}

impl Operation for LogSoftmax {
    fn name(&self) -> &'static str {
        "LogSoftmax"
    }

    fn role(&self) -> Role {
        Role::Readout
    }

    fn infer_shape(&self, inputs: &[&SampleShape]) -> Result<SampleShape, Misfit> {
        check_axis(self.axis, first_shape(inputs)?).cloned()
    }

    fn evaluate(&self, inputs: &[TensorView<'_>], output: &mut [f32]) {
        let Some(input) = inputs.first() else { return };
        output.copy_from_slice(first(inputs));
        along(self.axis, input.shape, |lane| {
            let largest = lane.clone().map(|n| output[n]).fold(f32::NEG_INFINITY, f32::max);
            let sum: f32 = lane.clone().map(|n| (output[n] - largest).exp()).sum();
            lane.for_each(|n| output[n] = output[n] - largest - sum.ln());
        });
    }
}
