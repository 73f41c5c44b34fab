//! Every primitive under every dialect: the description that a graph becomes does what the graph's own
//! reference run does.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing step is a failing test")]

#[path = "../driven/mod.rs"]
mod driven;

mod analogue;
mod conventions;
mod filters;
mod listed;

use model_io::array::Array;
use model_io::network_file;
use model_io::nir::dialect::{Convention, DIALECTS, SpikeReset};
use model_io::nir::run::run;
use model_io::nir::to_network::{NirReading, to_network};
use model_io::nir::{
    Affine, AvgPool2d, Conv1d, Conv2d, CubaLi, CubaLif, Delay, Flatten, I, If, Input, Li, Lif,
    Linear, NirGraph, NirNode, Output, Padding, Primitive, Scale, SumPool2d, Threshold,
    from_network,
};
use sim_core::network::{Network, Probe};
use sim_core::neuron::find_model;
use sim_core::recording::Recording;

const STEPS: usize = 60;

/// Weights and currents of stepwise models without leak lie on multiples of 2^-32: so much may a step's
/// input be off, and sums are taken over all steps.
const ROUNDING: f64 = 8.0 * STEPS as f64 / 4_294_967_296.0;

/// Numbers that look drawn, between -0.4 and 1.
fn drawn(shape: &[usize], seed: u64) -> Array {
    let size = shape.iter().product::<usize>();
    let value = |n: u64| {
        let word = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(seed * 0x2545_f491);
        ((word ^ (word >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f64 / 16_777_216.0
    };
    let values: Vec<f64> = (0..size as u64).map(|n| 1.4 * value(n) - 0.4).collect();
    Array::new(shape.to_vec(), values).unwrap()
}

fn all(shape: &[usize], value: f64) -> Array {
    Array::new(shape.to_vec(), vec![value; shape.iter().product()]).unwrap()
}

/// Ones and zeros `[step][neuron]`.
fn input(width: usize) -> Vec<Vec<f64>> {
    let row = |step: usize| {
        let row = drawn(&[width], 1000 + step as u64).values.to_f64().unwrap();
        row.iter().map(|x| f64::from(u8::from(*x > 0.4))).collect()
    };
    (0..STEPS).map(row).collect()
}

/// Nodes one after the other between an input and an output.
fn chain(shape: &[usize], nodes: Vec<NirNode>) -> NirGraph {
    let mut graph = NirGraph::default();
    graph.add_node("input", Input { shape: shape.to_vec() });
    let mut before = "input".to_owned();
    for (index, node) in nodes.into_iter().enumerate() {
        let name = format!("n{index}");
        graph.add_node(&name, node);
        graph.add_edge(before, &name);
        before = name;
    }
    graph.add_node("output", Output { shape: vec![1] });
    graph.add_edge(before, "output");
    graph
}

/// Runs a description; what was recorded of its last population, and that one's first neuron.
fn simulate(mut network: Network, rows: &[Vec<f64>], more: usize) -> (Recording, u32) {
    let last = network.populations.keys().last().unwrap().clone();
    network.add_probe("spikes", Probe::spikes(&last));
    network.add_probe("potential", Probe::variable(&last, "membrane_potential"));
    let recording = driven::simulate(network, rows, more);
    let first = recording.populations.iter().find(|p| p.name == last).unwrap().first;
    (recording, first)
}

/// Compares the last layer's spikes, or its potentials where it has none, `depth` steps later than in
/// the graph; how many spikes or samples agreed.
fn compare(what: &str, graph: &NirGraph, convention: Convention, depth: usize) -> usize {
    let Some(Input { shape }) = graph.nodes.values().find_map(|node| match &node.primitive {
        Primitive::Input(input) => Some(input.clone()),
        _ => None,
    }) else {
        panic!("{what}: no input")
    };
    let rows = input(shape.iter().product());
    let reading = NirReading { convention, biases_from_start: false };
    let (network, _) = to_network(graph, "made", &reading).unwrap_or_else(|error| {
        panic!("{what}: {error}");
    });
    // As the command writes it to a file.
    let network = network_file::read(&network_file::write(&network).unwrap()).unwrap();
    let step = network.dt.in_base();
    // What a threshold lets through is no spike of a neuron.
    let late = match &graph.nodes.values().rev().nth(1).unwrap().primitive {
        Primitive::Threshold(_) => 0,
        _ => convention.spike_steps as usize,
    };
    let theirs = &run(graph, &convention, &rows, &[]).unwrap()["output"];
    let (recording, first) = simulate(network, &rows, depth);
    let silent = recording.spikes.is_empty();
    let trace = recording.traces.iter().find(|trace| trace.probe == "potential").unwrap();
    if silent {
        let width = theirs[0].len();
        let mut compared = 0;
        for (time, values) in trace.times.iter().zip(trace.values.chunks(width)) {
            let index = (time.milliseconds() / step).round() as usize;
            let Some(row) = index.checked_sub(1 + depth).and_then(|index| theirs.get(index)) else {
                continue;
            };
            for (ours, theirs) in values.iter().zip(row) {
                assert!((ours - theirs).abs() < ROUNDING, "{what}, {index}: {ours} {theirs}");
                compared += usize::from(*theirs != 0.0);
            }
        }
        return compared;
    }
    let mut ours: Vec<(usize, u32)> = recording
        .spikes
        .iter()
        .map(|spike| {
            let index = (spike.time.milliseconds() / step).round() as usize;
            (index - 1 - depth + late, spike.neuron - first)
        })
        .filter(|(index, _)| *index < STEPS)
        .collect();
    ours.sort_unstable();
    let mut expected = Vec::new();
    for (index, row) in theirs.iter().enumerate() {
        expected.extend((0_u32..).zip(row).filter(|(_, s)| **s != 0.0).map(|(n, _)| (index, n)));
    }
    assert_eq!(ours, expected, "{what}");
    ours.len()
}

const WIDTH: usize = 4;

/// A node of each kind of neuron, for time constants of some tens of steps.
fn neurons(convention: &Convention) -> Vec<(&'static str, NirNode)> {
    let one = |value: f64| all(&[WIDTH], value);
    let each = |from: f64, by: f64| {
        let values: Vec<f64> = (0..WIDTH).map(|n| from + by * n as f64).collect();
        Array::new(vec![WIDTH], values).unwrap()
    };
    let unit = convention.dt / convention.tau_scale;
    let (tau, tau_syn) = (each(8.0 * unit, 5.0 * unit), each(3.0 * unit, 2.0 * unit));
    let (r, v_leak, w_in) = (each(9.0, 1.0), each(0.05, 0.02), each(1.0, 0.25));
    let (v_threshold, v_reset) = (each(0.8, 0.1), each(0.0, -0.05));
    vec![
        ("I", I { r: r.clone() }.into()),
        (
            "IF",
            If { r: one(1.5), v_threshold: v_threshold.clone(), v_reset: v_reset.clone() }.into(),
        ),
        ("LI", Li { tau: tau.clone(), r: r.clone(), v_leak: v_leak.clone() }.into()),
        (
            "LIF",
            Lif {
                tau: tau.clone(),
                r: r.clone(),
                v_leak: v_leak.clone(),
                v_threshold: v_threshold.clone(),
                v_reset: v_reset.clone(),
            }
            .into(),
        ),
        (
            "CubaLI",
            CubaLi {
                tau_syn: tau_syn.clone(),
                tau_mem: tau.clone(),
                r: r.clone(),
                v_leak: v_leak.clone(),
                w_in: w_in.clone(),
            }
            .into(),
        ),
        (
            "CubaLIF",
            CubaLif { tau_syn, tau_mem: tau, r, v_leak, v_threshold, v_reset, w_in }.into(),
        ),
        ("Threshold", Threshold { threshold: one(0.6) }.into()),
    ]
}

fn affine(rows: usize, columns: usize, seed: u64) -> NirNode {
    let bias = Array::new(vec![rows], vec![0.0625; rows]).unwrap();
    Affine { weight: drawn(&[rows, columns], seed), bias }.into()
}

fn spiking(name: &str) -> bool {
    !matches!(name, "I" | "LI" | "CubaLI")
}

#[test]
fn every_neuron_computes_the_same_in_every_dialect() {
    for dialect in DIALECTS {
        let convention = (dialect.convention)();
        for (name, node) in neurons(&convention) {
            let what = format!("{name}, {}", dialect.name);
            let graph = chain(&[3], vec![affine(WIDTH, 3, 5), node]);
            let slow = convention.synapse_steps as usize;
            let agreed = compare(&what, &graph, convention, 1);
            assert!(agreed > 15, "{what}: {agreed} after {slow}");
        }
    }
}

/// Factors of a step become time constants in single precision, and factors again.
#[test]
fn every_neuron_is_written_and_read_again_in_every_dialect() {
    for dialect in DIALECTS {
        // With slow synapses leaks begin before the first input, which NIR cannot say.
        let convention = Convention { synapse_steps: 0, ..(dialect.convention)() };
        for (name, node) in neurons(&convention) {
            let what = format!("{name}, {}", dialect.name);
            let graph = chain(&[3], vec![affine(WIDTH, 3, 5), node]);
            let reading = NirReading { convention, biases_from_start: false };
            let (network, _) = to_network(&graph, "made", &reading).unwrap();
            let written = from_network(&network.clone().validate().unwrap());
            let written = written.unwrap_or_else(|error| panic!("{what}: {error}"));
            // What we write are factors of exact steps, each with the rule of its reset beside it.
            let again = NirReading {
                convention: Convention {
                    reset: convention.reset,
                    ..Convention::specification(convention.dt)
                },
                ..reading
            };
            let (read, _) = to_network(&written, "made", &again).unwrap();
            let (ours, theirs) = (&network.populations["n1"], &read.populations["n1"]);
            assert_eq!(ours.neuron.model, theirs.neuron.model, "{what}");
            let known = find_model(&ours.neuron.model).unwrap().spec().parameters;
            let valid = |network: &Network| network.clone().validate().unwrap();
            let (ours, theirs) = (valid(&network), valid(&read));
            let of = |network: &sim_core::network::ValidNetwork, index: usize| {
                network.populations()["n1"].neurons.parameters[index].expand(0..WIDTH)
            };
            for (index, parameter) in known.iter().enumerate() {
                let pairs = of(&ours, index).into_iter().zip(of(&theirs, index));
                for (ours, theirs) in pairs {
                    let near = (ours - theirs).abs() <= 1e-5 * ours.abs().max(1e-3);
                    let what = format!("{what}, {}: {ours} {theirs}", parameter.name);
                    // A current that does not last may be scaled before it or behind it.
                    assert!(near || parameter.name == "input_gain", "{what}");
                }
            }
        }
    }
}

#[test]
fn every_pair_of_layers_computes_the_same_in_every_dialect() {
    for dialect in DIALECTS {
        let convention = (dialect.convention)();
        for (first, before) in neurons(&convention).into_iter().filter(|(name, _)| spiking(name)) {
            for (second, behind) in neurons(&convention) {
                let what = format!("{first} before {second}, {}", dialect.name);
                let graph = chain(
                    &[3],
                    vec![
                        affine(WIDTH, 3, 5),
                        before.clone(),
                        Linear { weight: drawn(&[WIDTH, WIDTH], 9) }.into(),
                        behind,
                    ],
                );
                let agreed = compare(&what, &graph, convention, 2);
                assert!(agreed > 5, "{what}: {agreed}");
            }
        }
    }
}

#[test]
fn loops_of_every_spiking_neuron_compute_the_same_in_every_dialect() {
    for dialect in DIALECTS {
        let convention = (dialect.convention)();
        for (name, node) in neurons(&convention).into_iter().filter(|(name, _)| spiking(name)) {
            let what = format!("{name} in a loop, {}", dialect.name);
            let mut graph = chain(&[3], vec![affine(WIDTH, 3, 5), node]);
            let bias = drawn(&[WIDTH], 3);
            let back = Affine { weight: drawn(&[WIDTH, WIDTH], 11), bias };
            graph.nodes.insert_before(0, "back".to_owned(), back.into());
            graph.add_edge("n1", "back");
            graph.add_edge("back", "n1");
            let agreed = compare(&what, &graph, convention, 1);
            assert!(agreed > 15, "{what}: {agreed}");
        }
    }
}

/// A layer of IF neurons.
fn layer(shape: &[usize], threshold: f64) -> NirNode {
    let (r, v_threshold, v_reset) = (all(shape, 1.25), all(shape, threshold), all(shape, 0.0));
    If { r, v_threshold, v_reset }.into()
}

/// Graphs with every other primitive, the shape of their input and the layers behind it.
fn between() -> Vec<(&'static str, NirGraph, usize)> {
    let conv_1d = |ins: usize, padding, groups: usize, stride: usize, dilation: usize| {
        NirNode::from(Conv1d {
            input_shape: None,
            weight: drawn(&[4, ins / groups, 4], 21),
            stride,
            padding,
            dilation,
            groups,
            bias: drawn(&[4], 22),
        })
    };
    let conv_2d = |ins: usize, padding| {
        NirNode::from(Conv2d {
            input_shape: None,
            weight: drawn(&[3, ins, 3, 2], 23),
            stride: [1, 1],
            padding,
            dilation: [1, 2],
            groups: 1,
            bias: drawn(&[3], 24),
        })
    };
    let pair = |kernel_size: [usize; 2], stride, padding| {
        let sum = SumPool2d { kernel_size, stride, padding };
        let mean = AvgPool2d { kernel_size, stride, padding };
        (NirNode::from(sum), NirNode::from(mean))
    };
    let channels = |shape: &[usize], factors: &[f64]| {
        let plane = shape[1..].iter().product::<usize>();
        let values: Vec<f64> =
            factors.iter().flat_map(|factor| std::iter::repeat_n(*factor, plane)).collect();
        NirNode::from(Scale { scale: Array::new(shape.to_vec(), values).unwrap() })
    };
    let flat = || NirNode::from(Flatten { input_type: None, start_dim: 0, end_dim: -1 });
    let (overlapping, padded) = (pair([3, 3], [2, 2], [0, 0]).0, pair([2, 3], [2, 2], [1, 1]).1);
    let delays = NirNode::from(Delay { delay: all(&[WIDTH], 0.0) });
    vec![
        (
            "Conv1d",
            chain(&[2, 9], vec![conv_1d(2, Padding::Zeros([2]), 1, 2, 1), layer(&[4, 5], 1.0)]),
            1,
        ),
        (
            "Conv1d same",
            chain(&[2, 9], vec![conv_1d(2, Padding::Same, 2, 1, 2), layer(&[4, 9], 1.0)]),
            1,
        ),
        (
            "Conv1d of one channel",
            chain(&[9], vec![conv_1d(1, Padding::Valid, 1, 1, 1), layer(&[4, 6], 1.0)]),
            1,
        ),
        (
            "Conv2d same",
            chain(&[2, 5, 6], vec![conv_2d(2, Padding::Same), layer(&[3, 5, 6], 1.0)]),
            1,
        ),
        ("SumPool2d", chain(&[2, 7, 7], vec![overlapping, layer(&[2, 3, 3], 3.0)]), 1),
        ("AvgPool2d", chain(&[2, 6, 6], vec![padded, layer(&[2, 4, 3], 0.7311)]), 1),
        (
            "Scale alone",
            chain(&[3], vec![Scale { scale: drawn(&[3], 31) }.into(), layer(&[3], 0.9)]),
            1,
        ),
        (
            "Scale twice before a matrix",
            chain(
                &[3],
                vec![
                    Scale { scale: drawn(&[3], 31) }.into(),
                    Scale { scale: all(&[1], 1.5) }.into(),
                    affine(WIDTH, 3, 32),
                    layer(&[WIDTH], 0.9),
                ],
            ),
            1,
        ),
        (
            "Scale behind a matrix",
            chain(
                &[3],
                vec![
                    affine(WIDTH, 3, 33),
                    Scale { scale: drawn(&[WIDTH], 34) }.into(),
                    delays,
                    layer(&[WIDTH], 0.4),
                ],
            ),
            1,
        ),
        (
            "Scale before and behind a convolution",
            chain(
                &[2, 5, 6],
                vec![
                    channels(&[2, 5, 6], &[0.75, 1.25]),
                    conv_2d(2, Padding::Zeros([1, 1])),
                    channels(&[3, 5, 6], &[0.5, 2.0, -1.0]),
                    layer(&[3, 5, 6], 1.0),
                ],
            ),
            1,
        ),
        (
            "Scale before a pooling, flattened, before a layer and a matrix",
            chain(
                &[2, 4, 4],
                vec![
                    channels(&[2, 4, 4], &[0.75, 1.25]),
                    pair([2, 2], [2, 2], [0, 0]).0,
                    flat(),
                    layer(&[8], 2.0),
                    affine(WIDTH, 8, 35),
                    layer(&[WIDTH], 0.8),
                ],
            ),
            2,
        ),
    ]
}

#[test]
fn every_node_between_layers_computes_the_same_in_every_dialect() {
    for dialect in DIALECTS {
        let convention = (dialect.convention)();
        for (name, graph, depth) in between() {
            let what = format!("{name}, {}", dialect.name);
            let agreed = compare(&what, &graph, convention, depth);
            assert!(agreed > 15, "{what}: {agreed}");
        }
    }
}

#[test]
fn rows_are_written_as_convolutions_along_one_axis() {
    let reading =
        NirReading { convention: Convention::specification(1e-3), biases_from_start: true };
    for (name, graph, _) in between().into_iter().filter(|(name, ..)| name.starts_with("Conv1d")) {
        let (network, _) = to_network(&graph, "made", &reading).unwrap();
        let written = from_network(&network.clone().validate().unwrap());
        let Ok(written) = written else {
            // NIR pads both sides alike.
            assert_eq!(name, "Conv1d same");
            continue;
        };
        let kinds: Vec<&str> = written.nodes.values().map(|n| n.primitive.type_name()).collect();
        assert!(kinds.contains(&"Conv1d") && !kinds.contains(&"Conv2d"), "{name}: {kinds:?}");
        let (again, _) = to_network(&written, "made", &reading).unwrap();
        assert_eq!(network.populations, again.populations, "{name}");
    }
}

#[test]
fn what_no_dialect_can_say_names_the_node_and_what_to_do() {
    let convention = Convention::specification(1e-3);
    let refused = |graph: &NirGraph| {
        let reading = NirReading { convention, biases_from_start: false };
        to_network(graph, "refused", &reading).unwrap_err().to_string()
    };
    let known = neurons(&convention);
    let node = |name: &str| known.iter().find(|(known, _)| *known == name).unwrap().1.clone();
    let graph = chain(&[3], vec![node("CubaLIF")]);
    let text = refused(&graph);
    assert!(text.contains("4 neurons, but 3 values"), "{text}");
}
