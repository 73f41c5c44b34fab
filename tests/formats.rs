//! Converted networks in files of other tools, written and read back.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use spikeloom::data::{Samples, Scaling};
use spikeloom::loihi_export::chip::ChipSpec;
use spikeloom::loihi_export::export::netx::{NetxLayer, read_netx_layers, write_netx};
use spikeloom::loihi_export::quantise::network::{Connection, IntegerValues};
use spikeloom::loihi_export::quantise::{QuantiseConfig, quantise};
use spikeloom::model_io::nir::{self, MetadataEntry, NirGraph, NirNode, Primitive};
use spikeloom::sim_core::network::{
    Connectivity, Dense, FixedProbability, List, Network, Neuron, Population, Projection, Reset,
    Shape, SpikeCondition, Stimulus, ValidNetwork, ValidStimulus,
};
use spikeloom::sim_core::neuron::integrate_and_fire::IntegrateAndFire;
use spikeloom::sim_core::units::{Milliseconds, Values};
use spikeloom::snn_convert::coding::InputCode;
use spikeloom::snn_convert::convert::Convertible;
use spikeloom::snn_convert::method::{MethodConfig, find_method};
use spikeloom::snn_convert::source::onnx;
use spikeloom::snn_convert::threshold::RULES;
use std::path::{Path, PathBuf};

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/digits").join(path)
}

/// A file in the build's scratch folder.
fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn digits(method: &str, code: InputCode) -> ValidNetwork {
    let graph = onnx::read(&std::fs::read(data("digits_cnn.onnx")).unwrap()).unwrap();
    let scaling = Scaling { divisor: Some(16.0) };
    let samples = Samples::read(&data("digits.npz"), scaling).unwrap().first(40);
    let convertible = Convertible::new("digits_cnn", &graph, &samples.values).unwrap();
    let config = MethodConfig::new(RULES[0], code, 8);
    let conversion = convertible.convert(find_method(method).unwrap(), &config).unwrap();
    conversion.network.validate().unwrap()
}

fn hard_reset_digits() -> ValidNetwork {
    digits("hard_reset", InputCode::DeterministicRate)
}

fn numbers(array: &spikeloom::model_io::array::Array) -> Vec<f32> {
    array.values.to_f32().unwrap()
}

fn node<'a>(graph: &'a NirGraph, name: &str) -> &'a NirNode {
    graph.nodes.get(name).unwrap_or_else(|| panic!("no `{name}` in {:?}", graph.nodes.keys()))
}

fn text(node: &NirNode, key: &str) -> String {
    match &node.metadata[key] {
        MetadataEntry::Value(array) => format!("{:?}", array.values),
        MetadataEntry::Group(_) => panic!("{key} is a group"),
    }
}

/// The constant current into each neuron of a population.
fn current(network: &ValidNetwork, population: usize) -> Vec<f32> {
    let size = network.populations()[population].size() as usize;
    let mut sum = vec![0.0; size];
    for stimulus in network.stimuli().values() {
        if let ValidStimulus::ConstantCurrent { population: driven, amplitude, .. } = stimulus
            && *driven == population
        {
            sum.iter_mut().enumerate().for_each(|(n, sum)| *sum += amplitude.get(n) as f32);
        }
    }
    sum
}

