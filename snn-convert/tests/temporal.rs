//! Codes whose layers take turns (first spike, time slots, phases) against a slow evaluation of the
//! trained network in 64 bits, spike by spike, on every engine that can run them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod exact;
#[allow(dead_code, reason = "the framework's answers are compared with elsewhere")]
mod golden;

use sim_core::connectome::CompileConfig;
use sim_core::engine::{EngineConfig, find_engine};
use snn_convert::coding::InputCode;
use snn_convert::convert::{ConvertError, Convertible};
use snn_convert::fidelity::{FidelityConfig, Presenter, SampleRun, largest};
use snn_convert::lower::{Candidate, Conversion};
use snn_convert::method::{MethodConfig, MethodError, find_method};
use snn_convert::source::onnx;
use snn_convert::structure::{Origin, UnitKind};
use snn_convert::threshold::{ThresholdRule, find_rule};

/// Images that windows come from.
const CALIBRATION: usize = 40;

/// What the scores of exact first spikes may differ by from the network in 64 bits.
///
/// A spike time is rounded to 1e-15 of its window; the sums behind a score add a few hundred such
/// errors, times windows of up to a hundred. Measured: below 1e-11.
const EXACT: f64 = 1e-9;

fn rule() -> &'static ThresholdRule {
    find_rule("channel_percentile").unwrap()
}

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
        self.try_convert(method, code, steps).unwrap()
    }

    fn try_convert(
        &self,
        method: &str,
        code: InputCode,
        steps: u32,
    ) -> Result<Conversion, ConvertError> {
        let config = MethodConfig::new(rule(), code, steps);
        self.convertible.convert(find_method(method).unwrap(), &config)
    }
}

/// The first exported file of a network.
fn case(name: &str) -> Case {
    let golden = golden::all().into_iter().find(|golden| golden.name.starts_with(name)).unwrap();
    let graph = onnx::read(&golden.onnx).unwrap();
    let size = graph.input_shape().size();
    let samples = &golden.samples[golden.samples.len() - CALIBRATION * size..];
    let convertible = Convertible::new(name, &graph, samples).unwrap();
    Case { golden, convertible, size }
}

const NETWORKS: [&str; 5] =
    ["bncnn_fashion", "digits_cnn", "lenet_mnist", "mobile_fashion", "resnet_fashion"];

fn show(case: &Case, conversion: &Conversion, engine: &str, images: usize) -> Vec<SampleRun> {
    let config = FidelityConfig { steps: vec![1], seed: 5, compile: CompileConfig::UNLIMITED };
    let presenter = Presenter::new(conversion, config).unwrap();
    let start = find_engine(engine).unwrap().start;
    let mut engine = start(presenter.compiled().clone(), EngineConfig::default()).unwrap();
    (0..images)
        .map(|index| presenter.show_one(engine.as_mut(), index, case.sample(index)).unwrap())
        .collect()
}

/// The scores of the network as it was read, in 64 bits, and the number of activations above zero, pooled ones included.
fn exact_scores(case: &Case, image: usize) -> (Vec<f64>, u64) {
    let graph = &case.convertible.decluttered.graph;
    let values = exact::evaluate(graph, case.sample(image), |_, _, value| value);
    let spiking = |unit: &&snn_convert::structure::Unit| unit.kind != UnitKind::Readout;
    let units = case.convertible.structure.units.iter().filter(spiking);
    let active = |unit: &snn_convert::structure::Unit| {
        values[unit.node.index()].iter().filter(|&&value| value > 0.0).count() as u64
    };
    let original = &case.convertible.original;
    let scores = exact::evaluate(original, case.sample(image), |_, _, value| value);
    (scores[original.output().index()].clone(), units.map(active).sum())
}

