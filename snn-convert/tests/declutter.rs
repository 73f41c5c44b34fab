//! Passes on small hand-made graphs: the answer stays, and the plan says what happened.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use snn_convert::ann::operator::{
    Add, Affine, BatchNormalization, Convolution, Dense, Dropout, Flatten, Identity, Relu, Softmax,
    window::Window,
};
use snn_convert::ann::{AnnGraph, AnnGraphBuilder, NodeId, Operator, SampleShape, evaluate_output};
use snn_convert::declutter::{Decluttered, Outcome, PASSES, declutter};

/// Values are below 100 and sums are short: `f32` rounding stays below this.
const TOLERANCE: f32 = 1e-4;

fn chain(shape: &[usize], operators: Vec<(&str, Operator)>) -> AnnGraph {
    let mut builder = AnnGraphBuilder::default();
    let mut last = builder.input("input", SampleShape::new(shape).unwrap()).unwrap();
    for (name, operator) in operators {
        last = builder.add(name, operator, &[last]).unwrap();
    }
    builder.finish(&[last]).unwrap()
}

fn numbers(count: usize) -> Vec<f32> {
    (0..count).map(|n| ((n * 37 + 11) % 23) as f32 / 7.0 - 1.5).collect()
}

fn norm(channels: usize) -> Operator {
    BatchNormalization {
        scale: numbers(channels),
        offset: numbers(channels).iter().map(|value| value * 0.5 + 0.1).collect(),
        mean: numbers(channels).iter().map(|value| value - 0.3).collect(),
        variance: (0..channels).map(|n| 0.5 + n as f32).collect(),
        epsilon: 1e-5,
    }
    .into()
}

fn dense(outputs: usize, inputs: usize) -> Operator {
    Dense { weight: numbers(outputs * inputs), bias: None, outputs, inputs }.into()
}

fn convolution(channels: usize, inputs: usize, groups: usize, padding: usize) -> Operator {
    let mut window = Window::new([3, 3], [1, 1]);
    window.padding = [padding; 4];
    let weight = numbers(channels * inputs / groups * 9);
    Convolution { weight, bias: Some(numbers(channels)), channels, window, groups }.into()
}

fn same_answer(graph: &AnnGraph) -> Decluttered {
    let clean = declutter(graph).unwrap();
    let sample = numbers(graph.input_shape().size());
    let before = evaluate_output(graph, &sample).unwrap();
    let after = evaluate_output(&clean.graph, &sample).unwrap();
    for (before, after) in before.iter().zip(&after) {
        let allowed = TOLERANCE * before.abs().max(1.0);
        assert!((before - after).abs() < allowed, "{before} ≠ {after}\n{}", clean.plan);
    }
    assert_eq!(before.len(), after.len());
    clean
}

fn names(graph: &AnnGraph) -> Vec<&str> {
    graph.nodes().map(|(_, node)| node.name.as_str()).collect()
}

#[test]
fn chains_behind_a_layer_are_folded_whole() {
    let graph = chain(
        &[2, 5, 5],
        vec![
            ("conv", convolution(4, 2, 2, 1)),
            ("shift", Affine::add(numbers(4)).into()),
            ("norm", norm(4)),
            ("gain", Affine::multiply(vec![0.5]).into()),
            ("relu", Relu.into()),
            ("flat", Flatten.into()),
            ("matmul", dense(3, 100)),
            ("bias", Affine::add(numbers(3)).into()),
        ],
    );
    let clean = same_answer(&graph);
    assert_eq!(names(&clean.graph), ["input", "conv", "relu", "flat", "matmul"]);
    let outcome = |node| clean.plan.line(node).unwrap().outcome.clone();
    for node in ["shift", "norm", "gain"] {
        assert_eq!(outcome(node), Outcome::FoldedInto("conv".into()), "{node}");
    }
    assert_eq!(outcome("bias"), Outcome::FoldedInto("matmul".into()));
    assert_eq!(outcome("relu"), Outcome::Kept);
}

#[test]
fn maps_without_a_layer_before_them_go_into_the_next() {
    for groups in [1, 2] {
        let graph = chain(
            &[2, 6, 5],
            vec![("scale", norm(2)), ("conv", convolution(4, 2, groups, 0)), ("relu", Relu.into())],
        );
        let clean = same_answer(&graph);
        assert_eq!(names(&clean.graph), ["input", "conv", "relu"]);
    }
    let graph = chain(&[7], vec![("relu", Relu.into()), ("norm", norm(7)), ("dense", dense(3, 7))]);
    assert_eq!(names(&same_answer(&graph).graph), ["input", "relu", "dense"]);
}

