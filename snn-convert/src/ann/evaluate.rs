//! Float reference evaluation: what the trained network computes for a sample.
//!
//! Arithmetic is `f32`, one sample at a time in a fixed order, so a result does not depend on
//! the number of threads or on the other samples of a batch.

use rayon::prelude::*;

use super::error::AnnError;
use super::graph::{AnnGraph, NodeId};
use super::operator::TensorView;

/// Which nodes' values an evaluation keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep<'a> {
    /// Only the outputs.
    Outputs,
    /// The outputs and these nodes.
    Nodes(&'a [NodeId]),
    /// Every node.
    All,
}

/// The values of one sample at the nodes that were kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Activations {
    values: Vec<Option<Vec<f32>>>,
    output: NodeId,
}

impl Activations {
    /// The values of the graph's first output.
    pub fn output(&self) -> &[f32] {
        self.of(self.output).unwrap_or_default()
    }

    /// The values of one node in C order; `None` where they were not kept.
    pub fn of(&self, id: NodeId) -> Option<&[f32]> {
        self.values.get(id.index())?.as_deref()
    }

    /// The position of the largest output, the first of equals: a classifier's answer.
    pub fn class(&self) -> usize {
        let mut best = 0;
        let output = self.output();
        for (index, value) in output.iter().enumerate() {
            if output.get(best).is_some_and(|largest| value > largest) {
                best = index;
            }
        }
        best
    }
}

/// Evaluates one sample and keeps every node's values.
///
/// `sample` holds the input's values in C order, `[channels, height, width]` for a picture.
///
/// # Errors
/// [`AnnError::SampleLength`] or [`AnnError::SampleNotFinite`].
pub fn evaluate(graph: &AnnGraph, sample: &[f32]) -> Result<Activations, AnnError> {
    evaluate_keeping(graph, sample, Keep::All)
}

/// Evaluates one sample and gives the first output's values.
///
/// # Errors
/// As [`evaluate`].
pub fn evaluate_output(graph: &AnnGraph, sample: &[f32]) -> Result<Vec<f32>, AnnError> {
    let mut activations = evaluate_keeping(graph, sample, Keep::Outputs)?;
    Ok(activations.values[graph.output().index()].take().unwrap_or_default())
}

/// Evaluates samples that lie one after the other in `samples`, in parallel.
///
/// # Errors
/// [`AnnError::SampleLength`] where `samples` is no whole number of samples, and
/// [`AnnError::SampleNotFinite`].
pub fn evaluate_batch(
    graph: &AnnGraph,
    samples: &[f32],
    keep: Keep<'_>,
) -> Result<Vec<Activations>, AnnError> {
    map_batch(graph, samples, keep, |_, activations| activations)
}

/// Evaluates samples in parallel and keeps only what `take(sample index, activations)` makes of
/// each, in the samples' order.
///
/// Memory is that of one evaluation a thread plus the results: use it where the activations of
/// a whole calibration set would be too large. For sums over samples, return each sample's part
/// and add them in order: that keeps the result independent of the number of threads.
///
/// # Errors
/// As [`evaluate_batch`].
pub fn map_batch<T: Send>(
    graph: &AnnGraph,
    samples: &[f32],
    keep: Keep<'_>,
    take: impl Fn(usize, Activations) -> T + Sync,
) -> Result<Vec<T>, AnnError> {
    let size = graph.input_shape().size();
    if !samples.len().is_multiple_of(size) {
        return Err(wrong_length(graph, samples.len()));
    }
    check_finite(samples)?;
    samples
        .par_chunks_exact(size)
        .enumerate()
        .map(|(index, sample)| Ok(take(index, evaluate_keeping(graph, sample, keep)?)))
        .collect()
}

/// Evaluates one sample and keeps the values of some nodes.
///
/// # Errors
/// As [`evaluate`].
pub fn evaluate_keeping(
    graph: &AnnGraph,
    sample: &[f32],
    keep: Keep<'_>,
) -> Result<Activations, AnnError> {
    if sample.len() != graph.input_shape().size() {
        return Err(wrong_length(graph, sample.len()));
    }
    check_finite(sample)?;
    let mut kept = vec![matches!(keep, Keep::All); graph.len()];
    if let Keep::Nodes(nodes) = keep {
        nodes.iter().filter_map(|id| kept.get_mut(id.index()).map(|k| *k = true)).for_each(drop);
    }
    graph.outputs().iter().for_each(|id| kept[id.index()] = true);
    let mut values: Vec<Option<Vec<f32>>> = vec![None; graph.len()];
    for (id, node) in graph.nodes() {
        let result = if id == graph.input() {
            sample.to_vec()
        } else {
            let mut result = vec![0.0; node.shape.size()];
            let inputs: Vec<TensorView<'_>> = node
                .inputs
                .iter()
                .map(|input| TensorView {
                    shape: &graph.node(*input).shape,
                    values: values[input.index()].as_deref().unwrap_or_default(),
                })
                .collect();
            node.operator.evaluate(&inputs, &mut result);
            result
        };
        values[id.index()] = Some(result);
        for input in &node.inputs {
            let last_use = graph.consumers(*input).last() == Some(&id);
            if last_use && !kept[input.index()] {
                values[input.index()] = None;
            }
        }
    }
    Ok(Activations { values, output: graph.output() })
}

fn wrong_length(graph: &AnnGraph, got: usize) -> AnnError {
    let shape = graph.input_shape().clone();
    let input = graph.node(graph.input()).name.clone();
    AnnError::SampleLength { input, needed: shape.size(), shape, got }
}

fn check_finite(samples: &[f32]) -> Result<(), AnnError> {
    match samples.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        Some((index, &value)) => Err(AnnError::SampleNotFinite { index, value }),
        None => Ok(()),
    }
}
