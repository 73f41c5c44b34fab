//! Recorded neurons of NEST 3.10 (`tests/data/nest` of the repository): every model that
//! `tests/cross_simulator.rs` of the repository does not compare already.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

use serde_json::Value;
use sim_core::network::{
    ConstantCurrent, Network, Neuron, OneToOne, Population, Probe, Projection, SpikeList, Stimulus,
};
use sim_core::neuron::adex_alpha::AdexAlpha;
use sim_core::neuron::adex_exponential::AdexExponential;
use sim_core::neuron::hodgkin_huxley::HodgkinHuxley;
use sim_core::neuron::izhikevich::Izhikevich;
use sim_core::neuron::lif_alpha::LifAlpha;
use sim_core::neuron::lif_conductance_alpha::LifConductanceAlpha;
use sim_core::neuron::lif_conductance_exponential::LifConductanceExponential;
use sim_core::time::Time;
use sim_core::units::{
    Milliseconds, Millivolts, Nanosiemens, Picoamperes, Picofarads, Quantity, Values, find_unit,
};
use test_support::suite::{advance, compile, simulate, start};
use test_support::tolerance::{NEST_POTENTIAL_MV, SPIKE_TIME_MS};

/// Length of the recordings [ms].
const DURATION_MS: f64 = 200.0;

/// A potential of our adaptive solver against the same with a tiny tolerance (mV): what is
/// promised of every model that has no closed form.
const CONVERGED_MV: f64 = 1e-6;

/// The tolerance of a converged solution [base units].
const TINY_TOLERANCE: f64 = 1e-13;

/// NEST's own error over its recordings of conductance neurons (mV): its solver takes whole steps
/// of 0.1 ms at its tolerance of 1e-3; measured against a converged solution 3.3e-8.
const NEST_CONDUCTANCE_MV: f64 = 1e-7;

/// NEST's own error over its recordings of AdEx neurons (mV): tolerance 1e-9, spikes dated to the
/// solver's step behind the peak; measured against a converged solution 1.7e-6.
const NEST_ADEX_MV: f64 = 5e-6;

/// The same for the adaptation current (pA); measured 3.2e-8.
const NEST_ADAPTATION_PA: f64 = 1e-7;

/// NEST's own error over its recording of a Hodgkin-Huxley neuron (mV): tolerance 1e-6; measured
/// against a converged solution 3.0e-3, before the first spike 7.6e-4.
const NEST_HODGKIN_HUXLEY_MV: f64 = 5e-3;

/// How many steps late the clock engine's spikes may be: one for the step in which the threshold
/// is crossed, and those that the later resets before it add.
const LATENESS_STEPS: f64 = 10.0;

/// Measured order of convergence that counts as four.
const FIXED_STEP_ORDER: f64 = 3.7;

