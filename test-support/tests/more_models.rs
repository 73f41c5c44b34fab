//! Neuron models without recordings: closed forms, sums of other models, converged solutions.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

use sim_core::network::{
    ConstantCurrent, Network, Neuron, OneToOne, Population, Probe, Projection, SpikeList, Stimulus,
};
use sim_core::neuron::exponential_integrate_and_fire::ExponentialIntegrateAndFire;
use sim_core::neuron::leaky_integrator::LeakyIntegrator;
use sim_core::neuron::lif_adaptive_threshold::LifAdaptiveThreshold;
use sim_core::neuron::lif_exponential::LifExponential;
use sim_core::neuron::lif_multisynapse::LifMultisynapse;
use sim_core::neuron::quadratic_integrate_and_fire::QuadraticIntegrateAndFire;
use sim_core::recording::Recording;
use sim_core::units::{Milliseconds, Millivolts, Picoamperes, Values, find_unit};
use test_support::suite::{compile, simulate};

/// Rounding errors of some thousand steps at 100 mV.
const ROUNDING_MV: f64 = 1e-9;

fn milliseconds(values: Vec<f64>) -> Values {
    Values::Each { values, unit: find_unit("ms").unwrap() }
}

/// One neuron with two inputs and a current that sets in at 5 ms.
fn network(neuron: impl Into<Neuron>, dt: f64, receptors: [&str; 2], weights: [f64; 2]) -> Network {
    let mut network = Network::new("one", Milliseconds(dt));
    network.add_population("cell", Population::new(1, neuron));
    for (index, (receptor, weight)) in receptors.into_iter().zip(weights).enumerate() {
        let name = format!("input {index}");
        network.add_population(&name, Population::new(1, Neuron::spike_source()));
        let times: Vec<f64> = (1..30).map(|k| f64::from(k * (5 + 2 * index as u32))).collect();
        let neurons = vec![0; times.len()];
        let list = SpikeList { population: name.clone(), neurons, times: milliseconds(times) };
        network.add_stimulus(&name, list.into());
        let wire = Projection::new(&name, "cell", OneToOne).receptor(receptor);
        let unit = if receptor == "input" { "mV" } else { "pA" };
        let weight = Values::Each { values: vec![weight], unit: find_unit(unit).unwrap() };
        network.add_projection(&name, wire.weight(weight).delay(Milliseconds(1.5)));
    }
    network.add_probe("spikes", Probe::spikes("cell"));
    network.add_probe("potential", Probe::variable("cell", "membrane_potential"));
    network
}

fn with_current(mut network: Network, current: f64, start: f64) -> Network {
    network.add_stimulus(
        "dc",
        Stimulus::ConstantCurrent(ConstantCurrent {
            population: "cell".into(),
            amplitude: Picoamperes(current).into(),
            start: Milliseconds(start).into(),
            stop: None,
        }),
    );
    network
}

fn alone(neuron: impl Into<Neuron>, dt: f64, current: f64) -> Network {
    let mut network = Network::new("alone", Milliseconds(dt));
    network.add_population("cell", Population::new(1, neuron));
    network.add_probe("spikes", Probe::spikes("cell"));
    network.add_probe("potential", Probe::variable("cell", "membrane_potential"));
    with_current(network, current, 0.0)
}

fn times(recording: &Recording) -> Vec<f64> {
    recording.spikes.iter().map(|spike| spike.time.milliseconds()).collect()
}

