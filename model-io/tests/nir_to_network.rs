//! Graphs as network descriptions: the clock engine spikes as the graph's own reference run does.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing step is a failing test")]

use std::path::PathBuf;

mod driven;

use model_io::array::Array;
use model_io::nir::dialect::{Convention, Decay, find_dialect};
use model_io::nir::run::run;
use model_io::nir::to_network::{NirReading, to_network};
use model_io::nir::{
    Affine, Conv2d, Delay, Flatten, If, Input, Linear, NirGraph, Output, Padding, Primitive, Scale,
    SumPool2d, from_network, read,
};
use sim_core::network::{Network, Probe};

const STEPS: usize = 50;

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/data/nir").join(name)
}

/// Ones and zeros `[step][neuron]`.
fn input(width: usize, part: u64) -> Vec<Vec<f64>> {
    let mut seed = 17_u64;
    let mut draw = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u8::from((seed >> 33) % 10 < part))
    };
    (0..STEPS).map(|_| (0..width).map(|_| draw()).collect()).collect()
}

/// Steps and neurons of a population's spikes, `depth` steps earlier.
fn spikes(
    mut network: Network,
    rows: &[Vec<f64>],
    population: &str,
    depth: usize,
) -> Vec<(usize, u32)> {
    let step = network.dt.in_base();
    network.add_probe("spikes", Probe::spikes(population));
    let recording = driven::simulate(network, rows, depth);
    let first = recording.populations.iter().find(|p| p.name == population).unwrap().first;
    let size = recording.populations.iter().find(|p| p.name == population).unwrap().size;
    let own = recording.spikes.iter().filter(|s| (first..first + size).contains(&s.neuron));
    let mut found: Vec<(usize, u32)> = own
        .map(|s| {
            let steps = (s.time.milliseconds() / step).round() as usize;
            (steps - 1 - depth, s.neuron - first)
        })
        .collect();
    found.sort_unstable();
    found
}

fn expected(graph: &NirGraph, convention: &Convention, rows: &[Vec<f64>]) -> Vec<(usize, u32)> {
    let rows = run(graph, convention, rows, &[]).unwrap();
    let mut found = Vec::new();
    for (step, row) in rows["output"].iter().enumerate() {
        found.extend((0_u32..).zip(row).filter(|(_, s)| **s != 0.0).map(|(n, _)| (step, n)));
    }
    found
}

fn reading(convention: Convention) -> NirReading {
    NirReading { convention, biases_from_start: false }
}

#[test]
fn leaky_loops_spike_as_the_graph_says_under_both_decays() {
    for name in ["recurrent_flat.nir", "recurrent_subgraph.nir"] {
        let mut graph = read(&data(name)).unwrap();
        let Primitive::Affine(affine) = &mut graph.nodes["fc"].primitive else { panic!("{name}") };
        let weights = affine.weight.values.to_f64().unwrap();
        affine.weight.values = weights.iter().map(|w| w.abs() * 12.0).collect::<Vec<_>>().into();
        affine.bias = Array::vector(vec![0.3, -0.2, 0.0, 0.7]);
        for decay in [Decay::Exponential, Decay::Euler] {
            let convention = Convention { decay, ..Convention::specification(1e-3) };
            let rows = input(3, 5);
            let (network, report) = to_network(&graph, "loop", &reading(convention)).unwrap();
            let population = network.populations.keys().find(|p| p.ends_with("lif")).unwrap();
            let ours = spikes(network.clone(), &rows, population, 1);
            let theirs = expected(&graph, &convention, &rows);
            assert!(theirs.len() > 20, "{} spikes", theirs.len());
            assert_eq!(ours, theirs, "{name}, {decay:?}");
            assert!(report.convention.contains("dt 1e-3"), "{}", report.convention);
        }
    }
}

fn shape_of(values: usize) -> Array {
    Array::vector(vec![0.0_f32; values])
}

fn layer(shape: Vec<usize>, threshold: f32) -> If {
    let size = shape.iter().product();
    let all = |value: f32| Array::new(shape.clone(), vec![value; size]).unwrap();
    If { r: all(2.0), v_threshold: all(threshold), v_reset: all(0.0) }
}

