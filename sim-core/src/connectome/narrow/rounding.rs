//! What the narrow form makes of the weights: how far each projection's may be from those described.

use super::plan::{largest_weight, single};
use super::quantise;
use crate::connectome::{Connectome, Layout};
use crate::network::ValidNetwork;
use serde::Serialize;

/// How far the weights of a projection in the narrow form are from those described.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WeightRounding {
    /// Name of the projection.
    pub projection: String,
    /// Unit of its weights.
    pub unit: &'static str,
    /// What the stored whole numbers count, in that unit.
    pub resolution: f64,
    /// The most that a weight is off, in that unit.
    pub largest_error: f64,
    /// The same relative to the largest weight of the projection.
    pub relative_error: f64,
}

/// The rounding of all projections that have the narrow form.
pub fn rounding(network: &ValidNetwork, connectome: &Connectome) -> Vec<WeightRounding> {
    let Some(narrow) = connectome.narrow() else {
        return Vec::new();
    };
    let projections = network.projections().iter().zip(connectome.fanouts());
    let stored = projections.filter(|(_, fanout)| matches!(fanout.layout(), Layout::Narrow(_)));
    stored
        .filter_map(|((name, projection), _)| {
            let target = narrow.populations().get(projection.target)?.as_ref()?;
            let resolution = *target.units.get(projection.receptor)?;
            let largest = largest_weight(projection);
            let largest_error = match single(projection) {
                Some(weight) => {
                    (f64::from(quantise(weight, resolution)) * resolution - weight).abs()
                }
                None => 0.5 * resolution,
            };
            let spec = network.populations()[projection.target].model.spec();
            Some(WeightRounding {
                projection: name.clone(),
                unit: spec.receptors[projection.receptor].weight.base_unit(),
                resolution,
                largest_error,
                relative_error: if largest > 0.0 { largest_error / largest } else { 0.0 },
            })
        })
        .collect()
}
