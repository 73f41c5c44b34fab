//! Passes that change the order or the form of operators: the answer stays, and what is left has
//! spiking counterparts.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use snn_convert::ann::operator::{
    Add, Affine, ArgMax, AveragePool, BatchNormalization, Clip, Concat, Convolution, Dense,
    Flatten, LeakyRelu, MaxPool, Pad, ParametricRelu, Relu, Reshape, Sigmoid, Softmax, Transpose,
    window::Window,
};
use snn_convert::ann::{AnnGraph, AnnGraphBuilder, Operator, SampleShape, evaluate_output};
use snn_convert::declutter::{Decluttered, Outcome, declutter};
use snn_convert::linear::LinearMap;
use snn_convert::structure::structure;

/// Values are below 100 and sums are short: `f32` rounding stays below this.
const TOLERANCE: f32 = 1e-4;

fn shape(extents: &[usize]) -> SampleShape {
    SampleShape::new(extents).unwrap()
}

fn chain(extents: &[usize], operators: Vec<(&str, Operator)>) -> AnnGraph {
    let mut builder = AnnGraphBuilder::default();
    let mut last = builder.input("input", shape(extents)).unwrap();
    for (name, operator) in operators {
        last = builder.add(name, operator, &[last]).unwrap();
    }
    builder.finish(&[last]).unwrap()
}

fn numbers(count: usize, seed: usize) -> Vec<f32> {
    (0..count).map(|n| ((n * 37 + 11 + 7 * seed) % 23) as f32 / 7.0 - 1.5).collect()
}

fn norm(signs: &[f32]) -> Operator {
    let channels = signs.len();
    BatchNormalization {
        scale: signs.iter().enumerate().map(|(n, s)| s * (0.5 + n as f32)).collect(),
        offset: numbers(channels, 1),
        mean: numbers(channels, 2),
        variance: (0..channels).map(|n| 0.5 + n as f32).collect(),
        epsilon: 1e-5,
    }
    .into()
}

fn convolution(channels: usize, inputs: usize, padding: usize) -> Operator {
    let mut window = Window::new([3, 3], [1, 1]);
    window.padding = [padding; 4];
    let weight = numbers(channels * inputs * 9, 3);
    let bias = Some(numbers(channels, 4));
    Convolution { weight, bias, channels, window, groups: 1 }.into()
}

fn pool(kernel: usize, stride: usize, padding: usize, round_up: bool) -> Operator {
    let mut window = Window { round_up, ..Window::new([kernel; 2], [stride; 2]) };
    window.padding = [padding; 4];
    MaxPool { window }.into()
}

fn pad(value: f32) -> Operator {
    Pad { before: vec![0, 1, 0], after: vec![0, 2, 1], value }.into()
}

fn same_answer(graph: &AnnGraph) -> Decluttered {
    let clean = declutter(graph).unwrap();
    for seed in 0..5 {
        let sample = numbers(graph.input_shape().size(), seed);
        let before = evaluate_output(graph, &sample).unwrap();
        let after = evaluate_output(&clean.graph, &sample).unwrap();
        assert_eq!(before.len(), after.len());
        for (before, after) in before.iter().zip(&after) {
            let allowed = TOLERANCE * before.abs().max(1.0);
            assert!((before - after).abs() < allowed, "{before} ≠ {after}\n{}", clean.graph);
        }
    }
    assert_eq!(clean.plan.lines.len(), graph.len());
    clean
}

fn operators(graph: &AnnGraph) -> Vec<&'static str> {
    graph.nodes().map(|(_, node)| node.operator.name()).collect()
}

