//! Dense layers and convolutions: kernels with the outputs last become kernels with them first.

use super::activation::{argument, one};
use super::config::{LayerConfig, Refusal, unsupported};
use super::layout::{Network, from_keras, keras_extents, to_keras};
use crate::ann::operator::window::{MAXIMUM_WINDOW, Window};
use crate::ann::operator::{Affine, Convolution, Dense, Operator};
use crate::ann::{NodeId, SampleShape};
use crate::source::layer::over_last_axis;
use crate::source::weights::WeightTensor;

/// `Dense`, along the last axis.
pub fn dense(
    layer: &LayerConfig<'_>,
    network: &mut Network<'_>,
    inputs: &[NodeId],
) -> Result<NodeId, Refusal> {
    let input = one(layer, inputs)?;
    let shape = network.shape(input)?;
    let kernel = layer.needed("kernel")?;
    let &[features, outputs] = kernel.shape.as_slice() else {
        return layer.invalid(format!("its kernel has the extents {:?}", kernel.shape));
    };
    let mut weight = Vec::with_capacity(kernel.values.len());
    if !kernel.values.is_empty() {
        for output in 0..outputs {
            weight.extend(kernel.values.iter().skip(output).step_by(outputs));
        }
    }
    let bias = layer.bias()?;
    let mut operators: Vec<Operator> = Vec::new();
    if shape.rank() == 1 {
        operators.push(Dense { weight, bias, outputs, inputs: features }.into());
    } else {
        // Keras' last axis holds the channels.
        operators.extend(to_keras(&shape));
        let keras = SampleShape::new(keras_extents(&shape)).ok();
        let over = keras.and_then(|keras| over_last_axis(&keras, outputs, features, weight));
        let Some(over) = over else {
            return layer.invalid(format!("it needs {features} channels; a sample is {shape}"));
        };
        operators.extend(over);
        operators.extend(from_keras(&shape));
        operators.extend(bias.map(|bias| Affine::add(bias).into()));
    }
    operators.extend(argument(layer)?);
    network.chain(input, operators)
}

/// A kernel of Keras, `[height, width, in, out]` or `[length, in, out]`.
struct Kernel<'a> {
    extents: [usize; 2],
    inputs: usize,
    outputs: usize,
    values: &'a [f32],
}

impl<'a> Kernel<'a> {
    fn of(layer: &LayerConfig<'_>, tensor: &'a WeightTensor) -> Result<Self, Refusal> {
        let values = tensor.values.as_slice();
        match *tensor.shape.as_slice() {
            // Without values the extents could be anything: nothing in the file backs them.
            _ if values.is_empty() => layer.invalid("its kernel is empty"),
            [length, inputs, outputs] => Ok(Self { extents: [1, length], inputs, outputs, values }),
            [height, width, inputs, outputs] => {
                Ok(Self { extents: [height, width], inputs, outputs, values })
            }
            _ => layer.invalid(format!("its kernel has the extents {:?}", tensor.shape)),
        }
    }

    /// `[out, in, height, width]`.
    fn outputs_first(&self) -> Vec<f32> {
        let taps = self.extents[0] * self.extents[1];
        let mut weight = Vec::with_capacity(self.values.len());
        for plane in 0..self.outputs * self.inputs {
            let (output, input) = (plane / self.inputs, plane % self.inputs);
            let place = |tap: usize| (tap * self.inputs + input) * self.outputs + output;
            weight.extend((0..taps).filter_map(|tap| self.values.get(place(tap))));
        }
        weight
    }

    /// `[in · multiplier, 1, height, width]` of a depthwise kernel `[…, in, multiplier]`.
    fn depthwise(&self) -> Vec<f32> {
        let taps = self.extents[0] * self.extents[1];
        let planes = self.inputs * self.outputs;
        let mut weight = Vec::with_capacity(self.values.len());
        for plane in 0..planes {
            weight.extend((0..taps).filter_map(|tap| self.values.get(tap * planes + plane)));
        }
        weight
    }
}

/// `Conv1D`, `Conv2D`.
pub fn convolution(
    layer: &LayerConfig<'_>,
    network: &mut Network<'_>,
    inputs: &[NodeId],
) -> Result<NodeId, Refusal> {
    let input = one(layer, inputs)?;
    let shape = spatial(layer, network, input)?;
    let kernel = Kernel::of(layer, layer.needed("kernel")?)?;
    let groups = layer.number("groups", 1)?;
    let window = window(layer, &shape, kernel.extents)?;
    let (weight, channels) = (kernel.outputs_first(), kernel.outputs);
    let operator = Convolution { weight, bias: layer.bias()?, channels, window, groups };
    network.chain(input, std::iter::once(operator.into()).chain(argument(layer)?))
}

