//! Whether cores lie on the mesh and routes connect them.

use std::collections::{BTreeMap, BTreeSet};

use super::counts::Counts;
use super::{Rule, Violation, violation};
use crate::mapping::limits::CoreLimits;
use crate::mapping::{Casting, Mapping, Route, RouterPosition};

pub(super) fn placement(limits: &CoreLimits, mapping: &Mapping, found: &mut Vec<Violation>) {
    let mut taken = BTreeMap::new();
    let mut on_chip: BTreeMap<u32, u64> = BTreeMap::new();
    for (index, core) in mapping.cores.iter().enumerate() {
        let place = format!("cores/{index}");
        if !on_mesh(limits, core.router) || core.core >= limits.cores_per_router {
            let RouterPosition { x, y, .. } = core.router;
            let message = format!(
                "core {} at router ({x}, {y}) is off the mesh of {}×{} routers with {} cores",
                core.core, limits.mesh_columns, limits.mesh_rows, limits.cores_per_router
            );
            found.push(violation(Rule::Placement, place.clone(), message));
        }
        if let Some(other) = taken.insert(*core, index) {
            let message = format!("lies at the same place as core {other}");
            found.push(violation(Rule::Placement, place, message));
        }
        *on_chip.entry(core.router.chip).or_default() += 1;
    }
    for (chip, cores) in on_chip {
        if cores > u64::from(limits.cores) {
            let message = format!("{cores} cores are used, the chip has {}", limits.cores);
            found.push(violation(Rule::Placement, format!("chips/{chip}"), message));
        }
    }
}

fn on_mesh(limits: &CoreLimits, router: RouterPosition) -> bool {
    router.x < limits.mesh_columns && router.y < limits.mesh_rows
}

pub(super) fn routes(
    limits: &CoreLimits,
    mapping: &Mapping,
    counts: &Counts,
    found: &mut Vec<Violation>,
) {
    let axons_between = &counts.axons_between;
    let mut seen = BTreeSet::new();
    for route in &mapping.routes {
        let ends = (route.source_core, route.target_core);
        let place = format!("routes/{}-{}", ends.0, ends.1);
        if !seen.insert(ends) {
            found.push(violation(Rule::RouteExists, place.clone(), "listed twice".to_owned()));
        }
        match axons_between.get(&ends) {
            None => {
                let message = "no axon runs between these cores".to_owned();
                found.push(violation(Rule::RouteExists, place.clone(), message));
            }
            Some(axons) if *axons != route.axons => {
                let message = format!("states {} axons, there are {axons}", route.axons);
                found.push(violation(Rule::RouteAxons, place.clone(), message));
            }
            Some(_) => {}
        }
        if let Some(message) = path_problem(limits, mapping, route) {
            found.push(violation(Rule::RoutePath, place, message));
        }
    }
    for (ends, axons) in axons_between {
        if !seen.contains(ends) {
            let message = format!("{axons} axons run between these cores without a route");
            let place = format!("routes/{}-{}", ends.0, ends.1);
            found.push(violation(Rule::RouteExists, place, message));
        }
    }
    let loads = match mapping.casting {
        Casting::Unicast => loads_of_axons(mapping),
        Casting::Multicast => {
            one_way_in(mapping, found);
            loads_of_spikes(mapping, counts)
        }
    };
    let stated = mapping.links.iter().map(|link| ((link.from, link.to), link.axons));
    if !stated.eq(loads) {
        let message = "the stated loads are not the ordered sums over the routes".to_owned();
        found.push(violation(Rule::LinkLoad, "links", message));
    }
}

type Loads = BTreeMap<(RouterPosition, RouterPosition), u64>;

/// A packet for each axon.
fn loads_of_axons(mapping: &Mapping) -> Loads {
    let mut loads = Loads::new();
    for route in &mapping.routes {
        for step in route.path.windows(2) {
            let load = loads.entry((step[0], step[1])).or_default();
            *load = load.saturating_add(route.axons);
        }
    }
    loads
}

/// A packet for each neuron that sends, once over every link on a way to one of its cores.
fn loads_of_spikes(mapping: &Mapping, counts: &Counts) -> Loads {
    let mut ways: BTreeMap<(u32, u32), &Route> = BTreeMap::new();
    ways.extend(mapping.routes.iter().map(|r| ((r.source_core, r.target_core), r)));
    let mut loads = Loads::new();
    for ((core, targets), neurons) in &counts.senders {
        let mut passed = BTreeSet::new();
        for target in targets {
            let Some(route) = ways.get(&(*core, *target)) else { continue };
            passed.extend(route.path.windows(2).map(|step| (step[0], step[1])));
        }
        for link in passed {
            let load = loads.entry(link).or_default();
            *load = load.saturating_add(*neurons);
        }
    }
    loads
}

/// The ways from a core form a tree: a packet enters each router from one side only.
fn one_way_in(mapping: &Mapping, found: &mut Vec<Violation>) {
    let mut from: BTreeMap<(u32, RouterPosition), RouterPosition> = BTreeMap::new();
    for route in &mapping.routes {
        for step in route.path.windows(2) {
            let before = *from.entry((route.source_core, step[1])).or_insert(step[0]);
            if before != step[0] {
                let place = format!("routes/{}-{}", route.source_core, route.target_core);
                let message = format!(
                    "enters {:?} from {:?}, another way from this core from {before:?}: no tree",
                    step[1], step[0]
                );
                found.push(violation(Rule::RoutePath, place, message));
            }
        }
    }
}

fn path_problem(limits: &CoreLimits, mapping: &Mapping, route: &Route) -> Option<String> {
    let router = |core: u32| mapping.cores.get(core as usize).map(|core| core.router);
    let (Some(first), Some(last)) = (route.path.first(), route.path.last()) else {
        return Some("has no router".to_owned());
    };
    if router(route.source_core) != Some(*first) {
        return Some(format!("does not start at the router of core {}", route.source_core));
    }
    if router(route.target_core) != Some(*last) {
        return Some(format!("does not end at the router of core {}", route.target_core));
    }
    let visited: BTreeSet<_> = route.path.iter().collect();
    if visited.len() != route.path.len() {
        return Some("passes a router twice".to_owned());
    }
    for step in route.path.windows(2) {
        if !on_mesh(limits, step[1]) || !are_neighbours(limits, step[0], step[1]) {
            return Some(format!("steps from {:?} to {:?}, which no link joins", step[0], step[1]));
        }
    }
    None
}

/// Whether a link joins two routers: side by side on a chip, or over the border of two chips that
/// follow each other.
fn are_neighbours(limits: &CoreLimits, a: RouterPosition, b: RouterPosition) -> bool {
    if a.chip == b.chip {
        return a.x.abs_diff(b.x).saturating_add(a.y.abs_diff(b.y)) == 1;
    }
    let (left, right) = if a.chip < b.chip { (a, b) } else { (b, a) };
    right.chip - left.chip == 1
        && left.y == right.y
        && left.x.saturating_add(1) == limits.mesh_columns
        && right.x == 0
}
