//! Paths of spikes over the mesh.
//!
//! A router algorithm is a path between two routers; the stage counts the axons between each pair
//! of cores and sums the load of each link. The load is the number of packets when every source
//! neuron spikes once. Spikes from the host enter by the chip's input interface, whose place on
//! the mesh is not modelled: they have no route. To add one: one file and one line in [`ROUTERS`].

mod xy;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::mapping::limits::CoreLimits;
use crate::mapping::structure::{StructureError, check_structure};
use crate::mapping::usage::for_each_bundle;
use crate::mapping::{LinkLoad, Route, RouterPosition};
use crate::partition::Partition;
use crate::place::Placement;
use crate::quantise::network::QuantisedNetwork;

/// A way through the mesh.
pub struct Router {
    /// Registry name.
    pub name: &'static str,
    /// One sentence for lists.
    pub summary: &'static str,
    /// All routers from the first to the second, both included; columns of a chip's mesh.
    path: fn(RouterPosition, RouterPosition, u32) -> Vec<RouterPosition>,
}

/// All routing algorithms; the first is the default.
pub static ROUTERS: &[Router] = &[xy::XY];

/// What to route with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RouteConfig {
    /// Registry name of the algorithm.
    pub algorithm: String,
}

impl Default for RouteConfig {
    fn default() -> Self {
        Self { algorithm: ROUTERS[0].name.to_owned() }
    }
}

/// All routes and the load that they put on links.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routes {
    /// Routes between cores, ordered by (source, target).
    pub routes: Vec<Route>,
    /// Loaded links, ordered by (from, to).
    pub links: Vec<LinkLoad>,
}

/// Why spikes cannot be routed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// No algorithm has this name.
    #[error("unknown routing `{name}`; known: {}", known.join(", "))]
    Unknown {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<&'static str>,
    },
    /// The network is inconsistent.
    #[error(transparent)]
    Structure(#[from] StructureError),
    /// A slice's core has no position.
    #[error("core {core} holds a slice but has no place on the mesh; place all cores first")]
    Unplaced {
        /// The logical core.
        core: u32,
    },
}

/// Routes the spikes between all cores that have axons to each other.
///
/// # Errors
/// [`RouteError`]: an unknown algorithm, an inconsistent network or a core without a place.
pub fn route(
    network: &QuantisedNetwork,
    partition: &Partition,
    placement: &Placement,
    limits: &CoreLimits,
    config: &RouteConfig,
) -> Result<Routes, RouteError> {
    let algorithm =
        ROUTERS.iter().find(|r| r.name == config.algorithm).ok_or_else(|| RouteError::Unknown {
            name: config.algorithm.clone(),
            known: ROUTERS.iter().map(|r| r.name).collect(),
        })?;
    check_structure(network)?;
    let mut between: BTreeMap<(u32, u32), u64> = BTreeMap::new();
    for_each_bundle(network, &partition.slices, limits, |bundle| {
        if let (Some(source), true) = (bundle.source, bundle.axons > 0) {
            let ends = (partition.slices[source].core, partition.slices[bundle.target].core);
            let axons = between.entry(ends).or_default();
            *axons = axons.saturating_add(bundle.axons);
        }
    });
    let router = |core: u32| {
        let position = placement.cores.get(core as usize).ok_or(RouteError::Unplaced { core })?;
        Ok::<_, RouteError>(position.router)
    };
    let mut routes = Vec::with_capacity(between.len());
    let mut loads: BTreeMap<(RouterPosition, RouterPosition), u64> = BTreeMap::new();
    for ((source_core, target_core), axons) in between {
        let path =
            (algorithm.path)(router(source_core)?, router(target_core)?, limits.mesh_columns);
        for link in path.windows(2) {
            let load = loads.entry((link[0], link[1])).or_default();
            *load = load.saturating_add(axons);
        }
        routes.push(Route { source_core, target_core, axons, path });
    }
    let link = |((from, to), axons)| LinkLoad { from, to, axons };
    Ok(Routes { routes, links: loads.into_iter().map(link).collect() })
}
