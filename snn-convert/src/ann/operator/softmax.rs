//! Scores as probabilities.

use super::{Misfit, Operation, Role, SampleShape, TensorView, first, first_shape};

/// `y[i] = exp(x[i]) / Σ_j exp(x[j])` along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Softmax {
    /// The axis of a sample.
    pub axis: usize,
}

impl Softmax {
    /// Over a list of scores.
    pub const SCORES: Softmax = Softmax { axis: 0 };
}

impl Operation for Softmax {
    fn name(&self) -> &'static str {
        "Softmax"
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
            // The largest score is subtracted so that no exponential overflows.
            let largest = lane.clone().map(|n| output[n]).fold(f32::NEG_INFINITY, f32::max);
            lane.clone().for_each(|n| output[n] = (output[n] - largest).exp());
            let sum: f32 = lane.clone().map(|n| output[n]).sum();
            lane.for_each(|n| output[n] /= sum);
        });
    }
}

/// The shape, where it has the axis.
pub(super) fn check_axis(axis: usize, input: &SampleShape) -> Result<&SampleShape, Misfit> {
    if axis >= input.rank() {
        let needed = format!("an axis {axis} (counted without the batch)");
        return Err(Misfit::Shape { needed });
    }
    Ok(input)
}

/// Calls `visit` with the indices of every line of values along an axis.
pub(super) fn along(
    axis: usize,
    shape: &SampleShape,
    mut visit: impl FnMut(std::iter::StepBy<std::ops::Range<usize>>),
) {
    let inner: usize = shape.extents().iter().skip(axis + 1).product();
    let block = inner * shape.extents().get(axis).copied().unwrap_or(1);
    for start in (0..shape.size()).step_by(block.max(1)) {
        (0..inner).for_each(|n| visit((start + n..start + block).step_by(inner.max(1))));
    }
}
