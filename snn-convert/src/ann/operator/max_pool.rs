//! Maximum over a window.

use sim_core::network::Convolution as Geometry;

use super::window::{Window, for_each_tap};
use super::{Misfit, Operation, Role, SampleShape, TensorView, first, first_shape};

/// Each value is the largest of a window of its channel; padding never wins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaxPool {
    /// Kernel, stride, padding and dilation.
    pub window: Window,
}

impl MaxPool {
    /// The geometry on an input: a convolution with one group a channel.
    ///
    /// # Errors
    /// [`Misfit`] where input and window do not fit.
    pub fn geometry(&self, input: &SampleShape) -> Result<Geometry, Misfit> {
        self.window.geometry(input, None, 1)
    }
}

impl Operation for MaxPool {
    fn name(&self) -> &'static str {
        "MaxPool"
    }

    fn role(&self) -> Role {
        Role::Maximum
    }

    fn infer_shape(&self, inputs: &[&SampleShape]) -> Result<SampleShape, Misfit> {
        let input = first_shape(inputs)?;
        let geometry = self.geometry(input)?;
        let shape = Window::result(input, &geometry)?;
        self.window.check_pooling(&geometry)?;
        Ok(shape)
    }

    fn evaluate(&self, inputs: &[TensorView<'_>], output: &mut [f32]) {
        let Some(Ok(geometry)) = inputs.first().map(|input| self.geometry(input.shape)) else {
            return;
        };
        output.fill(f32::NEG_INFINITY);
        let pixels = geometry.source[1] as usize * geometry.source[2] as usize;
        let cells = geometry.target[1] as usize * geometry.target[2] as usize;
        let targets = output.chunks_exact_mut(cells);
        for (target, plane) in targets.zip(first(inputs).chunks_exact(pixels)) {
            for_each_tap(&geometry, plane, target, |target, source, step| {
                for (target, source) in target.iter_mut().zip(source.iter().step_by(step)) {
                    *target = target.max(*source);
                }
            });
        }
    }
}
