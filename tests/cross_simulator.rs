//! Recorded neurons of NEST 3.10 (`tests/data/nest`) against both engines; the models that came
//! later are compared in `test-support/tests/nest_models.rs`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

use serde_json::Value;
use sim_core::network::{
    ConstantCurrent, List, Network, Neuron, OneToOne, Population, Probe, Projection, SpikeList,
    Stimulus,
};
use sim_core::neuron::lif_delta::LifDelta;
use sim_core::neuron::lif_exponential::LifExponential;
use sim_core::time::Time;
use sim_core::units::{
    Milliseconds, Millivolts, Picoamperes, Picofarads, Quantity, Values, find_unit,
};
use test_support::suite::{compile, simulate};
use test_support::tolerance::{NEST_POTENTIAL_MV, SPIKE_TIME_MS};

/// Length of the recordings [ms].
const DURATION_MS: f64 = 200.0;

fn recorded(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/nest");
    let text = std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

/// The neuron with NEST's parameters; currents or jumps, as its model has it.
fn neuron(parameters: &Value) -> Neuron {
    let get = |name: &str| number(&parameters[name]);
    let delta = LifDelta {
        tau_membrane: Milliseconds(get("tau_m")),
        capacitance: Picofarads(get("C_m")),
        resting_potential: Millivolts(get("E_L")),
        threshold: Millivolts(get("V_th")),
        reset: Millivolts(get("V_reset")),
        refractory_period: Milliseconds(get("t_ref")),
    };
    if parameters.get("tau_syn_ex").is_none() {
        return delta.into();
    }
    LifExponential {
        tau_membrane: delta.tau_membrane,
        capacitance: delta.capacitance,
        resting_potential: delta.resting_potential,
        threshold: delta.threshold,
        reset: delta.reset,
        refractory_period: delta.refractory_period,
        tau_excitatory: Milliseconds(get("tau_syn_ex")),
        tau_inhibitory: Milliseconds(get("tau_syn_in")),
    }
    .into()
}

/// The recorded setup without its direct current.
fn setup(data: &Value, dt: f64) -> Network {
    let exponential = data["params"].get("tau_syn_ex").is_some();
    let mut network = Network::new(data["model"].as_str().unwrap(), Milliseconds(dt));
    network.add_population("cell", Population::new(1, neuron(&data["params"])));
    for (input, receptor) in [("input_ex", "excitatory"), ("input_in", "inhibitory")] {
        let times = numbers(&data[input]["times"]);
        network.add_population(input, Population::new(1, Neuron::spike_source()));
        network.add_stimulus(
            input,
            Stimulus::SpikeList(SpikeList {
                population: input.into(),
                neurons: vec![0; times.len()],
                times: Values::Each { values: times, unit: find_unit("ms").unwrap() },
            }),
        );
        let weight = number(&data[input]["weight"]);
        let weight: Quantity = match exponential {
            true => Picoamperes(weight).into(),
            false => Millivolts(weight).into(),
        };
        let mut projection = Projection::new(input, "cell", OneToOne)
            .weight(weight)
            .delay(Milliseconds(number(&data["delay_ms"])));
        if exponential {
            projection = projection.receptor(receptor);
        }
        network.add_projection(input, projection);
    }
    network.add_probe("spikes", Probe::spikes("cell"));
    network
}

/// The recorded trajectory and spikes against the clock engine's.
fn compare_trajectory(name: &str) {
    let data = recorded(name);
    let delay = number(&data["delay_ms"]);
    let mut network = setup(&data, number(&data["dt_ms"]));
    let dc = &data["dc"];
    network.add_stimulus(
        "dc",
        Stimulus::ConstantCurrent(ConstantCurrent {
            population: "cell".into(),
            amplitude: Picoamperes(number(&dc["amplitude"])).into(),
            start: Milliseconds(number(&dc["start"]) + delay).into(),
            stop: Some(Milliseconds(number(&dc["stop"]) + delay).into()),
        }),
    );
    network.add_probe("potential", Probe::variable("cell", "membrane_potential"));
    let recording = simulate(&compile(&network), "clock", 1, DURATION_MS);
    let expected = numbers(&data["V_m"]);
    let found = &recording.traces[0].values;
    assert_eq!(found.len(), expected.len());
    let differences = found.iter().zip(&expected).map(|(a, b)| (a - b).abs());
    let largest = differences.fold(0.0, f64::max);
    assert!(largest <= NEST_POTENTIAL_MV, "{name}: {largest} mV");
    let spikes: Vec<Time> = recording.spikes.iter().map(|spike| spike.time).collect();
    let expected = numbers(&data["spikes"]);
    let expected: Vec<Time> =
        expected.iter().map(|&time| Time::from_milliseconds(time).unwrap()).collect();
    // Both lie on the same grid: equal times are equal steps.
    assert_eq!(spikes, expected, "{name}");
}

/// The precise spike times, at each of NEST's resolutions, against the event engine's.
fn compare_precise(name: &str) {
    let data = recorded(name);
    let mut network = setup(&data, 0.1);
    let current = Picoamperes(number(&data["I_e"]));
    network.add_stimulus("dc", Stimulus::constant_current("cell", current, Milliseconds(0.0)));
    let recording = simulate(&compile(&network), "event", 1, DURATION_MS);
    let found: Vec<f64> = recording.spikes.iter().map(|spike| spike.time.milliseconds()).collect();
    let resolutions = data["spikes_by_dt"].as_object().unwrap();
    assert_eq!(resolutions.len(), 3);
    for (resolution, times) in resolutions {
        let expected = numbers(times);
        assert_eq!(found.len(), expected.len(), "{name} at {resolution}");
        for (found, expected) in found.iter().zip(&expected) {
            assert!(
                (found - expected).abs() <= SPIKE_TIME_MS,
                "{name} at {resolution}: {found}, not {expected}"
            );
        }
    }
}

#[test]
fn the_trajectory_of_iaf_psc_delta_is_nests() {
    compare_trajectory("iaf_psc_delta");
}

#[test]
fn the_trajectory_of_iaf_psc_exp_is_nests() {
    compare_trajectory("iaf_psc_exp");
}

#[test]
fn the_precise_times_of_iaf_psc_delta_ps_are_nests() {
    compare_precise("iaf_psc_delta_ps");
}

#[test]
fn the_precise_times_of_iaf_psc_exp_ps_are_nests() {
    compare_precise("iaf_psc_exp_ps");
}

#[test]
fn the_event_engine_gives_iaf_psc_deltas_spikes_too() {
    // Without a current that alone drives it over the threshold, delta input on the grid spikes at
    // arrivals only: 300 pA · 10 ms / 250 pF = 12 mV stays below the 15 mV of the threshold.
    let data = recorded("iaf_psc_delta");
    let mut network = setup(&data, number(&data["dt_ms"]));
    network.add_stimulus(
        "dc",
        Stimulus::ConstantCurrent(ConstantCurrent {
            population: "cell".into(),
            amplitude: Picoamperes(300.0).into(),
            start: Milliseconds(21.0).into(),
            stop: Some(Milliseconds(181.0).into()),
        }),
    );
    let recording = simulate(&compile(&network), "event", 1, DURATION_MS);
    let expected = numbers(&data["spikes"]);
    assert_eq!(recording.spikes.len(), expected.len());
    for (spike, expected) in recording.spikes.iter().zip(expected) {
        assert_eq!(spike.time, Time::from_milliseconds(expected).unwrap());
    }
}

/// A population's potentials or synapses' weights, one each.
fn each(data: &Value, unit: &str) -> Values {
    Values::Each { values: numbers(data), unit: find_unit(unit).unwrap() }
}

fn indices(data: &Value) -> Vec<u32> {
    data.as_array().unwrap().iter().map(|index| index.as_u64().unwrap() as u32).collect()
}

#[test]
fn a_network_of_iaf_psc_delta_ps_has_nests_spikes() {
    let data = recorded("precise_network/delta");
    let (input, initial) = (&data["input"], &data["initial_mV"]);
    let size = numbers(initial).len() as u32;
    let cell = neuron(&data["params"]).initial("membrane_potential", each(initial, "mV"));
    let mut network = Network::new("network", Milliseconds(0.1));
    network.add_population("cells", Population::new(size, cell));
    network.add_population("input", Population::new(size, Neuron::spike_source()));
    let spikes = SpikeList {
        population: "input".into(),
        neurons: indices(&input["neurons"]),
        times: each(&input["times_ms"], "ms"),
    };
    network.add_stimulus("input", Stimulus::SpikeList(spikes));
    let drive = Projection::new("input", "cells", OneToOne)
        .weight(Millivolts(number(&input["weight_mV"])))
        .delay(Milliseconds(number(&input["delay_ms"])));
    network.add_projection("drive", drive);
    let synapses = List { sources: indices(&data["sources"]), targets: indices(&data["targets"]) };
    let recurrent = Projection::new("cells", "cells", synapses)
        .weight(each(&data["weights_mV"], "mV"))
        .delay(Milliseconds(number(&data["delay_ms"])));
    network.add_projection("recurrent", recurrent);
    network.add_probe("spikes", Probe::spikes("cells"));
    let recording = simulate(&compile(&network), "event", 1, number(&data["duration_ms"]));

    let (neurons, times) =
        (indices(&data["spikes"]["neurons"]), numbers(&data["spikes"]["times_ms"]));
    assert!(times.windows(2).any(|pair| pair[0] == pair[1]), "no spikes share a time");
    assert_eq!(recording.spikes.len(), times.len());
    for (spike, (neuron, time)) in recording.spikes.iter().zip(neurons.iter().zip(times)) {
        assert_eq!(spike.neuron, *neuron, "at {time} ms");
        assert!((spike.time.milliseconds() - time).abs() <= SPIKE_TIME_MS, "{neuron} at {time} ms");
    }
}
