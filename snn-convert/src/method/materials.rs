//! What searches work with: samples, what the trained network makes of them, and blends.
//!
//! A trained network is sure of the samples that it was trained on; calibration samples are usually
//! some of those. What a conversion costs shows on samples it is less sure of, as it will meet in
//! use. So answers are also compared on blends of two calibration samples of different classes.

use super::{MethodError, Prepared};
use crate::ann::{AnnError, Keep, NodeId, map_batch};
use crate::fidelity::largest;

/// Most samples that answers are compared on.
pub(super) const MOST_SAMPLES: usize = 512;
/// Most blends.
const MOST_BLENDS: usize = 256;
/// Share of the second sample in a blend.
const SECOND: f32 = 0.35;
/// Most samples that corrections are made on: means need fewer than shares.
const MOST_CORRECTED: usize = 192;
/// Most activations that are kept at a time (256 MB).
const MOST_VALUES: usize = 64 << 20;

/// Samples with the trained network's activations.
pub(super) struct Materials<'a> {
    pub prepared: &'a Prepared<'a>,
    /// Samples, evenly chosen.
    pub samples: Vec<&'a [f32]>,
    /// Class of each sample; empty where it is not known.
    pub labels: Vec<usize>,
    /// `[sample][unit][neuron]`; the last unit holds the scores.
    pub activations: Vec<Vec<Vec<f32>>>,
    /// Blends, and the trained network's scores for them.
    pub blends: Vec<Blend>,
}

/// A blend of two samples.
pub(super) struct Blend {
    /// The values.
    pub sample: Vec<f32>,
    /// The trained network's scores.
    pub scores: Vec<f32>,
}

impl<'a> Materials<'a> {
    /// Without samples, for methods that need none.
    pub fn empty(prepared: &'a Prepared<'a>) -> Self {
        let (samples, labels, activations) = (Vec::new(), Vec::new(), Vec::new());
        Materials { prepared, samples, labels, activations, blends: Vec::new() }
    }

    /// Evaluates the trained network on at most `most` samples.
    pub fn new(
        prepared: &'a Prepared<'a>,
        method: &'static str,
        most: usize,
    ) -> Result<Self, MethodError> {
        let failed = |error: AnnError| MethodError::Unit {
            method,
            unit: prepared.name.to_string(),
            reason: format!("it does not evaluate on the samples: {error}"),
        };
        let size = prepared.structure.input.size().max(1);
        let units = &prepared.structure.units;
        let values: usize = units.iter().map(|unit| unit.shape.size()).sum();
        let count = prepared.samples.len() / size;
        let most = most.min(MOST_VALUES / values.max(1)).max(1);
        let stride = count.div_ceil(most).max(1);
        let samples: Vec<&[f32]> = prepared.samples.chunks_exact(size).step_by(stride).collect();
        let nodes: Vec<NodeId> = units.iter().map(|unit| unit.node).collect();
        let kept =
            map_batch(prepared.graph, &samples.concat(), Keep::Nodes(&nodes), |_, values| {
                let of = |node: &NodeId| values.of(*node).map(<[f32]>::to_vec).unwrap_or_default();
                nodes.iter().map(of).collect::<Vec<_>>()
            });
        let activations = kept.map_err(failed)?;
        let labels = prepared.labels.iter().step_by(stride).copied().collect();
        let blended = blended(&samples, &activations);
        let scores = map_batch(prepared.graph, &blended.concat(), Keep::Outputs, |_, values| {
            values.output().to_vec()
        });
        let pairs = blended.into_iter().zip(scores.map_err(failed)?);
        let blends = pairs.map(|(sample, scores)| Blend { sample, scores }).collect();
        Ok(Materials { prepared, samples, labels, activations, blends })
    }

    /// The trained network's scores for a sample.
    pub fn scores(&self, sample: usize) -> &[f32] {
        self.activations[sample].last().map_or(&[], Vec::as_slice)
    }

    /// The samples that corrections are made on, by index.
    pub fn corrected(&self) -> Vec<usize> {
        let stride = self.samples.len().div_ceil(MOST_CORRECTED).max(1);
        (0..self.samples.len()).step_by(stride).collect()
    }
}

/// Each of some samples with the next one of another class, half way round; none where all have the
/// same class.
fn blended(samples: &[&[f32]], activations: &[Vec<Vec<f32>>]) -> Vec<Vec<f32>> {
    let class = |values: &Vec<Vec<f32>>| {
        let scores = values.last().map_or(&[][..], Vec::as_slice);
        largest(&scores.iter().map(|&score| f64::from(score)).collect::<Vec<_>>())
    };
    let classes: Vec<usize> = activations.iter().map(class).collect();
    let count = samples.len();
    let stride = count.div_ceil(MOST_BLENDS).max(1);
    let blend = |first: usize| {
        let others = (0..count).map(|step| (first + count / 2 + step) % count);
        let second = others.into_iter().find(|&other| classes[other] != classes[first])?;
        let pairs = samples[first].iter().zip(samples[second]);
        Some(pairs.map(|(a, b)| (1.0 - SECOND) * a + SECOND * b).collect())
    };
    (0..count).step_by(stride).filter_map(blend).collect()
}
