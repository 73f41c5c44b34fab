//! Input ports, driven populations and lost numbers of the processes beyond integrate-and-fire.

#![allow(clippy::unwrap_used, reason = "a failing step is a failing test")]

use loihi_export::{
    chip::ChipSpec,
    emulator::{Emulator, EmulatorError, OverflowKind, Spike, SpikeTrain},
    quantise::network::*,
};
use sim_core::network::Shape;

fn population(name: &str, process: &str, parameters: &[(&str, i64)]) -> QuantisedPopulation {
    let parameters = parameters.iter().map(|&(k, v)| (k.to_owned(), IntegerValues::One(v)));
    QuantisedPopulation {
        name: name.into(),
        shape: Shape::List(1),
        process: process.into(),
        parameters: parameters.collect(),
    }
}

fn projection(source: usize, target: usize, port: u8) -> QuantisedProjection {
    QuantisedProjection {
        name: format!("{source}-{target}.{port}"),
        source,
        target,
        connection: Connection::Dense {
            weights: vec![1],
            sign_mode: SignMode::Excitatory,
            weight_bits: 8,
            weight_exponent: 0,
        },
        delay: DelaySteps::One(0),
        message_bits: 24,
        port,
        learning: None,
    }
}

fn network(populations: Vec<QuantisedPopulation>, ports: &[u8]) -> QuantisedNetwork {
    let target = populations.len() - 1;
    let projections = (0..).zip(ports).map(|(source, &port)| projection(source, target, port));
    QuantisedNetwork {
        name: "ports".into(),
        chip: "loihi2".into(),
        projections: projections.collect(),
        populations,
    }
}

fn emulator(network: &QuantisedNetwork) -> Result<Emulator, EmulatorError> {
    Emulator::new(network, &ChipSpec::built_in("loihi2").unwrap())
}

fn train(values: &[i32]) -> SpikeTrain {
    SpikeTrain::from_rows(values.chunks(1))
}

#[test]
fn projections_reach_the_port_they_name() {
    let inputs = [population("a", "input", &[]), population("b", "input", &[])];
    let product = population("product", "prod_neuron", &[("vth", 0), ("exp", 1)]);
    let network = network([&inputs[..], &[product]].concat(), &[0, 1]);
    let mut emulator = emulator(&network).unwrap();
    let run = emulator.run(4, &[train(&[6, 5, 1 << 20]), train(&[7, -3, 1 << 20])]).unwrap();
    // 6 * 7 / 2; -15 / 2 is floored; 2^40 leaves a 32-bit word as 0.
    assert_eq!(run.spikes[2].at(1), [Spike { neuron: 0, payload: 21 }]);
    assert_eq!(run.spikes[2].at(2), [Spike { neuron: 0, payload: -8 }]);
    assert_eq!(run.spikes[2].at(3), []);
    let lost = emulator.overflows().overflows;
    assert_eq!((lost[0].kind, lost[0].first_step, lost.len()), (OverflowKind::State, 4, 1));
}

#[test]
fn a_normalised_vector_waits_a_step_for_its_factor() {
    let inputs = [population("vector", "input", &[]), population("factor", "input", &[])];
    let norm = population("norm", "norm_vec_delay", &[("vth", 10)]);
    let network = network([&inputs[..], &[norm]].concat(), &[0, 1]);
    let mut emulator = emulator(&network).unwrap();
    // The input of a step acts in the next one.
    let vector = train(&[6, -5, 1 << 16, 0]);
    let run = emulator.run(5, &[vector, train(&[9, 7, 2, 1 << 20])]).unwrap();
    let payloads: Vec<i32> =
        (0..5).map(|step| run.spikes[2].at(step).first().map_or(0, |s| s.payload)).collect();
    // 6 * 7; -5 * 2 does not exceed the threshold; 2^16 * 2^20 leaves a 32-bit word as 0.
    assert_eq!(payloads, [0, 0, 42, 0, 0]);
    assert_eq!(emulator.variable(2, "v2"), Some(&[1 << 16][..]));
    assert_eq!(emulator.variable(2, "s2_out"), Some(&[0][..]));
    let lost: Vec<_> =
        emulator.overflows().overflows.iter().map(|o| (o.variable, o.first_step)).collect();
    assert_eq!(lost, [("v2", 5), ("s2_out", 4)]);
}

#[test]
fn unknown_ports_are_refused_with_the_known_ones() {
    let populations = vec![population("a", "input", &[]), population("n", "lif", &[("vth", 1)])];
    let message = emulator(&network(populations.clone(), &[1])).unwrap_err().to_string();
    assert!(message.contains("port is 1") && message.contains("1 (a_in)"), "{message}");
    // Files that name no port mean the first.
    let plain = network(populations, &[0]);
    let text = serde_json::to_string(&plain).unwrap();
    assert!(!text.contains("port\":"), "{text}");
    assert_eq!(serde_json::from_str::<QuantisedNetwork>(&text).unwrap(), plain);
}

#[test]
fn a_driven_population_sees_its_input_in_the_same_step() {
    let parameters = [("vth", 3 << 6), ("spike_exp", 6), ("driven", 1)];
    let sum = population("sum", "sigma", &[]);
    let network = network(vec![population("in", "delta", &parameters), sum], &[0]);
    let mut emulator = emulator(&network).unwrap();
    assert_eq!(emulator.inputs(), [0]);
    let signal = train(&[10, 12, 14, 0]);
    let first = emulator.run(5, std::slice::from_ref(&signal)).unwrap();
    let payloads = |population: usize| -> Vec<Option<i32>> {
        let at = |step| first.spikes[population].at(step).first().map(|spike| spike.payload);
        (0..5).map(at).collect()
    };
    // 12 is less than 3 away from 10, and its change waits.
    assert_eq!(payloads(0), [Some(640), None, Some(256), Some(-896), None]);
    assert_eq!(payloads(1), [None, Some(640), Some(640), Some(896), None]);
    assert_eq!(emulator.variable(0, "act"), Some(&[0][..]));
    assert_eq!(emulator.variable(0, "u"), None);
    emulator.reset();
    assert_eq!(emulator.run(5, &[signal]).unwrap(), first);
}

#[test]
fn the_adaptive_threshold_starts_again_after_a_reset() {
    let neuron = population("n", "atrlif", &[("theta_0", 640), ("theta_step", 64)]);
    let network = network(vec![population("in", "input", &[]), neuron], &[0]);
    let mut emulator = emulator(&network).unwrap();
    assert_eq!(emulator.variable(1, "theta"), Some(&[640][..]));
    // 20 * 64 reaches 640: the threshold rises by 64, the refractory state by 2 * 640.
    let run = emulator.run(2, &[train(&[20])]).unwrap();
    assert_eq!(run.spikes[1].at(1), [Spike::plain(0)]);
    assert_eq!(emulator.variable(1, "theta"), Some(&[704][..]));
    assert_eq!(emulator.variable(1, "r"), Some(&[1280][..]));
    emulator.reset();
    assert_eq!(emulator.variable(1, "theta"), Some(&[640][..]));
}