/// A convolution, a pooling before another one, a flattening, a delay and a matrix.
fn pictures() -> NirGraph {
    let mut seed = 3_u32;
    let mut weight = |shape: Vec<usize>| {
        let size = shape.iter().product();
        let mut draw = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(seed >> 24) / 128.0 - 0.8
        };
        let values: Vec<f64> = (0..size).map(|_| draw()).collect();
        Array::new(shape, values).unwrap()
    };
    let conv = |weight: Array, padding, stride| Conv2d {
        input_shape: None,
        bias: shape_of(weight.shape[0]),
        weight,
        stride,
        padding: Padding::Zeros(padding),
        dilation: [1, 1],
        groups: 1,
    };
    let mut graph = NirGraph::default();
    graph.add_node("input", Input { shape: vec![2, 8, 8] });
    graph.add_node("0", conv(weight(vec![3, 2, 3, 3]), [1, 1], [1, 1]));
    graph.add_node("1", layer(vec![3, 8, 8], 1.0));
    let window = [2, 2];
    graph.add_node("2", SumPool2d { kernel_size: window, stride: window, padding: [0, 0] });
    graph.add_node("3", conv(weight(vec![4, 3, 3, 3]), [1, 1], [2, 2]));
    graph.add_node("4", layer(vec![4, 2, 2], 2.0));
    graph.add_node("5", Flatten { input_type: None, start_dim: 0, end_dim: -1 });
    let bias = Array::vector(vec![0.25, 0.0, -0.125]);
    graph.add_node("6", Affine { weight: weight(vec![3, 16]), bias });
    graph.add_node("7", Delay { delay: Array::vector(vec![0.0, 3e-3, 1e-3]) });
    graph.add_node("8", layer(vec![3], 1.5));
    graph.add_node("output", Output { shape: vec![3] });
    let names = ["input", "0", "1", "2", "3", "4", "5", "6", "7", "8", "output"];
    for pair in names.windows(2) {
        graph.add_edge(pair[0], pair[1]);
    }
    graph
}

#[test]
fn pictures_pooling_and_delays_spike_as_the_graph_says() {
    let graph = pictures();
    let convention = Convention::specification(1e-3);
    let rows = input(128, 3);
    let (network, _) = to_network(&graph, "pictures", &reading(convention)).unwrap();
    let theirs = expected(&graph, &convention, &rows);
    assert!(theirs.len() > 20, "{} spikes", theirs.len());
    assert_eq!(spikes(network, &rows, "8", 3), theirs);
}

#[test]
fn a_picture_of_one_channel_is_a_picture() {
    let mut graph = NirGraph::default();
    graph.add_node("input", Input { shape: vec![1, 4, 4] });
    let weight = (0..18).map(|n| ((n * 5) % 7) as f64 / 8.0 - 0.25).collect::<Vec<_>>();
    let conv = Conv2d {
        input_shape: Some([4, 4]),
        weight: Array::new(vec![2, 1, 3, 3], weight).unwrap(),
        bias: Array::vector(vec![0.0, 0.125]),
        stride: [1, 1],
        padding: Padding::Zeros([1, 1]),
        dilation: [1, 1],
        groups: 1,
    };
    graph.add_node("0", conv);
    graph.add_node("1", layer(vec![2, 4, 4], 1.0));
    graph.add_node("output", Output { shape: vec![2, 4, 4] });
    for (from, to) in [("input", "0"), ("0", "1"), ("1", "output")] {
        graph.add_edge(from, to);
    }
    let convention = Convention::specification(1e-3);
    let rows = input(16, 2);
    let (network, _) = to_network(&graph, "one", &reading(convention)).unwrap();
    let theirs = expected(&graph, &convention, &rows);
    assert!(theirs.len() > 20, "{} spikes", theirs.len());
    assert_eq!(spikes(network, &rows, "1", 1), theirs);
}

#[test]
fn weights_that_follow_each_other_are_multiplied() {
    // a pooling, an Affine and a Linear one after the other, as exporters write them
    let mut graph = pictures();
    for name in ["3", "4", "7"] {
        graph.nodes.shift_remove(name);
    }
    let drawn = |rows: usize, columns: usize, step: usize| {
        let value = |n: usize| ((n * step) % 17) as f64 / 16.0 - 0.4;
        Array::new(vec![rows, columns], (0..rows * columns).map(value).collect::<Vec<_>>()).unwrap()
    };
    let bias = Array::vector(vec![0.25, 0.0, -0.125, 0.5]);
    graph.add_node("6", Affine { weight: drawn(4, 48, 5), bias });
    graph.add_node("last", Linear { weight: drawn(3, 4, 7) });
    graph.edges.retain(|(a, b)| ["input", "0", "1"].contains(&a.as_str()) && b != "3");
    let more = [("2", "5"), ("5", "6"), ("6", "last"), ("last", "8"), ("8", "output")];
    more.iter().for_each(|(from, to)| graph.add_edge(*from, *to));
    let convention = Convention::specification(1e-3);
    let rows = input(128, 3);
    let (network, report) = to_network(&graph, "product", &reading(convention)).unwrap();
    let notes = report.notes.iter().filter(|note| note.contains("multiplied into its own"));
    assert_eq!(notes.count(), 2, "{report:?}");
    let theirs = expected(&graph, &convention, &rows);
    assert!(theirs.len() > 20, "{} spikes", theirs.len());
    assert_eq!(spikes(network, &rows, "8", 2), theirs);
}

