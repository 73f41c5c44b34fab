//! From an architecture and its tensors to a graph.

use std::collections::HashSet;

use super::{Architecture, Geometry, Layer, Padding};
use crate::ann::operator::window::{MAXIMUM_WINDOW, Window};
use crate::ann::operator::{
    Add, AveragePool, BatchNormalization, Clip, Concat, Convolution, Dense, Flatten,
    GlobalAveragePool, LeakyRelu, LogSoftmax, MaxPool, Operator, Pad, ParametricRelu, Relu,
    Reshape, Sigmoid, Softmax,
};
use crate::ann::{AnnGraph, AnnGraphBuilder, NodeId, SampleShape};
use crate::source::SourceError;
use crate::source::weights::{StateDict, WeightTensor};

/// Puts the tensors into the layers.
///
/// # Errors
/// [`SourceError::Tensor`] for a tensor that is missing or does not fit, [`SourceError::Unused`]
/// for tensors that no layer uses, [`SourceError::Graph`] where layers do not fit each other.
pub fn build(architecture: &Architecture, tensors: &StateDict) -> Result<AnnGraph, SourceError> {
    let Some(input) = &architecture.input else {
        return Err(SourceError::Architecture {
            place: "input".to_owned(),
            problem: "the shape of a sample is missing: add `input = [1, 28, 28]`".to_owned(),
        });
    };
    let shape = SampleShape::new(input.clone()).map_err(|problem| SourceError::Architecture {
        place: "input".to_owned(),
        problem: problem.to_string(),
    })?;
    let mut builder = Builder {
        graph: AnnGraphBuilder::default(),
        tensors,
        used: HashSet::new(),
        numbers: Vec::new(),
    };
    let first = builder.graph.input("input", shape)?;
    let last = builder.layers(&architecture.layers, first, "")?;
    builder.check_used(&architecture.ignore)?;
    Ok(builder.graph.finish(&[last])?)
}

struct Builder<'a> {
    graph: AnnGraphBuilder,
    tensors: &'a StateDict,
    used: HashSet<String>,
    /// How many layers of each kind without tensors there are.
    numbers: Vec<(&'static str, usize)>,
}

