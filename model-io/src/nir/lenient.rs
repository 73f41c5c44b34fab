//! What a lenient reader makes of nodes that break the specification, where only one meaning is
//! likely.
//!
//! - A neuron's parameter of one number stands for the whole layer, and so does one whose shape has
//!   the layer's numbers in another arrangement (a leading batch of one, a flattened picture).
//! - A neuron's missing parameter is what leaves the equation alone: r and w_in 1, v_leak and v_reset
//!   0; a missing bias is 0, a missing stride, dilation or number of groups 1, missing padding 0, a
//!   pooling's missing stride its kernel size.
//! - A member that is no parameter of its node is left out.
//! - An edge that names a node which does not exist is left out, and so is one that stands twice.
//!
//! Every repair is a note with its place. What cannot be guessed stays an error.

use super::NirError;
use crate::array::{Array, element_count};
use crate::hdf5::{Group, MemberKind};

/// Fields of a primitive with the value that stands in for a missing one, where there is one.
type Fields = &'static [(&'static str, Option<f64>)];

/// Parameters of a layer of neurons, and the number that a missing one has.
const NEURONS: &[(&str, Fields)] = &[
    ("I", &[("r", Some(1.0))]),
    ("IF", &[("r", Some(1.0)), ("v_threshold", None), ("v_reset", Some(0.0))]),
    ("LI", &[("tau", None), ("r", Some(1.0)), ("v_leak", Some(0.0))]),
    (
        "LIF",
        &[
            ("tau", None),
            ("r", Some(1.0)),
            ("v_leak", Some(0.0)),
            ("v_threshold", None),
            ("v_reset", Some(0.0)),
        ],
    ),
    (
        "CubaLI",
        &[
            ("tau_syn", None),
            ("tau_mem", None),
            ("r", Some(1.0)),
            ("v_leak", Some(0.0)),
            ("w_in", Some(1.0)),
        ],
    ),
    (
        "CubaLIF",
        &[
            ("tau_syn", None),
            ("tau_mem", None),
            ("r", Some(1.0)),
            ("v_leak", Some(0.0)),
            ("v_threshold", None),
            ("v_reset", Some(0.0)),
            ("w_in", Some(1.0)),
        ],
    ),
];

/// Values of a layer at most that a number is repeated for.
const LAYER_LIMIT: usize = 1 << 26;

/// A node's group with its repairs laid over it.
pub(super) fn repair(
    group: &Group,
    node_type: &str,
    notes: &mut Vec<String>,
) -> Result<Group, NirError> {
    let mut repaired = group.clone();
    if let Some((_, parameters)) = NEURONS.iter().find(|(name, _)| *name == node_type) {
        neurons(group, parameters, &mut repaired, notes)?;
        return Ok(repaired);
    }
    let mut add = |name: &str, array: Array, meaning: &str| {
        if group.kind(name).is_none() {
            notes.push(format!("{}: {name} is missing; taken is {meaning}", group.place()));
            repaired.overlay(name, array);
        }
    };
    let one = || Array::scalar(1_i64);
    match node_type {
        "Affine" | "Conv1d" | "Conv2d" => {
            if group.kind("weight") == Some(MemberKind::Array) {
                let shape = group.shape("weight")?;
                let outs = match node_type {
                    "Affine" => shape.iter().rev().nth(1).copied(),
                    _ => shape.first().copied(),
                };
                if let Some(outs) = outs.filter(|&outs| outs <= LAYER_LIMIT) {
                    add("bias", Array::vector(vec![0.0_f32; outs]), "0");
                }
            }
            if node_type != "Affine" {
                add("stride", one(), "1");
                add("dilation", one(), "1");
                add("groups", one(), "1");
                add("padding", Array::scalar(0_i64), "0");
            }
        }
        "SumPool2d" | "AvgPool2d" => {
            if let Ok(kernel) = group.read("kernel_size") {
                add("stride", kernel, "its kernel size");
            }
            add("padding", Array::scalar(0_i64), "0");
        }
        "Flatten" => {
            add("start_dim", Array::scalar(0_i64), "0: all axes");
            add("end_dim", Array::scalar(-1_i64), "the last axis");
        }
        _ => {}
    }
    Ok(repaired)
}

fn neurons(
    group: &Group,
    parameters: &[(&str, Option<f64>)],
    repaired: &mut Group,
    notes: &mut Vec<String>,
) -> Result<(), NirError> {
    let mut found = Vec::new();
    for (name, _) in parameters {
        if group.kind(name) == Some(MemberKind::Array) {
            found.push((*name, group.read(name)?));
        }
    }
    // The layer's shape is that of the largest parameter; of equal ones the one with fewer axes.
    let layer = found.iter().max_by_key(|(_, array)| (array.len(), usize::MAX - array.shape.len()));
    let Some(shape) = layer.map(|(_, array)| array.shape.clone()) else { return Ok(()) };
    let size = element_count(&shape).unwrap_or(usize::MAX);
    if size > LAYER_LIMIT {
        return Ok(());
    }
    // A single number has no shape of its own in the specification.
    let shape = if shape.is_empty() { vec![1] } else { shape };
    for (name, absent) in parameters {
        let place = group.place();
        let array = found.iter().find(|(other, _)| other == name).map(|(_, array)| array);
        let (numbers, problem) = match (array, absent) {
            (Some(array), _) if array.shape == shape => continue,
            (Some(array), _) => match array.values.to_f64() {
                Some(values) if values.len() == size => {
                    (values, format!("{name} has shape {:?}", array.shape))
                }
                Some(values) if values.len() == 1 => {
                    (vec![values[0]; size], format!("{name} is one number"))
                }
                _ => continue,
            },
            (None, Some(absent)) => {
                (vec![*absent; size], format!("{name} is missing and taken as {absent}"))
            }
            (None, None) => continue,
        };
        notes.push(format!("{place}: {problem}; the layer's shape {shape:?} is given to it"));
        repaired.overlay(name, Array { shape: shape.clone(), values: numbers.into() });
    }
    Ok(())
}

/// Leaves out edges that join nothing, and second ones.
pub(super) fn edges(
    place: &str,
    edges: Vec<(String, String)>,
    known: impl Fn(&str) -> bool,
    notes: &mut Vec<String>,
) -> Vec<(String, String)> {
    let mut kept: Vec<(String, String)> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for edge in edges {
        if let Some(missing) = [&edge.0, &edge.1].into_iter().find(|name| !known(name)) {
            let (source, target) = &edge;
            notes.push(format!(
                "{place}/edges: {source} -> {target} is left out: `{missing}` is no node"
            ));
        } else if !seen.insert(edge.clone()) {
            notes.push(format!("{place}/edges: {} -> {} stands twice", edge.0, edge.1));
        } else {
            kept.push(edge);
        }
    }
    kept
}
