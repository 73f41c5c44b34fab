//! The mapping: pieces, cores and routes as plain data.
//!
//! ```text
//! QuantisedNetwork ─ partition ─► Partition ─ place ─► Placement ─ route ─► Routes ─► Mapping ─ check ─► CheckedMapping
//! ```
//!
//! The data here carries no counters: what a core uses is computed by [`usage`] for the stages and
//! a second time, by other means, by [`crate::check`].
//!
//! Words used throughout:
//! * A *slice* is the neurons of one population on one core, as runs; on a chip it becomes one
//!   neuron group.
//! * An *axon* is a (projection, source neuron, target slice) triple with at least one synapse. It
//!   takes one input axon of the core that holds the target slice and one output axon of the core
//!   that holds the source neuron, as nengo-loihi counts them. Sources that live off chip (`input`)
//!   take input axons only.
//! * A *synapse list* is what the target core stores for an axon.

pub mod destinations;
pub mod from_chip;
pub mod limits;
pub mod reach;
pub mod slice;
pub mod structure;
pub mod usage;

pub use from_chip::{MissingFigure, limit_source};
pub use limits::{CoreLimits, Resource, SynapseMemoryModel};
pub use slice::{Run, Slice};
pub use structure::StructureError;
pub use usage::Usage;

use serde::{Deserialize, Serialize};

use crate::partition::{self, PartitionConfig, PartitionError};
use crate::place::{self, PlaceConfig, PlaceError};
use crate::quantise::network::{QuantisedNetwork, QuantisedPopulation};
use crate::route::{self, RouteConfig, RouteError};

/// Registry name of populations that live off chip and need no core.
pub const INPUT_PROCESS: &str = "input";

/// Whether a population lives on the host: it takes no neurons of a core.
pub fn is_off_chip(population: &QuantisedPopulation) -> bool {
    population.process == INPUT_PROCESS
}

/// Where a logical core lies: chip, router of the chip's mesh, core at that router.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CorePosition {
    /// Router that the core hangs on.
    pub router: RouterPosition,
    /// Core at this router, from 0.
    pub core: u32,
}

/// A router of the mesh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RouterPosition {
    /// Chip, from 0. Chips lie side by side in the x direction (a modelling choice).
    pub chip: u32,
    /// Column on the chip.
    pub x: u32,
    /// Row on the chip.
    pub y: u32,
}

/// The way of all spikes from one core to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Logical core that sends.
    pub source_core: u32,
    /// Logical core that receives.
    pub target_core: u32,
    /// Axons that take this route: the packets sent when every source neuron spikes once.
    pub axons: u64,
    /// Routers passed, the sender's first and the receiver's last; one where both are the same.
    pub path: Vec<RouterPosition>,
}

impl Route {
    /// Links passed.
    pub fn hops(&self) -> usize {
        self.path.len().saturating_sub(1)
    }
}

/// The load of one directed link between neighbouring routers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkLoad {
    /// Router that sends.
    pub from: RouterPosition,
    /// Router that receives.
    pub to: RouterPosition,
    /// Packets over the link when every source neuron spikes once.
    pub axons: u64,
}

/// Everything that says which neuron runs where and how its spikes travel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// Name of the network.
    pub network: String,
    /// Name of the chip whose limits the mapping was made for.
    pub chip: String,
    /// Pieces of all populations, in the order of populations and neurons.
    pub slices: Vec<Slice>,
    /// Position of each logical core.
    pub cores: Vec<CorePosition>,
    /// Routes between cores, ordered by (source, target).
    pub routes: Vec<Route>,
    /// Loaded links, ordered by (from, to).
    pub links: Vec<LinkLoad>,
    /// Whether a spike travels once for each target core or once over a tree.
    #[serde(default)]
    pub casting: Casting,
}

/// How a spike that goes to several cores travels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Casting {
    /// A packet for each axon.
    #[default]
    Unicast,
    /// One packet a source neuron, copied where its ways part: a link carries it once.
    Multicast,
}

/// The algorithms to map with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MapConfig {
    /// How populations are cut.
    pub partition: PartitionConfig,
    /// How cores are placed.
    pub place: PlaceConfig,
    /// How spikes travel.
    pub route: RouteConfig,
}

/// Why a network could not be mapped.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MapError {
    /// Cutting failed.
    #[error(transparent)]
    Partition(#[from] PartitionError),
    /// Placing failed.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// Routing failed.
    #[error(transparent)]
    Route(#[from] RouteError),
}

/// Runs partition, placement and routing; the result still has to pass [`crate::check::check`].
///
/// # Errors
/// The first stage's [`MapError`].
pub fn map(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
    config: &MapConfig,
) -> Result<Mapping, MapError> {
    let partition = partition::partition(network, limits, &config.partition)?;
    let (partition, placement) = place::place(network, partition, limits, &config.place)?;
    let routes = route::route(network, &partition, &placement, limits, &config.route)?;
    Ok(Mapping {
        network: network.name.clone(),
        chip: limits.chip.clone(),
        slices: partition.slices,
        cores: placement.cores,
        routes: routes.routes,
        links: routes.links,
        casting: routes.casting,
    })
}
