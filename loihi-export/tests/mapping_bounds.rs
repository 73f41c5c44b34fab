//! What is said before anything is cut, and what refining a cut promises.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail so")]

mod mapping_networks;

use loihi_export::mapping::usage::{inbound_usage, usage_of_slices};
use loihi_export::mapping::{CoreLimits, Run};
use loihi_export::partition::{Partition, PartitionConfig, PartitionError, partition};
use loihi_export::quantise::network::{Connection, QuantisedNetwork};
use mapping_networks::{Random, network, population, random_network, sparse, tiny};
use sim_core::network::Shape;

fn cut(net: &QuantisedNetwork, limits: &CoreLimits, algorithm: &str) -> Partition {
    let algorithm = algorithm.to_owned();
    let config = PartitionConfig { algorithm, chips: 1000, ..PartitionConfig::default() };
    partition(net, limits, &config).unwrap()
}

/// (at the least, about) of a network that a single core cannot hold.
fn refused(net: &QuantisedNetwork, limits: &CoreLimits) -> Option<(u64, u64)> {
    let one = CoreLimits { cores: 1, ..limits.clone() };
    let error = partition(net, &one, &PartitionConfig::default()).err()?;
    let problems = match error {
        PartitionError::Several { problems } => problems,
        one => vec![one],
    };
    problems.into_iter().find_map(|problem| match problem {
        PartitionError::Cores { needed, at_least: true, about, .. } => {
            Some((needed, about.unwrap_or(needed)))
        }
        _ => None,
    })
}

/// Every neuron receives from `degree` of the others, drawn anywhere or within `reach`.
fn drawn(neurons: u32, degree: u32, reach: Option<u32>, seed: u64) -> QuantisedNetwork {
    let mut random = Random(seed);
    let mut net = network(vec![population("cells", "lif", Shape::List(neurons))]);
    let mut pairs: Vec<(u32, u32)> = Vec::new();
    for target in 0..neurons {
        for _ in 0..degree {
            let source = match reach {
                Some(reach) => {
                    let step = random.below(u64::from(2 * reach + 1)) as u32;
                    (target + neurons + step - reach) % neurons
                }
                None => random.below(neurons.into()) as u32,
            };
            pairs.push((target, source));
        }
    }
    pairs.sort_unstable();
    sparse(&mut net, 0, 0, 0, 0, &mut random);
    let Connection::Sparse { targets, sources, weights, .. } = &mut net.projections[0].connection
    else {
        panic!("not listed");
    };
    *targets = pairs.iter().map(|pair| pair.0).collect();
    *sources = pairs.iter().map(|pair| pair.1).collect();
    *weights = vec![2; pairs.len()];
    net
}

#[test]
fn no_cut_needs_fewer_cores_than_are_named_before_cutting() {
    let mut named = 0;
    for seed in 0..30 {
        let net = random_network(seed);
        let Some((least, _)) = refused(&net, &tiny()) else { continue };
        named += 1;
        for algorithm in ["automatic", "sequential_fill", "greedy_overlap", "multilevel"] {
            let cores = u64::from(cut(&net, &tiny(), algorithm).cores);
            assert!(least <= cores, "seed {seed}, {algorithm}: {least} > {cores}");
        }
    }
    assert!(named > 5, "{named}");
}

#[test]
fn networks_connected_at_random_are_estimated_by_the_axons_that_enter_cores() {
    // 24 neurons with 20 inputs each, of which few are shared, are more than 400 axons
    let net = drawn(4000, 20, None, 5);
    let limits = CoreLimits { output_axons: None, ..tiny() };
    let (least, about) = refused(&net, &limits).unwrap();
    let cores = u64::from(cut(&net, &limits, "greedy_overlap").cores);
    assert!(least < about, "{least} {about}");
    assert!(about.abs_diff(cores) * 4 < cores, "about {about}, {cores} cores");
}

#[test]
fn slices_in_order_of_listed_synapses_are_as_long_as_a_core_allows() {
    for (net, what) in [
        (drawn(900, 20, None, 1), "anywhere"),
        (drawn(900, 12, Some(9), 2), "near"),
        (drawn(900, 3, Some(200), 3), "few"),
    ] {
        let limits = CoreLimits { output_axons: None, ..tiny() };
        let made = cut(&net, &limits, "sequential_fill");
        let fits = |run: Run| inbound_usage(&net, &limits, 0, &[run]).exceeds(&limits).is_none();
        for slice in &made.slices {
            let [run] = slice.runs[..] else { panic!("{what}: {slice:?}") };
            let longer = Run { length: run.length + 1, ..run };
            assert!(fits(run), "{what}: {run:?}");
            assert!(run.range().end == 900 || !fits(longer), "{what}: {run:?} may be longer");
        }
    }
}

#[test]
fn refining_saves_input_axons_and_leaves_no_core_over_its_limits() {
    let limits = CoreLimits { output_axons: None, ..tiny() };
    let (mut before, mut after) = (0, 0);
    for (seed, degree, reach) in
        [(1, 12, Some(40)), (2, 20, Some(200)), (3, 8, None), (4, 30, None)]
    {
        let net = drawn(1500, degree, reach, seed);
        let axons = |partition: &Partition| -> u64 {
            let usage = usage_of_slices(&net, &partition.slices, &limits);
            assert!(usage.iter().all(|usage| usage.exceeds(&limits).is_none()));
            usage.iter().map(|usage| usage.input_axons).sum()
        };
        let (grown, refined) =
            (cut(&net, &limits, "greedy_overlap"), cut(&net, &limits, "multilevel"));
        assert_eq!(refined, cut(&net, &limits, "multilevel"));
        assert!(refined.cores <= grown.cores, "{} {}", refined.cores, grown.cores);
        before += axons(&grown);
        after += axons(&refined);
    }
    assert!(after < before, "{after} {before}");
}
