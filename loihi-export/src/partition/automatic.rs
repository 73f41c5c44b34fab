//! `automatic`: for each population the better of two cuts.
//!
//! Slices in order keep whole channels together and store few kernels; slices grown by shared
//! inputs bound the axons that enter a core. Which needs fewer cores depends on a population's
//! projections and on the chip, so that both are made and counted: fewer slices win, then fewer
//! input axons, then the cut in order. The largest populations are grown only.

use super::cut::{finish, on_chip};
use super::greedy_overlap::{BLOCK, grow, slices_of_blocks};
use super::{PartitionConfig, PartitionError, Partitioner, sequential_fill};
use crate::mapping::Slice;
use crate::mapping::limits::CoreLimits;
use crate::mapping::usage::inbound_usage;
use crate::quantise::network::QuantisedNetwork;
use rayon::prelude::*;

pub(super) const AUTOMATIC: Partitioner = Partitioner {
    name: "automatic",
    summary: "for each population sequential_fill or greedy_overlap, whichever needs fewer cores",
    run,
};

/// Neurons of a population above which only the grown cut is made.
const MOST_IN_ORDER: u32 = 1 << 18;

fn run(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
    config: &PartitionConfig,
) -> Result<Vec<Slice>, PartitionError> {
    let grown = slices_of_blocks(network, limits, BLOCK, grow)?;
    let populations: Vec<(usize, u32)> = on_chip(network).map(|(index, _, n)| (index, n)).collect();
    let better = |&(population, size): &(usize, u32)| {
        let own = |slice: &&Slice| slice.population == population;
        let grown: Vec<Slice> = grown.iter().filter(own).cloned().collect();
        if size > MOST_IN_ORDER || grown.len() < 2 {
            return Ok(grown);
        }
        let in_order = sequential_fill::slices(network, limits, population)?;
        let cost = |slices: &[Slice]| (slices.len(), input_axons(network, limits, slices));
        Ok(if cost(&grown) < cost(&in_order) { grown } else { in_order })
    };
    let chosen: Result<Vec<Vec<Slice>>, PartitionError> =
        populations.par_iter().map(better).collect();
    finish(network, limits, config, chosen?.into_iter().flatten().collect())
}

fn input_axons(network: &QuantisedNetwork, limits: &CoreLimits, slices: &[Slice]) -> u64 {
    slices.iter().fold(0, |sum, slice| {
        let usage = inbound_usage(network, limits, slice.population, &slice.runs);
        sum.saturating_add(usage.input_axons)
    })
}
