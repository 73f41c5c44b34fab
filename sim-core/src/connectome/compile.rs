//! From a valid network to its connectome.

use super::Connectome;
use super::fanout::{Delays, Fanout, Layout, Segment, Weights};
use super::footprint::{Footprint, predict, readable};
use super::scatter::Scatter;
use crate::network::{Connectivity, ValidNetwork, ValidProjection};
use crate::neuron::Column;
use crate::random::{Purpose, Stream};
use rayon::prelude::*;

/// How a connectome is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompileConfig {
    /// Bytes that the network may take; a larger one is refused before it is built.
    pub memory_limit: u64,
}

impl CompileConfig {
    /// No limit.
    pub const UNLIMITED: CompileConfig = CompileConfig { memory_limit: u64::MAX };
}

/// Why a network cannot be compiled.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CompileError {
    /// It does not fit.
    #[error(
        "the network needs {} ({} for {} synapses, {} for {} neurons) but {} are free: make it \
         smaller, share weights (convolution, one weight for all) or use a larger machine",
        readable(footprint.peak_bytes), readable(footprint.connectome_bytes), footprint.synapses,
        readable(footprint.state_bytes), footprint.neurons, readable(*limit)
    )]
    TooLarge {
        /// What was predicted.
        footprint: Footprint,
        /// What is allowed.
        limit: u64,
    },
    /// More projections than draws can be told apart for.
    #[error("{count} projections; at most 65,536 are possible: merge some into lists")]
    TooManyProjections {
        /// How many there are.
        count: usize,
    },
}

/// Builds the connectome.
///
/// # Errors
/// [`CompileError::TooLarge`] where the predicted size exceeds the limit.
pub fn compile(network: &ValidNetwork, config: CompileConfig) -> Result<Connectome, CompileError> {
    let footprint = predict(network);
    if footprint.peak_bytes > config.memory_limit {
        return Err(CompileError::TooLarge { footprint, limit: config.memory_limit });
    }
    let count = network.projections().len();
    if count > usize::from(u16::MAX) + 1 {
        return Err(CompileError::TooManyProjections { count });
    }
    let fanouts = network
        .projections()
        .values()
        .enumerate()
        .map(|(index, projection)| fanout(network, index, projection))
        .collect();
    let populations = network.populations().values().map(|population| population.range());
    Ok(Connectome { populations: populations.collect(), fanouts })
}

fn fanout(network: &ValidNetwork, index: usize, projection: &ValidProjection) -> Fanout {
    let source = &network.populations()[projection.source];
    let target = &network.populations()[projection.target];
    let round = |weight: f64| target.model.round(weight);
    let weights = match &projection.weights {
        Column::One(weight) => Weights::One(round(*weight)),
        Column::Each(weights) => Weights::Each(weights.iter().map(|&w| round(w)).collect()),
    };
    let delay = Delays::One(projection.delays.first().copied().unwrap_or(1));
    let (sources, targets) = (source.size(), target.size());
    let (layout, weights, delays) = match &projection.connectivity {
        Connectivity::OneToOne => (Layout::OneToOne, weights, delay),
        Connectivity::AllToAll { autapses } => {
            (Layout::Dense { autapses: *autapses }, weights, delay)
        }
        Connectivity::Dense => {
            (Layout::Dense { autapses: true }, transpose(weights, sources, targets), delay)
        }
        Connectivity::Convolution(geometry) => {
            let mut scatter = Scatter::new(*geometry);
            let weights = match weights {
                Weights::Each(weights) => {
                    let laid_out = scatter.lay_out(&weights);
                    scatter.find_twins(&laid_out);
                    Weights::Each(laid_out)
                }
                one => one,
            };
            (Layout::Convolution(Box::new(scatter)), weights, delay)
        }
        Connectivity::FixedProbability { probability, autapses } => {
            let lane = index as u16;
            let layout = draw(network.seed(), lane, *probability, *autapses, (sources, targets));
            (layout, weights, delay)
        }
        Connectivity::List { sources: from, targets: to } => {
            sort_list(sources, from, to, weights, &projection.delays)
        }
    };
    Fanout {
        sources: source.range(),
        targets: target.range(),
        source_population: projection.source,
        target_population: projection.target,
        receptor: projection.receptor,
        combine: target.model.spec().receptors[projection.receptor].combine,
        layout,
        weights,
        delays,
    }
}

