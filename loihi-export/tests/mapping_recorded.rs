//! Recorded mappings of nengo-loihi, SANA-FE and brian2-loihi, and what a check says of damaged ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail so")]

use loihi_export::emulator::verify::{CaseOutcome, CaseReport};
use loihi_export::recorded::verify_mapping_case;
use serde_json::{Value, json};

fn folder() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/mapping")
}

fn recorded(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder().join(name)).unwrap()).unwrap()
}

fn check(case: &Value) -> CaseReport {
    verify_mapping_case("case", &serde_json::to_vec(case).unwrap()).unwrap()
}

fn differs(case: &Value) -> String {
    match check(case).outcome {
        CaseOutcome::Differs { difference } => difference.variable,
        other => panic!("expected a difference, not {other:?}"),
    }
}

fn not_covered(case: &Value) -> String {
    match check(case).outcome {
        CaseOutcome::NotCovered { reason } => reason,
        other => panic!("expected a refusal, not {other:?}"),
    }
}

#[test]
fn every_recorded_mapping_is_equal() {
    let mut files: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".json"))
        .collect();
    files.sort();
    assert_eq!(files.len(), 10);
    for name in files {
        let report = check(&recorded(&name));
        match report.outcome {
            CaseOutcome::Equal { values } => assert!(values > 20, "{name}: {values} values"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn states_beyond_24_bits_are_compared_up_to_there_and_named() {
    let mut case = recorded("brian2_loihi_beyond.json");
    let report = check(&case);
    assert!(report.process.contains("not compared") && report.process.contains("24 bits"));
    // the first potential of each neuron lies before that
    case["cases"][1]["v"][2][0] = json!(case["cases"][1]["v"][2][0].as_f64().unwrap() + 1.0);
    assert_eq!(differs(&case), "case 1: v");
}

#[test]
fn a_changed_number_is_named() {
    let good = recorded("sanafe_four_layers.json");
    let runs: Vec<String> = good["runs"].as_object().unwrap().keys().cloned().collect();
    for (field, change, named) in [
        ("synapse", 1e-6, "synapse energy"),
        ("soma", 1e-6, "soma energy"),
        ("network", 1e-6, "network energy"),
        ("total", 1e-6, "total energy"),
        ("dendrite", 1e-12, "dendrite energy"),
    ] {
        let mut bad = good.clone();
        let energy = &mut bad["runs"][&runs[3]]["result"]["energy"][field];
        *energy = json!(
            energy.as_f64().unwrap() * (1.0 + change)
                + if field == "dendrite" { change } else { 0.0 }
        );
        assert_eq!(differs(&bad), format!("{}: {named}", runs[3]));
    }
    for field in ["timesteps_executed", "timestep_start", "spikes", "packets_sent"] {
        let mut bad = good.clone();
        let count = &mut bad["runs"][&runs[0]]["result"][field];
        *count = json!(count.as_u64().unwrap() + 7);
        assert!(differs(&bad).starts_with(&runs[0]), "{field}");
    }
    let nengo = recorded("nengo_loihi_more.json");
    for (path, named) in [
        ("/nets/mlp_128_2200/blocks/1/compartments/used", "compartments"),
        ("/nets/mlp_128_2200/blocks/1/synapses/used", "synapses"),
        ("/nets/mlp_128_2200/blocks/0/out-axons/used", "out-axons"),
        ("/nets/sparse_300_700/blocks/1/in-axons/used", "in-axons"),
        ("/nets/mlp_700_65_33/blocks/2/synapses_detail/0/idx_bits", "idx_bits"),
        ("/nets/mlp_700_65_33/blocks/2/synapses_detail/0/bits_of_first_axon", "bits_of_first_axon"),
        ("/limits/out_axons", "limits/out_axons"),
    ] {
        let mut bad = nengo.clone();
        let number = bad.pointer_mut(path).unwrap();
        *number = json!(number.as_u64().unwrap() + 1);
        let found = differs(&bad);
        assert!(found.contains(named) || found.contains("summary line"), "{path}: {found}");
    }
    let mut bad = nengo.clone();
    let message = bad["nets"]["mlp_1024_512"].as_str().unwrap().replace("5120", "5121");
    bad["nets"]["mlp_1024_512"] = json!(message);
    assert_eq!(differs(&bad), "mlp_1024_512: output axons");
}

#[test]
fn fields_that_no_check_reads_are_refused_by_name() {
    for (file, path, field) in [
        ("sanafe_ref.json", "", "delays"),
        ("sanafe_ref.json", "/runs/far~1simple", "chips"),
        ("sanafe_ref.json", "/runs/far~1simple/result", "dropped"),
        ("sanafe_ref.json", "/runs/far~1simple/result/energy", "learning"),
        ("nengo_loihi_util.json", "/nets/mlp_100_50_10", "probes"),
        ("nengo_loihi_util.json", "/nets/mlp_100_50_10/blocks/1", "tags"),
        ("nengo_loihi_util.json", "/nets/mlp_100_50_10/blocks/1/synapses_detail/0", "delay_bits"),
        ("brian2_loihi.json", "", "delays"),
        ("brian2_loihi.json", "/cases/0", "reset_v"),
    ] {
        let mut case = recorded(file);
        let place = case.pointer_mut(path).unwrap().as_object_mut().unwrap();
        place.insert(field.to_owned(), json!(1));
        let reason = not_covered(&case);
        assert!(reason.contains(&format!("'{field}'")), "{file} {path}: {reason}");
    }
    // what only describes a file is no reason to refuse it
    let mut case = recorded("sanafe_ref.json");
    case["note"] = json!("recorded on a Tuesday");
    assert!(matches!(check(&case).outcome, CaseOutcome::Equal { .. }));
}

#[test]
fn what_is_not_compared_is_said() {
    let five = check(&recorded("sanafe_five_layers.json"));
    assert!(five.process.contains("times"), "{}", five.process);
    assert!(five.process.contains("hops of mixed/simple"), "{}", five.process);
    assert!(!five.process.contains("hops of same_core/simple"), "{}", five.process);
    let three = check(&recorded("sanafe_ref.json"));
    assert!(three.process.ends_with("(not compared: times)"), "{}", three.process);
    let mut bad = recorded("sanafe_ref.json");
    bad["x"] = json!([[0, 1]]);
    assert!(not_covered(&bad).contains("'x'"));
    assert!(verify_mapping_case("case", b"{").is_err());
    assert!(not_covered(&json!({})).contains("neither"));
}
