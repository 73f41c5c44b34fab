//! What every core takes, counted one target neuron and one synapse at a time.

use std::collections::{BTreeMap, BTreeSet};

use super::Owners;
use crate::mapping::limits::{CoreLimits, Resource};
use crate::mapping::{Mapping, Slice, is_off_chip};
use crate::quantise::network::{Connection, DelaySteps, QuantisedNetwork, QuantisedProjection};

/// What the walk found.
pub(super) struct Counts {
    /// For each placed core: how much of each resource.
    pub cores: Vec<BTreeMap<Resource, u64>>,
    /// Axons between cores (source, target).
    pub axons_between: BTreeMap<(u32, u32), u64>,
    /// Neurons of each core that send to exactly these cores.
    pub senders: BTreeMap<(u32, BTreeSet<u32>), u64>,
}

impl Counts {
    fn add(&mut self, core: u32, resource: Resource, amount: u64) {
        if let Some(core) = self.cores.get_mut(core as usize) {
            let sum = core.entry(resource).or_default();
            *sum = sum.saturating_add(amount);
        }
    }
}

pub(super) fn count(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
    mapping: &Mapping,
    owners: &Owners,
) -> Counts {
    let mut counts = Counts {
        cores: vec![BTreeMap::new(); mapping.cores.len()],
        axons_between: BTreeMap::new(),
        senders: BTreeMap::new(),
    };
    // for each population and source neuron: the cores that it reaches
    let mut reached: Vec<Vec<Vec<u32>>> =
        owners.iter().map(|neurons| vec![Vec::new(); neurons.len()]).collect();
    for slice in &mapping.slices {
        counts.add(slice.core, Resource::Neurons, slice.neurons().count() as u64);
        counts.add(slice.core, Resource::NeuronGroups, 1);
        if network.projections.iter().any(|p| p.source == slice.population) {
            counts.add(slice.core, Resource::AxonMapEntries, slice.neurons().count() as u64);
        }
        for projection in network.projections.iter().filter(|p| p.target == slice.population) {
            let lists = synapses_of_sources(network, projection, slice);
            let bits = memory_bits(limits, projection, slice, &lists);
            counts.add(slice.core, Resource::SynapseMemory, bits);
            let from_host = network.populations.get(projection.source).is_none_or(is_off_chip);
            for (source, _) in lists.iter().enumerate().filter(|(_, synapses)| **synapses > 0) {
                counts.add(slice.core, Resource::InputAxons, 1);
                if let Some(cores) = reached[projection.source].get_mut(source)
                    && !from_host
                    && cores.last() != Some(&slice.core)
                {
                    cores.push(slice.core);
                }
                let holders = if from_host { None } else { owners[projection.source].get(source) };
                for holder in holders.into_iter().flatten() {
                    let Some(holder) = mapping.slices.get(*holder as usize) else { continue };
                    counts.add(holder.core, Resource::OutputAxons, 1);
                    *counts.axons_between.entry((holder.core, slice.core)).or_default() += 1;
                }
            }
        }
    }
    for (neurons, holders) in reached.into_iter().zip(owners) {
        for (cores, holders) in neurons.into_iter().zip(holders) {
            let cores: BTreeSet<u32> = cores.into_iter().collect();
            let first = holders.first().and_then(|holder| mapping.slices.get(*holder as usize));
            if let (Some(slice), false) = (first, cores.is_empty()) {
                *counts.senders.entry((slice.core, cores)).or_default() += 1;
            }
        }
    }
    counts
}

/// For each source neuron: how many synapses it has into the slice.
fn synapses_of_sources(
    network: &QuantisedNetwork,
    projection: &QuantisedProjection,
    slice: &Slice,
) -> Vec<u64> {
    let size = |population: usize| {
        network.populations.get(population).map_or(0, |population| population.shape.size())
    };
    let target_size = size(projection.target);
    let mut synapses = vec![0u64; size(projection.source) as usize];
    match &projection.connection {
        Connection::Dense { .. } => {
            synapses.fill(existing(slice, target_size).count() as u64);
        }
        Connection::Sparse { targets, sources, .. } => {
            // the structure check made sure that targets ascend
            for neuron in existing(slice, target_size) {
                let start = targets.partition_point(|target| *target < neuron);
                let own = targets.iter().zip(sources).skip(start);
                for (_, source) in own.take_while(|(target, _)| **target == neuron) {
                    synapses[*source as usize] += 1;
                }
            }
        }
        Connection::Convolution { geometry, .. } => {
            let [_, height, width] = geometry.source.map(i64::from);
            let [_, rows, columns] = geometry.target.map(i64::from);
            let in_per_group = i64::from(geometry.source[0] / geometry.groups);
            let out_per_group = i64::from(geometry.target[0] / geometry.groups);
            for target in existing(slice, target_size).map(i64::from) {
                let (out, y, x) =
                    (target / (rows * columns), target / columns % rows, target % columns);
                for ky in 0..i64::from(geometry.kernel[0]) {
                    for kx in 0..i64::from(geometry.kernel[1]) {
                        let row = y * i64::from(geometry.stride[0])
                            + ky * i64::from(geometry.dilation[0])
                            - i64::from(geometry.padding[0]);
                        let column = x * i64::from(geometry.stride[1])
                            + kx * i64::from(geometry.dilation[1])
                            - i64::from(geometry.padding[1]);
                        if row < 0 || row >= height || column < 0 || column >= width {
                            continue;
                        }
                        for channel in 0..in_per_group {
                            let channel = out / out_per_group * in_per_group + channel;
                            synapses[((channel * height + row) * width + column) as usize] += 1;
                        }
                    }
                }
            }
        }
    }
    synapses
}

