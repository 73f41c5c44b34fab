//! Sums of two receptors that share 32 bits change no spike; neurons that nothing reaches have no sums at all.

#![allow(clippy::unwrap_used)] // a test may fail

use sim_core::connectome::{CompileConfig, Precision};
use sim_core::distribution::{Bounds, Normal};
use sim_core::engine::{Compiled, Engine, EngineConfig, Instructions, find_engine};
use sim_core::network::{
    Connectivity, FixedProbability, Network, Neuron, Population, Probe, Projection, Stimulus,
};
use sim_core::neuron::lif_conductance_exponential::LifConductanceExponential;
use sim_core::neuron::lif_delta::LifDelta;
use sim_core::neuron::lif_exponential::LifExponential;
use sim_core::stimulus::ConstantCurrent;
use sim_core::time::Time;
use sim_core::units::{Milliseconds, Nanosiemens, Picoamperes, Quantity, Values};
use std::sync::Arc;

/// A model of two receptors, a constant current that makes its neurons spike, and a weight for each receptor.
fn models() -> [(Neuron, f64, [Quantity; 2]); 2] {
    let conductance = LifConductanceExponential { fixed_steps: 1.0, ..Default::default() };
    [
        (
            LifExponential::default().into(),
            450.0,
            [Picoamperes(21.0).into(), Picoamperes(-90.0).into()],
        ),
        (conductance.into(), 330.0, [Nanosiemens(0.9).into(), Nanosiemens(3.0).into()]),
    ]
}

fn constant(population: &str, amplitude: impl Into<Values>) -> Stimulus {
    Stimulus::ConstantCurrent(ConstantCurrent {
        population: population.into(),
        amplitude: amplitude.into(),
        start: Milliseconds(0.0).into(),
        stop: None,
    })
}

/// Cells that excite and inhibit each other, each synapse with the weight of its projection.
fn network(neuron: &Neuron, current: f64, weights: &[Quantity; 2]) -> Network {
    let mut network = Network::new("packed", Milliseconds(0.1));
    let names = ["excitatory", "inhibitory"];
    for (name, size) in names.into_iter().zip([300, 90]) {
        let low = Quantity::from(Picoamperes(0.9 * current));
        let values: Values = Normal {
            mean: Picoamperes(current).into(),
            std: Picoamperes(20.0).into(),
            bounds: Bounds::redraw_low(low),
        }
        .into();
        network.add_population(name, Population::new(size, neuron.clone()));
        network.add_probe(name, Probe::spikes(name));
        network.add_stimulus(name, constant(name, values));
    }
    let pairs = FixedProbability { probability: 0.1, autapses: true };
    for (source, weight) in names.into_iter().zip(weights) {
        for target in names {
            let projection = Projection::new(source, target, Connectivity::FixedProbability(pairs))
                .receptor(source)
                .weight(*weight)
                .delay(Milliseconds(0.7));
            network.add_projection(format!("{source} to {target}"), projection);
        }
    }
    network
}

fn compiled(network: &Network, blocks: usize) -> Arc<Compiled> {
    let config = CompileConfig { precision: Precision::Single, blocks, ..CompileConfig::UNLIMITED };
    Arc::new(Compiled::new(network.validate().unwrap(), config).unwrap())
}

fn run(compiled: &Arc<Compiled>, threads: usize, instructions: Instructions) -> Box<dyn Engine> {
    let config = EngineConfig { threads, instructions };
    let mut engine = (find_engine("clock").unwrap().start)(compiled.clone(), config).unwrap();
    engine.run(Time::from_milliseconds(120.0).unwrap(), &mut |_| true).unwrap();
    engine
}

fn is_packed(compiled: &Compiled) -> bool {
    compiled.connectome().narrow().unwrap().is_packed()
}

