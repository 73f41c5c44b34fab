use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use sim_core::network::{Convolution, Shape};

mod other_neurons;
mod recurrent;

use super::*;
use crate::chip::Truncation;
use crate::quantise::coding::code_dense;
use crate::quantise::network::{
    Connection, DelaySteps, IntegerValues, QuantisedNetwork, QuantisedPopulation,
    QuantisedProjection, SignMode,
};

fn population(name: &str, shape: Shape, numbers: &[(&str, i64)]) -> QuantisedPopulation {
    let process = if numbers.is_empty() { "input" } else { "lif" };
    let parameters: IndexMap<_, _> =
        numbers.iter().map(|&(name, n)| (name.to_owned(), IntegerValues::One(n))).collect();
    QuantisedPopulation { name: name.into(), shape, process: process.into(), parameters }
}

fn projection(source: usize, target: usize, connection: Connection) -> QuantisedProjection {
    QuantisedProjection {
        name: format!("{source}->{target}"),
        source,
        target,
        connection,
        delay: DelaySteps::One(0),
        message_bits: 0,
        port: 0,
        learning: None,
    }
}

/// Even weights of both signs in a fixed pattern, as lava-dl writes them.
fn pattern(count: usize) -> Vec<i64> {
    (0..count as i64).map(|k| (k * 37 % 101 - 50) * 2).collect()
}

fn dense(weights: &[i64], targets: usize, sources: usize) -> Connection {
    code_dense(weights, targets, sources, Truncation::Floor).unwrap().connection
}

fn geometry() -> Convolution {
    Convolution {
        source: [2, 6, 5],
        target: [4, 3, 4],
        kernel: [3, 2],
        stride: [2, 1],
        padding: [1, 0, 1, 0],
        dilation: [1, 1],
        groups: 2,
    }
}

/// Input 2×6×5 → convolution → dense.
fn network() -> QuantisedNetwork {
    let geometry = geometry();
    let kernels: Vec<i32> = pattern(4 * 3 * 2).iter().map(|&w| w as i32).collect();
    let conv = Connection::Convolution { geometry, weights: kernels };
    let lif = [("du", 4095), ("dv", 128), ("vth", 90), ("bias_exp", 6)];
    let mut hidden = population("hidden", Shape::Picture(geometry.target), &lif);
    let bias: Vec<i64> = (0..48).map(|neuron| [5, -20, 0, 30][neuron / 12]).collect();
    hidden.parameters.insert("bias_mant".into(), IntegerValues::PerNeuron(bias));
    let mut out = population("out", Shape::List(10), &[("du", 1023), ("dv", 0), ("vth", 300)]);
    out.parameters.insert("bias_mant".into(), IntegerValues::One(64));
    QuantisedNetwork {
        name: "chain".into(),
        chip: "loihi2".into(),
        populations: vec![population("input", Shape::Picture([2, 6, 5]), &[]), hidden, out],
        projections: vec![projection(0, 1, conv), projection(1, 2, dense(&pattern(480), 10, 48))],
    }
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/netx").join(name)
}

