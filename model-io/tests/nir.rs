//! NIR files of other tools are read, and what is written is read back the same.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};

use model_io::array::{Array, Values};
use model_io::hdf5::{self, Storage};
use model_io::nir::{self, MetadataEntry, NirError, NirGraph, NirNode, Padding, Primitive};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/nir")
}

fn golden_files() -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "nir"))
        .collect();
    files.sort();
    files
}

fn numbers(shape: &[usize]) -> Array {
    let count: usize = shape.iter().product();
    Array::new(shape.to_vec(), (0..count).map(|k| k as f32 / 4.0 - 1.0).collect::<Vec<_>>())
        .unwrap()
}

/// One node of every type, a sub-graph and metadata of every kind.
fn graph_of_everything() -> NirGraph {
    let n = || numbers(&[3]);
    let mut graph = NirGraph::default();
    graph.add_node("input", Primitive::from(nir::Input { shape: vec![3] }));
    graph.add_node("output", Primitive::from(nir::Output { shape: vec![3] }));
    graph.add_node("affine", Primitive::from(nir::Affine { weight: numbers(&[3, 3]), bias: n() }));
    graph.add_node("linear", Primitive::from(nir::Linear { weight: numbers(&[2, 3, 3]) }));
    graph.add_node("scale", Primitive::from(nir::Scale { scale: n() }));
    graph.add_node(
        "conv1",
        Primitive::from(nir::Conv1d {
            input_shape: Some(9),
            weight: numbers(&[4, 1, 3]),
            stride: 2,
            padding: Padding::Zeros([1]),
            dilation: 1,
            groups: 2,
            bias: numbers(&[4]),
        }),
    );
    graph.add_node(
        "conv2.same",
        Primitive::from(nir::Conv2d {
            input_shape: None,
            weight: numbers(&[4, 1, 3, 2]),
            stride: [1, 1],
            padding: Padding::Same,
            dilation: [1, 2],
            groups: 2,
            bias: numbers(&[4]),
        }),
    );
    let (kernel_size, stride, padding) = ([2, 3], [2, 1], [0, 1]);
    graph.add_node("sum", Primitive::from(nir::SumPool2d { kernel_size, stride, padding }));
    graph.add_node("average", Primitive::from(nir::AvgPool2d { kernel_size, stride, padding }));
    graph.add_node(
        "flatten",
        Primitive::from(nir::Flatten {
            input_type: Some(vec![2, 3, 4]),
            start_dim: 0,
            end_dim: -1,
        }),
    );
    graph.add_node("delay", Primitive::from(nir::Delay { delay: n() }));
    graph.add_node("threshold", Primitive::from(nir::Threshold { threshold: n() }));
    graph.add_node("i", Primitive::from(nir::I { r: n() }));
    graph.add_node("if", Primitive::from(nir::If { r: n(), v_threshold: n(), v_reset: n() }));
    graph.add_node("li", Primitive::from(nir::Li { tau: n(), r: n(), v_leak: n() }));
    let lif = nir::Lif { tau: n(), r: n(), v_leak: n(), v_threshold: n(), v_reset: numbers(&[3]) };
    let mut lif = NirNode::from(lif);
    let note = MetadataEntry::Value(Array::scalar("a neuron: τ".to_owned()));
    lif.metadata.insert("note".into(), note);
    graph.nodes.insert("lif".into(), lif);
    let (tau_syn, tau_mem) = (n(), n());
    graph.add_node(
        "cuba_li",
        Primitive::from(nir::CubaLi {
            tau_syn: tau_syn.clone(),
            tau_mem: tau_mem.clone(),
            r: n(),
            v_leak: n(),
            w_in: n(),
        }),
    );
    graph.add_node(
        "cuba_lif",
        Primitive::from(nir::CubaLif {
            tau_syn,
            tau_mem,
            r: n(),
            v_leak: n(),
            v_threshold: n(),
            v_reset: n(),
            w_in: n(),
        }),
    );
    let mut inner = NirGraph::default();
    inner.add_node("input", Primitive::from(nir::Input { shape: vec![3] }));
    inner.add_node("output", Primitive::from(nir::Output { shape: vec![3] }));
    inner.add_edge("input", "output");
    let dt = MetadataEntry::Value(Array::scalar(1e-3f64));
    inner.metadata.insert("dt".into(), dt.clone());
    graph.add_node("inner", Primitive::from(inner));
    graph.metadata.insert("simulation".into(), MetadataEntry::Group([("dt".into(), dt)].into()));
    graph.add_edge("input", "affine");
    graph.add_edge("affine", "lif");
    graph.add_edge("lif", "affine");
    graph.add_edge("lif", "output");
    graph
}