/// Weights `[target, source]` as `[source, target]`.
fn transpose(weights: Weights, sources: u32, targets: u32) -> Weights {
    let Weights::Each(matrix) = weights else {
        return weights;
    };
    let (sources, targets) = (sources as usize, targets as usize);
    let mut transposed = vec![0.0; matrix.len()];
    for (target, row) in matrix.chunks_exact(sources.max(1)).enumerate() {
        for (source, &weight) in row.iter().enumerate() {
            transposed[source * targets + target] = weight;
        }
    }
    Weights::Each(transposed)
}

/// Draws every pair with the same probability, row by row: each row has its own random stream, so
/// the rows can be drawn by any number of threads.
fn draw(seed: u64, lane: u16, probability: f64, autapses: bool, sizes: (u32, u32)) -> Layout {
    let (sources, targets) = sizes;
    let drawn: Vec<Vec<u32>> = (0..sources)
        .into_par_iter()
        .map(|source| draw_row(seed, lane, probability, autapses, source, targets))
        .collect();
    let mut rows = Vec::with_capacity(sources as usize + 1);
    rows.push(0);
    let mut count = 0;
    for row in &drawn {
        count += row.len() as u64;
        rows.push(count);
    }
    Layout::Sparse { rows, targets: drawn.concat() }
}

/// The targets of one source, ascending: the gaps between them are geometric.
fn draw_row(
    seed: u64,
    lane: u16,
    probability: f64,
    autapses: bool,
    source: u32,
    targets: u32,
) -> Vec<u32> {
    let keep = |target: &u32| autapses || *target != source;
    if probability >= 1.0 {
        return (0..targets).filter(keep).collect();
    }
    let mut row = Vec::new();
    if probability <= 0.0 {
        return row;
    }
    let mut stream = Stream::new(seed, Purpose::Connectivity, source, lane);
    let scale = 1.0 / (-probability).ln_1p();
    let mut next = 0.0;
    loop {
        // 1 − u lies in (0, 1]: its logarithm is finite.
        next += ((1.0 - stream.next_uniform()).ln() * scale).floor();
        if next >= f64::from(targets) {
            return row;
        }
        let target = next as u32;
        if keep(&target) {
            row.push(target);
        }
        next += 1.0;
    }
}

/// Listed synapses as rows sorted by (delay, target); repeated pairs keep their given order.
fn sort_list(
    source_count: u32,
    from: &[u32],
    to: &[u32],
    weights: Weights,
    delays: &[u32],
) -> (Layout, Weights, Delays) {
    let delay_of = |index: usize| delays.get(index).or(delays.first()).copied().unwrap_or(1);
    let mut order: Vec<u64> = (0..from.len() as u64).collect();
    order.par_sort_unstable_by_key(|&index| {
        let at = index as usize;
        (from[at], delay_of(at), to[at], index)
    });
    let mut rows = vec![0_u64; source_count as usize + 1];
    for &source in from {
        rows[source as usize + 1] += 1;
    }
    for index in 1..rows.len() {
        rows[index] += rows[index - 1];
    }
    let at = |index: &u64| *index as usize;
    let targets = order.iter().map(|index| to[at(index)]).collect();
    let weights = match weights {
        Weights::One(weight) => Weights::One(weight),
        Weights::Each(each) => Weights::Each(order.iter().map(|i| each[at(i)]).collect()),
    };
    let sorted: Vec<u32> = order.iter().map(|index| delay_of(at(index))).collect();
    let delays = segment_rows(&rows, &sorted);
    (Layout::Sparse { rows, targets }, weights, delays)
}

/// Runs of equal delay within each row.
fn segment_rows(rows: &[u64], sorted: &[u32]) -> Delays {
    let mut distinct = sorted.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() <= 1 {
        return Delays::One(distinct.first().copied().unwrap_or(1));
    }
    let mut segments = Vec::new();
    let mut row_segments = vec![0];
    for row in rows.windows(2) {
        let mut previous = None;
        for index in row[0]..row[1] {
            let delay = sorted[index as usize];
            if previous != Some(delay) {
                segments.push(Segment { delay, first: index });
                previous = Some(delay);
            }
        }
        row_segments.push(segments.len() as u64);
    }
    segments.push(Segment { delay: 0, first: sorted.len() as u64 });
    Delays::Segments { rows: row_segments, segments, distinct }
}
