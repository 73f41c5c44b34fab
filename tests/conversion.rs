//! Accuracy of converted networks: how much of the trained network's is left after few steps.
//!
//! Thresholds come from 200 images of the training parts, accuracies from 200 test images each
//! (`tests/data/calibration`, `tests/data/models`).

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests fail by panicking")]

use spikeloom::data::{Samples, Scaling};
use spikeloom::model_io::npz::{self, NpzLimits};
use spikeloom::pipeline::{Evaluation, accuracy, ann_classes, engine, evaluate};
use spikeloom::progress::Silent;
use spikeloom::sim_core::connectome::CompileConfig;
use spikeloom::snn_convert::coding::InputCode;
use spikeloom::snn_convert::convert::Convertible;
use spikeloom::snn_convert::fidelity::FidelityConfig;
use spikeloom::snn_convert::method::{MethodConfig, find_method};
use spikeloom::snn_convert::source::onnx;
use spikeloom::snn_convert::threshold::find_rule;
use std::path::{Path, PathBuf};

const DIGITS: Scaling = Scaling { divisor: Some(16.0) };

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(path)
}

struct Case {
    convertible: Convertible,
    test: Samples,
    ann_accuracy: f64,
}

fn case(name: &str, model: &str) -> Case {
    let calibration = match name {
        "digits_cnn" => digits("calib_idx"),
        "lenet_mnist" => Samples::read(&data("calibration/mnist.npz"), Scaling::default()).unwrap(),
        _ => Samples::read(&data("calibration/fashion.npz"), Scaling::default()).unwrap(),
    };
    let scaling = if name == "digits_cnn" { DIGITS } else { Scaling::default() };
    let test = Samples::read(&data(&format!("models/{name}/expected.npz")), scaling).unwrap();
    let graph =
        onnx::read(&std::fs::read(data(&format!("models/{name}/{model}"))).unwrap()).unwrap();
    let ann_accuracy = accuracy(&ann_classes(&graph, &test).unwrap(), &test.labels);
    let convertible = Convertible::new(name, &graph, &calibration.values).unwrap();
    Case { convertible, test, ann_accuracy }
}

/// A part of the digits by the name of its list of positions.
fn digits(part: &str) -> Samples {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/digits/digits.npz");
    let bytes = std::fs::read(path).unwrap();
    let mut arrays = npz::read_npz(&bytes, NpzLimits::default()).unwrap();
    let positions = npz::take(&mut arrays, part).unwrap().values.to_i64().unwrap();
    let all = Samples::from_npz(&bytes, DIGITS).unwrap();
    all.select(positions.into_iter().map(|position| position as usize))
}

fn run(case: &Case, rule: &str, code: InputCode, steps: &[u32], seed: u64) -> Evaluation {
    run_method(case, ("rate_plain", rule), code, steps, seed)
}

fn run_method(
    case: &Case,
    (method, rule): (&str, &str),
    code: InputCode,
    steps: &[u32],
    seed: u64,
) -> Evaluation {
    let threshold = find_rule(rule).unwrap();
    let fitted = rule == "channel_mse" || method == "rate";
    let made_for = if fitted { steps[0] } else { steps[steps.len() - 1] };
    let config = MethodConfig::new(threshold, code, made_for);
    let conversion = case.convertible.convert(find_method(method).unwrap(), &config).unwrap();
    let fidelity =
        FidelityConfig { steps: steps.to_vec(), seed, compile: CompileConfig::UNLIMITED };
    evaluate(&conversion, &case.test, engine("clock").unwrap(), &fidelity, &Silent).unwrap()
}

/// Fails where an accuracy lies more than `loss` points below the trained network's.
///
/// One image is half a point. `losses` are those of the 99.9th percentile at 8 and 32 steps and of
/// the smallest squared error.
fn check(name: &str, model: &str, losses: [[f64; 2]; 2]) {
    let case = case(name, model);
    let steps = [8, 32];
    for (rule, losses) in ["channel_percentile", "channel_mse"].into_iter().zip(losses) {
        let summary = run(&case, rule, InputCode::ConstantCurrent, &steps, 1).summary;
        println!(
            "{name} {rule}: trained {}, at 8 and 32 steps {:?}, spikes {:.0?}",
            case.ann_accuracy, summary.accuracy, summary.spikes
        );
        for (index, loss) in losses.into_iter().enumerate() {
            let got = summary.accuracy[index];
            let least = case.ann_accuracy - loss;
            assert!(got >= least, "{name}, {rule}, {} steps: {got} < {least}", steps[index]);
        }
    }
}

#[test]
fn digits_lose_at_most_one_image_in_200() {
    check("digits_cnn", "model_ts.onnx", [[0.5, 0.5]; 2]);
}

