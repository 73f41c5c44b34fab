#![allow(clippy::unwrap_used)]
use spikeloom::data::{Samples, Scaling};
use spikeloom::fixed_point::FixedPointRunner;
use spikeloom::loihi_export::chip::ChipSpec;
use spikeloom::loihi_export::quantise::{QuantiseConfig, quantise};
use spikeloom::model_io::npz::{self, NpzLimits};
use spikeloom::pipeline::{accuracy, ann_classes};
use spikeloom::progress::Silent;
use spikeloom::snn_convert::coding::InputCode;
use spikeloom::snn_convert::convert::Convertible;
use spikeloom::snn_convert::method::{MethodConfig, find_method};
use spikeloom::snn_convert::source::onnx;
use spikeloom::snn_convert::threshold::RULES;

fn part(bytes: &[u8], all: &Samples, name: &str) -> Samples {
    let mut arrays = npz::read_npz(bytes, NpzLimits::default()).unwrap();
    let positions = npz::take(&mut arrays, name).unwrap().values.to_i64().unwrap();
    all.select(positions.into_iter().map(|p| p as usize))
}

#[test]
fn measure() {
    let bytes = std::fs::read("examples/data/digits/digits.npz").unwrap();
    let all = Samples::from_npz(&bytes, Scaling { divisor: Some(16.0) }).unwrap();
    let (calibration, test) = (part(&bytes, &all, "calib_idx"), part(&bytes, &all, "test_idx"));
    let train: Samples = {
        let mut arrays = npz::read_npz(&bytes, NpzLimits::default()).unwrap();
        println!("{:?}", arrays.keys().collect::<Vec<_>>());
        let test: Vec<i64> = npz::take(&mut arrays, "test_idx").unwrap().values.to_i64().unwrap();
        all.select((0..all.len()).filter(|p| !test.contains(&(*p as i64))))
    };
    let model = std::fs::read("examples/data/digits/digits_cnn.onnx").unwrap();
    run("digits", &model, &calibration, &[("test", &test), ("train", &train)]);
    let root = "/work/shared/models/data/";
    let calib = Samples::read(&std::path::PathBuf::from(format!("{root}mnist_calib500.npz")), Scaling::default()).unwrap().first(200);
    let test = Samples::read(&std::path::PathBuf::from(format!("{root}mnist_test1000.npz")), Scaling::default()).unwrap().first(500);
    let model = std::fs::read("tests/data/models/lenet_mnist/model_ts.onnx").unwrap();
    if std::env::var("LENET").is_ok() { run("lenet", &model, &calib, &[("test", &test)]); }
}

fn run(name: &str, model: &[u8], calibration: &Samples, sets: &[(&str, &Samples)]) {
    let graph = onnx::read(model).unwrap();
    let convertible = Convertible::new(name, &graph, &calibration.values).unwrap();
    let chip = ChipSpec::built_in("loihi1").unwrap();
    for (set, samples) in sets {
        println!("{name} {set} ann {}", accuracy(&ann_classes(&graph, samples).unwrap(), &samples.labels));
    }
    for steps in [4, 8, 12, 16, 32] {
        let config = MethodConfig { threshold: RULES[0], code: InputCode::DeterministicRate, steps };
        let hard = convertible.convert(find_method("hard_reset").unwrap(), &config).unwrap();
        let q = quantise(&hard.network.validate().unwrap(), &chip, &QuantiseConfig::default()).unwrap();
        let vth: Vec<_> = q.network.populations.iter().map(|p| p.parameters.get("vth").cloned()).collect();
        let runner = FixedPointRunner::new(&q.network, &chip, steps).unwrap();
        for (set, samples) in sets {
            let runs = runner.run(samples, &Silent).unwrap();
            let classes: Vec<usize> = runs.iter().map(|r| r.class).collect();
            let spikes: u64 = runs.iter().map(|r| r.spikes).sum();
            println!("{name} {set} T={steps} fixed {:.2} spikes {:.1} vth {vth:?}", accuracy(&classes, &samples.labels), spikes as f64 / runs.len() as f64);
        }
    }
}
