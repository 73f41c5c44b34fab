//! The narrow form against double precision, and against itself: threads, blocks, instruction sets
//! and cuts of a run change no spike.

#![allow(clippy::unwrap_used)] // a test may fail

use sim_core::connectome::{CompileConfig, Precision, predict_for, rounding};
use sim_core::distribution::{Bounds, Normal};
use sim_core::engine::{Compiled, Engine, EngineConfig, Instructions, find_engine};
use sim_core::network::{
    Connectivity, FixedInDegree, FixedProbability, FixedTotal, Network, Neuron, Population, Probe,
    Projection, Stimulus,
};
use sim_core::neuron::integrate_and_fire::IntegrateAndFire;
use sim_core::neuron::lif_conductance_exponential::LifConductanceExponential;
use sim_core::neuron::lif_delta::LifDelta;
use sim_core::neuron::lif_exponential::LifExponential;
use sim_core::stimulus::{PoissonDrive, SpikeList};
use sim_core::time::Time;
use sim_core::units::{
    Hertz, Milliseconds, Millivolts, Nanosiemens, Picoamperes, Quantity, Values,
};
use std::sync::Arc;

fn normal(mean: impl Into<Quantity>, std: impl Into<Quantity>, low: impl Into<Quantity>) -> Values {
    let bounds = Bounds::redraw_low(low);
    Normal { mean: mean.into(), std: std.into(), bounds }.into()
}

/// Populations of every narrow model and one of double precision, connected by rules of both ends,
/// with drawn and with single weights and delays.
fn network() -> Network {
    let mut network = Network::new("all forms", Milliseconds(0.1));
    network.seed = 11;
    let neurons: [(&str, u32, Neuron); 4] = [
        ("exponential", 400, LifExponential::default().into()),
        ("delta", 300, LifDelta::default().into()),
        (
            "conductance",
            200,
            LifConductanceExponential { fixed_steps: 2.0, ..Default::default() }.into(),
        ),
        ("converted", 50, IntegrateAndFire::default().into()),
    ];
    for (name, size, neuron) in neurons {
        network.add_population(name, Population::new(size, neuron));
        network.add_probe(name, Probe::spikes(name));
    }
    let drives = [
        PoissonDrive::new("exponential", Hertz(9000.0), Picoamperes(100.0)),
        PoissonDrive::new("delta", Hertz(15_000.0), Millivolts(0.11)),
        PoissonDrive::new("conductance", Hertz(9000.0), Nanosiemens(3.0)),
    ];
    for drive in drives {
        network.add_stimulus(drive.population.clone(), Stimulus::PoissonDrive(drive));
    }
    let delay = || normal(Milliseconds(1.5), Milliseconds(0.75), Milliseconds(0.05));
    let total = FixedTotal { synapses: 30_000, autapses: true, multapses: true };
    let exponential =
        Projection::new("exponential", "exponential", Connectivity::FixedTotal(total))
            .weight(normal(Picoamperes(40.0), Picoamperes(4.0), Picoamperes(0.0)))
            .delay(delay());
    network.add_projection("drawn", exponential);
    let degree = FixedInDegree { in_degree: 30, autapses: true, multapses: true };
    let inhibition = Projection::new("delta", "exponential", Connectivity::FixedInDegree(degree))
        .receptor("inhibitory")
        .weight(Picoamperes(-150.0))
        .delay(delay());
    network.add_projection("by target", inhibition);
    let pairs = FixedProbability { probability: 0.1, autapses: true };
    for (name, weight) in [("exponential", 0.1), ("delta", -0.3)] {
        let rule = Connectivity::FixedProbability(pairs);
        let projection = Projection::new(name, "delta", rule)
            .weight(Millivolts(weight))
            .delay(Milliseconds(0.8));
        network.add_projection(format!("single weights of {name}"), projection);
    }
    let rule = Connectivity::FixedProbability(pairs);
    let conductances = Projection::new("exponential", "conductance", rule)
        .weight(normal(Nanosiemens(2.0), Nanosiemens(0.2), Nanosiemens(0.0)))
        .delay(Milliseconds(0.3));
    network.add_projection("conductances", conductances);
    let rule = Connectivity::FixedProbability(pairs);
    let converted =
        Projection::new("delta", "converted", rule).weight(0.31).delay(Milliseconds(0.1));
    network.add_projection("to double precision", converted);
    network
}