#[test]
fn exact_first_spikes_give_the_trained_networks_scores() {
    for name in NETWORKS {
        let case = case(name);
        for code in [InputCode::ConstantCurrent, InputCode::Latency] {
            let conversion = case.convert("ttfs", code, 1);
            let runs = show(&case, &conversion, "event", 2);
            for (image, run) in runs.iter().enumerate() {
                let (scores, active) = exact_scores(&case, image);
                let differences = run.scores.iter().zip(&scores).map(|(a, b)| (a - b).abs());
                let difference = differences.fold(0.0, f64::max);
                assert!(difference < EXACT, "{name}, {code:?}: {difference:e}");
                assert_eq!(run.classes, [largest(&scores)], "{name}");
                assert_eq!(run.spikes, [active], "{name}, {code:?}");
                assert_eq!(run.saturated, 0, "{name}");
            }
        }
    }
}

/// How a code with levels rounds, and how many spikes a level is.
#[derive(Clone, Copy)]
struct Rounding {
    level: fn(value: f64, most: u32) -> u32,
    spikes: fn(level: u32) -> u32,
}

/// The scores of a network whose activations are rounded to so many levels of each channel's scale,
/// and the sum of the spikes of all of them, pooled ones included.
fn rounded_scores(case: &Case, image: usize, levels: u32, code: Rounding) -> (Vec<f64>, u64) {
    let (graph, structure) = (&case.convertible.decluttered.graph, &case.convertible.structure);
    let most = f64::from(levels);
    let scale = |unit: usize, neuron: usize| {
        let UnitKind::Rectifier { maximum } = structure.units[unit].kind else { panic!("pool") };
        let factors = (rule().choose)(&case.convertible.calibration.units[unit], levels);
        factors[neuron / structure.units[unit].shape.per_channel()].min(maximum)
    };
    // Scales once a unit and channel: choosing them sorts nothing but takes its time.
    let scales: Vec<Vec<f64>> = (0..structure.units.len())
        .map(|unit| match structure.units[unit].kind {
            UnitKind::Rectifier { .. } => (0..structure.units[unit].shape.channels())
                .map(|c| scale(unit, c * structure.units[unit].shape.per_channel()))
                .collect(),
            _ => Vec::new(),
        })
        .collect();
    let unit_of = |node| structure.units.iter().position(|unit| unit.node == node).unwrap();
    let values = exact::evaluate(graph, case.sample(image), |node, neuron, value| {
        let unit = unit_of(node);
        let scale = scales[unit][neuron / structure.units[unit].shape.per_channel()];
        f64::from((code.level)((value / scale * most).clamp(0.0, most), levels)) * scale / most
    });
    let mut sent = 0;
    for (index, unit) in structure.units.iter().enumerate() {
        let mut source = index;
        while structure.units[source].kind == UnitKind::MaxPool {
            let Origin::Unit(below) = structure.units[source].branches[0].origin else { panic!() };
            source = below;
        }
        if unit.kind == UnitKind::Readout {
            continue;
        }
        for (neuron, value) in values[unit.node.index()].iter().enumerate() {
            let scale = scales[source][neuron / unit.shape.per_channel()];
            sent += u64::from((code.spikes)((value / scale * most).round() as u32));
        }
    }
    (values[graph.output().index()].clone(), sent)
}

/// What a spike less may cost in the phase code, in squared levels: as the method says.
const SPIKE_COST: f64 = 0.2;

/// What the scores of a code with levels may differ by from the network with rounded activations:
/// weights and biases lie on a grid of 2^-32, a few thousand of which, times the scale, add up.
const ON_THE_GRID: f64 = 1e-4;

fn assert_rounded(method: &str, codes: [InputCode; 2], steps: u32, levels: u32, code: Rounding) {
    for name in NETWORKS {
        let case = case(name);
        let conversion = case.convert(method, codes[0], steps);
        let runs = show(&case, &conversion, "clock", 2);
        assert_eq!(runs, show(&case, &conversion, "event", 2), "{name}: engines differ");
        for (image, run) in runs.iter().enumerate() {
            let (scores, sent) = rounded_scores(&case, image, levels, code);
            let differences = run.scores.iter().zip(&scores).map(|(a, b)| (a - b).abs());
            let difference = differences.fold(0.0, f64::max);
            assert!(difference < ON_THE_GRID, "{name}: {difference:e}");
            assert_eq!(run.spikes, [sent], "{name}");
        }
        let spiking = case.convert(method, codes[1], steps);
        let clock = show(&case, &spiking, "clock", 1);
        assert_eq!(clock, show(&case, &spiking, "event", 1), "{name}: engines differ");
    }
}