fn recorded(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/nest");
    let text = std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

/// The neuron with the parameters of a recording.
fn neuron(data: &Value) -> Neuron {
    let get = |name: &str| number(&data["params"][name]);
    let ms = |name: &str| Milliseconds(get(name));
    let mv = |name: &str| Millivolts(get(name));
    let ns = |name: &str| Nanosiemens(get(name));
    match data["model"].as_str().unwrap() {
        "iaf_psc_alpha" | "iaf_psc_alpha_ps" => LifAlpha {
            reset: mv("V_reset"),
            tau_membrane: ms("tau_m"),
            capacitance: Picofarads(get("C_m")),
            resting_potential: mv("E_L"),
            threshold: mv("V_th"),
            refractory_period: ms("t_ref"),
            tau_excitatory: ms("tau_syn_ex"),
            tau_inhibitory: ms("tau_syn_in"),
            ..LifAlpha::default()
        }
        .into(),
        "iaf_cond_exp" => lif_conductance(data).into(),
        "iaf_cond_alpha" => {
            let same = lif_conductance(data);
            LifConductanceAlpha {
                reset: same.reset,
                capacitance: same.capacitance,
                leak_conductance: same.leak_conductance,
                resting_potential: same.resting_potential,
                threshold: same.threshold,
                refractory_period: same.refractory_period,
                reversal_excitatory: same.reversal_excitatory,
                reversal_inhibitory: same.reversal_inhibitory,
                tau_excitatory: same.tau_excitatory,
                tau_inhibitory: same.tau_inhibitory,
                ..LifConductanceAlpha::default()
            }
            .into()
        }
        "aeif_cond_exp" => adex(data).into(),
        "aeif_cond_alpha" => {
            let same = adex(data);
            AdexAlpha {
                reset: same.reset,
                capacitance: same.capacitance,
                leak_conductance: same.leak_conductance,
                resting_potential: same.resting_potential,
                threshold: same.threshold,
                slope_factor: same.slope_factor,
                peak: same.peak,
                refractory_period: same.refractory_period,
                adaptation_conductance: same.adaptation_conductance,
                adaptation_jump: same.adaptation_jump,
                tau_adaptation: same.tau_adaptation,
                reversal_excitatory: same.reversal_excitatory,
                reversal_inhibitory: same.reversal_inhibitory,
                tau_excitatory: same.tau_excitatory,
                tau_inhibitory: same.tau_inhibitory,
                ..AdexAlpha::default()
            }
            .into()
        }
        "izhikevich" => {
            let neuron: Neuron = Izhikevich {
                reset: mv("c"),
                recovery_rate: get("a"),
                recovery_sensitivity: get("b"),
                recovery_jump: get("d"),
                threshold: mv("V_th"),
                ..Izhikevich::default()
            }
            .into();
            neuron.initial("membrane_potential", mv("V_m")).initial("recovery", get("U_m"))
        }
        "hh_psc_alpha" => HodgkinHuxley {
            capacitance: Picofarads(get("C_m")),
            sodium_conductance: ns("g_Na"),
            potassium_conductance: ns("g_K"),
            leak_conductance: ns("g_L"),
            reversal_sodium: mv("E_Na"),
            reversal_potassium: mv("E_K"),
            reversal_leak: mv("E_L"),
            refractory_period: ms("t_ref"),
            tau_excitatory: ms("tau_syn_ex"),
            tau_inhibitory: ms("tau_syn_in"),
            ..HodgkinHuxley::default()
        }
        .into(),
        other => panic!("no model is compared with {other}"),
    }
}

fn lif_conductance(data: &Value) -> LifConductanceExponential {
    let get = |name: &str| number(&data["params"][name]);
    LifConductanceExponential {
        reset: Millivolts(get("V_reset")),
        capacitance: Picofarads(get("C_m")),
        leak_conductance: Nanosiemens(get("g_L")),
        resting_potential: Millivolts(get("E_L")),
        threshold: Millivolts(get("V_th")),
        refractory_period: Milliseconds(get("t_ref")),
        reversal_excitatory: Millivolts(get("E_ex")),
        reversal_inhibitory: Millivolts(get("E_in")),
        tau_excitatory: Milliseconds(get("tau_syn_ex")),
        tau_inhibitory: Milliseconds(get("tau_syn_in")),
        ..LifConductanceExponential::default()
    }
}

fn adex(data: &Value) -> AdexExponential {
    let get = |name: &str| number(&data["params"][name]);
    AdexExponential {
        reset: Millivolts(get("V_reset")),
        capacitance: Picofarads(get("C_m")),
        leak_conductance: Nanosiemens(get("g_L")),
        resting_potential: Millivolts(get("E_L")),
        threshold: Millivolts(get("V_th")),
        slope_factor: Millivolts(get("Delta_T")),
        peak: Millivolts(get("V_peak")),
        refractory_period: Milliseconds(get("t_ref")),
        adaptation_conductance: Nanosiemens(get("a")),
        adaptation_jump: Picoamperes(get("b")),
        tau_adaptation: Milliseconds(get("tau_w")),
        reversal_excitatory: Millivolts(get("E_ex")),
        reversal_inhibitory: Millivolts(get("E_in")),
        tau_excitatory: Milliseconds(get("tau_syn_ex")),
        tau_inhibitory: Milliseconds(get("tau_syn_in")),
        ..AdexExponential::default()
    }
}

/// The recorded setup without its direct current.
fn setup(data: &Value, neuron: Neuron, dt: f64) -> Network {
    let model = data["model"].as_str().unwrap();
    let mut network = Network::new(model, Milliseconds(dt));
    network.add_population("cell", Population::new(1, neuron));
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
        // NEST takes a negative weight for an inhibitory conductance of that size.
        let weight: Quantity = match model {
            "izhikevich" => Millivolts(weight).into(),
            conductance if conductance.contains("_cond_") => Nanosiemens(weight.abs()).into(),
            _ => Picoamperes(weight).into(),
        };
        let receptor = if model == "izhikevich" { "input" } else { receptor };
        network.add_projection(
            input,
            Projection::new(input, "cell", OneToOne)
                .weight(weight)
                .delay(Milliseconds(number(&data["delay_ms"])))
                .receptor(receptor),
        );
    }
    network.add_probe("spikes", Probe::spikes("cell"));
    network
}

/// What the clock engine makes of a recording's setup.
struct Run {
    /// One trace a variable.
    traces: Vec<Vec<f64>>,
    spikes: Vec<f64>,
}