fn compiled(network: &Network, precision: Precision, blocks: usize) -> Arc<Compiled> {
    let config = CompileConfig { precision, blocks, ..CompileConfig::UNLIMITED };
    Arc::new(Compiled::new(network.validate().unwrap(), config).unwrap())
}

fn engine(compiled: &Arc<Compiled>, threads: usize, instructions: Instructions) -> Box<dyn Engine> {
    let config = EngineConfig { threads, instructions };
    (find_engine("clock").unwrap().start)(compiled.clone(), config).unwrap()
}

fn run(engine: &mut dyn Engine, milliseconds: f64) {
    let span = Time::from_milliseconds(milliseconds).unwrap();
    engine.run(span, &mut |_| true).unwrap();
}

#[test]
fn spikes_depend_neither_on_threads_nor_on_blocks_nor_on_instructions_nor_on_cuts() {
    let network = network();
    let compiled = [1, 2, 8].map(|blocks| compiled(&network, Precision::Single, blocks));
    let mut first = engine(&compiled[0], 1, Instructions::widest());
    run(first.as_mut(), 60.0);
    let expected = first.recording();
    assert!(expected.counters.spikes.iter().all(|&spikes| spikes > 20), "{:?}", expected.counters);
    for compiled in &compiled {
        for threads in [1, 2, 8] {
            let mut other = engine(compiled, threads, Instructions::widest());
            for part in [0.1, 19.9, 40.0] {
                run(other.as_mut(), part);
            }
            assert_eq!(other.recording(), expected, "{threads} threads");
        }
        for instructions in Instructions::available() {
            let mut other = engine(compiled, 1, instructions);
            run(other.as_mut(), 60.0);
            assert_eq!(other.recording().spikes, expected.spikes, "{}", instructions.name());
        }
    }
}

/// Denormal numbers would make silence the slowest state of a network.
#[test]
fn a_current_that_has_decayed_to_nothing_is_zero() {
    let mut network = Network::new("one spike, long ago", Milliseconds(0.1));
    network.add_population("source", Population::new(1, Neuron::spike_source()));
    network.add_population("cells", Population::new(3, LifExponential::default()));
    let times = Values::from(Milliseconds(1.0));
    let list = SpikeList { population: "source".into(), neurons: vec![0], times };
    network.add_stimulus("spike", Stimulus::SpikeList(list));
    let degree = FixedInDegree { in_degree: 1, autapses: true, multapses: true };
    let rule = Connectivity::FixedInDegree(degree);
    let projection = Projection::new("source", "cells", rule).weight(Picoamperes(100.0));
    network.add_projection("spike", projection.delay(Milliseconds(1.0)));
    for precision in [Precision::Single, Precision::Double] {
        let compiled = compiled(&network, precision, 1);
        let mut engine = engine(&compiled, 1, Instructions::widest());
        run(engine.as_mut(), 50.0);
        let early = engine.variable(1, 1);
        assert!(early.iter().all(|&current| current > 0.0), "{precision:?}: {early:?}");
        run(engine.as_mut(), 2950.0);
        assert_eq!(engine.variable(1, 1), [0.0; 3], "{precision:?}");
    }
}

#[test]
fn a_reset_engine_repeats_its_run() {
    let compiled = compiled(&network(), Precision::Single, 2);
    let mut engine = engine(&compiled, 2, Instructions::widest());
    run(engine.as_mut(), 20.0);
    let first = engine.recording().clone();
    engine.reset(11);
    run(engine.as_mut(), 20.0);
    assert_eq!(*engine.recording(), first);
    engine.reset(12);
    run(engine.as_mut(), 20.0);
    assert_ne!(engine.recording().spikes, first.spikes);
}

