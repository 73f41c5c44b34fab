//! Neurons that take a window's input by rows do what they do when they are told every input on its own, to the
//! last bit, and Poisson input at exact times is the same for any number of threads and any cut.

#![allow(clippy::unwrap_used)] // a test that cannot run has failed

use sim_core::connectome::CompileConfig;
use sim_core::distribution::{Bounds, Normal, Uniform};
use sim_core::engine::{Compiled, Engine, EngineConfig, find_engine};
use sim_core::network::{
    Connectivity, FixedInDegree, FixedProbability, Network, Neuron, Population, Probe, Projection,
    RefractoryInput, Stimulus,
};
use sim_core::neuron::lif_delta::LifDelta;
use sim_core::neuron::lif_exponential::LifExponential;
use sim_core::stimulus::{PoissonDrive, RegularTrain};
use sim_core::time::Time;
use sim_core::units::{
    Hertz, Milliseconds, Millivolts, Picoamperes, Picofarads, Values, find_unit,
};
use std::sync::Arc;

const SIZES: [(&str, u32); 2] = [("E", 600), ("I", 130)];

/// Inputs of all kinds: rows with one weight and with drawn ones, several synapses between two neurons, drawn delays,
/// spikes of sources that meet at one time, Poisson input at exact times and at the ends of steps, and a current that
/// makes neurons spike by themselves. With `ahead` input at exact times is all that neurons have of their own, so that
/// it is taken step by step ahead of its time.
fn network(one_by_one: bool, ahead: bool) -> Network {
    let milliseconds = find_unit("ms").unwrap();
    let mut network = Network::new("rows", Milliseconds(0.1));
    network.seed = 17;
    for (name, size) in SIZES {
        let mut neuron: Neuron = LifDelta {
            tau_membrane: Milliseconds(20.0),
            capacitance: Picofarads(250.0),
            resting_potential: Millivolts(0.0),
            threshold: Millivolts(20.0),
            reset: Millivolts(10.0),
            refractory_period: Milliseconds(2.0),
        }
        .into();
        if one_by_one {
            // Time constants that could differ have no exponential in common.
            let values = vec![20.0; size as usize];
            neuron = neuron.parameter("tau_membrane", Values::Each { values, unit: milliseconds });
        }
        if name == "I" {
            neuron.refractory_input = Some(RefractoryInput::Integrated);
        }
        let (low, high) = (Millivolts(0.0).into(), Millivolts(22.0).into());
        let neuron = neuron.initial("membrane_potential", Values::from(Uniform { low, high }));
        network.add_population(name, Population::new(size, neuron));
        network.add_probe(format!("spikes of {name}"), Probe::spikes(name));
        let input = PoissonDrive::new(name, Hertz(18_000.0), Millivolts(0.1));
        let exact = PoissonDrive { exact_times: true, ..input.clone() };
        network.add_stimulus(format!("{name} exact"), Stimulus::PoissonDrive(exact));
        if ahead {
            continue;
        }
        let weight = Normal {
            mean: Millivolts(0.1).into(),
            std: Millivolts(0.05).into(),
            bounds: Bounds::NONE,
        };
        let at_ends = PoissonDrive { weight: weight.into(), rate: Hertz(900.0).into(), ..input };
        network.add_stimulus(format!("{name} at ends"), Stimulus::PoissonDrive(at_ends));
    }
    let current = Stimulus::constant_current("I", Picoamperes(300.0), Milliseconds(20.0));
    network.add_stimulus("current", current);
    network.add_population("clocks", Population::new(40, Neuron::spike_source()));
    let train = RegularTrain {
        population: "clocks".to_string(),
        interval: Milliseconds(5.0).into(),
        phase: None,
        start: Milliseconds(0.0).into(),
        stop: None,
    };
    network.add_stimulus("clocks", Stimulus::RegularTrain(train));
    let pairs =
        || Connectivity::FixedProbability(FixedProbability { probability: 0.1, autapses: true });
    let repeated = Connectivity::FixedInDegree(FixedInDegree {
        in_degree: 60,
        autapses: true,
        multapses: true,
    });
    let drawn: Values =
        Normal { mean: Millivolts(0.4).into(), std: Millivolts(0.1).into(), bounds: Bounds::NONE }
            .into();
    let (low, high) = (Milliseconds(1.0).into(), Milliseconds(4.0).into());
    let delays: Values = Uniform { low, high }.into();
    for (name, projection) in [
        ("EE", Projection::new("E", "E", pairs()).weight(drawn).delay(Milliseconds(1.5))),
        ("EI", Projection::new("E", "I", pairs()).weight(Millivolts(0.3)).delay(delays)),
        (
            "IE",
            Projection::new("I", "E", repeated).weight(Millivolts(-0.9)).delay(Milliseconds(1.5)),
        ),
        (
            "cE",
            Projection::new("clocks", "E", pairs())
                .weight(Millivolts(0.5))
                .delay(Milliseconds(1.0)),
        ),
    ] {
        network.add_projection(name, projection);
    }
    network
}

fn start(network: &Network, threads: usize) -> Box<dyn Engine> {
    let valid = network.validate().unwrap();
    let compiled = Compiled::new(valid, CompileConfig::UNLIMITED).unwrap();
    let config = EngineConfig { threads, ..EngineConfig::default() };
    (find_engine("event").unwrap().start)(Arc::new(compiled), config).unwrap()
}

