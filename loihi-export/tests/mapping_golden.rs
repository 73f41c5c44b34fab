//! Core utilisation against what nengo-loihi 1.1.0 recorded.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail so")]

mod mapping_networks;

use loihi_export::budget::budget;
use loihi_export::check::{Rule, check, violations};
use loihi_export::mapping::usage::usage_of_cores;
use loihi_export::mapping::{
    Casting, CoreLimits, CorePosition, MapConfig, Mapping, Resource, RouterPosition, Slice, map,
};
use loihi_export::partition::PartitionConfig;
use loihi_export::quantise::network::QuantisedNetwork;
use mapping_networks::{dense, limits, network, population};
use serde_json::Value;
use sim_core::network::Shape;

fn recorded() -> Value {
    let text = include_str!("../../tests/data/mapping/nengo_loihi_util.json");
    serde_json::from_str(text).unwrap()
}

/// The network as nengo-loihi has it: the first layer is on chip and driven by its biases.
fn perceptron(layers: &[u32]) -> QuantisedNetwork {
    let named = |(i, &n)| population(&format!("L{i}"), "lif", Shape::List(n));
    let mut net = network(layers.iter().enumerate().map(named).collect());
    for layer in 1..layers.len() {
        dense(&mut net, layer - 1, layer);
    }
    net
}

/// One block a core, split evenly: nengo-loihi's rules.
fn like_nengo() -> MapConfig {
    let algorithm = "even_split".to_owned();
    let partition = PartitionConfig { algorithm, share_cores: false, ..PartitionConfig::default() };
    MapConfig { partition, ..MapConfig::default() }
}

const KEYS: [(&str, Resource); 4] = [
    ("compartments", Resource::Neurons),
    ("in-axons", Resource::InputAxons),
    ("out-axons", Resource::OutputAxons),
    ("synapses", Resource::SynapseMemory),
];

#[test]
fn the_limits_of_loihi_1_are_those_of_the_recording() {
    let (limits, recorded) = (limits("loihi1"), recorded());
    for (key, resource) in [
        ("compartments", Resource::Neurons),
        ("in_axons", Resource::InputAxons),
        ("out_axons", Resource::OutputAxons),
        ("synapse_bits", Resource::SynapseMemory),
    ] {
        assert_eq!(limits.limit(resource), recorded["limits"][key].as_u64(), "{key}");
    }
}

#[test]
fn perceptrons_are_split_and_counted_as_recorded_to_the_bit() {
    let (limits, recorded) = (limits("loihi1"), recorded());
    for (name, layers) in
        [("mlp_100_50_10", &[100, 50, 10][..]), ("mlp_400_300_10", &[400, 300, 10][..])]
    {
        let net = perceptron(layers);
        let mapping = map(&net, &limits, &like_nengo()).unwrap();
        let checked = check(&net, &limits, mapping).unwrap();
        let budget = budget(&checked);
        let blocks = recorded["nets"][name]["blocks"].as_array().unwrap();
        assert_eq!(budget.cores.len(), blocks.len(), "{name}");
        for (core, block) in budget.cores.iter().zip(blocks) {
            for (key, resource) in KEYS {
                let used = block[key]["used"].as_u64().unwrap();
                assert_eq!(core.amount(resource), used, "{name} {} {key}", block["label"]);
            }
        }
    }
}

#[test]
fn every_recorded_synapse_list_has_the_recorded_bits() {
    let (model, recorded) = (limits("loihi1").synapse_memory, recorded());
    let mut lists = 0;
    for net in recorded["nets"].as_object().unwrap().values() {
        for block in net["blocks"].as_array().into_iter().flatten() {
            for synapse in block["synapses_detail"].as_array().unwrap() {
                let number = |key: &str| synapse[key].as_u64().unwrap();
                // compression 3: no index is stored, not even for the sparse network
                assert_eq!(number("compression"), 3);
                let bits =
                    model.list_bits(number("weights_per_axon_first"), number("weight_bits") as u32);
                assert_eq!(bits, number("bits_of_first_axon"), "{synapse}");
                let neurons = block["n"].as_u64().unwrap() as u32;
                assert_eq!(u64::from(model.index_width(neurons)), number("idx_bits"), "{synapse}");
                lists += 1;
            }
        }
    }
    assert_eq!(lists, 6);
}

