//! Activations, as layers and as arguments of other layers; factors and summands.

use serde_json::Value;

use super::config::{LayerConfig, Refusal, unsupported};
use super::layout::{Network, keras_extents, our_axis};
use crate::ann::NodeId;
use crate::ann::operator::{
    Affine, Clip, LeakyRelu, LogSoftmax, Operator, ParametricRelu, Relu, Sigmoid, Softmax,
};

/// The operator of an activation by name; `None` for the identity.
fn named(name: &str) -> Result<Option<Operator>, Refusal> {
    Ok(Some(match name {
        "linear" => return Ok(None),
        "relu" => Relu.into(),
        "relu6" => Clip { minimum: 0.0, maximum: 6.0 }.into(),
        "leaky_relu" => LeakyRelu { slope: 0.2 }.into(),
        "softmax" => Softmax { axis: 0 }.into(),
        "log_softmax" => LogSoftmax { axis: 0 }.into(),
        "sigmoid" => Sigmoid.into(),
        other => {
            return unsupported(format!(
                "an activation that spikes can carry (relu, relu6, leaky_relu; softmax or sigmoid \
                 at the end); it is `{other:.40}`"
            ));
        }
    }))
}

/// The activation that a layer has as an argument.
pub fn argument(layer: &LayerConfig<'_>) -> Result<Option<Operator>, Refusal> {
    match layer.get("activation") {
        None => Ok(None),
        Some(Value::String(name)) => named(name),
        Some(object) => {
            // Objects stand where the activation is no plain name.
            let class = object.get("class_name").and_then(Value::as_str).unwrap_or_default();
            match (class, object.get("config")) {
                ("function", Some(Value::String(name))) => named(name),
                (class, Some(config)) => {
                    let name = layer.name;
                    let inner = LayerConfig { name, class, config, weights: Vec::new() };
                    rectifier(&inner).unwrap_or_else(|| named(class))
                }
                _ => named(class),
            }
        }
    }
}

/// `Activation`.
pub fn activation(
    layer: &LayerConfig<'_>,
    network: &mut Network<'_>,
    inputs: &[NodeId],
) -> Result<NodeId, Refusal> {
    let input = one(layer, inputs)?;
    network.chain(input, argument(layer)?)
}

/// The operator of `ReLU` or `LeakyReLU`.
fn rectifier(layer: &LayerConfig<'_>) -> Option<Result<Option<Operator>, Refusal>> {
    let slope = |names: [&str; 2], default: f32| {
        names.iter().find_map(|name| layer.float(name)).unwrap_or(default)
    };
    match layer.class {
        "ReLU" => {
            let negative = slope(["negative_slope", "alpha"], 0.0);
            let threshold = layer.float("threshold").unwrap_or(0.0);
            Some(match (layer.float("max_value"), negative, threshold) {
                (_, _, threshold) if threshold != 0.0 => {
                    unsupported(format!("a threshold of 0; it is {threshold}"))
                }
                (Some(maximum), 0.0, _) => Ok(Some(Clip { minimum: 0.0, maximum }.into())),
                (Some(_), _, _) => unsupported("either a maximum or a negative slope, not both"),
                (None, 0.0, _) => Ok(Some(Relu.into())),
                (None, slope, _) => Ok(Some(LeakyRelu { slope }.into())),
            })
        }
        "LeakyReLU" => {
            let slope = slope(["alpha", "negative_slope"], 0.3);
            Some(Ok(Some(LeakyRelu { slope }.into())))
        }
        _ => None,
    }
}

/// `ReLU`, `LeakyReLU` as layers.
pub fn rectified(
    layer: &LayerConfig<'_>,
    network: &mut Network<'_>,
    inputs: &[NodeId],
) -> Result<NodeId, Refusal> {
    let input = one(layer, inputs)?;
    match rectifier(layer) {
        Some(operator) => network.chain(input, operator?),
        None => layer.invalid("it is no rectifier"),
    }
}

/// `PReLU` with one slope a channel.
pub fn parametric(
    layer: &LayerConfig<'_>,
    network: &mut Network<'_>,
    inputs: &[NodeId],
) -> Result<NodeId, Refusal> {
    let input = one(layer, inputs)?;
    let shape = network.shape(input)?;
    let alpha = layer.needed("alpha")?;
    let channels = shape.channels();
    let slope: Vec<f32> = alpha.values.iter().take(channels).copied().collect();
    let whole = alpha.shape.last() == Some(&channels) && !alpha.values.is_empty();
    let shared = alpha.values.chunks(channels.max(1)).all(|row| row == slope.as_slice());
    if !whole || !shared || alpha.shape.len() > keras_extents(&shape).len() {
        return unsupported("one slope a channel (shared_axes = [1, 2])");
    }
    network.chain(input, [ParametricRelu { slope }.into()])
}

/// `Softmax` along an axis.
pub fn softmax(
    layer: &LayerConfig<'_>,
    network: &mut Network<'_>,
    inputs: &[NodeId],
) -> Result<NodeId, Refusal> {
    let input = one(layer, inputs)?;
    let rank = network.shape(input)?.rank();
    let axis = layer.get("axis").and_then(Value::as_i64).unwrap_or(-1);
    match our_axis(axis, rank) {
        Some(axis) => network.chain(input, [Softmax { axis }.into()]),
        None => layer.invalid(format!("axis {axis} of a tensor with {} axes", rank + 1)),
    }
}

/// `Rescaling`: a factor and a summand.
pub fn rescaling(
    layer: &LayerConfig<'_>,
    network: &mut Network<'_>,
    inputs: &[NodeId],
) -> Result<NodeId, Refusal> {
    let input = one(layer, inputs)?;
    let numbers = |name: &str, default: f32| match layer.get(name) {
        None => Some(vec![default]),
        Some(Value::Array(list)) => {
            list.iter().map(|value| value.as_f64().map(|number| number as f32)).collect()
        }
        Some(_) => layer.float(name).map(|number| vec![number]),
    };
    match (numbers("scale", 1.0), numbers("offset", 0.0)) {
        (Some(gain), Some(shift)) => network.chain(input, [Affine { gain, shift }.into()]),
        _ => layer.invalid("scale and offset must be numbers"),
    }
}

/// The only operand of a layer.
pub fn one(layer: &LayerConfig<'_>, inputs: &[NodeId]) -> Result<NodeId, Refusal> {
    match inputs {
        &[input] => Ok(input),
        _ => layer.invalid(format!("it has {} inputs instead of one", inputs.len())),
    }
}