#[test]
fn the_layers_of_a_written_file_are_read_back_with_every_number() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.net");
    write_netx(&path, &network(), false).unwrap();
    let layers = read_netx_layers(&path).unwrap();
    let types: Vec<_> = layers.iter().map(|l| l.layer_type.as_str()).collect();
    assert_eq!(types, ["input", "conv", "flatten", "dense"]);
    let shapes: Vec<_> = layers.iter().map(|l| l.shape.as_slice()).collect();
    assert_eq!(shapes, [&[2, 6, 5][..], &[4, 3, 4], &[48], &[10]]);
    assert!(layers.iter().all(|l| l.warnings.is_empty()), "{layers:?}");
    let conv = &layers[1];
    let moved = NetxConvolution { stride: [2, 1], padding: [1, 0], dilation: [1, 1], groups: 2 };
    assert_eq!(conv.convolution, Some(moved));
    let weights = conv.weights.as_ref().unwrap();
    assert_eq!(
        (weights.shape.as_slice(), weights.values.type_name()),
        (&[4, 1, 3, 2][..], "float32")
    );
    assert_eq!(weights.values.to_i64().unwrap(), pattern(24));
    assert_eq!(conv.bias.as_ref().unwrap().values.to_i64().unwrap(), [5, -20, 0, 30]);
    let neuron = conv.neuron.as_ref().unwrap();
    assert_eq!(neuron.neuron_type, "CUBA");
    let numbers = (neuron.current_decay, neuron.voltage_decay, neuron.threshold);
    assert_eq!(numbers, (Some(4096.0), Some(128.0), Some(90.0)));
    let dense = &layers[3];
    // The stored weights are shifted; the file holds what netx shifts again.
    assert_eq!(dense.weights.as_ref().unwrap().values.to_i64().unwrap(), pattern(480));
    assert_eq!(dense.bias.as_ref().unwrap().values.to_i64().unwrap(), [1; 10]);
    let first = std::fs::read(&path).unwrap();
    assert!(matches!(write_netx(&path, &network(), false), Err(NetxError::Write(_))));
    write_netx(&path, &network(), true).unwrap();
    assert!(first == std::fs::read(&path).unwrap(), "equal networks give equal bytes");
}

/// Each rule is broken alone; the violation must name it.
#[test]
fn every_rule_is_guarded() {
    type Break = fn(&mut QuantisedNetwork);
    let cases: &[(&str, &str, Break)] = &[
        ("process", "`izhikevich`", |n| n.populations[2].process = "izhikevich".into()),
        ("neuron", "vth is 0", |n| set(n, 2, "vth", 0)),
        ("neuron", "vth is 131072", |n| set(n, 2, "vth", 131_072)),
        ("neuron", "du is 4096", |n| set(n, 2, "du", 4096)),
        ("neuron", "dv is -1", |n| set(n, 2, "dv", -1)),
        ("parameter", "`reset_interval`", |n| set(n, 2, "reset_interval", 8)),
        ("bias", "multiple of 64", |n| set(n, 2, "bias_mant", 65)),
        ("bias", "neuron 0 is 32768", |n| {
            set(n, 2, "bias_mant", 32768);
            set(n, 2, "bias_exp", 6);
        }),
        ("bias", "exponent 63", |n| set(n, 2, "bias_exp", 63)),
        ("bias", "channel 1", |n| {
            let mut bias = vec![1; 48];
            bias[13] = 2;
            n.populations[1].parameters["bias_mant"] = IntegerValues::PerNeuron(bias);
        }),
        ("neuron", "vth differs", |n| {
            n.populations[2].parameters["vth"] = IntegerValues::PerNeuron((1..11).collect());
        }),
        ("padding", "1 above and 2 below", |n| conv(n).0.padding = [1, 0, 2, 0]),
        ("geometry", "target", |n| conv(n).0.target[1] = 9),
        ("weights", "outside -256..=255", |n| conv(n).1[3] = 256),
        ("weights", "all weights are 0", |n| conv(n).1.fill(0)),
        ("weights", "all 480 weights are 0", |n| matrix(n, &[0; 480], SignMode::Mixed, 8, 0)),
        ("weights", "0..=255", |n| matrix(n, &[510; 480], SignMode::Excitatory, 8, 1)),
        ("integer", "no whole number", |n| matrix(n, &[3; 480], SignMode::Excitatory, 8, -1)),
        ("weight_bits", "12 weight bits", |n| matrix(n, &[2; 480], SignMode::Mixed, 12, 0)),
        ("delay", "63 steps", |n| n.projections[1].delay = DelaySteps::One(63)),
        ("delay", "3 delays for 480", |n| {
            n.projections[1].delay = DelaySteps::PerSynapse(vec![1; 3]);
        }),
        ("delay", "ignores delays", |n| n.projections[0].delay = DelaySteps::One(1)),
        ("graded", "8 bits", |n| n.projections[1].message_bits = 8),
        ("recurrent", "several projections on itself", |n| {
            n.projections.push(projection(2, 2, dense(&[2; 100], 10, 10)));
            n.projections.push(projection(2, 2, dense(&[4; 100], 10, 10)));
        }),
        ("recurrent", "a convolution reaches", |n| {
            n.projections.push(projection(1, 1, dense(&pattern(48 * 48), 48, 48)));
        }),
        ("delay", "no delays of recurrent", |n| {
            n.projections.push(projection(2, 2, dense(&pattern(100), 10, 10)));
            n.projections[2].delay = DelaySteps::One(2);
        }),
        ("delay", "delay the recurrent ones alike", |n| {
            n.projections.push(projection(2, 2, dense(&pattern(100), 10, 10)));
            n.projections[1].delay = DelaySteps::One(2);
        }),
        ("weights", "netx would change", |n| {
            // These act as 508, which netx clips.
            let large = Connection::Dense {
                weights: vec![254; 100],
                sign_mode: SignMode::Excitatory,
                weight_bits: 8,
                weight_exponent: 1,
            };
            n.projections.push(projection(2, 2, large));
        }),
        ("graph", "lead into an input", |n| {
            n.projections.push(projection(0, 0, dense(&pattern(3600), 60, 60)));
        }),
        ("branch", "2 projections enter", |n| {
            n.projections.push(projection(0, 2, dense(&pattern(600), 10, 60)));
        }),
        ("graph", "nothing reaches", |n| {
            n.populations.push(population("lost", Shape::List(3), &[("vth", 1)]));
        }),
        ("graph", "do not exist", |n| n.projections[1].target = 7),
        ("input", "2 inputs", |n| {
            n.populations.push(population("second", Shape::List(3), &[]));
        }),
    ];
    for (rule, words, change) in cases {
        let mut network = network();
        change(&mut network);
        let violations = plan(&network).expect_err(words);
        let found = violations.iter().find(|v| v.rule == *rule && v.to_string().contains(words));
        assert!(found.is_some(), "{rule} with `{words}` is not in {violations:#?}");
        assert!(violations.iter().all(|v| !v.remedy.is_empty()));
    }
}

