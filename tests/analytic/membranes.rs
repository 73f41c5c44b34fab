//! Membranes and synaptic currents of further models against their closed forms.

use super::{samples, spike_list};
use sim_core::connectome::footprint::predict;
use sim_core::engine::ENGINES;
use sim_core::network::{
    AllToAll, Network, Neuron, OneToOne, Population, Probe, Projection, RefractoryInput, Stimulus,
};
use sim_core::neuron::lif_adaptive_threshold::LifAdaptiveThreshold;
use sim_core::neuron::lif_alpha::LifAlpha;
use sim_core::neuron::lif_delta::LifDelta;
use sim_core::neuron::lif_multisynapse::LifMultisynapse;
use sim_core::neuron::quadratic_integrate_and_fire::QuadraticIntegrateAndFire;
use sim_core::recording::Recording;
use sim_core::units::{Milliseconds, Millivolts, Picoamperes, Picofarads};
use test_support::closed_form::{
    alpha_postsynaptic_potential, charging, postsynaptic_potential, quadratic_potential,
};
use test_support::suite::{compile, simulate};
use test_support::tolerance::TRAJECTORY_MV;

/// Capacitance of all membranes here [pF], and their rest [mV].
const CAPACITANCE: f64 = 250.0;
const REST: f64 = -70.0;

/// A cell with one input spike at 1 ms on each of the receptors, 1 ms underway; its potential.
fn response(engine: &str, cell: impl Into<Neuron>, weights: &[(&str, f64)], dt: f64) -> Recording {
    let mut network = Network::new("response", Milliseconds(dt));
    network.add_population("cell", Population::new(1, cell));
    for (receptor, weight) in weights {
        spike_list(&mut network, receptor, vec![0], vec![1.0]);
        let synapse = Projection::new(*receptor, "cell", OneToOne)
            .receptor(*receptor)
            .weight(Picoamperes(*weight));
        network.add_projection(*receptor, synapse);
    }
    network.add_probe("v", Probe::variable("cell", "membrane_potential"));
    simulate(&compile(&network), engine, 1, 60.0)
}

#[test]
fn alpha_currents_have_their_closed_form_also_where_time_constants_are_equal() {
    let taus = [(10.0, 2.0, 5.0), (2.0, 10.0, 0.5), (10.0, 10.0, 3.0), (7.0, 1.5, 7.0)];
    for (tau, excitatory, inhibitory) in taus {
        for dt in [0.025, 0.1, 0.5] {
            let cell = || LifAlpha {
                tau_membrane: Milliseconds(tau),
                capacitance: Picofarads(CAPACITANCE),
                resting_potential: Millivolts(REST),
                threshold: Millivolts(0.0),
                tau_excitatory: Milliseconds(excitatory),
                tau_inhibitory: Milliseconds(inhibitory),
                ..LifAlpha::default()
            };
            let weights = [("excitatory", 300.0), ("inhibitory", -180.0)];
            for engine in ENGINES {
                let recording = response(engine.name, cell(), &weights, dt);
                for (t, v) in samples(&recording.traces[0]) {
                    let since = (t - 2.0).max(0.0);
                    let of = |w: f64, s: f64| {
                        w * alpha_postsynaptic_potential(tau, s, CAPACITANCE, since)
                    };
                    let closed = REST + of(300.0, excitatory) + of(-180.0, inhibitory);
                    assert!(
                        (v - closed).abs() < TRAJECTORY_MV,
                        "{tau} {excitatory} {inhibitory}, dt {dt}, {}: {v} at {t}, not {closed}",
                        engine.name
                    );
                }
            }
        }
    }
}

#[test]
fn the_currents_of_several_ports_add_up() {
    // The third is the membrane's own; ports in between take part with no input.
    let ports = [(1, 0.5), (2, 2.0), (9, 10.0), (40, 30.0)];
    for dt in [0.05, 0.25] {
        let mut cell = Neuron::new("lif_multisynapse")
            .parameter("tau_membrane", Milliseconds(10.0))
            .parameter("capacitance", Picofarads(CAPACITANCE))
            .parameter("threshold", Millivolts(0.0))
            .rules(
                sim_core::network::SpikeCondition::AtOrAbove,
                sim_core::network::Reset::To(Millivolts(REST).into()),
            );
        cell.refractory_input = Some(RefractoryInput::Integrated);
        let names = ports.map(|(port, _)| format!("port_{port}"));
        let mut weights = Vec::new();
        for ((port, tau), name) in ports.into_iter().zip(&names) {
            cell = cell.parameter(&format!("tau_synapse_{port}"), Milliseconds(tau));
            let sign = if port == 2 { -1.0 } else { 1.0 };
            weights.push((name.as_str(), sign * 200.0));
        }
        let recording = response("clock", cell, &weights, dt);
        for (t, v) in samples(&recording.traces[0]) {
            let since = (t - 2.0).max(0.0);
            let each = weights.iter().zip(ports).map(|((_, weight), (_, tau))| {
                weight * postsynaptic_potential(10.0, tau, CAPACITANCE, since)
            });
            let closed = REST + each.sum::<f64>();
            assert!((v - closed).abs() < TRAJECTORY_MV, "dt {dt}: {v} at {t}, not {closed}");
        }
    }
}

