//! Mean over a window.

use sim_core::network::Convolution as Geometry;

use super::window::{Window, for_each_tap};
use super::{
    LinearMap, Misfit, Operation, Role, SampleShape, TensorView, first, first_shape, linear_part,
};

/// Each value is the mean of a window of its channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AveragePool {
    /// Kernel, stride, padding and dilation.
    pub window: Window,
    /// Whether padding cells count as zeros in the mean, or not at all.
    pub count_padding: bool,
}

impl AveragePool {
    /// The geometry on an input: a convolution with one group a channel.
    ///
    /// # Errors
    /// [`Misfit`] where input and window do not fit.
    pub fn geometry(&self, input: &SampleShape) -> Result<Geometry, Misfit> {
        self.window.geometry(input, None, 1)
    }

    /// Cells that each window's sum is divided by, `[target height, target width]`.
    ///
    /// All equal to the kernel's size unless a window reaches into padding that does not count.
    pub fn divisors(&self, geometry: &Geometry) -> Vec<f32> {
        let along = |axis: usize| -> Vec<u64> {
            let padding = if self.count_padding { &self.window.padding } else { &[0; 4] };
            let begin = -(padding[axis] as i64);
            let end = i64::from(geometry.source[axis + 1]) + padding[axis + 2] as i64;
            let before = geometry.padding[axis];
            (0..geometry.target[axis + 1])
                .map(|position| self.window.cells_inside(axis, position, before, begin..end))
                .collect()
        };
        let columns = along(1);
        let rows = along(0);
        rows.iter()
            .flat_map(|row| columns.iter().map(move |column| (row * column).max(1) as f32))
            .collect()
    }
}

impl Operation for AveragePool {
    fn name(&self) -> &'static str {
        "AveragePool"
    }

    fn role(&self) -> Role {
        Role::Linear
    }

    fn infer_shape(&self, inputs: &[&SampleShape]) -> Result<SampleShape, Misfit> {
        let input = first_shape(inputs)?;
        let geometry = self.geometry(input)?;
        let shape = Window::result(input, &geometry)?;
        self.window.check_pooling(&geometry)?;
        Ok(shape)
    }

    fn linear_map(&self, _: usize, inputs: &[&SampleShape]) -> Result<Option<LinearMap>, Misfit> {
        let geometry = self.geometry(first_shape(inputs)?)?;
        Ok(Some(linear_part::means(geometry, &self.divisors(&geometry))))
    }

    fn evaluate(&self, inputs: &[TensorView<'_>], output: &mut [f32]) {
        let Some(Ok(geometry)) = inputs.first().map(|input| self.geometry(input.shape)) else {
            return;
        };
        let divisors = self.divisors(&geometry);
        let pixels = geometry.source[1] as usize * geometry.source[2] as usize;
        let targets = output.chunks_exact_mut(divisors.len());
        for (target, plane) in targets.zip(first(inputs).chunks_exact(pixels)) {
            for_each_tap(&geometry, plane, target, |target, source, step| {
                for (target, source) in target.iter_mut().zip(source.iter().step_by(step)) {
                    *target += source;
                }
            });
            target.iter_mut().zip(&divisors).for_each(|(sum, divisor)| *sum /= divisor);
        }
    }
}
