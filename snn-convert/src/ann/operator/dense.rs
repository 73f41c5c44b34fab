//! A fully connected layer.

use super::super::error::{check_finite, check_length};
use super::{
    LinearMap, Misfit, Operation, Role, SampleShape, TensorView, first, first_shape, linear_part,
};

/// `y[o] = bias[o] + Σ_i weight[o, i] x[i]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Dense {
    /// Weights `[out, in]` in C order.
    pub weight: Vec<f32>,
    /// Bias `[out]`, if there is one.
    pub bias: Option<Vec<f32>>,
    /// Features that come out.
    pub outputs: usize,
    /// Features that go in.
    pub inputs: usize,
}

impl Operation for Dense {
    fn name(&self) -> &'static str {
        "Dense"
    }

    fn role(&self) -> Role {
        Role::Weighted
    }

    fn infer_shape(&self, inputs: &[&SampleShape]) -> Result<SampleShape, Misfit> {
        let input = first_shape(inputs)?;
        if input.extents() != [self.inputs] {
            let hint = if input.size() == self.inputs { "; flatten the input first" } else { "" };
            let (outputs, features) = (self.outputs, self.inputs);
            let needed =
                format!("a list of {features} features (weight {outputs}×{features}){hint}");
            return Err(Misfit::Shape { needed });
        }
        let shape = SampleShape::new([self.outputs])?;
        let size = self.outputs.saturating_mul(self.inputs);
        let why = || format!("{} outputs × {} inputs", self.outputs, self.inputs);
        check_length("weight", &self.weight, size, why)?;
        check_finite("weight", &self.weight)?;
        if let Some(bias) = &self.bias {
            check_length("bias", bias, self.outputs, || "one an output".to_owned())?;
            check_finite("bias", bias)?;
        }
        Ok(shape)
    }

    fn evaluate(&self, inputs: &[TensorView<'_>], output: &mut [f32]) {
        let values = first(inputs);
        if let Some(bias) = &self.bias {
            output.copy_from_slice(bias);
        }
        for (target, row) in output.iter_mut().zip(self.weight.chunks_exact(self.inputs)) {
            *target += dot(row, values);
        }
    }

    fn linear_map(&self, _: usize, _: &[&SampleShape]) -> Result<Option<LinearMap>, Misfit> {
        let (targets, sources) = (self.outputs, self.inputs);
        let weights = linear_part::wide(&self.weight);
        Ok(Some(LinearMap::Dense { targets, sources, weights }))
    }

    fn parameters(&self) -> Vec<(&'static str, &[f32])> {
        let bias = self.bias.as_deref().map(|bias| ("bias", bias));
        std::iter::once(("weight", self.weight.as_slice())).chain(bias).collect()
    }
}

impl Dense {
    /// The layer followed by `gain[o] y[o] + shift[o]`, as one layer.
    pub fn then_affine(&self, gain: &[f64], shift: &[f64]) -> Self {
        let (weight, bias) =
            super::affine::scale_rows(&self.weight, self.bias.as_deref(), gain, shift);
        Self { weight, bias: Some(bias), ..self.clone() }
    }
}

/// The sum of products, in eight partial sums: faster, and rounds less than one running sum.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 8];
    let (a_chunks, b_chunks) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a_chunks.zip(b_chunks) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    lanes.iter().sum::<f32>() + rest
}
