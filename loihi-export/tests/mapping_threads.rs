//! Mappings are the same bytes for any number of threads, and follow their seed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail so")]

mod mapping_networks;

use loihi_export::check::check;
use loihi_export::export::core_map::{core_map, to_json};
use loihi_export::mapping::{CoreLimits, MapConfig, map};
use loihi_export::partition::{PARTITIONERS, PartitionConfig};
use loihi_export::place::{PLACERS, PlaceConfig};
use loihi_export::quantise::network::QuantisedNetwork;
use loihi_export::route::{ROUTERS, RouteConfig};
use mapping_networks::{Random, network, population, random_network, sparse, tiny};
use sim_core::network::Shape;

/// A sheet of several hundred cores, so that there is work for every thread.
fn large() -> QuantisedNetwork {
    let mut net = network(vec![
        population("input", "input", Shape::List(40)),
        population("first", "lif", Shape::List(900)),
        population("second", "lif", Shape::List(600)),
    ]);
    let mut random = Random(5);
    sparse(&mut net, 0, 1, 10, 0, &mut random);
    sparse(&mut net, 1, 1, 2, 1, &mut random);
    sparse(&mut net, 1, 2, 2, 0, &mut random);
    sparse(&mut net, 2, 1, 1, 0, &mut random);
    net
}

fn configs(seed: u64) -> Vec<MapConfig> {
    let mut configs = Vec::new();
    for partitioner in PARTITIONERS {
        for (placer, router) in PLACERS.iter().zip(ROUTERS.iter().cycle()) {
            let algorithm = partitioner.name.to_owned();
            let partition =
                PartitionConfig { algorithm, chips: 64, seed, ..PartitionConfig::default() };
            let algorithm = placer.name.to_owned();
            let spikes_per_million = vec![90_000, 20_000, 50_000];
            let place = PlaceConfig { algorithm, seed, spikes_per_million };
            let route = RouteConfig { algorithm: router.name.to_owned() };
            configs.push(MapConfig { partition, place, route });
        }
    }
    configs
}

fn written(net: &QuantisedNetwork, limits: &CoreLimits, config: &MapConfig) -> String {
    let mapping = map(net, limits, config).unwrap();
    to_json(&core_map(&check(net, limits, mapping).unwrap())).unwrap()
}

#[test]
fn mappings_are_the_same_bytes_for_any_number_of_threads() {
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let (one, two, eight) = (pool(1), pool(2), pool(8));
    // chips of few cores, so that the mapping covers many chips
    let limits = CoreLimits { cores: 12, mesh_columns: 3, mesh_rows: 2, ..tiny() };
    let mut chips = 0;
    for net in [large(), random_network(3), random_network(8)] {
        for config in configs(7) {
            let alone = one.install(|| written(&net, &limits, &config));
            for pool in [&two, &eight] {
                assert_eq!(pool.install(|| written(&net, &limits, &config)), alone, "{config:?}");
            }
            chips = chips.max(alone.matches("\"logical_chip_id\": 3,").count());
        }
    }
    assert!(chips > 0, "the large network must need several chips");
}

#[test]
fn seeds_change_what_is_drawn_and_nothing_else() {
    let (net, limits) = (large(), tiny());
    let mut changed = Vec::new();
    for (first, second) in configs(1).into_iter().zip(configs(2)) {
        let equal = written(&net, &limits, &first) == written(&net, &limits, &second);
        let draws =
            first.partition.algorithm == "metis" || first.place.algorithm == "simulated_annealing";
        assert!(equal || draws, "{first:?}");
        if !equal {
            changed.push(first.place.algorithm);
        }
    }
    assert!(changed.iter().any(|name| name == "simulated_annealing"), "{changed:?}");
}