/// The slice's neurons without those that a population of `size` neurons does not have.
fn existing(slice: &Slice, size: u64) -> impl Iterator<Item = u32> + '_ {
    // A run may state any length; only as much of it as exists is walked.
    let clip = move |end: u32| u64::from(end).min(size) as u32;
    slice.runs.iter().flat_map(move |run| clip(run.range().start)..clip(run.range().end))
}

/// Synapse memory that a projection takes in a slice, list by list.
fn memory_bits(
    limits: &CoreLimits,
    projection: &QuantisedProjection,
    slice: &Slice,
    synapses_of_sources: &[u64],
) -> u64 {
    let model = &limits.synapse_memory;
    let delayed = match &projection.delay {
        DelaySteps::One(steps) => *steps != 0,
        DelaySteps::PerSynapse(steps) => steps.iter().any(|steps| *steps != 0),
    };
    let mut synapse_bits = u64::from(model.tag_bits);
    if delayed {
        synapse_bits += u64::from(model.delay_bits);
    }
    match &projection.connection {
        Connection::Dense { weight_bits, .. } => synapse_bits += u64::from(*weight_bits),
        Connection::Sparse { weight_bits, .. } => {
            synapse_bits += u64::from(*weight_bits);
            if model.sparse_stores_index {
                synapse_bits += index_bits(limits, slice.length());
            }
        }
        Connection::Convolution { geometry, .. } => {
            synapse_bits += u64::from(model.convolution_weight_bits);
            let Some(word) = model.kernel_word_bits.map(u64::from) else {
                synapse_bits += index_bits(limits, slice.length());
                return sum_of_lists(limits, synapses_of_sources, synapse_bits);
            };
            if synapses_of_sources.is_empty() {
                return 0;
            } else {
                // one list for each kernel element and source channel of a group, with one weight
                // for each of the slice's channels of that group
                let pixels = u64::from(geometry.target[1]) * u64::from(geometry.target[2]);
                let all = pixels * u64::from(geometry.target[0]);
                let channel = |neuron: u32| u64::from(neuron) / pixels;
                let channels: BTreeSet<u64> = existing(slice, all).map(channel).collect();
                let per_group = u64::from(geometry.target[0] / geometry.groups);
                let mut weights_of_group: BTreeMap<u64, u64> = BTreeMap::new();
                for channel in channels {
                    *weights_of_group.entry(channel / per_group).or_default() += 1;
                }
                let lists = u64::from(geometry.source[0] / geometry.groups)
                    * u64::from(geometry.kernel[0])
                    * u64::from(geometry.kernel[1]);
                let bits = |weights: &u64| word + (weights * synapse_bits).div_ceil(word) * word;
                return lists * weights_of_group.values().map(bits).sum::<u64>();
            }
        }
    }
    sum_of_lists(limits, synapses_of_sources, synapse_bits)
}

fn sum_of_lists(limits: &CoreLimits, synapses_of_sources: &[u64], synapse_bits: u64) -> u64 {
    synapses_of_sources.iter().map(|synapses| list_bits(limits, *synapses, synapse_bits)).sum()
}

/// Block after block, as the chip would write them.
fn list_bits(limits: &CoreLimits, synapses: u64, synapse_bits: u64) -> u64 {
    let model = &limits.synapse_memory;
    let longest = u64::from(model.synapses_per_block.unwrap_or(u32::MAX)).max(1);
    let (mut left, mut bits) = (synapses, 0u64);
    while left > 0 {
        let in_block = left.min(longest);
        bits += in_block * synapse_bits + u64::from(model.header_bits);
        let past = bits % u64::from(model.round_to_bits.max(1));
        if past > 0 {
            bits += u64::from(model.round_to_bits) - past;
        }
        left -= in_block;
    }
    bits
}

/// The narrowest permitted index that tells `neurons` targets apart.
fn index_bits(limits: &CoreLimits, neurons: u32) -> u64 {
    let tells_apart = |bits: u32| 2u64.saturating_pow(bits) >= u64::from(neurons);
    let needed = (0..=32).find(|bits| tells_apart(*bits)).unwrap_or(32);
    let permitted = limits.synapse_memory.index_bits.iter().copied();
    let widest = permitted.clone().last().unwrap_or(0).max(needed);
    u64::from(permitted.into_iter().find(|bits| tells_apart(*bits)).unwrap_or(widest))
}