#[test]
fn listed_synapses_are_laid_out_as_the_matrix_that_netx_has() {
    let mut listed = network();
    let Connection::Dense { weights, sign_mode, weight_bits, weight_exponent } =
        listed.projections[1].connection.clone()
    else {
        panic!("the second projection is dense")
    };
    let columns = listed.populations[1].shape.size() as usize;
    let places: Vec<usize> = (0..weights.len()).filter(|place| weights[*place] != 0).collect();
    listed.projections[1].connection = Connection::Sparse {
        targets: places.iter().map(|place| (place / columns) as u32).collect(),
        sources: places.iter().map(|place| (place % columns) as u32).collect(),
        weights: places.iter().map(|place| weights[*place]).collect(),
        sign_mode,
        weight_bits,
        weight_exponent,
    };
    assert_eq!(plan(&listed).unwrap().layers, plan(&network()).unwrap().layers);
}

fn set(network: &mut QuantisedNetwork, population: usize, name: &str, value: i64) {
    let parameters = &mut network.populations[population].parameters;
    parameters.insert(name.into(), IntegerValues::One(value));
}

fn conv(network: &mut QuantisedNetwork) -> (&mut Convolution, &mut Vec<i32>) {
    match &mut network.projections[0].connection {
        Connection::Convolution { geometry, weights } => (geometry, weights),
        _ => panic!("the first projection is a convolution"),
    }
}

fn matrix(network: &mut QuantisedNetwork, w: &[i32], sign_mode: SignMode, bits: u8, exponent: i8) {
    network.projections[1].connection = Connection::Dense {
        weights: w.to_vec(),
        sign_mode,
        weight_bits: bits,
        weight_exponent: exponent,
    };
}