/// `DepthwiseConv2D`, `DepthwiseConv1D`: each channel for itself.
pub fn depthwise(
    layer: &LayerConfig<'_>,
    network: &mut Network<'_>,
    inputs: &[NodeId],
) -> Result<NodeId, Refusal> {
    let input = one(layer, inputs)?;
    let shape = spatial(layer, network, input)?;
    let tensor = match layer.weight("depthwise_kernel") {
        Some(tensor) => tensor,
        None => layer.needed("kernel")?,
    };
    let operator = each_channel(layer, tensor, &shape, layer.bias()?)?;
    network.chain(input, std::iter::once(operator.into()).chain(argument(layer)?))
}

/// `SeparableConv2D`, `SeparableConv1D`: each channel for itself, then all of a cell.
pub fn separable(
    layer: &LayerConfig<'_>,
    network: &mut Network<'_>,
    inputs: &[NodeId],
) -> Result<NodeId, Refusal> {
    let input = one(layer, inputs)?;
    let shape = spatial(layer, network, input)?;
    let first = each_channel(layer, layer.needed("depthwise_kernel")?, &shape, None)?;
    let kernel = Kernel::of(layer, layer.needed("pointwise_kernel")?)?;
    let second = Convolution {
        weight: kernel.outputs_first(),
        bias: layer.bias()?,
        channels: kernel.outputs,
        window: Window::new(kernel.extents, [1, 1]),
        groups: 1,
    };
    let operators = [first.into(), second.into()].into_iter().chain(argument(layer)?);
    network.chain(input, operators)
}

fn each_channel(
    layer: &LayerConfig<'_>,
    tensor: &WeightTensor,
    shape: &SampleShape,
    bias: Option<Vec<f32>>,
) -> Result<Convolution, Refusal> {
    let kernel = Kernel::of(layer, tensor)?;
    let window = window(layer, shape, kernel.extents)?;
    let channels = kernel.inputs * kernel.outputs;
    Ok(Convolution { weight: kernel.depthwise(), bias, channels, window, groups: kernel.inputs })
}

/// The shape of a picture or sequence.
pub fn spatial(
    layer: &LayerConfig<'_>,
    network: &Network<'_>,
    input: NodeId,
) -> Result<SampleShape, Refusal> {
    layer.channels_last()?;
    let shape = network.shape(input)?;
    match shape.rank() {
        2 | 3 => Ok(shape),
        _ => layer.invalid(format!("it needs a picture or a sequence; a sample is {shape}")),
    }
}

/// Strides, dilation and padding of a layer on an input.
pub fn window(
    layer: &LayerConfig<'_>,
    shape: &SampleShape,
    kernel: [usize; 2],
) -> Result<Window, Refusal> {
    let axes = shape.rank() - 1;
    let mut window = Window::new(kernel, [1, 1]);
    window.dilation = layer.window("dilation_rate", axes, 1)?;
    // A pooling without strides moves by its window.
    window.stride = match layer.get("strides") {
        None if layer.get("pool_size").is_some() => kernel,
        _ => layer.window("strides", axes, 1)?,
    };
    let all = window.kernel.iter().chain(&window.stride).chain(&window.dilation);
    if all.copied().any(|value| value == 0 || value > MAXIMUM_WINDOW) {
        return layer.invalid("kernel, strides and dilation must be 1 to 2^20");
    }
    let Some([_, height, width]) = shape.rows_and_columns() else {
        return layer.invalid("it needs a picture or a sequence");
    };
    let padding = layer.text("padding").unwrap_or("valid");
    for (axis, extent) in [height, width].into_iter().enumerate() {
        let (before, after) = border(padding, &window, axis, extent)?;
        (window.padding[axis], window.padding[axis + 2]) = (before, after);
    }
    Ok(window)
}

/// Cells before and after an axis.
fn border(
    padding: &str,
    window: &Window,
    axis: usize,
    extent: usize,
) -> Result<(usize, usize), Refusal> {
    let around = window.dilation[axis] * (window.kernel[axis] - 1);
    match padding {
        "valid" => Ok((0, 0)),
        // As many as give ⌈extent / stride⌉ positions; the odd one at the end.
        "same" => {
            let stride = window.stride[axis];
            let covered = (extent.div_ceil(stride) - 1) * stride + around + 1;
            let total = covered.saturating_sub(extent);
            Ok((total / 2, total - total / 2))
        }
        "causal" if axis == 1 => Ok((around, 0)),
        "causal" => Ok((0, 0)),
        other => unsupported(format!("padding valid, same or causal; it is `{other:.40}`")),
    }
}
