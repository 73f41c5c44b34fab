//! Any mapping passes the independent check, and any damage to it is found.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail so")]

mod mapping_networks;

use loihi_export::check::{Rule, check, violations};
use loihi_export::mapping::usage::{for_each_bundle, usage_of_cores};
use loihi_export::mapping::{CoreLimits, MapConfig, Mapping, Resource, Slice, map};
use loihi_export::partition::{PARTITIONERS, PartitionConfig, partition};
use loihi_export::place::{PLACERS, PlaceConfig};
use loihi_export::quantise::network::QuantisedNetwork;
use loihi_export::route::{ROUTERS, RouteConfig};
use mapping_networks::{limits, random_network, tiny};
use std::sync::LazyLock;

/// Random networks a property is tried on.
const NETWORKS: u64 = 60;

/// Every combination of registered algorithms, with cores shared and not.
fn all_configs(chips: u32) -> Vec<MapConfig> {
    let mut configs = Vec::new();
    for partitioner in PARTITIONERS {
        for placer in PLACERS {
            for router in ROUTERS {
                for share_cores in [true, false] {
                    let algorithm = partitioner.name.to_owned();
                    configs.push(MapConfig {
                        partition: PartitionConfig { algorithm, chips, share_cores, seed: 1 },
                        place: PlaceConfig {
                            algorithm: placer.name.to_owned(),
                            ..PlaceConfig::default()
                        },
                        route: RouteConfig { algorithm: router.name.to_owned() },
                    });
                }
            }
        }
    }
    configs
}

/// A share of all combinations that goes round with the network's seed: over all networks every
/// combination comes up.
fn some_configs(seed: u64, chips: u32) -> Vec<MapConfig> {
    all_configs(chips).into_iter().skip(seed as usize % 16).step_by(16).collect()
}

/// `tiny` in the variants that change how lists and limits are counted.
fn limit_variants() -> Vec<CoreLimits> {
    let mut unshared = tiny();
    unshared.synapse_memory.kernel_word_bits = None;
    let mut blocks = tiny();
    blocks.synapse_memory = limits("loihi1").synapse_memory;
    let unknown = CoreLimits { output_axons: None, axon_map_entries: None, ..tiny() };
    let mut packed = tiny();
    packed.synapse_memory = limits("loihi2").synapse_memory;
    // few cores a chip, so that routes cross chips
    let small_chips = CoreLimits { cores: 5, mesh_columns: 3, mesh_rows: 1, ..tiny() };
    vec![tiny(), unshared, blocks, unknown, small_chips, packed]
}

#[test]
fn every_registered_algorithm_makes_mappings_that_pass_the_check() {
    let mut cores = 0;
    for seed in 0..NETWORKS {
        let net = random_network(seed);
        let limits = &limit_variants()[seed as usize % 6];
        for config in some_configs(seed, 64) {
            let mapping = map(&net, limits, &config)
                .unwrap_or_else(|error| panic!("seed {seed}, {config:?}: {error}"));
            cores = cores.max(mapping.cores.len());
            check(&net, limits, mapping)
                .unwrap_or_else(|error| panic!("seed {seed}, {config:?}: {error}"));
        }
    }
    assert!(cores > 8, "the networks must need several routers, not {cores} cores");
}

#[test]
fn counting_by_arithmetic_equals_counting_one_by_one() {
    // The check takes a core's limit away one unit below what the arithmetic says it uses: it must
    // then object to exactly that figure. So both counts agree to the bit.
    for seed in 0..NETWORKS {
        let net = random_network(seed);
        for limits in limit_variants() {
            let mapping = map(&net, &limits, &all_configs(64)[0]).unwrap();
            let usage = usage_of_cores(&net, &mapping.slices, mapping.cores.len(), &limits);
            for resource in Resource::ALL {
                let worst = usage.iter().map(|core| core.amount(resource)).max().unwrap();
                if worst == 0 {
                    continue;
                }
                let exact = with_limit(&limits, resource, worst);
                assert_eq!(violations(&net, &exact, &mapping), [], "seed {seed} {resource}");
                let short = with_limit(&limits, resource, worst - 1);
                let found = violations(&net, &short, &mapping);
                let message = format!("{worst} {resource}, a core has {}", worst - 1);
                assert!(
                    !found.is_empty() && found.iter().all(|v| v.message == message),
                    "seed {seed} {resource}: {found:?}"
                );
            }
        }
    }
}