#[test]
fn time_slots_are_the_network_with_rounded_activations_on_both_engines() {
    let codes = [InputCode::ConstantCurrent, InputCode::Latency];
    let code = Rounding { level: |value, _| (value + 0.5) as u32, spikes: |level| level.min(1) };
    assert_rounded("ttfs_slots", codes, 16, 16, code);
}

#[test]
fn phases_are_the_network_with_activations_of_so_many_bits_on_both_engines() {
    let codes = [InputCode::ConstantCurrent, InputCode::Phase];
    // Of all levels the one with the smallest squared error plus cost of spikes.
    let level = |value: f64, most: u32| {
        let price = |level: u32| {
            let error = f64::from(level) - value;
            error * error + SPIKE_COST * f64::from(level.count_ones())
        };
        (0..=most).min_by(|&a, &b| price(a).total_cmp(&price(b))).unwrap()
    };
    assert_rounded("phase_plain", codes, 4, 15, Rounding { level, spikes: u32::count_ones });
}

#[test]
fn fitted_phases_keep_most_answers_and_cost_hardly_more_spikes_on_both_engines() {
    for name in NETWORKS {
        let case = case(name);
        let images = 8;
        let fitted = case.convert("phase", InputCode::ConstantCurrent, 4);
        let runs = show(&case, &fitted, "clock", images);
        assert_eq!(runs[..1], show(&case, &fitted, "event", 1), "{name}: engines differ");
        let plain = case.convert("phase_plain", InputCode::ConstantCurrent, 4);
        let sum = |runs: &[SampleRun]| runs.iter().map(|run| run.spikes[0]).sum::<u64>();
        let (spikes, before) = (sum(&runs), sum(&show(&case, &plain, "clock", images)));
        // Where four bits are hardly enough there is little to save; bursts cost more, for finer levels.
        let chosen = fitted.candidates.iter().find(|candidate| candidate.chosen).unwrap();
        let bursts = chosen.neurons.contains("first phase");
        assert_eq!(bursts, name == "mobile_fashion", "{name}: {chosen:?}");
        let most = if bursts { 14 } else { 11 };
        assert!(spikes * 10 <= before * most, "{name}: {spikes} of {before}");
        let right = |(image, run): (usize, &SampleRun)| {
            run.classes == [largest(&exact_scores(&case, image).0)]
        };
        let equal = runs.iter().enumerate().filter(|&pair| right(pair)).count();
        // Calibrated on 40 images and shown eight: whole accuracies are measured in benches/README.md.
        assert!(equal + 2 >= images, "{name}: {equal} of {images}");
    }
}

#[test]
fn what_a_search_of_phases_measures_is_what_the_engines_do() {
    let case = case("digits_cnn");
    let conversion = case.convert("phase", InputCode::ConstantCurrent, 4);
    let chosen = conversion.candidates.iter().find(|candidate| candidate.chosen).unwrap();
    let config = FidelityConfig { steps: vec![1], seed: 5, compile: CompileConfig::UNLIMITED };
    let presenter = Presenter::counting(&conversion, config).unwrap();
    let samples: Vec<&[f32]> = case.convertible.samples.chunks_exact(case.size).collect();
    let runs = presenter.show(&samples, find_engine("clock").unwrap().start, &|| ()).unwrap();
    let mean = runs.iter().map(|run| run.spikes[0]).sum::<u64>() as f64 / runs.len() as f64;
    // A potential half way between two numbers may fall to either side of the engines' grid.
    assert!((mean - chosen.spikes).abs() < 1e-3 * mean, "{mean} {}", chosen.spikes);
    // More phases are asked for by who wants to be nearer.
    let spikes = |phases: u32| {
        let conversion = case.convert("phase", InputCode::ConstantCurrent, phases);
        conversion.candidates.iter().find(|candidate| candidate.chosen).unwrap().spikes
    };
    assert!(spikes(8) > spikes(4), "{} {}", spikes(8), spikes(4));
}

