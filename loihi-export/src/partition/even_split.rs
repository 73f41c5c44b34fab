//! `even_split`: each population in as few equal parts as fit, packed into the first core with room.
//!
//! Equal parts level the load of the cores, and small populations fill what others leave. A picture
//! is cut between channels, or between rows where it has fewer channels than parts.

use std::ops::Range;

use rayon::prelude::*;

use super::cut::{Longest, finish, on_chip, units, violation};
use super::{PartitionConfig, PartitionError, Partitioner};
use crate::mapping::Slice;
use crate::mapping::limits::CoreLimits;
use crate::quantise::network::QuantisedNetwork;

pub(super) const EVEN_SPLIT: Partitioner = Partitioner {
    name: "even_split",
    summary: "as few equal parts as fit, each in the first core with room",
    run,
};

fn run(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
    config: &PartitionConfig,
) -> Result<Vec<Slice>, PartitionError> {
    let mut slices = Vec::new();
    for (population, described, size) in on_chip(network) {
        if size == 0 {
            continue;
        }
        let mut parts = least_parts(network, limits, population, size)?;
        loop {
            let ranges = even_ranges(units(described), size, parts);
            let fits = |range: &Range<u32>| {
                violation(network, limits, population, range.clone()).is_none()
            };
            if ranges.par_iter().all(fits) {
                slices.extend(ranges.into_iter().map(|range| Slice::range(population, range)));
                break;
            }
            // every single neuron fits, so the loop ends at `size` parts at the latest
            parts = (parts + 1 + parts / 16).min(size);
        }
    }
    finish(network, limits, config, slices)
}

/// The number of longest slices, which no cutting can go below.
fn least_parts(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
    population: usize,
    size: u32,
) -> Result<u32, PartitionError> {
    let (mut first, mut parts) = (0, 0);
    let mut longest = Longest::new(network, limits, population, size);
    while first < size {
        first = longest.from(first)?;
        parts += 1;
    }
    Ok(parts)
}

/// Cuts `size` neurons into `parts` ranges that differ by at most one of the largest unit that
/// gives each part at least one.
fn even_ranges(units: [u32; 3], size: u32, parts: u32) -> Vec<Range<u32>> {
    let parts = parts.clamp(1, size);
    let unit = units.into_iter().find(|unit| size / unit >= parts).unwrap_or(1);
    let count = u64::from(size / unit);
    let cut = |part: u32| (count * u64::from(part) / u64::from(parts)) as u32 * unit;
    (0..parts).map(|part| cut(part)..if part + 1 == parts { size } else { cut(part + 1) }).collect()
}