fn with_limit(limits: &CoreLimits, resource: Resource, limit: u64) -> CoreLimits {
    let mut limits = limits.clone();
    let small = u32::try_from(limit).ok();
    match resource {
        Resource::Neurons => limits.neurons_per_core = small.unwrap(),
        Resource::NeuronGroups => limits.neuron_groups = small,
        Resource::InputAxons => limits.input_axons = small,
        Resource::OutputAxons => limits.output_axons = small,
        Resource::AxonMapEntries => limits.axon_map_entries = small,
        Resource::SynapseMemory => limits.synapse_memory_bits = Some(limit),
    }
    limits
}

#[test]
fn the_same_input_gives_the_same_mapping() {
    for seed in 0..NETWORKS {
        for config in some_configs(seed, 64) {
            let first = map(&random_network(seed), &tiny(), &config).unwrap();
            let second = map(&random_network(seed), &tiny(), &config).unwrap();
            assert_eq!(first, second, "seed {seed}");
        }
    }
}

/// Applies damage to good mappings; each damaged one must break `rule`.
/// Output axons depend on how targets are cut, and count in the choice.
#[test]
fn automatic_never_needs_more_cores_than_either_cut_alone() {
    let mut differ = 0;
    for seed in 0..NETWORKS / 3 {
        let net = random_network(seed);
        for scarce in [1, 3] {
            let plain = tiny();
            let output_axons = plain.output_axons.map(|axons| (axons / scarce).max(1));
            let limits = CoreLimits { output_axons, ..plain };
            let cores = |algorithm: &str| {
                let algorithm = algorithm.to_owned();
                let config = PartitionConfig { algorithm, chips: 64, share_cores: false, seed: 1 };
                partition(&net, &limits, &config).ok().map(|made| made.cores)
            };
            let alone = [cores("sequential_fill"), cores("greedy_overlap")];
            let Some(fewest) = alone.into_iter().flatten().min() else { continue };
            let automatic = cores("automatic").unwrap();
            assert!(automatic <= fewest, "seed {seed}: {automatic} cores, alone {alone:?}");
            differ += usize::from(alone[0] != alone[1]);
        }
    }
    assert!(differ > 0, "the two cuts need as many cores for every network");
}

/// Random networks with mappings that hold; made once, as every damage is done to a copy.
static MAPPED: LazyLock<Vec<(u64, QuantisedNetwork, Vec<Mapping>)>> = LazyLock::new(|| {
    let mapped = |seed: u64| {
        let net = random_network(seed);
        let configs = some_configs(seed, 64);
        let mappings = configs.iter().map(|config| map(&net, &tiny(), config).unwrap()).collect();
        (seed, net, mappings)
    };
    (0..NETWORKS).map(mapped).collect()
});

fn assert_found(rule: Rule, damage: impl Fn(&mut Mapping, &QuantisedNetwork) -> bool) {
    let mut damaged = 0;
    for (seed, net, mappings) in &*MAPPED {
        for mut mapping in mappings.iter().cloned() {
            if !damage(&mut mapping, net) {
                continue;
            }
            damaged += 1;
            let found = violations(net, &tiny(), &mapping);
            assert!(found.iter().any(|v| v.rule == rule), "seed {seed}: {found:?}");
            let error = check(net, &tiny(), mapping).unwrap_err();
            assert_eq!(error.violations, found);
        }
    }
    assert!(damaged >= 100, "only {damaged} mappings could be damaged");
}

#[test]
fn a_dropped_neuron_is_found() {
    assert_found(Rule::NeuronMissing, |mapping, _| {
        mapping.slices[0].runs[0].length -= 1;
        true
    });
    assert_found(Rule::NeuronMissing, |mapping, _| mapping.slices.pop().is_some());
}

#[test]
fn a_doubled_neuron_is_found() {
    assert_found(Rule::NeuronTwice, |mapping, _| {
        let twice = mapping.slices[0].clone();
        mapping.slices.push(twice);
        true
    });
    assert_found(Rule::NeuronTwice, |mapping, _| {
        match mapping.slices.iter_mut().find(|slice| slice.first() > 0) {
            Some(slice) => {
                slice.runs[0].first -= 1;
                slice.runs[0].length += 1;
                true
            }
            None => false,
        }
    });
}

#[test]
fn an_overfull_core_is_found() {
    assert_found(Rule::CoreLimit, |mapping, _| {
        mapping.slices.iter_mut().for_each(|slice| slice.core = 0);
        let neurons: u32 = mapping.slices.iter().map(Slice::length).sum();
        neurons > tiny().neurons_per_core
    });
}

