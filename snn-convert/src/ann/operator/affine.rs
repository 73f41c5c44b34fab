//! Multiplication and addition of constants.

use super::super::error::{check_finite, check_length};
use super::{Misfit, Operation, Role, SampleShape, TensorView, first, first_shape};

/// `y = gain[c] x + shift[c]`, with one constant for all values or one a channel.
///
/// The channel is the first axis: of a list every value is its own channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Affine {
    /// Factor; 1 or `channels` values.
    pub gain: Vec<f32>,
    /// Summand; 1 or `channels` values.
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

    /// Gain and shift with one value a channel.
    pub fn per_channel(&self, channels: usize) -> (Vec<f64>, Vec<f64>) {
        let spread = |values: &[f32]| match values {
            [one] => vec![f64::from(*one); channels],
            all => all.iter().map(|&value| f64::from(value)).collect(),
        };
        (spread(&self.gain), spread(&self.shift))
    }
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
        for (name, values) in [("gain", &self.gain), ("shift", &self.shift)] {
            if values.len() != 1 {
                let why = || "one for all, or one a channel".to_owned();
                check_length(name, values, input.channels(), why)?;
            }
            check_finite(name, values)?;
        }
        Ok(input.clone())
    }

    fn evaluate(&self, inputs: &[TensorView<'_>], output: &mut [f32]) {
        let Some(input) = inputs.first() else { return };
        let (gain, shift) = self.per_channel(input.shape.channels());
        apply(input, &gain, &shift, output);
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
