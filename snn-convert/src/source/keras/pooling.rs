//! Poolings, batch normalisation, borders.

use serde_json::Value;

use super::activation::one;
use super::config::{LayerConfig, Refusal, unsupported};
use super::convolution::{spatial, window};
use super::layout::{Network, our_axis};
use crate::ann::operator::window::Window;
use crate::ann::operator::{
    Affine, AveragePool, BatchNormalization, Flatten, GlobalAveragePool, MaxPool, Pad,
};
use crate::ann::{NodeId, SampleShape};

/// `MaxPooling1D`, `MaxPooling2D`.
pub fn maximum(
    layer: &LayerConfig<'_>,
    network: &mut Network<'_>,
    inputs: &[NodeId],
) -> Result<NodeId, Refusal> {
    let (input, window) = pooled(layer, network, inputs)?;
    network.chain(input, [MaxPool { window }.into()])
}

/// `AveragePooling1D`, `AveragePooling2D`; padding does not count.
pub fn average(
    layer: &LayerConfig<'_>,
    network: &mut Network<'_>,
    inputs: &[NodeId],
) -> Result<NodeId, Refusal> {
    let (input, window) = pooled(layer, network, inputs)?;
    network.chain(input, [AveragePool { window, count_padding: false }.into()])
}

fn pooled(
    layer: &LayerConfig<'_>,
    network: &Network<'_>,
    inputs: &[NodeId],
) -> Result<(NodeId, Window), Refusal> {
    let input = one(layer, inputs)?;
    let shape = spatial(layer, network, input)?;
    let kernel = layer.window("pool_size", shape.rank() - 1, 2)?;
    Ok((input, window(layer, &shape, kernel)?))
}

/// `GlobalAveragePooling1D`, `GlobalAveragePooling2D`.
pub fn global_average(
    layer: &LayerConfig<'_>,
    network: &mut Network<'_>,
    inputs: &[NodeId],
) -> Result<NodeId, Refusal> {
    let input = one(layer, inputs)?;
    spatial(layer, network, input)?;
    let keep_axes = layer.flag("keepdims", false);
    network.chain(input, [GlobalAveragePool { keep_axes }.into()])
}

/// `GlobalMaxPooling1D`, `GlobalMaxPooling2D`.
pub fn global_maximum(
    layer: &LayerConfig<'_>,
    network: &mut Network<'_>,
    inputs: &[NodeId],
) -> Result<NodeId, Refusal> {
    let input = one(layer, inputs)?;
    let shape = spatial(layer, network, input)?;
    let Some([_, height, width]) = shape.rows_and_columns() else {
        return layer.invalid("it needs a picture or a sequence");
    };
    let pool = MaxPool { window: Window::new([height, width], [1, 1]) };
    let flatten = (!layer.flag("keepdims", false)).then(|| Flatten.into());
    network.chain(input, std::iter::once(pool.into()).chain(flatten))
}

/// `BatchNormalization` over the channels.
pub fn batch_normalization(
    layer: &LayerConfig<'_>,
    network: &mut Network<'_>,
    inputs: &[NodeId],
) -> Result<NodeId, Refusal> {
    let input = one(layer, inputs)?;
    let shape = network.shape(input)?;
    let axis = layer.get("axis").map(|axis| axis.get(0).unwrap_or(axis));
    let axis = axis.and_then(Value::as_i64).unwrap_or(-1);
    if our_axis(axis, shape.rank()) != Some(0) {
        return unsupported(format!("normalisation along the channels; its axis is {axis}"));
    }
    let (mean, variance) = (layer.needed("moving_mean")?, layer.needed("moving_variance")?);
    let channels = mean.values.len();
    let or = |part: &str, default: f32| {
        layer.weight(part).map_or_else(|| vec![default; channels], |tensor| tensor.values.clone())
    };
    let norm = BatchNormalization {
        scale: or("gamma", 1.0),
        offset: or("beta", 0.0),
        mean: mean.values.clone(),
        variance: variance.values.clone(),
        epsilon: layer.float("epsilon").unwrap_or(1e-3),
    };
    network.chain(input, [norm.into()])
}

/// `Normalization` with the statistics that it was adapted to.
pub fn normalization(
    layer: &LayerConfig<'_>,
    network: &mut Network<'_>,
    inputs: &[NodeId],
) -> Result<NodeId, Refusal> {
    let input = one(layer, inputs)?;
    let (mean, variance) = (layer.needed("mean")?, layer.needed("variance")?);
    if mean.values.len() != variance.values.len() {
        return layer.invalid("mean and variance have different lengths");
    }
    // Keras divides by the root, or by 1e-7 where that is smaller.
    let gain: Vec<f32> = variance.values.iter().map(|v| 1.0 / v.sqrt().max(1e-7)).collect();
    let shift = gain.iter().zip(&mean.values).map(|(gain, mean)| -gain * mean).collect();
    network.chain(input, [Affine { gain, shift }.into()])
}

/// `ZeroPadding1D`, `ZeroPadding2D`, `Cropping1D`, `Cropping2D`.
pub fn border(
    layer: &LayerConfig<'_>,
    network: &mut Network<'_>,
    inputs: &[NodeId],
) -> Result<NodeId, Refusal> {
    let input = one(layer, inputs)?;
    let shape = spatial(layer, network, input)?;
    let crop = layer.class.starts_with("Cropping");
    let stated = layer.get(if crop { "cropping" } else { "padding" });
    let sign = if crop { -1 } else { 1 };
    let Some(sides) = stated.and_then(|value| sides(value, &shape)) else {
        return layer.invalid("its border must be whole numbers, one or two a spatial axis");
    };
    let rank = shape.rank();
    let mut pad = Pad { before: vec![0; rank], after: vec![0; rank], value: 0.0 };
    for (axis, [before, after]) in sides.into_iter().enumerate() {
        (pad.before[axis + 1], pad.after[axis + 1]) = (sign * before, sign * after);
    }
    network.chain(input, [pad.into()])
}

/// Cells before and after, one pair a spatial axis.
fn sides(value: &Value, shape: &SampleShape) -> Option<Vec<[i64; 2]>> {
    let cells = |value: &Value| value.as_i64().filter(|cells| (0..=1 << 20).contains(cells));
    let pair = |value: &Value| match value.as_array().map(Vec::as_slice) {
        Some([before, after]) => Some([cells(before)?, cells(after)?]),
        Some(_) => None,
        None => cells(value).map(|both| [both, both]),
    };
    match (value.as_array().map(Vec::as_slice), shape.rank()) {
        (Some([before, after]), 2) => Some(vec![[cells(before)?, cells(after)?]]),
        (Some([rows, columns]), 3) => Some(vec![pair(rows)?, pair(columns)?]),
        (Some(_), _) => None,
        (None, rank) => Some(vec![pair(value)?; rank - 1]),
    }
}
