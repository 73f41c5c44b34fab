//! What the rate methods promise, and the pitfalls that other converters fall into.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[allow(dead_code, reason = "shared by several tests")]
mod golden;

use sim_core::connectome::CompileConfig;
use sim_core::engine::{ENGINES, EngineConfig};
use snn_convert::ann::operator::{Dense, LeakyRelu, ParametricRelu, Relu};
use snn_convert::ann::{AnnGraph, AnnGraphBuilder, SampleShape, evaluate_output};
use snn_convert::coding::InputCode;
use snn_convert::coding::readout::read_by;
use snn_convert::convert::Convertible;
use snn_convert::declutter::declutter;
use snn_convert::fidelity::{FidelityConfig, Presenter, SampleRun, largest};
use snn_convert::lower::{Conversion, Readout};
use snn_convert::method::{MethodConfig, find_method};
use snn_convert::source::onnx;
use snn_convert::threshold::{RULES, find_rule};

/// Images to calibrate on and, after them, images to test on.
const CALIBRATION: usize = 60;
const TEST: usize = 40;

struct Case {
    convertible: Convertible,
    samples: Vec<f32>,
    size: usize,
}

fn case(name: &str) -> Case {
    let golden = golden::all().into_iter().find(|g| g.name.starts_with(name)).unwrap();
    let graph = onnx::read(&golden.onnx).unwrap();
    let size = graph.input_shape().size();
    let convertible =
        Convertible::new(name, &graph, &golden.samples[..CALIBRATION * size]).unwrap();
    Case { convertible, samples: golden.samples, size }
}

impl Case {
    fn test(&self) -> Vec<&[f32]> {
        self.samples.chunks_exact(self.size).skip(CALIBRATION).take(TEST).collect()
    }

    fn convert(&self, method: &str, rule: &str, steps: u32) -> Conversion {
        let config = MethodConfig::new(find_rule(rule).unwrap(), InputCode::ConstantCurrent, steps);
        self.convertible.convert(find_method(method).unwrap(), &config).unwrap()
    }

    /// Per cent of answers equal to the trained network's at each number of steps, and the spikes.
    fn agreement(&self, conversion: &Conversion, steps: &[u32]) -> (Vec<f64>, Vec<u64>) {
        let (runs, samples) = (show(conversion, &self.test(), steps), self.test());
        let answers: Vec<usize> = samples
            .iter()
            .map(|sample| {
                let scores = evaluate_output(&self.convertible.decluttered.graph, sample).unwrap();
                largest(&scores.iter().map(|&s| f64::from(s)).collect::<Vec<_>>())
            })
            .collect();
        let pairs = || runs.iter().zip(&answers);
        let equal = |at: usize| pairs().filter(|(run, answer)| run.classes[at] == **answer).count();
        let share = |at: usize| 100.0 * equal(at) as f64 / runs.len() as f64;
        let spikes = |at: usize| runs.iter().map(|run| run.spikes[at]).sum::<u64>();
        ((0..steps.len()).map(share).collect(), (0..steps.len()).map(spikes).collect())
    }
}

fn show(conversion: &Conversion, samples: &[&[f32]], steps: &[u32]) -> Vec<SampleRun> {
    let config =
        FidelityConfig { steps: steps.to_vec(), seed: 1, compile: CompileConfig::UNLIMITED };
    let presenter = Presenter::counting(conversion, config).unwrap();
    presenter.show(samples, ENGINES[0].start, &|| ()).unwrap()
}

#[test]
fn depthwise_networks_answer_early_only_with_channel_thresholds_and_corrections() {
    let case = case("mobile_fashion");
    let at_8 = |method: &str, rule: &str| case.agreement(&case.convert(method, rule, 8), &[8]).0[0];
    let one_threshold = at_8("rate_plain", "layer_maximum");
    let channels = at_8("rate_plain", "channel_percentile");
    let corrected = at_8("rate", "channel_percentile");
    assert!(one_threshold < 40.0, "{one_threshold}");
    assert!(channels > one_threshold + 20.0, "{channels} {one_threshold}");
    assert!(corrected > 90.0 && corrected > channels + 5.0, "{corrected} {channels}");
}

#[test]
fn accuracy_does_not_rise_and_fall_again_with_the_number_of_steps() {
    // Percentiles saturate, and spikes pooled step by step overestimate: both grow worse with T.
    for (name, least) in [("bncnn_fashion", 95.0), ("resnet_fashion", 95.0)] {
        let case = case(name);
        let conversion = case.convert("rate", "channel_percentile", 8);
        let (shares, _) = case.agreement(&conversion, &[8, 16, 64]);
        assert!(shares[2] >= least && shares[2] >= shares[0], "{name}: {shares:?}");
    }
}

#[test]
fn maxima_of_signed_spikes_are_exact_as_differences_and_close_as_gates() {
    let case = case("bncnn_fashion");
    let share =
        |method: &str| case.agreement(&case.convert(method, "channel_percentile", 16), &[32]).0[0];
    let (difference, gate) = (share("rate_signed"), share("rate_signed_gate"));
    assert!(difference >= 95.0, "{difference}");
    assert!(gate >= 90.0, "{gate}");
}

