//! A sequence of layers that fits the tensors' names and shapes.
//!
//! Tensors say the kind and the width of each layer that has weights. What lies between (the
//! activation, poolings, padding, strides) they do not say: ReLU between layers is assumed, and
//! poolings of 2 × 2 and padding are chosen so that the first dense layer fits. That is no more than
//! a guess, so it is printed and must be confirmed.

use super::{Architecture, Geometry, Layer, Padding};
use crate::source::SourceError;
use crate::source::weights::{StateDict, WeightTensor};

/// An architecture that fits, with what to tell about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Guess {
    /// The architecture.
    pub architecture: Architecture,
    /// What to print before it is used: comments and the architecture's file.
    pub lines: Vec<String>,
}

/// What to do where nothing can be guessed.
const HELP: &str = "write an architecture file and give it with --architecture \
                    (docs/architecture_files.md)";

/// Heights and widths that are tried where no input shape is given.
const EXTENTS: [usize; 8] = [28, 32, 8, 16, 64, 96, 128, 224];

/// The most convolutions between which poolings are searched.
const MAXIMUM_CONVOLUTIONS: usize = 12;
/// Most convolutions for which it is tried to pad some and not others.
const MOST_PADDED_ONE_BY_ONE: usize = 6;

/// Finds an architecture; `input` is the shape of a sample, where it is known.
///
/// # Errors
/// [`SourceError::NoGuess`] where the tensors are not those of a simple sequence of layers, or
/// nothing fits.
pub fn guess(tensors: &StateDict, input: Option<&[usize]>) -> Result<Guess, SourceError> {
    let layers = weighted_layers(tensors)?;
    let kinds: Vec<&Kind> = layers.iter().map(|layer| &layer.kind).collect();
    let convolutions = kinds.iter().filter(|kind| matches!(kind, Kind::Convolution(..))).count();
    let (input, plan, others) = match convolutions {
        0 => match kinds.iter().find_map(|kind| match kind {
            Kind::Linear(inputs) => Some(*inputs),
            _ => None,
        }) {
            Some(inputs) => (flat_input(inputs, input)?, Plan::default(), 0),
            None => return none("there is no dense layer and no convolution"),
        },
        _ => search(&layers, input)?,
    };
    let mut sequence = sequence(&layers, &plan);
    if convolutions == 0 && input.len() > 1 {
        sequence.insert(0, Layer::Flatten);
    }
    let architecture = Architecture { input: Some(input), layers: sequence, ignore: Vec::new() };
    let mut lines = vec![
        "# A guess from the tensors' names and shapes: check it against the network's source."
            .to_owned(),
        "# Not stored with the tensors, thus assumed: the order of the layers, ReLU between them,"
            .to_owned(),
        "# strides of 1, padding, and where and how is pooled (max could be avg).".to_owned(),
    ];
    if others > 0 {
        lines.push(format!("# {others} other choices of padding and pooling fit the shapes too."));
    }
    lines.extend(architecture.to_string().lines().map(str::to_owned));
    Ok(Guess { architecture, lines })
}

/// The shape of a sample for a first dense layer: the given one, if it has as many values.
fn flat_input(inputs: usize, given: Option<&[usize]>) -> Result<Vec<usize>, SourceError> {
    let Some(given) = given else { return Ok(vec![inputs]) };
    if values(given) == Some(inputs) {
        return Ok(given.to_vec());
    }
    none(format!(
        "the first dense layer takes {inputs} values, which samples of the given shape {} do not have",
        shown(given)
    ))
}

fn values(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1_usize, |all, &extent| all.checked_mul(extent))
}

fn shown(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ")
}

/// A given shape as channels and extents: one channel need not be said.
fn picture(given: &[usize], first: usize, sequence: bool) -> Result<Vec<usize>, SourceError> {
    let axes = if sequence { 1 } else { 2 };
    let whole = match given.len() {
        length if length == axes => [&[1], given].concat(),
        _ => given.to_vec(),
    };
    if whole.len() == axes + 1 && whole[0] == first {
        return Ok(whole);
    }
    let needed = if sequence { "the length" } else { "height and width" };
    none(format!(
        "the first convolution takes {first} channels, so a sample's shape is {first} and {needed}, \
         but {} was given",
        shown(given)
    ))
}

