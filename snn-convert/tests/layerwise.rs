//! The layer-wise simulation that calibrates rate codes equals both engines bit for bit.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[allow(dead_code, reason = "shared by several tests")]
mod golden;

use sim_core::connectome::CompileConfig;
use sim_core::engine::{ENGINES, Engine, EngineConfig, Instructions};
use sim_core::network::SpikeCondition;
use sim_core::neuron::max_pool_graded::PoolRule;
use snn_convert::ann::AnnGraphBuilder;
use snn_convert::ann::SampleShape;
use snn_convert::ann::operator::{Clip, Dense, Flatten, GlobalAveragePool, MaxPool, Relu, window};
use snn_convert::coding::InputCode;
use snn_convert::convert::Convertible;
use snn_convert::fidelity::{FidelityConfig, Presenter};
use snn_convert::layerwise::{Layer, LayerwiseNetwork};
use snn_convert::linear::ChannelScale;
use snn_convert::lower::{Conversion, Graded, NeuronForm, Readout, UnitScale, lower};
use snn_convert::source::onnx;
use snn_convert::structure::{Origin, UnitKind};
use snn_convert::threshold::RULES;

const STEPS: [u32; 3] = [1, 4, 9];

fn form(graded: Option<Graded>) -> NeuronForm {
    NeuronForm {
        spike: SpikeCondition::AtOrAbove,
        soft_reset: true,
        initial: 0.5,
        bias_waits: true,
        readout: Readout::Membrane,
        graded,
    }
}

/// Forms of neurons: single spikes, and bursts and corrections in several bounds.
fn forms() -> Vec<NeuronForm> {
    let graded = |burst, correction, tolerance, pool| {
        form(Some(Graded { burst, correction, tolerance, pool }))
    };
    vec![
        form(None),
        graded(1, 1, 0.0, PoolRule::Difference),
        graded(2, 2, 0.5, PoolRule::Difference),
        graded(4, 0, 0.0, PoolRule::Gate),
        graded(9, 3, 0.25, PoolRule::Gate),
    ]
}

/// Thresholds of the first rule, and potentials that differ from neuron to neuron.
fn scales(convertible: &Convertible, share: f64) -> Vec<UnitScale> {
    let mut all: Vec<UnitScale> = Vec::new();
    for (unit, sample) in convertible.structure.units.iter().zip(&convertible.calibration.units) {
        let factors = match (unit.kind, unit.branches[0].origin) {
            (UnitKind::Rectifier { .. }, _) => {
                (RULES[0].choose)(sample, 8).into_iter().map(|theta| theta * share).collect()
            }
            (UnitKind::MaxPool, Origin::Unit(source)) => all[source].output.factors.clone(),
            _ => vec![1.0],
        };
        let scale = ChannelScale { factors, per_channel: unit.shape.per_channel() };
        let uneven = (0..unit.shape.size()).map(|n| 0.5 + 0.3 * (n as f64 * 0.7).sin()).collect();
        all.push(UnitScale {
            output: scale.clone(),
            threshold: scale,
            bias: None,
            initial: matches!(unit.kind, UnitKind::Rectifier { .. }).then_some(uneven),
            dead: Vec::new(),
            grid: None,
        });
    }
    all
}

/// Net counts of every neuron in each layer's own first steps.
fn counts(
    presenter: &Presenter<'_>,
    conversion: &Conversion,
    engine: &dyn Engine,
) -> Vec<Vec<i32>> {
    let network = presenter.compiled().network();
    let populations = network.populations();
    let mut counts: Vec<Vec<i32>> =
        populations.values().map(|population| vec![0; population.size() as usize]).collect();
    let recording = engine.recording();
    for (index, spike) in recording.spikes.iter().enumerate() {
        let population = network.population_of(spike.neuron).unwrap();
        let onset = u64::from(conversion.layers[population].onset);
        if network.grid().step_at(spike.time) - onset <= u64::from(STEPS[2]) {
            let neuron = spike.neuron - populations[population].first;
            counts[population][neuron as usize] +=
                recording.payloads.get(index).copied().unwrap_or(1);
        }
    }
    counts
}

fn check(
    name: &str,
    convertible: &Convertible,
    sample: &[f32],
    form: NeuronForm,
    share: f64,
) -> u64 {
    let scales = scales(convertible, share);
    let layerwise = LayerwiseNetwork::new(&convertible.structure, &scales, form);
    let expected = layerwise.run(sample, &STEPS);
    let code = InputCode::ConstantCurrent;
    let conversion = lower(name, &convertible.structure, &scales, code, form);
    let config =
        FidelityConfig { steps: STEPS.to_vec(), seed: 1, compile: CompileConfig::UNLIMITED };
    let presenter = Presenter::new(&conversion, config.clone()).unwrap();
    let counting = Presenter::counting(&conversion, config).unwrap();
    for entry in ENGINES {
        let start = |presenter: &Presenter<'_>| {
            (entry.start)(presenter.compiled().clone(), EngineConfig::default()).unwrap()
        };
        let mut engine = start(&presenter);
        let run = presenter.show_one(engine.as_mut(), 0, sample).unwrap();
        let place = format!("{name}, {form:?}, {}", entry.name);
        assert_eq!(counts(&presenter, &conversion, engine.as_ref()), expected.counts, "{place}");
        assert_eq!(run.spikes, expected.spikes, "{place}");
        let bits = |scores: &[Vec<f64>]| -> Vec<Vec<u64>> {
            scores.iter().map(|scores| scores.iter().map(|s| s.to_bits()).collect()).collect()
        };
        assert_eq!(bits(&run.scores_at), bits(&expected.scores), "{place}");
        let mut engine = start(&counting);
        let counted = counting.show_one(engine.as_mut(), 0, sample).unwrap();
        assert_eq!(counted.spikes, run.spikes, "{place}");
        assert_eq!(counted.synaptic_operations, run.synaptic_operations, "{place}");
        if entry.name != "clock" {
            continue;
        }
        // Neither threads nor the instruction set change anything.
        let sets = Instructions::available().map(|instructions| (1, instructions));
        let widest = Instructions::widest();
        for (threads, instructions) in sets.chain([(2, widest), (8, widest)]) {
            let config = EngineConfig { threads, instructions };
            let mut engine = (entry.start)(counting.compiled().clone(), config).unwrap();
            let again = counting.show_one(engine.as_mut(), 0, sample).unwrap();
            assert_eq!(again, counted, "{place}, {threads} threads, {}", instructions.name());
        }
    }
    expected.spikes[2]
}

