//! Layers that join or arrange: add, concatenate, flatten, reshape, permute.

use serde_json::Value;

use super::activation::one;
use super::config::{LayerConfig, Refusal};
use super::layout::{Network, from_keras, keras_extents, our_axis, reshaped, to_keras};
use crate::ann::operator::{Add, Affine, Concat, Flatten, Identity, Transpose};
use crate::ann::{NodeId, SampleShape};

/// `Add` of any number of branches, `Average` of them.
pub fn add(
    layer: &LayerConfig<'_>,
    network: &mut Network<'_>,
    inputs: &[NodeId],
) -> Result<NodeId, Refusal> {
    let Some((&first, rest)) = inputs.split_first() else {
        return layer.invalid("it has no inputs");
    };
    let average = layer.class == "Average";
    let mut last = first;
    for (number, &input) in rest.iter().enumerate() {
        let part = (average || number + 1 < rest.len()).then_some(number + 1);
        last = network.add(part, Add.into(), &[last, input])?;
    }
    if average {
        let share = Affine::multiply(vec![1.0 / inputs.len() as f32]);
        last = network.add(None, share.into(), &[last])?;
    }
    Ok(last)
}

/// `Subtract`.
pub fn subtract(
    layer: &LayerConfig<'_>,
    network: &mut Network<'_>,
    inputs: &[NodeId],
) -> Result<NodeId, Refusal> {
    let &[a, b] = inputs else {
        return layer.invalid(format!("it has {} inputs instead of two", inputs.len()));
    };
    let minus = network.add(Some(1), Affine::multiply(vec![-1.0]).into(), &[b])?;
    Ok(network.add(None, Add.into(), &[a, minus])?)
}

/// `Concatenate`.
pub fn concatenate(
    layer: &LayerConfig<'_>,
    network: &mut Network<'_>,
    inputs: &[NodeId],
) -> Result<NodeId, Refusal> {
    let Some(&first) = inputs.first() else { return layer.invalid("it has no inputs") };
    let rank = network.shape(first)?.rank();
    let axis = layer.get("axis").and_then(Value::as_i64).unwrap_or(-1);
    let Some(axis) = our_axis(axis, rank) else {
        return layer.invalid(format!("axis {axis} of a tensor with {} axes", rank + 1));
    };
    let concat = Concat { axis, operands: inputs.len() };
    Ok(network.add(None, concat.into(), inputs)?)
}

/// `Flatten`, in Keras' order: channels run fastest.
pub fn flatten(
    layer: &LayerConfig<'_>,
    network: &mut Network<'_>,
    inputs: &[NodeId],
) -> Result<NodeId, Refusal> {
    let input = one(layer, inputs)?;
    layer.channels_last()?;
    let shape = network.shape(input)?;
    network.chain(input, to_keras(&shape).into_iter().chain([Flatten.into()]))
}

/// `Reshape`, in Keras' order.
pub fn reshape(
    layer: &LayerConfig<'_>,
    network: &mut Network<'_>,
    inputs: &[NodeId],
) -> Result<NodeId, Refusal> {
    let input = one(layer, inputs)?;
    let shape = network.shape(input)?;
    let stated = layer.get("target_shape").and_then(Value::as_array);
    let target: Option<Vec<i64>> =
        stated.and_then(|target| target.iter().take(9).map(Value::as_i64).collect());
    let extents = target.as_ref().and_then(|target| resolve(target, shape.size()));
    match extents.and_then(|extents| SampleShape::new(extents).ok()) {
        Some(to) if to.size() == shape.size() => network.chain(input, reshaped(&shape, &to)),
        _ => layer.invalid(format!("{shape} cannot be arranged as {target:?}")),
    }
}

/// The extents with one -1 replaced by what is left.
fn resolve(target: &[i64], size: usize) -> Option<Vec<usize>> {
    let open = target.iter().filter(|&&extent| extent == -1).count();
    let mut product = 1_usize;
    for &extent in target.iter().filter(|&&extent| extent != -1) {
        product = product.checked_mul(usize::try_from(extent).ok()?)?;
    }
    if open > 1 || target.len() > 8 || product == 0 || !size.is_multiple_of(product) {
        return None;
    }
    let extent = |&extent: &i64| usize::try_from(extent).unwrap_or(size / product);
    Some(target.iter().map(extent).collect())
}

/// `Permute`, in Keras' order.
pub fn permute(
    layer: &LayerConfig<'_>,
    network: &mut Network<'_>,
    inputs: &[NodeId],
) -> Result<NodeId, Refusal> {
    let input = one(layer, inputs)?;
    let shape = network.shape(input)?;
    let axes = layer.numbers("dims")?.unwrap_or_default();
    if axes.contains(&0) || axes.len() != shape.rank() {
        return layer.invalid(format!("dims {axes:?} must name the {} axes from 1", shape.rank()));
    }
    let permutation: Vec<usize> = axes.iter().map(|axis| axis - 1).collect();
    let keras = keras_extents(&shape);
    let extents: Option<Vec<usize>> =
        permutation.iter().map(|&axis| keras.get(axis).copied()).collect();
    let Some(to) = extents.and_then(|extents| SampleShape::new(extents).ok()) else {
        return layer.invalid(format!("dims {axes:?} of a tensor with {} axes", shape.rank()));
    };
    let mut operators = to_keras(&shape);
    operators.push(Transpose { permutation }.into());
    operators.extend(from_keras(&to));
    network.chain(input, operators)
}

/// Layers that do nothing in a finished network.
pub fn nothing(
    layer: &LayerConfig<'_>,
    network: &mut Network<'_>,
    inputs: &[NodeId],
) -> Result<NodeId, Refusal> {
    network.chain(one(layer, inputs)?, [Identity.into()])
}