#[test]
fn calibrated_potentials_and_biases_take_the_mean_error_away() {
    let case = case("lenet_mnist");
    let samples: Vec<&[f32]> = case.samples.chunks_exact(case.size).take(CALIBRATION).collect();
    // Made for 4 steps, corrections are those of 2 steps.
    let mean_error = |method: &str| -> f64 {
        let runs = show(&case.convert(method, "channel_percentile", 4), &samples, &[2]);
        let mut errors = [0.0; 10];
        for (run, sample) in runs.iter().zip(&samples) {
            let scores = evaluate_output(&case.convertible.decluttered.graph, sample).unwrap();
            for ((error, got), wanted) in errors.iter_mut().zip(&run.scores).zip(&scores) {
                *error += (got / 2.0 - f64::from(*wanted)) / CALIBRATION as f64;
            }
        }
        errors.iter().fold(0.0, |most: f64, error| most.max(error.abs()))
    };
    assert!(mean_error("rate_plain") > 0.1);
    for method in ["rate_potential", "rate_bias"] {
        // What is left is the rounding of f32 scores and of the engines' grid.
        assert!(mean_error(method) < 1e-3, "{method}: {}", mean_error(method));
    }
}

#[test]
fn the_slope_of_the_potential_is_nearer_to_the_scores_than_its_end() {
    for name in ["digits_cnn", "bncnn_fashion"] {
        let case = case(name);
        let slope = case.convert("rate", "channel_percentile", 8);
        assert_eq!(slope.readout, Readout::Slope);
        let end = read_by(slope.clone(), Readout::Membrane, [0.0, 1.0]).unwrap();
        // Mean squared error of the scores a step, over images and classes.
        let errors = |conversion: &Conversion| -> [f64; 3] {
            let steps = [8, 16, 32];
            let runs = show(conversion, &case.test(), &steps);
            let mut errors = [0.0; 3];
            for (run, sample) in runs.iter().zip(case.test()) {
                let wanted = evaluate_output(&case.convertible.decluttered.graph, sample).unwrap();
                for ((error, scores), steps) in errors.iter_mut().zip(&run.scores_at).zip(steps) {
                    let pairs = scores.iter().zip(&wanted);
                    let off = pairs.map(|(got, &w)| got / f64::from(steps) - f64::from(w));
                    *error += off.map(|off| off * off).sum::<f64>();
                }
            }
            errors
        };
        let ratios: Vec<f64> =
            errors(&slope).iter().zip(errors(&end)).map(|(slope, end)| slope / end).collect();
        // Measured: 0.57, 0.48 and 0.31 on digits; 0.78, 0.35 and 0.51 with maxima.
        assert!(ratios[0] < 0.8 && ratios[1] < 0.5 && ratios[2] < 0.55, "{name}: {ratios:?}");
    }
}

#[test]
fn channels_that_the_scores_hardly_depend_on_get_coarse_spikes() {
    let mut builder = AnnGraphBuilder::default();
    let input = builder.input("input", SampleShape::new([2]).unwrap()).unwrap();
    let identity = vec![1.0, 0.0, 0.0, 1.0];
    let first = Dense { inputs: 2, outputs: 2, weight: identity, bias: None };
    let first = builder.add("first", first, &[input]).unwrap();
    let hidden = builder.add("hidden", Relu, &[first]).unwrap();
    let weight = vec![1.0, 0.05, -1.0, 0.1];
    let scores = Dense { inputs: 2, outputs: 2, weight, bias: Some(vec![0.0, 1.0]) };
    let scores = builder.add("scores", scores, &[hidden]).unwrap();
    let graph = builder.finish(&[scores]).unwrap();
    // Both neurons have the same activations, in another order.
    let samples: Vec<f32> =
        (0..200).flat_map(|k| [(k % 20) as f32 / 19.0, (k * 7 % 20) as f32 / 19.0]).collect();
    let convertible = Convertible::new("two", &graph, &samples).unwrap();
    let thresholds = |method: &str| {
        let config = MethodConfig::new(RULES[0], InputCode::ConstantCurrent, 8);
        let conversion = convertible.convert(find_method(method).unwrap(), &config).unwrap();
        conversion.layers[0].output.factors.clone()
    };
    let even = thresholds("rate_signed");
    assert!((even[0] - even[1]).abs() < 1e-6, "{even:?}");
    // Of both score's derivatives: (1 + 1) / (0.05² + 0.1²) = 160, whose cube root is 5.4.
    let shared = thresholds("rate");
    let ratio = shared[1] / shared[0];
    assert!((ratio - 160.0_f64.cbrt()).abs() < 0.6, "{shared:?}");
}