#[test]
fn batch_norm_after_relu_keeps_exact_borders() {
    let graph = chain(
        &[2, 5, 5],
        vec![
            ("conv", convolution(3, 2, 1)),
            ("relu", Relu.into()),
            ("norm", norm(&[1.0, -1.0, 1.0])),
            ("next", convolution(2, 3, 1)),
            ("end", Relu.into()),
        ],
    );
    let clean = same_answer(&graph);
    let expected = ["Input", "Convolution", "Relu", "Affine", "Convolution", "Relu"];
    assert_eq!(operators(&clean.graph), expected);
    let line = clean.plan.line("norm").unwrap();
    assert!(line.reason.contains("border"), "{}", line.reason);
    // The bias of a neuron at the border differs from that of one inside.
    let units = structure(&clean.graph).unwrap().units;
    let bias = &units.iter().find(|unit| unit.name == "end").unwrap().bias;
    assert_ne!(bias[0], bias[6]);
}

#[test]
fn batch_norm_between_relu_and_max_pool_goes_behind_it_or_becomes_relus() {
    let graph = |signs: &[f32]| {
        chain(
            &[2, 6, 6],
            vec![
                ("conv", convolution(3, 2, 1)),
                ("relu", Relu.into()),
                ("norm", norm(signs)),
                ("pool", pool(2, 2, 0, false)),
                ("next", convolution(2, 3, 0)),
            ],
        )
    };
    let rising = same_answer(&graph(&[1.0, 1.0, 1.0]));
    let expected = ["Input", "Convolution", "Relu", "MaxPool", "Convolution"];
    assert_eq!(operators(&rising.graph), expected);
    assert_eq!(rising.plan.line("norm").unwrap().outcome, Outcome::FoldedInto("next".into()));
    // A negative factor turns the maximum into a minimum.
    let falling = same_answer(&graph(&[1.0, -1.0, 1.0]));
    assert!(!operators(&falling.graph).contains(&"MaxPool"), "{}", falling.graph);
    assert!(falling.plan.line("pool").unwrap().reason.contains("ReLUs of differences"));
    assert!(structure(&falling.graph).is_ok());
}

#[test]
fn max_pool_before_the_activation_changes_places_with_it() {
    for activation in [Relu.into(), Clip { minimum: 0.0, maximum: 6.0 }.into()] {
        let graph = chain(
            &[1, 7, 7],
            vec![
                ("conv", convolution(2, 1, 1)),
                ("pool", pool(3, 2, 1, true)),
                ("norm", norm(&[1.0, 1.0])),
                ("active", activation),
            ],
        );
        let clean = same_answer(&graph);
        assert_eq!(operators(&clean.graph)[1], "Convolution");
        assert_eq!(operators(&clean.graph)[3], "MaxPool");
        assert_eq!(clean.graph.len(), 4);
        assert!(clean.graph.node(clean.graph.find("active").unwrap()).is_activation());
    }
}

#[test]
fn a_maximum_of_signed_values_is_a_tree_of_relus() {
    for (kernel, stride, padding, up) in [(2, 2, 0, false), (3, 2, 1, true), (2, 1, 0, false)] {
        let graph = chain(&[2, 5, 5], vec![("pool", pool(kernel, stride, padding, up))]);
        let clean = same_answer(&graph);
        let relus = operators(&clean.graph).iter().filter(|&&name| name == "Relu").count();
        assert_eq!(relus, kernel * kernel - 1);
        structure(&clean.graph).unwrap();
    }
    // A window of thousands of cells is left for the structure to refuse.
    let wide = declutter(&chain(&[1, 40, 40], vec![("pool", pool(40, 1, 0, false))])).unwrap();
    assert!(structure(&wide.graph).is_err());
}

#[test]
fn clips_that_start_elsewhere_are_shifted() {
    let limits = [(-1.0, 1.0), (0.5, f32::INFINITY), (f32::NEG_INFINITY, 2.0), (0.0, 1.0)];
    for (minimum, maximum) in limits {
        let layer = |outputs: usize, inputs: usize| Dense {
            weight: numbers(outputs * inputs, 0),
            bias: None,
            outputs,
            inputs,
        };
        let clip = Clip { minimum, maximum };
        let operators =
            vec![("a", layer(6, 4).into()), ("clip", clip.into()), ("b", layer(3, 6).into())];
        let clean = same_answer(&chain(&[4], operators));
        assert_eq!(clean.graph.len(), 4, "{}", clean.graph);
        structure(&clean.graph).unwrap();
    }
}

