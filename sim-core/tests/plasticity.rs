//! Changing synapses inside an engine: against NEST's recordings, for any cut of a run and any
//! number of threads; what wrong rules are told.

#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::Value;
use sim_core::connectome::CompileConfig;
use sim_core::engine::{Compiled, ENGINES, Engine, EngineConfig, find_engine};
use sim_core::network::{
    FixedProbability, Network, Neuron, OneToOne, Plasticity, Poisson, Population, Probe,
    Projection, SpikeList, Stimulus,
};
use sim_core::neuron::lif_delta::LifDelta;
use sim_core::neuron::lif_exponential::LifExponential;
use sim_core::time::Time;
use sim_core::units::{
    Hertz, Milliseconds, Millivolts, Picoamperes, Picofarads, Values, find_unit,
};
use std::sync::Arc;

/// Relative difference of weights to NEST's, which are printed with 12 digits.
const WEIGHT_RELATIVE: f64 = 1e-9;

/// A recorded weight of 1 is this many mV here: too small to move the target's potential.
const SCALE: f64 = 1e-6;

fn recorded(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/nest");
    let text = std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn source(network: &mut Network, name: &str, times: &[f64]) {
    network.add_population(name, Population::new(1, Neuron::spike_source()));
    let times = Values::Each { values: times.to_vec(), unit: find_unit("ms").unwrap() };
    let count = match &times {
        Values::Each { values, .. } => values.len(),
        _ => 0,
    };
    let list = SpikeList { population: name.into(), neurons: vec![0; count], times };
    network.add_stimulus(name, Stimulus::SpikeList(list));
}

fn start(name: &str, network: &Network, threads: usize) -> Box<dyn Engine> {
    let valid = network.validate().unwrap_or_else(|problems| panic!("{problems}"));
    let compiled = Arc::new(Compiled::new(valid, CompileConfig::UNLIMITED).unwrap());
    let config = EngineConfig { threads, ..EngineConfig::default() };
    (find_engine(name).unwrap().start)(compiled, config).unwrap()
}

fn run(engine: &mut dyn Engine, milliseconds: f64) {
    engine.run(Time::from_milliseconds(milliseconds).unwrap(), &mut |_| true).unwrap();
}

/// A source, and a neuron that a strong second source makes spike at the recorded times.
fn pair(data: &Value, rule: Plasticity) -> Network {
    let mut network = Network::new("pair", Milliseconds(0.1));
    source(&mut network, "pre", &numbers(&data["pre_spikes"]));
    let forced: Vec<f64> = numbers(&data["post_spikes"]).iter().map(|time| time - 1.0).collect();
    source(&mut network, "forcing", &forced);
    let post = LifDelta { refractory_period: Milliseconds(0.1), ..LifDelta::default() };
    network.add_population("post", Population::new(1, post));
    let weight = data["params"]["weight_initial"].as_f64().unwrap();
    network.add_projection(
        "plastic",
        Projection::new("pre", "post", OneToOne)
            .weight(Millivolts(weight * SCALE))
            .delay(Milliseconds(data["delay_ms"].as_f64().unwrap()))
            .plasticity(rule),
    );
    network.add_projection(
        "forcing",
        Projection::new("forcing", "post", OneToOne)
            .weight(Millivolts(1000.0))
            .delay(Milliseconds(1.0)),
    );
    network.add_probe("post", Probe::spikes("post"));
    network
}

#[test]
fn weights_in_the_engine_are_nests() {
    for (name, rule) in [
        ("stdp_synapse_additive", "stdp_additive"),
        ("stdp_synapse_multiplicative", "stdp_multiplicative"),
    ] {
        let data = recorded(name);
        let get = |name: &str| data["params"][name].as_f64().unwrap();
        let plasticity = Plasticity::new(rule)
            .parameter("tau_plus", Milliseconds(get("tau_plus")))
            .parameter("tau_minus", Milliseconds(data["tau_minus"].as_f64().unwrap()))
            .parameter("learning_rate", get("lambda"))
            .parameter("asymmetry", get("alpha"))
            .parameter("largest_weight", Millivolts(get("Wmax") * SCALE));
        let network = pair(&data, plasticity);
        for engine_name in ["clock", "event"] {
            let mut engine = start(engine_name, &network, 1);
            // Each spike is read right after it was delivered.
            let times = numbers(&data["weight_times"]);
            for (time, expected) in times.iter().zip(numbers(&data["weights"])) {
                let until = Time::from_milliseconds(time + 1.0).unwrap();
                engine.run(until - engine.now(), &mut |_| true).unwrap();
                let found = engine.weights(0).unwrap()[0].3 / SCALE;
                let error = (found / expected - 1.0).abs();
                assert!(error < WEIGHT_RELATIVE, "{name} at {time}: {found} {expected}");
            }
            let spikes: Vec<f64> =
                engine.recording().spikes.iter().map(|spike| spike.time.milliseconds()).collect();
            let post = numbers(&data["post_spikes"]);
            assert_eq!(spikes[..], post[..spikes.len()], "{name}: the neuron spikes as recorded");
            assert!(spikes.len() > 30);
        }
    }
}

#[test]
fn depressing_and_facilitating_currents_are_nests() {
    for (file, rule) in
        [("tsodyks_synapse", "tsodyks_markram"), ("tsodyks2_synapse", "tsodyks_markram_two")]
    {
        for kind in ["depressing", "facilitating"] {
            let data = recorded(&format!("{file}_{kind}"));
            let get = |name: &str| data["params"][name].as_f64().unwrap();
            let post = |name: &str| data["post"]["params"][name].as_f64().unwrap();
            let mut short_term = Plasticity::new(rule)
                .parameter("use", get("U"))
                .parameter("tau_recovery", Milliseconds(get("tau_rec")))
                .parameter("tau_facilitation", Milliseconds(get("tau_fac")));
            if rule == "tsodyks_markram" {
                short_term = short_term.parameter("tau_synapse", Milliseconds(get("tau_psc")));
            }
            let mut network = Network::new("release", Milliseconds(0.1));
            source(&mut network, "pre", &numbers(&data["pre_spikes"]));
            let neuron = LifExponential {
                reset: Millivolts(post("V_reset")),
                tau_membrane: Milliseconds(post("tau_m")),
                capacitance: Picofarads(post("C_m")),
                resting_potential: Millivolts(post("E_L")),
                threshold: Millivolts(post("V_th")),
                refractory_period: Milliseconds(post("t_ref")),
                tau_excitatory: Milliseconds(post("tau_syn_ex")),
                tau_inhibitory: Milliseconds(post("tau_syn_in")),
            };
            network.add_population("post", Population::new(1, neuron));
            network.add_projection(
                "release",
                Projection::new("pre", "post", OneToOne)
                    .weight(Picoamperes(get("weight")))
                    .delay(Milliseconds(data["delay_ms"].as_f64().unwrap()))
                    .short_term(short_term),
            );
            let mut probe = Probe::variable("post", "membrane_potential");
            probe.interval = Some(Milliseconds(0.5).into());
            network.add_probe("potential", probe);
            for engine_name in ["clock", "event"] {
                let mut engine = start(engine_name, &network, 1);
                let expected = numbers(&data["V_m"]);
                run(engine.as_mut(), expected.len() as f64 * 0.5);
                let found = &engine.recording().traces[0].values;
                let largest =
                    found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                assert_eq!(found.len(), expected.len());
                // Recorded to ten decimals.
                assert!(largest < 1e-9, "{file} {kind}: {largest} mV");
            }
        }
    }
}

/// Excitatory neurons with learning among themselves, inhibited by learning synapses, rewarded.
fn learning_network() -> Network {
    let mut network = Network::new("learning", Milliseconds(0.1));
    network.seed = 5;
    network.add_population("noise", Population::new(40, Neuron::spike_source()));
    let rate = Values::from(Hertz(30.0));
    network.add_stimulus(
        "noise",
        Stimulus::Poisson(Poisson { population: "noise".into(), rate, modulation: None }),
    );
    network.add_population("E", Population::new(40, LifDelta::default()));
    network.add_population("I", Population::new(10, LifDelta::default()));
    let drawn = FixedProbability { probability: 0.3, autapses: true };
    let connect = |source: &str, target: &str, weight: f64, delay: f64| {
        Projection::new(source, target, drawn).weight(Millivolts(weight)).delay(Milliseconds(delay))
    };
    network.add_projection("noise", connect("noise", "E", 6.0, 0.5));
    let reward = Plasticity::new("reward_modulated_stdp")
        .parameter("largest_weight", Millivolts(4.0))
        .dendritic_delay(Milliseconds(0.3))
        .modulator("I");
    network.add_projection("EE", connect("E", "E", 2.0, 1.5).plasticity(reward));
    let stdp = Plasticity::new("stdp_guetig").parameter("largest_weight", Millivolts(8.0));
    network.add_projection(
        "EI",
        connect("E", "I", 5.0, 0.4)
            .plasticity(stdp)
            .short_term(Plasticity::new("tsodyks_markram_two"))
            .homeostasis(
                Plasticity::new("weight_normalisation")
                    .parameter("interval", Milliseconds(50.0))
                    .parameter("sum", Millivolts(80.0)),
            ),
    );
    let balance = Plasticity::new("vogels_sprekeler")
        .parameter("change", Millivolts(0.05))
        .parameter("largest_weight", Millivolts(9.0));
    network.add_projection("IE", connect("I", "E", -3.0, 0.8).plasticity(balance));
    for population in ["E", "I"] {
        network.add_probe(population, Probe::spikes(population));
    }
    network
}

type Weights = Vec<Option<Vec<(u32, u32, u32, f64)>>>;

fn outcome(engine: &dyn Engine) -> (Vec<sim_core::recording::Spike>, Weights) {
    (engine.recording().spikes.clone(), (0..4).map(|index| engine.weights(index)).collect())
}

#[test]
fn learning_does_not_depend_on_threads_or_cuts_and_starts_anew() {
    let network = learning_network();
    let mut outcomes = Vec::new();
    for engine_name in ENGINES.iter().map(|engine| engine.name) {
        let mut one = start(engine_name, &network, 1);
        run(one.as_mut(), 300.0);
        let expected = outcome(one.as_ref());
        assert!(expected.0.len() > 500, "{}", expected.0.len());
        for projection in 1..4 {
            let changed = expected.1[projection].as_ref().unwrap();
            let first = changed[0].3;
            assert!(changed.iter().any(|synapse| (synapse.3 / first - 1.0).abs() > 0.01));
        }
        assert_eq!(expected.1[0], None, "static synapses");
        for threads in [2, 3, 8] {
            let mut many = start(engine_name, &network, threads);
            for part in [0.1, 17.3, 120.0, 162.6] {
                run(many.as_mut(), part);
            }
            assert!(outcome(many.as_ref()) == expected, "{threads} threads");
        }
        one.reset(network.seed);
        run(one.as_mut(), 300.0);
        assert!(outcome(one.as_ref()) == expected, "after a reset");
        outcomes.push(expected);
    }
    assert!(
        outcomes[0] == outcomes[1],
        "delta neurons with input on the grid: both engines learn the same"
    );
}

#[test]
fn the_sum_of_weights_is_kept_where_homeostasis_acted_last() {
    let network = learning_network();
    let mut engine = start("clock", &network, 1);
    run(engine.as_mut(), 250.0);
    let weights = engine.weights(2).unwrap();
    for target in 0..10 {
        let own = weights.iter().filter(|synapse| synapse.2 == target);
        let sum: f64 = own.map(|synapse| synapse.3).sum();
        assert!((sum - 80.0).abs() < 1e-9, "target {target}: {sum}");
    }
}

#[test]
fn wrong_rules_are_all_told_at_once() {
    let mut network = learning_network();
    let stdp = || Plasticity::new("stdp_additive").parameter("largest_weight", Millivolts(3.0));
    let mut wrong = |name: &str, change: &dyn Fn(Projection) -> Projection| {
        let projection = Projection::new("E", "I", OneToOne).weight(Millivolts(1.0));
        let projection = projection.delay(Milliseconds(1.0));
        let mut projection = change(projection);
        projection.connectivity = FixedProbability { probability: 0.1, autapses: true }.into();
        network.add_projection(name, projection);
    };
    wrong("kind", &|p| p.short_term(stdp()));
    wrong("name", &|p| p.plasticity(Plasticity::new("stdp_additiv")));
    wrong("missing", &|p| p.plasticity(Plasticity::new("stdp_additive")));
    wrong("unknown", &|p| p.plasticity(stdp().parameter("tau", 1.0)));
    wrong("unit", &|p| p.plasticity(stdp().parameter("tau_plus", Millivolts(1.0))));
    wrong("range", &|p| p.plasticity(stdp().parameter("tau_plus", Milliseconds(-1.0))));
    wrong("late", &|p| p.plasticity(stdp().dendritic_delay(Milliseconds(2.0))));
    wrong("modulated", &|p| p.plasticity(stdp().modulator("E")));
    wrong("unmodulated", &|p| {
        let rule = Plasticity::new("reward_modulated_stdp");
        p.plasticity(rule.parameter("largest_weight", Millivolts(3.0)))
    });
    wrong("weight", &|p| p.weight(Millivolts(-1.0)).plasticity(stdp()));
    let problems = network.validate().unwrap_err().to_string();
    for expected in [
        "projections/kind/short_term/rule",
        "did you mean `stdp_additive`",
        "`largest_weight` must be given",
        "projections/unknown/plasticity/parameters/tau",
        "projections/unit/plasticity/parameters/tau_plus",
        "`tau_plus` is -1",
        "a dendritic delay of 2 ms",
        "allowed is 0.1 ms to 1 ms: the shortest delay of the projection",
        "`stdp_additive` is not modulated",
        "needs a population that modulates it",
        "the projection has the weight -1",
    ] {
        assert!(problems.contains(expected), "{expected} is missing in\n{problems}");
    }
}
