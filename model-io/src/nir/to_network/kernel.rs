//! Convolutions and poolings on a way, as shared kernels.

use sim_core::network::{Convolution, convolution::output_extent};

use super::layer::numbers;
use super::path::{VALUE_LIMIT, Way, Weights, one_delay};
use super::{NotFromNir, refuse};
use crate::array::{Array, element_count};
use crate::nir::{Conv1d, Conv2d, Padding, Primitive};

/// Values of the windows of a pooling at most, all channels together: no file stands behind them.
const WINDOW_LIMIT: usize = 1 << 22;

/// A convolution of a picture; one along one axis is that of pictures with one row.
struct Kernels<'a> {
    weight: &'a Array,
    bias: &'a Array,
    /// `[out, in, height, width]`.
    extents: [usize; 4],
    stride: [usize; 2],
    padding: Padding<2>,
    dilation: [usize; 2],
    groups: usize,
}

/// A convolution of `[channels, height, width]`.
pub(super) fn conv_2d(
    node: &(String, Primitive),
    way: &mut Way,
    conv: &Conv2d,
) -> Result<(), NotFromNir> {
    let [out, ins, rows, columns] = conv.weight.shape[..] else {
        return Err(refuse(node, "its weight has not four axes", "repair the file"));
    };
    let Conv2d { weight, bias, stride, padding, dilation, groups, .. } = conv;
    let kernels = Kernels {
        weight,
        bias,
        extents: [out, ins, rows, columns],
        stride: *stride,
        padding: *padding,
        dilation: *dilation,
        groups: *groups,
    };
    kernel(node, way, &kernels)
}

/// A convolution of `[channels, length]`; of `[length]` where there is one channel.
pub(super) fn conv_1d(
    node: &(String, Primitive),
    way: &mut Way,
    conv: &Conv1d,
) -> Result<(), NotFromNir> {
    let [out, ins, length] = conv.weight.shape[..] else {
        return Err(refuse(node, "its weight has not three axes", "repair the file"));
    };
    way.shape = match way.shape[..] {
        [channels, length] => vec![channels, 1, length],
        // One channel is taken for a batch of one where the graph states its shapes.
        [length] if ins == 1 && conv.groups == 1 => vec![1, 1, length],
        _ => {
            let problem = format!("values of shape {:?} reach it", way.shape);
            return Err(refuse(node, problem, "state [channels, length]"));
        }
    };
    let Conv1d { weight, bias, stride, padding, dilation, groups, .. } = conv;
    let kernels = Kernels {
        weight,
        bias,
        extents: [out, ins, 1, length],
        stride: [1, *stride],
        padding: match *padding {
            Padding::Zeros([zeros]) => Padding::Zeros([0, zeros]),
            Padding::Same => Padding::Same,
            Padding::Valid => Padding::Valid,
        },
        dilation: [1, *dilation],
        groups: *groups,
    };
    kernel(node, way, &kernels)?;
    way.shape.remove(1);
    Ok(())
}

fn kernel(node: &(String, Primitive), way: &mut Way, conv: &Kernels<'_>) -> Result<(), NotFromNir> {
    let [channels, mut height, mut width] = way.shape[..] else {
        return Err(refuse(node, "its input is no picture", "state [channels, height, width]"));
    };
    let mut weights = numbers(node, "weight", conv.weight)?;
    let [out, ins, rows, columns] = conv.extents;
    let mut padding = match conv.padding {
        Padding::Zeros([down, right]) => [down, right, down, right],
        Padding::Valid => [0; 4],
        Padding::Same if conv.stride != [1, 1] => {
            let problem = "its padding is `same` and its stride is not 1";
            return Err(refuse(node, problem, "state the zeros in numbers"));
        }
        Padding::Same => {
            // As many zeros as the window reaches out, the odd one behind.
            let reach =
                |a: usize| conv.dilation[a].saturating_mul([rows, columns][a].saturating_sub(1));
            let [down, right] = [reach(0), reach(1)];
            [down / 2, right / 2, down - down / 2, right - right / 2]
        }
    };
    let (mut extents, mut stride) = ([rows, columns], conv.stride);
    // A sum over k × k pixels before the kernel is a kernel whose taps are k × k wide.
    if let Some((k, scale)) = way.pool.take() {
        if element_count(&[out, ins, rows, columns, k, k]).is_none_or(|size| size > VALUE_LIMIT) {
            let problem =
                format!("with the pooling before it its kernel has over {VALUE_LIMIT} taps");
            return Err(refuse(node, problem, "put a layer between them"));
        }
        if conv.dilation != [1, 1] {
            let problem = "a dilated convolution follows a pooling";
            return Err(refuse(node, problem, "put a layer between them"));
        }
        let taps = (0..out * ins).flat_map(|filter| {
            (0..rows * k).flat_map(move |y| {
                (0..columns * k).map(move |x| (filter * rows + y / k) * columns + x / k)
            })
        });
        weights = taps.map(|tap| weights[tap] * scale).collect();
        (height, width) = (height * k, width * k);
        extents = extents.map(|extent| extent * k);
        stride = stride.map(|step| step * k);
        padding = padding.map(|zeros| zeros * k);
    }
    geometry(
        node,
        way,
        (channels, height, width),
        (out, conv.groups),
        (extents, stride, padding, conv.dilation),
        weights,
    )?;
    let plane = way.shape[1] * way.shape[2];
    let bias = numbers(node, "bias", conv.bias)?;
    way.add_bias(bias, plane);
    way.pass_weights();
    Ok(())
}