#[test]
fn a_nir_graph_holds_every_weight_bias_and_threshold_and_survives_its_file() {
    let network = hard_reset_digits();
    let graph = nir::from_network(&network).unwrap();
    graph.check().unwrap();
    let path = scratch("digits.nir");
    nir::write(&path, &graph, true).unwrap();
    assert_eq!(nir::read(&path).unwrap(), graph);

    let mut found = 0;
    for projection in network.projections().values() {
        let (target_name, target) = network.populations().get_index(projection.target).unwrap();
        let target_name = if target_name == "output" { "readout" } else { target_name };
        let weights: Vec<f32> =
            projection.weights.listed().unwrap().numbers().iter().map(|&w| w as f32).collect();
        let bias = current(&network, projection.target);
        found += weights.len();
        match &node(&graph, &format!("{target_name}_weights")).primitive {
            Primitive::Conv2d(conv) => {
                let Connectivity::Convolution(geometry) = &projection.connectivity else {
                    panic!("{target_name} is no convolution")
                };
                assert_eq!(numbers(&conv.weight), weights);
                assert_eq!(conv.weight.shape, geometry.weight_shape().map(|n| n as usize));
                let per_channel = bias.len() / geometry.target[0] as usize;
                let every: Vec<f32> =
                    numbers(&conv.bias).iter().flat_map(|&b| vec![b; per_channel]).collect();
                assert_eq!(every, bias);
            }
            Primitive::Affine(affine) => {
                assert_eq!(numbers(&affine.weight), weights);
                assert_eq!(affine.weight.shape[0], target.size() as usize);
                assert_eq!(numbers(&affine.bias), bias);
            }
            other => panic!("{target_name}: {other:?}"),
        }
        let neurons = node(&graph, target_name);
        let Primitive::If(neuron) = &neurons.primitive else { panic!("{neurons:?}") };
        assert_eq!(numbers(&neuron.v_threshold), vec![1.0; target.size() as usize]);
        assert_eq!(numbers(&neuron.v_reset), vec![0.0; target.size() as usize]);
        assert!(text(neurons, "reset").contains("to v_reset"));
        assert!(text(neurons, "spike").contains("v > v_threshold"));
        assert!(!neurons.metadata.contains_key("v_initial"));
    }
    // 12·9 and 24·12·9 kernel weights; the mean pooling is part of the 10 × 864 dense ones.
    assert_eq!(found, 108 + 2592 + 8640);
    let joined = |from: &str, to: &str| graph.edges.iter().any(|(a, b)| a == from && b == to);
    assert!(joined("readout", "output") && joined("readout_weights_flatten", "readout_weights"));
}

fn chain(neuron: impl Into<Neuron>, start: f64) -> Network {
    let mut network = Network::new("chain", Milliseconds(1.0));
    network.add_population("source", Population::new(2, Neuron::spike_source()));
    network.add_population("target", Population::new(3, neuron));
    let weights = Values::numbers(vec![0.5, -1.0, 0.25, 1.0, 2.0, -0.5]);
    network.add_projection(
        "forward",
        Projection::new("source", "target", Dense).weight(weights).delay(Milliseconds(1.0)),
    );
    let amplitude = Values::numbers(vec![0.1, 0.2, 0.3]);
    let bias = Stimulus::constant_current("target", amplitude, Milliseconds(start));
    network.add_stimulus("bias", bias);
    network
}

fn soft(initial: f64) -> IntegrateAndFire {
    IntegrateAndFire {
        threshold: 2.0.into(),
        initial: initial.into(),
        spike: SpikeCondition::AtOrAbove,
        reset: Reset::Subtract,
    }
}

#[test]
fn what_nir_cannot_say_stands_in_the_metadata() {
    let graph = nir::from_network(&chain(soft(1.0), 0.0).validate().unwrap()).unwrap();
    let target = node(&graph, "target");
    assert!(text(target, "reset").contains("subtract"));
    assert!(text(target, "spike").contains(">="));
    let MetadataEntry::Value(initial) = &target.metadata["v_initial"] else { panic!("a group") };
    assert_eq!(numbers(initial), [1.0; 3]);
    assert!(graph.metadata.contains_key("dt_ms"));
    let path = scratch("soft_reset.nir");
    nir::write(&path, &graph, true).unwrap();
    assert_eq!(nir::read(&path).unwrap(), graph);
}

#[test]
fn networks_without_a_nir_form_are_refused_with_place_and_remedy() {
    let refuse = |network: &Network| {
        nir::from_network(&network.validate().unwrap()).unwrap_err().to_string()
    };
    let late = refuse(&chain(soft(0.0), 3.0));
    assert!(late.contains("stimuli/bias") && late.contains("switched"), "{late}");
    let mut drawn = chain(soft(0.0), 0.0);
    drawn.projections["forward"].connectivity =
        Connectivity::FixedProbability(FixedProbability { probability: 0.5, autapses: true });
    drawn.projections["forward"].weight = 1.0.into();
    assert!(refuse(&drawn).contains("`fixed_probability` draws its synapses"));
    let mut alone = chain(soft(0.0), 0.0);
    alone.projections.clear();
    assert!(refuse(&alone).contains("no node holds it as a bias"));
    let mut picture = chain(soft(0.0), 0.0);
    picture.populations["target"].size = Shape::Picture([3, 1, 1]);
    assert!(refuse(&picture).contains("picture that a dense layer reaches"));
}

