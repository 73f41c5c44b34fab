//! How much memory a network will need, before anything is built.

use crate::network::{Connectivity, ValidNetwork, ValidProjection};
use crate::neuron::Column;
use serde::Serialize;

/// Predicted size of a network in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Footprint {
    /// Neurons, sources included.
    pub neurons: u64,
    /// Synapses; the expected number where they are drawn.
    pub synapses: u64,
    /// Bytes of the compiled connectome.
    pub connectome_bytes: u64,
    /// Bytes of neuron states, inputs and currents in an engine.
    pub state_bytes: u64,
    /// The most bytes in use while the connectome is built.
    pub peak_bytes: u64,
}

/// Bytes of state, input slots and currents that a neuron takes in an engine, about.
const BYTES_PER_NEURON: u64 = 160;

/// Predicts the size of a network.
///
/// For drawn connectivity the expectation is used; the true number lies within a few times its
/// square root of it. For lists whose synapses have delays of their own the figure is a bound: as
/// many runs of equal delay as synapses.
pub fn predict(network: &ValidNetwork) -> Footprint {
    let neurons = u64::from(network.neuron_count());
    let mut footprint = Footprint {
        neurons,
        synapses: 0,
        connectome_bytes: 0,
        state_bytes: neurons.saturating_mul(BYTES_PER_NEURON),
        peak_bytes: 0,
    };
    let mut largest_scratch = 0;
    for projection in network.projections().values() {
        let sources = u64::from(network.populations()[projection.source].size());
        let targets = u64::from(network.populations()[projection.target].size());
        let (synapses, bytes, scratch) = of_projection(projection, sources, targets);
        footprint.synapses = footprint.synapses.saturating_add(synapses);
        footprint.connectome_bytes = footprint.connectome_bytes.saturating_add(bytes);
        largest_scratch = largest_scratch.max(scratch);
    }
    footprint.peak_bytes = footprint
        .connectome_bytes
        .saturating_add(largest_scratch)
        .saturating_add(footprint.state_bytes);
    footprint
}

/// (synapses, bytes kept, bytes needed besides while it is built).
fn of_projection(projection: &ValidProjection, sources: u64, targets: u64) -> (u64, u64, u64) {
    let pairs = sources.saturating_mul(targets);
    // Without autapses source and target are one population: each neuron misses itself.
    let reachable = |autapses: bool| match autapses {
        true => pairs,
        false => pairs.saturating_sub(sources),
    };
    let each = |count: u64| match projection.weights {
        Column::One(_) => 0,
        Column::Each(_) => count.saturating_mul(8),
    };
    match &projection.connectivity {
        Connectivity::OneToOne => (sources, each(sources), 0),
        Connectivity::AllToAll { autapses } => (reachable(*autapses), 0, 0),
        // Transposing holds the matrix twice.
        Connectivity::Dense => (pairs, each(pairs), each(pairs)),
        Connectivity::Convolution(geometry) => {
            // Kernel, and tables of each axis; weights are laid out anew.
            let taps = geometry.tap_counts().iter().sum::<u64>();
            let tables = taps.saturating_mul(16).saturating_add(sources.saturating_mul(4));
            let weights = each(geometry.weight_count());
            (geometry.synapse_count(), weights.saturating_add(tables), weights)
        }
        Connectivity::FixedProbability { probability, autapses } => {
            let synapses = (reachable(*autapses) as f64 * probability).ceil() as u64;
            let targets = synapses.saturating_mul(4);
            // Rows are drawn apart, growing by doubling, and then joined.
            let scratch = targets.saturating_mul(2).saturating_add(24 * sources);
            (synapses, targets.saturating_add(8 * (sources + 1)), scratch)
        }
        Connectivity::List { sources: list, .. } => {
            let synapses = list.len() as u64;
            let delays = match projection.delays.len() {
                1 => 0,
                // At most one segment a synapse and the end, and every delay once.
                _ => (synapses + 1)
                    .saturating_mul(16)
                    .saturating_add(8 * (sources + 1))
                    .saturating_add(4 * synapses.min(u64::from(u16::MAX))),
            };
            let rows = 8 * (sources + 1);
            let kept = (synapses * 4).saturating_add(each(synapses)) + delays + rows;
            // The order, two lists of delays and the weights before they are sorted.
            let scratch = synapses.saturating_mul(16).saturating_add(each(synapses));
            (synapses, kept, scratch)
        }
    }
}

/// A number of bytes as people read it.
pub fn readable(bytes: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{value:.1} {}", units[unit]) }
}
