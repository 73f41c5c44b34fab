//! Everything recorded of NEST 3.10 (`tests/data/nest`) runs again on both engines within its
//! tolerance; what is damaged or unknown is told by its name.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

use serde_json::{Value, json};
use spikeloom::loihi_export::emulator::verify::CaseOutcome;
use spikeloom::nest::{TRANSLATIONS, verify_nest_case};
use spikeloom::sim_core::neuron::find_model;
use std::path::{Path, PathBuf};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// The recordings of a folder, sorted.
fn recordings(name: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder(name)).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|ending| ending == "json")).collect();
    found.sort();
    found
}

fn recorded(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder("nest").join(name)).unwrap()).unwrap()
}

fn outcome(case: &Value) -> CaseOutcome {
    verify_nest_case(case.to_string().as_bytes()).unwrap().outcome
}

fn all_agree(name: &str, least: usize) {
    let paths = recordings(name);
    assert!(paths.len() >= least, "{} recordings", paths.len());
    let mut wrong = Vec::new();
    for path in paths {
        let report = verify_nest_case(&std::fs::read(&path).unwrap()).unwrap();
        let measured = report.measured.map(|measured| measured.to_string()).unwrap_or_default();
        if !matches!(report.outcome, CaseOutcome::Equal { .. }) {
            wrong.push(format!("{}: {:?} {measured}", path.display(), report.outcome));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_first_recordings_agree() {
    all_agree("nest", 22);
}

#[test]
fn recordings_with_other_parameters_agree() {
    all_agree("nest/more", 70);
}

#[test]
fn recordings_with_drawn_parameters_agree() {
    all_agree("nest/drawn", 40);
}

#[test]
fn every_translation_names_what_our_model_has() {
    for translation in TRANSLATIONS {
        let spec = find_model(translation.ours).unwrap().spec();
        for (_, ours, _) in translation.parameters {
            let known = spec.parameters.iter().any(|parameter| parameter.name == *ours);
            assert!(known, "{} {ours}", translation.nest);
        }
        for (_, ours, _) in translation.variables.iter().chain(translation.initial) {
            let known = spec.variables.iter().any(|variable| variable.name == *ours);
            assert!(known, "{} {ours}", translation.nest);
        }
    }
}

#[test]
fn what_differs_is_found_where_it_is() {
    let mut case = recorded("iaf_psc_exp.json");
    case["V_m"][700] = json!(-61.0);
    let CaseOutcome::Differs { difference } = outcome(&case) else {
        panic!("a changed potential passes");
    };
    assert_eq!((difference.variable.as_str(), difference.step), ("V_m", 701));
    assert_eq!(difference.theirs, -61.0);
    let mut case = recorded("iaf_psc_exp.json");
    case["spikes"].as_array_mut().unwrap().pop();
    assert!(matches!(outcome(&case), CaseOutcome::Differs { .. }), "a missing spike passes");
    for (name, parameter, value) in [
        ("iaf_psc_exp.json", "tau_m", 10.01),
        ("iaf_psc_delta.json", "V_reset", -69.9),
        ("iaf_cond_exp.json", "E_in", -84.0),
        ("aeif_cond_exp.json", "a", 4.1),
        ("hh_psc_alpha.json", "g_K", 3590.0),
        ("izhikevich.json", "d", 8.1),
        ("iaf_psc_exp_ps.json", "C_m", 250.1),
        ("stdp_triplet_synapse.json", "Aplus_triplet", 0.0063),
        ("tsodyks2_synapse_facilitating.json", "tau_rec", 101.0),
        ("tsodyks2_synapse_facilitating.json", "u", 0.0),
        ("tsodyks_synapse_depressing.json", "x", 0.9),
        ("iaf_psc_alpha.json", "V_min", -70.0),
    ] {
        let mut case = recorded(name);
        case["params"][parameter] = json!(value);
        let found = outcome(&case);
        assert!(matches!(found, CaseOutcome::Differs { .. }), "{name} with {parameter}: {found:?}");
    }
}

#[test]
fn what_could_change_the_outcome_and_is_not_computed_is_named() {
    for (name, parameter, value, told) in [
        ("iaf_psc_exp.json", "delta", json!(0.5), "escape noise"),
        ("iaf_psc_exp_ps.json", "V_min", json!(-69.0), "depend on the resolution"),
        ("iaf_psc_exp.json", "tau_new", json!(3.0), "`params/tau_new` = 3.0 has no counterpart"),
    ] {
        let mut case = recorded(name);
        case["params"][parameter] = value;
        match outcome(&case) {
            CaseOutcome::NotCovered { reason } => assert!(reason.contains(told), "{reason}"),
            other => panic!("{name} with {parameter}: {other:?}"),
        }
    }
    for (key, value, told) in [
        ("model", json!("iaf_chxk_2008"), "`iaf_chxk_2008` has no counterpart"),
        ("ac", json!({ "amplitude": 3.0 }), "`ac`"),
        ("workload", json!("brunel"), "`brunel` has no counterpart"),
    ] {
        let mut case = recorded("iaf_psc_exp.json");
        case[key] = value;
        match outcome(&case) {
            CaseOutcome::NotCovered { reason } => assert!(reason.contains(told), "{reason}"),
            other => panic!("{key}: {other:?}"),
        }
    }
}

#[test]
fn a_recorded_network_runs_again_with_its_numbers() {
    let path = folder("nest/networks").join("reference_pd14_scale0.1.json");
    let mut case: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    // The recorded ten seconds are for `spikeloom verify nest`; a fifth of one scatters too much to agree.
    case["sim_ms"] = json!(200.0);
    let report = verify_nest_case(case.to_string().as_bytes()).unwrap();
    let measured = report.measured.unwrap();
    assert_eq!(measured.variables.len(), 1 + 2 * 8);
    assert_eq!(
        (measured.variables[0].variable.as_str(), measured.variables[0].difference),
        ("synapses", 0.0)
    );
    let rates = measured.variables.iter().filter(|variable| variable.unit == "Hz");
    for rate in rates {
        assert!(rate.difference < 2.0, "{rate:?}");
    }
    for (key, value, told) in [
        ("warmup_ms", json!(100.0), "first 500 ms"),
        ("sim_ms", json!(-1.0), "no length"),
        ("scale", json!(1e9), "neurons; give"),
        ("scale", json!(1e-9), "neurons; give"),
    ] {
        let mut case = case.clone();
        case[key] = value;
        match outcome(&case) {
            CaseOutcome::NotCovered { reason } => assert!(reason.contains(told), "{reason}"),
            other => panic!("{key}: {other:?}"),
        }
    }
}

#[test]
fn damaged_recordings_are_refused_with_the_place() {
    let refused = |case: &Value| match verify_nest_case(case.to_string().as_bytes()) {
        Err(error) => error.to_string(),
        Ok(report) => panic!("{report:?}"),
    };
    let changed = |key: &str, value: Value| {
        let mut case = recorded("iaf_psc_exp.json");
        case[key] = value;
        refused(&case)
    };
    for (key, value, told) in [
        ("dt_ms", json!("fast"), "`dt_ms` is \"fast\", not a number"),
        ("dt_ms", json!(0.0), "`dt_ms` is 0, not a time above zero"),
        ("dt_ms", json!(-1e300), "not a time above zero"),
        ("params", json!([1]), "`params` is [1], not an object"),
        ("input_ex", json!({ "weight": 1.0 }), "`input_ex/times` is missing"),
        ("input_ex", json!({ "times": [1.0, "x"], "weight": 1.0 }), "`input_ex/times/1` is"),
        ("n_samples", json!(7), "`V_m` has 2000 entries"),
        ("spikes", json!(3), "`spikes` is 3, not a list"),
    ] {
        let message = changed(key, value);
        assert!(message.contains(told), "{message}");
    }
    let mut case = recorded("iaf_psc_exp.json");
    case["params"]["V_reset"] = json!(0.0);
    assert!(refused(&case).contains("no valid network"));
    assert!(verify_nest_case(b"{\"model\": ").unwrap_err().to_string().contains("no JSON"));
    assert!(refused(&json!({ "model": "x" })).contains("no recording of NEST"));
    assert!(refused(&json!([])).contains("not an object"));
    let pair = recorded("stdp_synapse_additive.json");
    let mut short = pair.clone();
    short["weights"].as_array_mut().unwrap().pop();
    assert!(refused(&short).contains("`weights` has 39 entries"));
}
