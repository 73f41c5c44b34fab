//! This example shows: petgraph's algorithms on a compiled network, a convolution included.
//!
//! A picture of 6×6 pixels goes through a convolution (two channels, kernel 3×3) to four read-out
//! neurons; a second, unconnected pair of populations stands beside it. Neurons are nodes, synapses
//! are edges; the shared kernel is never expanded into one weight a synapse.
//!
//! Run it with `cargo run --example graph_algorithms`.

#![allow(clippy::print_stdout)] // an example prints

use petgraph::algo::{connected_components, toposort};
use petgraph::visit::{Bfs, EdgeCount, NodeCount};
use spikeloom::sim_core::connectome::{CompileConfig, Connectome, compile};
use spikeloom::sim_core::network::{
    AllToAll, Connectivity, Convolution, Network, Neuron, OneToOne, Population, Projection, Shape,
};
use spikeloom::sim_core::neuron::integrate_and_fire::IntegrateAndFire;
use spikeloom::sim_core::units::{Milliseconds, Values};
use std::error::Error;

fn network(feedback: bool) -> Network {
    let cells = || Neuron::from(IntegrateAndFire::default());
    let geometry = Convolution {
        source: [1, 6, 6],
        target: [2, 4, 4],
        kernel: [3, 3],
        stride: [1, 1],
        padding: [0; 4],
        dilation: [1, 1],
        groups: 1,
    };
    let mut network = Network::new("picture", Milliseconds(1.0));
    let picture = Population::shaped(Shape::Picture(geometry.source), Neuron::spike_source());
    network.add_population("picture", picture);
    let features = Population::shaped(Shape::Picture(geometry.target), cells());
    network.add_population("features", features);
    network.add_population("read_out", Population::new(4, cells()));
    network.add_population("other_source", Population::new(5, Neuron::spike_source()));
    network.add_population("other_target", Population::new(5, cells()));

    let mut connect =
        |name: &str, source: &str, target: &str, rule: Connectivity, weight: Values| {
            network.add_projection(name, Projection::new(source, target, rule).weight(weight));
        };
    let kernel = Values::numbers((0..geometry.weight_count()).map(|i| i as f64).collect());
    connect("convolution", "picture", "features", Connectivity::Convolution(geometry), kernel);
    let all = || Connectivity::AllToAll(AllToAll { autapses: true });
    connect("dense", "features", "read_out", all(), 0.1.into());
    connect("pairs", "other_source", "other_target", Connectivity::OneToOne(OneToOne), 1.0.into());
    if feedback {
        connect("feedback", "read_out", "features", all(), (-0.1).into());
    }
    network
}

/// How many neurons of each population a spike of `start` can reach, itself included.
fn reached(connectome: &Connectome, start: u32) -> Vec<usize> {
    let graph = connectome.graph();
    let mut counts = vec![0; connectome.populations().len()];
    let mut search = Bfs::new(&graph, start);
    while let Some(neuron) = search.next(&graph) {
        let populations = connectome.populations().iter();
        for (count, _) in counts.iter_mut().zip(populations).filter(|(_, p)| p.contains(&neuron)) {
            *count += 1;
        }
    }
    counts
}

fn main() -> Result<(), Box<dyn Error>> {
    let valid = network(false).validate()?;
    let connectome = compile(&valid, CompileConfig::UNLIMITED)?;
    let graph = connectome.graph();
    println!("{} neurons, {} synapses", graph.node_count(), graph.edge_count());
    let kernel = &connectome.fanouts()[0];
    println!("the convolution: {} synapses in {} bytes", kernel.synapse_count(), kernel.bytes());

    // The corner pixel lies in one window, a pixel of the middle in nine, in each channel.
    for (what, pixel) in [("corner", 0), ("middle", 2 * 6 + 2)] {
        let counts = reached(&connectome, pixel);
        println!(
            "breadth-first search from the {what}: [pixels, features, read-out, …] = {counts:?}"
        );
    }
    println!("connected components: {}", connected_components(&graph));

    let order = toposort(&graph, None).map_err(|cycle| format!("{cycle:?}"))?;
    let position = |neuron: u32| order.iter().position(|&other| other == neuron);
    let read_out = connectome.populations()[2].clone();
    let last_feature = connectome.populations()[1].clone().filter_map(position).max();
    let first_read_out = read_out.filter_map(position).min();
    println!(
        "topological order of {} neurons: the last feature stands {}th, the first read-out {}th",
        order.len(),
        last_feature.ok_or("no features")? + 1,
        first_read_out.ok_or("no read-out")? + 1
    );

    let valid = network(true).validate()?;
    let connectome = compile(&valid, CompileConfig::UNLIMITED)?;
    match toposort(&connectome.graph(), None) {
        Ok(_) => return Err("the feedback was not found".into()),
        Err(cycle) => {
            println!("with feedback: no order, neuron {} lies on a cycle", cycle.node_id())
        }
    }
    Ok(())
}