#[test]
fn spike_counts_and_scores_are_those_of_both_engines() {
    let names = ["bncnn_fashion", "digits_cnn", "lenet_mnist", "mobile_fashion", "resnet_fashion"];
    for (first, name) in names.into_iter().enumerate() {
        let golden = golden::all().into_iter().find(|g| g.name.starts_with(name)).unwrap();
        let graph = onnx::read(&golden.onnx).unwrap();
        let size = graph.input_shape().size();
        let convertible = Convertible::new(name, &graph, &golden.samples[..20 * size]).unwrap();
        // Three of the forms each: every form meets three networks.
        let forms = forms().into_iter().enumerate();
        for (number, form) in forms.filter(|(number, _)| (number + first) % 5 < 3) {
            let sample = &golden.samples[(20 + number) * size..(21 + number) * size];
            let share = [1.0, 0.4][number % 2];
            assert!(check(name, &convertible, sample, form, share) > 100, "{name}");
        }
    }
}

/// Overlapping and padded windows, a window over the whole picture, and a ReLU6 under strong drive.
#[test]
fn windows_of_any_size_and_limits_agree_too() {
    let mut builder = AnnGraphBuilder::default();
    let input = builder.input("input", SampleShape::new([2, 7, 7]).unwrap()).unwrap();
    let limited = builder.add("limited", Clip { minimum: 0.0, maximum: 1.5 }, &[input]).unwrap();
    let overlapping = window::Window { padding: [1; 4], ..window::Window::new([3, 3], [2, 2]) };
    let pooled = builder.add("pool", MaxPool { window: overlapping }, &[limited]).unwrap();
    let whole = window::Window::new([4, 4], [1, 1]);
    let global = builder.add("global", MaxPool { window: whole }, &[pooled]).unwrap();
    let large = window::Window::new([7, 7], [1, 1]);
    let other = builder.add("large", MaxPool { window: large }, &[limited]).unwrap();
    let mean = builder.add("mean", GlobalAveragePool { keep_axes: true }, &[pooled]).unwrap();
    let mut sums = Vec::new();
    for (name, node) in [("a", global), ("b", other), ("c", mean)] {
        let flat = builder.add(format!("flat {name}"), Flatten, &[node]).unwrap();
        let weight = (0..6).map(|k| (k as f32 * 0.9).cos()).collect();
        let dense = Dense { inputs: 2, outputs: 3, weight, bias: None };
        sums.push(builder.add(format!("dense {name}"), dense, &[flat]).unwrap());
    }
    let sum = builder.add("sum", snn_convert::ann::operator::Add, &sums[..2]).unwrap();
    let sum = builder.add("sum of all", snn_convert::ann::operator::Add, &[sum, sums[2]]).unwrap();
    let hidden = builder.add("hidden", Relu, &[sum]).unwrap();
    let graph = builder.finish(&[hidden]).unwrap();
    let samples: Vec<f32> = (0..98 * 12).map(|k| (k as f32 * 0.61).sin() * 2.0).collect();
    let convertible = Convertible::new("windows", &graph, &samples).unwrap();
    for form in forms()
        .into_iter()
        .filter(|form| form.graded.is_none_or(|graded| graded.largest_window() >= 49))
    {
        assert!(check("windows", &convertible, &samples[..98], form, 0.7) > 50);
    }
}

/// Under a constant current c, what has arrived after n steps is n c, whatever was sent meanwhile.
#[test]
fn what_has_arrived_does_not_depend_on_what_was_sent() {
    let golden = golden::all().into_iter().find(|g| g.name.starts_with("digits_cnn")).unwrap();
    let graph = onnx::read(&golden.onnx).unwrap();
    let size = graph.input_shape().size();
    let convertible = Convertible::new("digits", &graph, &golden.samples[..20 * size]).unwrap();
    let sample: Vec<f64> = golden.samples[..size].iter().map(|&v| f64::from(v)).collect();
    let scales = scales(&convertible, 0.4);
    for form in forms() {
        let layer = Layer::new(&convertible.structure.units[0], &scales[0], &scales, form);
        let current = layer.current(&sample);
        let reached = layer.reached(&current, |_| None, 4);
        let run = layer.run(&current, |_| None, &[4]);
        assert_eq!(reached.counts, run.counts);
        assert!(run.counts.iter().any(|&count| count > 1));
        // All of it lies on the dyadic grid: no sum is rounded.
        let expected: Vec<f64> = current.iter().map(|current| 4.0 * current).collect();
        assert!(reached.arrived.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9));
    }
}
