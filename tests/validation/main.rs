//! Every problem is found, all at once, with a code, a place and a way out; sizes are predicted.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

mod drawn;
mod mistakes;

use mistakes::{Mistake, cell, dense, mistakes, sound};
use sim_core::connectome::footprint::readable;
use sim_core::connectome::{CompileConfig, CompileError, compile, predict};
use sim_core::diagnostics::{Problem, Severity};
use sim_core::network::{
    AllToAll, Connectivity, FixedProbability, Network, Plasticity, Population, Probe, Projection,
    SpikeCondition,
};
use sim_core::neuron::integrate_and_fire::IntegrateAndFire;
use sim_core::neuron::lif_delta::LifDelta;
use sim_core::units::{Milliseconds, Millivolts};
use std::collections::BTreeSet;
use test_support::generate::{FAMILIES, Size, any_family, any_network, network};
use test_support::suite::runner;
use test_support::tolerance::SIGMAS;

fn problems(network: &Network) -> Vec<Problem> {
    match network.validate() {
        Ok(valid) => valid.warnings().to_vec(),
        Err(problems) => problems.0,
    }
}

#[test]
fn the_sound_network_has_no_problem() {
    assert_eq!(problems(&sound()), []);
}

#[test]
fn every_mistake_is_found_by_code_and_path_with_help() {
    for Mistake { code, path, make } in mistakes() {
        let mut network = sound();
        make(&mut network);
        let found = problems(&network);
        let problem = found.iter().find(|p| p.code == code && p.path == path);
        let problem = problem.unwrap_or_else(|| panic!("{code} at {path} is not in {found:?}"));
        assert!(!problem.message.is_empty() && !problem.help.is_empty());
        let warning = problem.severity == Severity::Warning;
        assert_eq!(network.validate().is_ok(), warning, "{code} at {path}");
        assert_eq!(warning, ["not-driven", "weight-above-largest"].contains(&code));
    }
}

/// Codes are the only words in kebab case in the sources of validation.
#[test]
fn every_code_in_the_sources_is_tested() {
    let source = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/sim-core/src"));
    let folders = ["network/validate", "network", "connectivity", "distribution", "stimulus"];
    let entries = folders.iter().flat_map(|folder| std::fs::read_dir(source.join(folder)).unwrap());
    let files = entries.map(|entry| entry.unwrap().path());
    let mut codes = BTreeSet::new();
    for file in files.filter(|path| path.is_file() && !path.ends_with("tests.rs")) {
        let text = std::fs::read_to_string(file).unwrap();
        let quoted = text.split('"').skip(1).step_by(2);
        let kebab = quoted.filter(|word| {
            word.contains('-') && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
        });
        codes.extend(kebab.map(str::to_string));
    }
    let tested: BTreeSet<String> = mistakes().iter().map(|m| m.code.to_string()).collect();
    assert_eq!(codes, tested);
}

#[test]
fn all_problems_come_at_once() {
    let mut network = sound();
    let mut expected = BTreeSet::new();
    // Mistakes in different places, so that none hides another.
    let separate = [
        "populations/cell/spike",
        "populations/cell/parameters/tau_membran",
        "populations/cell/initial/potential",
        "projections/dense/weight",
        "projections/dense/delay",
        "stimuli/noise/rate",
        "stimuli/extra/times",
        "probes/v/interval",
    ];
    for Mistake { code, path, make } in mistakes() {
        if separate.contains(&path) && expected.iter().all(|&(_, other)| other != path) {
            make(&mut network);
            expected.insert((code, path));
        }
    }
    assert_eq!(expected.len(), separate.len());
    let error = network.validate().unwrap_err();
    let found: BTreeSet<(&str, &str)> = error.0.iter().map(|p| (p.code, &*p.path)).collect();
    assert_eq!(found, expected);
    let text = error.to_string();
    assert!(text.starts_with("8 problems in the network"), "{text}");
    for (code, path) in expected {
        assert!(text.contains(&format!("[{code}] {path}: ")), "{text}");
    }
}

