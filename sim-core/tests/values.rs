//! Neurons that send numbers in place of spikes: what arrives, and what cannot stand behind them.

#![allow(clippy::unwrap_used, reason = "a failing step is a failing test")]

use sim_core::connectome::CompileConfig;
use sim_core::engine::{Compiled, EngineConfig, find_engine};
use sim_core::network::{
    AllToAll, Connectivity, Dense, List, Network, Neuron, OneToOne, Plasticity, Population, Probe,
    Projection, Stimulus,
};
use sim_core::neuron::lif_delta::LifDelta;
use sim_core::time::Time;
use sim_core::units::{Milliseconds, Millivolts, Values};
use std::sync::Arc;

const STEPS: usize = 12;

/// Two integrators whose currents of 0.5 and -0.25 make their potentials, and three read-outs.
fn network(rule: Connectivity, weights: Vec<f64>) -> Network {
    let mut network = Network::new("values", Milliseconds(1.0));
    let integrates = Neuron::new("leaky_integrator_analogue").parameter("potential_kept", 1.0);
    network.add_population("from", Population::new(2, integrates));
    let current = Values::numbers(vec![0.5, -0.25]);
    let current = Stimulus::constant_current("from", current, Milliseconds(0.0));
    network.add_stimulus("current", current);
    let shows = Neuron::new("leaky_integrator_stepwise").parameter("potential_kept", 0.0);
    let size = if matches!(rule, Connectivity::OneToOne(_)) { 2 } else { 3 };
    network.add_population("to", Population::new(size, shows));
    let projection = Projection::new("from", "to", rule);
    let weights = match weights[..] {
        [one] => Values::from(one),
        _ => Values::numbers(weights),
    };
    let projection = projection.weight(weights).delay(Milliseconds(3.0));
    network.add_projection("values", projection);
    network.add_probe("v", Probe::variable("to", "membrane_potential"));
    network.add_probe("spikes", Probe::spikes("from"));
    network
}

#[test]
fn every_rule_brings_the_weight_times_the_number_of_each_step() {
    let list = List { sources: vec![1, 0, 0], targets: vec![2, 0, 2] };
    // Weights [target][source].
    for (rule, weights, matrix) in [
        (
            Connectivity::Dense(Dense),
            vec![1.0, 2.0, 3.0, -4.0, 0.5, 8.0],
            vec![[1.0, 2.0], [3.0, -4.0], [0.5, 8.0]],
        ),
        (Connectivity::List(list), vec![3.0, 1.0, 5.0], vec![[1.0, 0.0], [0.0, 0.0], [5.0, 3.0]]),
        (Connectivity::OneToOne(OneToOne), vec![7.0, -3.0], vec![[7.0, 0.0], [0.0, -3.0]]),
        (Connectivity::AllToAll(AllToAll { autapses: true }), vec![2.0], vec![[2.0, 2.0]; 3]),
    ] {
        let valid = network(rule, weights).validate().unwrap();
        let compiled = Arc::new(Compiled::new(valid, CompileConfig::UNLIMITED).unwrap());
        for threads in [1, 3] {
            let config = EngineConfig { threads, ..EngineConfig::default() };
            let start = find_engine("clock").unwrap().start;
            let mut engine = start(compiled.clone(), config).unwrap();
            engine.run(Time::from_milliseconds(STEPS as f64).unwrap(), &mut |_| true).unwrap();
            let recording = engine.recording();
            let rows: Vec<&[f64]> = recording.traces[0].values.chunks(matrix.len()).collect();
            for (step, row) in (1..).zip(&rows) {
                let age = f64::from((step - 3).max(0));
                let expected = matrix.iter().map(|[a, b]| age * (0.5 * a - 0.25 * b));
                assert_eq!(row.to_vec(), expected.collect::<Vec<_>>(), "step {step}");
            }
            assert_eq!(rows.len(), STEPS);
            assert!(recording.spikes.is_empty());
            assert_eq!(recording.counters.payload_sums, vec![0; 2]);
        }
        let event = (find_engine("event").unwrap().start)(compiled, EngineConfig::default());
        assert!(event.err().unwrap().to_string().contains("clock"));
    }
}

#[test]
fn what_needs_spikes_is_refused_behind_numbers() {
    let mut network = network(Connectivity::Dense(Dense), vec![1.0; 6]);
    let all = AllToAll { autapses: true };
    let stdp = || Plasticity::new("stdp_additive").parameter("largest_weight", Millivolts(9.0));
    let learning = Projection::new("from", "cells", all).weight(Millivolts(1.0));
    network.add_population("cells", Population::new(3, LifDelta::default()));
    network.add_projection("learns", learning.delay(Milliseconds(1.0)).plasticity(stdp()));
    let reward = Plasticity::new("reward_modulated_stdp")
        .parameter("largest_weight", Millivolts(9.0))
        .modulator("from");
    let rewarded = Projection::new("cells", "cells", all).weight(Millivolts(1.0));
    network.add_projection("rewarded", rewarded.delay(Milliseconds(1.0)).plasticity(reward));
    let problems = network.validate().unwrap_err();
    let found: Vec<String> = problems.0.iter().map(|p| format!("{} {}", p.code, p.path)).collect();
    assert!(found.contains(&"no-spikes projections/learns/source".to_string()), "{found:?}");
    let place = "no-spikes projections/rewarded/plasticity/modulator".to_string();
    assert!(found.contains(&place), "{found:?}");
}
