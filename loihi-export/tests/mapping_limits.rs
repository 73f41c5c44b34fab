//! Networks that do not fit are refused with the limit, the population and a remedy; budgets name
//! what binds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail so")]

mod mapping_networks;

use loihi_export::budget::budget;
use loihi_export::check::check;
use loihi_export::mapping::{CoreLimits, MapConfig, MapError, Resource, StructureError, map};
use loihi_export::partition::{PARTITIONERS, PartitionConfig, PartitionError};
use loihi_export::place::PlaceConfig;
use loihi_export::quantise::network::{Connection, DelaySteps, QuantisedNetwork};
use loihi_export::route::RouteConfig;
use mapping_networks::{
    Random, connect, convolve, dense, geometry, limits, network, population, sparse, tiny,
};
use sim_core::network::Shape;

fn two_layers(inputs: u32, neurons: u32, source: &str) -> QuantisedNetwork {
    let mut net = network(vec![
        population("source", source, Shape::List(inputs)),
        population("target", "lif", Shape::List(neurons)),
    ]);
    dense(&mut net, 0, 1);
    net
}

fn refused(net: &QuantisedNetwork, limits: &CoreLimits) -> Vec<PartitionError> {
    let refuse = |algorithm: &str| {
        let algorithm = algorithm.to_owned();
        let partition = PartitionConfig { algorithm, ..PartitionConfig::default() };
        match map(net, limits, &MapConfig { partition, ..MapConfig::default() }) {
            Err(MapError::Partition(error)) => error,
            other => panic!("expected a refusal, not {other:?}"),
        }
    };
    PARTITIONERS.iter().map(|partitioner| refuse(partitioner.name)).collect()
}

/// Every partitioner names this limit, population, need and available amount.
fn assert_does_not_fit(
    net: &QuantisedNetwork,
    limits: &CoreLimits,
    expected: (Resource, &str, u64, u64),
) {
    for error in refused(net, limits) {
        let text = error.to_string();
        let problems = match error {
            PartitionError::Several { problems } => problems,
            one => vec![one],
        };
        let named = problems.iter().any(|problem| match problem {
            PartitionError::DoesNotFit { resource, population, needed, available, .. } => {
                (*resource, population.as_str(), *needed, *available) == expected
            }
            _ => false,
        });
        assert!(named, "{text}");
        let (resource, _, needed, _) = expected;
        assert!(text.contains(resource.remedy()) && text.contains(&needed.to_string()), "{text}");
    }
}

#[test]
fn a_neuron_with_too_many_inputs_is_named() {
    let net = two_layers(401, 3, "input");
    assert_does_not_fit(&net, &tiny(), (Resource::InputAxons, "target", 401, 400));
}

#[test]
fn a_neuron_whose_synapses_exceed_the_memory_is_named() {
    // 234 lists of a header word and a word of weights, just below 60,000
    let net = two_layers(234, 3, "input");
    let needed = 234 * 256;
    assert!(map(&net, &tiny(), &MapConfig::default()).is_ok());
    let short = CoreLimits { synapse_memory_bits: Some(needed - 1), ..tiny() };
    assert_does_not_fit(&net, &short, (Resource::SynapseMemory, "target", needed, needed - 1));
}

#[test]
fn a_neuron_that_reaches_too_many_slices_is_named() {
    // 100 targets at 24 a core are five slices
    let net = two_layers(2, 100, "lif");
    let short = CoreLimits { output_axons: Some(4), ..tiny() };
    assert_does_not_fit(&net, &short, (Resource::OutputAxons, "source", 5, 4));
    let enough = CoreLimits { output_axons: Some(5), ..tiny() };
    let mapping = map(&net, &enough, &MapConfig::default()).unwrap();
    assert_eq!(mapping.slices.iter().filter(|slice| slice.population == 0).count(), 2);
    check(&net, &enough, mapping).unwrap();
}

#[test]
fn a_core_without_room_for_any_neuron_is_named() {
    let net = two_layers(2, 3, "input");
    let none = CoreLimits { neuron_groups: Some(0), ..tiny() };
    assert_does_not_fit(&net, &none, (Resource::NeuronGroups, "target", 1, 0));
}

#[test]
fn recurrence_that_outgrows_the_output_axons_ends_with_that_limit() {
    // every cut gives each neuron one more target slice, so that no cut is ever fine enough
    let mut net = network(vec![population("loop", "lif", Shape::List(60))]);
    dense(&mut net, 0, 0);
    let short = CoreLimits { output_axons: Some(24), ..tiny() };
    for error in refused(&net, &short) {
        match error {
            PartitionError::DoesNotFit { resource, population, .. }
            | PartitionError::Cores { resource, population, .. } => {
                assert_eq!((resource, population.as_str()), (Resource::OutputAxons, "loop"));
            }
            other => panic!("{other}"),
        }
    }
}

