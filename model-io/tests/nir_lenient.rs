//! Files that break the specification: an error with its place, or a repair that is told.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing step is a failing test")]

use std::path::Path;

use model_io::array::Array;
use model_io::hdf5::{self, GroupWriter, Storage};
use model_io::nir::{Input, NirGraph, Output, Primitive, read, read_leniently};

/// A file with an input and an output of three values, and these edges; `more` writes further nodes.
fn write_graph(path: &Path, edges: &Array, more: impl Fn(&GroupWriter)) {
    let root = hdf5::create(path).unwrap();
    let graph = root.create_group("node").unwrap();
    graph.write_text("type", "NIRGraph").unwrap();
    let nodes = graph.create_group("nodes").unwrap();
    for end in ["Input", "Output"] {
        let group = nodes.create_group(&end.to_lowercase()).unwrap();
        group.write_text("type", end).unwrap();
        group.write("shape", &Array::vector(vec![3_i64]), Storage::Plain).unwrap();
    }
    more(&nodes);
    graph.write("edges", edges, Storage::Plain).unwrap();
    root.flush().unwrap();
}

/// A file with one node between an input and an output, and an edge that joins nothing.
fn write(path: &Path, node_type: &str, fields: impl Fn(&GroupWriter)) {
    let edges = ["input", "node", "node", "output", "node", "lost", "input", "node"];
    let edges = Array::new(vec![4, 2], edges.map(str::to_owned).to_vec()).unwrap();
    write_graph(path, &edges, |nodes| {
        let node = nodes.create_group("node").unwrap();
        node.write_text("type", node_type).unwrap();
        fields(&node);
    });
}

#[test]
fn scalars_and_missing_parameters_are_given_the_layers_shape() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lif.nir");
    write(&path, "LIF", |node| {
        let array = |name: &str, array: Array| node.write(name, &array, Storage::Plain).unwrap();
        array("tau", Array::vector(vec![0.01_f32, 0.02, 0.03]));
        array("r", Array::scalar(2.0_f64));
        array("v_threshold", Array::new(vec![1, 3], vec![1.0_f32; 3]).unwrap());
    });
    let strict = read(&path).unwrap_err().to_string();
    assert!(strict.contains("/node/nodes/node"), "{strict}");
    let (graph, notes) = read_leniently(&path).unwrap();
    let Primitive::Lif(lif) = &graph.nodes["node"].primitive else { panic!() };
    assert_eq!(lif.r.values.to_f64().unwrap(), [2.0; 3]);
    assert_eq!(lif.v_leak.values.to_f64().unwrap(), [0.0; 3]);
    assert_eq!(lif.v_threshold.shape, [3]);
    for part in ["r is one number", "v_leak is missing", "v_threshold has shape [1, 3]", "`lost`"] {
        assert!(notes.iter().any(|note| note.contains(part)), "{part}: {notes:?}");
    }
    assert_eq!(graph.edges.len(), 2, "{:?}", graph.edges);
}

#[test]
fn a_convolution_without_bias_or_stride_has_the_usual_ones() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("conv.nir");
    write(&path, "Conv2d", |node| {
        let weight = Array::new(vec![2, 1, 3, 3], vec![0.5_f32; 18]).unwrap();
        node.write("weight", &weight, Storage::Plain).unwrap();
    });
    assert!(read(&path).is_err());
    let (graph, notes) = read_leniently(&path).unwrap();
    let Primitive::Conv2d(conv) = &graph.nodes["node"].primitive else { panic!() };
    assert_eq!((conv.stride, conv.dilation, conv.groups), ([1, 1], [1, 1], 1));
    assert_eq!(conv.bias.values.to_f64().unwrap(), [0.0; 2]);
    assert_eq!(notes.iter().filter(|note| note.contains("is missing")).count(), 5, "{notes:?}");
}

#[test]
fn a_member_that_is_no_parameter_is_refused_or_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scale.nir");
    write(&path, "Scale", |node| {
        for name in ["scale", "gain"] {
            node.write(name, &Array::vector(vec![2.0_f32; 3]), Storage::Plain).unwrap();
        }
    });
    let text = read(&path).unwrap_err().to_string();
    let told = "/node/nodes/node (Scale): `gain` is no parameter; known are scale";
    assert!(text.contains(told), "{text}");
    let (graph, notes) = read_leniently(&path).unwrap();
    let Primitive::Scale(scale) = &graph.nodes["node"].primitive else { panic!() };
    assert_eq!(scale.scale.values.to_f64().unwrap(), [2.0; 3]);
    assert!(notes.iter().any(|note| note.contains("`gain` is no parameter")), "{notes:?}");
}

#[test]
fn a_text_that_is_no_padding_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("conv.nir");
    write(&path, "Conv2d", |node| {
        let weight = Array::new(vec![2, 1, 3, 3], vec![0.5_f32; 18]).unwrap();
        node.write("weight", &weight, Storage::Plain).unwrap();
        node.write_text("padding", "sme").unwrap();
    });
    let text = read_leniently(&path).unwrap_err().to_string();
    assert!(text.contains("padding is `sme`; expected whole numbers"), "{text}");
}

#[test]
fn what_cannot_be_guessed_stays_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("if.nir");
    write(&path, "IF", |node| {
        node.write("r", &Array::vector(vec![1.0_f32; 3]), Storage::Plain).unwrap();
    });
    let text = read_leniently(&path).unwrap_err().to_string();
    assert!(text.contains("v_threshold") && text.contains("/node/nodes/node"), "{text}");
}

#[test]
fn an_edge_that_stands_twice_is_refused_or_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("twice.nir");
    let mut graph = NirGraph::default();
    graph.add_node("input", Input { shape: vec![3] });
    graph.add_node("output", Output { shape: vec![3] });
    graph.add_edge("input", "output");
    model_io::nir::write(&path, &graph, false).unwrap();
    let place = ["input", "output", "input", "output"].map(str::to_owned).to_vec();
    graph.add_edge("input", "output");
    let text = graph.check().unwrap_err().to_string();
    assert!(
        text.contains("/node/edges") && text.contains("input -> output stands twice"),
        "{text}"
    );
    let doubled = folder.path().join("doubled.nir");
    write_graph(&doubled, &Array::new(vec![2, 2], place).unwrap(), |_| {});
    let strict = read(&doubled).unwrap_err().to_string();
    assert!(strict.contains("input -> output stands twice"), "{strict}");
    let (lenient, notes) = read_leniently(&doubled).unwrap();
    assert_eq!(lenient, read(&path).unwrap());
    assert!(notes.iter().any(|note| note.contains("stands twice")), "{notes:?}");
}