#[test]
fn leaky_relus_without_slope_are_relus() {
    let graph = chain(
        &[3],
        vec![
            ("leaky", LeakyRelu { slope: 0.0 }.into()),
            ("trained", ParametricRelu { slope: vec![0.0; 3] }.into()),
            ("other", ParametricRelu { slope: vec![0.1, 0.2, 0.3] }.into()),
        ],
    );
    // What keeps a slope becomes a pair of ReLUs, and the sum of both.
    let clean = same_answer(&graph);
    let names = operators(&clean.graph);
    assert_eq!(names.iter().filter(|name| **name == "Relu").count(), 4, "{}", clean.graph);
    assert!(!names.contains(&"PRelu") && names.last() == Some(&"Add"), "{}", clean.graph);
}

#[test]
fn padding_becomes_part_of_the_window_where_that_is_the_same() {
    let relu = || ("relu", Operator::from(Relu));
    let average = |count_padding: bool, padding: usize| {
        let mut window = Window::new([3, 3], [1, 1]);
        window.padding = [padding; 4];
        ("window", AveragePool { window, count_padding }.into())
    };
    let cases = [
        (pad(0.0), ("window", convolution(2, 2, 1)), true),
        (pad(0.5), ("window", convolution(2, 2, 1)), false),
        (pad(0.0), ("window", pool(3, 2, 0, false)), true),
        (pad(-1.0), ("window", pool(3, 2, 0, false)), false),
        (pad(0.0), average(false, 0), true),
        (pad(0.0), average(true, 0), true),
        // Together they would be as wide as the window.
        (pad(0.0), average(true, 1), false),
        (pad(0.0), average(false, 1), false),
    ];
    for (pad, window, folded) in cases {
        let graph = chain(&[2, 6, 6], vec![relu(), ("pad", pad), window]);
        let clean = same_answer(&graph);
        let gone = matches!(clean.plan.line("pad").unwrap().outcome, Outcome::FoldedInto(_));
        assert_eq!(gone, folded, "{}", clean.plan);
    }
    // Zeros win against negative values.
    let negative = vec![("pad", pad(0.0)), ("window", pool(3, 2, 0, false))];
    let clean = same_answer(&chain(&[2, 6, 6], negative));
    assert_eq!(clean.plan.line("pad").unwrap().outcome, Outcome::Kept);
}

#[test]
fn functions_of_a_concatenation_go_to_its_parts() {
    for (last, places) in [
        (Operator::from(Relu), 1),
        // Two ReLUs for the signs, three for the maximum of four values of either sign.
        (ParametricRelu { slope: numbers(5, 1) }.into(), 5),
        (Affine::multiply(numbers(5, 2)).into(), 0),
    ] {
        let mut builder = AnnGraphBuilder::default();
        let input = builder.input("input", shape(&[1, 5, 5])).unwrap();
        let a = builder.add("a", convolution(2, 1, 1), &[input]).unwrap();
        let b = builder.add("b", convolution(3, 1, 1), &[input]).unwrap();
        let concat = Concat { axis: 0, operands: 2 };
        let joined = builder.add("joined", concat, &[a, b]).unwrap();
        let normed = builder.add("norm", norm(&[1.0, -1.0, 1.0, 1.0, -1.0]), &[joined]).unwrap();
        let active = builder.add("active", last, &[normed]).unwrap();
        let pooled = builder.add("pool", pool(2, 2, 0, false), &[active]).unwrap();
        let next = builder.add("next", convolution(2, 5, 1), &[pooled]).unwrap();
        let clean = same_answer(&builder.finish(&[next]).unwrap());
        let names = operators(&clean.graph);
        assert!(!names.contains(&"BatchNormalization"), "{}", clean.graph);
        let activations = clean.graph.activations().count();
        assert!(places == 0 || activations == 2 * places, "{}", clean.graph);
    }
}

