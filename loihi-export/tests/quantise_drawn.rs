//! Networks whose synapses are drawn, populations that nothing reaches, and biases beyond the field:
//! what the quantiser makes of them, and that the integers spike as the float network.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing step is a failing test")]

use std::collections::BTreeMap;
use std::sync::Arc;

use loihi_export::chip::ChipSpec;
use loihi_export::emulator::{Emulator, Spike, SpikeTrain};
use loihi_export::quantise::network::{Connection, DelaySteps, IntegerValues, QuantisedProjection};
use loihi_export::quantise::{QuantiseConfig, Quantised, quantise};
use sim_core::connectome::{CompileConfig, Draw, Row};
use sim_core::distribution::{Bounds, Normal, Uniform};
use sim_core::engine::{Compiled, EngineConfig, find_engine};
use sim_core::network::{
    FixedInDegree, FixedProbability, Network, Neuron, OneToOne, Population, Probe, Projection,
    Reset, SpikeCondition, Stimulus,
};
use sim_core::neuron::integrate_and_fire::IntegrateAndFire;
use sim_core::neuron::lif_exponential::LifExponential;
use sim_core::stimulus::SpikeList;
use sim_core::time::Time;
use sim_core::units::{Dimension, Milliseconds, Millivolts, Picoamperes, Unit, Values};

fn chip() -> ChipSpec {
    ChipSpec::built_in("loihi2").unwrap()
}

fn run(network: &Network) -> Quantised {
    quantise(&network.validate().unwrap(), &chip(), &QuantiseConfig::default()).unwrap()
}

fn leaky(refractory: f64) -> Neuron {
    let neuron = LifExponential {
        tau_membrane: Milliseconds(20.0),
        tau_excitatory: Milliseconds(5.0),
        tau_inhibitory: Milliseconds(5.0),
        refractory_period: Milliseconds(refractory),
        ..LifExponential::default()
    };
    Neuron::from(neuron).rules(SpikeCondition::Above, Reset::To(Millivolts(-70.0).into()))
}

/// 40 sources → 100 leaky neurons, recurrent, weights and delays drawn.
fn random() -> Network {
    random_with(0.0)
}

/// The same with a refractory time [ms].
fn random_with(refractory: f64) -> Network {
    let mut network = Network::new("random", Milliseconds(1.0));
    network.add_population("source", Population::new(40, Neuron::spike_source()));
    network.add_population("cells", Population::new(100, leaky(refractory)));
    let forward = FixedProbability { probability: 0.3, autapses: true };
    let (mean, std) = (Picoamperes(320.0).into(), Picoamperes(60.0).into());
    let weight = Normal { mean, std, bounds: Bounds::default() };
    let delay = Uniform { low: Milliseconds(1.0).into(), high: Milliseconds(9.0).into() };
    network.add_projection(
        "forward",
        Projection::new("source", "cells", forward).weight(weight).delay(delay),
    );
    let recurrent = FixedInDegree { in_degree: 12, autapses: true, multapses: true };
    network.add_projection(
        "recurrent",
        Projection::new("cells", "cells", recurrent).weight(Picoamperes(-150.0)).delay(delay),
    );
    network
}

/// (target, source, delay in steps beyond one) → integer weight that acts.
type Acting = BTreeMap<(u32, u32, u8), i64>;

fn acting(projections: &[QuantisedProjection], name: &str) -> Acting {
    let mut found = Acting::new();
    for projection in projections.iter().filter(|p| p.name.starts_with(name)) {
        let Connection::Sparse { targets, sources, weights, weight_exponent, .. } =
            &projection.connection
        else {
            panic!("less than half of the pairs are joined: a list, not a matrix")
        };
        for (index, &weight) in weights.iter().enumerate() {
            let delay = match &projection.delay {
                DelaySteps::One(delay) => *delay,
                DelaySteps::PerSynapse(delays) => delays[index],
            };
            let place = (targets[index], sources[index], delay);
            let acts = i64::from(weight) >> -weight_exponent;
            assert_eq!(found.insert(place, acts), None, "{place:?} twice");
        }
    }
    found
}

