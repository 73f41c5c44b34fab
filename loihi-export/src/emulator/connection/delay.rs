//! Delays of their own for single synapses (Lava's `DelayDense` and `DelaySparse`).
//!
//! Synapses of one delay form a table of their own: Lava shifts each (target, delay) sum before
//! it adds the delays.

use std::collections::BTreeMap;

use crate::quantise::network::Connection;

use super::{Ends, SynapseTable, sparse::SparseTable};

#[derive(Default)]
struct Listed {
    targets: Vec<u32>,
    sources: Vec<u32>,
    weights: Vec<i32>,
}

/// One table for each delay that occurs, shortest first.
///
/// `delays` are in the order of the connection's weights. Weights of 0 have no effect and are
/// left out. Synapses of a convolution share their delay; they give no table.
pub(super) fn split(
    connection: &Connection,
    delays: &[u8],
    ends: Ends<'_>,
) -> Vec<(u8, Box<dyn SynapseTable>)> {
    let mut groups: BTreeMap<u8, Listed> = BTreeMap::new();
    let mut add = |delay: u8, target: u32, source: u32, weight: i32| {
        if weight != 0 {
            let group = groups.entry(delay).or_default();
            group.targets.push(target);
            group.sources.push(source);
            group.weights.push(weight);
        }
    };
    match connection {
        Connection::Dense { weights, .. } => {
            for (place, (&weight, &delay)) in (0_u64..).zip(weights.iter().zip(delays)) {
                let sources = u64::from(ends.sources.max(1));
                add(delay, (place / sources) as u32, (place % sources) as u32, weight);
            }
        }
        Connection::Sparse { targets, sources, weights, .. } => {
            let ends = targets.iter().zip(sources);
            for ((&target, &source), (&weight, &delay)) in ends.zip(weights.iter().zip(delays)) {
                add(delay, target, source, weight);
            }
        }
        Connection::Convolution { .. } => {}
    }
    groups
        .into_iter()
        .map(|(delay, g)| -> (u8, Box<dyn SynapseTable>) {
            (delay, Box::new(SparseTable::new(&g.targets, &g.sources, &g.weights, ends.sources)))
        })
        .collect()
}
