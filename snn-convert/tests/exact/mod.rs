//! A slow, obvious evaluation of a trained network in 64 bits: loops straight from the definitions,
//! sharing no arithmetic with the crate.

use snn_convert::ann::operator::window::Window;
use snn_convert::ann::{AnnGraph, NodeId, Operator};

/// The values of all nodes for one sample; `quantise(node, value)` is applied to each activation
/// right after its function.
pub fn evaluate(
    graph: &AnnGraph,
    sample: &[f32],
    mut quantise: impl FnMut(NodeId, usize, f64) -> f64,
) -> Vec<Vec<f64>> {
    let mut values: Vec<Vec<f64>> = Vec::new();
    for (id, node) in graph.nodes() {
        let input = |number: usize| &values[node.inputs[number].index()];
        let shape = |number: usize| picture(graph, node.inputs[number]);
        let result: Vec<f64> = match &node.operator {
            Operator::Input(_) => sample.iter().map(|&value| f64::from(value)).collect(),
            Operator::Dense(dense) => (0..dense.outputs)
                .map(|o| {
                    let row = &dense.weight[o * dense.inputs..(o + 1) * dense.inputs];
                    let products = row.iter().zip(input(0)).map(|(&w, x)| f64::from(w) * x);
                    let bias = dense.bias.as_ref().map_or(0.0, |bias| f64::from(bias[o]));
                    products.sum::<f64>() + bias
                })
                .collect(),
            Operator::Convolution(layer) => {
                let [inputs, ..] = shape(0);
                let per_group = inputs / layer.groups;
                let out_group = layer.channels / layer.groups;
                let taps = layer.window.kernel[0] * layer.window.kernel[1];
                let mut result = Vec::new();
                for out in 0..layer.channels {
                    let bias = layer.bias.as_ref().map_or(0.0, |bias| f64::from(bias[out]));
                    let first = out / out_group * per_group;
                    result.extend(windows(&layer.window, shape(0), node_area(graph, id)).map(
                        |cells| {
                            let mut sum = bias;
                            for (tap, at) in cells {
                                for within in 0..per_group {
                                    let weight =
                                        layer.weight[(out * per_group + within) * taps + tap];
                                    let plane = (first + within) * area(shape(0));
                                    sum += f64::from(weight) * input(0)[plane + at];
                                }
                            }
                            sum
                        },
                    ));
                }
                result
            }
            Operator::MaxPool(pool) => planes(&pool.window, graph, id, |plane, cells| {
                let most = |most: f64, (_, at): (usize, usize)| most.max(input(0)[plane + at]);
                cells.into_iter().fold(f64::NEG_INFINITY, most)
            }),
            Operator::AveragePool(pool) => {
                let full = (pool.window.kernel[0] * pool.window.kernel[1]) as f64;
                planes(&pool.window, graph, id, |plane, cells| {
                    let count = if pool.count_padding { full } else { cells.len() as f64 };
                    cells.into_iter().map(|(_, at)| input(0)[plane + at]).sum::<f64>() / count
                })
            }
            Operator::GlobalAveragePool(_) => {
                let size = area(shape(0));
                input(0).chunks(size).map(|plane| plane.iter().sum::<f64>() / size as f64).collect()
            }
            Operator::BatchNormalization(norm) => {
                let per_channel = node.shape.per_channel();
                let value = |(n, x): (usize, &f64)| {
                    let c = n / per_channel;
                    let wide = |values: &[f32]| f64::from(values[c]);
                    let deviation = (wide(&norm.variance) + f64::from(norm.epsilon)).sqrt();
                    wide(&norm.scale) * (x - wide(&norm.mean)) / deviation + wide(&norm.offset)
                };
                input(0).iter().enumerate().map(value).collect()
            }
            Operator::Affine(affine) => {
                let per_channel = node.shape.per_channel();
                let constant = |values: &[f32], n: usize| match values.len() {
                    1 => f64::from(values[0]),
                    count if count == node.shape.size() => f64::from(values[n]),
                    _ => f64::from(values[n / per_channel]),
                };
                let value = |(n, x): (usize, &f64)| {
                    constant(&affine.gain, n) * x + constant(&affine.shift, n)
                };
                input(0).iter().enumerate().map(value).collect()
            }
            Operator::Add(_) => input(0).iter().zip(input(1)).map(|(a, b)| a + b).collect(),
            Operator::Relu(_) => input(0).iter().map(|x| x.max(0.0)).collect(),
            Operator::Clip(clip) => {
                let (low, high) = (f64::from(clip.minimum), f64::from(clip.maximum));
                input(0).iter().map(|x| x.clamp(low, high)).collect()
            }
            Operator::Flatten(_)
            | Operator::Reshape(_)
            | Operator::Dropout(_)
            | Operator::Identity(_) => input(0).clone(),
            other => panic!("no reference for {}", other.name()),
        };
        let activation = matches!(&node.operator, Operator::Relu(_) | Operator::Clip(_));
        let result = match activation {
            true => result.iter().enumerate().map(|(n, &x)| quantise(id, n, x)).collect(),
            false => result,
        };
        values.push(result);
    }
    values
}

fn picture(graph: &AnnGraph, id: NodeId) -> [usize; 3] {
    graph.node(id).shape.picture().unwrap()
}

fn area(shape: [usize; 3]) -> usize {
    shape[1] * shape[2]
}

fn node_area(graph: &AnnGraph, id: NodeId) -> [usize; 2] {
    let [_, height, width] = picture(graph, id);
    [height, width]
}

/// For each target cell the (tap, source cell) pairs of its window that lie in the picture.
fn windows(
    window: &Window,
    source: [usize; 3],
    target: [usize; 2],
) -> impl Iterator<Item = Vec<(usize, usize)>> {
    let (window, [_, height, width]) = (window.clone(), source);
    let along = move |axis: usize, position: usize, cell: usize| {
        let at = position * window.stride[axis] + cell * window.dilation[axis];
        at.checked_sub(window.padding[axis])
    };
    (0..target[0] * target[1]).map(move |position| {
        let (row, column) = (position / target[1], position % target[1]);
        let mut cells = Vec::new();
        for tap in 0..window.kernel[0] * window.kernel[1] {
            let y = along(0, row, tap / window.kernel[1]).filter(|&y| y < height);
            let x = along(1, column, tap % window.kernel[1]).filter(|&x| x < width);
            if let (Some(y), Some(x)) = (y, x) {
                cells.push((tap, y * width + x));
            }
        }
        cells
    })
}

fn planes(
    window: &Window,
    graph: &AnnGraph,
    id: NodeId,
    mut value: impl FnMut(usize, Vec<(usize, usize)>) -> f64,
) -> Vec<f64> {
    let source = picture(graph, graph.node(id).inputs[0]);
    let mut result = Vec::new();
    for channel in 0..source[0] {
        for cells in windows(window, source, node_area(graph, id)) {
            result.push(value(channel * area(source), cells));
        }
    }
    result
}
