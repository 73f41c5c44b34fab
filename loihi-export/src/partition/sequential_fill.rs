//! `sequential_fill`: each slice as long as fits, one after the other.
//!
//! Populations in the order of the network; each slice takes as many neurons as neurons, input
//! axons and synapse memory of a core allow, its end moved down to a channel or row boundary of a
//! picture. A slice shares the last core where it has room.

use super::cut::{Longest, align_down, on_chip, refine_for_output_axons, units};
use super::pack::{LookBack, pack};
use super::{PartitionConfig, PartitionError, Partitioner};
use crate::mapping::Slice;
use crate::mapping::limits::CoreLimits;
use crate::quantise::network::QuantisedNetwork;

pub(super) const SEQUENTIAL_FILL: Partitioner = Partitioner {
    name: "sequential_fill",
    summary: "slices as long as a core allows, in the order of the network",
    run,
};

fn run(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
    config: &PartitionConfig,
) -> Result<Vec<Slice>, PartitionError> {
    let mut all = Vec::new();
    for (population, _, _) in on_chip(network) {
        all.extend(slices(network, limits, population)?);
    }
    let cut = refine_for_output_axons(network, limits, config, all)?;
    let look_back = if config.share_cores { LookBack::LastCore } else { LookBack::None };
    Ok(pack(limits, cut, look_back))
}

/// One population's slices, before output axons are counted.
pub(super) fn slices(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
    population: usize,
) -> Result<Vec<Slice>, PartitionError> {
    let Some((_, described, size)) = on_chip(network).find(|(index, ..)| *index == population)
    else {
        return Ok(Vec::new());
    };
    let (units, mut first, mut slices) = (units(described), 0, Vec::new());
    let mut longest = Longest::new(network, limits, population, size);
    while first < size {
        let end = longest.from(first)?;
        let end = align_down(units, first, end, size);
        slices.push(Slice::range(population, first..end));
        first = end;
    }
    Ok(slices)
}
