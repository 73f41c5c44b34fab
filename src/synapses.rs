//! The synapses that a description's rules draw.

use crate::error::Error;
use crate::memory;
use crate::model_io::edges::Edges;
use crate::sim_core::connectome::compile;
use crate::sim_core::diagnostics::known_names;
use crate::sim_core::network::Network;

/// The synapses of one projection, as an engine would have them at its beginning.
#[derive(Debug, Clone, PartialEq)]
pub struct DrawnSynapses {
    /// By source, then delay, then target; all have weights and delays (ms).
    pub edges: Edges,
    /// Source population.
    pub source: String,
    /// Target population.
    pub target: String,
    /// Unit of the weights; empty where they have none.
    pub weight_unit: String,
}

/// Draws the synapses of a projection. What is drawn depends on names and seed, not on what else is in the network: only
/// this projection is built.
///
/// # Errors
/// [`Error::Unknown`] for a projection that is not there, [`Error::Invalid`], [`Error::Compile`] where the
/// synapses do not fit the memory.
pub fn draw(network: &Network, projection: &str) -> Result<DrawnSynapses, Error> {
    let found = network.projections.get(projection);
    let found = found.ok_or_else(|| {
        let known: Vec<&str> = network.projections.keys().map(String::as_str).collect();
        let known = known_names(projection, &known);
        Error::Unknown { what: "projection", name: projection.to_string(), known }
    })?;
    let (source, target) = (found.source.clone(), found.target.clone());
    let mut alone = network.clone();
    alone.projections.retain(|name, _| name == projection);
    alone.probes.clear();
    let valid = alone.validate()?;
    let connectome = compile(&valid, memory::available())?;
    let (mut edges, grid) = (Edges::default(), valid.grid());
    let (mut weights, mut delays, mut weight_unit) = (Vec::new(), Vec::new(), String::new());
    for (fanout, own) in connectome.fanouts().iter().zip(valid.projections().values()) {
        let model = valid.populations()[own.target].model;
        weight_unit = model.spec().receptors[own.receptor].weight.base_unit().to_string();
        for source in 0..fanout.sources().len() as u32 {
            fanout.for_each_synapse(source, |target, weight, delay| {
                edges.sources.push(source);
                edges.targets.push(target);
                weights.push(weight);
                delays.push(grid.time_of(u64::from(delay)).milliseconds());
            });
        }
    }
    (edges.weights, edges.delays) = (Some(weights), Some(delays));
    Ok(DrawnSynapses { edges, source, target, weight_unit })
}