fn largest(first: &[f64], second: &[f64]) -> f64 {
    assert_eq!(first.len(), second.len());
    first.iter().zip(second).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn the_leaky_integrator_is_a_sum_of_exponentials_in_both_engines() {
    let cell = LeakyIntegrator { tau_membrane: Milliseconds(7.0), ..Default::default() };
    let receptors = ["input", "input"];
    let network = with_current(network(cell, 0.1, receptors, [3.0, -2.0]), 400.0, 5.0);
    let expected = |t: f64| {
        let jump = |k: i32, every: f64, weight: f64| {
            let since = t - (f64::from(k) * every + 1.5);
            if since >= -1e-9 { weight * (-since / 7.0).exp() } else { 0.0 }
        };
        let jumps: f64 = (1..30).map(|k| jump(k, 5.0, 3.0) + jump(k, 7.0, -2.0)).sum();
        let driven = 400.0 * 7.0 / 250.0 * (1.0 - (-(t - 5.0).max(0.0) / 7.0).exp());
        -70.0 + jumps + driven
    };
    for engine in ["clock", "event"] {
        let found = simulate(&compile(&network), engine, 1, 150.0);
        let trace = &found.traces[0];
        assert_eq!(trace.values.len(), 1500);
        for (time, value) in trace.times.iter().zip(&trace.values) {
            let error = (value - expected(time.milliseconds())).abs();
            assert!(error < ROUNDING_MV, "{engine} {time}: {error}");
        }
    }
}

#[test]
fn ports_and_a_threshold_that_stays_are_the_exponential_model() {
    // Equal time constants are the singular case.
    for (excitatory, inhibitory) in [(2.0, 5.0), (10.0, 3.0)] {
        let plain = LifExponential {
            tau_excitatory: Milliseconds(excitatory),
            tau_inhibitory: Milliseconds(inhibitory),
            ..Default::default()
        };
        let ports = LifMultisynapse {
            tau_synapse: [2.0, 2.0, excitatory, 2.0, 2.0, 2.0, 2.0, inhibitory]
                .map(Milliseconds)
                .to_vec(),
            ..Default::default()
        };
        let resting = LifAdaptiveThreshold {
            threshold_jump: Millivolts(0.0),
            tau_excitatory: Milliseconds(excitatory),
            tau_inhibitory: Milliseconds(inhibitory),
            ..Default::default()
        };
        let (weights, two) = ([900.0, -150.0], ["excitatory", "inhibitory"]);
        let run = |network: Network| {
            simulate(&compile(&with_current(network, 300.0, 5.0)), "clock", 1, 200.0)
        };
        let expected = run(network(plain, 0.1, two, weights));
        assert!(expected.spikes.len() > 4, "{}", expected.spikes.len());
        for found in [
            run(network(ports, 0.1, ["port_3", "port_8"], weights)),
            run(network(resting, 0.1, two, weights)),
        ] {
            assert_eq!(times(&found), times(&expected));
            let error = largest(&found.traces[0].values, &expected.traces[0].values);
            assert!(error < ROUNDING_MV, "{error}");
        }
    }
}

#[test]
fn the_adaptive_threshold_follows_its_spikes_and_slows_the_neuron() {
    let cell = LifAdaptiveThreshold::default();
    let mut network = alone(cell, 0.1, 800.0);
    network.add_probe("threshold", Probe::variable("cell", "threshold"));
    let found = simulate(&compile(&network), "clock", 1, 300.0);
    let spikes = times(&found);
    let trace = found.traces.iter().find(|trace| trace.variable == "threshold").unwrap();
    for (time, value) in trace.times.iter().zip(&trace.values) {
        let time = time.milliseconds();
        let before = spikes.iter().filter(|&&spike| spike <= time + 1e-9);
        let raised: f64 = before.map(|spike| 5.0 * (-(time - spike) / 100.0).exp()).sum();
        assert!((value - (-55.0 + raised)).abs() < ROUNDING_MV, "{time}: {value}");
    }
    let intervals: Vec<f64> = spikes.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(intervals.len() > 5 && intervals[4] > 1.2 * intervals[0], "{intervals:?}");
}

#[test]
fn the_quadratic_neuron_spikes_at_the_intervals_of_its_closed_form() {
    // dV/dt = (k/C) ((V − m)² + b) is solved by a tangent.
    let cell = QuadraticIntegrateAndFire::default();
    let current = 300.0;
    let (middle, half) = (-57.5, 7.5_f64);
    let root = (current / 0.7 - half * half).sqrt();
    let angle = |v: f64| ((v - middle) / root).atan();
    let rate = 0.7 * root / 200.0;
    let first = (angle(30.0) - angle(-65.0)) / rate;
    let found = simulate(&compile(&alone(cell, 0.1, current)), "clock", 1, 200.0);
    let potential = &found.traces[0];
    for (time, value) in potential.times.iter().zip(&potential.values) {
        let t = time.milliseconds();
        if t < first - 0.1 {
            let expected = middle + root * (rate * t + angle(-65.0)).tan();
            // The adaptive solver keeps 1e-12 a step; the tangent magnifies it.
            assert!((value - expected).abs() < 1e-6, "{t}: {value} {expected}");
        }
    }
    let spikes = times(&found);
    // From its reset at the peak the neuron waits for the end of the refractory time of whole steps.
    assert!(spikes.len() > 5);
    for (index, spike) in spikes.iter().enumerate() {
        let interval = first + 2.0;
        let expected = first + index as f64 * interval;
        // Each spike is dated to the end of its step, and the hold begins there.
        let slack = 0.1 * (index as f64 + 1.0) + 1e-9;
        assert!(*spike >= expected - 1e-9 && spike - expected <= slack, "{spike} {expected}");
    }
}

/// The exponential neuron's potential by Runge-Kutta steps of a ten thousandth ms.
fn exponential_reference(current: f64, until: f64) -> f64 {
    let slope = |v: f64| (-10.0 * (v + 65.0) + 20.0 * ((v + 50.0) / 2.0).exp() + current) / 200.0;
    let (mut v, steps) = (-65.0, (until * 1e4).round() as u32);
    let h = 1e-4;
    for _ in 0..steps {
        let k1 = slope(v);
        let k2 = slope(v + 0.5 * h * k1);
        let k3 = slope(v + 0.5 * h * k2);
        let k4 = slope(v + h * k3);
        v += h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4);
    }
    v
}