#[test]
fn transpositions_in_a_row_are_merged() {
    let transpose =
        |permutation: [usize; 3]| Operator::from(Transpose { permutation: permutation.to_vec() });
    let there_and_back = chain(
        &[2, 3, 4],
        vec![
            ("last", transpose([1, 2, 0])),
            ("first", transpose([2, 0, 1])),
            ("relu", Relu.into()),
        ],
    );
    assert_eq!(operators(&same_answer(&there_and_back).graph), ["Input", "Relu"]);
    let of_one_channel = chain(&[4, 3, 1], vec![("first", transpose([2, 0, 1]))]);
    assert_eq!(operators(&same_answer(&of_one_channel).graph), ["Input", "Reshape"]);
}

#[test]
fn functions_of_the_scores_are_dropped_from_the_end_only() {
    let reshape = || Operator::from(Reshape { shape: shape(&[4, 1]) });
    let ends: Vec<Vec<(&str, Operator)>> = vec![
        vec![("end", Softmax { axis: 0 }.into()), ("flat", Flatten.into())],
        vec![("end", Sigmoid.into()), ("shape", reshape())],
        vec![("end", ArgMax { axis: 0, keep_axis: true }.into()), ("flat", Flatten.into())],
    ];
    for end in ends {
        let mut operators_ = vec![("relu", Operator::from(Relu))];
        operators_.extend(end);
        let clean = declutter(&chain(&[4], operators_)).unwrap();
        assert_eq!(clean.plan.line("end").unwrap().outcome, Outcome::Dropped);
        assert_eq!(clean.graph.node(clean.graph.output()).shape.size(), 4);
    }
    let mut builder = AnnGraphBuilder::default();
    let input = builder.input("input", shape(&[4])).unwrap();
    let soft = builder.add("soft", Softmax { axis: 0 }, &[input]).unwrap();
    let sum = builder.add("sum", Add, &[soft, input]).unwrap();
    let clean = declutter(&builder.finish(&[sum]).unwrap()).unwrap();
    assert_eq!(clean.graph.len(), 3);
    let refusal = structure(&clean.graph).unwrap_err().to_string();
    assert!(refusal.contains("`soft`") && refusal.contains("only at the end"), "{refusal}");
}

#[test]
fn chains_that_would_list_millions_of_weights_are_ended_by_a_pair_of_populations() {
    // Convolution, maximum without activation, convolution, twice, as in separable blocks of Keras.
    let operators = vec![
        ("first", convolution(16, 1, 1)),
        ("largest", pool(3, 2, 1, false)),
        ("second", convolution(16, 16, 1)),
        ("larger", pool(3, 2, 1, false)),
        ("third", convolution(8, 16, 1)),
    ];
    let graph = chain(&[1, 32, 32], operators);
    let Decluttered { graph: normal, records, .. } = declutter(&graph).unwrap();
    let relays: Vec<&str> =
        records.iter().filter(|r| r.pass == "relay").map(|r| r.node.as_str()).collect();
    assert_eq!(relays, ["largest", "larger"]);
    // What comes after them is small again.
    let units = structure(&normal).unwrap().units;
    let listed = |map: &LinearMap| match map {
        LinearMap::Sparse { rows, .. } => rows.iter().map(Vec::len).sum(),
        _ => 0,
    };
    let most = units.iter().flat_map(|unit| &unit.branches).map(|branch| listed(&branch.map)).max();
    assert!(most.unwrap() < 4 << 20, "{most:?}");
    let sample: Vec<f32> = numbers(1024, 5).iter().map(|value| value * 0.01).collect();
    let (ours, theirs) = (evaluate_output(&normal, &sample), evaluate_output(&graph, &sample));
    for (ours, theirs) in ours.unwrap().iter().zip(&theirs.unwrap()) {
        assert!((ours - theirs).abs() <= 1e-4 * theirs.abs().max(1.0), "{ours} {theirs}");
    }
}
