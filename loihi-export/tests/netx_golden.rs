//! Bit equality with recorded runs of netx files (see `tests/data/netx/README.md`).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing step is a failing test")]

use std::path::PathBuf;

use loihi_export::{
    emulator::verify::{CaseOutcome, CaseReport, verify_netx_case},
    export::netx::{NetxOptions, read_netx_network},
};

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/data/netx").join(name)
}

fn verify(name: &str, options: &NetxOptions) -> CaseReport {
    let recording = std::fs::read(data(&format!("{name}.npz"))).unwrap();
    verify_netx_case(&data(&format!("{name}.net")), &recording, options).unwrap()
}

/// Values of a recording: the layers', and the last one's again as the output's.
fn assert_equal(name: &str, values: u64) {
    let report = verify(name, &NetxOptions::default());
    assert_eq!(report.outcome, CaseOutcome::Equal { values }, "{report}");
}

#[test]
fn every_spike_of_every_layer_equals_lavas() {
    for name in [
        "hand_bias",
        "hand_delay_2d",
        "hand_delay_out",
        "hand_dense_rec",
        "hand_exc",
        "hand_iDecay0",
        "hand_inh",
        "hand_minimal",
        "hand_no_neuron",
        "hand_type_foo",
        "hand_weights_toobig",
    ] {
        assert_equal(name, 30 * 5 * 2);
    }
    assert_equal("hand_conv", 20 * (60 + 2 * 5));
    // Lava computes with kernel weights that no chip holds.
    assert_equal("hand_conv_wide", 30 * 2 * 54);
    assert_equal("slayer_cnn", 40 * (8 * 9 * 4 + 4 * 4 * 6 + 2 * 10));
    assert_equal("slayer_mlp", 60 * (16 + 2 * 8));
}

/// Kinds that no recording of Lava holds, by a numpy model that reproduces all of them.
#[test]
fn sigma_delta_resonators_and_inputs_with_neurons_equal_the_reference() {
    assert_equal("ref_sdnn", 40 * (6 + 8 + 2 * 5));
    assert_equal("ref_rf_phase", 50 * (7 + 2 * 5));
    assert_equal("ref_rf_iz", 50 * (7 + 2 * 5));
    assert_equal("ref_input_cuba", 30 * (40 + 18 + 2 * 5));
    assert_equal("ref_joint_bits", 30 * 5 * 2);
    assert_equal("ref_rec_delay", 40 * 5 * 2);
}

#[test]
fn where_netx_stops_reading_stops_and_lenient_reading_says_so() {
    let strict = NetxOptions::default();
    let message = read_netx_network(&data("trap_zero.net"), &strict).unwrap_err().to_string();
    assert!(message.contains("/layer/0") && message.contains("all its weights are 0"), "{message}");
    let lenient = NetxOptions { lenient: true, ..NetxOptions::default() };
    let read = read_netx_network(&data("trap_zero.net"), &lenient).unwrap();
    assert!(read.warnings.iter().any(|w| w.contains("read leniently")), "{:?}", read.warnings);
    let message = read_netx_network(&data("trap_pool.net"), &lenient).unwrap_err().to_string();
    assert!(message.contains("/layer/1") && message.contains("`pool`"), "{message}");
}

#[test]
fn resets_are_an_option_that_is_found_where_a_recording_does_not_state_it() {
    let given = NetxOptions { reset_interval: Some(8), ..NetxOptions::default() };
    let report = verify("hand_reset", &given);
    assert_eq!(report.outcome, CaseOutcome::Equal { values: 30 * 15 }, "{report}");
    // Neither file says it: it is found, and the report says that it was.
    let report = verify("hand_reset", &NetxOptions::default());
    let searched = report.searched.clone().unwrap_or_default();
    assert!(report.is_equal() && searched.contains("with --reset-interval 8"), "{report}");
    let wrong = NetxOptions { reset_interval: Some(7), ..NetxOptions::default() };
    let report = verify("hand_reset", &wrong);
    assert!(matches!(report.outcome, CaseOutcome::Differs { .. }), "{report}");
}

#[test]
fn what_netx_does_silently_is_a_warning_of_the_layer() {
    for (name, part) in [
        ("hand_type_foo", "layer 1: netx skips this layer: type `foo`"),
        ("hand_no_neuron", "layer 0: it has no neuron"),
        ("ref_joint_bits", "layer 0: the weights of one sign act as 0"),
        ("ref_rf_iz", "layer 0: netx takes a resonator's decays"),
        ("ref_rec_delay", "layer 0: netx forgets the weight exponent"),
        ("hand_weights_toobig", "layer 0: netx clips weights to -256 to 254"),
        ("slayer_cnn", "layer 0: the file does not state the input's extents"),
    ] {
        let read = read_netx_network(&data(&format!("{name}.net")), &NetxOptions::default());
        let warnings = read.unwrap().warnings;
        assert!(warnings.iter().any(|warning| warning.starts_with(part)), "{name}: {warnings:?}");
    }
}
