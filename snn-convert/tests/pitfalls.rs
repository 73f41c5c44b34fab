//! Mistakes that converters are known to make, with the test that holds each of them off; those that
//! no other file tests are tested here.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[allow(dead_code, reason = "shared by several tests")]
mod golden;

use prost::Message;
use sim_core::network::SpikeCondition;
use snn_convert::ann::operator::{Dense, Relu};
use snn_convert::ann::{AnnGraphBuilder, SampleShape, evaluate_output};
use snn_convert::coding::InputCode;
use snn_convert::convert::Convertible;
use snn_convert::fidelity::largest;
use snn_convert::layerwise::LayerwiseNetwork;
use snn_convert::linear::ChannelScale;
use snn_convert::lower::{NeuronForm, Readout, UnitScale};
use snn_convert::method::{MethodConfig, find_method};
use snn_convert::source::onnx;
use snn_convert::structure::UnitKind;
use snn_convert::threshold::{RULES, find_rule};
use std::path::Path;

const HERE: &str = "snn-convert/tests/pitfalls.rs";
const PASSES: &str = "snn-convert/tests/declutter_passes.rs";
const RATE: &str = "snn-convert/tests/rate_methods.rs";
const ONNX: &str = "snn-convert/tests/onnx_files.rs";
const FRONT_ENDS: &str = "tests/front_ends.rs";
const OPERATORS: &str = "snn-convert/src/ann/operator/tests.rs";

/// The pitfall, the file, the test.
const PITFALLS: &[(&str, &str, &str)] = &[
    (
        "thresholds divide a bias by one layer's scale only, so the network is another",
        "snn-convert/tests/conversion.rs",
        "scores_approach_the_trained_networks_as_one_over_the_number_of_steps",
    ),
    (
        "batch norm after ReLU, at padded borders",
        PASSES,
        "batch_norm_after_relu_keeps_exact_borders",
    ),
    ("batch norm behind a dense layer", FRONT_ENDS, "onnx_of_both_exporters_and_all_operator_sets"),
    ("batch norm of tiny variance", FRONT_ENDS, "onnx_of_both_exporters_and_all_operator_sets"),
    (
        "batch norm of negative gain before max pooling",
        PASSES,
        "batch_norm_between_relu_and_max_pool_goes_behind_it_or_becomes_relus",
    ),
    (
        "folding overflows",
        "snn-convert/tests/declutter.rs",
        "folding_that_overflows_is_an_error_with_the_node",
    ),
    (
        "dead channels divide by zero",
        RATE,
        "signed_inputs_leaky_rectifiers_and_dead_channels_convert_without_loss",
    ),
    (
        "a channel that is hardly ever active has the percentile 0",
        HERE,
        "a_rare_channel_is_not_made_loud",
    ),
    (
        "the percentile counts the zeros of silent neurons",
        "snn-convert/src/threshold/layer_percentile.rs",
        "zeros_do_not_pull_the_percentile_down",
    ),
    (
        "thresholds from one batch, or before the iteration ends",
        "snn-convert/src/threshold/local_balance.rs",
        "neither_order_nor_repetition_of_the_samples_matters",
    ),
    (
        "accuracy rises and falls again with the number of steps",
        RATE,
        "accuracy_does_not_rise_and_fall_again_with_the_number_of_steps",
    ),
    (
        "the maximum of the spikes of a step is taken for that of the counts",
        RATE,
        "maxima_of_signed_spikes_are_exact_as_differences_and_close_as_gates",
    ),
    ("max pooling rounds up, or its padding wins", OPERATORS, "max_pool_never_lets_padding_win"),
    (
        "windows of any size, dilation and rounding in the spiking network",
        "snn-convert/tests/layerwise.rs",
        "windows_of_any_size_and_limits_agree_too",
    ),
    ("average pooling counts padding, or not", OPERATORS, "average_pool_counts_padding_or_not"),
    ("average pooling rounds up", OPERATORS, "average_pool_that_rounds_up_divides_by_real_cells"),
    ("SAME padding of stride 2 is not symmetric", FRONT_ENDS, "keras_files_of_version_2_and_3"),
    ("SAME padding of old ONNX files", ONNX, "padding_can_be_worked_out_from_auto_pad"),
    ("Keras flattens rows, columns, channels", FRONT_ENDS, "keras_files_of_version_2_and_3"),
    (
        "dropout stays, softmax is dropped in the middle, sigmoid where its value counts",
        PASSES,
        "functions_of_the_scores_are_dropped_from_the_end_only",
    ),
    (
        "a sigmoid head needs the analog value",
        "tests/evaluation.rs",
        "parts_that_stay_float_give_the_same_scores",
    ),
    (
        "inputs below zero or above one",
        "snn-convert/tests/coding.rs",
        "inputs_below_zero_are_a_signed_current_a_population_or_refused",
    ),
    (
        "one threshold for all channels of a depthwise layer",
        RATE,
        "depthwise_networks_answer_early_only_with_channel_thresholds_and_corrections",
    ),
    (
        "first spikes are late in deep networks",
        HERE,
        "half_a_threshold_at_the_start_lets_deep_networks_answer",
    ),
    ("state of one sample reaches the next", RATE, "state_does_not_leak_from_sample_to_sample"),
    (
        "weights or an activation are used twice",
        HERE,
        "weights_that_are_used_twice_stay_as_they_are",
    ),
    (
        "a layer that is read twice is folded into one of its readers",
        "snn-convert/tests/declutter.rs",
        "a_layer_that_is_read_twice_keeps_its_weights",
    ),
    (
        "a clip's limits are attributes or operands",
        ONNX,
        "clip_takes_limits_as_attributes_or_operands",
    ),
    ("batch norm was exported in training mode", HERE, "batch_norm_in_training_mode_is_refused"),
    (
        "weights lie in another file",
        FRONT_ENDS,
        "weights_beside_an_onnx_model_are_read_from_beneath_its_folder",
    ),
    (
        "exporters fold batch norm into convolutions, or keep it",
        "snn-convert/tests/onnx_golden.rs",
        "batch_norms_of_the_residual_network_are_folded_by_name",
    ),
    ("global pooling is a mean over axes", ONNX, "means_over_pixels_are_global_pooling"),
    ("flatten is a reshape with the batch in it", ONNX, "reshape_keeps_samples_apart"),
    (
        "padding is a node of its own",
        PASSES,
        "padding_becomes_part_of_the_window_where_that_is_the_same",
    ),
    (
        "every exported form gives its framework's scores",
        "snn-convert/tests/onnx_golden.rs",
        "every_network_gives_the_scores_of_its_framework",
    ),
    (
        "something cannot be converted, and nobody says so",
        "snn-convert/tests/conversion.rs",
        "everything_that_cannot_be_converted_is_named_before_anything_runs",
    ),
    ("no calibration data", "cli/tests/conversion.rs", "without_samples_noise_is_used_and_said_so"),
];

