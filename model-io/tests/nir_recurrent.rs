//! Recurrent and delayed descriptions as graphs: the graph's reference run spikes as the clock engine.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing step is a failing test")]

use std::sync::Arc;

use model_io::nir::dialect::Convention;
use model_io::nir::run::run;
use model_io::nir::to_network::{NirReading, to_network};
use model_io::nir::{NirGraph, from_network};
use sim_core::connectome::CompileConfig;
use sim_core::engine::{Compiled, EngineConfig, find_engine};
use sim_core::network::{
    Connectivity, Dense, List, Network, Neuron, OneToOne, Population, Probe, Projection, Reset,
    SpikeCondition, Stimulus,
};
use sim_core::neuron::lif_delta::LifDelta;
use sim_core::stimulus::SpikeList;
use sim_core::time::Time;
use sim_core::units::{Dimension, Milliseconds, Millivolts, Picofarads, Quantity, Unit, Values};

const STEPS: usize = 60;
const STEP_MS: f64 = 0.5;
const MILLISECOND: Unit = Unit { symbol: "ms", dimension: Dimension::Time, in_base: 1.0 };
const MILLIVOLT: Unit = Unit { symbol: "mV", dimension: Dimension::Potential, in_base: 1.0 };
const NUMBER: Unit = Unit { symbol: "", dimension: Dimension::Number, in_base: 1.0 };

/// Fixed numbers between -1 and 1, in eighths so that sums are exact.
fn numbers(count: usize, seed: u64) -> Vec<f64> {
    let mut state = seed;
    let mut draw = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) % 17) as f64 / 8.0 - 1.0
    };
    (0..count).map(|_| draw()).collect()
}

fn input(width: usize) -> Vec<Vec<f64>> {
    let row = |step: usize| (0..width).map(move |n| (step * 7 + n * 5) % 3);
    (0..STEPS).map(|step| row(step).map(|k| f64::from(u8::from(k == 0))).collect()).collect()
}

fn weighted(rule: impl Into<Connectivity>, from: &str, to: &str, weights: Values) -> Projection {
    Projection::new(from, to, rule.into()).weight(weights)
}

fn steps(steps: u32) -> Milliseconds {
    Milliseconds(f64::from(steps) * STEP_MS)
}

/// input → a ⇄ b, a on itself, and input → b with a delay for every synapse.
fn looped(neuron: &Neuron, unit: Unit) -> Network {
    let each = |count, seed| Values::Each { values: numbers(count, seed), unit };
    let mut network = Network::new("looped", Milliseconds(STEP_MS));
    network.add_population("input", Population::new(4, Neuron::spike_source()));
    network.add_population("a", Population::new(6, neuron.clone()));
    network.add_population("b", Population::new(6, neuron.clone()));
    let mut add = |name: &str, projection| network.add_projection(name, projection);
    add("1", weighted(Dense, "input", "a", each(24, 1)).delay(steps(1)));
    add("2", weighted(Dense, "a", "a", each(36, 2)).delay(steps(2)));
    add("3", weighted(OneToOne, "a", "b", each(6, 3)).delay(steps(3)));
    add("4", weighted(Dense, "b", "a", each(36, 4)).delay(steps(1)));
    let (sources, targets) = (vec![0, 1, 2, 3, 3], vec![0, 2, 1, 5, 4]);
    let delays = [2.0, 4.0, 3.0, 2.0, 4.0].map(|steps| steps * STEP_MS);
    let list = List { sources, targets };
    let delays = Values::Each { values: delays.to_vec(), unit: MILLISECOND };
    add("5", weighted(list, "input", "b", each(5, 5)).delay(delays));
    network
}

/// Steps and neurons of a population's spikes, `behind` steps earlier.
fn spikes(mut network: Network, rows: &[Vec<f64>], name: &str, behind: usize) -> Vec<(usize, u32)> {
    let (mut neurons, mut times) = (Vec::new(), Vec::new());
    for (index, row) in rows.iter().enumerate() {
        for (neuron, _) in (0_u32..).zip(row).filter(|(_, x)| **x != 0.0) {
            neurons.push(neuron);
            times.push((index + 1) as f64 * STEP_MS);
        }
    }
    let times = Values::Each { values: times, unit: MILLISECOND };
    let given = SpikeList { population: "input".into(), neurons, times };
    network.add_stimulus("given", Stimulus::SpikeList(given));
    network.add_probe("spikes", Probe::spikes(name));
    let valid = network.validate().unwrap_or_else(|problems| panic!("{problems:?}"));
    let compiled = Arc::new(Compiled::new(valid, CompileConfig::UNLIMITED).unwrap());
    let mut engine =
        (find_engine("clock").unwrap().start)(compiled, EngineConfig::default()).unwrap();
    let span = Time::from_milliseconds((rows.len() + behind) as f64 * STEP_MS).unwrap();
    engine.run(span, &mut |_| true).unwrap();
    let recording = engine.recording();
    let population = recording.populations.iter().find(|p| p.name == name).unwrap();
    let own = population.first..population.first + population.size;
    let step = |time: Time| (time.milliseconds() / STEP_MS).round() as usize - 1 - behind;
    let found = recording.spikes.iter().filter(|s| own.contains(&s.neuron));
    let mut found: Vec<_> = found.map(|s| (step(s.time), s.neuron - own.start)).collect();
    found.sort_unstable();
    found
}

