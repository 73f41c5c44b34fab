//! Cores that a network takes at the very least, counted before anything is cut.
//!
//! However neurons are cut, all of them need a place, every source a list of synapses and an axon
//! into at least as many cores as hold its targets. Sums of these over the whole network, divided by
//! what a core has, are a lower bound; it takes one look at each listed synapse, and none at others.
//! What neurons far apart do not share is not in it: cuts may need many times more.

use super::cut::on_chip;
use super::greedy_overlap::grow_some;
use super::inbound::{Atoms, Inbound};
use crate::mapping::is_off_chip;
use crate::mapping::limits::{CoreLimits, Resource};
use crate::mapping::reach::{Reach, bits_per_synapse};
use crate::mapping::usage::{Usage, sends};
use crate::quantise::network::{
    Connection, QuantisedNetwork, QuantisedPopulation, QuantisedProjection,
};

/// What the neurons and what arrives at them take of all cores together, for each population.
pub(super) fn least_usage(network: &QuantisedNetwork, limits: &CoreLimits) -> Vec<Usage> {
    let mut usage = vec![Usage::default(); network.populations.len()];
    for (index, _, size) in on_chip(network) {
        usage[index].neurons = size.into();
        usage[index].axon_map_entries = if sends(network, index) { size.into() } else { 0 };
    }
    for projection in &network.projections {
        let (Some(source), Some(target)) = (
            network.populations.get(projection.source),
            network.populations.get(projection.target),
        ) else {
            continue;
        };
        let size = |shape: u64| u32::try_from(shape).unwrap_or(u32::MAX);
        let (from, to) = (size(source.shape.size()), size(target.shape.size()));
        let (axons, bits) = least_of_projection(projection, from, to, limits);
        let target = &mut usage[projection.target];
        target.input_axons = target.input_axons.saturating_add(axons);
        target.synapse_memory = target.synapse_memory.saturating_add(bits);
        if !is_off_chip(source) {
            let source = &mut usage[projection.source];
            source.output_axons = source.output_axons.saturating_add(axons);
        }
    }
    usage
}

/// Axons and bits of synapse memory of one projection.
fn least_of_projection(
    projection: &QuantisedProjection,
    from: u32,
    to: u32,
    limits: &CoreLimits,
) -> (u64, u64) {
    let model = &limits.synapse_memory;
    let per_core = limits.neurons_per_core.max(1);
    let cores = |targets: u32| u64::from(targets.div_ceil(per_core));
    let bits = bits_per_synapse(projection, model, 1);
    let block = model.synapses_per_block.unwrap_or(u32::MAX).max(1);
    // However a list is cut, its blocks have a header each and take whole units.
    let list = |synapses: u32| {
        let headers = u64::from(synapses.div_ceil(block)) * u64::from(model.header_bits);
        let unit = u64::from(model.round_to_bits.max(1));
        (u64::from(synapses) * u64::from(bits) + headers).next_multiple_of(unit)
    };
    match &projection.connection {
        Connection::Dense { .. } => {
            let from = u64::from(from);
            (from.saturating_mul(cores(to)), from.saturating_mul(list(to)))
        }
        Connection::Sparse { targets, sources, .. } => {
            // synapses, distinct targets and the last of them, for each source
            let mut each = vec![(0u32, 0u32, u32::MAX); from as usize];
            for (&target, &source) in targets.iter().zip(sources) {
                if let Some((synapses, distinct, last)) = each.get_mut(source as usize) {
                    *synapses = synapses.saturating_add(1);
                    *distinct += u32::from(*last != target);
                    *last = target;
                }
            }
            each.iter().fold((0u64, 0u64), |(axons, bits), &(synapses, distinct, _)| {
                (axons + cores(distinct), bits.saturating_add(list(synapses)))
            })
        }
        Connection::Convolution { geometry, .. } => {
            let reach = Reach::new(projection, from, &[(0..to).into()], model);
            let shared = model.kernel_word_bits.is_some() && geometry.groups > 0;
            let memory =
                if shared { reach.memory_bits } else { reach.synapses.saturating_mul(bits.into()) };
            (reach.total(from), memory)
        }
    }
}

/// The most cores that a resource asks for, where all populations' amounts are put together:
/// (cores, the resource).
pub(super) fn cores_for(usage: &[Usage], limits: &CoreLimits) -> (u64, Resource) {
    let whole = usage.iter().fold(Usage::default(), |sum, own| sum.plus(own));
    let cores = |resource: Resource| match limits.limit(resource) {
        Some(limit) => whole.amount(resource).div_ceil(limit.max(1)),
        None => 0,
    };
    let mut most = (cores(Resource::Neurons), Resource::Neurons);
    for resource in Resource::ALL {
        if cores(resource) > most.0 {
            most = (cores(resource), resource);
        }
    }
    most
}

/// The population that takes most of a resource; the first of several.
pub(super) fn largest_share(usage: &[Usage], resource: Resource) -> usize {
    (0..usage.len()).rev().max_by_key(|&index| usage[index].amount(resource)).unwrap_or(0)
}

/// Atoms in the middle of a population in which sample cores are grown, and how many of these.
const SAMPLE: u32 = 1 << 14;
const SAMPLE_CORES: usize = 8;

/// About how many cores the network needs by what its neurons receive: a few cores are grown in each
/// population, and the others taken to hold as many neurons. Nothing is known of the axons that
/// leave cores.
pub(super) fn about(network: &QuantisedNetwork, limits: &CoreLimits) -> u64 {
    let of_population = |(population, _, size): (usize, &QuantisedPopulation, u32)| {
        let atoms = Atoms::of(network, limits, population);
        let count = atoms.count();
        let first = count.saturating_sub(SAMPLE) / 2;
        let range = first..first.saturating_add(SAMPLE).min(count);
        let inbound = Inbound::new(network, limits, population, atoms, range);
        let grown = grow_some(&inbound, limits, SAMPLE_CORES).unwrap_or_default();
        let held: u64 = grown.iter().map(|core| u64::from(core.neurons)).sum();
        (u64::from(size) * grown.len() as u64).div_ceil(held.max(1))
    };
    on_chip(network).map(of_population).sum()
}