/// What can be told of an entry is told, whatever else is wrong with it.
#[test]
fn several_problems_of_one_entry_come_together() {
    let mut network = sound();
    dense(&mut network).receptor = Some("exciting".into());
    dense(&mut network).delay = Milliseconds(1.55).into();
    let mut probe = Probe::variable("cell", "voltage");
    probe.interval = Some(Milliseconds(0.25).into());
    network.add_probe("v", probe);
    let problems = problems(&network);
    let found: BTreeSet<&str> = problems.iter().map(|problem| &*problem.path).collect();
    let expected = [
        "projections/dense/delay",
        "projections/dense/receptor",
        "probes/v/interval",
        "probes/v/variable",
    ];
    assert_eq!(found, BTreeSet::from(expected));
}

/// That a probe has nothing to record where a rule is wrong is no second problem.
#[test]
fn a_wrong_rule_is_one_problem() {
    let mut network = sound();
    let rule = Plasticity::new("stdp_additive").parameter("largest_weight", Millivolts(-1.0));
    dense(&mut network).plasticity = Some(rule);
    network.add_probe("weights", Probe::weights("dense", Milliseconds(1.0)));
    let found: Vec<&str> = problems(&network).iter().map(|problem| problem.code).collect();
    assert_eq!(found, ["out-of-range"]);
}

#[test]
fn a_wrong_name_is_answered_with_the_nearest_and_all_known() {
    let mut network = sound();
    cell(&mut network).model = "lif_dleta".into();
    dense(&mut network).source = "sorce".into();
    let found = problems(&network);
    let help = |code: &str| &found.iter().find(|p| p.code == code).unwrap().help;
    let model = help("unknown-model");
    assert!(model.contains("`lif_delta`") && model.contains("max_pool"), "{model}");
    let population = help("unknown-population");
    assert!(population.contains("`source`") && population.contains("gate"), "{population}");
}

#[test]
fn the_footprint_of_fixed_rules_is_the_compiled_size() {
    let mut drawn = 0;
    for family in FAMILIES {
        for seed in 0..40 {
            let description = network(family, seed, Size::SMALL);
            let mut variance = 0.0;
            let sizes = |name: &str| description.populations[name].size.size() as f64;
            for p in description.projections.values() {
                if let Connectivity::FixedProbability(FixedProbability { probability, .. }) =
                    p.connectivity
                {
                    let pairs = sizes(&p.source) * sizes(&p.target);
                    variance += pairs * probability * (1.0 - probability);
                    drawn += 1;
                }
            }
            let valid = description.validate().unwrap();
            let footprint = predict(&valid);
            let connectome = compile(&valid, CompileConfig::UNLIMITED).unwrap();
            let name = &description.name;
            // Expectations are rounded up, one synapse a projection.
            let slack = SIGMAS * f64::sqrt(variance) + description.projections.len() as f64;
            let off = footprint.synapses as f64 - connectome.synapse_count() as f64;
            let bytes_off = footprint.connectome_bytes as f64 - connectome.bytes() as f64;
            if variance == 0.0 {
                assert_eq!(footprint.synapses, connectome.synapse_count(), "{name}");
            }
            assert!(off.abs() <= slack, "{name}: {off} synapses");
            if variance == 0.0 {
                assert_eq!(footprint.connectome_bytes, connectome.bytes(), "{name}");
            } else {
                assert!(bytes_off.abs() <= 12.0 * slack, "{name}: {bytes_off} bytes");
            }
            assert!(footprint.peak_bytes >= footprint.connectome_bytes + footprint.state_bytes);
            assert_eq!(footprint.neurons, u64::from(valid.neuron_count()));
        }
    }
    assert!(drawn > 50, "{drawn}");
}

