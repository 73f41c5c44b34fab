//! The networks in `examples/networks/` and on the page about network files run and do what they say.
#![allow(clippy::unwrap_used, reason = "this is test code")]

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

#[test]
fn weights_of_learning_studies_change_within_their_bounds() {
    for (name, largest) in [("receptive_field.toml", 0.15), ("reward.toml", 1000.0)] {
        let recording = run(&study(name), 20_000.0);
        let weights = &recording.weights[0];
        let last = &weights.values[weights.values.len() - 1000..];
        assert!(last.iter().all(|weight| (0.0..=largest).contains(weight)), "{name}");
        let different = weights.values[0];
        assert!(last.iter().filter(|weight| **weight != different).count() > 500, "{name}");
    }
}

#[test]
fn izhikevichs_neurons_spike_a_few_times_a_second() {
    let recording = run(&study("izhikevich.toml"), 1000.0);
    let rate = rate(&recording, "excitatory", 0..800, (0.0, 1000.0));
    assert!((3.0..15.0).contains(&rate), "{rate}");
}