fn run(data: &Value, neuron: Neuron, variables: &[&str]) -> Run {
    let delay = number(&data["delay_ms"]);
    let mut network = setup(data, neuron, number(&data["dt_ms"]));
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
    for variable in variables {
        network.add_probe(*variable, Probe::variable("cell", *variable));
    }
    let recording = simulate(&compile(&network), "clock", 1, DURATION_MS);
    Run {
        traces: recording.traces.iter().map(|trace| trace.values.clone()).collect(),
        spikes: recording.spikes.iter().map(|spike| spike.time.milliseconds()).collect(),
    }
}

/// The largest difference in the first `count` samples.
fn largest(found: &[f64], expected: &[f64], count: usize) -> f64 {
    assert!(found.len() >= count && expected.len() >= count, "{count} samples");
    let differences = found.iter().zip(expected).take(count).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, |largest, difference| {
        assert!(difference.is_finite());
        f64::max(largest, difference)
    })
}

/// An exactly integrated model: the whole trajectory, spikes in the same steps.
fn compare_exact(name: &str, variables: &[(&str, &str)]) {
    let data = recorded(name);
    let own: Vec<&str> = variables.iter().map(|(own, _)| *own).collect();
    let run = run(&data, neuron(&data), &own);
    for (trace, (_, nest)) in run.traces.iter().zip(variables) {
        let expected = numbers(&data[*nest]);
        let largest = largest(trace, &expected, expected.len());
        assert!(largest <= NEST_POTENTIAL_MV, "{name} {nest}: {largest}");
    }
    assert_same_steps(name, &run.spikes, &numbers(&data["spikes"]));
}

/// Both lie on the same grid: equal times are equal steps.
fn assert_same_steps(name: &str, found: &[f64], expected: &[f64]) {
    let times = |spikes: &[f64]| -> Vec<Time> {
        spikes.iter().map(|&time| Time::from_milliseconds(time).unwrap()).collect()
    };
    assert_eq!(times(found), times(expected), "{name}");
}

/// A model of differential equations: the solution at the default tolerance against a converged
/// one, and against NEST's within NEST's own error (`nest_error_mv`), spikes in the same steps.
fn compare_solved(name: &str, nest_error_mv: f64) {
    let data = recorded(name);
    let adapts = data.get("w").is_some();
    let variables =
        if adapts { &["membrane_potential", "adaptation"][..] } else { &["membrane_potential"] };
    let usual = run(&data, neuron(&data), variables);
    let tiny = neuron(&data).parameter("tolerance", TINY_TOLERANCE);
    let converged = run(&data, tiny, &["membrane_potential"]);
    let expected = numbers(&data["V_m"]);
    let all = expected.len();
    assert_same_steps(name, &usual.spikes, &numbers(&data["spikes"]));
    assert_same_steps(name, &converged.spikes, &usual.spikes);
    let difference = largest(&usual.traces[0], &converged.traces[0], all);
    assert!(difference <= CONVERGED_MV, "{name}: {difference} mV to the converged solution");
    let own_error = largest(&converged.traces[0], &expected, all);
    assert!(own_error <= nest_error_mv, "{name}: NEST's own error is {own_error} mV");
    let difference = largest(&usual.traces[0], &expected, all);
    assert!(difference <= nest_error_mv, "{name}: {difference} mV to NEST");
    if adapts {
        let difference = largest(&usual.traces[1], &numbers(&data["w"]), all);
        assert!(difference <= NEST_ADAPTATION_PA, "{name}: w is {difference} pA off NEST's");
    }
}

/// Runge–Kutta 4 in fixed steps: halving them divides the error by 16, up to the first spike.
fn compare_fixed_steps(name: &str) {
    let data = recorded(name);
    let potential = |parameter: &str, value: f64| {
        let run = run(&data, neuron(&data).parameter(parameter, value), &["membrane_potential"]);
        run.traces.into_iter().next().unwrap()
    };
    let converged = potential("tolerance", TINY_TOLERANCE);
    let first = numbers(&data["spikes"])[0];
    let count = (first / number(&data["dt_ms"])).round() as usize - 5;
    let error = |steps: f64| largest(&potential("fixed_steps", steps), &converged, count);
    let (coarse, fine) = (error(2.0), error(4.0));
    assert!((coarse / fine).log2() > FIXED_STEP_ORDER, "{name}: {coarse} and {fine} mV");
}

#[test]
fn the_trajectory_of_iaf_psc_alpha_is_nests() {
    compare_exact("iaf_psc_alpha", &[("membrane_potential", "V_m")]);
}

#[test]
fn the_trajectory_of_izhikevich_is_nests() {
    compare_exact("izhikevich", &[("membrane_potential", "V_m"), ("recovery", "U_m")]);
}