#[test]
fn too_few_cores_are_named_with_the_population_its_limit_and_the_chips_needed() {
    let hopeless = two_layers(1, 24 * 64 + 1, "input");
    for error in refused(&hopeless, &tiny()) {
        let PartitionError::Cores { needed: 65, at_least: true, available: 64, .. } = error else {
            panic!("{error}");
        };
        assert!(error.to_string().contains("at least 65 cores"), "{error}");
        assert!(error.to_string().ends_with("or use 2 chips"), "{error}");
    }
    // 200 lists of 256 bits are 51,200 of 60,000: one slice a core, 16 weights in a word
    let heavy = two_layers(200, 16 * 64 + 1, "input");
    for (error, partitioner) in refused(&heavy, &tiny()).into_iter().zip(PARTITIONERS) {
        let metis = partitioner.name == "metis";
        let text = error.to_string();
        let PartitionError::Cores { needed, at_least, population, resource, .. } = error else {
            panic!("{text}");
        };
        // METIS cuts in two what does not fit, so that it needs more than the least, and is stopped
        // as soon as its parts take more than all cores have
        assert!(!at_least || metis, "{text}");
        assert!(needed == 65 || metis && needed >= 65, "{text}");
        assert_eq!((population.as_str(), resource), ("target", Resource::SynapseMemory), "{text}");
    }
    let partition = PartitionConfig { chips: 2, ..PartitionConfig::default() };
    let config = MapConfig { partition, ..MapConfig::default() };
    let mapping = map(&heavy, &tiny(), &config).unwrap();
    let budget = budget(&check(&heavy, &tiny(), mapping).unwrap());
    assert_eq!((budget.cores_used, budget.chips_needed, budget.cores_spare), (65, 2, 63));
}

#[test]
fn unknown_algorithms_list_the_known_ones() {
    let net = two_layers(2, 3, "input");
    let name = "no_such".to_owned();
    let cases = [
        MapConfig {
            partition: PartitionConfig { algorithm: name.clone(), ..PartitionConfig::default() },
            ..MapConfig::default()
        },
        MapConfig {
            place: PlaceConfig { algorithm: name.clone(), ..PlaceConfig::default() },
            ..MapConfig::default()
        },
        MapConfig { route: RouteConfig { algorithm: name }, ..MapConfig::default() },
    ];
    for (config, known) in cases.into_iter().zip(["even_split", "row_major", "xy"]) {
        let text = map(&net, &tiny(), &config).unwrap_err().to_string();
        assert!(text.contains("no_such") && text.contains(known), "{text}");
    }
}

#[test]
fn inconsistent_networks_are_refused_with_the_place() {
    let good = two_layers(4, 3, "input");
    let structure = |net: &QuantisedNetwork| match map(net, &tiny(), &MapConfig::default()) {
        Err(MapError::Partition(PartitionError::Structure(error))) => error,
        other => panic!("expected a structure error, not {other:?}"),
    };
    let mut net = good.clone();
    net.projections[0].source = 7;
    assert!(matches!(structure(&net), StructureError::Population { index: 7, .. }));
    let mut net = good.clone();
    net.projections[0].target = 0;
    assert!(structure(&net).to_string().contains("cannot receive"));
    let mut net = good.clone();
    net.projections[0].delay = DelaySteps::PerSynapse(vec![1; 5]);
    assert!(matches!(structure(&net), StructureError::Length { found: 5, expected: 12, .. }));
    let mut net = good.clone();
    net.populations[1].shape = Shape::Picture([u32::MAX; 3]);
    assert!(matches!(structure(&net), StructureError::TooLarge { .. }));
    let mut net = good.clone();
    net.populations[1].shape = Shape::List(4);
    assert!(matches!(structure(&net), StructureError::Length { list: "weights", .. }));

    for (entry, expected) in [(9, "neuron 9"), (0, "out of order")] {
        let mut net = good.clone();
        net.projections.clear();
        sparse(&mut net, 0, 1, 100, 0, &mut Random(1));
        if let Connection::Sparse { sources, .. } = &mut net.projections[0].connection {
            sources[2] = entry;
        }
        assert!(structure(&net).to_string().contains(expected));
    }
    let mut net = network(vec![population("input", "input", Shape::Picture([1, 4, 4]))]);
    convolve(&mut net, 0, geometry([1, 5, 4], 2, [2, 2], [1, 1], [0; 4], [1, 1], 1));
    assert!(matches!(structure(&net), StructureError::Geometry { .. }));
}