#[test]
fn both_forms_have_the_same_synapses_and_weights_within_half_a_unit() {
    let network = network();
    let wide = compiled(&network, Precision::Double, 1);
    let narrow = compiled(&network, Precision::Single, 3);
    let form = narrow.connectome().narrow().unwrap();
    assert_eq!(wide.connectome().synapse_count(), narrow.connectome().synapse_count());
    let sort = |synapses: &mut Vec<(u32, u32, u32, f64)>| {
        synapses.sort_by(|a, b| (a.0, a.1, a.2).cmp(&(b.0, b.1, b.2)).then(a.3.total_cmp(&b.3)));
    };
    for source in 0..wide.connectome().neuron_count() {
        assert_eq!(wide.out_degree(source), narrow.out_degree(source));
        let [mut exact, mut rounded] = [&wide, &narrow].map(|compiled| {
            let synapses = compiled.connectome().synapses_of(source);
            synapses.map(|s| (s.projection, s.target, s.delay, s.weight)).collect::<Vec<_>>()
        });
        sort(&mut exact);
        sort(&mut rounded);
        assert_eq!(exact.len(), rounded.len());
        for (exact, rounded) in exact.iter().zip(&rounded) {
            assert_eq!((exact.0, exact.1, exact.2), (rounded.0, rounded.1, rounded.2));
            let projection = &wide.network().projections()[exact.0 as usize];
            let units = form.populations()[projection.target].as_ref().map(|p| &p.units);
            let unit = units.map_or(0.0, |units| units[projection.receptor]);
            let error = (exact.3 - rounded.3).abs();
            assert!(error <= 0.500_001 * unit, "{exact:?} {rounded:?} {unit}");
        }
    }
}

#[test]
fn memory_is_predicted_and_rounding_reported() {
    let network = network();
    for (precision, blocks) in [(Precision::Single, 1), (Precision::Single, 3)] {
        let compiled = compiled(&network, precision, blocks);
        let config = CompileConfig { precision, blocks, ..CompileConfig::UNLIMITED };
        let predicted = predict_for(compiled.network(), config).connectome_bytes as f64;
        let found = compiled.connectome().bytes() as f64;
        // Delays of large rows are looked at in samples, and numbers of synapses are expected.
        assert!((predicted / found - 1.0).abs() < 0.05, "{blocks}: {predicted} {found}");
        let rounded = rounding(compiled.network(), compiled.connectome());
        let names: Vec<&str> = rounded.iter().map(|r| r.projection.as_str()).collect();
        assert!(names.contains(&"drawn") && !names.contains(&"to double precision"), "{names:?}");
        for rounding in &rounded {
            assert!(rounding.largest_error <= 0.5 * rounding.resolution, "{rounding:?}");
            assert!(rounding.relative_error < 1e-3, "{rounding:?}");
        }
    }
}

#[test]
fn potentials_follow_those_of_double_precision() {
    // Thresholds out of reach: without spikes rounding errors stay what they are.
    let mut network = network();
    for (name, threshold) in [("exponential", 500.0), ("delta", 500.0), ("conductance", 0.0)] {
        let neuron = &mut network.populations.get_mut(name).unwrap().neuron;
        *neuron = neuron.clone().parameter("threshold", Millivolts(threshold));
    }
    let [wide, narrow] = [Precision::Double, Precision::Single].map(|precision| {
        let mut engine = engine(&compiled(&network, precision, 2), 1, Instructions::widest());
        run(engine.as_mut(), 100.0);
        engine
    });
    for (population, of) in [(0, "exponential"), (1, "delta"), (2, "conductance")] {
        let pairs = wide.variable(population, 0).into_iter().zip(narrow.variable(population, 0));
        let most = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        // 24 bits of some tens of mV, over the steps of a membrane time constant; weights of the drive
        // are off by up to 2^-16.
        assert!(most < 2e-3, "{of}: {most} mV");
    }
}

#[test]
fn what_has_no_narrow_form_stays_in_double_precision() {
    let compiled = compiled(&network(), Precision::Single, 2);
    let form = compiled.connectome().narrow().unwrap();
    let narrow: Vec<bool> = form.populations().iter().map(Option::is_some).collect();
    assert_eq!(narrow, [true, true, true, false]);
    let mut adaptive = Network::new("adaptive", Milliseconds(0.1));
    let cells = LifConductanceExponential::default();
    adaptive.add_population("cells", Population::new(3, cells));
    let adaptive = self::compiled(&adaptive, Precision::Single, 1);
    assert!(adaptive.connectome().narrow().is_none());
}