impl Builder<'_> {
    fn layers(
        &mut self,
        layers: &[Layer],
        input: NodeId,
        place: &str,
    ) -> Result<NodeId, SourceError> {
        let mut last = input;
        for (number, layer) in layers.iter().enumerate() {
            last = self.layer(layer, last, &format!("{place}layer {number}"))?;
        }
        Ok(last)
    }

    fn layer(&mut self, layer: &Layer, input: NodeId, place: &str) -> Result<NodeId, SourceError> {
        let shape = self.graph.shape(input).cloned();
        let shape = shape.as_ref();
        let single: (&'static str, Operator) = match layer {
            Layer::Convolution { tensors, geometry, groups } => {
                let operator = self.convolution(tensors, geometry, *groups, shape, place)?;
                return self.named(tensors, operator, input);
            }
            Layer::Linear { tensors } => {
                let operator = self.linear(tensors)?;
                return self.named(tensors, operator, input);
            }
            Layer::BatchNorm { tensors, epsilon } => {
                let operator = self.norm(tensors, *epsilon, shape)?;
                return self.named(tensors, operator, input);
            }
            Layer::ParametricRelu { tensors } => {
                let slope = self.take(tensors, "weight")?.values.clone();
                let channels = shape.map_or(1, SampleShape::channels);
                let slope = if slope.len() == 1 { vec![slope[0]; channels] } else { slope };
                return self.named(tensors, ParametricRelu { slope }.into(), input);
            }
            Layer::Residual { body, shortcut } => {
                let body = self.layers(body, input, &format!("{place}, residual, "))?;
                let shortcut = self.layers(shortcut, input, &format!("{place}, shortcut, "))?;
                let name = self.number("add");
                return Ok(self.graph.add(name, Add, &[body, shortcut])?);
            }
            Layer::Concat { branches } => {
                let mut ends = Vec::with_capacity(branches.len());
                for branch in branches {
                    ends.push(self.layers(branch, input, &format!("{place}, concat, "))?);
                }
                let name = self.number("concat");
                let concat = Concat { axis: 0, operands: ends.len() };
                return Ok(self.graph.add(name, concat, &ends)?);
            }
            Layer::Relu => ("relu", Relu.into()),
            Layer::Clip { limits: [minimum, maximum] } => {
                ("clip", Clip { minimum: *minimum, maximum: *maximum }.into())
            }
            Layer::LeakyRelu { slope } => ("leaky_relu", LeakyRelu { slope: *slope }.into()),
            Layer::MaxPool { geometry, ceil_mode } => {
                let window = window(geometry, geometry.kernel, *ceil_mode, shape, place)?;
                ("max_pool", MaxPool { window }.into())
            }
            Layer::AveragePool { geometry, ceil_mode, count_include_pad } => {
                let window = window(geometry, geometry.kernel, *ceil_mode, shape, place)?;
                let pool = AveragePool { window, count_padding: *count_include_pad };
                ("avg_pool", pool.into())
            }
            Layer::GlobalAveragePool => {
                ("global_avg_pool", GlobalAveragePool { keep_axes: false }.into())
            }
            Layer::Flatten => ("flatten", Flatten.into()),
            Layer::Reshape { shape } => {
                let shape = SampleShape::new(shape.clone()).map_err(|problem| {
                    SourceError::Architecture {
                        place: place.to_owned(),
                        problem: problem.to_string(),
                    }
                })?;
                ("reshape", Reshape { shape }.into())
            }
            Layer::Pad { cells } => ("pad", pad(*cells, shape).into()),
            Layer::Dropout => return Ok(input),
            Layer::Softmax => ("softmax", Softmax { axis: 0 }.into()),
            Layer::LogSoftmax => ("log_softmax", LogSoftmax { axis: 0 }.into()),
            Layer::Sigmoid => ("sigmoid", Sigmoid.into()),
        };
        let name = self.number(single.0);
        Ok(self.graph.add(name, single.1, &[input])?)
    }

    /// Adds a node named by its tensors; a layer may be used several times.
    fn named(
        &mut self,
        tensors: &str,
        operator: Operator,
        input: NodeId,
    ) -> Result<NodeId, SourceError> {
        let mut name = if tensors.is_empty() { "layer".to_owned() } else { tensors.to_owned() };
        let mut number = 2;
        while self.graph.contains(&name) {
            name = format!("{tensors}#{number}");
            number += 1;
        }
        Ok(self.graph.add(name, operator, &[input])?)
    }

    fn number(&mut self, kind: &'static str) -> String {
        loop {
            let count = match self.numbers.iter_mut().find(|entry| entry.0 == kind) {
                Some(entry) => {
                    entry.1 += 1;
                    entry.1
                }
                None => {
                    self.numbers.push((kind, 1));
                    1
                }
            };
            let name = format!("{kind}_{count}");
            if !self.graph.contains(&name) {
                return name;
            }
        }
    }

    fn name(prefix: &str, part: &str) -> String {
        if prefix.is_empty() { part.to_owned() } else { format!("{prefix}.{part}") }
    }

    fn take(&mut self, prefix: &str, part: &str) -> Result<&WeightTensor, SourceError> {
        let name = Self::name(prefix, part);
        let tensor = self.tensors.get(&name)?;
        self.used.insert(name);
        Ok(tensor)
    }

    fn optional(&mut self, prefix: &str, part: &str) -> Option<Vec<f32>> {
        let name = Self::name(prefix, part);
        let values = self.tensors.tensors.get(&name)?.values.clone();
        self.used.insert(name);
        Some(values)
    }

    fn convolution(
        &mut self,
        prefix: &str,
        geometry: &Geometry,
        groups: usize,
        shape: Option<&SampleShape>,
        place: &str,
    ) -> Result<Operator, SourceError> {
        let tensor = self.take(prefix, "weight")?;
        let (channels, kernel) = match *tensor.shape.as_slice() {
            [channels, _, length] => (channels, [1, length]),
            [channels, _, height, width] => (channels, [height, width]),
            _ => {
                let problem =
                    format!("its extents are {:?}; a convolution has 3 or 4", tensor.shape);
                return Err(SourceError::Tensor { tensor: Self::name(prefix, "weight"), problem });
            }
        };
        let weight = tensor.values.clone();
        let window = window(geometry, kernel, false, shape, place)?;
        let bias = self.optional(prefix, "bias");
        Ok(Convolution { weight, bias, channels, window, groups }.into())
    }

    fn linear(&mut self, prefix: &str) -> Result<Operator, SourceError> {
        let tensor = self.take(prefix, "weight")?;
        let &[outputs, inputs] = tensor.shape.as_slice() else {
            let problem = format!("its extents are {:?}; a dense layer has 2", tensor.shape);
            return Err(SourceError::Tensor { tensor: Self::name(prefix, "weight"), problem });
        };
        let weight = tensor.values.clone();
        let bias = self.optional(prefix, "bias");
        Ok(Dense { weight, bias, outputs, inputs }.into())
    }

    fn norm(
        &mut self,
        prefix: &str,
        epsilon: f32,
        shape: Option<&SampleShape>,
    ) -> Result<Operator, SourceError> {
        let channels = shape.map_or(1, SampleShape::channels);
        let mean = self.take(prefix, "running_mean")?.values.clone();
        let variance = self.take(prefix, "running_var")?.values.clone();
        let scale = self.optional(prefix, "weight").unwrap_or_else(|| vec![1.0; channels]);
        let offset = self.optional(prefix, "bias").unwrap_or_else(|| vec![0.0; channels]);
        Ok(BatchNormalization { scale, offset, mean, variance, epsilon }.into())
    }

    /// Counters of training are no part of the network; everything else must be used.
    fn check_used(&self, ignore: &[String]) -> Result<(), SourceError> {
        let ignored = |name: &str| {
            name.ends_with("num_batches_tracked")
                || ignore.iter().any(|pattern| match pattern.strip_suffix('*') {
                    Some(start) => name.starts_with(start),
                    None => name == pattern,
                })
        };
        let unused = self.tensors.tensors.keys().filter(|name| !self.used.contains(*name));
        let unused: Vec<String> = unused.filter(|name| !ignored(name)).take(20).cloned().collect();
        if unused.is_empty() { Ok(()) } else { Err(SourceError::Unused(unused)) }
    }
}