#[test]
fn the_search_is_deterministic_and_says_what_it_chose_and_why() {
    let case = case("digits_cnn");
    let first = case.convert("auto", "channel_percentile", 8);
    assert_eq!(first, case.convert("auto", "channel_percentile", 8));
    let chosen: Vec<_> = first.candidates.iter().filter(|candidate| candidate.chosen).collect();
    assert_eq!(chosen.len(), 1);
    // Forms that need more spikes than the best so far are given up early, but looked at.
    let forms: std::collections::BTreeSet<&str> =
        first.candidates.iter().map(|candidate| candidate.neurons.as_str()).collect();
    assert_eq!(forms.len(), 4, "{forms:?}");
    let note = first.notes.last().unwrap();
    for part in ["chosen from", &chosen[0].neurons, "spikes a sample", "fewest"] {
        assert!(note.contains(part), "{part}: {note}");
    }
    // The default looks at one form of neuron only and needs more spikes or as many.
    let own = case.convert("rate", "channel_percentile", 8);
    assert!(own.candidates.iter().any(|candidate| candidate.chosen));
    assert!(case.agreement(&first, &[8]).0[0] >= 95.0);
}

#[test]
fn state_does_not_leak_from_sample_to_sample() {
    let case = case("bncnn_fashion");
    let conversion = case.convert("rate", "channel_percentile", 8);
    let config = FidelityConfig { steps: vec![8], seed: 1, compile: CompileConfig::UNLIMITED };
    let presenter = Presenter::new(&conversion, config).unwrap();
    for entry in ENGINES {
        let compiled = presenter.compiled().clone();
        let mut engine = (entry.start)(compiled, EngineConfig::default()).unwrap();
        let mut run =
            |index: usize| presenter.show_one(engine.as_mut(), 0, case.test()[index]).unwrap();
        let alone = run(0);
        let other = run(1);
        assert_eq!(run(0), alone, "{}", entry.name);
        assert_ne!(other, alone);
    }
}

fn dense(inputs: usize, outputs: usize, phase: f32) -> Dense {
    let weight = (0..inputs * outputs).map(|k| (k as f32 * 0.83 + phase).sin()).collect();
    let bias = Some((0..outputs).map(|k| (k as f32 + phase).cos() * 0.2).collect());
    Dense { inputs, outputs, weight, bias }
}

/// Signed inputs, a leaky and a parametric rectifier, and one channel that is never active.
fn signed_network() -> AnnGraph {
    let mut builder = AnnGraphBuilder::default();
    let input = builder.input("input", SampleShape::new([6]).unwrap()).unwrap();
    let first = builder.add("first", dense(6, 8, 0.0), &[input]).unwrap();
    let leaky = builder.add("leaky", LeakyRelu { slope: 0.3 }, &[first]).unwrap();
    let second = builder.add("second", dense(8, 5, 1.0), &[leaky]).unwrap();
    let slope = vec![0.1, 0.5, 0.0, 1.0, 0.25];
    let trained = builder.add("trained", ParametricRelu { slope }, &[second]).unwrap();
    let mut third = dense(5, 4, 2.0);
    third.weight[10..15].fill(0.0);
    third.bias.as_mut().unwrap()[2] = -1.0;
    let third = builder.add("third", third, &[trained]).unwrap();
    let hidden = builder.add("hidden", Relu, &[third]).unwrap();
    let scores = builder.add("scores", dense(4, 3, 3.0), &[hidden]).unwrap();
    builder.finish(&[scores]).unwrap()
}

#[test]
fn signed_inputs_leaky_rectifiers_and_dead_channels_convert_without_loss() {
    let graph = signed_network();
    let samples: Vec<f32> = (0..6 * 80).map(|k| (k as f32 * 0.37).sin() * 3.0).collect();
    let normal = declutter(&graph).unwrap().graph;
    for sample in samples.chunks(6).take(10) {
        let (ours, theirs) = (evaluate_output(&normal, sample), evaluate_output(&graph, sample));
        for (ours, theirs) in ours.unwrap().iter().zip(&theirs.unwrap()) {
            assert!((ours - theirs).abs() < 1e-5, "{ours} {theirs}");
        }
    }
    let convertible = Convertible::new("signed", &graph, &samples).unwrap();
    for rule in RULES {
        for method in ["rate_plain", "rate_potential", "rate_bias", "rate", "rate_signed"] {
            let config = MethodConfig::new(rule, InputCode::ConstantCurrent, 64);
            let conversion = convertible.convert(find_method(method).unwrap(), &config).unwrap();
            let dead: usize = conversion.layers.iter().map(|layer| layer.dead_channels).sum();
            assert!(dead >= 1, "{method}");
            let note = conversion.notes.iter().find(|note| note.contains("hidden")).unwrap();
            assert!(note.contains("1 of 4 channels") && note.contains("(2)"), "{note}");
            let chosen: Vec<&[f32]> = samples.chunks(6).take(8).collect();
            for (run, sample) in show(&conversion, &chosen, &[512]).iter().zip(&chosen) {
                let wanted = evaluate_output(&graph, sample).unwrap();
                assert!(run.scores.iter().all(|score| score.is_finite()), "{method}");
                // Maxima never saturate: what is left is rounding, a few thresholds in 512 steps.
                if rule.name == "layer_maximum" {
                    for (score, wanted) in run.scores.iter().zip(&wanted) {
                        let got = score / 512.0;
                        assert!((got - f64::from(*wanted)).abs() < 0.3, "{method}: {got} {wanted}");
                    }
                }
            }
        }
    }
}