#[test]
fn the_precise_times_of_iaf_psc_alpha_ps_are_nests() {
    let data = recorded("iaf_psc_alpha_ps");
    let mut network = setup(&data, neuron(&data), 0.1);
    let current = Picoamperes(number(&data["I_e"]));
    network.add_stimulus("dc", Stimulus::constant_current("cell", current, Milliseconds(0.0)));
    let recording = simulate(&compile(&network), "event", 1, DURATION_MS);
    let found: Vec<f64> = recording.spikes.iter().map(|spike| spike.time.milliseconds()).collect();
    let resolutions = data["spikes_by_dt"].as_object().unwrap();
    assert_eq!(resolutions.len(), 3);
    for (resolution, times) in resolutions {
        let expected = numbers(times);
        assert_eq!(found.len(), expected.len(), "at {resolution}");
        let largest = largest(&found, &expected, found.len());
        assert!(largest <= SPIKE_TIME_MS, "at {resolution}: {largest}");
    }
}

#[test]
fn lif_conductance_exponential_is_converged_and_nests_iaf_cond_exp() {
    compare_solved("iaf_cond_exp", NEST_CONDUCTANCE_MV);
}

#[test]
fn lif_conductance_alpha_is_converged_and_nests_iaf_cond_alpha() {
    compare_solved("iaf_cond_alpha", NEST_CONDUCTANCE_MV);
}

#[test]
fn adex_exponential_is_converged_and_nests_aeif_cond_exp() {
    compare_solved("aeif_cond_exp", NEST_ADEX_MV);
}

#[test]
fn adex_alpha_is_converged_and_nests_aeif_cond_alpha() {
    compare_solved("aeif_cond_alpha", NEST_ADEX_MV);
}

#[test]
fn hodgkin_huxley_is_converged_and_nests_hh_psc_alpha() {
    compare_solved("hh_psc_alpha", NEST_HODGKIN_HUXLEY_MV);
}

#[test]
fn fixed_steps_are_of_fourth_order() {
    let models =
        ["iaf_cond_exp", "iaf_cond_alpha", "aeif_cond_exp", "aeif_cond_alpha", "hh_psc_alpha"];
    models.into_iter().for_each(compare_fixed_steps);
}

#[test]
fn the_clock_engines_lif_alpha_converges_to_the_event_engines() {
    let data = recorded("iaf_psc_alpha");
    let times = |engine: &str, dt: f64| -> Vec<f64> {
        let mut network = setup(&data, neuron(&data), dt);
        let dc = Stimulus::constant_current("cell", Picoamperes(200.0), Milliseconds(0.0));
        network.add_stimulus("dc", dc);
        let recording = simulate(&compile(&network), engine, 1, DURATION_MS);
        recording.spikes.iter().map(|spike| spike.time.milliseconds()).collect()
    };
    let exact = times("event", 0.1);
    assert!(exact.len() > 5, "{exact:?}");
    for dt in [0.1, 0.02, 0.004] {
        let found = times("clock", dt);
        assert_eq!(found.len(), exact.len(), "{dt}");
        let late = largest(&found, &exact, exact.len());
        assert!(late <= LATENESS_STEPS * dt, "{dt}: {late} ms");
    }
}

#[test]
fn solved_neurons_do_not_depend_on_threads_or_on_the_division_of_a_run() {
    let neurons: [Neuron; 4] = [
        lif_conductance(&recorded("iaf_cond_exp")).into(),
        adex(&recorded("aeif_cond_exp")).into(),
        AdexAlpha { fixed_steps: 4.0, ..AdexAlpha::default() }.into(),
        HodgkinHuxley::default().into(),
    ];
    for neuron in neurons {
        let mut network = Network::new(neuron.model.clone(), Milliseconds(0.1));
        let capacitance = Values::Each {
            values: vec![100.0, 150.0, 200.0, 250.0, 300.0],
            unit: find_unit("pF").unwrap(),
        };
        let neuron = neuron.parameter("capacitance", capacitance);
        network.add_population("cell", Population::new(5, neuron));
        let dc = Stimulus::constant_current("cell", Picoamperes(900.0), Milliseconds(3.0));
        network.add_stimulus("dc", dc);
        network.add_probe("spikes", Probe::spikes("cell"));
        network.add_probe("potential", Probe::variable("cell", "membrane_potential"));
        let compiled = compile(&network);
        let whole = simulate(&compiled, "clock", 1, 60.0);
        assert!(whole.spikes.len() > 10, "{}", network.name);
        for threads in [1, 2, 8] {
            let mut engine = start(&compiled, "clock", threads);
            advance(engine.as_mut(), 23.4);
            advance(engine.as_mut(), 36.6);
            assert_eq!(engine.recording().spikes, whole.spikes, "{}", network.name);
            let bits =
                |values: &[f64]| -> Vec<u64> { values.iter().map(|v| v.to_bits()).collect() };
            let found = bits(&engine.recording().traces[0].values);
            assert_eq!(found, bits(&whole.traces[0].values), "{}", network.name);
        }
    }
}