#[test]
fn files_of_other_tools_are_read_and_written_back_unchanged() {
    let files = golden_files();
    assert_eq!(files.len(), 39);
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let graph = nir::read(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let copy = folder.path().join("copy.nir");
        nir::write(&copy, &graph, true).unwrap();
        assert_eq!(nir::read(&copy).unwrap(), graph, "{}", file.display());
        assert!(!graph.edges.is_empty());
    }
}

#[test]
fn the_fields_of_a_golden_file_have_its_values() {
    let graph = nir::read(&folder().join("prim_lif.nir")).unwrap();
    let Primitive::Lif(lif) = &graph.nodes["node"].primitive else { panic!("not a LIF") };
    assert_eq!(lif.tau.values, Values::F32(vec![0.005, 0.01, 0.02, 0.05]));
    assert_eq!(lif.v_reset.values, Values::F32(vec![-0.1; 4]));
    let graph = nir::read(&folder().join("prim_conv2d.nir")).unwrap();
    let Primitive::Conv2d(conv) = &graph.nodes["node"].primitive else { panic!("not a Conv2d") };
    assert_eq!((conv.stride, conv.padding), ([2, 1], Padding::Zeros([1, 0])));
    assert_eq!((conv.input_shape, conv.weight.shape.as_slice()), (Some([8, 7]), &[3, 2, 3, 3][..]));
    let graph = nir::read(&folder().join("recurrent_flat.nir")).unwrap();
    assert_eq!(graph.metadata["dt"], MetadataEntry::Value(Array::scalar(0.001f64)));
    assert_eq!(graph.edges.len(), 5);
    let old = folder().join("paper_lif_norse.nir");
    assert_eq!(nir::read_version(&old).unwrap().as_deref(), Some("0.1.1"));
    let graph = nir::read(&old).unwrap();
    let Primitive::Lif(lif) = &graph.nodes["1"].primitive else { panic!("not a LIF") };
    assert_eq!(lif.v_reset.values, Values::F32(vec![0.0]), "absent means zero");
}

#[test]
fn every_node_type_is_read_back_as_it_was_written() {
    let graph = graph_of_everything();
    for known in nir::TYPES {
        let found = graph.nodes.values().any(|node| node.primitive.type_name() == *known);
        assert!(found, "{known} is not in this test");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("everything.nir");
    nir::write(&path, &graph, false).unwrap();
    assert_eq!(nir::read(&path).unwrap(), graph);
    assert_eq!(nir::read_version(&path).unwrap().as_deref(), Some(nir::WRITTEN_VERSION));
    let first = std::fs::read(&path).unwrap();
    nir::write(&path, &graph, true).unwrap();
    assert!(first == std::fs::read(&path).unwrap(), "equal graphs give equal bytes");
    let message = nir::write(&path, &graph, false).unwrap_err().to_string();
    assert!(message.contains("--force"), "{message}");
}

#[test]
fn wrong_graphs_are_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wrong.nir");
    let refused = |graph: &NirGraph, words: &[&str]| {
        let message = nir::write(&path, graph, false).unwrap_err().to_string();
        for word in words {
            assert!(message.contains(word), "{message} lacks {word}");
        }
        assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none());
    };
    let mut graph = graph_of_everything();
    graph.add_edge("lif", "nobody");
    refused(&graph, &["/node/edges", "`nobody`", "affine"]);
    let mut graph = graph_of_everything();
    let affine = nir::Affine { weight: numbers(&[3, 2]), bias: numbers(&[2]) };
    graph.add_node("affine", Primitive::from(affine));
    refused(&graph, &["/node/nodes/affine", "Affine", "bias", "[2]", "[3, 2]"]);
    let mut graph = graph_of_everything();
    let lif = nir::Li { tau: numbers(&[3]), r: numbers(&[4]), v_leak: numbers(&[3]) };
    graph.add_node("lif", Primitive::from(lif));
    refused(&graph, &["/node/nodes/lif", "r has shape [4]", "tau [3]"]);
    let mut graph = graph_of_everything();
    graph.add_node("a/b", Primitive::from(nir::Input { shape: vec![1] }));
    refused(&graph, &["a/b", "no `/`"]);
}

