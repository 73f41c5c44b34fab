//! Both engines against closed forms over many parameters and steps.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

mod convergence;
mod membranes;
mod stepwise;
mod synapses;

use sim_core::engine::ENGINES;
use sim_core::network::{
    Network, Neuron, OneToOne, Population, Probe, Projection, SpikeList, Stimulus,
};
use sim_core::neuron::lif_delta::LifDelta;
use sim_core::neuron::lif_exponential::LifExponential;
use sim_core::recording::{Recording, Trace};
use sim_core::units::{Milliseconds, Millivolts, Picoamperes, Picofarads, Values, find_unit};
use test_support::closed_form::{
    charging, interspike_interval, postsynaptic_peak_time, postsynaptic_potential,
};
use test_support::suite::{Case, compile, each_engine, simulate};
use test_support::tolerance::{RATE_RELATIVE, SPIKE_TIME_MS, TRAJECTORY_MV};

/// Steps of the grid that trajectories are checked on [ms].
const STEPS_MS: [f64; 4] = [0.025, 0.1, 0.5, 1.0];

/// Membrane time constant [ms], capacitance [pF] and rest [mV].
const MEMBRANES: [(f64, f64, f64); 4] =
    [(10.0, 250.0, -70.0), (2.5, 80.0, -65.0), (35.0, 500.0, -60.0), (20.0, 100.0, 0.0)];

fn milliseconds(values: Vec<f64>) -> Values {
    let unit = find_unit("ms").unwrap();
    Values::Each { values, unit }
}

fn spike_list(network: &mut Network, name: &str, neurons: Vec<u32>, times: Vec<f64>) {
    let size = neurons.iter().max().map_or(1, |last| last + 1);
    network.add_population(name, Population::new(size, Neuron::spike_source()));
    network.add_stimulus(
        name,
        Stimulus::SpikeList(SpikeList {
            population: name.into(),
            neurons,
            times: milliseconds(times),
        }),
    );
}

/// (time [ms], value) of the first neuron of a trace.
fn samples(trace: &Trace) -> impl Iterator<Item = (f64, f64)> {
    let times = trace.times.iter().map(|time| time.milliseconds());
    times.zip(trace.values.iter().copied())
}

fn lif(model: &str, (tau, capacitance, rest): (f64, f64, f64), threshold: f64) -> Neuron {
    let delta = LifDelta {
        tau_membrane: Milliseconds(tau),
        capacitance: Picofarads(capacitance),
        resting_potential: Millivolts(rest),
        threshold: Millivolts(threshold),
        reset: Millivolts(rest - 5.0),
        refractory_period: Milliseconds(2.0),
    };
    match model {
        "lif_delta" => delta.into(),
        _ => LifExponential {
            tau_membrane: delta.tau_membrane,
            capacitance: delta.capacitance,
            resting_potential: delta.resting_potential,
            threshold: delta.threshold,
            reset: delta.reset,
            refractory_period: delta.refractory_period,
            ..LifExponential::default()
        }
        .into(),
    }
}

#[test]
fn a_membrane_under_constant_current_charges_exponentially() {
    let mut cases = Vec::new();
    let mut expected = Vec::new();
    for model in ["lif_delta", "lif_exponential"] {
        for membrane in MEMBRANES {
            for dt in STEPS_MS {
                let (tau, capacitance, rest) = membrane;
                // Drives the potential 9 mV above rest; starts 3 mV below it.
                let current = 9.0 * capacitance / tau;
                let cell = lif(model, membrane, rest + 15.0)
                    .initial("membrane_potential", Millivolts(rest - 3.0));
                let mut network = Network::new("charging", Milliseconds(dt));
                network.add_population("cell", Population::new(1, cell));
                network.add_stimulus(
                    "dc",
                    Stimulus::constant_current("cell", Picoamperes(current), Milliseconds(5.0)),
                );
                network.add_probe("v", Probe::variable("cell", "membrane_potential"));
                cases.push(Case {
                    name: format!("{model}, tau {tau}, dt {dt}"),
                    network,
                    duration: 60.0,
                });
                expected.push((tau, capacitance, rest, current));
            }
        }
    }
    let mut compared = 0;
    let engines = ENGINES.len();
    each_engine(cases, |case, engine, recording| {
        let (tau, capacitance, rest, current) = expected[compared / engines];
        for (t, v) in samples(&recording.traces[0]) {
            let at_onset = charging(rest - 3.0, rest, tau, capacitance, 0.0, t.min(5.0));
            let after = (t - 5.0).max(0.0);
            let closed = charging(at_onset, rest, tau, capacitance, current, after);
            assert!(
                (v - closed).abs() < TRAJECTORY_MV,
                "{}, {}: {v} at {t} ms, not {closed}",
                case.name,
                engine.name
            );
        }
        compared += 1;
    });
    assert_eq!(compared, 2 * 4 * 4 * engines);
}

