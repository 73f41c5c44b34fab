//! Read-outs on a chip: neurons that never spike, whose potential follows that of the description.

#![allow(clippy::unwrap_used, reason = "a failing step is a failing test")]

use loihi_export::chip::ChipSpec;
use loihi_export::emulator::{Emulator, Spike, SpikeTrain};
use loihi_export::quantise::{QuantiseConfig, quantise};
use sim_core::connectome::CompileConfig;
use sim_core::engine::{Compiled, EngineConfig, find_engine};
use sim_core::network::{Dense, Network, Neuron, Population, Probe, Projection, Stimulus};
use sim_core::stimulus::SpikeList;
use sim_core::time::Time;
use sim_core::units::{Dimension, Milliseconds, Unit, Values};
use std::sync::Arc;

const STEPS: usize = 50;
const INPUTS: usize = 3;
const OUTPUTS: usize = 2;

/// Whether an input spikes in a step, both counted from 0.
fn spikes(step: usize, input: usize) -> bool {
    (step * 7 + input * 5).is_multiple_of(4)
}

fn network(neuron: Neuron) -> Network {
    let mut network = Network::new("read-out", Milliseconds(1.0));
    network.add_population("in", Population::new(INPUTS as u32, Neuron::spike_source()));
    network.add_population("out", Population::new(OUTPUTS as u32, neuron));
    // Whole numbers of the chip's largest weight, so that decays alone are rounded.
    let weights = vec![0.5, -1.0, 0.25, 1.27, 0.75, -0.5];
    let projection = Projection::new("in", "out", Dense);
    let projection = projection.weight(Values::numbers(weights)).delay(Milliseconds(1.0));
    network.add_projection("forward", projection);
    let (mut times, mut neurons) = (Vec::new(), Vec::new());
    for step in 0..STEPS {
        for input in (0..INPUTS).filter(|&input| spikes(step, input)) {
            times.push((step + 1) as f64);
            neurons.push(input as u32);
        }
    }
    let unit = Unit { symbol: "ms", dimension: Dimension::Time, in_base: 1.0 };
    let times = Values::Each { values: times, unit };
    let list = SpikeList { population: "in".into(), neurons, times };
    network.add_stimulus("given", Stimulus::SpikeList(list));
    network.add_probe("v", Probe::variable("out", "membrane_potential"));
    network
}

/// Potentials `[step][neuron]` in the description.
fn simulated(network: &Network) -> Vec<f64> {
    let valid = network.validate().unwrap();
    let compiled = Arc::new(Compiled::new(valid, CompileConfig::UNLIMITED).unwrap());
    let start = find_engine("clock").unwrap().start;
    let mut engine = start(compiled, EngineConfig::default()).unwrap();
    engine.run(Time::from_milliseconds(STEPS as f64).unwrap(), &mut |_| true).unwrap();
    engine.recording().traces[0].values.clone()
}

#[test]
fn potentials_of_read_outs_follow_the_description_and_never_spike() {
    let chip = ChipSpec::built_in("loihi2").unwrap();
    let leaky = Neuron::new("leaky_integrator_stepwise")
        .parameter("potential_kept", 0.9)
        .parameter("gain", 0.5);
    let slow = leaky.clone().parameter("current_kept", 0.75);
    for neuron in [Neuron::new("integrator"), leaky, slow] {
        let model = neuron.model.clone();
        let network = network(neuron);
        let valid = network.validate().unwrap();
        let made = quantise(&valid, &chip, &QuantiseConfig::default()).unwrap();
        assert!(made.notes.iter().any(|note| note.contains("a read-out")), "{:?}", made.notes);
        let mut train = SpikeTrain::new();
        for step in 0..STEPS {
            let sent = (0..INPUTS).filter(|&input| spikes(step, input));
            train.push_step(&sent.map(|input| Spike::plain(input as u32)).collect::<Vec<_>>());
        }
        let mut emulator = Emulator::new(&made.network, &chip).unwrap();
        let ours = emulator.run_traced(STEPS, &[train], &[1]).unwrap();
        assert_eq!((0..STEPS).map(|step| ours.spikes[1].at(step).len()).sum::<usize>(), 0);
        assert_eq!(emulator.overflows().overflows.len(), 0);
        let theirs = simulated(&network);
        let unit = 64.0 * made.errors[0].scale;
        let mut largest = 0.0_f64;
        for (step, membrane) in ours.traces[0].membrane.iter().enumerate() {
            for (neuron, &potential) in membrane.iter().enumerate() {
                let expected = theirs[step * OUTPUTS + neuron];
                largest = largest.max(expected.abs());
                let off = (f64::from(potential) / unit - expected).abs();
                assert!(off < 0.05, "{model}: step {step}, {off} of {expected}");
            }
        }
        assert!(largest > 0.5, "{largest}");
    }
}
