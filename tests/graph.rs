//! petgraph's algorithms on compiled networks against plain computations on the synapse list.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

use petgraph::Direction;
use petgraph::algo::{connected_components, dijkstra, kosaraju_scc, toposort};
use petgraph::visit::{
    Bfs, EdgeCount, EdgeRef, IntoEdgeReferences, IntoNeighborsDirected, NodeCount,
};
use sim_core::connectome::graph::Edge;
use sim_core::engine::Compiled;
use sim_core::network::{
    Connectivity, Convolution, Dense, Network, Neuron, Population, Projection, Shape,
};
use sim_core::neuron::integrate_and_fire::IntegrateAndFire;
use sim_core::units::{Milliseconds, Values};
use std::collections::BTreeSet;
use std::sync::Arc;
use test_support::generate::{Family, Size, network};
use test_support::reference::synapse::{PlainSynapse, expand};
use test_support::suite::compile;

/// Random networks with every rule, convolutions among them.
fn networks() -> impl Iterator<Item = (Arc<Compiled>, Vec<PlainSynapse>)> {
    (0..40).map(|seed| {
        let compiled = compile(&network(Family::Mixed, seed, Size::SMALL));
        let synapses = expand(&compiled);
        (compiled, synapses)
    })
}

/// Whether each neuron can be reached from another in zero or more synapses: `[from][to]`.
fn reachability(neurons: u32, synapses: &[PlainSynapse]) -> Vec<Vec<bool>> {
    let n = neurons as usize;
    let mut reached = vec![vec![false; n]; n];
    for (from, row) in reached.iter_mut().enumerate() {
        row[from] = true;
        let mut grown = true;
        while grown {
            grown = false;
            for synapse in synapses {
                if row[synapse.source as usize] && !row[synapse.target as usize] {
                    row[synapse.target as usize] = true;
                    grown = true;
                }
            }
        }
    }
    reached
}

#[test]
fn the_edges_are_the_synapses_with_weight_delay_and_projection() {
    let mut convolutions = 0;
    for (compiled, mut synapses) in networks() {
        let graph = compiled.connectome().graph();
        assert_eq!(graph.node_count() as u32, compiled.network().neuron_count());
        assert_eq!(graph.edge_count(), synapses.len());
        let rounded = |synapse: &PlainSynapse| {
            let population = compiled.network().population_of(synapse.target).unwrap();
            let model = compiled.network().populations()[population].model;
            model.round(synapse.weight).to_bits()
        };
        let mut expected: Vec<_> = synapses
            .drain(..)
            .map(|s| (s.projection, s.source, s.target, s.delay, rounded(&s)))
            .collect();
        let plain = |edge: Edge| {
            let synapse = edge.synapse();
            assert_eq!(edge.weight().to_bits(), synapse.weight.to_bits());
            (
                synapse.projection as usize,
                edge.source(),
                edge.target(),
                u64::from(synapse.delay),
                synapse.weight.to_bits(),
            )
        };
        let mut found: Vec<_> = graph.edge_references().map(plain).collect();
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected);
        let ids: BTreeSet<_> = graph.edge_references().map(|edge| edge.id()).collect();
        assert_eq!(ids.len(), found.len(), "an edge's identity is its own");
        let rules = compiled.network().projections().values();
        convolutions +=
            rules.filter(|p| matches!(p.connectivity, Connectivity::Convolution(_))).count();
    }
    assert!(convolutions > 10, "{convolutions}");
}

#[test]
fn incoming_neighbours_are_the_sources() {
    for (compiled, synapses) in networks() {
        let graph = compiled.connectome().graph();
        for neuron in 0..compiled.network().neuron_count() {
            let mut found: Vec<u32> =
                (&graph).neighbors_directed(neuron, Direction::Incoming).collect();
            let into = synapses.iter().filter(|s| s.target == neuron);
            let mut expected: Vec<u32> = into.map(|s| s.source).collect();
            found.sort_unstable();
            expected.sort_unstable();
            assert_eq!(found, expected);
        }
    }
}

#[test]
fn breadth_first_search_reaches_what_can_be_reached() {
    for (compiled, synapses) in networks() {
        let graph = compiled.connectome().graph();
        let reached = reachability(compiled.network().neuron_count(), &synapses);
        for (start, row) in reached.iter().enumerate().step_by(5) {
            let mut search = Bfs::new(&graph, start as u32);
            let mut found = BTreeSet::new();
            while let Some(neuron) = search.next(&graph) {
                assert!(found.insert(neuron), "{neuron} twice");
            }
            let expected: BTreeSet<u32> =
                (0..row.len() as u32).filter(|&neuron| row[neuron as usize]).collect();
            assert_eq!(found, expected);
        }
    }
}

#[test]
fn connected_components_are_counted_as_by_merging_labels() {
    for (compiled, synapses) in networks() {
        let graph = compiled.connectome().graph();
        let mut label: Vec<u32> = (0..compiled.network().neuron_count()).collect();
        let mut merged = true;
        while merged {
            merged = false;
            for synapse in &synapses {
                let (a, b) = (label[synapse.source as usize], label[synapse.target as usize]);
                if a != b {
                    label[synapse.source as usize] = a.min(b);
                    label[synapse.target as usize] = a.min(b);
                    merged = true;
                }
            }
        }
        let labels: BTreeSet<u32> = label.into_iter().collect();
        assert_eq!(connected_components(&graph), labels.len());
    }
}

