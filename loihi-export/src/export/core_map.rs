//! `core_map.json`: which neuron, axon and synapse list lies on which core.
//!
//! Lava's compiler for Loihi writes no public file that states a mapping; this is Spikeloom's own
//! documented format. It uses the terms of Lava's logical addresses: logical chip and core ids
//! (logical core `i` is core `i % N` of chip `i / N`, with the chip's N), neuron groups, and ranges
//! of `logical_idx_addr`, `length` and `stride`. It says what Spikeloom placed where, within the
//! published limits; the vendor's compiler makes the final placement, and nothing here claims that
//! it loads this file.
//!
//! Weights are not repeated: a `syn_entries` record names the projection and the neuron group for
//! whose neurons the core stores that projection's weights. All memory figures are
//! modelled. The schema is `docs/core_map.schema.json`.

use serde::{Deserialize, Serialize};

use crate::check::CheckedMapping;
use crate::mapping::limits::CoreLimits;
use crate::mapping::usage::{Bundle, Usage, for_each_bundle, usage_of_cores};
use crate::mapping::{Casting, Route, Slice};
use crate::quantise::network::{Connection, DelaySteps, QuantisedNetwork};

/// Value of the field `format`.
pub const FORMAT: &str = "spikeloom.core_map";
/// Value of the field `version`; a change that a reader can trip over raises it.
pub const VERSION: u32 = 2;

/// A whole core map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoreMap {
    /// Always [`FORMAT`].
    pub format: String,
    /// Always [`VERSION`].
    pub version: u32,
    /// Name of the network.
    pub network: String,
    /// The chip that the map is for.
    pub chip: ChipOfMap,
    /// Always `modelled`: no figure is measured.
    pub basis: String,
    /// Where the rule for synapse memory comes from.
    pub synapse_memory_basis: String,
    /// Whether a spike travels once an axon or once over a tree of routes.
    pub casting: Casting,
    /// Used cores by logical core.
    pub cores: Vec<CoreOfMap>,
    /// Routes between cores.
    pub routes: Vec<RouteOfMap>,
}

/// The chip's numbers that a reader needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChipOfMap {
    /// Name of the chip.
    pub name: String,
    /// Logical cores of a chip (N above).
    pub cores_per_chip: u32,
    /// Mesh of routers `[columns, rows]`.
    pub mesh: [u32; 2],
    /// Cores that hang on one router.
    pub cores_per_router: u32,
}

/// Address of a core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoreAddress {
    /// Chip.
    pub logical_chip_id: u32,
    /// Core on that chip.
    pub logical_core_id: u32,
}

/// One core and what it holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoreOfMap {
    /// Address of the core.
    pub address: CoreAddress,
    /// Column of its router on the chip's mesh.
    pub router_x: u32,
    /// Row of its router on the chip's mesh.
    pub router_y: u32,
    /// Core at that router.
    pub router_core: u32,
    /// What the core takes (modelled).
    pub usage: Usage,
    /// Neurons on the core.
    pub neuron_groups: Vec<NeuronGroup>,
    /// Synapse lists on the core.
    pub syn_entries: Vec<SynapseEntry>,
    /// Axons that arrive.
    pub in_axons: Vec<InAxons>,
    /// Axons that leave.
    pub out_axons: Vec<OutAxons>,
}

/// Neurons of one population on the core.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeuronGroup {
    /// Number of the group on its core.
    pub neuron_group_id: u32,
    /// Name of the population.
    pub population: String,
    /// Registry name of the neurons' process.
    pub process: String,
    /// Neurons.
    pub length: u32,
    /// Which neurons, in the order of their places on the core.
    pub ranges: Vec<AddressRange>,
}

/// Evenly spaced neurons of a population in successive places of a core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressRange {
    /// First neuron of the population.
    pub first: u32,
    /// Place of that neuron among the core's neurons.
    pub logical_idx_addr: u64,
    /// Neurons.
    pub length: u32,
    /// Distance of successive neurons in the population.
    pub stride: u32,
}

/// The synapse lists of one projection for one neuron group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SynapseEntry {
    /// Number of the entry on its core.
    pub syn_entry_id: u32,
    /// Name of the projection whose weights are stored.
    pub projection: String,
    /// `dense`, `convolution` (shared kernel) or `sparse`.
    pub kind: String,
    /// Neuron group that the lists target.
    pub neuron_group_id: u32,
    /// Target neurons: those of the group.
    pub length: u32,
    /// Bits of a stored weight.
    pub weight_bits: u32,
    /// Largest additional delay in steps.
    pub delay_max: u8,
    /// Memory that the lists take (modelled) (bits).
    pub memory_bits: u64,
}

/// Axons of one projection that arrive from one place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InAxons {
    /// Entry whose lists the axons read.
    pub syn_entry_id: u32,
    /// Where they come from.
    pub source: AxonSource,
    /// Axons.
    pub length: u64,
}

/// Where axons come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum AxonSource {
    /// Spikes that the host injects.
    Host {
        /// Name of the input population.
        population: String,
    },
    /// A neuron group of a core.
    Core {
        /// Chip.
        logical_chip_id: u32,
        /// Core on that chip.
        logical_core_id: u32,
        /// Group on that core.
        neuron_group_id: u32,
    },
}

/// Axons of one projection that leave for one core's entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutAxons {
    /// Group whose neurons send.
    pub neuron_group_id: u32,
    /// Core that receives.
    pub target: CoreAddress,
    /// Entry on that core.
    pub syn_entry_id: u32,
    /// Axons.
    pub length: u64,
}

/// The way from one core to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteOfMap {
    /// Core that sends.
    pub source: CoreAddress,
    /// Core that receives.
    pub target: CoreAddress,
    /// Packets when every source neuron spikes once.
    pub axons: u64,
    /// Routers passed, each `[chip, x, y]`.
    pub path: Vec<[u32; 3]>,
}

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

/// The core map as indented JSON with a newline at the end.
///
/// # Errors
/// What `serde_json` reports; the types here have no value that it refuses.
pub fn to_json(map: &CoreMap) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(map).map(|text| text + "\n")
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