/// A mapping with the given slices, each on a core of its own.
fn by_hand(net: &QuantisedNetwork, limits: &CoreLimits, slices: &[(usize, u32, u32)]) -> Mapping {
    let slice = |(core, &(population, first, length)): (u32, &(usize, u32, u32))| Slice {
        core,
        ..Slice::range(population, first..first + length)
    };
    let position = |core: u32| CorePosition {
        router: RouterPosition { chip: 0, x: core / 4, y: 0 },
        core: core % 4,
    };
    Mapping {
        network: net.name.clone(),
        chip: limits.chip.clone(),
        slices: (0..).zip(slices).map(slice).collect(),
        cores: (0..slices.len() as u32).map(position).collect(),
        routes: Vec::new(),
        links: Vec::new(),
        casting: Casting::Unicast,
    }
}

/// The number after `(` in a recorded `Output axons (5120) exceeded max (4096)`.
fn recorded_output_axons(recorded: &Value, name: &str) -> u64 {
    let message = recorded["nets"][name].as_str().unwrap();
    let number = message.split("Output axons (").nth(1).unwrap().split(')').next().unwrap();
    number.parse().unwrap()
}

#[test]
fn networks_that_nengo_refuses_are_counted_as_it_does_and_then_cut_to_fit() {
    let (limits, recorded) = (limits("loihi1"), recorded());
    // nengo's slices: as few equal parts of the target layer as the synapse memory allows
    for (name, layers, sources, parts) in [
        ("big_1024_512", [1024, 512], vec![(0, 0, 1024)], 5),
        ("split_3000_200", [3000, 200], vec![(0, 0, 1000), (0, 1000, 1000), (0, 2000, 1000)], 6),
    ] {
        let net = perceptron(&layers);
        let cut = |part: u32| layers[1] * part / parts;
        let mut slices = sources.clone();
        slices.extend((0..parts).map(|part| (1, cut(part), cut(part + 1) - cut(part))));
        let mapping = by_hand(&net, &limits, &slices);
        let expected = recorded_output_axons(&recorded, name);
        let usage = usage_of_cores(&net, &mapping.slices, mapping.cores.len(), &limits);
        assert_eq!(usage[0].output_axons, expected, "{name}");
        let found = violations(&net, &limits, &mapping);
        let message = format!("{expected} output axons, a core has 4096");
        assert!(
            found.iter().any(|v| v.rule == Rule::CoreLimit && v.message == message),
            "{name}: {found:?}"
        );
        let cut_to_fit = map(&net, &limits, &like_nengo()).unwrap();
        check(&net, &limits, cut_to_fit).unwrap();
    }
}

#[test]
fn a_784_to_128_dense_layer_of_8_bits_takes_the_published_share_of_a_loihi_1_core() {
    // 784 lists of two full blocks of 64 · 8 + 10 bits, each rounded up to 576: 86.13 %
    let limits = limits("loihi1");
    let mut net = perceptron(&[784, 128]);
    net.populations[0].process = "input".to_owned();
    let mapping = map(&net, &limits, &like_nengo()).unwrap();
    let budget = budget(&check(&net, &limits, mapping).unwrap());
    assert_eq!(budget.cores[0].synapse_memory, 784 * 2 * 576);
    assert_eq!(format!("{:.2}", budget.binding().unwrap().fill * 100.0), "86.13");
    assert_eq!(budget.binding().unwrap().resource, Resource::SynapseMemory);
    assert_eq!(budget.next_binding().unwrap().resource, Resource::InputAxons);
}