#[test]
fn strongly_connected_components_are_the_mutually_reachable_neurons() {
    let mut loops = 0;
    for (compiled, synapses) in networks() {
        let graph = compiled.connectome().graph();
        let reached = reachability(compiled.network().neuron_count(), &synapses);
        let components = kosaraju_scc(&graph);
        let count: usize = components.iter().map(Vec::len).sum();
        assert_eq!(count, reached.len());
        for component in &components {
            let first = component[0] as usize;
            for (other, reached_by_other) in reached.iter().enumerate() {
                let mutual = reached[first][other] && reached_by_other[first];
                assert_eq!(component.contains(&(other as u32)), mutual);
            }
            loops += usize::from(component.len() > 1);
        }
    }
    assert!(loops > 5, "{loops}");
}

#[test]
fn a_topological_order_exists_where_there_is_no_loop_and_follows_the_synapses() {
    let mut ordered = 0;
    for (compiled, synapses) in networks() {
        let graph = compiled.connectome().graph();
        let reached = reachability(compiled.network().neuron_count(), &synapses);
        let looped = synapses.iter().any(|s| reached[s.target as usize][s.source as usize]);
        match toposort(&graph, None) {
            Ok(order) => {
                assert!(!looped);
                let mut place = vec![0; order.len()];
                for (at, neuron) in order.iter().enumerate() {
                    place[*neuron as usize] = at;
                }
                for synapse in &synapses {
                    assert!(place[synapse.source as usize] < place[synapse.target as usize]);
                }
                ordered += 1;
            }
            Err(cycle) => {
                assert!(looped);
                let neuron = cycle.node_id() as usize;
                let own = synapses.iter().filter(|s| s.source as usize == neuron);
                assert!(own.into_iter().any(|s| reached[s.target as usize][neuron]));
            }
        }
    }
    assert!(ordered > 3, "{ordered}");
}

#[test]
fn the_shortest_way_by_delay_is_bellman_and_fords() {
    for (compiled, synapses) in networks() {
        let graph = compiled.connectome().graph();
        let neurons = compiled.network().neuron_count() as usize;
        let mut expected = vec![u64::MAX; neurons];
        expected[0] = 0;
        for _ in 0..neurons {
            for s in &synapses {
                let via = expected[s.source as usize].saturating_add(s.delay);
                let best = &mut expected[s.target as usize];
                *best = via.min(*best);
            }
        }
        let found = dijkstra(&graph, 0, None, |edge| u64::from(edge.synapse().delay));
        for (neuron, &steps) in expected.iter().enumerate() {
            let reached = found.get(&(neuron as u32)).copied();
            assert_eq!(reached.unwrap_or(u64::MAX), steps);
        }
    }
}

/// A picture through a padded 3×3 convolution and a dense read-out.
fn convolutional_network() -> Network {
    let mut network = Network::new("convolutional", Milliseconds(1.0));
    let picture = Shape::Picture([1, 6, 6]);
    network.add_population("image", Population::shaped(picture, Neuron::spike_source()));
    let features = Shape::Picture([2, 6, 6]);
    network.add_population("features", Population::shaped(features, IntegrateAndFire::default()));
    network.add_population("classes", Population::new(3, IntegrateAndFire::default()));
    let geometry = Convolution {
        source: [1, 6, 6],
        target: [2, 6, 6],
        kernel: [3, 3],
        stride: [1, 1],
        padding: [1; 4],
        dilation: [1, 1],
        groups: 1,
    };
    network.add_projection(
        "convolve",
        Projection::new("image", "features", Connectivity::Convolution(geometry))
            .weight(Values::numbers(vec![0.5; 18])),
    );
    network.add_projection(
        "read out",
        Projection::new("features", "classes", Dense).weight(Values::numbers(vec![0.25; 216])),
    );
    network
}

#[test]
fn a_corner_pixel_reaches_its_receptive_fields_and_all_classes() {
    let compiled = compile(&convolutional_network());
    let graph = compiled.connectome().graph();
    // Inner pixels have nine targets a channel, edges six, corners four.
    let taps = 16 * 9 + 16 * 6 + 4 * 4;
    assert_eq!(graph.edge_count(), 2 * taps + 216);
    let mut search = Bfs::new(&graph, 0);
    let mut found = Vec::new();
    while let Some(neuron) = search.next(&graph) {
        found.push(neuron);
    }
    found.sort_unstable();
    let first = [36, 37, 42, 43];
    let second = first.map(|neuron| neuron + 36);
    let expected: Vec<u32> = [0].into_iter().chain(first).chain(second).chain(108..111).collect();
    assert_eq!(found, expected);
    assert_eq!(connected_components(&graph), 1);
    let order = toposort(&graph, None).unwrap();
    assert!(order[order.len() - 3..].iter().all(|neuron| (108..111).contains(neuron)));
    // The kernel is shared: 18 weights and the tables of two axes, not 512 synapses of 12 bytes.
    let dense = 8 * 216;
    let bytes = compiled.connectome().bytes() - dense;
    assert!((8 * 18..12 * 512 / 8).contains(&bytes), "{bytes}");
}