#[test]
fn what_we_write_is_read_back() {
    let mut graph = pictures();
    graph.nodes.shift_remove("7");
    graph.edges.retain(|(a, b)| a != "7" && b != "7");
    graph.add_edge("6", "8");
    let reading =
        NirReading { convention: Convention::specification(1e-3), biases_from_start: true };
    let (network, _) = to_network(&graph, "back", &reading).unwrap();
    let written = from_network(&network.validate().unwrap()).unwrap();
    let (again, _) = to_network(&written, "back", &reading).unwrap();
    assert_eq!(network.populations, again.populations);
    let weights = |network: &Network| -> Vec<Vec<f64>> {
        network.projections.values().map(|p| p.weight.in_base().unwrap()).collect()
    };
    // What is written is in single precision.
    for (ours, theirs) in weights(&network).iter().zip(weights(&again)) {
        assert!(ours.iter().zip(&theirs).all(|(a, b)| (*a as f32) == (*b as f32)));
    }
    assert_eq!(network.stimuli.len(), again.stimuli.len());
}

#[test]
fn pictures_that_are_joined_pixel_by_pixel_are_written_as_factors() {
    let convention = Convention::specification(1e-3);
    let mut graph = NirGraph::default();
    let shape = vec![2, 3, 4];
    let factors: Vec<f64> = (0..24).map(|n| 0.5 + f64::from(n) / 16.0).collect();
    let unit = 1e-3;
    let delays: Vec<f64> = (0..24).map(|n| f64::from(n % 3) * unit).collect();
    graph.add_node("input", Input { shape: shape.clone() });
    graph.add_node("factors", Scale { scale: Array::new(shape.clone(), factors).unwrap() });
    graph.add_node("delays", Delay { delay: Array::new(shape.clone(), delays).unwrap() });
    graph.add_node("layer", layer(shape.clone(), 1.0));
    graph.add_node("back", Scale { scale: Array::new(shape.clone(), vec![-0.25; 24]).unwrap() });
    graph.add_node("output", Output { shape });
    for pair in ["input", "factors", "delays", "layer", "back", "layer", "output"].windows(2) {
        graph.add_edge(pair[0], pair[1]);
    }
    let (network, _) = to_network(&graph, "made", &reading(convention)).unwrap();
    let written = from_network(&network.clone().validate().unwrap()).unwrap();
    let kinds: Vec<_> = written.nodes.values().map(|node| node.primitive.type_name()).collect();
    assert!(kinds.contains(&"Scale") && !kinds.contains(&"Affine"), "{kinds:?}");
    let rows = input(24, 5);
    let theirs = expected(&graph, &convention, &rows);
    assert!(theirs.len() > 20, "{} spikes", theirs.len());
    assert_eq!(expected(&written, &convention, &rows), theirs);
}

#[test]
fn what_a_description_cannot_say_is_refused_with_node_and_remedy() {
    let convention = Convention::specification(1e-3);
    let message = |graph: &NirGraph, convention: Convention| {
        to_network(graph, "refused", &reading(convention)).unwrap_err().to_string()
    };
    let lif = read(&data("prim_lif.nir")).unwrap();
    let text = message(&lif, Convention { decay: Decay::Euler, dt: 1.0, ..convention });
    assert!(text.contains("smaller dt"), "{text}");
    let mut short = pictures();
    let Primitive::Delay(delay) = &mut short.nodes["7"].primitive else { panic!() };
    delay.delay = Array::vector(vec![0.0, 3e-3]);
    let text = message(&short, convention);
    assert!(text.contains("node `7` (Delay): 2 delays for 3 values"), "{text}");
    let dialect = (find_dialect("sinabs").unwrap().convention)();
    let (_, report) = to_network(&pictures(), "many", &reading(dialect)).unwrap();
    assert!(
        report.notes.iter().any(|note| note.contains("as many spikes in a step")),
        "{report:?}"
    );
}
