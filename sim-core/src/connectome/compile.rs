//! From a valid network to its connectome.

use super::Connectome;
use super::draw::{Draw, Row};
use super::fanout::{Delays, Fanout, Layout, NarrowView, Segment, Weights};
use super::footprint::{Footprint, predict_for, readable};
use super::narrow::{Narrow, build, plan};
use super::scatter::Scatter;
use crate::connectivity::{Connectivity, End};
pub use crate::network::Precision;
use crate::network::{ValidNetwork, ValidProjection};
use crate::neuron::Column;
use kernels::gather_into_large_pages;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How a connectome is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompileConfig {
    /// Bytes that the network may take; a larger one is refused before it is built.
    pub memory_limit: u64,
    /// How synapses are stored and neurons computed.
    pub precision: Precision,
    /// Parts that narrow synapses are stored in, at least; as many threads can share the work. It
    /// changes no spike.
    pub blocks: usize,
}

impl CompileConfig {
    /// No limit, double precision.
    pub const UNLIMITED: CompileConfig =
        CompileConfig { memory_limit: u64::MAX, precision: Precision::Double, blocks: 1 };
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
}

/// Builds the connectome.
///
/// # Errors
/// [`CompileError::TooLarge`] where the predicted size exceeds the limit.
pub fn compile(network: &ValidNetwork, config: CompileConfig) -> Result<Connectome, CompileError> {
    let footprint = predict_for(network, config);
    if footprint.peak_bytes > config.memory_limit {
        return Err(CompileError::TooLarge { footprint, limit: config.memory_limit });
    }
    let (narrow, views) = narrow(network, config);
    let of = |(index, projection): (usize, &ValidProjection)| match views
        .get(index)
        .and_then(Option::as_ref)
    {
        Some(view) => narrow_fanout(network, projection, view),
        None => fanout(network, projection),
    };
    let fanouts = network.projections().values().enumerate().map(of).collect();
    let populations = network.populations().values().map(|population| population.range());
    Ok(Connectome { populations: populations.collect(), fanouts, narrow })
}

/// The narrow form, where it is wanted and there is one, and each projection's part in it.
fn narrow(
    network: &ValidNetwork,
    config: CompileConfig,
) -> (Option<Arc<Narrow>>, Vec<Option<NarrowView>>) {
    if config.precision == Precision::Double {
        return (None, Vec::new());
    }
    let built = plan(network, config.blocks).and_then(|plan| build(network, plan));
    let Some((narrow, members)) = built else {
        return (None, Vec::new());
    };
    let narrow = Arc::new(narrow);
    let view = |member: Option<(usize, u64)>| {
        member.map(|(bundle, count)| NarrowView { narrow: narrow.clone(), bundle, count })
    };
    let views = members.into_iter().map(view).collect();
    (Some(narrow), views)
}

fn narrow_fanout(
    network: &ValidNetwork,
    projection: &ValidProjection,
    view: &NarrowView,
) -> Fanout {
    let target = &network.populations()[projection.target];
    let delays: Vec<u32> = view.narrow.bundles()[view.bundle].delays.clone().collect();
    Fanout {
        sources: network.populations()[projection.source].range(),
        targets: target.range(),
        source_population: projection.source,
        target_population: projection.target,
        receptor: projection.receptor,
        combine: target.model.spec().receptors[projection.receptor].combine,
        layout: Layout::Narrow(view.clone()),
        weights: Weights::One(0.0),
        delays: match delays[..] {
            [delay] => Delays::One(delay),
            _ => Delays::Segments { rows: Vec::new(), segments: Vec::new(), distinct: delays },
        },
    }
}