#[test]
fn a_leaky_integrator_charges_and_keeps_what_is_left_of_its_jumps() {
    for (tau, dt) in [(10.0, 0.1), (10.0, 1.0), (2.5, 0.025), (80.0, 0.5)] {
        let cell = Neuron::new("leaky_integrator")
            .parameter("tau_membrane", Milliseconds(tau))
            .parameter("capacitance", Picofarads(CAPACITANCE))
            .parameter("resting_potential", Millivolts(REST));
        let mut network = Network::new("leaky", Milliseconds(dt));
        network.add_population("cell", Population::new(1, cell));
        spike_list(&mut network, "input", vec![0; 3], vec![1.0, 4.0, 30.0]);
        let jumps = Projection::new("input", "cell", OneToOne)
            .weight(Millivolts(-6.0))
            .delay(Milliseconds(2.0));
        network.add_projection("jumps", jumps);
        let current = Stimulus::constant_current("cell", Picoamperes(300.0), Milliseconds(10.0));
        network.add_stimulus("dc", current);
        network.add_probe("v", Probe::variable("cell", "membrane_potential"));
        for engine in ENGINES {
            let recording = simulate(&compile(&network), engine.name, 1, 50.0);
            for (t, v) in samples(&recording.traces[0]) {
                let charged = charging(REST, REST, tau, CAPACITANCE, 300.0, (t - 10.0).max(0.0));
                // A sample on the grid of an arrival comes behind it.
                let arrived = [3.0, 6.0, 32.0].into_iter().filter(|at| *at <= t + 1e-9);
                let left: f64 = arrived.map(|at| -6.0 * (-(t - at) / tau).exp()).sum();
                let closed = charged + left;
                assert!(
                    (v - closed).abs() < TRAJECTORY_MV,
                    "{tau}, dt {dt}, {}: {v} at {t}, not {closed}",
                    engine.name
                );
            }
        }
    }
}

#[test]
fn an_adaptive_threshold_is_a_sum_over_the_spikes() {
    for (jump, tau, dt) in [(5.0, 100.0, 0.1), (2.0, 30.0, 0.5), (0.0, 10.0, 0.1)] {
        let cell = LifAdaptiveThreshold {
            threshold_jump: Millivolts(jump),
            tau_threshold: Milliseconds(tau),
            ..LifAdaptiveThreshold::default()
        };
        let mut network = Network::new("adaptive", Milliseconds(dt));
        network.add_population("cell", Population::new(1, cell));
        let current = Stimulus::constant_current("cell", Picoamperes(900.0), Milliseconds(0.0));
        network.add_stimulus("dc", current);
        network.add_probe("threshold", Probe::variable("cell", "threshold"));
        network.add_probe("spikes", Probe::spikes("cell"));
        let recording = simulate(&compile(&network), "clock", 1, 300.0);
        let spikes: Vec<f64> = recording.spikes.iter().map(|s| s.time.milliseconds()).collect();
        assert!(spikes.len() > 5, "{spikes:?}");
        for (t, threshold) in samples(&recording.traces[0]) {
            let before = spikes.iter().filter(|spike| **spike <= t + 1e-9);
            let jumps: f64 = before.map(|spike| jump * (-(t - spike) / tau).exp()).sum();
            let closed = -55.0 + jumps;
            assert!((threshold - closed).abs() < TRAJECTORY_MV, "{threshold} at {t}, not {closed}");
        }
        // The adaptation lengthens the intervals.
        let intervals: Vec<f64> = spikes.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let (first, last) = (intervals[0], intervals[intervals.len() - 1]);
        assert!(if jump > 0.0 { last > first + dt } else { (last - first).abs() < 1e-9 });
    }
}

#[test]
fn the_quadratic_neurons_potential_is_a_tangent_and_its_spikes_follow_it() {
    for (current, dt) in [(60.0, 0.1), (200.0, 0.1), (200.0, 0.5), (1500.0, 0.05)] {
        let cell = QuadraticIntegrateAndFire {
            refractory_period: Milliseconds(0.0),
            ..QuadraticIntegrateAndFire::default()
        };
        let reset = cell.reset.0;
        let mut network = Network::new("quadratic", Milliseconds(dt));
        network.add_population("cell", Population::new(1, cell));
        let input = Stimulus::constant_current("cell", Picoamperes(current), Milliseconds(0.0));
        network.add_stimulus("dc", input);
        network.add_probe("v", Probe::variable("cell", "membrane_potential"));
        network.add_probe("spikes", Probe::spikes("cell"));
        let recording = simulate(&compile(&network), "clock", 1, 200.0);
        // k = 0.7, E = -65, V_T = -50, C = 200, peak 30.
        let motion = |start: f64| quadratic_potential(0.7, (-65.0, -50.0), 200.0, current, start);
        let (first, between) = (motion(-65.0).time_to(30.0), motion(reset).time_to(30.0));
        for (t, v) in samples(&recording.traces[0]).filter(|(t, _)| *t < first) {
            let closed = motion(-65.0).at(t);
            // The adaptive solver's tolerance is 1e-10 mV a step; near the peak the slope magnifies it.
            let slope = 0.7 * (v + 65.0) * (v + 50.0) / 200.0;
            let allowed = 1e-7 * (1.0 + slope.abs());
            assert!((v - closed).abs() < allowed, "{current}, dt {dt}: {v} at {t}, not {closed}");
        }
        let spikes: Vec<f64> = recording.spikes.iter().map(|s| s.time.milliseconds()).collect();
        let expected: Vec<f64> = (0..)
            .map(|k| first + f64::from(k) * between)
            .take_while(|time| *time <= 200.0 - 1e-6)
            .map(|time| (time / dt).ceil() * dt)
            .collect();
        assert!(!expected.is_empty());
        assert_eq!(spikes.len(), expected.len(), "{current}, dt {dt}");
        for (spike, expected) in spikes.iter().zip(expected) {
            assert!((spike - expected).abs() < 1e-6, "{current}, dt {dt}: {spike} not {expected}");
        }
    }
}