/// Kernel, stride, zeros `[top, left, bottom, right]`, dilation.
type Window = ([usize; 2], [usize; 2], [usize; 4], [usize; 2]);

fn geometry(
    node: &(String, Primitive),
    way: &mut Way,
    (channels, height, width): (usize, usize, usize),
    (out, groups): (usize, usize),
    (kernel, stride, padding, dilation): Window,
    weights: Vec<f64>,
) -> Result<(), NotFromNir> {
    let one = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let small = |numbers: [usize; 2]| numbers.map(one);
    let (kernel, stride, zeros, dilation) =
        (small(kernel), small(stride), padding.map(one), small(dilation));
    let axis = |size: usize, a: usize| {
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        let zeros = u64::from(zeros[a]) + u64::from(zeros[a + 2]);
        output_extent(size, kernel[a], stride[a], zeros, dilation[a])
    };
    let (rows, columns) = (axis(height, 0), axis(width, 1));
    let output = [out as u64, rows, columns].iter().try_fold(1_u64, |n, &m| n.checked_mul(m));
    if output.is_none_or(|size| size > VALUE_LIMIT as u64) {
        let problem = format!("puts out more than {VALUE_LIMIT} values");
        return Err(refuse(node, problem, "use less padding or a larger stride"));
    }
    let geometry = Convolution {
        source: [channels, height, width].map(|n| n as u32),
        target: [out as u32, rows as u32, columns as u32],
        kernel,
        stride,
        padding: zeros,
        dilation,
        groups: groups as u32,
    };
    geometry.check().map_err(|error| refuse(node, error.to_string(), "repair the file"))?;
    one_delay(way);
    way.path.weights = Weights::Kernel { geometry, weights };
    way.path.name = node.0.clone();
    way.shape = vec![out, rows as usize, columns as usize];
    Ok(())
}

/// A sum or mean over windows: remembered for a convolution behind it where they lie side by side, a
/// convolution of every channel with itself where not.
pub(super) fn pool(
    node: &(String, Primitive),
    way: &mut Way,
    (kernel, stride, padding): ([usize; 2], [usize; 2], [usize; 2]),
    mean: bool,
) -> Result<(), NotFromNir> {
    let [channels, height, width] = way.shape[..] else {
        return Err(refuse(node, "its input is no picture", "state [channels, height, width]"));
    };
    let k = kernel[0];
    let plain = kernel == [k, k] && stride == kernel && padding == [0, 0];
    let scale = if mean { 1.0 / (kernel[0] * kernel[1]).max(1) as f64 } else { 1.0 };
    if k > 0 && plain && height.is_multiple_of(k) && width.is_multiple_of(k) {
        way.pool = Some((k, scale));
        way.shape = vec![channels, height / k, width / k];
        return Ok(());
    }
    let Some(size) =
        element_count(&[channels, kernel[0], kernel[1]]).filter(|n| *n <= WINDOW_LIMIT)
    else {
        return Err(refuse(node, "its windows are too large", "pool in two steps"));
    };
    let weights = vec![scale; size];
    let [down, right] = padding;
    let window = (kernel, stride, [down, right, down, right], [1, 1]);
    geometry(node, way, (channels, height, width), (channels, channels), window, weights)
}

/// A pooling that no convolution follows becomes a convolution of its own.
pub(super) fn finish_pool(node: &(String, Primitive), way: &mut Way) -> Result<(), NotFromNir> {
    let Some((k, scale)) = way.pool.take() else { return Ok(()) };
    let [channels, height, width] = way.shape[..] else { return Ok(()) };
    if element_count(&[channels, k, k]).is_none_or(|size| size > WINDOW_LIMIT) {
        return Err(refuse(node, "the pooling before it is too large", "pool in two steps"));
    }
    let weights = vec![scale; channels * k * k];
    let window = ([k, k], [k, k], [0; 4], [1, 1]);
    let before = (channels, height * k, width * k);
    geometry(node, way, before, (channels, channels), window, weights)
}