#[test]
fn a_network_beyond_the_limit_is_refused_with_the_figure() {
    let mut network = Network::new("large", Milliseconds(0.1));
    network.add_population("a", Population::new(100_000, LifDelta::default()));
    let rule =
        Connectivity::FixedProbability(FixedProbability { probability: 0.5, autapses: true });
    network.add_projection("aa", Projection::new("a", "a", rule).weight(Millivolts(0.1)));
    let valid = network.validate().unwrap();
    // Five thousand million synapses would take 20 GB: only refusal before building ends soon.
    let config = CompileConfig { memory_limit: 1_000_000_000, ..CompileConfig::UNLIMITED };
    let error = compile(&valid, config).unwrap_err();
    let text = error.to_string();
    let CompileError::TooLarge { footprint, limit } = error;
    assert_eq!((footprint.synapses, limit), (5_000_000_000, 1_000_000_000));
    assert!(footprint.peak_bytes > 20_000_000_000);
    for part in [readable(footprint.peak_bytes), readable(limit), "5000000000 synapses".into()] {
        assert!(text.contains(&part), "{part} is not in {text}");
    }
}

#[test]
fn sharing_is_predicted_and_the_limit_is_exact() {
    let mut network = Network::new("shared", Milliseconds(0.1));
    network.add_population("a", Population::new(100_000, LifDelta::default()));
    network.add_projection(
        "all",
        Projection::new("a", "a", Connectivity::AllToAll(AllToAll { autapses: false }))
            .weight(Millivolts(0.1)),
    );
    let valid = network.validate().unwrap();
    let footprint = predict(&valid);
    assert_eq!(footprint.connectome_bytes, 0);
    let limited =
        |memory_limit| compile(&valid, CompileConfig { memory_limit, ..CompileConfig::UNLIMITED });
    let connectome = limited(footprint.peak_bytes).unwrap();
    assert_eq!(connectome.synapse_count(), 100_000 * 99_999);
    assert_eq!(footprint.synapses, connectome.synapse_count());
    assert!(limited(footprint.peak_bytes - 1).is_err());
}

#[test]
fn a_description_is_read_as_it_was_written() {
    let family_and_network = proptest::strategy::Strategy::prop_flat_map(any_family(), any_network);
    runner(150)
        .run(&family_and_network, |network| {
            let text = serde_json::to_string(&network).unwrap();
            let read: Network = serde_json::from_str(&text).unwrap();
            proptest::prop_assert_eq!(&read, &network);
            proptest::prop_assert_eq!(serde_json::to_string(&read).unwrap(), text);
            Ok(())
        })
        .unwrap();
}

#[test]
fn unknown_fields_and_wrong_kinds_are_refused_when_read() {
    let text = serde_json::to_value(sound()).unwrap();
    assert!(serde_json::from_value::<Network>(text.clone()).is_ok());
    let with = |pointer: &str, key: &str, value: serde_json::Value| {
        let mut changed = text.clone();
        let place = changed.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
        place.insert(key.into(), value);
        serde_json::from_value::<Network>(changed).map_err(|error| error.to_string())
    };
    for (pointer, key, value, named) in [
        ("", "colour", "red".into(), "colour"),
        ("/populations/cell", "colour", "red".into(), "colour"),
        ("/populations/cell", "spike", "sometimes".into(), "at_or_above"),
        ("/populations/cell", "size", serde_json::json!(-1), "whole number"),
        ("/projections/dense", "colour", "red".into(), "colour"),
        ("/projections/dense/connectivity", "rule", "dens".into(), "one_to_one"),
        ("/stimuli/noise", "kind", "noise".into(), "poisson"),
        ("", "dt", "3 parsec".into(), "parsec"),
    ] {
        let message = with(pointer, key, value).unwrap_err();
        assert!(message.contains(named), "{key}: {message}");
    }
}

#[test]
fn valid_networks_of_every_family_pass() {
    for family in FAMILIES {
        for seed in 0..50 {
            let description = network(family, seed, Size::SMALL);
            assert!(description.validate().is_ok(), "{}", description.name);
        }
    }
    let condition = IntegrateAndFire::default().spike;
    assert_eq!(condition, SpikeCondition::AtOrAbove);
}
