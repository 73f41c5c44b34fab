//! What calibration works with: samples, and what the trained network makes of them.

use super::super::{MethodError, Prepared};
use crate::ann::{Keep, NodeId, map_batch};
use crate::lower::Graded;
use crate::structure::UnitKind;

/// Most samples that recipes are compared on.
const MOST_SAMPLES: usize = 512;
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
}

impl<'a> Materials<'a> {
    /// Evaluates the trained network; without need for samples there are none.
    pub fn new(prepared: &'a Prepared<'a>, needed: bool) -> Result<Self, MethodError> {
        let (samples, labels, activations) = (Vec::new(), Vec::new(), Vec::new());
        let mut materials = Materials { prepared, samples, labels, activations };
        if !needed {
            return Ok(materials);
        }
        let size = prepared.structure.input.size().max(1);
        let units = &prepared.structure.units;
        let values: usize = units.iter().map(|unit| unit.shape.size()).sum();
        let count = prepared.samples.len() / size;
        let most = MOST_SAMPLES.min(MOST_VALUES / values.max(1)).max(1);
        let stride = count.div_ceil(most).max(1);
        let samples: Vec<&[f32]> = prepared.samples.chunks_exact(size).step_by(stride).collect();
        let nodes: Vec<NodeId> = units.iter().map(|unit| unit.node).collect();
        let kept =
            map_batch(prepared.graph, &samples.concat(), Keep::Nodes(&nodes), |_, values| {
                let of = |node: &NodeId| values.of(*node).map(<[f32]>::to_vec).unwrap_or_default();
                nodes.iter().map(of).collect::<Vec<_>>()
            });
        materials.activations = kept.map_err(|error| MethodError::Unit {
            method: "rate",
            unit: prepared.name.to_string(),
            reason: format!("it does not evaluate on the samples: {error}"),
        })?;
        materials.samples = samples;
        materials.labels = prepared.labels.iter().step_by(stride).copied().collect();
        Ok(materials)
    }

    /// The samples that corrections are made on, by index.
    pub fn corrected(&self) -> Vec<usize> {
        let stride = self.samples.len().div_ceil(MOST_CORRECTED).max(1);
        (0..self.samples.len()).step_by(stride).collect()
    }

    /// Refuses windows that are too large for maxima over bursts.
    pub fn check(&self, graded: Option<Graded>) -> Result<(), MethodError> {
        let Some(graded) = graded else { return Ok(()) };
        for unit in &self.prepared.structure.units {
            let window = match (unit.kind, unit.branches.first().map(|branch| &branch.map)) {
                (
                    UnitKind::MaxPool,
                    Some(crate::linear::LinearMap::Convolution { geometry, .. }),
                ) => geometry.kernel[0].saturating_mul(geometry.kernel[1]),
                _ => continue,
            };
            let most = graded.largest_window();
            if window > most {
                return Err(MethodError::Unit {
                    method: "rate",
                    unit: unit.name.clone(),
                    reason: format!(
                        "a maximum over {window} signed or burst inputs; at most {most} can be told \
                         apart: convert with the method `rate_plain`, which has no such limit"
                    ),
                });
            }
        }
        Ok(())
    }
}