fn none<T>(problem: impl Into<String>) -> Result<T, SourceError> {
    Err(SourceError::NoGuess { problem: problem.into(), help: HELP })
}

/// A layer with tensors.
struct Weighted {
    prefix: String,
    kind: Kind,
}

enum Kind {
    /// Channels out, channels in a group, kernel, sequence or picture.
    Convolution(usize, usize, [usize; 2], bool),
    /// Inputs.
    Linear(usize),
    /// Channels.
    BatchNorm,
}

/// The layers by the prefixes of their tensors' names.
fn weighted_layers(tensors: &StateDict) -> Result<Vec<Weighted>, SourceError> {
    let mut prefixes: Vec<&str> = Vec::new();
    for name in tensors.tensors.keys() {
        let prefix = name.rsplit_once('.').map_or("", |(prefix, _)| prefix);
        if prefixes.last() != Some(&prefix) && !prefixes.contains(&prefix) {
            prefixes.push(prefix);
        }
        if prefixes.len() > 1000 {
            return none("there are more than 1000 layers");
        }
    }
    if !tensors.in_order {
        prefixes.sort_by_key(|prefix| natural(prefix));
    }
    let mut layers = Vec::new();
    for prefix in prefixes {
        let part = |part: &str| {
            let name = if prefix.is_empty() { part.to_owned() } else { format!("{prefix}.{part}") };
            tensors.tensors.get(&name)
        };
        let kind = match (part("running_mean"), part("weight")) {
            (Some(_), _) => Kind::BatchNorm,
            (None, Some(weight)) => kind(weight, prefix)?,
            (None, None) => {
                return none(format!("`{prefix:.60}` has neither weight nor statistics"));
            }
        };
        layers.push(Weighted { prefix: prefix.to_owned(), kind });
    }
    let numbered = layers.iter().all(|layer| natural(&layer.prefix)[0].0.is_empty());
    if tensors.in_order || numbered { Ok(layers) } else { with_norms_behind(layers, tensors) }
}

/// In alphabetical order `bn1` stands before `conv1`: each batch norm goes behind the layer with
/// its number and its width.
fn with_norms_behind(
    layers: Vec<Weighted>,
    tensors: &StateDict,
) -> Result<Vec<Weighted>, SourceError> {
    let number = |prefix: &str| natural(prefix).last().map(|part| part.1);
    let (norms, mut found): (Vec<Weighted>, Vec<Weighted>) =
        layers.into_iter().partition(|layer| matches!(layer.kind, Kind::BatchNorm));
    for norm in norms {
        let width = |prefix: &str, part: &str| {
            let tensor = tensors.tensors.get(&format!("{prefix}.{part}"));
            tensor.and_then(|tensor| tensor.shape.first().copied())
        };
        let own = width(&norm.prefix, "running_mean");
        let place = found.iter().position(|layer| {
            number(&layer.prefix) == number(&norm.prefix) && width(&layer.prefix, "weight") == own
        });
        match place {
            Some(place) => found.insert(place + 1, norm),
            None => return none(format!("the place of the batch norm `{:.60}`", norm.prefix)),
        }
    }
    Ok(found)
}

fn kind(weight: &WeightTensor, prefix: &str) -> Result<Kind, SourceError> {
    match *weight.shape.as_slice() {
        [_, inputs] => Ok(Kind::Linear(inputs)),
        [out, group, length] => Ok(Kind::Convolution(out, group, [1, length], true)),
        [out, group, height, width] => Ok(Kind::Convolution(out, group, [height, width], false)),
        _ => none(format!("`{prefix:.60}.weight` has the extents {:?}", weight.shape)),
    }
}

/// Names with numbers in the order of the numbers.
fn natural(name: &str) -> Vec<(String, u64)> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut number: Option<u64> = None;
    for character in name.chars() {
        match character.to_digit(10) {
            Some(digit) => {
                number = Some(number.unwrap_or(0).saturating_mul(10).saturating_add(digit.into()));
            }
            None => {
                if let Some(number) = number.take() {
                    parts.push((std::mem::take(&mut text), number));
                }
                text.push(character);
            }
        }
    }
    parts.push((text, number.unwrap_or(0)));
    parts
}

/// What is not stored: which convolutions are padded, poolings behind some, the way to a list.
#[derive(Debug, Clone, Default)]
struct Plan {
    padded: Vec<bool>,
    pooled: Vec<bool>,
    global: bool,
}