/// Where bits are too few, the first phase may hold several spikes; each counts.
#[test]
fn bursts_in_the_first_phase_are_what_the_engines_do_and_each_spike_counts() {
    // The second has maxima, which pass bursts on.
    for (name, phases) in [("mobile_fashion", 4), ("bncnn_fashion", 2)] {
        check_bursts(&case(name), phases);
    }
}

fn check_bursts(case: &Case, phases: u32) {
    let conversion = case.convert("phase", InputCode::ConstantCurrent, phases);
    let chosen = conversion.candidates.iter().find(|candidate| candidate.chosen).unwrap();
    assert!(chosen.neurons.contains("spikes in the first phase"), "{chosen:?}");
    let plain = conversion.candidates.iter().filter(|own| !own.neurons.contains("first phase"));
    let nearest = plain.map(|own| own.divergence).fold(f64::INFINITY, f64::min);
    assert!(chosen.divergence < 0.5 * nearest, "{} {nearest}", chosen.divergence);
    let config = FidelityConfig { steps: vec![1], seed: 5, compile: CompileConfig::UNLIMITED };
    let samples: Vec<&[f32]> = case.convertible.samples.chunks_exact(case.size).collect();
    let show = |samples: &[&[f32]], counting: bool, engine: &str| {
        let make = if counting { Presenter::counting } else { Presenter::new };
        let presenter = make(&conversion, config.clone()).unwrap();
        presenter.show(samples, find_engine(engine).unwrap().start, &|| ()).unwrap()
    };
    let counted = show(&samples, true, "clock");
    let mean = counted.iter().map(|run| run.spikes[0]).sum::<u64>() as f64 / samples.len() as f64;
    // A potential half way between two numbers may fall to either side of the engines' grid.
    assert!((mean - chosen.spikes).abs() < 2e-3 * mean, "{mean} {}", chosen.spikes);
    for (counting, engine) in [(false, "clock"), (true, "event"), (false, "event")] {
        let other = show(&samples[..2], counting, engine);
        for (run, counted) in other.iter().zip(&counted) {
            assert_eq!(run.spikes, counted.spikes);
            assert_eq!(run.synaptic_operations, counted.synaptic_operations);
            assert_eq!(run.population_spikes, counted.population_spikes);
            assert_eq!(run.scores, counted.scores);
        }
    }
}

/// From 100 samples on candidates are judged on every third, which nothing was fitted on, and what is
/// chosen is fitted on all.
#[test]
fn with_a_hundred_samples_phases_are_judged_on_others_than_those_that_they_are_fitted_on() {
    let case = case("digits_cnn");
    let samples = &case.golden.samples[..120 * case.size];
    let graph = onnx::read(&case.golden.onnx).unwrap();
    let convertible = Convertible::new("digits_cnn", &graph, samples).unwrap();
    let config = MethodConfig::new(rule(), InputCode::ConstantCurrent, 4);
    let conversion = convertible.convert(find_method("phase").unwrap(), &config).unwrap();
    let says = |text: &str| conversion.notes.iter().any(|note| note.contains(text));
    assert!(says("on 40 calibration samples"), "{:?}", conversion.notes);
    assert!(says("then fitted on all"), "{:?}", conversion.notes);
    assert!(conversion.candidates.iter().all(|own| !own.neurons.contains("moved")));
    // Samples that the search has not seen at all.
    let config = FidelityConfig { steps: vec![1], seed: 5, compile: CompileConfig::UNLIMITED };
    let others: Vec<&[f32]> =
        case.golden.samples.chunks_exact(case.size).skip(120).take(40).collect();
    let presenter = Presenter::counting(&conversion, config).unwrap();
    let runs = presenter.show(&others, find_engine("clock").unwrap().start, &|| ()).unwrap();
    let mean = runs.iter().map(|run| run.spikes[0]).sum::<u64>() as f64 / runs.len() as f64;
    let chosen = conversion.candidates.iter().find(|candidate| candidate.chosen).unwrap();
    assert!((mean - chosen.spikes).abs() < 0.1 * mean, "{mean} {}", chosen.spikes);
    let right = |(image, run): (usize, &SampleRun)| {
        run.classes == [largest(&exact_scores(&case, 120 + image).0)]
    };
    let equal = runs.iter().enumerate().filter(|&pair| right(pair)).count();
    assert!(equal + 2 >= others.len(), "{equal} of {}", others.len());
}

