//! A convolution layer over a picture, or over a sequence as a picture of one row.

use sim_core::network::Convolution as Geometry;

use super::super::error::{check_finite, check_length};
use super::window::{Window, for_each_cell};
use super::{
    LinearMap, Misfit, Operation, Role, SampleShape, TensorView, first, first_shape, linear_part,
};

/// `y[o, r, c] = bias[o] + Σ weight[o, i, kr, kc] x[i, r·stride + kr·dilation − padding, …]`,
/// a cross-correlation with zeros around the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Convolution {
    /// Weights `[out, in / groups, kernel height, kernel width]` in C order.
    pub weight: Vec<f32>,
    /// Bias `[out]`, if there is one.
    pub bias: Option<Vec<f32>>,
    /// Channels that come out.
    pub channels: usize,
    /// Kernel, stride, padding and dilation.
    pub window: Window,
    /// Input and output channels are cut into this many independent groups.
    pub groups: usize,
}

impl Convolution {
    /// The layer's geometry on an input, as the spiking network describes it.
    ///
    /// # Errors
    /// [`Misfit`] where input, window, groups and channels do not fit.
    pub fn geometry(&self, input: &SampleShape) -> Result<Geometry, Misfit> {
        self.window.geometry(input, Some(self.channels), self.groups)
    }

    /// The layer followed by `gain[o] y[o] + shift[o]` a channel, as one layer.
    pub fn then_affine(&self, gain: &[f64], shift: &[f64]) -> Self {
        let (weight, bias) =
            super::affine::scale_rows(&self.weight, self.bias.as_deref(), gain, shift);
        Self { weight, bias: Some(bias), ..self.clone() }
    }
}

impl Operation for Convolution {
    fn name(&self) -> &'static str {
        "Convolution"
    }

    fn role(&self) -> Role {
        Role::Weighted
    }

    fn infer_shape(&self, inputs: &[&SampleShape]) -> Result<SampleShape, Misfit> {
        let input = first_shape(inputs)?;
        let geometry = self.geometry(input)?;
        let shape = Window::result(input, &geometry)?;
        let needed = usize::try_from(geometry.weight_count()).unwrap_or(usize::MAX);
        let [out, per_group, height, width] = geometry.weight_shape();
        let why = || format!("{out} out × {per_group} in a group × kernel {height}×{width}");
        check_length("weight", &self.weight, needed, why)?;
        check_finite("weight", &self.weight)?;
        if let Some(bias) = &self.bias {
            check_length("bias", bias, self.channels, || "one an output channel".to_owned())?;
            check_finite("bias", bias)?;
        }
        Ok(shape)
    }

    fn evaluate(&self, inputs: &[TensorView<'_>], output: &mut [f32]) {
        let Some(Ok(geometry)) = inputs.first().map(|input| self.geometry(input.shape)) else {
            return;
        };
        let [channels, height, width] = geometry.source.map(|n| n as usize);
        let positions = geometry.target[1] as usize * geometry.target[2] as usize;
        let (in_group, out_group) = (channels / self.groups, self.channels / self.groups);
        let taps = self.window.kernel[0] * self.window.kernel[1];
        for (out, target) in output.chunks_exact_mut(positions).enumerate() {
            target.fill(self.bias.as_ref().and_then(|bias| bias.get(out)).copied().unwrap_or(0.0));
        }
        // What one kernel cell meets is laid out once and serves all channels of the group; the
        // inner loop then runs over neighbouring values on both sides and becomes vector code.
        let mut values = vec![0.0; positions];
        for (channel, plane) in first(inputs).chunks_exact(height * width).enumerate() {
            let first_target = channel / in_group * out_group;
            for_each_cell(&geometry, plane, &mut values, |cell, values| {
                let targets = output.chunks_exact_mut(positions).enumerate();
                for (out, target) in targets.skip(first_target).take(out_group) {
                    let weight = self.weight[(out * in_group + channel % in_group) * taps + cell];
                    target.iter_mut().zip(values).for_each(|(y, x)| *y += weight * x);
                }
            });
        }
    }

    fn linear_map(&self, _: usize, inputs: &[&SampleShape]) -> Result<Option<LinearMap>, Misfit> {
        let geometry = self.geometry(first_shape(inputs)?)?;
        let weights = linear_part::wide(&self.weight);
        Ok(Some(LinearMap::Convolution { geometry, weights }))
    }

    fn parameters(&self) -> Vec<(&'static str, &[f32])> {
        let bias = self.bias.as_deref().map(|bias| ("bias", bias));
        std::iter::once(("weight", self.weight.as_slice())).chain(bias).collect()
    }
}