/// Tries inputs, padding and poolings until the first dense layer fits.
fn search(
    layers: &[Weighted],
    given: Option<&[usize]>,
) -> Result<(Vec<usize>, Plan, usize), SourceError> {
    let mut convolutions = Vec::new();
    let mut channels = 0;
    let mut wanted = None;
    for layer in layers {
        match layer.kind {
            Kind::Convolution(out, group, kernel, sequence) if wanted.is_none() => {
                // Another number of channels than there are is a shortcut around layers far more
                // often than a convolution in groups; a depthwise one has one channel a group.
                let depthwise = group == 1 && out.is_multiple_of(channels.max(1));
                let fits = group > 0 && (channels == 0 || channels == group || depthwise);
                if !fits || convolutions.len() >= MAXIMUM_CONVOLUTIONS {
                    return none(format!(
                        "`{:.60}` does not follow the layer before it (branches or projections?)",
                        layer.prefix
                    ));
                }
                channels = out;
                convolutions.push((group, kernel, sequence));
            }
            Kind::Linear(inputs) if wanted.is_none() => wanted = Some(inputs),
            Kind::Convolution(..) => return none("a convolution follows a dense layer"),
            _ => {}
        }
    }
    let (Some(wanted), Some(&(first, _, sequence))) = (wanted, convolutions.first()) else {
        return none("there is no dense layer behind the convolutions");
    };
    let inputs: Vec<Vec<usize>> = match given {
        Some(given) => vec![picture(given, first, sequence)?],
        None if sequence => EXTENTS.iter().map(|&n| vec![first, n]).collect(),
        None => EXTENTS.iter().map(|&n| vec![first, n, n]).collect(),
    };
    let mut found: Vec<(Vec<usize>, Plan)> = Vec::new();
    // Most networks pad all convolutions or none; LeNet pads the first alone.
    let mixed = convolutions.len() <= MOST_PADDED_ONE_BY_ONE;
    let plans = [Some(false), mixed.then_some(true)].into_iter().flatten();
    let plans: Vec<Vec<Plan>> = plans.map(|mixed| plans_for(convolutions.len(), mixed)).collect();
    // Of a given shape all plans are tried before it is refused; of others the usual ones first.
    for (plans, input) in plans.iter().flat_map(|plans| inputs.iter().map(move |i| (plans, i))) {
        for plan in plans {
            if features(input, &convolutions, plan, channels) == Some(wanted) {
                found.push((input.clone(), plan.clone()));
            }
        }
        if !found.is_empty() {
            break;
        }
    }
    let others = found.len().saturating_sub(1);
    match found.into_iter().next() {
        Some((input, plan)) => Ok((input, plan, others)),
        None => match given {
            Some(given) => none(format!(
                "with samples of the given shape {}, no padding and pooling was found with which the \
                 first dense layer gets its {wanted} inputs",
                shown(given)
            )),
            None => none(format!(
                "no input shape, padding and pooling was found with which the first dense layer gets \
                 its {wanted} inputs (give the shape of a sample with --input-shape)"
            )),
        },
    }
}

/// Poolings behind all convolutions first, then behind fewer; all convolutions padded or none, or
/// `mixed`.
fn plans_for(convolutions: usize, mixed: bool) -> Vec<Plan> {
    let all = (1_u32 << convolutions) - 1;
    let padded: Vec<u32> = if mixed { (1..all).collect() } else { vec![all, 0] };
    let bits = |mask: u32| (0..convolutions).map(move |n| mask >> n & 1 == 1).collect();
    let mut masks: Vec<u32> = (0..1_u32 << convolutions).collect();
    masks.sort_by_key(|mask| std::cmp::Reverse((mask.count_ones(), *mask)));
    let mut plans = Vec::new();
    for global in [false, true] {
        for &mask in &masks {
            for &padded in &padded {
                plans.push(Plan { padded: bits(padded), pooled: bits(mask), global });
            }
        }
    }
    plans
}

