//! Input codes and read-outs of converted networks.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[allow(dead_code, reason = "the framework's answers are compared with elsewhere")]
mod golden;

use sim_core::connectome::CompileConfig;
use sim_core::engine::{Engine, EngineConfig, find_engine};
use snn_convert::ann::{evaluate, evaluate_output};
use snn_convert::coding::readout::{READOUTS, ReadoutError, find_readout, read_by};
use snn_convert::coding::{CODES, InputCode};
use snn_convert::convert::Convertible;
use snn_convert::fidelity::{FidelityConfig, FidelityError, Presenter, SampleRun};
use snn_convert::lower::{Conversion, Readout};
use snn_convert::method::{MethodConfig, find_method};
use snn_convert::source::onnx;
use snn_convert::threshold::find_rule;

const IMAGES: usize = 20;

struct Case {
    golden: golden::Golden,
    convertible: Convertible,
    size: usize,
}

impl Case {
    fn sample(&self, index: usize) -> &[f32] {
        &self.golden.samples[index * self.size..(index + 1) * self.size]
    }

    fn convert(&self, method: &str, code: InputCode, steps: u32) -> Conversion {
        let threshold = find_rule("channel_percentile").unwrap();
        let config = MethodConfig::new(threshold, code, steps);
        self.convertible.convert(find_method(method).unwrap(), &config).unwrap()
    }

    /// The class of the trained network.
    fn class(&self, index: usize) -> usize {
        evaluate(&self.convertible.decluttered.graph, self.sample(index)).unwrap().class()
    }

    /// Smallest and largest score on the calibration samples.
    fn scores(&self) -> [f64; 2] {
        let unit = self.convertible.calibration.units.last().unwrap();
        let ends = |pick: fn(&Vec<f32>) -> f32| unit.channels.iter().map(pick);
        let low = ends(|channel| channel[0]).fold(f32::INFINITY, f32::min);
        let high = ends(|channel| *channel.last().unwrap()).fold(f32::NEG_INFINITY, f32::max);
        [f64::from(low), f64::from(high)]
    }
}

/// The digits, shifted and scaled as `x · gain + shift` with the network left as it is.
fn digits(gain: f32, shift: f32) -> Case {
    let mut golden =
        golden::all().into_iter().find(|golden| golden.name.starts_with("digits")).unwrap();
    golden.samples.iter_mut().for_each(|value| *value = *value * gain + shift);
    let graph = onnx::read(&golden.onnx).unwrap();
    let size = graph.input_shape().size();
    let samples = &golden.samples[golden.samples.len() - 40 * size..];
    let convertible = Convertible::new("digits", &graph, samples).unwrap();
    Case { golden, convertible, size }
}

fn presenter<'a>(conversion: &'a Conversion, steps: &[u32]) -> Presenter<'a> {
    let compile = CompileConfig::UNLIMITED;
    let config = FidelityConfig { steps: steps.to_vec(), seed: 5, compile };
    Presenter::new(conversion, config).unwrap()
}

fn engine(presenter: &Presenter<'_>, name: &str) -> Box<dyn Engine> {
    let start = find_engine(name).unwrap().start;
    start(presenter.compiled().clone(), EngineConfig::default()).unwrap()
}

fn show(case: &Case, conversion: &Conversion, name: &str, steps: &[u32]) -> Vec<SampleRun> {
    let presenter = presenter(conversion, steps);
    let mut engine = engine(&presenter, name);
    let images = 0..IMAGES;
    images.map(|i| presenter.show_one(engine.as_mut(), i, case.sample(i)).unwrap()).collect()
}

/// Share of images with the trained network's class.
fn agreement(case: &Case, runs: &[SampleRun]) -> f64 {
    let same = |&(index, run): &(usize, &SampleRun)| run.classes[0] == case.class(index);
    runs.iter().enumerate().filter(same).count() as f64 / runs.len() as f64
}

#[test]
fn every_code_carries_images_through_a_rate_network_or_one_in_turns() {
    let case = digits(1.0, 0.0);
    for entry in CODES {
        let (method, name, steps) = match entry.code {
            InputCode::Latency => ("ttfs", "event", 64),
            InputCode::Phase => ("phase", "clock", 6),
            _ => ("rate", "clock", 64),
        };
        let conversion = case.convert(method, entry.code, steps);
        assert_eq!(conversion.input.code, entry.code);
        let runs = show(&case, &conversion, name, &[steps]);
        assert!(agreement(&case, &runs) >= 0.9, "{}", entry.name);
        if name == "clock" {
            assert_eq!(runs, show(&case, &conversion, "event", &[steps]), "{}", entry.name);
        }
    }
}