/// With samples enough, weights are moved on two in three of them, and judged on the others.
#[test]
fn what_a_search_with_moved_weights_measures_is_what_the_engines_do_on_samples_kept_for_it() {
    let case = case("digits_cnn");
    let bright = case.golden.samples.iter();
    let samples: Vec<f32> = bright.clone().copied().chain(bright.map(|v| 0.75 * v)).collect();
    let graph = onnx::read(&case.golden.onnx).unwrap();
    let convertible = Convertible::new("digits_cnn", &graph, &samples).unwrap();
    let method = find_method("phase").unwrap();
    let config = MethodConfig::new(rule(), InputCode::ConstantCurrent, 4);
    let conversion = convertible.convert(method, &config).unwrap();
    let moved = |candidate: &&Candidate| candidate.neurons.contains("weights moved");
    assert!(conversion.candidates.iter().any(|own| moved(&own)));
    let chosen = conversion.candidates.iter().find(|candidate| candidate.chosen).unwrap();
    let kept: Vec<&[f32]> = samples.chunks_exact(case.size).skip(2).step_by(3).collect();
    assert!(kept.len() >= 100);
    let config = FidelityConfig { steps: vec![1], seed: 5, compile: CompileConfig::UNLIMITED };
    let presenter = Presenter::counting(&conversion, config).unwrap();
    let show = |samples: &[&[f32]], engine: &str| {
        presenter.show(samples, find_engine(engine).unwrap().start, &|| ()).unwrap()
    };
    let runs = show(&kept, "clock");
    assert_eq!(runs[..2], show(&kept[..2], "event"));
    let mean = runs.iter().map(|run| run.spikes[0]).sum::<u64>() as f64 / runs.len() as f64;
    // A potential half way between two numbers may fall to either side of the engines' grid.
    assert!((mean - chosen.spikes).abs() < 2e-3 * mean, "{mean} {}", chosen.spikes);
    assert!(chosen.agreement >= 97.0, "{chosen:?}");
}

#[test]
fn inputs_and_steps_that_a_method_cannot_use_are_refused_with_what_it_takes() {
    let case = case("digits_cnn");
    let refused = |method: &str, code, steps| match case.try_convert(method, code, steps) {
        Err(ConvertError::Method(error)) => error,
        other => panic!("{other:?}"),
    };
    for (method, code) in [
        ("ttfs", InputCode::Poisson),
        ("ttfs_slots", InputCode::Phase),
        ("phase", InputCode::Latency),
        ("rate", InputCode::Latency),
        ("rate", InputCode::Phase),
    ] {
        let error = refused(method, code, 16);
        assert!(matches!(error, MethodError::Code { .. }), "{method}: {error}");
        assert!(error.to_string().contains("constant_current"), "{method}: {error}");
    }
    for (method, steps) in [("ttfs_slots", 1), ("ttfs_slots", 4097), ("phase", 0), ("phase", 17)] {
        let error = refused(method, InputCode::ConstantCurrent, steps);
        assert!(matches!(error, MethodError::Steps { .. }), "{method}: {error}");
    }
}
