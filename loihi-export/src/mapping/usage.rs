//! What slices take of a core's resources, and how many axons run between them.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::is_off_chip;
use super::limits::{CoreLimits, Resource};
use super::reach::Reach;
use super::slice::{NO_SLICE, Run, Slice, owners};
use crate::quantise::network::QuantisedNetwork;

/// Amounts of every [`Resource`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Neurons.
    pub neurons: u64,
    /// Neuron groups (slices).
    pub neuron_groups: u64,
    /// Input axons.
    pub input_axons: u64,
    /// Output axons.
    pub output_axons: u64,
    /// Axon map entries.
    pub axon_map_entries: u64,
    /// Synapse memory (bits).
    pub synapse_memory: u64,
}

impl Usage {
    /// The amount of one resource.
    pub fn amount(&self, resource: Resource) -> u64 {
        match resource {
            Resource::Neurons => self.neurons,
            Resource::NeuronGroups => self.neuron_groups,
            Resource::InputAxons => self.input_axons,
            Resource::OutputAxons => self.output_axons,
            Resource::AxonMapEntries => self.axon_map_entries,
            Resource::SynapseMemory => self.synapse_memory,
        }
    }

    /// Both together; saturates.
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            neurons: self.neurons.saturating_add(other.neurons),
            neuron_groups: self.neuron_groups.saturating_add(other.neuron_groups),
            input_axons: self.input_axons.saturating_add(other.input_axons),
            output_axons: self.output_axons.saturating_add(other.output_axons),
            axon_map_entries: self.axon_map_entries.saturating_add(other.axon_map_entries),
            synapse_memory: self.synapse_memory.saturating_add(other.synapse_memory),
        }
    }

    /// The first resource of which a core has less than this.
    pub fn exceeds(&self, limits: &CoreLimits) -> Option<Resource> {
        Resource::ALL.into_iter().find(|&resource| {
            limits.limit(resource).is_some_and(|limit| self.amount(resource) > limit)
        })
    }
}

/// The axons of one projection from one slice (or the host) to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bundle {
    /// Index of the projection.
    pub projection: usize,
    /// Index of the source slice; `None` for an input that lives off chip.
    pub source: Option<usize>,
    /// Index of the target slice.
    pub target: usize,
    /// Axons.
    pub axons: u64,
    /// Synapse memory of the whole projection in the target slice (bits), stated with the
    /// projection's first bundle into the slice and 0 with the others.
    pub memory_bits: u64,
    /// Synapses of the whole projection in the target slice, stated in the same way.
    pub synapses: u64,
}

/// What one target slice takes: two sums, and axons by source slice.
type Counted = ([u64; 2], Vec<(usize, u64)>);

/// Visits the axons between slices, ordered by (projection, target, source); pairs without axons
/// are left out, but a projection's first bundle into a slice always comes.
///
/// The network must have passed `check_structure`; slices of neurons that do not exist have no
/// axons. Targets are counted in parallel and visited in order.
pub fn for_each_bundle(
    network: &QuantisedNetwork,
    slices: &[Slice],
    limits: &CoreLimits,
    mut visit: impl FnMut(Bundle),
) {
    let of_population = slices_of_population(network, slices);
    for (index, projection) in network.projections.iter().enumerate() {
        let Some(source) = network.populations.get(projection.source) else { continue };
        let size = u32::try_from(source.shape.size()).unwrap_or(u32::MAX);
        let (Some(sources), Some(targets)) =
            (of_population.get(projection.source), of_population.get(projection.target))
        else {
            continue;
        };
        let off_chip = is_off_chip(source);
        // where the slice that holds a source neuron stands in `sources`
        let mut holders =
            if off_chip { Vec::new() } else { owners(projection.source, size, slices) };
        for holder in holders.iter_mut().filter(|holder| **holder != NO_SLICE) {
            let at = sources.binary_search(&(*holder as usize));
            *holder = at.map_or(NO_SLICE, |at| at as u32);
        }
        for some in targets.chunks(TARGETS_AT_ONCE) {
            let counted: Vec<Counted> = some
                .par_iter()
                .map(|&target| {
                    let runs = &slices[target].runs;
                    let reach = Reach::new(projection, size, runs, &limits.synapse_memory);
                    let axons = match off_chip {
                        true => vec![(0, reach.total(size))],
                        false => axons_by_source(&reach, size, sources, slices, &holders),
                    };
                    ([reach.memory_bits, reach.synapses], axons)
                })
                .collect();
            for (&target, (mut whole, axons)) in some.iter().zip(counted) {
                for (source, axons) in axons {
                    let source = (!off_chip).then_some(source);
                    let [memory_bits, synapses] = std::mem::take(&mut whole);
                    let projection = index;
                    visit(Bundle { projection, source, target, axons, memory_bits, synapses });
                }
            }
        }
    }
}