#[test]
fn inputs_below_zero_are_a_signed_current_a_population_or_refused() {
    let case = digits(2.0, -1.0);
    for entry in CODES {
        let (method, steps) = match entry.code {
            InputCode::Latency => ("ttfs_slots", 64),
            InputCode::Phase => ("phase", 8),
            _ => ("rate", 64),
        };
        let conversion = case.convert(method, entry.code, steps);
        let presenter = presenter(&conversion, &[steps]);
        let mut engine = engine(&presenter, "clock");
        let shown = presenter.show_one(engine.as_mut(), 3, case.sample(3));
        let signed = [InputCode::ConstantCurrent, InputCode::Population, InputCode::SigmaDelta];
        if signed.contains(&entry.code) {
            let run = shown.unwrap();
            let scores = evaluate_output(&case.convertible.decluttered.graph, case.sample(3));
            let largest = scores.unwrap().into_iter().fold(0.0, f32::max);
            let error = (run.scores[run.classes[0]] / 64.0 - f64::from(largest)).abs();
            // A tenth of the largest score: rounding to 64 spikes a neuron, in every layer.
            assert!(error < 0.1 * f64::from(largest), "{}: {error} of {largest}", entry.name);
        } else {
            let error = shown.unwrap_err();
            assert!(matches!(error, FidelityError::InputRange { sample: 3, .. }), "{error}");
            assert!(error.to_string().contains("constant_current"), "{error}");
        }
    }
}

#[test]
fn a_stream_sends_what_changes_and_shows_what_was_sent() {
    let case = digits(1.0, 0.0);
    let conversion = case.convert("rate", InputCode::SigmaDelta, 16);
    let presenter = presenter(&conversion, &[16]);
    let mut engine = engine(&presenter, "clock");
    let frames = [case.sample(0), case.sample(0), case.sample(1), case.sample(0)];
    let shown = presenter.show_stream(engine.as_mut(), &frames).unwrap();
    let changes: Vec<usize> = shown.iter().map(|(_, changes)| *changes).collect();
    let inked = case.sample(0).iter().filter(|&&value| value > 0.0).count();
    let differ = |(a, b): &(&f32, &f32)| a != b;
    let between = case.sample(0).iter().zip(case.sample(1)).filter(differ).count();
    // Sixteenths are multiples of the step: every difference is sent, at once and whole.
    assert_eq!(changes, [inked, 0, between, between]);
    assert_eq!(shown[0].0, shown[1].0);
    assert_eq!(shown[0].0, shown[3].0);
    let plain = case.convert("rate", InputCode::ConstantCurrent, 16);
    assert_eq!(show(&case, &plain, "clock", &[16])[0], shown[0].0);
}

#[test]
fn read_outs_agree_with_the_network_and_say_how_many_steps_they_needed() {
    let case = digits(1.0, 0.0);
    for entry in READOUTS {
        let conversion = case.convert("rate", InputCode::ConstantCurrent, 32);
        let conversion = read_by(conversion, entry.readout, case.scores()).unwrap();
        let runs = show(&case, &conversion, "clock", &[32]);
        assert_eq!(runs, show(&case, &conversion, "event", &[32]), "{}", entry.name);
        assert!(agreement(&case, &runs) >= 0.9, "{}", entry.name);
        let mean = runs.iter().map(|run| run.steps_used[0]).sum::<u32>() as f64 / IMAGES as f64;
        let ends_early = [Readout::FirstSpike, Readout::EarlyStop].contains(&entry.readout);
        assert_eq!(mean < 31.0, ends_early, "{}: {mean} steps", entry.name);
        assert!(runs.iter().all(|run| (1..=32).contains(&run.steps_used[0])), "{}", entry.name);
    }
}

#[test]
fn the_largest_score_spikes_first() {
    let case = digits(1.0, 0.0);
    for (method, name, steps) in [("ttfs", "event", 1), ("ttfs_slots", "clock", 256)] {
        let plain = case.convert(method, InputCode::ConstantCurrent, steps);
        let membrane = show(&case, &plain, name, &[steps]);
        let first = read_by(plain, Readout::FirstSpike, case.scores()).unwrap();
        let runs = show(&case, &first, name, &[steps]);
        for (first, membrane) in runs.iter().zip(&membrane) {
            assert_eq!(first.classes, membrane.classes, "{method}");
            // Nothing but the last layer spikes in its window.
            assert!(first.spikes[0] > membrane.spikes[0], "{method}");
        }
    }
}

#[test]
fn codes_that_answer_once_refuse_to_be_read_at_every_step() {
    let case = digits(1.0, 0.0);
    for (method, name) in [
        ("phase", "first_spike"),
        ("phase", "early_stop"),
        ("ttfs", "spike_count"),
        ("ttfs", "early_stop"),
    ] {
        let plain = case.convert(method, InputCode::ConstantCurrent, 4);
        let readout = find_readout(name).unwrap().readout;
        let error = read_by(plain, readout, case.scores()).unwrap_err();
        assert!(matches!(error, ReadoutError::AnswersOnce { .. }), "{method} {name}");
        assert!(error.to_string().contains(name), "{error}");
    }
}