#[test]
fn the_exponential_neuron_is_converged_and_its_fixed_steps_are_of_fourth_order() {
    // Below the rheobase of 130 pA: the potential bends, but never runs away.
    let current = 125.0;
    let at = |cell: ExponentialIntegrateAndFire, dt: f64| {
        let found = simulate(&compile(&alone(cell, dt, current)), "clock", 1, 40.0);
        assert!(found.spikes.is_empty(), "below rheobase");
        *found.traces[0].values.last().unwrap()
    };
    let expected = exponential_reference(current, 40.0);
    let adaptive = at(ExponentialIntegrateAndFire::default(), 0.1);
    assert!((adaptive - expected).abs() < 1e-6, "{adaptive} {expected}");
    let error = |steps: f64| {
        let cell = ExponentialIntegrateAndFire { fixed_steps: steps, ..Default::default() };
        (at(cell, 4.0) - expected).abs()
    };
    let (coarse, fine) = (error(1.0), error(2.0));
    assert!((coarse / fine).log2() > 3.5, "{coarse} {fine}");
}

#[test]
fn an_exponential_neuron_spikes_above_its_rheobase_only() {
    // Rheobase: g_L (V_T − E − Δ) = 130 pA.
    let run = |current: f64| {
        let cell = ExponentialIntegrateAndFire::default();
        simulate(&compile(&alone(cell, 0.1, current)), "clock", 1, 400.0).spikes.len()
    };
    assert_eq!(run(129.0), 0);
    assert!(run(140.0) > 1);
}

#[test]
fn new_models_do_not_depend_on_threads_or_on_the_division_of_a_run() {
    let neurons: [Neuron; 5] = [
        LifAdaptiveThreshold::default().into(),
        LifMultisynapse::default().into(),
        ExponentialIntegrateAndFire::default().into(),
        QuadraticIntegrateAndFire::default().into(),
        LeakyIntegrator::default().into(),
    ];
    for neuron in neurons {
        let capacitance = Values::Each {
            values: vec![150.0, 180.0, 200.0, 250.0, 300.0],
            unit: find_unit("pF").unwrap(),
        };
        let mut network = Network::new(neuron.model.clone(), Milliseconds(0.1));
        let neuron = neuron.parameter("capacitance", capacitance);
        network.add_population("cell", Population::new(5, neuron));
        network.add_probe("spikes", Probe::spikes("cell"));
        network.add_probe("potential", Probe::variable("cell", "membrane_potential"));
        let compiled = compile(&with_current(network, 700.0, 1.0));
        let whole = simulate(&compiled, "clock", 1, 60.0);
        for threads in [2, 8] {
            let mut engine = test_support::suite::start(&compiled, "clock", threads);
            test_support::suite::advance(engine.as_mut(), 23.4);
            test_support::suite::advance(engine.as_mut(), 36.6);
            let found = engine.recording();
            assert_eq!(found.spikes, whole.spikes);
            let bits =
                |values: &[f64]| -> Vec<u64> { values.iter().map(|v| v.to_bits()).collect() };
            assert_eq!(bits(&found.traces[0].values), bits(&whole.traces[0].values));
        }
    }
}