#[test]
fn drawn_synapses_are_written_down_one_by_one() {
    let network = random();
    let valid = network.validate().unwrap();
    let made = run(&network);
    let error = &made.errors[0];
    assert_eq!(made.errors.len(), 1, "the source computes nothing");
    for (name, projection) in valid.projections() {
        let draw = Draw::new(&valid, projection);
        let (mut expected, mut row): (BTreeMap<_, f64>, _) = (BTreeMap::new(), Row::default());
        for number in 0..draw.row_count() {
            draw.row(number, &mut row);
            for synapse in row.synapses(draw.end(), number) {
                // Currents act from the step after they arrive: one step more, less the chip's own.
                let place = (synapse.target, synapse.source, synapse.delay as u8);
                *expected.entry(place).or_default() += synapse.weight;
            }
        }
        let found = acting(&made.network.projections, name);
        assert_eq!(found.len(), expected.len(), "{name}");
        // What a weight becomes in integers: all by one factor, half a step of 2 at most away.
        let largest = expected.iter().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())).unwrap();
        let factor = found[largest.0] as f64 / largest.1;
        for (place, weight) in &expected {
            let error = (found[place] as f64 - weight * factor).abs();
            assert!(error <= 2.1, "{name} {place:?}: {} for {weight}", found[place]);
        }
    }
    assert!(error.weight_error_max > 0.0 && error.weight_error_max * error.scale <= 1.0 + 1e-6);
    assert_eq!(made, run(&network), "the same draws every time");
}

/// Two synapses of one pair with one delay add up, with two delays they are in two tables.
#[test]
fn several_synapses_of_a_pair_all_act() {
    let made = run(&random());
    let names: Vec<_> = made.network.projections.iter().map(|p| p.name.as_str()).collect();
    assert!(names.starts_with(&["forward", "recurrent", "recurrent (2)"]), "{names:?}");
    let acts = acting(&made.network.projections, "recurrent");
    let one = acts.values().copied().max().unwrap();
    assert!(
        one < 0 && acts.values().all(|&weight| (weight - one).abs() <= 2 || weight <= 2 * one + 4)
    );
    let total: i64 = acts.values().map(|&weight| (weight as f64 / one as f64).round() as i64).sum();
    assert_eq!(total, 1200, "12 synapses of each of 100 neurons");
}

fn given_spikes(network: &mut Network, steps: u32) -> SpikeTrain {
    let (mut train, mut neurons, mut times) = (SpikeTrain::new(), Vec::new(), Vec::new());
    for step in 0..steps {
        let row: Vec<u32> = (0..40).filter(|n| (step * 7 + n * 13) % 11 == 0).collect();
        train.push_step(&row.iter().map(|&n| Spike::plain(n)).collect::<Vec<_>>());
        for neuron in row {
            neurons.push(neuron);
            times.push(f64::from(step + 1));
        }
    }
    let unit = Unit { symbol: "ms", dimension: Dimension::Time, in_base: 1.0 };
    let times = Values::Each { values: times, unit };
    let list = SpikeList { population: "source".into(), neurons, times };
    network.add_stimulus("given", Stimulus::SpikeList(list));
    network.add_probe("spikes", Probe::spikes("cells"));
    train
}

/// The rates of a recurrent random network in integers and in float, refractory neurons too.
#[test]
fn a_random_recurrent_network_fires_as_often_as_in_float() {
    let spikes = [0.0, 4.0].map(compare_with_float);
    assert!(spikes[1] < spikes[0], "refractory neurons spike less: {spikes:?}");
}

/// Steps in which single spikes are compared.
const EARLY: usize = 25;