/// Spike times [ms] of one neuron under constant current.
fn driven_spikes(engine: &str, model: &str, limit: f64, dt: f64, duration: f64) -> Vec<f64> {
    let membrane = (10.0, 250.0, -70.0);
    let mut network = Network::new("driven", Milliseconds(dt));
    network.add_population("cell", Population::new(1, lif(model, membrane, -55.0)));
    let current = Picoamperes((limit + 70.0) * 25.0);
    network.add_stimulus("dc", Stimulus::constant_current("cell", current, Milliseconds(0.0)));
    network.add_probe("spikes", Probe::spikes("cell"));
    let recording = simulate(&compile(&network), engine, 1, duration);
    let times = recording.spikes.iter().map(|spike| spike.time.milliseconds());
    times.collect()
}

#[test]
fn the_event_engines_rate_is_the_rate_formula() {
    for model in ["lif_delta", "lif_exponential"] {
        for limit in [-54.99, -54.0, -50.0, -40.0, -10.0, 50.0] {
            let times = driven_spikes("event", model, limit, 0.1, 400.0);
            let first = interspike_interval(limit, -70.0, -55.0, 10.0, 0.0).unwrap();
            let interval = interspike_interval(limit, -75.0, -55.0, 10.0, 2.0).unwrap();
            assert_eq!(times.len() as f64, ((400.0 - first) / interval).floor() + 1.0);
            for (count, time) in times.iter().enumerate() {
                let expected = first + count as f64 * interval;
                assert!(
                    (time - expected).abs() < RATE_RELATIVE * expected,
                    "{model} at {limit} mV: {time}, not {expected}"
                );
            }
        }
        for limit in [-55.01, -60.0, -90.0] {
            assert!(driven_spikes("event", model, limit, 0.1, 400.0).is_empty());
        }
    }
}

#[test]
fn the_clock_engines_intervals_are_the_formulas_rounded_up_to_steps() {
    for model in ["lif_delta", "lif_exponential"] {
        for limit in [-54.0, -50.0, -40.0, -10.0] {
            for dt in [0.025, 0.1, 0.25, 0.5, 1.0] {
                let times = driven_spikes("clock", model, limit, dt, 300.0);
                let free = interspike_interval(limit, -75.0, -55.0, 10.0, 0.0).unwrap();
                let interval = 2.0 + (free / dt).ceil() * dt;
                assert!(times.len() > 3);
                for pair in times.windows(2) {
                    let found = pair[1] - pair[0];
                    assert!((found - interval).abs() < 1e-9, "{model} {limit} {dt}: {found}");
                }
            }
        }
    }
}

/// One exponential synapse onto one neuron; the trace of the potential.
fn synaptic_response(engine: &str, taus: (f64, f64), dt: f64) -> Recording {
    let (tau, tau_synapse) = taus;
    let cell = LifExponential {
        tau_membrane: Milliseconds(tau),
        tau_excitatory: Milliseconds(tau_synapse),
        threshold: Millivolts(0.0),
        ..LifExponential::default()
    };
    let mut network = Network::new("response", Milliseconds(dt));
    network.add_population("cell", Population::new(1, cell));
    spike_list(&mut network, "input", vec![0], vec![1.0]);
    network.add_projection(
        "synapse",
        Projection::new("input", "cell", OneToOne).weight(Picoamperes(400.0)),
    );
    network.add_probe("v", Probe::variable("cell", "membrane_potential"));
    network.add_probe("i", Probe::variable("cell", "current_excitatory"));
    simulate(&compile(&network), engine, 1, 80.0)
}

#[test]
fn the_postsynaptic_potential_has_its_closed_form_and_peak() {
    let pairs = [
        (10.0, 2.0),
        (2.0, 10.0),
        (10.0, 10.0),
        (7.0, 7.0),
        (10.0, 10.000_01),
        (20.0, 0.5),
        (5.0, 30.0),
    ];
    for taus in pairs {
        for dt in [0.025, 0.1, 0.5] {
            for engine in ENGINES {
                let recording = synaptic_response(engine.name, taus, dt);
                let (tau, tau_synapse) = taus;
                // Close time constants cancel in the closed form itself: 1e-16 / 1e-6 of 5 mV.
                let allowed = if tau != tau_synapse && (tau - tau_synapse).abs() < 0.1 {
                    1e-8
                } else {
                    TRAJECTORY_MV
                };
                let closed = |t: f64| {
                    let since = (t - 2.0).max(0.0);
                    -70.0 + 400.0 * postsynaptic_potential(tau, tau_synapse, 250.0, since)
                };
                let mut highest = (0.0, f64::MIN);
                for (t, v) in samples(&recording.traces[0]) {
                    assert!(
                        (v - closed(t)).abs() < allowed,
                        "{taus:?}, dt {dt}, {}: {v} at {t} ms",
                        engine.name
                    );
                    if v > highest.1 {
                        highest = (t, v);
                    }
                }
                let peak = 2.0 + postsynaptic_peak_time(tau, tau_synapse);
                assert!((highest.0 - peak).abs() <= dt, "{taus:?}: {highest:?}, not {peak}");
                assert!(highest.1 <= closed(peak) + allowed);
                // The peak is flat: a step beside it the potential is lower by its curvature only.
                assert!(closed(peak) - highest.1 < dt * dt, "{taus:?}: {highest:?}");
                for (t, i) in samples(&recording.traces[1]).filter(|&(t, _)| t >= 2.0) {
                    let expected = 400.0 * (-(t - 2.0) / tau_synapse).exp();
                    assert!((i - expected).abs() < 1e-9, "{i} at {t}");
                }
            }
        }
    }
}

