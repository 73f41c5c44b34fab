//! Mean over all pixels of a channel.

use sim_core::network::Convolution as Geometry;

use super::{
    LinearMap, Misfit, Operation, Role, SampleShape, TensorView, first, first_shape, linear_part,
};

/// Each channel's mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GlobalAveragePool {
    /// Whether the result keeps the other axes with extent 1 (`[channels, 1, 1]`), or is
    /// `[channels]`.
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
        let input = first_shape(inputs)?;
        if input.rank() < 2 {
            let needed = "a picture (channels × height × width) or a sequence (channels × length)";
            return Err(Misfit::Shape { needed: needed.to_owned() });
        }
        let mut extents = vec![1; if self.keep_axes { input.rank() } else { 1 }];
        extents[0] = input.channels();
        Ok(SampleShape::new(extents)?)
    }

    fn linear_map(&self, _: usize, inputs: &[&SampleShape]) -> Result<Option<LinearMap>, Misfit> {
        let input = first_shape(inputs)?;
        let (channels, pixels) = (input.channels() as u32, input.per_channel() as u32);
        let [height, width] = match input.rows_and_columns() {
            Some([_, height, width]) => [height as u32, width as u32],
            None => [1, pixels],
        };
        let geometry = Geometry {
            source: [channels, height, width],
            target: [channels, 1, 1],
            kernel: [height, width],
            stride: [1, 1],
            padding: [0; 4],
            dilation: [1, 1],
            groups: channels,
        };
        Ok(Some(linear_part::means(geometry, &[pixels as f32])))
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
