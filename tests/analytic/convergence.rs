//! Models of differential equations under halved steps: the order in which their error falls.
//!
//! All input lies on a grid that every step divides, so that nothing but the method differs. The potential
//! of fixed Runge–Kutta steps, one a dt, is compared with the adaptive solver at a tolerance of 1e-13;
//! Izhikevich's, which has Euler's steps only, with steps 4,096 times as short.

use super::spike_list;
use sim_core::network::{
    AllToAll, Network, Neuron, Population, Probe, Projection, RefractoryInput, Reset,
    SpikeCondition, Stimulus,
};
use sim_core::neuron::find_model;
use sim_core::recording::Recording;
use sim_core::units::{Dimension, Milliseconds, Millivolts, Quantity, Values, find_unit};
use test_support::suite::{compile, simulate};

/// Every input and every compared sample lies on multiples of this (ms).
const COMMON_MS: f64 = 1.6;

/// How long models are compared (ms).
const SPAN_MS: f64 = 48.0;

/// The tolerance of a converged solution (base units).
const TINY_TOLERANCE: f64 = 1e-13;

fn quantity(value: f64, symbol: &str) -> Quantity {
    Quantity { value, unit: find_unit(symbol).unwrap() }
}

/// A model below its threshold: current (its unit), what one input adds (the receptor's unit), and the
/// longest step (ms).
struct Setup {
    model: &'static str,
    current: f64,
    weight: f64,
    longest_ms: f64,
}

const SOLVED: [Setup; 7] = [
    Setup { model: "lif_conductance_exponential", current: 80.0, weight: 2.0, longest_ms: 0.8 },
    Setup { model: "lif_conductance_alpha", current: 80.0, weight: 1.5, longest_ms: 0.8 },
    Setup { model: "adex_exponential", current: 300.0, weight: 2.0, longest_ms: 0.8 },
    Setup { model: "adex_alpha", current: 300.0, weight: 1.5, longest_ms: 0.8 },
    Setup { model: "exponential_integrate_and_fire", current: 60.0, weight: 25.0, longest_ms: 0.8 },
    Setup { model: "quadratic_integrate_and_fire", current: 30.0, weight: 50.0, longest_ms: 0.8 },
    Setup { model: "hodgkin_huxley", current: 100.0, weight: 60.0, longest_ms: 0.2 },
];

/// A neuron with its rules stated and both synapses slow enough for the steps.
fn neuron(model: &str) -> Neuron {
    let spec = find_model(model).unwrap().spec();
    let mut neuron = Neuron::new(model);
    for name in ["tau_excitatory", "tau_inhibitory"] {
        if spec.parameters.iter().any(|parameter| parameter.name == name) {
            neuron = neuron.parameter(name, Milliseconds(4.0));
        }
    }
    if spec.spikes {
        neuron = neuron.rules(SpikeCondition::AtOrAbove, Reset::To(Millivolts(-70.0).into()));
    }
    neuron.refractory_input = spec.refractory_input.first().copied();
    neuron
}

/// The network around it: excitation and inhibition, and a current.
fn network(neuron: Neuron, setup: &Setup, dt: f64, size: u32) -> Network {
    let spec = find_model(&neuron.model).unwrap().spec();
    let mut network = Network::new(neuron.model.clone(), Milliseconds(dt));
    network.add_population("cell", Population::new(size, neuron));
    let times = [[3.0, 7.0, 8.0, 14.0, 20.0], [5.0, 9.0, 10.0, 16.0, 22.0]];
    for (receptor, times) in spec.receptors.iter().zip(times) {
        let times = times.map(|count| count * COMMON_MS).to_vec();
        spike_list(&mut network, receptor.name, vec![0; 5], times);
        let unit = match receptor.weight {
            Dimension::Conductance => "nS",
            Dimension::Current => "pA",
            _ => "mV",
        };
        let inhibits = receptor.name == "inhibitory" && receptor.weight == Dimension::Current;
        let sign = if inhibits { -1.0 } else { 1.0 };
        let synapse = Projection::new(receptor.name, "cell", AllToAll { autapses: true })
            .receptor(receptor.name)
            .weight(quantity(sign * setup.weight, unit))
            .delay(Milliseconds(COMMON_MS));
        network.add_projection(receptor.name, synapse);
    }
    let current = quantity(setup.current, "pA");
    let start = Milliseconds(2.0 * COMMON_MS);
    network.add_stimulus("current", Stimulus::constant_current("cell", current, start));
    let mut potential = Probe::variable("cell", "membrane_potential");
    potential.interval = Some(Milliseconds(COMMON_MS).into());
    network.add_probe("potential", potential);
    network.add_probe("spikes", Probe::spikes("cell"));
    network
}

fn run(neuron: Neuron, setup: &Setup, dt: f64) -> Recording {
    simulate(&compile(&network(neuron, setup, dt, 1)), "clock", 1, SPAN_MS)
}

