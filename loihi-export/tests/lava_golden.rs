//! Bit equality with recorded runs of Lava 0.10 (see `tests/data/lava/README.md`).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing step is a failing test")]

use std::path::PathBuf;

use loihi_export::emulator::verify::{CaseOutcome, CaseReport, verify_lava_case};

fn data(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/data/lava");
    std::fs::read(folder.join(name)).unwrap()
}

fn verify(name: &str) -> CaseReport {
    verify_lava_case(name, &data(name)).unwrap()
}

#[test]
fn every_value_of_every_step_equals_lavas() {
    // The number of values is steps × neurons × variables of each file, so that nothing is skipped.
    let cases = [
        ("lif_fixed.json", 60 * 6 * 3),
        ("lif_fixed_extremes0.json", 60 * 6 * 3),
        ("lif_fixed_extremes1.json", 60 * 6 * 3),
        ("lifreset_fixed.json", 60 * 6 * 3),
        ("ternarylif_fixed.json", 60 * 6 * 3),
        ("atrlif_fixed.json", 60 * 6 * 5),
        ("rf_fixed.json", 60 * 6 * 3),
        ("rf_iz_fixed.json", 60 * 6 * 3),
        ("rfzero_fixed.json", 60 * 6 * 3),
        ("delta_plain_fixed.json", 60 * 6 * 4),
        ("sigma_fixed.json", 60 * 6 * 2),
        ("sigmadelta_relu_plain_fixed.json", 60 * 6 * 5),
        ("sigmadelta_unit_cum_fixed.json", 60 * 6 * 5),
        ("gradedvec_fixed.json", 60 * 6 * 2),
        ("prodneuron_fixed.json", 60 * 6 * 2),
        ("lif_float.json", 60 * 6 * 3),
        ("lifreset_float.json", 60 * 6 * 3),
        ("lifrefractory_float.json", 60 * 6 * 4),
        ("dense_fixed.json", 72 * 12 * 7),
        ("delay_fixed.json", 8 * 30 * 5),
        ("rec_small.npz", 60 * (32 + 4) + 2 * 32),
    ];
    for (name, values) in cases {
        let report = verify(name);
        assert_eq!(report.outcome, CaseOutcome::Equal { values }, "{report}");
    }
}

#[test]
fn every_value_of_every_convolution_equals_lavas() {
    let report = verify("conv_fixed.json");
    let CaseOutcome::Equal { values } = report.outcome else { panic!("{report}") };
    assert!(values > 5000, "{values}");
}

#[test]
fn every_recording_is_equal() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/data/lava");
    let mut checked = 0;
    for folder in [folder.clone(), folder.join("recorded"), folder.join("direct")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.to_string_lossy().into_owned();
            if name.ends_with(".json") || name.ends_with(".npz") {
                let report = verify_lava_case(&name, &std::fs::read(&path).unwrap()).unwrap();
                assert!(report.is_equal(), "{report}");
                checked += 1;
            }
        }
    }
    assert!(checked >= 73, "{checked} recordings");
}

#[test]
fn what_is_not_computed_is_named_and_never_equal() {
    let case = String::from_utf8(data("learn_a_fixed.json")).unwrap();
    let altered = case.replace("\"y1_tau\"", "\"y9_tau\"");
    let report = verify_lava_case("learning", altered.as_bytes()).unwrap();
    assert!(report.to_string().contains("'y9_tau'"), "{report}");
    let case = String::from_utf8(data("lif_fixed.json")).unwrap();
    let altered = case.replace("\"dv\"", "\"refractory_period\"");
    assert!(case != altered, "the parameter is in the file");
    let report = verify_lava_case("refractory", altered.as_bytes()).unwrap();
    assert!(report.to_string().contains("refractory_period"), "{report}");
    assert!(!report.is_equal());
}

#[test]
fn a_changed_parameter_is_found_at_its_first_effect() {
    let case = String::from_utf8(data("lif_fixed.json")).unwrap();
    let altered = case.replace("\"dv\":300", "\"dv\":301");
    assert!(case != altered, "the parameter is in the file");
    let report = verify_lava_case("altered", altered.as_bytes()).unwrap();
    let CaseOutcome::Differs { difference } = &report.outcome else { panic!("{report}") };
    assert_eq!((difference.variable.as_str(), difference.step), ("v", 2), "{report}");
}

#[test]
fn damaged_cases_are_errors_that_name_the_place() {
    let case = data("lif_fixed.json");
    for bytes in [&case[..case.len() / 2], b"".as_slice(), b"PK\x03\x04", b"[1, 2]"] {
        let message = verify_lava_case("damaged", bytes).unwrap_err().to_string();
        assert!(message.contains("damaged"), "{message}");
    }
    let text = String::from_utf8(case).unwrap();
    let message = verify_lava_case("text", text.replace("\"a_in\"", "\"a\"").as_bytes());
    assert!(message.unwrap_err().to_string().contains("inputs/a_in"));
    let archive = data("rec_small.npz");
    assert!(verify_lava_case("cut", &archive[..archive.len() / 2]).is_err());
}

#[test]
fn positive_graded_input_passes_a_rectified_vector() {
    // No recording holds GradedReluVec; the magnitudes that GradedVec passes are known.
    let case = String::from_utf8(data("gradedvec_fixed.json")).unwrap();
    let mut case: serde_json::Value = serde_json::from_str(&case).unwrap();
    case["process"] = "GradedReluVec".into();
    let report = verify_lava_case("relu", case.to_string().as_bytes()).unwrap();
    let CaseOutcome::Differs { difference } = &report.outcome else { panic!("{report}") };
    assert!(difference.ours == 0.0 && difference.theirs < -80.0, "{report}");
    for row in case["outputs"]["s_out"].as_array_mut().unwrap() {
        for payload in row.as_array_mut().unwrap() {
            *payload = payload.as_f64().unwrap().max(0.0).into();
        }
    }
    let report = verify_lava_case("relu", case.to_string().as_bytes()).unwrap();
    assert!(report.is_equal(), "{report}");
}
