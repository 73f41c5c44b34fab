//! The networks in `examples/networks/` and on the page about network files run and do what they say.
#![allow(clippy::unwrap_used, reason = "this is test code")]

use spikeloom::analysis::coefficient_of_variation;
use spikeloom::model_io::network_file;
use spikeloom::sim_core::connectome::CompileConfig;
use spikeloom::sim_core::engine::{Compiled, EngineConfig, find_engine};
use spikeloom::sim_core::network::Network;
use spikeloom::sim_core::recording::{Recording, Trace};
use spikeloom::sim_core::time::Time;
use std::path::Path;
use std::sync::Arc;

const PAGE: &str = include_str!("../docs/network_file.md");

fn study(name: &str) -> Network {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/networks");
    network_file::read(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap()
}

fn run(network: &Network, milliseconds: f64) -> Recording {
    let compiled = Compiled::new(network.validate().unwrap(), CompileConfig::UNLIMITED).unwrap();
    let clock = find_engine("clock").unwrap();
    let mut engine = (clock.start)(Arc::new(compiled), EngineConfig::default()).unwrap();
    engine.run(Time::from_milliseconds(milliseconds).unwrap(), &mut |_| true).unwrap();
    engine.recording().clone()
}

/// Spikes per second of the neurons `from..to` of a population between two times (ms).
fn rate(
    recording: &Recording,
    population: &str,
    neurons: std::ops::Range<u32>,
    span: (f64, f64),
) -> f64 {
    let found = recording.populations.iter().find(|other| other.name == population).unwrap();
    let own = found.first + neurons.start..found.first + neurons.end;
    let within = |time: f64| time > span.0 && time <= span.1;
    let spikes = recording.spikes.iter();
    let count = spikes.filter(|s| own.contains(&s.neuron) && within(s.time.milliseconds())).count();
    count as f64 / f64::from(neurons.end - neurons.start) / (span.1 - span.0) * 1000.0
}

fn trace<'r>(recording: &'r Recording, probe: &str) -> &'r Trace {
    recording.traces.iter().find(|trace| trace.probe == probe).unwrap()
}

#[test]
fn the_blocks_of_the_page_are_one_network_that_runs() {
    let blocks = PAGE.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let network = network_file::read(&blocks.collect::<String>()).unwrap();
    assert_eq!(network.populations.len(), 4);
    let recording = run(&network, 300.0);
    assert_eq!(recording.weights[0].times.len(), 3);
    assert!(rate(&recording, "excitatory", 0..400, (0.0, 300.0)) > 1.0);
    assert!(rate(&recording, "sheet", 0..100, (100.0, 210.0)) > 5.0);
}

#[test]
fn brunels_network_is_irregular_at_less_than_its_saturated_rate() {
    let recording = run(&study("brunel.toml"), 300.0);
    let rate = rate(&recording, "excitatory", 0..1000, (100.0, 300.0));
    assert!((20.0..100.0).contains(&rate), "{rate}");
    let mut trains = vec![Vec::new(); 1000];
    for spike in recording.spikes.iter().filter(|spike| spike.neuron < 1000) {
        trains[spike.neuron as usize].push(spike.time.milliseconds());
    }
    let variations: Vec<f64> =
        trains.iter().filter_map(|train| coefficient_of_variation(train)).collect();
    let mean = variations.iter().sum::<f64>() / variations.len() as f64;
    // A clock has 0, a Poisson process 1; trains of 300 ms show somewhat less than long ones.
    assert!(variations.len() > 900 && (0.5..1.1).contains(&mean), "{mean}");
}

#[test]
fn the_ring_keeps_its_bump_where_the_cue_was() {
    let recording = run(&study("ring.toml"), 1000.0);
    let after = (700.0, 1000.0);
    assert_eq!(rate(&recording, "ring", 0..512, (0.0, 300.0)), 0.0);
    assert!(rate(&recording, "ring", 231..281, after) > 50.0);
    assert!(rate(&recording, "ring", 0..128, after) < 1.0);
}

#[test]
fn one_synapse_is_depressed_and_the_other_facilitated() {
    let recording = run(&study("short_term.toml"), 1000.0);
    // The peak behind each spike of the train.
    let peak = |probe: &str, at: usize| {
        let values = &trace(&recording, probe).values[at..at + 40];
        values.iter().fold(f64::MIN, |most, value| most.max(*value)) + 70.0
    };
    let peaks = |probe: &str| [50, 100, 150, 350, 900].map(|at| peak(probe, at));
    let depressed = peaks("depressed");
    assert!(
        depressed[0] > 1.5 * depressed[1] && depressed[1] > 1.5 * depressed[3],
        "{depressed:?}"
    );
    assert!(depressed[4] > 1.5 * depressed[3], "{depressed:?}");
    let facilitated = peaks("facilitated");
    assert!(facilitated[2] > 1.5 * facilitated[0], "{facilitated:?}");
}

#[test]
fn two_neurons_that_inhibit_each_other_spike_in_turn() {
    let recording = run(&study("hodgkin_huxley_pair.toml"), 300.0);
    let neurons: Vec<u32> = recording.spikes.iter().map(|spike| spike.neuron).collect();
    assert!(neurons.len() > 20, "{}", neurons.len());
    assert!(neurons.windows(2).all(|pair| pair[0] != pair[1]), "{neurons:?}");
}

#[test]
fn scaling_brings_rates_together() {
    let mut network = study("homeostasis.toml");
    let spread = |network: &Network| {
        let recording = run(network, 12_000.0);
        let rates: Vec<f64> =
            (0..50).map(|n| rate(&recording, "cells", n..n + 1, (6000.0, 12_000.0))).collect();
        let mean = rates.iter().sum::<f64>() / 50.0;
        (rates.iter().map(|rate| (rate - mean).powi(2)).sum::<f64>() / 50.0).sqrt() / mean
    };
    let scaled = spread(&network);
    network.projections["scaled"].homeostasis = None;
    let free = spread(&network);
    assert!(scaled < 0.5 * free, "{scaled} {free}");
}

/// The thousand weights of a study after some time.
fn learned(network: &Network, seconds: f64) -> Vec<f64> {
    let recording = run(network, 1000.0 * seconds);
    let values = &recording.weights[0].values;
    values[values.len() - 1000..].to_vec()
}

#[test]
fn competing_inputs_go_to_either_bound() {
    let weights = learned(&study("receptive_field.toml"), 300.0);
    let share = |range: std::ops::Range<f64>| {
        weights.iter().filter(|weight| range.contains(weight)).count() as f64 / 1000.0
    };
    let (low, middle, high) = (share(0.0..0.03), share(0.06..0.09), share(0.12..0.1501));
    assert!(low > 2.0 * middle && high > 2.0 * middle, "{low} {middle} {high}");
}

#[test]
fn weights_change_where_dopamine_comes() {
    let mut network = study("reward.toml");
    let weights = learned(&network, 20.0);
    assert!(weights.iter().all(|weight| (0.0..=1000.0).contains(weight)));
    assert!(weights.iter().filter(|weight| (**weight - 500.0).abs() > 1.0).count() > 500);
    network.stimuli.shift_remove("reward");
    let weights = learned(&network, 20.0);
    assert!(weights.iter().all(|&weight| weight == 500.0), "without dopamine");
}

#[test]
fn izhikevichs_neurons_spike_a_few_times_a_second() {
    let recording = run(&study("izhikevich.toml"), 1000.0);
    let rate = rate(&recording, "excitatory", 0..800, (0.0, 1000.0));
    assert!((3.0..15.0).contains(&rate), "{rate}");
}
