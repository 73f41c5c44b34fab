//! Listing the layers of a netx file, with what netx would silently do to them.

use std::path::Path;

use model_io::array::{Array, Values};
use model_io::hdf5::{self, Group, MemberKind};

use super::{BUILT_TYPES, LARGEST_DELAY, NetxError};

/// What is said of a layer that must have weights.
pub(super) const NO_WEIGHT: &str = "it has no weight; write its matrix or kernel as `weight`";

/// Types that netx knows by name and does not implement.
const REFUSED_TYPES: [&str; 6] = ["average", "concat", "pool", "convT", "unpool", "dense_comp"];

/// A layer of a netx file.
#[derive(Debug, Clone, PartialEq)]
pub struct NetxLayer {
    /// Position in the file.
    pub index: usize,
    /// `input`, `dense`, `conv`, … as stored.
    pub layer_type: String,
    /// Extents as stored: `[channels, height, width]` or `[neurons]`.
    pub shape: Vec<u64>,
    /// Weights as stored, where they are real.
    pub weights: Option<Array>,
    /// Real and imaginary parts as stored, where the weights are complex.
    pub complex_weights: Option<[Array; 2]>,
    /// Recurrent weights of `dense_rec`.
    pub recurrent_weights: Option<Array>,
    /// Bias as stored.
    pub bias: Option<Array>,
    /// Delays as stored.
    pub delay: Option<Array>,
    /// Stride, padding and dilation `[down, right]` and groups of a convolution.
    pub convolution: Option<NetxConvolution>,
    /// The neurons; netx makes integrators where there are none.
    pub neuron: Option<NetxNeuron>,
    /// What netx does with this layer without saying so.
    pub warnings: Vec<String>,
}

/// How a convolution's kernels move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetxConvolution {
    /// Step `[down, right]`.
    pub stride: [u64; 2],
    /// Zeros on both sides `[height, width]`.
    pub padding: [u64; 2],
    /// Distance of neighbouring kernel elements `[down, right]`.
    pub dilation: [u64; 2],
    /// Independent groups of channels.
    pub groups: u64,
}

/// The neurons of a layer.
#[derive(Debug, Clone, PartialEq)]
pub struct NetxNeuron {
    /// `CUBA`, `SDNN`, … as stored.
    pub neuron_type: String,
    /// `iDecay`, where it is stored.
    pub current_decay: Option<f64>,
    /// `vDecay`, where it is stored.
    pub voltage_decay: Option<f64>,
    /// `vThMant`, where it is stored.
    pub threshold: Option<f64>,
    /// `sinDecay` of a resonator, where it is stored.
    pub sine_decay: Option<f64>,
    /// `cosDecay` of a resonator, where it is stored.
    pub cosine_decay: Option<f64>,
    /// Whether `sigma_output` is there: an SDNN layer that sends sums instead of changes.
    pub sigma_output: bool,
    /// Whether `messageBits` is there, on which netx hangs.
    pub message_bits: bool,
}

/// Reads the layers of a netx file in their order.
///
/// # Errors
/// [`NetxError::Container`] or [`NetxError::Layer`] with the place in the file.
pub fn read_netx_layers(path: &Path) -> Result<Vec<NetxLayer>, NetxError> {
    let layers = hdf5::open(path)?.group("layer")?;
    let count = layers.member_names().len();
    (0..count).map(|index| read_layer(&layers.group(&index.to_string())?, index)).collect()
}

fn read_layer(group: &Group, index: usize) -> Result<NetxLayer, NetxError> {
    let layer_type = group.read_text("type")?;
    let shape = counts(group, "shape")?.unwrap_or_default();
    let is_conv = layer_type == "conv";
    let mut layer = NetxLayer {
        index,
        shape,
        weights: numbers(group, "weight")?,
        complex_weights: complex_numbers(group)?,
        recurrent_weights: numbers(group, "weight_rec")?,
        bias: numbers(group, "bias")?,
        delay: numbers(group, "delay")?,
        convolution: if is_conv { Some(read_convolution(group)?) } else { None },
        neuron: read_neuron(group)?,
        warnings: Vec::new(),
        layer_type,
    };
    check_weights(group, &layer)?;
    layer.warnings = warnings(&layer);
    Ok(layer)
}

/// An array of numbers; `None` where it is absent or a group of complex parts.
fn numbers(group: &Group, name: &str) -> Result<Option<Array>, NetxError> {
    if group.kind(name) != Some(MemberKind::Array) {
        return Ok(None);
    }
    let array = group.read(name)?;
    match array.values {
        Values::Text(_) => Err(wrong(group, format!("{name} is a text; expected numbers"))),
        _ => Ok(Some(array)),
    }
}

/// Complex weights are a group of two arrays.
fn complex_numbers(group: &Group) -> Result<Option<[Array; 2]>, NetxError> {
    if group.kind("weight") != Some(MemberKind::Group) {
        return Ok(None);
    }
    let parts = group.group("weight")?;
    match (numbers(&parts, "real")?, numbers(&parts, "imag")?) {
        (Some(real), Some(imaginary)) => Ok(Some([real, imaginary])),
        _ => Err(wrong(group, "weight is a group without both parts `real` and `imag`".into())),
    }
}

fn counts(group: &Group, name: &str) -> Result<Option<Vec<u64>>, NetxError> {
    let Some(array) = numbers(group, name)? else {
        return Ok(None);
    };
    let whole = array.values.to_i64();
    let counts = whole.and_then(|v| v.into_iter().map(|n| u64::try_from(n).ok()).collect());
    let found = array.values.type_name();
    counts.map(Some).ok_or_else(|| {
        wrong(group, format!("{name} is {found}; expected whole numbers of at least 0"))
    })
}

