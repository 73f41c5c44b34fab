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

mod build;
mod contradictions;

use serde::{Deserialize, Serialize};

use crate::mapping::Casting;
use crate::mapping::usage::Usage;

pub use build::core_map;
pub use contradictions::contradictions;

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

/// The core map as indented JSON with a newline at the end.
///
/// # Errors
/// What `serde_json` reports; the types here have no value that it refuses.
pub fn to_json(map: &CoreMap) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(map).map(|text| text + "\n")
}