#[test]
fn every_pitfall_has_its_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for (pitfall, file, test) in PITFALLS {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        let found = text.contains(&format!("#[test]\nfn {test}()"))
            || text.contains(&format!("#[test]\n    fn {test}()"));
        assert!(found, "{pitfall}: {file} has no test {test}");
    }
}

fn dense(inputs: usize, outputs: usize, weight: Vec<f32>, bias: Vec<f32>) -> Dense {
    Dense { inputs, outputs, weight, bias: Some(bias) }
}

#[test]
fn a_rare_channel_is_not_made_loud() {
    let mut builder = AnnGraphBuilder::default();
    let input = builder.input("input", SampleShape::new([2]).unwrap()).unwrap();
    // The second neuron is active for the last sample alone, where the input is above 2.
    let first = dense(2, 2, vec![1.0, 0.0, 0.0, 1.0], vec![0.0, -2.0]);
    let first = builder.add("first", first, &[input]).unwrap();
    let hidden = builder.add("hidden", Relu, &[first]).unwrap();
    let scores = dense(2, 2, vec![1.0, 0.0, 0.0, 1.0], vec![0.0, 0.0]);
    let scores = builder.add("scores", scores, &[hidden]).unwrap();
    let graph = builder.finish(&[scores]).unwrap();
    let mut samples: Vec<f32> = (0..4000).map(|k| (k % 10) as f32 / 10.0).collect();
    samples.extend([0.5, 2.4]);
    let convertible = Convertible::new("rare", &graph, &samples).unwrap();
    for rule in RULES {
        let threshold = (rule.choose)(&convertible.calibration.units[0], 8)[1];
        // It is at most 0.4; below a tenth of that each of its spikes would be noise.
        assert!((0.04..=0.9).contains(&threshold), "{}: {threshold}", rule.name);
    }
    let config = MethodConfig::new(RULES[0], InputCode::ConstantCurrent, 8);
    let conversion = convertible.convert(find_method("rate").unwrap(), &config).unwrap();
    assert!(conversion.layers[0].thresholds.iter().all(|theta| theta.is_finite() && *theta > 0.0));
}

