//! What a core map says against itself, recounted from the map alone.
//!
//! A map that was cut short, edited or merged may keep its schema and still be wrong. Nothing here
//! knows how the map was made: places, neurons, axons, memory and ways are counted again from its
//! lists.

use std::collections::{BTreeMap, BTreeSet};

use super::{AxonSource, CoreAddress, CoreMap, CoreOfMap, FORMAT, RouteOfMap, VERSION};
use crate::mapping::Casting;

/// Neurons of a map at most whose numbers are looked at one by one; a longer list is damage.
const NEURON_LIMIT: u64 = 1 << 24;

type Address = (u32, u32);

/// Everything a core map says against itself, in the order of its cores; none for a sound one.
pub fn contradictions(map: &CoreMap) -> Vec<String> {
    let mut found = Vec::new();
    for (field, is, wanted) in [
        ("format", map.format.clone(), FORMAT.to_owned()),
        ("version", map.version.to_string(), VERSION.to_string()),
        ("basis", map.basis.clone(), "modelled".to_owned()),
    ] {
        if is != wanted {
            found.push(format!("{field} is {is}; this program knows {wanted}"));
        }
    }
    places(map, &mut found);
    let cores: BTreeMap<Address, &CoreOfMap> =
        map.cores.iter().map(|core| (key(core.address), core)).collect();
    for core in &map.cores {
        totals(core, &mut found);
        references(core, &cores, &mut found);
    }
    doubled_neurons(map, &mut found);
    traffic(map, &cores, &mut found);
    found
}

fn key(address: CoreAddress) -> Address {
    (address.logical_chip_id, address.logical_core_id)
}

fn named((chip, core): Address) -> String {
    format!("core {core} of chip {chip}")
}

/// Every core stands once, on a place of its own that the chip has.
fn places(map: &CoreMap, found: &mut Vec<String>) {
    let chip = &map.chip;
    let (mut addresses, mut taken) = (BTreeSet::new(), BTreeSet::new());
    for core in &map.cores {
        let name = named(key(core.address));
        if !addresses.insert(key(core.address)) {
            found.push(format!("{name} stands twice"));
        }
        if core.address.logical_core_id >= chip.cores_per_chip {
            found.push(format!("{name}: a chip has {} cores", chip.cores_per_chip));
        }
        let [columns, rows] = chip.mesh;
        let (x, y, at) = (core.router_x, core.router_y, core.router_core);
        if x >= columns || y >= rows || at >= chip.cores_per_router {
            found.push(format!(
                "{name}: place {at} of router {x}, {y} is not on a mesh of {columns} × {rows} routers \
                 with {} cores each",
                chip.cores_per_router
            ));
        }
        if !taken.insert((core.address.logical_chip_id, x, y, at)) {
            found.push(format!("{name} lies where another core does"));
        }
    }
}

/// The stated use of a core is the sum of its lists.
fn totals(core: &CoreOfMap, found: &mut Vec<String>) {
    let add = |lengths: &mut dyn Iterator<Item = u64>| lengths.fold(0, u64::saturating_add);
    let counted = [
        (
            "neurons",
            add(&mut core.neuron_groups.iter().map(|g| g.length.into())),
            core.usage.neurons,
        ),
        ("neuron groups", core.neuron_groups.len() as u64, core.usage.neuron_groups),
        ("input axons", add(&mut core.in_axons.iter().map(|a| a.length)), core.usage.input_axons),
        (
            "output axons",
            add(&mut core.out_axons.iter().map(|a| a.length)),
            core.usage.output_axons,
        ),
        (
            "bits of synapse memory",
            add(&mut core.syn_entries.iter().map(|e| e.memory_bits)),
            core.usage.synapse_memory,
        ),
    ];
    for (what, listed, stated) in counted {
        if listed != stated {
            let name = named(key(core.address));
            found.push(format!("{name}: {stated} {what} stated, {listed} listed"));
        }
    }
    for group in &core.neuron_groups {
        if group.ranges.iter().any(|range| range.stride == 0) {
            let (name, id) = (named(key(core.address)), group.neuron_group_id);
            found.push(format!(
                "{name}: group {id} has a stride of 0; neurons are at least 1 apart"
            ));
        }
        let listed = add(&mut group.ranges.iter().map(|range| range.length.into()));
        if listed != u64::from(group.length) {
            let (name, id) = (named(key(core.address)), group.neuron_group_id);
            found.push(format!("{name}: group {id} of {} neurons lists {listed}", group.length));
        }
    }
}

