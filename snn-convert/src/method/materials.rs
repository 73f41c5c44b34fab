//! What searches work with: samples, what the trained network makes of them, and blends.
//!
//! A trained network is sure of the samples that it was trained on; calibration samples are usually
//! some of those. What a conversion costs shows on samples it is less sure of, as it will meet in
//! use. So answers are also compared on blends of two calibration samples of different classes.

use super::{MethodError, Prepared};
use crate::ann::{AnnError, Keep, NodeId, map_batch};
use crate::fidelity::class_of;
use rayon::prelude::*;

/// Most samples that answers are compared on.
pub(super) const MOST_SAMPLES: usize = 512;
/// Most blends.
const MOST_BLENDS: usize = 256;
/// Share of the second sample in a blend.
const SECOND: f32 = 0.35;
/// Of so many samples one is kept to judge on, where samples are shared out.
const JUDGED: usize = 3;
/// Fewer samples are not shared out: either part would be too small.
const FEWEST_SHARED: usize = 100;
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
    /// `[sample][unit][neuron]`; the last unit is the read-out.
    pub activations: Vec<Vec<Vec<f32>>>,
    /// The trained network's scores for each sample, those of a float head where there is one.
    pub scores: Vec<Vec<f32>>,
    /// Blends, and the trained network's scores for them.
    pub blends: Vec<Blend>,
}

/// Materials for fitting and for judging.
pub(super) enum Shared<'a> {
    /// The same for both.
    Same(Materials<'a>),
    /// No sample is in both.
    Apart {
        /// Samples to fit on, without blends.
        fitted: Materials<'a>,
        /// Samples to judge on, and blends of them.
        judged: Materials<'a>,
    },
}

impl<'a> Shared<'a> {
    /// What is fitted on.
    pub fn fitted(&self) -> &Materials<'a> {
        match self {
            Shared::Same(all) => all,
            Shared::Apart { fitted, .. } => fitted,
        }
    }

    /// What is judged on.
    pub fn judged(&self) -> &Materials<'a> {
        match self {
            Shared::Same(all) => all,
            Shared::Apart { judged, .. } => judged,
        }
    }
}

/// The scores of the classes for what the trained network's converted part gives.
pub(super) fn through(prepared: &Prepared<'_>, values: &[f32]) -> Result<Vec<f32>, AnnError> {
    match prepared.head {
        Some(head) => head.scores(values),
        None => Ok(values.to_vec()),
    }
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
        let (scores, blends) = (Vec::new(), Vec::new());
        Materials { prepared, samples, labels, activations, scores, blends }
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
        let last =
            |units: &Vec<Vec<f32>>| through(prepared, units.last().map_or(&[], Vec::as_slice));
        let scores: Vec<Vec<f32>> =
            activations.par_iter().map(last).collect::<Result<_, _>>().map_err(failed)?;
        let labels = prepared.labels.iter().step_by(stride).copied().collect();
        let blends = Vec::new();
        let mut own = Materials { prepared, samples, labels, activations, scores, blends };
        own.blend(&[2]).map_err(failed)?;
        Ok(own)
    }

    /// Makes blends with samples these parts of the way round.
    fn blend(&mut self, parts: &[usize]) -> Result<(), AnnError> {
        let prepared = self.prepared;
        let blended = |&part: &usize| blended(&self.samples, &self.scores, part);
        let blended: Vec<Vec<f32>> = parts.iter().flat_map(blended).collect();
        let scores = map_batch(prepared.graph, &blended.concat(), Keep::Outputs, |_, values| {
            through(prepared, values.output())
        });
        let scores = scores.and_then(|all| all.into_iter().collect::<Result<Vec<_>, _>>())?;
        let pairs = blended.into_iter().zip(scores);
        self.blends = pairs.map(|(sample, scores)| Blend { sample, scores }).collect();
        Ok(())
    }

    /// Samples to fit on, and others to judge on; where there are few, all are for both.
    pub fn shared_out(self, method: &'static str) -> Result<Shared<'a>, MethodError> {
        if self.samples.len() < FEWEST_SHARED {
            return Ok(Shared::Same(self));
        }
        let prepared = self.prepared;
        let none = || Materials::empty(prepared);
        let mut parts = [none(), none()];
        let each = self.samples.into_iter().zip(self.activations).zip(self.scores).enumerate();
        for (index, ((sample, activations), scores)) in each {
            let part = &mut parts[usize::from(index % JUDGED == JUDGED - 1)];
            part.samples.push(sample);
            part.activations.push(activations);
            part.scores.push(scores);
            part.labels.extend(self.labels.get(index));
        }
        let [fitted, mut judged] = parts;
        judged.blend(&[2, 3]).map_err(|error| MethodError::Unit {
            method,
            unit: prepared.name.to_string(),
            reason: format!("it does not evaluate on blends of samples: {error}"),
        })?;
        Ok(Shared::Apart { fitted, judged })
    }

    /// The scores of the classes for what a candidate reads out, in the trained network's units:
    /// those of the float head where there is one, which are none where it does not evaluate.
    pub fn judged(&self, read: Vec<f64>) -> Vec<f64> {
        let Some(head) = self.prepared.head else { return read };
        let narrow: Vec<f32> = read.iter().map(|&value| value as f32).collect();
        head.scores(&narrow).map_or_else(|_| Vec::new(), |scores| wide(&scores))
    }

    /// Blends of other pairs than those that candidates are judged on.
    pub fn other_blends(&self) -> Vec<Vec<f32>> {
        blended(&self.samples, &self.scores, 3)
    }

    /// The samples that corrections are made on, by index.
    pub fn corrected(&self) -> Vec<usize> {
        let stride = self.samples.len().div_ceil(MOST_CORRECTED).max(1);
        (0..self.samples.len()).step_by(stride).collect()
    }
}

/// Each of some samples with the next one of another class, a `part` of the way round; none where all
/// have the same class.
fn blended(samples: &[&[f32]], scores: &[Vec<f32>], part: usize) -> Vec<Vec<f32>> {
    let classes: Vec<usize> = scores.iter().map(|scores| class_of(&wide(scores))).collect();
    let count = samples.len();
    let stride = count.div_ceil(MOST_BLENDS).max(1);
    let blend = |first: usize| {
        let others = (0..count).map(|step| (first + count / part + step) % count);
        let second = others.into_iter().find(|&other| classes[other] != classes[first])?;
        let pairs = samples[first].iter().zip(samples[second]);
        Some(pairs.map(|(a, b)| (1.0 - SECOND) * a + SECOND * b).collect())
    };
    (0..count).step_by(stride).filter_map(blend).collect()
}

/// Scores in double precision.
pub(super) fn wide(scores: &[f32]) -> Vec<f64> {
    scores.iter().map(|&score| f64::from(score)).collect()
}