/// The values that reach the first dense layer.
fn features(
    input: &[usize],
    convolutions: &[(usize, [usize; 2], bool)],
    plan: &Plan,
    channels: usize,
) -> Option<usize> {
    let mut extents = match *input {
        [_, length] => [1, length],
        [_, height, width] => [height, width],
        _ => return None,
    };
    let plan_of = plan.pooled.iter().zip(&plan.padded);
    for (&(_, kernel, sequence), (&pooled, &padded)) in convolutions.iter().zip(plan_of) {
        for axis in 0..2 {
            if !padded {
                extents[axis] = (extents[axis] + 1).checked_sub(kernel[axis])?;
            } else if kernel[axis] % 2 == 0 {
                return None;
            }
            if pooled && (axis == 1 || !sequence) {
                extents[axis] /= 2;
            }
            if extents[axis] == 0 {
                return None;
            }
        }
    }
    if plan.global {
        return Some(channels);
    }
    channels.checked_mul(extents[0])?.checked_mul(extents[1])
}

fn sequence(layers: &[Weighted], plan: &Plan) -> Vec<Layer> {
    let mut found = Vec::new();
    let mut channels = 0;
    let mut convolution = 0;
    let mut flat = plan.pooled.is_empty();
    for (number, layer) in layers.iter().enumerate() {
        let tensors = layer.prefix.clone();
        // The pooling of this layer, if it is a convolution.
        let pool = match layer.kind {
            Kind::Convolution(out, group, kernel, _) => {
                let same = kernel.map(|extent| (extent - 1) / 2);
                let padding = match plan.padded.get(convolution).copied().unwrap_or(false) {
                    true => Padding::Cells([same[0], same[1], same[0], same[1]]),
                    false => Padding::Cells([0; 4]),
                };
                let geometry =
                    Geometry { kernel: [0; 2], stride: [1; 2], padding, dilation: [1; 2] };
                let groups = if channels == 0 { 1 } else { channels / group.max(1) };
                found.push(Layer::Convolution { tensors, geometry, groups });
                channels = out;
                convolution += 1;
                plan.pooled.get(convolution - 1).copied().unwrap_or(false)
            }
            Kind::Linear(..) => {
                if !flat {
                    found.push(if plan.global { Layer::GlobalAveragePool } else { Layer::Flatten });
                    flat = true;
                }
                found.push(Layer::Linear { tensors });
                false
            }
            Kind::BatchNorm => {
                // The batch norm of a layer stands before its activation and pooling.
                let behind = found.iter().rposition(|layer| {
                    matches!(layer, Layer::Convolution { .. } | Layer::Linear { .. })
                });
                let place = behind.map_or(found.len(), |place| place + 1);
                found.insert(place, Layer::BatchNorm { tensors, epsilon: 1e-5 });
                continue;
            }
        };
        let last = layers[number + 1..].iter().all(|other| matches!(other.kind, Kind::BatchNorm));
        if !last {
            found.push(Layer::Relu);
        }
        if pool {
            let padding = Padding::Cells([0; 4]);
            let geometry = Geometry { kernel: [2; 2], stride: [2; 2], padding, dilation: [1; 2] };
            found.push(Layer::MaxPool { geometry, ceil_mode: false });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensors(shapes: &[(&str, &[usize])]) -> StateDict {
        let tensor = |&(name, shape): &(&str, &[usize])| {
            let values = vec![0.5; shape.iter().product()];
            (name.to_owned(), WeightTensor { shape: shape.to_vec(), values })
        };
        StateDict { tensors: shapes.iter().map(tensor).collect(), in_order: true }
    }

    #[test]
    fn a_lenet_pads_its_first_convolution_alone() {
        // 28 → 28 → 14 → 10 → 5: 20 × 5 × 5 = 500.
        let tensors = tensors(&[
            ("0.weight", &[8, 1, 5, 5]),
            ("3.weight", &[20, 8, 5, 5]),
            ("7.weight", &[10, 500]),
        ]);
        let found = guess(&tensors, Some(&[1, 28, 28])).unwrap().architecture;
        let paddings = found.layers.iter().filter_map(|layer| match layer {
            Layer::Convolution { geometry, .. } => Some(geometry.padding),
            _ => None,
        });
        let [none, two] = [0, 2].map(|cells| Padding::Cells([cells; 4]));
        assert_eq!(paddings.collect::<Vec<_>>(), [two, none]);
        let pools = found.layers.iter().filter(|layer| matches!(layer, Layer::MaxPool { .. }));
        assert_eq!(pools.count(), 2);
        // Without a shape the usual plans go first: 32 × 32 without padding.
        assert_eq!(guess(&tensors, None).unwrap().architecture.input, Some(vec![1, 32, 32]));
    }
}