/// Every number of a group, an entry or a core leads to one.
fn references(core: &CoreOfMap, cores: &BTreeMap<Address, &CoreOfMap>, found: &mut Vec<String>) {
    let name = named(key(core.address));
    let has_group =
        |core: &CoreOfMap, id| core.neuron_groups.iter().any(|g| g.neuron_group_id == id);
    let has_entry = |core: &CoreOfMap, id| core.syn_entries.iter().any(|e| e.syn_entry_id == id);
    for entry in &core.syn_entries {
        let group = core.neuron_groups.iter().find(|g| g.neuron_group_id == entry.neuron_group_id);
        if group.is_none_or(|group| group.length != entry.length) {
            let (id, group, length) = (entry.syn_entry_id, entry.neuron_group_id, entry.length);
            found.push(format!("{name}: entry {id} targets no group {group} of {length} neurons"));
        }
    }
    for axons in &core.in_axons {
        if !has_entry(core, axons.syn_entry_id) {
            found.push(format!(
                "{name}: axons arrive for entry {}, which it lacks",
                axons.syn_entry_id
            ));
        }
        let AxonSource::Core { logical_chip_id, logical_core_id, neuron_group_id } = axons.source
        else {
            continue;
        };
        let from = (logical_chip_id, logical_core_id);
        if !cores.get(&from).is_some_and(|sender| has_group(sender, neuron_group_id)) {
            found.push(format!(
                "{name}: axons come from no group {neuron_group_id} of {}",
                named(from)
            ));
        }
    }
    for axons in &core.out_axons {
        if !has_group(core, axons.neuron_group_id) {
            found.push(format!(
                "{name}: axons leave group {}, which it lacks",
                axons.neuron_group_id
            ));
        }
        let to = key(axons.target);
        if !cores.get(&to).is_some_and(|target| has_entry(target, axons.syn_entry_id)) {
            found.push(format!(
                "{name}: axons go to no entry {} of {}",
                axons.syn_entry_id,
                named(to)
            ));
        }
    }
}

/// No neuron of a population lies on two places.
fn doubled_neurons(map: &CoreMap, found: &mut Vec<String>) {
    let mut of_population: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    let ranges = || {
        let groups = map.cores.iter().flat_map(|core| &core.neuron_groups);
        groups.flat_map(|group| group.ranges.iter().map(|range| (group.population.as_str(), range)))
    };
    let total = ranges().fold(0, |sum: u64, (_, range)| sum.saturating_add(range.length.into()));
    if total > NEURON_LIMIT {
        found.push(format!("its ranges list {total} neurons, more than {NEURON_LIMIT}"));
        return;
    }
    for (population, range) in ranges() {
        let neurons = (0..u64::from(range.length))
            .map(|number| u64::from(range.first) + number * u64::from(range.stride));
        of_population.entry(population).or_default().extend(neurons);
    }
    for (population, mut neurons) in of_population {
        neurons.sort_unstable();
        if let Some(pair) = neurons.windows(2).find(|pair| pair[0] == pair[1]) {
            found.push(format!("neuron {} of '{population}' has two places", pair[0]));
        }
    }
}

/// What is sent arrives, over ways that the mesh has.
fn traffic(map: &CoreMap, cores: &BTreeMap<Address, &CoreOfMap>, found: &mut Vec<String>) {
    let mut ways: BTreeMap<(Address, Address), [u64; 3]> = BTreeMap::new();
    let mut add = |from, to, which: usize, length| {
        let count = &mut ways.entry((from, to)).or_default()[which];
        *count = count.saturating_add(length);
    };
    for core in &map.cores {
        let here = key(core.address);
        for axons in &core.out_axons {
            add(here, key(axons.target), 0, axons.length);
        }
        for axons in &core.in_axons {
            if let AxonSource::Core { logical_chip_id, logical_core_id, .. } = axons.source {
                add((logical_chip_id, logical_core_id), here, 1, axons.length);
            }
        }
    }
    for route in &map.routes {
        add(key(route.source), key(route.target), 2, route.axons);
        if let Some(problem) = broken_way(route, map, cores) {
            let (from, to) = (named(key(route.source)), named(key(route.target)));
            found.push(format!("the route from {from} to {to} {problem}"));
        }
    }
    for ((from, to), [sent, received, routed]) in ways {
        // Over a tree a spike travels once for several axons.
        let differs = match map.casting {
            Casting::Unicast => routed != sent,
            Casting::Multicast => routed > sent || (routed == 0) != (sent == 0),
        };
        if sent != received || differs {
            let (from, to) = (named(from), named(to));
            found.push(format!(
                "from {from} to {to} {sent} axons are sent, {received} received and {routed} routed"
            ));
        }
    }
}

/// What is wrong with the routers that a route passes; chips lie side by side.
fn broken_way(
    route: &RouteOfMap,
    map: &CoreMap,
    cores: &BTreeMap<Address, &CoreOfMap>,
) -> Option<String> {
    let router = |address: CoreAddress| {
        let core = cores.get(&key(address))?;
        Some([address.logical_chip_id, core.router_x, core.router_y])
    };
    let ends = [router(route.source), router(route.target)];
    if ends.contains(&None) {
        return Some("joins a core that the map lacks".into());
    }
    if [route.path.first().copied(), route.path.last().copied()] != ends {
        return Some("does not lead from its core's router to the other's".into());
    }
    let [columns, rows] = map.chip.mesh;
    let across = |[chip, x, _]: [u32; 3]| u64::from(chip) * u64::from(columns) + u64::from(x);
    for pair in route.path.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let step = across(from).abs_diff(across(to)) + u64::from(from[2].abs_diff(to[2]));
        if step != 1 || to[1] >= columns || to[2] >= rows {
            return Some(format!("steps from router {from:?} to {to:?} [chip, x, y]"));
        }
    }
    None
}