#[test]
fn the_budget_ranks_resources_and_prints_unknown_ones_as_unknown() {
    let mut net = network(vec![population("digit", "input", Shape::Picture([1, 28, 28]))]);
    let first = convolve(&mut net, 0, geometry([1, 28, 28], 16, [3, 3], [2, 2], [1; 4], [1, 1], 1));
    let second =
        convolve(&mut net, first, geometry([16, 14, 14], 32, [3, 3], [2, 2], [1; 4], [1, 1], 1));
    net.populations.push(population("classes", "lif", Shape::List(10)));
    dense(&mut net, second, 3);
    let limits = limits("loihi2");
    let mapping = map(&net, &limits, &MapConfig::default()).unwrap();
    let budget = budget(&check(&net, &limits, mapping).unwrap());

    assert!(budget.resources.windows(2).all(|pair| pair[0].fill >= pair[1].fill));
    assert_eq!(budget.unknown.len(), 1, "only output axons are unknown on Loihi 2");
    assert_eq!(budget.unknown[0].resource, Resource::OutputAxons);
    let neurons: u64 = budget.cores.iter().map(|core| core.neurons).sum();
    assert_eq!(neurons, 16 * 14 * 14 + 32 * 7 * 7 + 10);
    // kernels stored once a slice, one header word and one or two words of 8-bit weights a list;
    // dense lists of 10 · 8 + 10 bits rounded up to 128
    let memory: u64 = budget.cores.iter().map(|core| core.synapse_memory).sum();
    assert_eq!(memory, 9 * (1 + 1) * 128 + 9 * 16 * (1 + 2) * 128 + 32 * 49 * 128);

    let table = budget.to_string();
    let lines: Vec<_> = table.lines().collect();
    assert!(lines[0].contains("modelled, not measured") && lines[0].contains("inference"));
    assert!(lines[2].ends_with("<- binds") && lines[3].ends_with("<- next"), "{table}");
    let output_axons = lines.iter().find(|line| line.starts_with("output axons")).unwrap();
    assert!(output_axons.ends_with("unknown"), "{table}");
    let text = serde_json::to_string(&budget).unwrap();
    assert_eq!(serde_json::from_str::<loihi_export::budget::Budget>(&text).unwrap(), budget);
}

#[test]
fn pictures_are_cut_between_channels_then_between_rows() {
    let mut net = network(vec![population("digit", "input", Shape::Picture([1, 10, 10]))]);
    convolve(&mut net, 0, geometry([1, 10, 10], 3, [1, 1], [1, 1], [0; 4], [1, 1], 1));
    for (neurons_per_core, unit) in [(250, 100), (100, 100), (99, 10), (25, 10), (7, 1)] {
        let limits = CoreLimits { neurons_per_core, axon_map_entries: None, ..tiny() };
        let in_order = ["sequential_fill", "even_split"];
        for partitioner in PARTITIONERS.iter().filter(|p| in_order.contains(&p.name)) {
            let algorithm = partitioner.name.to_owned();
            let partition = PartitionConfig { algorithm, ..PartitionConfig::default() };
            let config = MapConfig { partition, ..MapConfig::default() };
            let mapping = map(&net, &limits, &config).unwrap();
            for slice in &mapping.slices {
                assert_eq!(slice.first() % unit, 0, "{} {neurons_per_core}", partitioner.name);
            }
        }
    }
}

#[test]
fn networks_without_neurons_on_chip_need_no_core() {
    let empty = network(vec![population("digit", "input", Shape::List(4))]);
    let mut hollow = network(vec![
        population("none", "lif", Shape::List(0)),
        population("target", "lif", Shape::List(3)),
    ]);
    dense(&mut hollow, 0, 1);
    let nothing = Connection::Convolution {
        geometry: geometry([0, 5, 5], 0, [3, 3], [1, 1], [0; 4], [1, 1], 7),
        weights: Vec::new(),
    };
    hollow.populations.push(population("nothing", "lif", Shape::Picture([0, 3, 3])));
    hollow.populations[0].shape = Shape::Picture([0, 5, 5]);
    connect(&mut hollow, 0, 2, nothing, 0);
    for (net, cores) in [(empty, 0), (hollow, 1)] {
        for partitioner in PARTITIONERS {
            let algorithm = partitioner.name.to_owned();
            let partition = PartitionConfig { algorithm, ..PartitionConfig::default() };
            let config = MapConfig { partition, ..MapConfig::default() };
            let mapping = map(&net, &tiny(), &config).unwrap();
            let budget = budget(&check(&net, &tiny(), mapping).unwrap());
            assert_eq!(budget.cores_used, cores);
        }
    }
}

#[test]
fn all_problems_of_a_network_come_at_once() {
    // a population whose neurons have too many inputs, another with lists that are too long, and
    // more neurons than there are cores for
    let mut net = network(vec![
        population("wide", "input", Shape::List(500)),
        population("first", "lif", Shape::List(3)),
        population("second", "lif", Shape::List(24 * 64)),
        population("third", "lif", Shape::List(2)),
    ]);
    dense(&mut net, 0, 1);
    dense(&mut net, 0, 3);
    for error in refused(&net, &tiny()) {
        let text = error.to_string();
        let PartitionError::Several { problems } = error else { panic!("{text}") };
        let named = |wanted: &str, short: Resource| {
            problems.iter().any(|problem| {
                matches!(problem,
                PartitionError::DoesNotFit { population, resource, needed, available, .. }
                    if population == wanted && *resource == short && needed > available)
            })
        };
        for population in ["first", "third"] {
            assert!(named(population, Resource::InputAxons), "{text}");
            assert!(named(population, Resource::SynapseMemory), "{text}");
        }
        assert!(problems.iter().any(|p| matches!(p, PartitionError::Cores { .. })), "{text}");
        assert!(text.starts_with("5 problems:"), "{text}");
        // more chips make no core larger
        assert!(!text.contains("use 2 chips"), "{text}");
    }
}
