//! Pictures of one row as the two axes that `Conv1d` works on.
//!
//! nir 1.0.8 takes a kernel's height for its width where it checks shapes, so that it refuses to read a
//! `Conv2d` with kernels of one row; a `Conv1d` says the same and is read.

use crate::array::Array;
use crate::nir::{Conv1d, MetadataEntry, NirGraph, Padding, Primitive};

/// Writes a graph whose pictures have one row each, and whose kernels, too, with one axis less.
pub(super) fn as_rows(graph: &mut NirGraph) {
    let convolves = graph.nodes.values().any(|node| matches!(node.primitive, Primitive::Conv2d(_)));
    if !convolves || !graph.nodes.values().all(|node| is_row(&node.primitive)) {
        return;
    }
    for node in graph.nodes.values_mut() {
        if let Primitive::Conv2d(conv) = &node.primitive {
            let mut weight = conv.weight.clone();
            weight.shape.remove(2);
            let Padding::Zeros([_, zeros]) = conv.padding else { continue };
            let row = Conv1d {
                input_shape: conv.input_shape.map(|[_, length]| length),
                weight,
                stride: conv.stride[1],
                padding: Padding::Zeros([zeros]),
                dilation: conv.dilation[1],
                groups: conv.groups,
                bias: conv.bias.clone(),
            };
            node.primitive = row.into();
            continue;
        }
        match &mut node.primitive {
            Primitive::Input(node) => flat(&mut node.shape),
            Primitive::Output(node) => flat(&mut node.shape),
            Primitive::Flatten(node) => node.input_type.iter_mut().for_each(flat),
            other => arrays(other).into_iter().for_each(|array| flat(&mut array.shape)),
        }
        for entry in node.metadata.values_mut() {
            if let MetadataEntry::Value(array) = entry {
                flat(&mut array.shape);
            }
        }
    }
}

/// Whether nothing in a node has more than one row.
fn is_row(primitive: &Primitive) -> bool {
    let one = |shape: &[usize]| !matches!(shape, [_, rows, _] if *rows != 1);
    match primitive {
        Primitive::Conv2d(conv) => {
            conv.weight.shape.get(2) == Some(&1) && matches!(conv.padding, Padding::Zeros([0, _]))
        }
        Primitive::Input(node) => one(&node.shape),
        Primitive::Output(node) => one(&node.shape),
        Primitive::If(node) => one(&node.r.shape),
        Primitive::Lif(node) => one(&node.r.shape),
        Primitive::CubaLif(node) => one(&node.r.shape),
        Primitive::Threshold(node) => one(&node.threshold.shape),
        Primitive::I(node) => one(&node.r.shape),
        Primitive::Li(node) => one(&node.r.shape),
        Primitive::CubaLi(node) => one(&node.r.shape),
        _ => true,
    }
}

fn flat(shape: &mut Vec<usize>) {
    if let [_, 1, _] = shape[..] {
        shape.remove(1);
    }
}

/// The arrays of a node that have the shape of its layer.
fn arrays(primitive: &mut Primitive) -> Vec<&mut Array> {
    match primitive {
        Primitive::If(n) => vec![&mut n.r, &mut n.v_threshold, &mut n.v_reset],
        Primitive::Lif(n) => {
            vec![&mut n.tau, &mut n.r, &mut n.v_leak, &mut n.v_threshold, &mut n.v_reset]
        }
        Primitive::CubaLif(n) => vec![
            &mut n.tau_syn,
            &mut n.tau_mem,
            &mut n.r,
            &mut n.v_leak,
            &mut n.v_threshold,
            &mut n.v_reset,
            &mut n.w_in,
        ],
        Primitive::Threshold(n) => vec![&mut n.threshold],
        Primitive::I(n) => vec![&mut n.r],
        Primitive::Li(n) => vec![&mut n.tau, &mut n.r, &mut n.v_leak],
        Primitive::CubaLi(n) => {
            vec![&mut n.tau_syn, &mut n.tau_mem, &mut n.r, &mut n.v_leak, &mut n.w_in]
        }
        Primitive::Delay(n) => vec![&mut n.delay],
        Primitive::Scale(n) => vec![&mut n.scale],
        _ => Vec::new(),
    }
}
