//! Multiplication and addition of constants.

use super::super::error::check_finite;
use super::{
    LinearMap, Misfit, Operation, Role, SampleShape, TensorView, first, first_shape, linear_part,
};

/// `y = gain x + shift`, with one constant for all values, one a channel or one a value.
///
/// The channel is the first axis: of a list every value is its own channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Affine {
    /// Factor; 1, `channels` or as many values as the input has.
    pub gain: Vec<f32>,
    /// Summand; 1, `channels` or as many values as the input has.
    pub shift: Vec<f32>,
}

impl Affine {
    /// `y = x + shift`.
    pub fn add(shift: Vec<f32>) -> Self {
        Self { gain: vec![1.0], shift }
    }

    /// `y = gain x`.
    pub fn multiply(gain: Vec<f32>) -> Self {
        Self { gain, shift: vec![0.0] }
    }

    /// Gain and shift with one value a channel; `None` where they differ inside a channel.
    pub fn per_channel(&self, shape: &SampleShape) -> Option<(Vec<f64>, Vec<f64>)> {
        let channels = shape.channels();
        let spread = |values: &[f32]| match values {
            [one] => Some(vec![f64::from(*one); channels]),
            all if all.len() == channels => Some(linear_part::wide(all)),
            _ => None,
        };
        Some((spread(&self.gain)?, spread(&self.shift)?))
    }
}

/// The constant that belongs to one value of a shape.
fn at(values: &[f32], shape: &SampleShape, index: usize) -> f32 {
    let index = match values.len() {
        1 => 0,
        n if n == shape.channels() => index / shape.per_channel(),
        _ => index,
    };
    values.get(index).copied().unwrap_or(0.0)
}

impl Operation for Affine {
    fn name(&self) -> &'static str {
        "Affine"
    }

    fn role(&self) -> Role {
        Role::Linear
    }

    fn infer_shape(&self, inputs: &[&SampleShape]) -> Result<SampleShape, Misfit> {
        let input = first_shape(inputs)?;
        for (tensor, values) in self.parameters() {
            let (channels, size) = (input.channels(), input.size());
            if ![1, channels, size].contains(&values.len()) {
                let why = format!("or 1 for all, or {size}, one a value");
                let got = values.len();
                return Err(Misfit::Length { tensor, got, needed: channels, why });
            }
            check_finite(tensor, values)?;
        }
        Ok(input.clone())
    }

    fn evaluate(&self, inputs: &[TensorView<'_>], output: &mut [f32]) {
        let Some(input) = inputs.first() else { return };
        match self.per_channel(input.shape) {
            Some((gain, shift)) => apply(input, &gain, &shift, output),
            None => {
                for (index, (target, source)) in output.iter_mut().zip(input.values).enumerate() {
                    let gain = f64::from(at(&self.gain, input.shape, index));
                    let shift = f64::from(at(&self.shift, input.shape, index));
                    *target = (gain * f64::from(*source) + shift) as f32;
                }
            }
        }
    }

    fn linear_map(&self, _: usize, inputs: &[&SampleShape]) -> Result<Option<LinearMap>, Misfit> {
        let input = first_shape(inputs)?;
        Ok(Some(match self.gain.as_slice() {
            [1.0] => LinearMap::Identity { size: input.size() },
            [gain] => linear_part::gains(input, &vec![f64::from(*gain); input.channels()]),
            gains => linear_part::gains(input, &linear_part::wide(gains)),
        }))
    }

    fn parameters(&self) -> Vec<(&'static str, &[f32])> {
        vec![("gain", &self.gain), ("shift", &self.shift)]
    }
}

/// Writes `gain[c] x + shift[c]`.
pub(super) fn apply(input: &TensorView<'_>, gain: &[f64], shift: &[f64], output: &mut [f32]) {
    let pixels = input.shape.per_channel();
    let planes = output.chunks_exact_mut(pixels).zip(first(&[*input]).chunks_exact(pixels));
    for ((target, source), (gain, shift)) in planes.zip(gain.iter().zip(shift)) {
        for (target, source) in target.iter_mut().zip(source) {
            *target = (gain * f64::from(*source) + shift) as f32;
        }
    }
}

/// Scales each output's weights by its gain, and `bias ← gain bias + shift`.
pub(super) fn scale_rows(
    weight: &[f32],
    bias: Option<&[f32]>,
    gain: &[f64],
    shift: &[f64],
) -> (Vec<f32>, Vec<f32>) {
    let row = weight.len() / gain.len().max(1);
    let scaled = weight
        .chunks(row.max(1))
        .zip(gain)
        .flat_map(|(row, gain)| row.iter().map(move |&w| (f64::from(w) * gain) as f32))
        .collect();
    let old = |o: usize| bias.and_then(|bias| bias.get(o)).map_or(0.0, |&b| f64::from(b));
    let bias = gain.iter().zip(shift).enumerate();
    (scaled, bias.map(|(o, (gain, shift))| (gain * old(o) + shift) as f32).collect())
}