#[test]
fn lists_delays_and_rate_codes_have_a_nir_form() {
    let graph = |network: &Network| nir::from_network(&network.validate().unwrap()).unwrap();
    let mut twice = chain(soft(0.0), 0.0);
    let mut second = twice.projections["forward"].clone();
    second.delay = Milliseconds(3.0).into();
    second.connectivity = Connectivity::List(List {
        sources: vec![0, 0, 1, 1, 0, 1],
        targets: vec![0, 1, 2, 0, 2, 1],
    });
    twice.add_projection("again", second);
    let twice = graph(&twice);
    let Primitive::Delay(delay) = &twice.nodes["target_weights_1_delay"].primitive else {
        panic!("{:?}", twice.nodes.keys());
    };
    // Two steps of 1 ms behind the faster projection.
    assert_eq!(numbers(&delay.delay), [2e-3; 3]);
    // The rate code's last layer integrates without spiking; its biases wait for the first input.
    let rate = nir::from_network(&digits("rate_plain", InputCode::DeterministicRate)).unwrap();
    let integrators = rate.nodes.values().filter(|n| matches!(n.primitive, Primitive::I(_)));
    assert_eq!(integrators.count(), 1);
}

#[test]
fn names_that_would_collide_in_nir_are_refused() {
    let mut network = chain(soft(0.0), 0.0);
    network.add_population("target_weights", Population::new(1, Neuron::spike_source()));
    let mut first = Network::new("slashes", Milliseconds(1.0));
    first.add_population("a/b", Population::new(1, Neuron::spike_source()));
    first.add_population("a.b", Population::new(1, Neuron::spike_source()));
    for network in [network, first] {
        let error = nir::from_network(&network.validate().unwrap()).unwrap_err();
        assert!(error.to_string().contains("is taken; rename"), "{error}");
    }
}

/// Weights, bias and threshold of a layer of a netx file as integers.
fn stored(layer: &NetxLayer) -> (Vec<i64>, Vec<i64>, i64) {
    let weights = layer.weights.as_ref().unwrap().values.to_f64().unwrap();
    assert!(weights.iter().all(|weight| weight.fract() == 0.0));
    let bias = layer.bias.as_ref().map(|bias| bias.values.to_i64().unwrap()).unwrap_or_default();
    let threshold = layer.neuron.as_ref().unwrap().threshold.unwrap() as i64;
    (weights.iter().map(|&weight| weight as i64).collect(), bias, threshold)
}

#[test]
fn a_netx_file_holds_the_integers_of_the_quantised_network() {
    let chip = ChipSpec::built_in("loihi1").unwrap();
    let quantised = quantise(&hard_reset_digits(), &chip, &QuantiseConfig::default()).unwrap();
    let network = &quantised.network;
    let path = scratch("digits.net");
    write_netx(&path, network, true).unwrap();
    let layers = read_netx_layers(&path).unwrap();
    let types: Vec<&str> = layers.iter().map(|layer| layer.layer_type.as_str()).collect();
    assert_eq!(types, ["input", "conv", "conv", "flatten", "dense"]);
    assert_eq!(layers[0].shape, [1, 8, 8]);
    assert!(layers.iter().all(|layer| layer.warnings.is_empty()), "{layers:?}");
    let computed = layers.iter().filter(|layer| layer.weights.is_some());
    for (layer, projection) in computed.zip(&network.projections) {
        let (weights, bias, threshold) = stored(layer);
        let population = &network.populations[projection.target];
        assert_eq!(population.parameters["vth"], IntegerValues::One(threshold));
        let neuron = layer.neuron.as_ref().unwrap();
        assert_eq!((neuron.current_decay, neuron.voltage_decay), (Some(4096.0), Some(0.0)));
        let IntegerValues::PerNeuron(biases) = &population.parameters["bias_mant"] else {
            panic!("one bias for all")
        };
        match &projection.connection {
            Connection::Convolution { geometry, weights: own } => {
                assert_eq!(weights, own.iter().map(|&w| i64::from(w)).collect::<Vec<_>>());
                let per_channel = biases.len() / geometry.target[0] as usize;
                let first: Vec<i64> = biases.iter().step_by(per_channel).copied().collect();
                assert_eq!(bias, first);
                assert_eq!(layer.convolution.unwrap().padding[0], u64::from(geometry.padding[0]));
            }
            Connection::Dense { weights: own, weight_exponent, .. } => {
                let acting: Vec<i64> =
                    own.iter().map(|&w| i64::from(w) >> -weight_exponent).collect();
                assert_eq!(weights, acting);
                assert_eq!(bias, *biases);
            }
            Connection::Sparse { .. } => panic!("{} is sparse", projection.name),
        }
    }
}
