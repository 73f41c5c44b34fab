//! How many segments (runs of equal delay) the rows of a projection will have.

use super::super::draw::{Draw, Row};
use crate::connectivity::{Connectivity, End};
use crate::distribution::Law;
use crate::network::{ValidDelays, ValidNetwork, ValidProjection};
use crate::random::{Purpose, Stream};
use std::collections::{BTreeMap, HashSet};

/// Projections up to this size are drawn whole to be counted.
const COUNTED: u64 = 1 << 14;

/// Synapses and rows of larger ones that are looked at.
const SAMPLE: usize = 1 << 13;
const ROWS: u32 = 32;

/// Delays that are drawn of a law which all synapses share.
const TRIALS: u32 = 2048;

/// Rows longer than this are not drawn for a sample.
const LONGEST_ROW: u64 = 1 << 22;

/// The delays of a projection and what share of its synapses has each; none where it has no synapse.
pub(super) type Shares = BTreeMap<u32, f64>;

/// Segments of all rows, and delays that occur.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segments {
    pub(super) count: u64,
    pub(super) distinct: u64,
}

/// Counts the segments of a projection whose rows lie by source: exactly where it is small, else as
/// expected for rows of their mean length.
pub(super) fn segments(network: &ValidNetwork, projection: &ValidProjection) -> Segments {
    let synapses = projection.connectivity.behaviour().expected_synapses(&projection.ends);
    let sources = u64::from(projection.ends.sources);
    if synapses <= COUNTED {
        return counted(&Draw::new(network, projection));
    }
    let shares = shares(network, projection);
    let length = synapses as f64 / sources.max(1) as f64;
    let one = expected([(projection, &shares, length)].into_iter());
    Segments { count: (sources as f64 * one).ceil() as u64, distinct: shares.len() as u64 }
}

fn counted(draw: &Draw<'_>) -> Segments {
    let (mut segments, mut delays) = (HashSet::new(), HashSet::new());
    let mut drawn = Row::default();
    for row in 0..draw.row_count() {
        draw.row(row, &mut drawn);
        for synapse in drawn.synapses(draw.end(), row) {
            segments.insert((synapse.source, synapse.delay));
            delays.insert(synapse.delay);
        }
    }
    Segments { count: segments.len() as u64, distinct: delays.len() as u64 }
}

/// What share of the synapses has each delay, from some rows.
pub(super) fn shares(network: &ValidNetwork, projection: &ValidProjection) -> Shares {
    if let Some(delay) = projection.delays.one() {
        return Shares::from([(delay, 1.0)]);
    }
    let step = network.grid().dt();
    if let ValidDelays::Drawn(law) = &projection.delays
        && !depends_on_distance(&**law)
    {
        let mut stream = Stream::new(0, Purpose::Delay, 0, 0);
        let steps = |drawn: f64| (drawn / step).round().max(1.0) as u32;
        let delays = (0..TRIALS).map(|_| steps(law.draw(&mut stream, 0.0)));
        let mut found = Shares::new();
        delays.for_each(|delay| *found.entry(delay).or_insert(0.0) += 1.0 / f64::from(TRIALS));
        return found;
    }
    let draw = Draw::new(network, projection);
    let (rows, mut found) = (draw.row_count(), Shares::new());
    let expected = projection.connectivity.behaviour().expected_synapses(&projection.ends);
    if expected / u64::from(rows.max(1)) > LONGEST_ROW {
        // Such a row has a segment for nearly each delay that there can be.
        return (1..=u32::from(u8::MAX)).map(|delay| (delay, 1.0 / f64::from(u8::MAX))).collect();
    }
    let (mut drawn, mut count) = (Row::default(), 0);
    for row in (0..rows).step_by((rows / ROWS).max(1) as usize) {
        draw.row(row, &mut drawn);
        count += drawn.delays.len();
        drawn.delays.iter().for_each(|&delay| *found.entry(delay).or_insert(0.0) += 1.0);
        if count > SAMPLE {
            break;
        }
    }
    found.values_mut().for_each(|share| *share /= count.max(1) as f64);
    found
}

/// Whether a law looks at the distance: the same random numbers give others further away.
fn depends_on_distance(law: &dyn Law) -> bool {
    let at = |distance: f64| {
        let mut stream = Stream::new(0, Purpose::Delay, 0, 0);
        (0..8).map(|_| law.draw(&mut stream, distance)).collect::<Vec<f64>>()
    };
    at(0.0) != at(0.5) || at(0.0) != at(1000.0)
}

/// Segments that are expected in a row that several projections share: for each its delays and mean
/// number of synapses.
pub(super) fn expected<'a>(
    members: impl Iterator<Item = (&'a ValidProjection, &'a Shares, f64)>,
) -> f64 {
    // The logarithm of the probability that a delay does not occur.
    let mut absent: BTreeMap<u32, f64> = BTreeMap::new();
    let mut synapses = 0.0;
    for (projection, shares, length) in members {
        synapses += length;
        for (&delay, &share) in shares {
            // Rows of one length, or of a length that is random itself.
            let log = if is_regular(projection) { (1.0 - share).ln() } else { -share };
            *absent.entry(delay).or_insert(0.0) += length * log;
        }
    }
    absent.values().map(|log| -log.exp_m1()).sum::<f64>().min(synapses)
}

/// Whether all sources have about as many synapses.
fn is_regular(projection: &ValidProjection) -> bool {
    let rule = &projection.connectivity;
    let by_source = matches!(
        rule,
        Connectivity::OneToOne(_)
            | Connectivity::AllToAll(_)
            | Connectivity::Dense(_)
            | Connectivity::FixedOutDegree(_)
    );
    by_source && rule.behaviour().rows(&projection.ends, projection.seed).end() == End::Source
}
