//! From a checked mapping to its core map.

use super::{
    AddressRange, AxonSource, ChipOfMap, CoreAddress, CoreMap, CoreOfMap, FORMAT, InAxons,
    NeuronGroup, OutAxons, RouteOfMap, SynapseEntry, VERSION,
};
use crate::check::CheckedMapping;
use crate::mapping::limits::CoreLimits;
use crate::mapping::usage::{Bundle, for_each_bundle, usage_of_cores};
use crate::mapping::{Route, Slice};
use crate::quantise::network::{Connection, DelaySteps, QuantisedNetwork};

/// Builds the core map of a checked mapping.
pub fn core_map(checked: &CheckedMapping<'_>) -> CoreMap {
    let (network, limits, mapping) = (checked.network(), checked.limits(), checked.mapping());
    let usage = usage_of_cores(network, &mapping.slices, mapping.cores.len(), limits);
    let mut cores: Vec<CoreOfMap> = (0u32..)
        .zip(mapping.cores.iter().zip(usage))
        .map(|(core, (position, usage))| CoreOfMap {
            address: address(core, limits),
            router_x: position.router.x,
            router_y: position.router.y,
            router_core: position.core,
            usage,
            neuron_groups: Vec::new(),
            syn_entries: Vec::new(),
            in_axons: Vec::new(),
            out_axons: Vec::new(),
        })
        .collect();
    let groups = add_neuron_groups(network, &mapping.slices, &mut cores);
    add_axons(network, limits, &mapping.slices, &groups, &mut cores);
    CoreMap {
        format: FORMAT.to_owned(),
        version: VERSION,
        network: network.name.clone(),
        chip: ChipOfMap {
            name: limits.chip.clone(),
            cores_per_chip: limits.cores,
            mesh: [limits.mesh_columns, limits.mesh_rows],
            cores_per_router: limits.cores_per_router,
        },
        basis: "modelled".to_owned(),
        synapse_memory_basis: limits.synapse_memory.basis.clone(),
        casting: mapping.casting,
        cores,
        routes: mapping.routes.iter().map(|route| route_of_map(route, limits)).collect(),
    }
}

fn address(core: u32, limits: &CoreLimits) -> CoreAddress {
    let per_chip = limits.cores.max(1);
    CoreAddress { logical_chip_id: core / per_chip, logical_core_id: core % per_chip }
}

/// Adds the groups to their cores; returns the group number of each slice.
fn add_neuron_groups(
    network: &QuantisedNetwork,
    slices: &[Slice],
    cores: &mut [CoreOfMap],
) -> Vec<u32> {
    let mut groups = Vec::with_capacity(slices.len());
    for slice in slices {
        let (Some(core), Some(population)) =
            (cores.get_mut(slice.core as usize), network.populations.get(slice.population))
        else {
            groups.push(0);
            continue;
        };
        let neuron_group_id = core.neuron_groups.len() as u32;
        groups.push(neuron_group_id);
        core.neuron_groups.push(NeuronGroup {
            neuron_group_id,
            population: population.name.clone(),
            process: population.process.clone(),
            length: slice.length(),
            ranges: address_ranges(
                slice,
                core.neuron_groups.iter().map(|g| u64::from(g.length)).sum(),
            ),
        });
    }
    groups
}

/// The neurons of a slice as few ranges: runs, or single neurons that are evenly spaced.
fn address_ranges(slice: &Slice, mut place: u64) -> Vec<AddressRange> {
    let mut ranges: Vec<AddressRange> = Vec::new();
    for run in &slice.runs {
        let last = ranges.last_mut().filter(|_| run.length == 1);
        match last {
            Some(last) if last.length == 1 => {
                (last.stride, last.length) = (run.first - last.first, 2);
            }
            Some(last)
                if last.stride > 1
                    && u64::from(last.first) + u64::from(last.length) * u64::from(last.stride)
                        == u64::from(run.first) =>
            {
                last.length += 1;
            }
            _ => ranges.push(AddressRange {
                first: run.first,
                logical_idx_addr: place,
                length: run.length,
                stride: 1,
            }),
        }
        place += u64::from(run.length);
    }
    ranges
}

fn add_axons(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
    slices: &[Slice],
    groups: &[u32],
    cores: &mut [CoreOfMap],
) {
    // bundles come ordered by (projection, target): one entry serves all of a target's bundles
    let mut open: Option<(usize, usize, u32)> = None;
    for_each_bundle(network, slices, limits, |bundle| {
        let target = &slices[bundle.target];
        let Some(core) = cores.get_mut(target.core as usize) else { return };
        let syn_entry_id = match open {
            Some((projection, slice, id))
                if (projection, slice) == (bundle.projection, bundle.target) =>
            {
                id
            }
            _ => {
                let id = core.syn_entries.len() as u32;
                let group = groups[bundle.target];
                core.syn_entries.push(entry(network, limits, &bundle, target, group, id));
                id
            }
        };
        open = Some((bundle.projection, bundle.target, syn_entry_id));
        if bundle.axons == 0 {
            return;
        }
        let source = match bundle.source {
            None => AxonSource::Host {
                population: network.populations[network.projections[bundle.projection].source]
                    .name
                    .clone(),
            },
            Some(source) => {
                let CoreAddress { logical_chip_id, logical_core_id } =
                    address(slices[source].core, limits);
                let neuron_group_id = groups[source];
                AxonSource::Core { logical_chip_id, logical_core_id, neuron_group_id }
            }
        };
        core.in_axons.push(InAxons { syn_entry_id, source, length: bundle.axons });
        let Some(source) = bundle.source else { return };
        if let Some(sender) = cores.get_mut(slices[source].core as usize) {
            sender.out_axons.push(OutAxons {
                neuron_group_id: groups[source],
                target: address(target.core, limits),
                syn_entry_id,
                length: bundle.axons,
            });
        }
    });
}

fn entry(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
    bundle: &Bundle,
    target: &Slice,
    neuron_group_id: u32,
    syn_entry_id: u32,
) -> SynapseEntry {
    let projection = &network.projections[bundle.projection];
    let (kind, weight_bits) = match &projection.connection {
        Connection::Dense { weight_bits, .. } => ("dense", u32::from(*weight_bits)),
        Connection::Sparse { weight_bits, .. } => ("sparse", u32::from(*weight_bits)),
        Connection::Convolution { .. } => {
            ("convolution", limits.synapse_memory.convolution_weight_bits)
        }
    };
    SynapseEntry {
        syn_entry_id,
        projection: projection.name.clone(),
        kind: kind.to_owned(),
        neuron_group_id,
        length: target.length(),
        weight_bits,
        delay_max: match &projection.delay {
            DelaySteps::One(steps) => *steps,
            DelaySteps::PerSynapse(steps) => steps.iter().copied().max().unwrap_or(0),
        },
        memory_bits: bundle.memory_bits,
    }
}

fn route_of_map(route: &Route, limits: &CoreLimits) -> RouteOfMap {
    RouteOfMap {
        source: address(route.source_core, limits),
        target: address(route.target_core, limits),
        axons: route.axons,
        path: route.path.iter().map(|router| [router.chip, router.x, router.y]).collect(),
    }
}