fn wrong(group: &Group, reason: String) -> NetxError {
    NetxError::Layer { place: group.place().to_owned(), reason }
}

fn read_convolution(group: &Group) -> Result<NetxConvolution, NetxError> {
    let pair = |name: &str, default: u64| match counts(group, name)?.as_deref() {
        None => Ok([default, default]),
        Some([both]) => Ok([*both, *both]),
        Some([first, second]) => Ok([*first, *second]),
        Some(other) => {
            Err(wrong(group, format!("{name} has {} numbers; expected 1 or 2", other.len())))
        }
    };
    let groups = counts(group, "groups")?.and_then(|g| g.first().copied()).unwrap_or(1);
    Ok(NetxConvolution {
        stride: pair("stride", 1)?,
        padding: pair("padding", 0)?,
        dilation: pair("dilation", 1)?,
        groups,
    })
}

fn read_neuron(group: &Group) -> Result<Option<NetxNeuron>, NetxError> {
    if group.kind("neuron") != Some(MemberKind::Group) {
        return Ok(None);
    }
    let neuron = group.group("neuron")?;
    let number = |name: &str| -> Result<Option<f64>, NetxError> {
        let Some(array) = numbers(&neuron, name)? else {
            return Ok(None);
        };
        let value = array.values.to_f64().and_then(|v| v.first().copied());
        match value.is_none_or(f64::is_finite) {
            true => Ok(value),
            false => Err(wrong(&neuron, format!("{name} is no finite number; write a whole one"))),
        }
    };
    Ok(Some(NetxNeuron {
        neuron_type: neuron.read_text("type")?,
        current_decay: number("iDecay")?,
        voltage_decay: number("vDecay")?,
        threshold: number("vThMant")?,
        sine_decay: number("sinDecay")?,
        cosine_decay: number("cosDecay")?,
        sigma_output: neuron.kind("sigma_output").is_some(),
        message_bits: neuron.kind("messageBits").is_some(),
    }))
}

/// Weights must be there and fill the layer.
fn check_weights(group: &Group, layer: &NetxLayer) -> Result<(), NetxError> {
    let Some(weights) = &layer.weights else {
        let needs = matches!(layer.layer_type.as_str(), "dense" | "dense_rec" | "conv");
        let complex = group.kind("weight") == Some(MemberKind::Group);
        if needs && !complex {
            return Err(wrong(group, NO_WEIGHT.into()));
        }
        return Ok(());
    };
    if layer.layer_type == "conv" && !(4..=5).contains(&weights.shape.len()) {
        let reason =
            format!("weight has shape {:?}; expected [out, in, height, width]", weights.shape);
        return Err(wrong(group, reason));
    }
    if layer.layer_type.starts_with("dense") {
        let neurons = layer.shape.iter().try_fold(1u64, |n, &extent| n.checked_mul(extent));
        let fits = neurons.is_some_and(|n| n > 0 && (weights.len() as u64).is_multiple_of(n));
        if !fits {
            let (count, shape) = (weights.len(), &layer.shape);
            return Err(wrong(
                group,
                format!(
                    "{count} weights do not fill neurons {shape:?}; give each neuron as many, or correct shape"
                ),
            ));
        }
    }
    Ok(())
}

fn warnings(layer: &NetxLayer) -> Vec<String> {
    let mut warnings = Vec::new();
    let layer_type = layer.layer_type.as_str();
    if REFUSED_TYPES.contains(&layer_type) {
        warnings.push(format!("netx stops: type `{layer_type}` is not implemented"));
    } else if !BUILT_TYPES.contains(&layer_type) {
        warnings.push(format!("netx skips this layer: type `{layer_type:.40}` is unknown to it"));
    }
    let computes = matches!(layer_type, "dense" | "dense_rec" | "conv");
    if layer_type == "conv" && layer.neuron.is_none() {
        warnings.push("it has no neuron; netx stops on such a convolution".into());
    } else if computes && layer.neuron.is_none() {
        warnings.push("it has no neuron; netx makes integrators with threshold 2^17".into());
    }
    if layer.neuron.as_ref().is_some_and(|neuron| neuron.message_bits) {
        warnings.push("neuron/messageBits makes netx hang".into());
    }
    if let Some(values) = layer.weights.as_ref().and_then(|w| w.values.to_f64()) {
        let (minimum, maximum) =
            values.iter().fold((0f64, 0f64), |(low, high), &w| (low.min(w), high.max(w)));
        if values.iter().any(|w| w.fract() != 0.0) {
            warnings.push("netx cuts weights to whole numbers".into());
        }
        if minimum == 0.0 && maximum == 0.0 {
            warnings.push("all weights are 0; netx stops".into());
        } else if layer_type != "conv" {
            if minimum < 0.0 && maximum > 0.0 && (minimum < -256.0 || maximum > 254.0) {
                warnings.push("netx clips weights to -256 to 254".into());
            } else if (minimum >= 0.0 && maximum > 255.0) || (maximum <= 0.0 && minimum < -256.0) {
                warnings.push("netx sets all weights of this layer to 0: out of range".into());
            }
        }
    }
    if let Some(delays) = layer.delay.as_ref().and_then(|d| d.values.to_f64()) {
        if delays.iter().any(|&d| d > f64::from(LARGEST_DELAY)) {
            warnings.push(format!("netx clamps delays to {LARGEST_DELAY} steps"));
        }
        if layer_type == "conv" {
            warnings.push("netx ignores delays of convolutions".into());
        }
    }
    warnings
}