/// The window of a layer on an input.
fn window(
    geometry: &Geometry,
    kernel: [usize; 2],
    round_up: bool,
    shape: Option<&SampleShape>,
    place: &str,
) -> Result<Window, SourceError> {
    let sequence = shape.is_some_and(|shape| shape.rank() == 2);
    let mut window = Window {
        kernel,
        stride: geometry.stride,
        padding: [0; 4],
        dilation: geometry.dilation,
        round_up,
    };
    match geometry.padding {
        Padding::Cells(cells) => window.padding = cells,
        Padding::Same => {
            for axis in 0..2 {
                let values = [window.kernel[axis], window.dilation[axis]];
                if values.iter().any(|&value| value == 0 || value > MAXIMUM_WINDOW) {
                    let problem = format!("kernel or dilation are {values:?}");
                    return Err(SourceError::Architecture { place: place.to_owned(), problem });
                }
                let around = window.dilation[axis] * (window.kernel[axis] - 1);
                window.padding[axis] = around / 2;
                window.padding[axis + 2] = around - around / 2;
            }
        }
    }
    if sequence {
        // One number for both axes means columns; a sequence has one row.
        window.kernel[0] = 1;
        (window.stride[0], window.dilation[0]) = (1, 1);
        (window.padding[0], window.padding[2]) = (0, 0);
    }
    Ok(window)
}

fn pad(cells: [usize; 4], shape: Option<&SampleShape>) -> Pad {
    let side = |cells: usize| i64::try_from(cells).unwrap_or(i64::MAX);
    let [top, left, bottom, right] = cells.map(side);
    match shape.map(SampleShape::rank) {
        Some(2) => Pad { before: vec![0, left], after: vec![0, right], value: 0.0 },
        _ => Pad { before: vec![0, top, left], after: vec![0, bottom, right], value: 0.0 },
    }
}