/// Ports above the highest that is named take no memory, and names beyond the most are unknown.
#[test]
fn as_many_ports_as_are_used_are_there() {
    let network = |port: u32| {
        let mut network = Network::new("ports", Milliseconds(0.1));
        let cell = LifMultisynapse::default();
        network.add_population("cell", Population::new(1000, cell));
        spike_list(&mut network, "source", vec![0], vec![1.0]);
        let synapse = Projection::new("source", "cell", AllToAll { autapses: true })
            .receptor(format!("port_{port}"))
            .weight(Picoamperes(100.0));
        network.add_projection("synapse", synapse);
        network
    };
    let state = |port: u32| {
        let valid = network(port).validate().unwrap();
        assert_eq!(valid.populations()["cell"].model.spec().receptors.len(), port as usize);
        predict(&valid).state_bytes
    };
    let (one, many) = (state(1), state(513));
    // Of a port a neuron keeps its current and its input where all have one time constant.
    assert_eq!(many - one, 512 * 1000 * 16);
    assert!(network(1024).validate().is_ok());
    let refused = network(1025).validate().unwrap_err().to_string();
    assert!(refused.contains("unknown-receptor"), "{refused}");
}

/// Inhibition leads to the bound, and a current that alone would lead below it holds V there.
#[test]
fn a_lower_bound_is_a_rest_that_input_leaves_anew() {
    let (tau, lowest) = (10.0, -73.0);
    let cell = |rest: f64| LifDelta {
        tau_membrane: Milliseconds(tau),
        capacitance: Picofarads(CAPACITANCE),
        resting_potential: Millivolts(rest),
        threshold: Millivolts(-50.0),
        reset: Millivolts(REST),
        ..LifDelta::default()
    };
    for (rest, initial) in [(REST, -71.0), (-78.0, REST)] {
        for dt in [0.1, 0.5] {
            let mut network = Network::new("bound", Milliseconds(dt));
            let neuron = Neuron::from(cell(rest))
                .parameter("lowest_potential", Millivolts(lowest))
                .initial("membrane_potential", Millivolts(initial));
            network.add_population("cell", Population::new(1, neuron));
            for (name, time, weight) in [("in", 20.0, -9.0), ("ex", 30.0, 4.0), ("on", 40.0, 40.0)]
            {
                spike_list(&mut network, name, vec![0], vec![time - 1.0]);
                let synapse = Projection::new(name, "cell", OneToOne)
                    .weight(Millivolts(weight))
                    .delay(Milliseconds(1.0));
                network.add_projection(name, synapse);
            }
            network.add_probe("v", Probe::variable("cell", "membrane_potential"));
            network.add_probe("spikes", Probe::spikes("cell"));
            let compiled = compile(&network);
            let after = |start: f64, t: f64| (rest + (start - rest) * (-t / tau).exp()).max(lowest);
            let second = (after(initial, 20.0) - 9.0).max(lowest);
            let third = after(second, 10.0) + 4.0;
            for engine in ENGINES {
                let recording = simulate(&compiled, engine.name, 1, 39.5);
                for (t, v) in samples(&recording.traces[0]) {
                    let closed = match t {
                        t if t < 20.0 - 1e-9 => after(initial, t),
                        t if t < 30.0 - 1e-9 => after(second, t - 20.0),
                        t => after(third, t - 30.0),
                    };
                    let place = format!("{rest}, dt {dt}, {}: {v} at {t}", engine.name);
                    // The clock engine lifts V at the end of a step, behind the input that arrives there.
                    let allowed = match (engine.name, rest < lowest) {
                        ("clock", true) => (lowest - rest) * dt / tau,
                        _ => TRAJECTORY_MV,
                    };
                    assert!((v - closed).abs() < allowed, "{place}, not {closed}");
                }
                let spikes = simulate(&compiled, engine.name, 1, 45.0).spikes;
                let own = spikes.iter().filter(|spike| spike.neuron == 0);
                let times: Vec<f64> = own.map(|spike| spike.time.milliseconds()).collect();
                assert_eq!(times, [40.0], "{}", engine.name);
            }
        }
    }
}
