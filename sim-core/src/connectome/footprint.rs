//! How much memory a network will need, before anything is built.

use super::compile::{CompileConfig, Precision, is_implicit};
use super::narrow::plan;
use crate::connectivity::Connectivity;
use crate::network::{ValidDelays, ValidNetwork, ValidProjection};
use crate::neuron::Column;
use crate::random::{Purpose, Stream};
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
    /// Bytes of neuron states, inputs and currents in an engine, and of synapses that change.
    pub state_bytes: u64,
    /// The most bytes in use while the connectome is built.
    pub peak_bytes: u64,
}

/// Bytes of state, input slots and currents that a neuron takes in an engine, about.
const BYTES_PER_NEURON: u64 = 160;

/// Predicts the size of a network in double precision; see [`predict_for`].
pub fn predict(network: &ValidNetwork) -> Footprint {
    predict_for(network, CompileConfig::UNLIMITED)
}

/// Predicts the size of a network that is compiled like this.
///
/// For drawn connectivity the expectation is used; the true number lies within a few times its
/// square root of it. For lists whose synapses have delays of their own the figure is a bound: as
/// many runs of equal delay as synapses.
pub fn predict_for(network: &ValidNetwork, config: CompileConfig) -> Footprint {
    let plan = match config.precision {
        Precision::Double => None,
        Precision::Single => plan(network, config.blocks),
    };
    let neurons = u64::from(network.neuron_count());
    let mut footprint = Footprint {
        neurons,
        synapses: 0,
        connectome_bytes: 0,
        state_bytes: neurons.saturating_mul(BYTES_PER_NEURON),
        peak_bytes: 0,
    };
    let mut largest_scratch = 0;
    for (index, projection) in network.projections().values().enumerate() {
        let sources = u64::from(network.populations()[projection.source].size());
        let (synapses, bytes, scratch) = match &plan {
            Some(plan) if plan.sharers(index) > 0 => {
                let rows = sources.saturating_mul(plan.block_count() as u64);
                narrow_projection(projection, rows, plan.sharers(index), network.grid().dt())
            }
            _ => of_projection(projection, sources),
        };
        if !projection.rules.is_empty() {
            // Engines hold targets and weights of what changes, and the first weights where they differ.
            let one = matches!(projection.weights.listed(), Some(Column::One(_)));
            let changing = synapses.saturating_mul(if one { 12 } else { 20 });
            footprint.state_bytes = footprint.state_bytes.saturating_add(changing);
        }
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
fn of_projection(projection: &ValidProjection, sources: u64) -> (u64, u64, u64) {
    let synapses = projection.connectivity.behaviour().expected_synapses(&projection.ends);
    let weights = match projection.weights.listed() {
        Some(Column::One(_)) => 0,
        Some(Column::Each(listed)) => 8 * listed.len() as u64,
        None => synapses.saturating_mul(8),
    };
    if let Connectivity::Convolution(geometry) = &projection.connectivity {
        // Kernel, and tables of each axis; weights are laid out anew.
        let taps = geometry.tap_counts().iter().sum::<u64>();
        let tables = taps.saturating_mul(16).saturating_add(sources.saturating_mul(4));
        return (synapses, weights.saturating_add(tables), weights);
    }
    if is_implicit(projection) {
        // Transposing holds the matrix twice.
        let dense = matches!(projection.connectivity, Connectivity::Dense(_));
        return (synapses, weights, if dense { weights } else { 0 });
    }
    let rows = 8 * (sources + 1);
    let delays = match projection.delays.one() {
        Some(_) => 0,
        // At most one segment a synapse and the end, and every delay once.
        None => (synapses.saturating_add(1))
            .saturating_mul(16)
            .saturating_add(rows)
            .saturating_add(4 * synapses.min(u64::from(u16::MAX))),
    };
    let kept = synapses.saturating_mul(4).saturating_add(weights) + delays + rows;
    // Arrays grow by doubling; rows by target are put in their places first.
    let scratch = synapses.saturating_mul(24).saturating_add(weights);
    (synapses, kept, scratch)
}

/// The same for a projection in the narrow form: synapses of four bytes (two where all weights are
/// one), and a head for each segment; `sharers` projections share rows.
fn narrow_projection(
    projection: &ValidProjection,
    rows: u64,
    sharers: u64,
    dt: f64,
) -> (u64, u64, u64) {
    let rule = projection.connectivity.behaviour();
    let synapses = rule.expected_synapses(&projection.ends);
    let one = matches!(projection.weights.listed(), Some(Column::One(_)));
    let length = (synapses.saturating_mul(sharers)) as f64 / rows.max(1) as f64;
    let segments = rows as f64 * segments_of_a_row(projection, length, dt);
    // Heads, and of each row its place, its end and its length.
    let beside = ((4.0 * segments) as u64).saturating_add(rows.saturating_mul(12)) / sharers;
    let kept = synapses.saturating_mul(if one { 2 } else { 4 }).saturating_add(beside);
    // Rows by target are put in their places first.
    let scratch = match projection.connectivity {
        Connectivity::FixedInDegree(_) => {
            synapses.saturating_mul(8).saturating_add(rows.saturating_mul(16))
        }
        _ => 0,
    };
    (synapses, kept, scratch)
}

/// Draws that tell how many delays a row may have.
const TRIALS: u32 = 1024;

/// How many delays are expected in a row of `length` synapses.
fn segments_of_a_row(projection: &ValidProjection, length: f64, dt: f64) -> f64 {
    let mut delays: Vec<u64> = match &projection.delays {
        ValidDelays::Listed(steps) => steps.iter().map(|&steps| u64::from(steps)).collect(),
        ValidDelays::Drawn(law) => {
            let mut stream = Stream::new(0, Purpose::Delay, 0, 0);
            let steps = |drawn: f64| (drawn / dt).round().max(1.0) as u64;
            (0..TRIALS).map(|_| steps(law.draw(&mut stream, 0.0))).collect()
        }
    };
    delays.sort_unstable();
    let trials = delays.len().max(1) as f64;
    let shares = delays.chunk_by(|a, b| a == b).map(|same| same.len() as f64 / trials);
    shares.map(|share| 1.0 - (1.0 - share).powf(length)).sum()
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