fn of_graph(graph: &NirGraph, rows: &[Vec<f64>], name: &str) -> Vec<(usize, u32)> {
    let convention = Convention::specification(STEP_MS * 1e-3);
    let ours = run(graph, &convention, rows, &[name.to_owned()]).unwrap();
    let fired = |(step, row): (usize, &Vec<f64>)| {
        let row = (0_u32..).zip(row.clone()).filter(|(_, s)| *s != 0.0);
        row.map(|(neuron, _)| (step, neuron)).collect::<Vec<_>>()
    };
    ours[name].iter().enumerate().flat_map(fired).collect()
}

#[test]
fn loops_and_delays_spike_as_the_description_says() {
    let whole = Neuron::new("integrate_and_fire")
        .parameter("threshold", Values::One(Quantity { value: 1.0, unit: NUMBER }))
        .rules(SpikeCondition::Above, Reset::To(Quantity { value: 0.0, unit: NUMBER }.into()));
    let leaky = Neuron::from(LifDelta {
        capacitance: Picofarads(2.0),
        tau_membrane: Milliseconds(7.0),
        resting_potential: Millivolts(0.0),
        threshold: Millivolts(0.77),
        refractory_period: Milliseconds(0.0),
        ..LifDelta::default()
    })
    .initial("membrane_potential", Millivolts(0.0))
    .rules(SpikeCondition::Above, Reset::To(Quantity { value: 0.0, unit: MILLIVOLT }.into()));
    for (neuron, unit) in [(whole, NUMBER), (leaky, MILLIVOLT)] {
        let network = looped(&neuron, unit);
        let rows = input(4);
        let graph = from_network(&network.clone().validate().unwrap()).unwrap();
        graph.check().unwrap();
        assert!(
            graph.nodes.keys().any(|name| name.ends_with("_delay")),
            "{:?}",
            graph.nodes.keys()
        );
        for population in ["a", "b"] {
            let ours = spikes(network.clone(), &rows, population, 1);
            assert!(ours.len() > 10, "{population}: {} spikes", ours.len());
            assert_eq!(of_graph(&graph, &rows, population), ours, "{population} of {unit:?}");
        }
        // Read back, it is a description with the same spikes.
        let reading = NirReading {
            convention: Convention::specification(STEP_MS * 1e-3),
            biases_from_start: false,
        };
        let (again, _) = to_network(&graph, "again", &reading).unwrap();
        for population in ["a", "b"] {
            let ours = spikes(again.clone(), &rows, population, 1);
            assert_eq!(of_graph(&graph, &rows, population), ours, "{population} read back");
        }
    }
}

#[test]
fn a_current_is_a_bias_where_no_delay_holds_it_back() {
    let whole = Neuron::new("integrate_and_fire")
        .parameter("threshold", Values::One(Quantity { value: 1.0, unit: NUMBER }))
        .rules(SpikeCondition::Above, Reset::To(Quantity { value: 0.0, unit: NUMBER }.into()));
    let mut network = looped(&whole, NUMBER);
    let current = Values::One(Quantity { value: 0.25, unit: NUMBER });
    network.add_stimulus("current", Stimulus::constant_current("b", current, Milliseconds(0.0)));
    let graph = from_network(&network.validate().unwrap()).unwrap();
    let model_io::nir::Primitive::Affine(affine) = &graph.nodes["b_bias"].primitive else {
        panic!("{:?}", graph.nodes.keys());
    };
    assert_eq!(affine.bias.values.to_f64().unwrap(), vec![0.25; 6]);
    assert!(affine.weight.values.to_f64().unwrap().iter().all(|w| *w == 0.0));
}

#[test]
fn what_nir_cannot_hold_is_refused_with_place_and_remedy() {
    let neuron =
        Neuron::from(LifDelta { refractory_period: Milliseconds(2.0), ..LifDelta::default() })
            .rules(
                SpikeCondition::Above,
                Reset::To(Quantity { value: -70.0, unit: MILLIVOLT }.into()),
            );
    let error = from_network(&looped(&neuron, MILLIVOLT).validate().unwrap()).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("populations/a") && text.contains("refractory_period to 0"), "{text}");
}