#[test]
fn a_slice_moved_within_its_population_or_out_of_it_is_found() {
    assert_found(Rule::NeuronMissing, |mapping, _| {
        mapping.slices[0].runs[0].first += 1;
        true
    });
    assert_found(Rule::SliceRange, |mapping, _| {
        mapping.slices[0].runs[0].first = u32::MAX;
        true
    });
    assert_found(Rule::SliceRange, |mapping, _| {
        mapping.slices[0].core = mapping.cores.len() as u32;
        true
    });
    assert_found(Rule::SliceRange, |mapping, net| {
        mapping.slices[0].population = net.populations.len();
        true
    });
    assert_found(Rule::SliceRange, |mapping, _| {
        mapping.slices[0].population = 0; // the input
        true
    });
}

#[test]
fn a_slice_moved_to_another_core_breaks_the_stated_routes() {
    let moved = |mapping: &mut Mapping, net: &QuantisedNetwork| {
        let last = mapping.slices.len() - 1;
        let mut fed_on_chip = false;
        for_each_bundle(net, &mapping.slices, &tiny(), |bundle| {
            fed_on_chip |= bundle.target == last && bundle.source.is_some() && bundle.axons > 0;
        });
        let first = mapping.slices[0].core;
        let moves = fed_on_chip && mapping.slices[last].core != first;
        mapping.slices[last].core = first;
        moves
    };
    let any_route_rule = [Rule::RouteExists, Rule::RouteAxons];
    let mut damaged = 0;
    for seed in 0..NETWORKS {
        let net = random_network(seed);
        let mut mapping = map(&net, &tiny(), &all_configs(64)[1]).unwrap();
        if moved(&mut mapping, &net) {
            damaged += 1;
            let found = violations(&net, &tiny(), &mapping);
            assert!(found.iter().any(|v| any_route_rule.contains(&v.rule)), "seed {seed}");
        }
    }
    assert!(damaged >= 20, "only {damaged} mappings could be damaged");
}

#[test]
fn broken_routes_are_found() {
    assert_found(Rule::RouteExists, |mapping, _| mapping.routes.pop().is_some());
    assert_found(Rule::RouteExists, |mapping, _| {
        let twice = mapping.routes.first().cloned();
        mapping.routes.extend(twice);
        !mapping.routes.is_empty()
    });
    assert_found(Rule::RouteAxons, |mapping, _| {
        mapping.routes.first_mut().map(|route| route.axons += 1).is_some()
    });
    assert_found(Rule::RoutePath, |mapping, _| {
        mapping.routes.first_mut().map(|route| route.path.clear()).is_some()
    });
    assert_found(Rule::RoutePath, |mapping, _| {
        // a step left out of the middle
        let long = mapping.routes.iter_mut().find(|route| route.path.len() > 2);
        long.map(|route| route.path.remove(1)).is_some()
    });
    assert_found(Rule::RoutePath, |mapping, _| {
        let long = mapping.routes.iter_mut().find(|route| route.path.len() > 1);
        long.map(|route| route.path.pop()).is_some()
    });
    assert_found(Rule::LinkLoad, |mapping, _| {
        mapping.links.first_mut().map(|link| link.axons += 1).is_some()
    });
}

#[test]
fn misplaced_cores_are_found() {
    assert_found(Rule::Placement, |mapping, _| {
        let first = mapping.cores[0];
        match mapping.cores.get_mut(1) {
            Some(second) => *second = first,
            None => return false,
        }
        true
    });
    assert_found(Rule::Placement, |mapping, _| {
        mapping.cores[0].router.x = tiny().mesh_columns;
        true
    });
    assert_found(Rule::Placement, |mapping, _| {
        mapping.cores[0].core = tiny().cores_per_router;
        true
    });
}

#[test]
fn a_mapping_for_another_network_or_chip_is_found() {
    assert_found(Rule::MadeForThis, |mapping, _| {
        mapping.network.push('x');
        true
    });
    assert_found(Rule::MadeForThis, |mapping, _| {
        mapping.chip.push('x');
        true
    });
}

#[test]
fn hostile_mappings_are_refused_without_a_panic() {
    let net = random_network(3);
    let mut mapping = map(&net, &tiny(), &MapConfig::default()).unwrap();
    for slice in &mut mapping.slices {
        slice.runs[0].first = u32::MAX - 1;
        slice.runs[0].length = u32::MAX;
        slice.core = u32::MAX;
    }
    for core in &mut mapping.cores {
        core.router.x = u32::MAX;
        core.router.chip = u32::MAX;
    }
    for route in &mut mapping.routes {
        route.axons = u64::MAX;
        route.path.iter_mut().for_each(|router| router.x = u32::MAX);
    }
    let error = check(&net, &tiny(), mapping).unwrap_err();
    for rule in [Rule::SliceRange, Rule::NeuronMissing, Rule::Placement] {
        assert!(error.violations.iter().any(|v| v.rule == rule), "{error}");
    }
}