/// The largest difference of two runs' potentials (mV).
fn error(found: &Recording, expected: &Recording) -> f64 {
    let pairs = found.traces[0].values.iter().zip(&expected.traces[0].values);
    assert!(pairs.len() > 20, "{}", pairs.len());
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// The order between each step and its half.
fn orders(errors: &[f64]) -> Vec<f64> {
    errors.windows(2).map(|pair| (pair[0] / pair[1]).log2()).collect()
}

#[test]
fn one_runge_kutta_step_a_dt_is_of_fourth_order_in_every_model() {
    for setup in &SOLVED {
        let tiny = neuron(setup.model).parameter("tolerance", TINY_TOLERANCE);
        let expected = run(tiny, setup, setup.longest_ms);
        assert!(expected.spikes.is_empty(), "{} stays below its threshold", setup.model);
        let moved = expected.traces[0]
            .values
            .iter()
            .fold(0.0, |most: f64, v| most.max((v - expected.traces[0].values[0]).abs()));
        assert!(moved > 2.0, "{} moves by {moved} mV only", setup.model);
        let fixed = |halvings: i32| {
            let neuron = neuron(setup.model).parameter("fixed_steps", 1.0);
            error(&run(neuron, setup, setup.longest_ms / 2.0_f64.powi(halvings)), &expected)
        };
        let errors: Vec<f64> = (0..4).map(fixed).collect();
        let found = orders(&errors);
        let last = found[found.len() - 1];
        assert!((3.7..4.4).contains(&last), "{}: {errors:?}, orders {found:?}", setup.model);
    }
}

#[test]
fn the_adaptive_solution_does_not_depend_on_dt() {
    for setup in &SOLVED {
        let tiny = || neuron(setup.model).parameter("tolerance", TINY_TOLERANCE);
        let coarse = run(tiny(), setup, setup.longest_ms);
        let fine = run(tiny(), setup, setup.longest_ms / 8.0);
        let difference = error(&coarse, &fine);
        assert!(difference < 1e-9, "{}: {difference} mV", setup.model);
        let usual = error(&run(neuron(setup.model), setup, setup.longest_ms), &fine);
        assert!(usual < 1e-6, "{}: {usual} mV at the usual tolerance", setup.model);
    }
}

#[test]
fn izhikevichs_steps_are_of_first_order() {
    let setup = Setup { model: "izhikevich", current: 2.0, weight: 2.0, longest_ms: 0.2 };
    for consistent in [1.0, 0.0] {
        let cell = || neuron(setup.model).parameter("consistent_steps", consistent);
        let expected = run(cell(), &setup, setup.longest_ms / 4096.0);
        assert!(expected.spikes.is_empty(), "it stays below its threshold");
        let errors: Vec<f64> = (2..7)
            .map(|halvings| {
                error(&run(cell(), &setup, setup.longest_ms / 2.0_f64.powi(halvings)), &expected)
            })
            .collect();
        let found = orders(&errors);
        let last = found[found.len() - 1];
        assert!((0.85..1.25).contains(&last), "{consistent}: {errors:?}, orders {found:?}");
    }
}

/// Spikes are dated to the end of the step in which they happen: over many neurons their mean delay is
/// half a step.
#[test]
fn spikes_of_conductance_neurons_converge_with_order_one() {
    const CELLS: u32 = 200;
    for model in ["lif_conductance_exponential", "lif_conductance_alpha"] {
        let setup = Setup { model, current: 400.0, weight: 2.0, longest_ms: 0.8 };
        let values = (0..CELLS).map(|cell| -60.0 + 0.0173 * f64::from(cell)).collect();
        let thresholds = Values::Each { values, unit: find_unit("mV").unwrap() };
        let first_spikes = |dt: f64| -> Vec<f64> {
            let mut cell = neuron(model).parameter("threshold", thresholds.clone());
            cell.refractory_input = Some(RefractoryInput::Integrated);
            let network = network(cell, &setup, dt, CELLS);
            let compiled = compile(&network);
            let first = compiled.network().populations()["cell"].first;
            let spikes = simulate(&compiled, "clock", 1, SPAN_MS).spikes;
            let of = |cell: u32| spikes.iter().find(|spike| spike.neuron == first + cell);
            (0..CELLS).map(|cell| of(cell).unwrap().time.milliseconds()).collect()
        };
        let exact = first_spikes(0.8 / 512.0);
        let lateness = |halvings: i32| {
            let found = first_spikes(setup.longest_ms / 2.0_f64.powi(halvings));
            found.iter().zip(&exact).map(|(a, b)| a - b).sum::<f64>() / f64::from(CELLS)
        };
        let errors: Vec<f64> = (0..4).map(lateness).collect();
        for (order, error) in orders(&errors).into_iter().zip(&errors) {
            assert!(*error > 0.0 && (0.7..1.3).contains(&order), "{model}: {errors:?}");
        }
    }
}
