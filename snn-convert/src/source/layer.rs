//! Layers that several front ends write in the same way.

use crate::ann::SampleShape;
use crate::ann::operator::window::Window;
use crate::ann::operator::{Convolution, Operator, Reshape, Transpose};

/// A dense layer without bias along the last axis of samples with several axes: a convolution of
/// width 1 over all others. `None` where the last axis does not fit.
pub fn over_last_axis(
    shape: &SampleShape,
    outputs: usize,
    inputs: usize,
    weight: Vec<f32>,
) -> Option<Vec<Operator>> {
    let (&last, others) = shape.extents().split_last()?;
    if last != inputs {
        return None;
    }
    let rows: usize = others.iter().product();
    let mut result = others.to_vec();
    result.push(outputs);
    let swap = || Transpose { permutation: vec![1, 0] }.into();
    let window = Window::new([1, 1], [1, 1]);
    let layer = Convolution { weight, bias: None, channels: outputs, window, groups: 1 };
    Some(vec![
        Reshape { shape: SampleShape::new([rows, inputs]).ok()? }.into(),
        swap(),
        layer.into(),
        swap(),
        Reshape { shape: SampleShape::new(result).ok()? }.into(),
    ])
}