/// Runs the random network in integers and in float; returns the spikes in integers.
fn compare_with_float(refractory: f64) -> usize {
    let mut network = random_with(refractory);
    let made = run(&network);
    let process = if refractory > 0.0 { "lif_refractory" } else { "lif" };
    assert_eq!(made.network.populations[1].process, process);
    let steps = 400;
    let train = given_spikes(&mut network, steps);
    let compiled = Compiled::new(network.validate().unwrap(), CompileConfig::UNLIMITED).unwrap();
    let start = find_engine("clock").unwrap().start;
    let mut engine = start(Arc::new(compiled), EngineConfig::default()).unwrap();
    engine.run(Time::from_milliseconds(f64::from(steps)).unwrap(), &mut |_| true).unwrap();
    let first = engine.recording().populations[1].first;
    let float: std::collections::BTreeSet<(usize, u32)> = engine
        .recording()
        .spikes
        .iter()
        .map(|s| (s.time.milliseconds().round() as usize, s.neuron - first))
        .collect();
    let mut emulator = Emulator::new(&made.network, &chip()).unwrap();
    let fixed = emulator.run(steps as usize, &[train]).unwrap();
    assert_eq!(emulator.overflows().total(), 0);
    let fixed: Vec<(usize, u32)> = (0..steps as usize)
        .flat_map(|step| fixed.spikes[1].at(step).iter().map(move |s| (step + 1, s.neuron)))
        .collect();
    assert!(float.len() > 300, "{} spikes", float.len());
    // Rounding moves single spikes, and recurrence carries that on: times are compared at the start.
    let early = |spike: &&(usize, u32)| spike.0 <= EARLY;
    let common = fixed.iter().filter(early).filter(|spike| float.contains(spike)).count();
    let first = float.iter().filter(early).count();
    let off = (fixed.len() as f64 / float.len() as f64 - 1.0).abs();
    assert!(off < 0.05, "{} in integers, {} in float", fixed.len(), float.len());
    assert!(first > 30 && 10 * common >= 7 * first, "{common} of {first} at the same time");
    fixed.len()
}

fn hard() -> IntegrateAndFire {
    IntegrateAndFire {
        threshold: 1.0.into(),
        initial: 0.0.into(),
        spike: SpikeCondition::Above,
        reset: Reset::To(0.0.into()),
    }
}

#[test]
fn populations_that_nothing_reaches_have_integers_too() {
    let mut network = Network::new("alone", Milliseconds(1.0));
    network.add_population("driven", Population::new(3, hard()));
    network.add_population("silent", Population::new(2, hard()));
    let bias = Values::numbers(vec![0.3, 0.21, -0.1]);
    network.add_stimulus("bias", Stimulus::constant_current("driven", bias, Milliseconds(0.0)));
    let made = run(&network);
    assert_eq!((made.network.projections.len(), made.notes.len()), (0, 0));
    let mut emulator = Emulator::new(&made.network, &chip()).unwrap();
    let recording = emulator.run(40, &[]).unwrap();
    // v passes 1 with 0.3 in every fourth step and with 0.21 in every fifth.
    let counts = recording.spikes[0].counts(3);
    assert_eq!(counts, [10, 8, 0]);
    assert_eq!(recording.spikes[1].counts(2), [0, 0]);
}

#[test]
fn one_to_one_synapses_of_large_populations_stay_a_list() {
    let mut network = Network::new("relay", Milliseconds(1.0));
    network.add_population("source", Population::new(200_000, Neuron::spike_source()));
    network.add_population("cells", Population::new(200_000, hard()));
    let wires = Projection::new("source", "cells", OneToOne).weight(Values::from(2.0));
    network.add_projection("wires", wires.delay(Milliseconds(1.0)));
    let made = run(&network);
    let Connection::Sparse { targets, sources, weights, .. } =
        &made.network.projections[0].connection
    else {
        panic!("a matrix of 4e10 weights")
    };
    assert_eq!((targets.len(), targets == sources), (200_000, true));
    assert!(weights.iter().all(|weight| *weight == weights[0] && *weight > 0));
}

#[test]
fn clipped_biases_and_stimuli_without_a_place_are_told() {
    let mut network = Network::new("told", Milliseconds(1.0));
    network.add_population("source", Population::new(2, Neuron::spike_source()));
    network.add_population("cells", Population::new(2, hard()));
    let wires = Projection::new("source", "cells", OneToOne).weight(Values::from(0.01));
    network.add_projection("wires", wires.delay(Milliseconds(1.0)));
    let bias = Values::numbers(vec![0.05, -0.9]);
    network.add_stimulus("bias", Stimulus::constant_current("cells", bias, Milliseconds(0.0)));
    let made = run(&network);
    assert_eq!(made.errors[0].biases_clipped, 1);
    let [note] = made.notes.as_slice() else { panic!("{:?}", made.notes) };
    for part in ["populations/cells", "1 biases are clipped", "1/16", "always active"] {
        assert!(note.contains(part), "{part}: {note}");
    }
    let IntegerValues::PerNeuron(bias) = &made.network.populations[1].parameters["bias_mant"]
    else {
        panic!("one a neuron")
    };
    assert_eq!(bias[1], -4096);
}