#[test]
fn packed_sums_give_the_spikes_of_sums_of_their_own() {
    for (neuron, current, weights) in models() {
        let plain = network(&neuron, current, &weights);
        // Weights that differ, anywhere in the network, take sums of their own.
        let mut apart = plain.clone();
        apart.add_population("apart", Population::new(20, LifDelta::default()));
        let pairs =
            Connectivity::FixedProbability(FixedProbability { probability: 0.5, autapses: true });
        let drawn: Values = Normal {
            mean: sim_core::units::Millivolts(1.0).into(),
            std: sim_core::units::Millivolts(0.1).into(),
            bounds: Bounds::NONE,
        }
        .into();
        let projection = Projection::new("apart", "apart", pairs).weight(drawn);
        apart.add_projection("apart", projection.delay(Milliseconds(0.7)));
        let apart = compiled(&apart, 1);
        assert!(!is_packed(&apart));
        let expected = run(&apart, 1, Instructions::widest());
        let expected = &expected.recording().spikes;
        assert!(expected.len() > 1000, "{}", expected.len());
        for blocks in [1, 3] {
            let packed = compiled(&plain, blocks);
            assert!(is_packed(&packed));
            for instructions in Instructions::available() {
                let engine = run(&packed, blocks, instructions);
                assert_eq!(engine.recording().spikes, *expected, "{}", instructions.name());
            }
        }
    }
}

#[test]
fn sums_that_do_not_fit_sixteen_bits_are_not_packed() {
    let [(neuron, current, _), _] = models();
    // On a scale on which both weights are whole numbers one of them is thousands of units.
    let weights = [Picoamperes(0.125).into(), Picoamperes(-600.0).into()];
    assert!(is_packed(&compiled(&network(&neuron, current, &weights), 1)));
    let mut mixed = network(&neuron, current, &weights);
    let fine = Projection::new(
        "excitatory",
        "excitatory",
        Connectivity::FixedProbability(FixedProbability { probability: 0.1, autapses: true }),
    );
    mixed.add_projection(
        "fine",
        fine.receptor("excitatory").weight(Picoamperes(2000.0)).delay(Milliseconds(0.3)),
    );
    assert!(!is_packed(&compiled(&mixed, 1)));
}

#[test]
fn neurons_without_input_follow_their_current() {
    let mut neurons = models().map(|(neuron, current, _)| (neuron, current)).to_vec();
    neurons.push((LifDelta::default().into(), 450.0));
    for (neuron, current) in neurons {
        let mut network = Network::new("alone", Milliseconds(0.1));
        network.add_population("cells", Population::new(37, neuron));
        network.add_probe("spikes", Probe::spikes("cells"));
        network.add_stimulus("current", constant("cells", Picoamperes(2.0 * current)));
        let single = compiled(&network, 1);
        let double =
            Arc::new(Compiled::new(network.validate().unwrap(), CompileConfig::UNLIMITED).unwrap());
        let [single, double] = [single, double].map(|c| run(&c, 1, Instructions::widest()));
        let count = single.recording().spikes.len();
        assert!(count >= 37, "{count}");
        assert_eq!(count, double.recording().spikes.len());
    }
}

/// What remains of a refractory time is counted in 16 bits.
#[test]
fn the_longest_refractory_time_of_the_narrow_form_is_kept_and_a_longer_one_has_none() {
    let network = |steps: f64| {
        let neuron = LifExponential {
            refractory_period: Milliseconds(0.1 * steps),
            ..LifExponential::default()
        };
        let mut network = Network::new("waiting", Milliseconds(0.1));
        network.add_population("cells", Population::new(2, neuron));
        network.add_probe("spikes", Probe::spikes("cells"));
        network.add_stimulus("current", constant("cells", Picoamperes(900.0)));
        network
    };
    let longest = compiled(&network(65_535.0), 1);
    assert!(longest.connectome().narrow().is_some());
    assert!(compiled(&network(65_536.0), 1).connectome().narrow().is_none());
    let config = EngineConfig { threads: 1, instructions: Instructions::widest() };
    let mut engine = (find_engine("clock").unwrap().start)(longest, config).unwrap();
    engine.run(Time::from_milliseconds(7000.0).unwrap(), &mut |_| true).unwrap();
    let times: Vec<f64> = engine.recording().spikes.iter().map(|s| s.time.milliseconds()).collect();
    assert_eq!(times.len(), 4, "{times:?}");
    // The second spike follows the end of the refractory time as the first follows the beginning.
    assert!((times[2] - 6553.5 - 2.0 * times[0]).abs() < 1e-6, "{times:?}");
}