#[test]
fn all_violations_are_returned_together_and_nothing_is_written() {
    let mut network = network();
    set(&mut network, 2, "vth", 0);
    conv(&mut network).0.padding = [1, 0, 2, 0];
    network.projections[1].delay = DelaySteps::One(200);
    let folder = tempfile::tempdir().unwrap();
    let error = write_netx(&folder.path().join("x.net"), &network, false).unwrap_err();
    let NetxError::Violations(violations) = &error else { panic!("{error}") };
    let rules: std::collections::BTreeSet<_> = violations.iter().map(|v| v.rule).collect();
    assert!(rules.is_superset(&["neuron", "padding", "delay"].into()), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_dense_layer_on_a_picture_takes_it_as_a_list() {
    let mut network = network();
    network.populations.remove(1);
    network.projections = vec![projection(0, 1, dense(&pattern(600), 10, 60))];
    network.projections[0].delay = DelaySteps::PerSynapse((0..600).map(|k| k as u8 % 63).collect());
    let plan = plan(&network).unwrap();
    assert!(matches!(&plan.layers[0], PlannedLayer::Input { shape, .. } if *shape == [60]));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dense.net");
    write_netx(&path, &network, false).unwrap();
    let layers = read_netx_layers(&path).unwrap();
    assert_eq!(layers[1].delay.as_ref().unwrap().shape, [10, 60]);
    assert_eq!(layers[1].delay.as_ref().unwrap().values.to_i64().unwrap()[..3], [0, 1, 2]);
}

#[test]
fn files_of_lava_dl_are_listed_layer_by_layer() {
    let layers = read_netx_layers(&golden("slayer_cnn.net")).unwrap();
    let types: Vec<_> = layers.iter().map(|l| l.layer_type.as_str()).collect();
    assert_eq!(types, ["conv", "conv", "flatten", "dense"]);
    assert_eq!(layers[1].shape, [6, 4, 4]);
    assert_eq!(layers[1].convolution.unwrap().groups, 2);
    assert_eq!(layers[1].convolution.unwrap().stride, [2, 2]);
    assert_eq!(layers[3].weights.as_ref().unwrap().shape, [10, 96]);
    assert_eq!(layers[0].neuron.as_ref().unwrap().voltage_decay, Some(123.0));
    let layers = read_netx_layers(&golden("slayer_mlp.net")).unwrap();
    assert_eq!((layers.len(), layers[0].shape.as_slice()), (2, &[16][..]));
    assert!(layers.iter().all(|l| l.warnings.is_empty()), "{layers:?}");
    let layers = read_netx_layers(&golden("hand_minimal.net")).unwrap();
    assert_eq!(layers[0].neuron.as_ref().unwrap().current_decay, Some(1024.0));
    let layers = read_netx_layers(&golden("hand_conv.net")).unwrap();
    assert_eq!(layers[1].bias.as_ref().unwrap().values.to_i64().unwrap(), [5, -20, 30]);
    let layers = read_netx_layers(&golden("hand_dense_rec.net")).unwrap();
    assert_eq!(layers[0].recurrent_weights.as_ref().unwrap().shape, [5, 5]);
}

#[test]
fn what_netx_does_silently_is_said() {
    let layers = read_netx_layers(&golden("hand_type_foo.net")).unwrap();
    assert!(layers[1].warnings[0].contains("skips this layer: type `foo`"), "{layers:?}");
    let layers = read_netx_layers(&golden("hand_no_neuron.net")).unwrap();
    assert!(layers[0].warnings[0].contains("integrators"), "{layers:?}");
}

/// Damaged files give errors: every byte of small files is hit, and no layer is invented.
#[test]
fn damaged_files_give_errors_and_never_more_layers() {
    let bytes = std::fs::read(golden("hand_conv.net")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.net");
    for length in (0..bytes.len()).step_by(997) {
        std::fs::write(&path, &bytes[..length]).unwrap();
        assert!(read_netx_layers(&path).is_err(), "{length} bytes");
    }
    let mut read = 0;
    for (round, at) in (0..bytes.len()).step_by(61).enumerate() {
        let mut damaged = bytes.clone();
        damaged[at] = [0xff, 0, damaged[at] ^ 1, damaged[at] ^ 0x80][round % 4];
        std::fs::write(&path, &damaged).unwrap();
        if let Ok(layers) = read_netx_layers(&path) {
            assert!(layers.len() <= 4);
            read += 1;
        }
    }
    assert!(read > 0, "unused bytes do not matter");
}
