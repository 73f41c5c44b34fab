//! Mean over all pixels of a channel.

use super::{Misfit, Operation, Role, SampleShape, TensorView, first, first_shape};

/// Each channel's mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GlobalAveragePool {
    /// Whether the result is `[channels, 1, 1]` or `[channels]`.
    pub keep_axes: bool,
}

impl Operation for GlobalAveragePool {
    fn name(&self) -> &'static str {
        "GlobalAveragePool"
    }

    fn role(&self) -> Role {
        Role::Linear
    }

    fn infer_shape(&self, inputs: &[&SampleShape]) -> Result<SampleShape, Misfit> {
        let Some([channels, ..]) = first_shape(inputs)?.picture() else {
            let needed = "a picture, channels × height × width".to_owned();
            return Err(Misfit::Shape { needed });
        };
        let extents = if self.keep_axes { vec![channels, 1, 1] } else { vec![channels] };
        Ok(SampleShape::new(extents)?)
    }

    fn evaluate(&self, inputs: &[TensorView<'_>], output: &mut [f32]) {
        let pixels = inputs.first().map_or(1, |input| input.shape.per_channel());
        for (target, plane) in output.iter_mut().zip(first(inputs).chunks_exact(pixels)) {
            // A wide sum: a channel may have thousands of pixels.
            let sum: f64 = plane.iter().map(|&value| f64::from(value)).sum();
            *target = (sum / pixels as f64) as f32;
        }
    }
}