#[test]
fn lenet_loses_at_most_one_image_in_200() {
    check("lenet_mnist", "model_ts.onnx", [[0.5, 0.5]; 2]);
}

/// Measured: 3.0 points lost at 8 steps, none at 32; on 1000 images 1.8 points and none.
#[test]
fn max_pooling_and_batch_norm_lose_little() {
    check("bncnn_fashion", "model_ts.onnx", [[4.0, 1.5]; 2]);
}

/// Measured: 6 and 7 points lost at 8 steps, none at 32. Rounding a count to whole spikes adds an
/// error in every one of the eight layers, and few steps are few counts.
#[test]
fn the_residual_network_needs_32_steps() {
    check("resnet_fashion", "model_ts.onnx", [[9.0, 1.5]; 2]);
}

/// Measured: 28.5 and 37 points lost at 8 steps, 1.5 and 4 at 32. A depthwise neuron sums only nine
/// inputs, so that roundings average out less; known for this architecture (MobileNetV2 in Bu et al.
/// 2025, CVPR, table 2, needs 256 steps).
#[test]
fn the_depthwise_network_needs_more_than_8_steps() {
    check("mobile_fashion", "model_dynamo.onnx", [[34.0, 4.0], [43.0, 7.0]]);
}

/// The default method: bursts and signed spikes, calibrated. One image is half a point.
#[test]
fn the_default_method_loses_little_at_8_steps_even_in_deep_networks() {
    for (name, model, loss) in [
        ("digits_cnn", "model_ts.onnx", 0.5),
        ("lenet_mnist", "model_ts.onnx", 0.5),
        ("resnet_fashion", "model_ts.onnx", 2.0),
    ] {
        let case = case(name, model);
        let recipe = ("rate", "channel_percentile");
        let summary = run_method(&case, recipe, InputCode::ConstantCurrent, &[8, 32], 1).summary;
        for (steps, got) in summary.steps.iter().zip(&summary.accuracy) {
            let least = case.ann_accuracy - loss;
            assert!(*got >= least, "{name}, {steps} steps: {got} < {least}");
        }
    }
}

#[test]
fn random_input_spikes_reach_the_accuracy_in_32_steps_and_repeat_with_their_seed() {
    let mut case = case("digits_cnn", "model_ts.onnx");
    let first = run(&case, "channel_percentile", InputCode::Poisson, &[8, 32], 1);
    let again = run(&case, "channel_percentile", InputCode::Poisson, &[8, 32], 1);
    assert_eq!(first.runs, again.runs, "the same seed gives the same spikes");
    let other = run(&case, "channel_percentile", InputCode::Poisson, &[8, 32], 1000);
    let equal = first.runs.iter().zip(&other.runs).filter(|(a, b)| a.digest == b.digest).count();
    assert_eq!(equal, 0, "another seed gives other spikes on every image");
    println!("digits, Poisson input, 8 and 32 steps: {:?}", first.summary.accuracy);
    println!("digits, Poisson input, another seed: {:?}", other.summary.accuracy);
    // Measured: 99.5 and 98.5 % with two seeds; the trained network has 99.5 %.
    for evaluation in [&first, &other] {
        let accuracy = &evaluation.summary.accuracy;
        assert!(accuracy[1] >= case.ann_accuracy - 2.0, "{accuracy:?}");
    }
    // Sample i draws from seed + i, whatever was shown before it.
    case.test = case.test.select(3..4);
    let alone = run(&case, "channel_percentile", InputCode::Poisson, &[8, 32], 4);
    assert_eq!(alone.runs[0], first.runs[3]);
}

#[test]
fn random_input_spikes_are_as_many_as_the_values_ask_for() {
    let case = case("digits_cnn", "model_ts.onnx");
    let steps = 32;
    let runs = run(&case, "channel_percentile", InputCode::Poisson, &[steps], 1).runs;
    let got: u64 = runs.iter().map(|run| run.population_spikes[0]).sum();
    let values = case.test.values.iter().map(|&value| f64::from(value));
    let mean: f64 = values.clone().sum::<f64>() * f64::from(steps);
    let deviation = (values.map(|x| x * (1.0 - x)).sum::<f64>() * f64::from(steps)).sqrt();
    // Four standard deviations of the sum of all draws.
    assert!((got as f64 - mean).abs() < 4.0 * deviation, "{got} {mean} ± {deviation}");
}

#[test]
fn evenly_spaced_input_spikes_cost_little_accuracy() {
    let case = case("digits_cnn", "model_ts.onnx");
    let summary =
        run(&case, "channel_percentile", InputCode::DeterministicRate, &[8, 32], 1).summary;
    println!("digits, evenly spaced input, 8 and 32 steps: {:?}", summary.accuracy);
    assert!(summary.accuracy[1] >= case.ann_accuracy - 1.0, "{:?}", summary.accuracy);
}