/// Target slices that are counted before they are visited; bounds what is kept meanwhile.
const TARGETS_AT_ONCE: usize = 256;

/// The axons from each source slice that has some; the first slice with 0 where none has.
fn axons_by_source(
    reach: &Reach,
    size: u32,
    sources: &[usize],
    slices: &[Slice],
    holders: &[u32],
) -> Vec<(usize, u64)> {
    let mut count: Vec<(usize, u64)> = sources.iter().map(|&source| (source, 0)).collect();
    if reach.is_all() {
        for (source, axons) in &mut count {
            *axons = slices[*source].length().into();
        }
    } else {
        reach.for_each_source(size, |neuron| {
            let holder = holders.get(neuron as usize).copied().unwrap_or(NO_SLICE);
            if let Some((_, axons)) = count.get_mut(holder as usize) {
                *axons += 1;
            }
        });
    }
    let first = count.first().copied();
    count.retain(|(_, axons)| *axons > 0);
    if count.is_empty() { first.into_iter().collect() } else { count }
}

/// What each slice takes.
pub fn usage_of_slices(
    network: &QuantisedNetwork,
    slices: &[Slice],
    limits: &CoreLimits,
) -> Vec<Usage> {
    let mut usage: Vec<Usage> = slices
        .iter()
        .map(|slice| Usage {
            neurons: slice.length().into(),
            neuron_groups: 1,
            axon_map_entries: if sends(network, slice.population) {
                slice.length().into()
            } else {
                0
            },
            ..Usage::default()
        })
        .collect();
    for_each_bundle(network, slices, limits, |bundle| {
        let target = &mut usage[bundle.target];
        target.input_axons = target.input_axons.saturating_add(bundle.axons);
        target.synapse_memory = target.synapse_memory.saturating_add(bundle.memory_bits);
        if let Some(source) = bundle.source {
            let source = &mut usage[source];
            source.output_axons = source.output_axons.saturating_add(bundle.axons);
        }
    });
    usage
}

/// What each of `cores` logical cores takes.
pub fn usage_of_cores(
    network: &QuantisedNetwork,
    slices: &[Slice],
    cores: usize,
    limits: &CoreLimits,
) -> Vec<Usage> {
    let mut usage = vec![Usage::default(); cores];
    for (slice, taken) in slices.iter().zip(usage_of_slices(network, slices, limits)) {
        if let Some(core) = usage.get_mut(slice.core as usize) {
            *core = core.plus(&taken);
        }
    }
    usage
}

/// What neurons of a population, as ascending runs, take on the receiving side: everything but
/// output axons, which depend on how the targets are cut.
pub fn inbound_usage(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
    population: usize,
    runs: &[Run],
) -> Usage {
    let neurons = runs.iter().fold(0u64, |sum, run| sum + u64::from(run.length));
    let axon_map_entries = if sends(network, population) { neurons } else { 0 };
    let mut usage = Usage { neurons, neuron_groups: 1, axon_map_entries, ..Usage::default() };
    for projection in network.projections.iter().filter(|p| p.target == population) {
        let Some(source) = network.populations.get(projection.source) else { continue };
        let size = u32::try_from(source.shape.size()).unwrap_or(u32::MAX);
        let reach = Reach::new(projection, size, runs, &limits.synapse_memory);
        usage.input_axons = usage.input_axons.saturating_add(reach.total(size));
        usage.synapse_memory = usage.synapse_memory.saturating_add(reach.memory_bits);
    }
    usage
}

/// Whether a population's spikes go anywhere.
pub(crate) fn sends(network: &QuantisedNetwork, population: usize) -> bool {
    network.projections.iter().any(|projection| projection.source == population)
}

fn slices_of_population(network: &QuantisedNetwork, slices: &[Slice]) -> Vec<Vec<usize>> {
    let mut of_population = vec![Vec::new(); network.populations.len()];
    for (index, slice) in slices.iter().enumerate() {
        if let Some(list) = of_population.get_mut(slice.population) {
            list.push(index);
        }
    }
    of_population
}
