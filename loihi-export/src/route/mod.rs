//! Paths of spikes over the mesh.
//!
//! A router algorithm gives the ways from one router to all that its core sends to; the stage
//! counts the axons between each pair of cores and sums the load of each link: the number of packets
//! when every source neuron spikes once. With unicast a packet travels for each axon, with multicast
//! one for each source neuron, which a link carries once however many cores it goes to. Spikes from
//! the host enter by the chip's input interface, whose place on the mesh is not modelled: they have
//! no route. To add one: one file and one line in [`ROUTERS`].

mod multicast_tree;
mod xy;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::mapping::destinations::destinations;
use crate::mapping::limits::CoreLimits;
use crate::mapping::structure::{StructureError, check_structure};
use crate::mapping::usage::for_each_bundle;
use crate::mapping::{Casting, LinkLoad, Route, RouterPosition};
use crate::partition::Partition;
use crate::place::{Placement, distance};
use crate::quantise::network::QuantisedNetwork;

/// Most memory that the ways between cores may take (bytes): the network and its slices need room,
/// too.
const MOST_BYTES: u64 = 4 << 30;

/// A way through the mesh.
pub struct Router {
    /// Registry name.
    pub name: &'static str,
    /// One sentence for lists.
    pub summary: &'static str,
    /// How a spike with several target cores travels.
    pub casting: Casting,
    /// For each target the routers from the source on, both included; columns of a chip's mesh.
    paths: fn(RouterPosition, &[RouterPosition], u32) -> Vec<Vec<RouterPosition>>,
}

/// All routing algorithms; the first is the default.
pub static ROUTERS: &[Router] = &[xy::XY, multicast_tree::MULTICAST_TREE];

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
    /// How spikes with several target cores travel.
    pub casting: Casting,
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
    /// The ways between cores do not fit the memory kept for them.
    #[error(
        "{pairs} pairs of cores send to each other, over {routers} routers in all: their ways would \
         take {} GB, {} GB are kept for them; number neurons so that connected ones lie together, \
         or map parts of the network",
        bytes.div_ceil(1 << 30),
        MOST_BYTES >> 30
    )]
    TooLarge {
        /// Pairs of cores with axons between them.
        pairs: u64,
        /// Routers on all ways.
        routers: u64,
        /// What they would take (bytes).
        bytes: u64,
    },
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
    room_for_ways(&between, limits, router)?;
    let mut routes = Vec::with_capacity(between.len());
    let pairs: Vec<((u32, u32), u64)> = between.into_iter().collect();
    for same_source in pairs.chunk_by(|a, b| a.0.0 == b.0.0) {
        let source = router(same_source[0].0.0)?;
        let targets: Result<Vec<_>, _> = same_source.iter().map(|pair| router(pair.0.1)).collect();
        let paths = (algorithm.paths)(source, &targets?, limits.mesh_columns);
        for (&((source_core, target_core), axons), path) in same_source.iter().zip(paths) {
            routes.push(Route { source_core, target_core, axons, path });
        }
    }
    let links = match algorithm.casting {
        Casting::Unicast => unicast_loads(&routes),
        Casting::Multicast => multicast_loads(network, partition, limits, &routes),
    };
    Ok(Routes { routes, links, casting: algorithm.casting })
}

/// Counts the routers of all ways before any is made; a tree's ways are no shorter than these.
fn room_for_ways(
    between: &BTreeMap<(u32, u32), u64>,
    limits: &CoreLimits,
    router: impl Fn(u32) -> Result<RouterPosition, RouteError>,
) -> Result<(), RouteError> {
    let mut routers = 0u64;
    for &(source, target) in between.keys() {
        let hops = distance(router(source)?, router(target)?, limits.mesh_columns);
        routers = routers.saturating_add(hops.saturating_add(1));
    }
    let pairs = between.len() as u64;
    let bytes = routers
        .saturating_mul(size_of::<RouterPosition>() as u64)
        .saturating_add(pairs.saturating_mul(size_of::<Route>() as u64));
    if bytes > MOST_BYTES {
        return Err(RouteError::TooLarge { pairs, routers, bytes });
    }
    Ok(())
}

type Loads = BTreeMap<(RouterPosition, RouterPosition), u64>;

fn as_links(loads: Loads) -> Vec<LinkLoad> {
    loads.into_iter().map(|((from, to), axons)| LinkLoad { from, to, axons }).collect()
}

/// A packet for each axon.
fn unicast_loads(routes: &[Route]) -> Vec<LinkLoad> {
    let mut loads = Loads::new();
    for route in routes {
        for link in route.path.windows(2) {
            let load = loads.entry((link[0], link[1])).or_default();
            *load = load.saturating_add(route.axons);
        }
    }
    as_links(loads)
}

/// A packet for each source neuron, once over each link of its part of the tree.
fn multicast_loads(
    network: &QuantisedNetwork,
    partition: &Partition,
    limits: &CoreLimits,
    routes: &[Route],
) -> Vec<LinkLoad> {
    let mut loads = Loads::new();
    for destination in destinations(network, &partition.slices, limits) {
        for link in tree_of(routes, destination.core, &destination.targets) {
            let load = loads.entry(link).or_default();
            *load = load.saturating_add(destination.neurons);
        }
    }
    as_links(loads)
}

/// The links of the ways from one core to some others, each once; `routes` are ordered.
pub fn tree_of(
    routes: &[Route],
    core: u32,
    targets: &[u32],
) -> BTreeSet<(RouterPosition, RouterPosition)> {
    let mut links = BTreeSet::new();
    for &target in targets {
        let at = routes.binary_search_by_key(&(core, target), |r| (r.source_core, r.target_core));
        if let Ok(at) = at {
            links.extend(routes[at].path.windows(2).map(|link| (link[0], link[1])));
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chip::ChipSpec;

    #[test]
    fn ways_that_do_not_fit_memory_are_refused_before_they_are_made() {
        let limits = CoreLimits::of_chip(&ChipSpec::built_in("loihi2").unwrap()).unwrap();
        let at = |core: u32| Ok(RouterPosition { chip: core * 1000, x: 0, y: 0 });
        let every = |cores: u32| {
            (0..cores).flat_map(move |from| (0..cores).map(move |to| ((from, to), 1u64)))
        };
        let few: BTreeMap<_, _> = every(2).collect();
        assert_eq!(room_for_ways(&few, &limits, at), Ok(()));
        let error = room_for_ways(&every(200).collect(), &limits, at).unwrap_err();
        let message = error.to_string();
        assert!(message.starts_with("40000 pairs of cores"), "{message}");
        assert!(message.contains("4 GB are kept") && message.contains("lie together"), "{message}");
    }
}
