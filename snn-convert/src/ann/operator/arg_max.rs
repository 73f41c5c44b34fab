//! The class: where the largest score is.

use super::softmax::{along, check_axis};
use super::{Misfit, Operation, Role, SampleShape, TensorView, first, first_shape};

/// The index of the largest value along an axis, the first of equals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArgMax {
    /// The axis of a sample.
    pub axis: usize,
    /// Whether the axis stays with extent 1.
    pub keep_axis: bool,
}

impl Operation for ArgMax {
    fn name(&self) -> &'static str {
        "ArgMax"
    }

    fn role(&self) -> Role {
        Role::Readout
    }

    fn infer_shape(&self, inputs: &[&SampleShape]) -> Result<SampleShape, Misfit> {
        let mut extents = check_axis(self.axis, first_shape(inputs)?)?.extents().to_vec();
        // A sample keeps one axis, so that its class is a list of one.
        if self.keep_axis || extents.len() == 1 {
            extents[self.axis] = 1;
        } else {
            extents.remove(self.axis);
        }
        Ok(SampleShape::new(extents)?)
    }

    fn evaluate(&self, inputs: &[TensorView<'_>], output: &mut [f32]) {
        let Some(input) = inputs.first() else { return };
        let values = first(inputs);
        let mut targets = output.iter_mut();
        along(self.axis, input.shape, |lane| {
            let mut best = (0, f32::NEG_INFINITY);
            for (position, index) in lane.enumerate() {
                if values[index] > best.1 {
                    best = (position, values[index]);
                }
            }
            if let Some(target) = targets.next() {
                *target = best.0 as f32;
            }
        });
    }
}
