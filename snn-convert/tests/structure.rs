//! Units of graphs that fork and join again: what each is made of, and that it stays little.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use snn_convert::ann::operator::{Add, Affine, Convolution, Dense, Relu, window::Window};
use snn_convert::ann::{AnnGraph, AnnGraphBuilder, SampleShape, evaluate_output};
use snn_convert::linear::LinearMap;
use snn_convert::structure::{Origin, structure};

fn input(extents: &[usize]) -> (AnnGraphBuilder, snn_convert::ann::NodeId) {
    let mut builder = AnnGraphBuilder::default();
    let id = builder.input("input", SampleShape::new(extents).unwrap()).unwrap();
    (builder, id)
}

/// The value of the read-out as its branches and its bias say, for a graph without activations.
fn linear_value(graph: &AnnGraph, sample: &[f32]) -> Vec<f64> {
    let units = structure(graph).unwrap().units;
    let [readout] = units.as_slice() else { panic!("{units:?}") };
    let sample: Vec<f64> = sample.iter().map(|&value| f64::from(value)).collect();
    let mut value = readout.bias.clone();
    for branch in &readout.branches {
        assert_eq!(branch.origin, Origin::Input);
        branch.map.apply(&sample, &mut value);
    }
    value
}

/// x ← x + x, `count` times, with a shift between; then a dense layer.
fn doubling(count: usize) -> AnnGraph {
    let (mut builder, mut last) = input(&[3]);
    for number in 0..count {
        last = builder.add(format!("double {number}"), Add, &[last, last]).unwrap();
        let affine = Affine { gain: vec![0.5], shift: vec![0.25, -0.5, 1.0] };
        last = builder.add(format!("shift {number}"), affine, &[last]).unwrap();
    }
    let weight = vec![1.0, 0.5, -1.0, 2.0, 0.0, 1.0];
    let dense = Dense { weight, bias: None, inputs: 3, outputs: 2 };
    let end = builder.add("dense", dense, &[last]).unwrap();
    builder.finish(&[end]).unwrap()
}

#[test]
fn a_node_that_adds_its_operand_to_itself_doubles_no_branches() {
    // Two branches after each node would be 2^2000 here.
    let graph = doubling(2000);
    let units = structure(&graph).unwrap().units;
    let readout = units.last().unwrap();
    assert_eq!(readout.branches.len(), 1);
    assert_eq!(readout.branches[0].nodes.len(), 4001);
    // 0.5 (x + x) = x: the shifts add up.
    let value = linear_value(&graph, &[1.0, 2.0, 3.0]);
    let x = [501.0, -998.0, 2003.0];
    assert_eq!(value, [x[0] + 0.5 * x[1] - x[2], 2.0 * x[0] + x[2]]);
}

#[test]
fn a_long_chain_needs_no_deep_stack() {
    let (mut builder, mut last) = input(&[1]);
    for number in 0..200_000 {
        let affine = Affine { gain: vec![1.0], shift: vec![1.0] };
        last = builder.add(format!("n{number}"), affine, &[last]).unwrap();
    }
    let graph = builder.finish(&[last]).unwrap();
    assert_eq!(linear_value(&graph, &[0.5]), [200_000.5]);
}

#[test]
fn branches_of_one_origin_become_one_where_their_forms_agree() {
    let convolution = |kernel: usize, seed: f32| {
        let mut window = Window::new([kernel, kernel], [1, 1]);
        window.padding = [kernel / 2; 4];
        let weight = (0..4 * kernel * kernel).map(|n| (n as f32 * seed).sin()).collect();
        Convolution { weight, bias: Some(vec![0.5, -0.25]), channels: 2, window, groups: 1 }
    };
    let (mut builder, x) = input(&[2, 4, 4]);
    let relu = builder.add("relu", Relu, &[x]).unwrap();
    let one = builder.add("one", convolution(3, 0.7), &[relu]).unwrap();
    let two = builder.add("two", convolution(3, 1.1), &[relu]).unwrap();
    let other = builder.add("other", convolution(1, 0.3), &[relu]).unwrap();
    let both = builder.add("both", Add, &[one, two]).unwrap();
    let all = builder.add("all", Add, &[both, other]).unwrap();
    let residual = builder.add("residual", Add, &[all, relu]).unwrap();
    let end = builder.add("end", Relu, &[residual]).unwrap();
    let graph = builder.finish(&[end]).unwrap();

    let units = structure(&graph).unwrap().units;
    let unit = &units[1];
    let nodes: Vec<&[String]> =
        unit.branches.iter().map(|branch| branch.nodes.as_slice()).collect();
    // The two 3 × 3 kernels are one; 1 × 1 and the identity keep their forms.
    assert_eq!(
        nodes,
        [
            &["one", "two", "both", "all", "residual"].map(String::from)[..],
            &["other", "all", "residual"].map(String::from)[..],
            &["residual"].map(String::from)[..],
        ]
    );
    assert!(matches!(unit.branches[2].map, LinearMap::Identity { size: 32 }));
    assert_eq!(unit.depth, 2);

    let sample: Vec<f32> = (0..32).map(|n| ((n * 7 % 13) as f32 - 4.0) / 5.0).collect();
    let rectified: Vec<f64> = sample.iter().map(|&value| f64::from(value.max(0.0))).collect();
    let mut value = unit.bias.clone();
    unit.branches.iter().for_each(|branch| branch.map.apply(&rectified, &mut value));
    let expected = evaluate_output(&graph, &sample).unwrap();
    for (value, expected) in value.iter().zip(expected) {
        // f32 sums of about twenty terms below 10.
        assert!((value.max(0.0) - f64::from(expected)).abs() < 1e-5, "{value} {expected}");
    }
}
