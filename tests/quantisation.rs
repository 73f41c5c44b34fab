//! Studies of quantisation on the digits: errors of every layer, and accuracy by weight bits.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing step is a failing test")]

use spikeloom::conversion::ConvertConfig;
use spikeloom::data::{Preparation, Scaling};
use spikeloom::loihi_export::chip::{ARITHMETICS, ChipSpec};
use spikeloom::loihi_export::quantise::layer::Granularity;
use spikeloom::loihi_export::quantise::scale::ScaleRule;
use spikeloom::progress::Silent;
use spikeloom::quantisation::{StudyConfig, study};
use std::path::{Path, PathBuf};

fn digits(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/digits").join(name)
}

fn config() -> StudyConfig {
    let scaling = Scaling { divisor: Some(16.0) };
    let preparation = Preparation { scaling, ..Preparation::default() };
    let conversion = ConvertConfig {
        calibrate: Some(digits("digits.npz")),
        preparation,
        steps: 8,
        ..ConvertConfig::default()
    };
    StudyConfig {
        conversion,
        test: Some(digits("digits.npz")),
        labels: None,
        limit: Some(60),
        scales: vec![("maximum".to_string(), ScaleRule::Maximum)],
        granularities: vec![Granularity::Layer],
        weight_bits: vec![8],
        calibrate: false,
    }
}

#[test]
fn fewer_bits_cost_accuracy_and_a_scale_a_channel_costs_less() {
    let chip = ChipSpec::built_in("loihi2").unwrap();
    let granularities = vec![Granularity::Layer, Granularity::Channel];
    let config = StudyConfig { granularities, weight_bits: vec![2, 8], ..config() };
    let study = study(&digits("digits_cnn.onnx"), &chip, &config, &Silent).unwrap();
    let accuracy = |granularity, bits| {
        let of = |v: &&spikeloom::quantisation::Variant| {
            v.granularity == granularity && v.weight_bits == bits
        };
        study.variants.iter().find(of).unwrap().accuracy.unwrap()
    };
    assert!(study.ann_accuracy.unwrap() > 95.0 && study.images == 60);
    for granularity in [Granularity::Layer, Granularity::Channel] {
        assert!(accuracy(granularity, 8) > 95.0, "{granularity:?}");
        assert!(accuracy(granularity, 2) < accuracy(granularity, 8), "{granularity:?}");
    }
    assert!(accuracy(Granularity::Channel, 2) > accuracy(Granularity::Layer, 2));
    for variant in &study.variants {
        assert_eq!(variant.layers.len(), 3);
        assert_eq!(variant.overflows, Some(0));
    }
}

#[test]
fn calibration_brings_the_spike_counts_nearer() {
    let chip = ChipSpec::built_in("loihi2").unwrap();
    let config = StudyConfig { weight_bits: vec![3], calibrate: true, ..config() };
    let study = study(&digits("digits_cnn.onnx"), &chip, &config, &Silent).unwrap();
    let calibrated = study.variants[0].calibrated.as_ref().unwrap();
    assert_eq!(calibrated.layers.len(), 3);
    assert!(calibrated.layers.iter().all(|layer| layer.after <= layer.before), "{calibrated:?}");
    assert!(calibrated.layers.iter().any(|layer| layer.after < 0.7 * layer.before));
}

#[test]
fn a_rule_that_does_not_fit_is_part_of_the_study() {
    let mut chip = ChipSpec::built_in("loihi2").unwrap();
    chip.arithmetic = ARITHMETICS[1].choices();
    let scales = vec![("percentile".to_string(), ScaleRule::Percentile { share: 7.0 })];
    let config = StudyConfig { scales, test: None, ..config() };
    let study = study(&digits("digits_cnn.onnx"), &chip, &config, &Silent).unwrap();
    let refused = study.variants[0].refused.as_ref().unwrap();
    assert!(refused.contains("share is 7"), "{refused}");
    assert!(study.warnings.iter().any(|warning| warning.contains("--test")));
}