fn fanout(network: &ValidNetwork, projection: &ValidProjection) -> Fanout {
    let source = &network.populations()[projection.source];
    let target = &network.populations()[projection.target];
    let (layout, weights, delays) = implicit(network, projection).unwrap_or_else(|| {
        let draw = Draw::new(network, projection);
        match draw.end() {
            End::Source => rows_by_source(&draw, projection),
            End::Target => rows_by_target(&draw, projection),
        }
    });
    if let Layout::Sparse { targets, .. } = &layout {
        gather_into_large_pages(targets);
    }
    if let Weights::Each(weights) = &weights {
        gather_into_large_pages(weights);
    }
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

/// Rules whose synapses need no indices, where all have one delay and no weight is drawn.
pub(super) fn is_implicit(projection: &ValidProjection) -> bool {
    let shaped = matches!(
        projection.connectivity,
        Connectivity::OneToOne(_)
            | Connectivity::AllToAll(_)
            | Connectivity::Dense(_)
            | Connectivity::Convolution(_)
    );
    shaped && projection.weights.listed().is_some() && projection.delays.one().is_some()
}

/// The layout of such a rule.
fn implicit(
    network: &ValidNetwork,
    projection: &ValidProjection,
) -> Option<(Layout, Weights, Delays)> {
    let column = projection.weights.listed().filter(|_| is_implicit(projection))?;
    let delay = Delays::One(projection.delays.one()?);
    let model = network.populations()[projection.target].model;
    let weights = || match column {
        Column::One(weight) => Weights::One(model.round(*weight)),
        Column::Each(weights) => Weights::Each(weights.iter().map(|&w| model.round(w)).collect()),
    };
    let (sources, targets) = (projection.ends.sources, projection.ends.targets);
    Some(match &projection.connectivity {
        Connectivity::OneToOne(_) => (Layout::OneToOne, weights(), delay),
        Connectivity::AllToAll(rule) => {
            (Layout::Dense { autapses: rule.autapses }, weights(), delay)
        }
        Connectivity::Convolution(_) => {
            let (scatter, weights) = convolution(network, projection)?;
            (Layout::Convolution(Box::new(scatter)), weights, delay)
        }
        _ => (Layout::Dense { autapses: true }, transpose(weights(), sources, targets), delay),
    })
}

/// The tables and laid-out weights of a convolution with listed weights.
pub(super) fn convolution(
    network: &ValidNetwork,
    projection: &ValidProjection,
) -> Option<(Scatter, Weights)> {
    let Connectivity::Convolution(geometry) = &projection.connectivity else {
        return None;
    };
    let model = network.populations()[projection.target].model;
    let mut scatter = Scatter::new(*geometry);
    let weights = match projection.weights.listed()? {
        Column::One(weight) => Weights::One(model.round(*weight)),
        Column::Each(weights) => {
            let rounded: Vec<f64> = weights.iter().map(|&weight| model.round(weight)).collect();
            let laid_out = scatter.lay_out(&rounded);
            scatter.find_twins(&laid_out);
            Weights::Each(laid_out)
        }
    };
    Some((scatter, weights))
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

/// Synapses (as expected) and rows that are drawn at a time: what is held besides the result.
pub(super) const MOST_AT_ONCE: u64 = 1 << 18;
const MOST_ROWS_AT_ONCE: u64 = 4096;

/// A drawn synapse on its way into the row of its source.
#[derive(Debug, Clone, Copy)]
struct Placed {
    target: u32,
    delay: u32,
    weight: f64,
}

/// Bytes of a synapse on its way.
pub(super) const PLACED_BYTES: u64 = size_of::<Placed>() as u64;

/// Rows to draw at a time.
fn rows_at_once(projection: &ValidProjection, rows: u32) -> u32 {
    let synapses = projection.connectivity.behaviour().expected_synapses(&projection.ends);
    let length = synapses / u64::from(rows.max(1));
    (MOST_AT_ONCE / length.max(1)).clamp(1, MOST_ROWS_AT_ONCE) as u32
}

/// The result in the making: synapses by source, within a source by (delay, target).
struct Sorted {
    rows: Vec<u64>,
    targets: Vec<u32>,
    weights: Weights,
    /// Empty where all are the same.
    delays: Vec<u32>,
    one_delay: Option<u32>,
}

/// Room for so many numbers and what drawing may add, where there is that much: a vector that grows leaves
/// memory behind that is not always handed back.
fn with_room<T>(expected: u64) -> Vec<T> {
    let mut numbers = Vec::new();
    let room = expected.saturating_add((8.0 * (expected as f64).sqrt()) as u64);
    // Without it the vector grows as it is filled.
    let _ = numbers.try_reserve_exact(usize::try_from(room).unwrap_or(usize::MAX));
    numbers
}

impl Sorted {
    fn new(projection: &ValidProjection) -> Self {
        let one_weight = matches!(projection.weights.listed(), Some(Column::One(_)));
        let expected = projection.connectivity.behaviour().expected_synapses(&projection.ends);
        let one_delay = projection.delays.one();
        Sorted {
            rows: vec![0],
            targets: with_room(expected),
            weights: match one_weight {
                true => Weights::One(0.0),
                false => Weights::Each(with_room(expected)),
            },
            delays: if one_delay.is_none() { with_room(expected) } else { Vec::new() },
            one_delay,
        }
    }

    /// Appends a row that is sorted.
    fn push_row(&mut self, row: &[Placed]) {
        self.targets.extend(row.iter().map(|synapse| synapse.target));
        match &mut self.weights {
            Weights::One(weight) => *weight = row.first().map_or(*weight, |s| s.weight),
            Weights::Each(weights) => weights.extend(row.iter().map(|synapse| synapse.weight)),
        }
        if self.one_delay.is_none() {
            self.delays.extend(row.iter().map(|synapse| synapse.delay));
        }
        self.rows.push(self.targets.len() as u64);
    }

    fn finish(mut self) -> (Layout, Weights, Delays) {
        self.targets.shrink_to_fit();
        if let Weights::Each(weights) = &mut self.weights {
            weights.shrink_to_fit();
        }
        let delays = match self.one_delay {
            Some(delay) => Delays::One(delay),
            None => segment_rows(&self.rows, &self.delays),
        };
        (Layout::Sparse { rows: self.rows, targets: self.targets }, self.weights, delays)
    }
}

/// Sorts by (delay, target); synapses of one pair and delay keep the rule's order.
fn sort_row(row: &mut [Placed]) {
    row.sort_by_key(|synapse| (synapse.delay, synapse.target));
}

/// Draws rows that are numbered by their sources, some at a time.
fn rows_by_source(draw: &Draw<'_>, projection: &ValidProjection) -> (Layout, Weights, Delays) {
    let mut sorted = Sorted::new(projection);
    let count = draw.row_count();
    let at_once = rows_at_once(projection, count);
    for first in (0..count).step_by(at_once as usize) {
        let rows: Vec<Vec<Placed>> = (first..count.min(first.saturating_add(at_once)))
            .into_par_iter()
            .map_init(Row::default, |drawn, row| {
                draw.row(row, drawn);
                let mut synapses: Vec<Placed> = drawn
                    .synapses(End::Source, row)
                    .map(|s| Placed { target: s.target, delay: s.delay, weight: s.weight })
                    .collect();
                sort_row(&mut synapses);
                synapses
            })
            .collect();
        rows.iter().for_each(|row| sorted.push_row(row));
    }
    sorted.finish()
}

/// Draws rows that are numbered by their targets: first counted by source, then drawn again and put
/// in their places, some rows at a time.
fn rows_by_target(draw: &Draw<'_>, projection: &ValidProjection) -> (Layout, Weights, Delays) {
    let degrees: Vec<AtomicU64> = (0..projection.ends.sources).map(|_| AtomicU64::new(0)).collect();
    (0..draw.row_count()).into_par_iter().for_each_init(Vec::new, |partners, row| {
        partners.clear();
        draw.partners(row, partners);
        for partner in partners.iter() {
            degrees[partner.neuron as usize].fetch_add(1, Ordering::Relaxed);
        }
    });
    let mut next = Vec::with_capacity(degrees.len());
    let mut total = 0_u64;
    for degree in &degrees {
        next.push(total);
        total += degree.load(Ordering::Relaxed);
    }
    let nothing = Placed { target: 0, delay: 0, weight: 0.0 };
    let mut placed = vec![nothing; total as usize];
    let count = draw.row_count();
    let at_once = rows_at_once(projection, count);
    for first in (0..count).step_by(at_once as usize) {
        let rows: Vec<Vec<(u32, Placed)>> = (first..count.min(first.saturating_add(at_once)))
            .into_par_iter()
            .map_init(Row::default, |drawn, row| {
                draw.row(row, drawn);
                let of = |s: super::DrawnSynapse| {
                    (s.source, Placed { target: s.target, delay: s.delay, weight: s.weight })
                };
                drawn.synapses(End::Target, row).map(of).collect()
            })
            .collect();
        for (source, synapse) in rows.into_iter().flatten() {
            let slot = &mut next[source as usize];
            placed[*slot as usize] = synapse;
            *slot += 1;
        }
    }
    let mut sorted = Sorted::new(projection);
    let mut rest = placed.as_mut_slice();
    for degree in &degrees {
        let (row, others) = rest.split_at_mut(degree.load(Ordering::Relaxed) as usize);
        sort_row(row);
        sorted.push_row(row);
        rest = others;
    }
    sorted.finish()
}

/// Runs of equal delay within each row.
fn segment_rows(rows: &[u64], sorted: &[u32]) -> Delays {
    let mut distinct = BTreeSet::new();
    let mut segments = Vec::new();
    let mut row_segments = vec![0];
    for row in rows.windows(2) {
        let mut previous = None;
        for index in row[0]..row[1] {
            let delay = sorted[index as usize];
            if previous != Some(delay) {
                segments.push(Segment { delay, first: index });
                distinct.insert(delay);
                previous = Some(delay);
            }
        }
        row_segments.push(segments.len() as u64);
    }
    if distinct.len() <= 1 {
        return Delays::One(distinct.first().copied().unwrap_or(1));
    }
    segments.push(Segment { delay: 0, first: sorted.len() as u64 });
    segments.shrink_to_fit();
    Delays::Segments { rows: row_segments, segments, distinct: distinct.into_iter().collect() }
}