#[test]
fn a_summand_does_not_go_through_zero_padding_but_a_factor_does() {
    let graph = |affine: Operator| {
        chain(&[2, 5, 5], vec![("scale", affine), ("conv", convolution(4, 2, 1, 1))])
    };
    let clean = same_answer(&graph(norm(2)));
    assert_eq!(names(&clean.graph), ["input", "scale", "conv"]);
    let line = clean.plan.line("scale").unwrap();
    assert_eq!(line.outcome, Outcome::Kept);
    assert!(line.reason.contains("follows Input `input`"), "{}", line.reason);
    assert!(line.reason.contains("zero padding of `conv`"), "{}", line.reason);
    let left = clean.graph.node(clean.graph.find("scale").unwrap());
    assert!(matches!(&left.operator, Operator::Affine(affine) if affine.gain == [1.0]));
    let clean = same_answer(&graph(Affine::multiply(vec![2.0, -3.0]).into()));
    assert_eq!(names(&clean.graph), ["input", "conv"]);
}

#[test]
fn what_cannot_be_folded_stays_with_its_reason() {
    let graph = chain(
        &[1, 6, 6],
        vec![("conv", convolution(2, 1, 1, 0)), ("relu", Relu.into()), ("norm", norm(2))],
    );
    let clean = same_answer(&graph);
    let line = clean.plan.line("norm").unwrap();
    assert_eq!(line.outcome, Outcome::Kept);
    assert!(line.reason.contains("follows Relu `relu`"), "{}", line.reason);
}

#[test]
fn a_layer_that_is_read_twice_keeps_its_weights() {
    let mut builder = AnnGraphBuilder::default();
    let input = builder.input("input", SampleShape::new([4]).unwrap()).unwrap();
    let layer = builder.add("dense", dense(4, 4), &[input]).unwrap();
    let norm = builder.add("norm", norm(4), &[layer]).unwrap();
    let sum = builder.add("sum", Add, &[layer, norm]).unwrap();
    let graph = builder.clone().finish(&[sum]).unwrap();
    let clean = same_answer(&graph);
    assert_eq!(names(&clean.graph), names(&graph));
    assert!(!clean.plan.line("norm").unwrap().reason.is_empty());
    // The same where the layer's own result leaves the network.
    let graph = builder.finish(&[layer, norm]).unwrap();
    assert_eq!(names(&same_answer(&graph).graph), ["input", "dense", "norm"]);
}

#[test]
fn identity_dropout_and_final_softmax_go() {
    let graph = chain(
        &[5],
        vec![
            ("same", Identity.into()),
            ("dense", dense(3, 5)),
            ("drop", Dropout.into()),
            ("flat", Flatten.into()),
            ("softmax", Softmax::SCORES.into()),
        ],
    );
    let clean = declutter(&graph).unwrap();
    assert_eq!(names(&clean.graph), ["input", "dense"]);
    let dropped = |name| clean.plan.line(name).unwrap().outcome == Outcome::Dropped;
    assert!(["same", "drop", "flat", "softmax"].into_iter().all(dropped));
    assert_eq!(clean.graph.outputs(), [clean.graph.find("dense").unwrap()]);
    let text = clean.plan.to_string();
    assert!(text.lines().count() == 6 && text.contains("dropped: acts only in training"), "{text}");
}

#[test]
fn folding_that_overflows_is_an_error_with_the_node() {
    let layer = Dense { weight: vec![1e30], bias: None, outputs: 1, inputs: 1 };
    let graph =
        chain(&[1], vec![("dense", layer.into()), ("gain", Affine::multiply(vec![1e30]).into())]);
    let message = declutter(&graph).unwrap_err().to_string();
    assert!(message.contains("`dense`") && message.contains("weight holds inf"), "{message}");
}

#[test]
fn thousands_of_maps_in_a_row_end_in_bounded_time() {
    let mut builder = AnnGraphBuilder::default();
    let mut last = builder.input("input", SampleShape::new([2]).unwrap()).unwrap();
    last = builder.add("dense", dense(2, 2), &[last]).unwrap();
    for number in 0..5000 {
        last = builder.add(format!("n{number}"), Affine::add(vec![0.001]), &[last]).unwrap();
    }
    let graph = builder.finish(&[last]).unwrap();
    let clean = same_answer(&graph);
    let kept = clean.plan.lines.iter().filter(|line| line.outcome == Outcome::Kept);
    assert_eq!(kept.count(), clean.graph.len());
    assert!(clean.graph.len() < graph.len());
}

#[test]
fn a_node_can_only_read_nodes_before_it_and_names_are_unique() {
    let shape = || SampleShape::new([4]).unwrap();
    let mut large = AnnGraphBuilder::default();
    let mut far: NodeId = large.input("input", shape()).unwrap();
    far = large.add("relu", Relu, &[far]).unwrap();
    let mut builder = AnnGraphBuilder::default();
    assert!(builder.clone().finish(&[far]).is_err());
    builder.input("input", shape()).unwrap();
    assert!(builder.add("relu", Relu, &[far]).unwrap_err().to_string().contains("node number 1"));
    assert!(builder.input("input", shape()).unwrap_err().to_string().contains("unique"));
    assert!(builder.clone().finish(&[]).unwrap_err().to_string().contains("0 outputs"));
    assert!(builder.finish(&[far]).unwrap_err().to_string().contains("node number 1"));
    assert_eq!(PASSES.iter().filter(|pass| pass.summary.is_empty()).count(), 0);
}