fn advance(engine: &mut dyn Engine, milliseconds: f64) {
    engine.run(Time::from_milliseconds(milliseconds).unwrap(), &mut |_| true).unwrap();
}

/// Spikes, and the bits of all potentials.
fn outcome(engine: &dyn Engine) -> (Vec<(Time, u32)>, Vec<u64>) {
    let spikes = engine.recording().spikes.iter().map(|spike| (spike.time, spike.neuron));
    let potentials = [0, 1].into_iter().flat_map(|population| engine.variable(population, 0));
    (spikes.collect(), potentials.map(f64::to_bits).collect())
}

#[test]
fn rows_and_single_inputs_give_the_same_bits() {
    for ahead in [false, true] {
        let run = |one_by_one| {
            let mut engine = start(&network(one_by_one, ahead), 1);
            advance(engine.as_mut(), 60.0);
            outcome(engine.as_ref())
        };
        let (rows, singly) = (run(false), run(true));
        let own = rows.0.iter().filter(|spike| spike.1 < 730).count();
        assert!(own > 1000, "only {own} spikes: the test shows too little");
        assert_eq!(rows.0, singly.0, "ahead: {ahead}");
        assert_eq!(rows.1, singly.1, "ahead: {ahead}");
    }
}

#[test]
fn exact_times_do_not_depend_on_threads_or_cuts() {
    for ahead in [false, true] {
        compare_threads_and_cuts(network(false, ahead));
    }
}

fn compare_threads_and_cuts(mut other: Network) {
    let exponential =
        LifExponential { resting_potential: Millivolts(-60.0), ..LifExponential::default() };
    // A model that takes every input on its own, driven and driving.
    other.add_population("X", Population::new(50, exponential));
    let input = PoissonDrive::new("X", Hertz(9_000.0), Picoamperes(40.0));
    let input = PoissonDrive { exact_times: true, ..input };
    other.add_stimulus("X exact", Stimulus::PoissonDrive(input));
    other.add_probe("spikes of X", Probe::spikes("X"));
    let all = Connectivity::FixedProbability(FixedProbability { probability: 0.2, autapses: true });
    for (source, target) in [("E", "X"), ("X", "X")] {
        let projection = Projection::new(source, target, all.clone())
            .weight(Picoamperes(10.0))
            .delay(Milliseconds(1.2));
        other.add_projection(format!("{source}{target}"), projection);
    }
    let mut whole = start(&other, 1);
    advance(whole.as_mut(), 40.0);
    let expected = outcome(whole.as_ref());
    let off_grid = |spike: &&(Time, u32)| spike.0.0 % 100_000_000_000 != 0;
    assert!(expected.0.iter().filter(off_grid).count() > 500);
    assert!(expected.0.iter().any(|spike| spike.1 >= 770), "X is silent");
    for (threads, cuts) in [(2, [0.1, 39.9]), (3, [1.3, 38.7]), (8, [19.7, 20.3])] {
        let mut engine = start(&other, threads);
        cuts.into_iter().for_each(|cut| advance(engine.as_mut(), cut));
        assert_eq!(outcome(engine.as_ref()), expected, "{threads} threads");
    }
    let mut first = start(&other, 2);
    advance(first.as_mut(), 17.3);
    let checkpoint = first.checkpoint();
    let mut next = start(&other, 3);
    next.restore(&checkpoint).unwrap();
    advance(next.as_mut(), 22.7);
    let (spikes, potentials) = outcome(next.as_ref());
    let tail: Vec<_> =
        expected.0.iter().copied().filter(|spike| spike.0.milliseconds() > 17.3).collect();
    assert_eq!((spikes, potentials), (tail, expected.1));
}

/// Shot noise: mean weight · rate · τ, variance weight² · rate · τ / 2 (Campbell), with exact times as at the ends of
/// steps, at a step so long that the difference would show.
#[test]
fn exact_input_has_the_mean_and_the_variance_of_shot_noise() {
    let (rate, weight, tau) = (2.0, 0.5, 10.0);
    let mut network = Network::new("noise", Milliseconds(5.0));
    let cell = LifDelta { threshold: Millivolts(1000.0), ..LifDelta::default() };
    network.add_population("cells", Population::new(4000, cell));
    let input = PoissonDrive::new("cells", Hertz(1000.0 * rate), Millivolts(weight));
    let input = PoissonDrive { exact_times: true, ..input };
    network.add_stimulus("input", Stimulus::PoissonDrive(input));
    let mut engine = start(&network, 1);
    advance(engine.as_mut(), 200.0);
    let values = engine.variable(0, 0);
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count + 70.0;
    let variance = values.iter().map(|v| (v + 70.0 - mean).powi(2)).sum::<f64>() / count;
    let expected = weight * weight * rate * tau / 2.0;
    // Five standard errors.
    assert!((mean - weight * rate * tau).abs() < 5.0 * (expected / count).sqrt(), "{mean}");
    assert!((variance / expected - 1.0).abs() < 5.0 * (2.2 / count).sqrt(), "{variance}");
}
