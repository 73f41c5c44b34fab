//! The network that the benches share: sparse, random, excitation balanced by inhibition.
//!
//! After N. Brunel (2000), J. Comput. Neurosci. 8:183: four excitatory neurons to one inhibitory,
//! every pair connected with probability 0.1, inhibition five times as strong, delay 1.5 ms,
//! delta currents, τ = 20 ms, threshold 20 mV above rest. The excitatory jump is 0.1 mV · 1000 / C_E,
//! so that networks of all sizes have the same recurrent drive. In place of Poisson sources a
//! constant current holds the neurons 1.5 thresholds above rest: all synaptic events are recurrent.

#![allow(dead_code)] // no bench needs all of it

use spikeloom::sim_core::connectome::CompileConfig;
use spikeloom::sim_core::engine::{Compiled, Engine, EngineConfig, find_engine};
use spikeloom::sim_core::network::Neuron;
use spikeloom::sim_core::network::{
    Connectivity, FixedProbability, Network, Population, Projection, RefractoryInput, Reset,
    SpikeCondition, Stimulus,
};
use spikeloom::sim_core::time::Time;
use spikeloom::sim_core::units::{
    Milliseconds, Millivolts, Picoamperes, Picofarads, Values, find_unit,
};
use std::sync::Arc;

/// Probability of a connection.
const PROBABILITY: f64 = 0.1;

fn neurons(size: u32, shift: u32) -> Neuron {
    // Potentials spread evenly below the threshold, in an order without pattern (golden ratio).
    let spread = |i: u32| f64::from(i + shift) * 0.618_033_988_749_895 % 1.0 * 19.0;
    let millivolts = find_unit("mV").expect("mV is known");
    let mut neuron = Neuron::new("lif_delta")
        .rules(SpikeCondition::AtOrAbove, Reset::To(Millivolts(10.0).into()))
        .parameter("tau_membrane", Milliseconds(20.0))
        .parameter("capacitance", Picofarads(250.0))
        .parameter("resting_potential", Millivolts(0.0))
        .parameter("threshold", Millivolts(20.0))
        .parameter("refractory_period", Milliseconds(2.0))
        .initial(
            "membrane_potential",
            Values::Each { values: (0..size).map(spread).collect(), unit: millivolts },
        );
    neuron.refractory_input = Some(RefractoryInput::Lost);
    neuron
}

/// The network of `size` neurons.
pub fn network(size: u32) -> Network {
    let (excitatory, inhibitory) = (size / 5 * 4, size / 5);
    let jump = 0.1 * 1000.0 / (f64::from(excitatory) * PROBABILITY);
    let mut network = Network::new("brunel", Milliseconds(0.1));
    network.seed = 8183;
    network.add_population("E", Population::new(excitatory, neurons(excitatory, 0)));
    network.add_population("I", Population::new(inhibitory, neurons(inhibitory, excitatory)));
    for (source, weight) in [("E", jump), ("I", -5.0 * jump)] {
        for target in ["E", "I"] {
            let rule = Connectivity::FixedProbability(FixedProbability {
                probability: PROBABILITY,
                autapses: true,
            });
            let projection = Projection::new(source, target, rule)
                .weight(Millivolts(weight))
                .delay(Milliseconds(1.5));
            network.add_projection(format!("{source}{target}"), projection);
        }
    }
    for target in ["E", "I"] {
        // C · 20 mV / τ · 1.5
        let current = Stimulus::constant_current(target, Picoamperes(375.0), Milliseconds(0.0));
        network.add_stimulus(format!("drive_{target}"), current);
    }
    network
}

/// An engine on a network, with one thread.
pub fn engine(name: &str, network: &Network) -> Box<dyn Engine> {
    let valid = network.validate().expect("the network is valid");
    let compiled = Compiled::new(valid, CompileConfig::UNLIMITED).expect("it compiles");
    let entry = find_engine(name).expect("the engine exists");
    (entry.start)(Arc::new(compiled), EngineConfig::default()).expect("it starts")
}

/// Runs an engine from time zero.
pub fn run(engine: &mut dyn Engine, milliseconds: f64) {
    let span = Time::from_milliseconds(milliseconds).expect("a short span");
    engine.reset(1);
    engine.run(span, &mut |_| true).expect("it runs");
}