/// Agreement with the trained network after 8 steps, in per cent, on the first samples.
fn agreement_from(name: &str, initial: f64) -> f64 {
    let golden = golden::all().into_iter().find(|g| g.name.starts_with(name)).unwrap();
    let graph = onnx::read(&golden.onnx).unwrap();
    let size = graph.input_shape().size();
    let convertible = Convertible::new(name, &graph, &golden.samples[..60 * size]).unwrap();
    let structure = &convertible.structure;
    let rule = find_rule("channel_percentile").unwrap();
    let scale = |(unit, sample): (&snn_convert::structure::Unit, _)| {
        let factors = match unit.kind {
            UnitKind::Rectifier { .. } => (rule.choose)(sample, 8),
            _ => vec![1.0],
        };
        let scale = ChannelScale { factors, per_channel: unit.shape.per_channel() };
        UnitScale {
            output: scale.clone(),
            threshold: scale,
            bias: None,
            initial: None,
            dead: Vec::new(),
            grid: None,
        }
    };
    let scales: Vec<UnitScale> =
        structure.units.iter().zip(&convertible.calibration.units).map(scale).collect();
    let form = NeuronForm {
        spike: SpikeCondition::AtOrAbove,
        soft_reset: true,
        initial,
        bias_waits: true,
        readout: Readout::Membrane,
        graded: None,
    };
    let network = LayerwiseNetwork::new(structure, &scales, form);
    let samples: Vec<&[f32]> = golden.samples.chunks_exact(size).skip(60).take(40).collect();
    let equal = samples.iter().filter(|sample| {
        let scores = evaluate_output(&graph, sample).unwrap();
        let trained: Vec<f64> = scores.iter().map(|&score| f64::from(score)).collect();
        largest(&network.run(sample, &[8]).scores[0]) == largest(&trained)
    });
    100.0 * equal.count() as f64 / samples.len() as f64
}

#[test]
fn half_a_threshold_at_the_start_lets_deep_networks_answer() {
    let (none, half) =
        (agreement_from("resnet_fashion", 0.0), agreement_from("resnet_fashion", 0.5));
    // Without it, eight steps are over before the last of nine layers has spiked.
    assert!(none < 40.0 && half > none + 30.0, "{none} {half}");
}

#[test]
fn weights_that_are_used_twice_stay_as_they_are() {
    let shared = || {
        let weight = (0..16).map(|k| (k as f32 * 0.83).sin()).collect();
        dense(4, 4, weight, vec![0.3, -0.1, 0.2, 0.05])
    };
    let mut builder = AnnGraphBuilder::default();
    let mut last = builder.input("input", SampleShape::new([4]).unwrap()).unwrap();
    for number in 0..3 {
        last = builder.add(format!("layer {number}"), shared(), &[last]).unwrap();
        last = builder.add(format!("relu {number}"), Relu, &[last]).unwrap();
    }
    let scores = builder.add("scores", shared(), &[last]).unwrap();
    let graph = builder.finish(&[scores]).unwrap();
    let samples: Vec<f32> = (0..4 * 100).map(|k| (k as f32 * 0.37).cos()).collect();
    let convertible = Convertible::new("shared", &graph, &samples).unwrap();
    let ranges: Vec<f32> =
        convertible.calibration.units[..3].iter().map(|unit| unit.maximum()).collect();
    let config = MethodConfig::new(RULES[0], InputCode::ConstantCurrent, 64);
    let conversion = convertible.convert(find_method("rate_plain").unwrap(), &config).unwrap();
    // Each use has the thresholds of its own activations.
    for (layer, range) in conversion.layers.iter().zip(ranges) {
        let highest = layer.thresholds[1];
        assert!(highest <= f64::from(range) && highest > 0.5 * f64::from(range), "{layer:?}");
    }
}

#[test]
fn batch_norm_in_training_mode_is_refused() {
    let golden = golden::onnx("resnet_fashion/model_ts.onnx");
    let mut model = onnx::message::ModelProto::decode(golden.as_slice()).unwrap();
    let nodes = &mut model.graph.as_mut().unwrap().node;
    let norm = nodes.iter_mut().find(|n| n.op_type.as_deref() == Some("BatchNormalization"));
    let norm = norm.unwrap();
    norm.attribute.retain(|attribute| attribute.name.as_deref() != Some("training_mode"));
    norm.attribute.push(onnx::message::AttributeProto {
        name: Some("training_mode".to_string()),
        i: Some(1),
        ..Default::default()
    });
    let name = norm.name.clone().unwrap();
    let error = onnx::read(&model.encode_to_vec()).unwrap_err().to_string();
    assert!(error.contains(&name) && error.contains("model.eval()"), "{error}");
}
