//! `automatic`: for each population the better of two cuts.
//!
//! Slices in order keep whole channels together and store few kernels; slices grown by shared
//! inputs bound the axons that enter a core. Which needs fewer cores depends on a population's
//! projections and on the chip, so that both are made and counted: fewer slices win, then fewer
//! input axons, then the cut in order.
//!
//! How many output axons a slice takes depends on how its *targets* are cut, so that this choice is
//! only the first of several: with all populations grown, and with all in order, the whole network
//! is cut and packed, too, and where output axons had to cut further, each population's other cut is
//! tried in turn. The fewest cores win; so `automatic` never needs more than either cut alone. The
//! largest populations are grown only.

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
/// Slices of a network above which populations are not tried in turn.
const MOST_IN_TURN: usize = 1 << 12;

/// The cuts of one population.
struct Cuts {
    grown: Vec<Slice>,
    /// None where it is not made.
    in_order: Option<Vec<Slice>>,
    /// Whether the cut in order is better on the receiving side.
    prefers_order: bool,
}

impl Cuts {
    fn slices(&self, ordered: bool) -> &[Slice] {
        match &self.in_order {
            Some(slices) if ordered => slices,
            _ => &self.grown,
        }
    }
}

fn run(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
    config: &PartitionConfig,
) -> Result<Vec<Slice>, PartitionError> {
    let grown = slices_of_blocks(network, limits, BLOCK, grow)?;
    let populations: Vec<(usize, u32)> = on_chip(network).map(|(index, _, n)| (index, n)).collect();
    let cuts = |&(population, size): &(usize, u32)| {
        let own = |slice: &&Slice| slice.population == population;
        let grown: Vec<Slice> = grown.iter().filter(own).cloned().collect();
        if size > MOST_IN_ORDER || grown.len() < 2 {
            return Ok(Cuts { grown, in_order: None, prefers_order: false });
        }
        let in_order = sequential_fill::slices(network, limits, population)?;
        let cost = |slices: &[Slice]| (slices.len(), input_axons(network, limits, slices));
        let prefers_order = cost(&in_order) <= cost(&grown);
        Ok(Cuts { grown, in_order: Some(in_order), prefers_order })
    };
    let cuts: Result<Vec<Cuts>, PartitionError> = populations.par_iter().map(cuts).collect();
    let cuts = cuts?;
    let whole = |ordered: &[bool]| {
        let slices = cuts.iter().zip(ordered).flat_map(|(cuts, &ordered)| cuts.slices(ordered));
        finish(network, limits, config, slices.cloned().collect())
    };
    let first: Vec<bool> = cuts.iter().map(|cuts| cuts.prefers_order).collect();
    let uncut: usize = cuts.iter().zip(&first).map(|(cuts, &o)| cuts.slices(o).len()).sum();
    let mut best = (whole(&first), first);
    let take = |best: &mut (Result<Vec<Slice>, PartitionError>, Vec<bool>), other: Vec<bool>| {
        if other != best.1 {
            let made = whole(&other);
            if cost(&made) < cost(&best.0) {
                *best = (made, other);
            }
        }
    };
    let choices: Vec<bool> = cuts.iter().map(|cuts| cuts.in_order.is_some()).collect();
    take(&mut best, choices.clone());
    take(&mut best, vec![false; choices.len()]);
    let cut_further = best.0.as_ref().map_or(true, |slices| slices.len() > uncut);
    if cut_further && uncut <= MOST_IN_TURN {
        for population in (0..choices.len()).filter(|&population| choices[population]) {
            let mut other = best.1.clone();
            other[population] = !other[population];
            take(&mut best, other);
        }
    }
    best.0
}

/// Cores, then slices; more than any where the cut does not fit.
fn cost(made: &Result<Vec<Slice>, PartitionError>) -> (u64, usize) {
    match made {
        Ok(slices) => {
            let cores = slices.iter().map(|slice| u64::from(slice.core) + 1).max().unwrap_or(0);
            (cores, slices.len())
        }
        Err(PartitionError::Cores { needed, .. }) => ((1 << 40) + needed, 0),
        Err(_) => (u64::MAX, 0),
    }
}

fn input_axons(network: &QuantisedNetwork, limits: &CoreLimits, slices: &[Slice]) -> u64 {
    slices.iter().fold(0, |sum, slice| {
        let usage = inbound_usage(network, limits, slice.population, &slice.runs);
        sum.saturating_add(usage.input_axons)
    })
}