#[test]
fn delta_input_jumps_by_its_weight_a_delay_later_and_is_lost_while_held() {
    for dt in [0.1, 0.5] {
        let mut network = Network::new("jump", Milliseconds(dt));
        network.add_population("cell", Population::new(1, LifDelta::default()));
        // Arrivals at 2.5 (5 mV), 3 (20 mV: spike), 4 and 5 (held: lost), 5.5 (3 mV).
        spike_list(&mut network, "weak", vec![0; 3], vec![1.5, 3.0, 4.0]);
        spike_list(&mut network, "strong", vec![0], vec![2.0]);
        spike_list(&mut network, "late", vec![0], vec![4.5]);
        for (source, weight) in [("weak", 5.0), ("strong", 20.0), ("late", 3.0)] {
            network.add_projection(
                source,
                Projection::new(source, "cell", OneToOne).weight(Millivolts(weight)),
            );
        }
        network.add_probe("v", Probe::variable("cell", "membrane_potential"));
        network.add_probe("spikes", Probe::spikes("cell"));
        for engine in ENGINES {
            let recording = simulate(&compile(&network), engine.name, 1, 10.0);
            let spikes: Vec<f64> =
                recording.spikes.iter().map(|spike| spike.time.milliseconds()).collect();
            assert_eq!(spikes, [3.0], "{}", engine.name);
            for (t, v) in samples(&recording.traces[0]) {
                let expected = match t {
                    t if t < 2.499 => -70.0,
                    t if t < 2.999 => -70.0 + 5.0 * (-(t - 2.5) / 10.0).exp(),
                    t if t < 5.499 => -70.0,
                    t => -70.0 + 3.0 * (-(t - 5.5) / 10.0).exp(),
                };
                assert!((v - expected).abs() < TRAJECTORY_MV, "{t}: {v} {expected}");
            }
        }
    }
}

#[test]
fn crossings_keep_their_digits_where_time_constants_are_close() {
    let (tau, capacitance, weight) = (10.0_f64, 250.0, 1500.0);
    for relative in [0.0, 1e-12, 1e-9, 9e-9, 2e-8, 1e-7, 1e-6, 1e-5, 1e-4, 2e-3] {
        let tau_synapse = tau * (1.0 + relative);
        // The potential above rest; expm1 cancels nothing.
        let rate = 1.0 / tau - 1.0 / tau_synapse;
        let height = |t: f64| {
            let factor = if rate == 0.0 { t } else { (rate * t).exp_m1() / rate };
            weight / capacitance * (-t / tau).exp() * factor
        };
        let (mut low, mut high) = (0.0, tau);
        for _ in 0..100 {
            let middle = 0.5 * (low + high);
            if height(middle) < 15.0 {
                low = middle;
            } else {
                high = middle;
            }
        }
        let cell = LifExponential {
            tau_excitatory: Milliseconds(tau_synapse),
            ..LifExponential::default()
        };
        let mut network = Network::new("close", Milliseconds(0.1));
        network.add_population("cell", Population::new(1, cell));
        spike_list(&mut network, "input", vec![0], vec![1.0]);
        network.add_projection(
            "synapse",
            Projection::new("input", "cell", OneToOne).weight(Picoamperes(weight)),
        );
        network.add_probe("spikes", Probe::spikes("cell"));
        let recording = simulate(&compile(&network), "event", 1, 30.0);
        let found = recording.spikes[0].time.milliseconds() - 2.0;
        assert!((found - high).abs() < SPIKE_TIME_MS, "{relative}: {found}, not {high}");
    }
}

#[test]
fn a_neuron_that_starts_beyond_its_threshold_spikes_at_once() {
    for model in ["lif_delta", "lif_exponential"] {
        let cell = lif(model, (10.0, 250.0, -70.0), -55.0)
            .initial("membrane_potential", Millivolts(-50.0));
        let mut network = Network::new("beyond", Milliseconds(0.1));
        network.add_population("cell", Population::new(1, cell));
        network.add_probe("spikes", Probe::spikes("cell"));
        for engine in ENGINES {
            let recording = simulate(&compile(&network), engine.name, 1, 20.0);
            let times = recording.spikes.iter().map(|spike| spike.time.milliseconds());
            let times: Vec<f64> = times.collect();
            assert!(times.len() == 1 && times[0] <= 0.1, "{model}, {}: {times:?}", engine.name);
        }
    }
}