/// Writes a file with one node whose members the caller states.
fn file_with_node(path: &Path, members: impl Fn(&hdf5::GroupWriter)) {
    let root = hdf5::create(path).unwrap();
    let node = root.create_group("node").unwrap();
    node.write_text("type", "NIRGraph").unwrap();
    let empty = Array::new(vec![0, 2], Vec::<String>::new()).unwrap();
    node.write("edges", &empty, Storage::Plain).unwrap();
    members(&node.create_group("nodes").unwrap().create_group("x").unwrap());
}

#[test]
fn what_is_wrong_in_a_file_is_named_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("node.nir");
    let message = |members: &dyn Fn(&hdf5::GroupWriter)| {
        file_with_node(&path, members);
        nir::read(&path).unwrap_err().to_string()
    };
    let unknown = message(&|x| x.write_text("type", "Sigmoid").unwrap());
    for word in ["/node/nodes/x/type", "`Sigmoid`", "CubaLIF", "Threshold"] {
        assert!(unknown.contains(word), "{unknown}");
    }
    let missing = message(&|x| {
        x.write_text("type", "LI").unwrap();
        x.write("tau", &numbers(&[2]), Storage::Compressed).unwrap();
    });
    assert!(missing.contains("/node/nodes/x/r is missing"), "{missing}");
    assert!(missing.contains("tau, type"), "{missing}");
    let text = message(&|x| {
        x.write_text("type", "I").unwrap();
        x.write_text("r", "two ohms").unwrap();
    });
    assert!(text.contains("/node/nodes/x (I)") && text.contains("expected numbers"), "{text}");
    let negative = message(&|x| {
        x.write_text("type", "Input").unwrap();
        x.write("shape", &Array::vector(vec![-1i64]), Storage::Plain).unwrap();
    });
    assert!(negative.contains("shape is int64 [1]"), "{negative}");
    let group = message(&|x| drop(x.create_group("type").unwrap()));
    assert!(group.contains("/node/nodes/x/type is a group"), "{group}");
}

#[test]
fn files_that_are_no_nir_graphs_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no.nir");
    std::fs::write(&path, b"hello").unwrap();
    let message = nir::read(&path).unwrap_err().to_string();
    assert!(message.contains("is not an HDF5 file"), "{message}");
    let message = nir::read(&folder.path().join("absent.nir")).unwrap_err().to_string();
    assert!(message.contains("absent.nir"), "{message}");
    hdf5::create(&path).unwrap().write_text("version", "1.0.8").unwrap();
    let message = nir::read(&path).unwrap_err().to_string();
    assert!(message.contains("/node is missing") && message.contains("version"), "{message}");
    let root = hdf5::create(&path).unwrap();
    let node = root.create_group("node").unwrap();
    node.write_text("type", "I").unwrap();
    node.write("r", &numbers(&[2]), Storage::Plain).unwrap();
    drop((root, node));
    assert_eq!(nir::read(&path), Err(NirError::NotAGraph { found: "I" }));
}
