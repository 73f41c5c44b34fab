//! Evaluating conversions: data from every source, plans, kept results, counts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is test code")]

use spikeloom::conversion::{self, ConvertConfig, ConvertedModel, TestConfig, TestReport, plan};
use spikeloom::data::{Preparation, Samples, Scaling};
use spikeloom::error::Error;
use spikeloom::model_io::array::Array;
use spikeloom::model_io::npz::{NpzLimits, read_npz, take, write_npz};
use spikeloom::models::{LoadOptions, load_model};
use spikeloom::progress::Silent;
use spikeloom::sim_core::connectome::CompileConfig;
use spikeloom::sim_core::engine::find_engine;
use spikeloom::snn_convert::ann::{Keep, evaluate_batch};
use spikeloom::snn_convert::fidelity::{FidelityConfig, Presenter};
use std::path::{Path, PathBuf};

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn digits_model() -> PathBuf {
    root("examples/data/digits/digits_cnn.onnx")
}

fn sixteenths() -> Preparation {
    Scaling { divisor: Some(16.0) }.into()
}

fn config(method: &str) -> ConvertConfig {
    ConvertConfig {
        calibrate: Some(root("tests/data/models/digits_cnn/expected.npz")),
        preparation: sixteenths(),
        method: Some(method.to_string()),
        steps: 8,
        ..ConvertConfig::default()
    }
}

fn test_config(folder: &Path) -> TestConfig {
    TestConfig {
        test: Some(digits_test(folder, 24)),
        preparation: sixteenths(),
        steps: vec![2, 8],
        seed: 1,
        ..TestConfig::default()
    }
}

/// The first test digits as an archive of their own.
fn digits_test(folder: &Path, count: usize) -> PathBuf {
    let bytes = std::fs::read(root("examples/data/digits/digits.npz")).unwrap();
    let mut arrays = read_npz(&bytes, NpzLimits::default()).unwrap();
    let images = take(&mut arrays, "images").unwrap().values.to_f64().unwrap();
    let labels = take(&mut arrays, "labels").unwrap().values.to_f64().unwrap();
    let test = take(&mut arrays, "test_idx").unwrap().values.to_i64().unwrap();
    let test: Vec<usize> = test.into_iter().take(count).map(|n| n as usize).collect();
    let pixels = test.iter().flat_map(|&n| &images[n * 64..(n + 1) * 64]).map(|&x| x as u8);
    let x = Array { shape: vec![count, 8, 8], values: pixels.collect::<Vec<u8>>().into() };
    let y: Vec<u8> = test.iter().map(|&n| labels[n] as u8).collect();
    let y = Array { shape: vec![count], values: y.into() };
    let path = folder.join("digits_test.npz");
    std::fs::write(&path, write_npz([("x", &x), ("y", &y)]).unwrap()).unwrap();
    path
}

fn evaluate(model: &ConvertedModel, config: &TestConfig) -> Result<TestReport, Error> {
    conversion::test(model, config, &Silent, &|| false)
}

#[test]
fn counting_and_recording_agree_for_every_method_that_runs_on_the_clock() {
    let folder = tempfile::tempdir().unwrap();
    let all = Samples::read(&digits_test(folder.path(), 6), sixteenths().scaling).unwrap();
    let samples: Vec<&[f32]> = all.iter().collect();
    for (method, steps) in [("rate", vec![1, 3, 8]), ("hard_reset", vec![8]), ("phase", vec![8])] {
        let model = conversion::convert(&digits_model(), &config(method)).unwrap();
        let compile = CompileConfig::UNLIMITED;
        let fidelity = FidelityConfig { steps, seed: 3, compile };
        let start = find_engine("clock").unwrap().start;
        let show = |presenter: Presenter<'_>| presenter.show(&samples, start, &|| {}).unwrap();
        let recorded = show(Presenter::new(&model.conversion, fidelity.clone()).unwrap());
        let counted = show(Presenter::counting(&model.conversion, fidelity).unwrap());
        for (recorded, mut counted) in recorded.into_iter().zip(counted) {
            counted.digest = recorded.digest;
            assert_eq!(counted, recorded, "{method}");
        }
    }
}

#[test]
fn state_does_not_leak_from_one_sample_to_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let all = Samples::read(&digits_test(folder.path(), 5), sixteenths().scaling).unwrap();
    let model = conversion::convert(&digits_model(), &config("rate")).unwrap();
    let compile = CompileConfig::UNLIMITED;
    let fidelity = FidelityConfig { steps: vec![4, 8], seed: 3, compile };
    let presenter = Presenter::counting(&model.conversion, fidelity).unwrap();
    let entry = find_engine("clock").unwrap();
    let mut used = (entry.start)(presenter.compiled().clone(), Default::default()).unwrap();
    for (index, sample) in all.iter().enumerate() {
        let mut fresh = (entry.start)(presenter.compiled().clone(), Default::default()).unwrap();
        let again = presenter.show_one(used.as_mut(), index, sample).unwrap();
        assert_eq!(again, presenter.show_one(fresh.as_mut(), index, sample).unwrap());
    }
}

#[test]
fn a_plan_names_every_node_with_the_numbers_that_result() {
    let planned = plan(&digits_model(), &LoadOptions::default(), None, None).unwrap();
    // Two convolutions 3 × 3 on 8 × 8, a mean over 2 × 2, dense: by hand.
    let macs = 12 * 64 * 9 + 24 * 36 * 12 * 9 + 24 * 36 + 216 * 10;
    assert_eq!((planned.macs, planned.refused), (macs, 0));
    assert_eq!(planned.neurons, 12 * 64 + 24 * 36 + 10);
    assert_eq!(planned.input_macs + planned.synapses, {
        let model = conversion::convert(&digits_model(), &config("rate")).unwrap();
        let compiled = model.conversion.network.validate().unwrap();
        let footprint = spikeloom::sim_core::connectome::predict(&compiled);
        footprint.synapses + planned.input_macs
    });
    for node in &planned.nodes {
        assert!(!node.detail.is_empty(), "{}", node.node);
    }
}

#[test]
fn parts_that_stay_float_give_the_same_scores() {
    let folder = tempfile::tempdir().unwrap();
    let planned = plan(&digits_model(), &LoadOptions::default(), None, None).unwrap();
    let dense = planned.nodes.iter().rfind(|node| node.operator == "Dense").unwrap();
    let first = planned.nodes.iter().find(|node| node.operator == "Relu").unwrap();
    let mut config = config("rate");
    config.float_head = Some(dense.node.clone());
    config.float_front = Some(first.node.clone());
    let model = conversion::convert(&digits_model(), &config).unwrap();
    let float = model.plan.nodes.iter().filter(|node| node.detail.contains("float"));
    assert!(float.count() >= 3);
    let mut test = test_config(folder.path());
    test.steps = vec![64];
    let report = evaluate(&model, &test).unwrap();
    // One layer of 24 × 36 neurons is left; at 64 steps it misses the float values by a percent.
    assert!(report.agreement[&64] > 95.0, "{:?}", report.agreement);
    config.float_front = Some("nowhere".to_string());
    let error = conversion::convert(&digits_model(), &config).err().unwrap().to_string();
    assert!(error.contains("no node `nowhere`") && error.contains(&dense.node), "{error}");
}

#[test]
fn searches_ask_what_a_float_head_makes_of_the_spiking_part() {
    let planned = plan(&digits_model(), &LoadOptions::default(), None, None).unwrap();
    let dense = planned.nodes.iter().rfind(|node| node.operator == "Dense").unwrap();
    let calibration = root("tests/data/models/digits_cnn/expected.npz");
    for (method, steps) in [("rate", 8), ("auto", 8), ("phase", 4)] {
        let whole =
            conversion::convert(&digits_model(), &ConvertConfig { steps, ..config(method) });
        let spikes = |model: &ConvertedModel| {
            let candidates = &model.conversion.candidates;
            candidates.iter().find(|candidate| candidate.chosen).unwrap().clone()
        };
        let head = Some(dense.node.clone());
        let own = ConvertConfig { steps, float_head: head, ..config(method) };
        let model = conversion::convert(&digits_model(), &own).unwrap();
        let (chosen, without) = (spikes(&model), spikes(&whole.unwrap()));
        // Ten classes are told apart, not the 216 values that the head reads.
        assert!(chosen.agreement >= 98.0, "{method}: {chosen:?}");
        let ratio = chosen.spikes / without.spikes;
        assert!((0.4..1.6).contains(&ratio), "{method}: {chosen:?}, {without:?}");
        // What the search saw on the calibration samples is what the test sees on them.
        let test = TestConfig {
            test: Some(calibration.clone()),
            preparation: sixteenths(),
            steps: vec![steps],
            seed: 1,
            ..TestConfig::default()
        };
        let report = evaluate(&model, &test).unwrap();
        assert!(report.images <= 256, "the search sees {} of them only", report.images);
        let differs = (report.agreement[&steps] - chosen.agreement).abs();
        // Phases are judged on every third sample, and then fitted on all.
        let most = if method == "phase" { 1.0 } else { 0.0 };
        assert!(differs <= most, "{method}: {:?} {chosen:?}", report.agreement);
    }
}

#[test]
fn stopped_work_goes_on_where_it_stopped_and_gives_the_same_report() {
    let folder = tempfile::tempdir().unwrap();
    let model = conversion::convert(&digits_model(), &config("rate")).unwrap();
    let whole = evaluate(&model, &test_config(folder.path())).unwrap();
    let results = folder.path().join("results.jsonl");
    let config = TestConfig { results: Some(results.clone()), ..test_config(folder.path()) };
    let asked = std::sync::atomic::AtomicUsize::new(0);
    // The second question comes after the first batch of 16.
    let stop = || asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) > 0;
    let part = conversion::test(&model, &config, &Silent, &stop).unwrap();
    assert_eq!((part.images, part.images_wanted), (16, 24));
    assert_eq!(part.results.as_deref(), Some(results.as_path()));
    // A line that was cut off while it was written.
    let mut text = std::fs::read_to_string(&results).unwrap();
    assert_eq!(text.lines().count(), 17);
    text.push_str("{\"image\":16,\"lab");
    std::fs::write(&results, &text).unwrap();

    let again = evaluate(&model, &config).unwrap_err().to_string();
    assert!(again.contains("--resume"), "{again}");
    let resume = TestConfig { resume: true, ..config.clone() };
    let rest = evaluate(&model, &resume).unwrap();
    assert_eq!((rest.accuracy, rest.images), (whole.accuracy, 24));
    assert_eq!(rest.spikes_per_image_by_steps, whole.spikes_per_image_by_steps);
    assert_eq!(rest.disagreements, whole.disagreements);

    let other = TestConfig { seed: 9, ..resume.clone() };
    let error = evaluate(&model, &other).unwrap_err().to_string();
    assert!(error.contains("belong to another model"), "{error}");
    let damaged = text.replacen("\"image\":3,", "\"image\":4,", 1);
    std::fs::write(&results, damaged).unwrap();
    let error = evaluate(&model, &resume).unwrap_err().to_string();
    assert!(error.contains("line 5 is damaged"), "{error}");
}

#[test]
fn an_early_stop_reads_each_image_as_soon_as_it_leads_far_enough() {
    let folder = tempfile::tempdir().unwrap();
    let model = conversion::convert(&digits_model(), &config("rate")).unwrap();
    let at = |margin: f64| {
        let config = TestConfig { early_stop: Some(margin), ..test_config(folder.path()) };
        evaluate(&model, &config).unwrap()
    };
    let never = at(1e9);
    let stop = never.early_stop.unwrap();
    assert_eq!((stop.steps, stop.accuracy), (8.0, Some(never.accuracy.unwrap()[&8])));
    let first = at(0.0).early_stop.unwrap();
    assert_eq!(first.steps, 2.0);
    let between = at(6.0).early_stop.unwrap();
    assert!(between.steps > 2.0 && between.steps < 8.0, "{between:?}");
    assert!(between.spikes_per_image < stop.spikes_per_image);
}

#[test]
fn layers_come_closer_to_the_trained_network_with_more_steps() {
    let folder = tempfile::tempdir().unwrap();
    let model = conversion::convert(&digits_model(), &config("rate")).unwrap();
    let errors = |steps: u32| {
        let steps = vec![steps];
        let config = TestConfig { steps, layer_images: 8, ..test_config(folder.path()) };
        evaluate(&model, &config).unwrap().layer_errors
    };
    let (few, many) = (errors(4), errors(64));
    assert_eq!((few.len(), many.len()), (3, 3));
    for (few, many) in few.iter().zip(&many) {
        assert!(many.relative_error_percent < few.relative_error_percent / 2.0, "{few:?} {many:?}");
    }
    // The first layer rounds to thresholds/64: a small part of its mean activation.
    assert!(many[0].relative_error_percent < 10.0, "{:?}", many[0]);
}

#[test]
fn layers_of_codes_in_time_are_read_too() {
    let folder = tempfile::tempdir().unwrap();
    let errors = |method: &str, steps: u32| {
        let own = ConvertConfig { steps, ..config(method) };
        let model = conversion::convert(&digits_model(), &own).unwrap();
        let config =
            TestConfig { steps: vec![steps], layer_images: 8, ..test_config(folder.path()) };
        evaluate(&model, &config).unwrap().layer_errors
    };
    // In exact time every activation is the trained network's, but for its own 32-bit rounding.
    let exact = errors("ttfs", 8);
    assert_eq!(exact.len(), 3);
    assert!(exact.iter().all(|layer| layer.relative_error_percent < 1e-3), "{exact:?}");
    assert!(exact[..2].iter().all(|layer| layer.spikes_per_neuron <= 1.0), "{exact:?}");
    // Fitted weights make up for much of what three phases round away, so two are compared with ten.
    for (method, few, many) in [("phase", 2, 10), ("ttfs_slots", 8, 512)] {
        let (few, many) = (errors(method, few), errors(method, many));
        assert_eq!((few.len(), many.len()), (3, 3), "{method}");
        for (few, many) in few.iter().zip(&many) {
            let (few, many) = (few.relative_error_percent, many.relative_error_percent);
            assert!(many < few / 4.0 && many < 5.0, "{method}: {few} {many}");
        }
    }
}

#[test]
fn samples_come_from_arrays_idx_files_and_folders_alike() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let reference = Samples::read(&digits_test(folder.path(), 6), sixteenths().scaling).unwrap();
    let pixels: Vec<u8> = reference.values.iter().map(|&value| (value * 16.0) as u8).collect();
    let labels: Vec<u8> = reference.labels.iter().map(|&label| label as u8).collect();
    let idx = |extents: &[u32], elements: &[u8]| {
        let mut bytes = vec![0, 0, 8, extents.len() as u8];
        extents.iter().for_each(|extent| bytes.extend(extent.to_be_bytes()));
        bytes.extend(elements);
        bytes
    };
    std::fs::write(path("t10k-images-idx3-ubyte"), idx(&[6, 8, 8], &pixels)).unwrap();
    std::fs::write(path("t10k-labels-idx1-ubyte"), idx(&[6], &labels)).unwrap();
    let read = |name: &str| Samples::read(&path(name), sixteenths().scaling).unwrap();
    assert_eq!(read("t10k-images-idx3-ubyte"), reference);

    let array = Array { shape: vec![6, 8, 8], values: pixels.clone().into() };
    let npy = spikeloom::model_io::npz::write_npy(&array).unwrap();
    std::fs::write(path("x.npy"), npy).unwrap();
    let labels_file = path("t10k-labels-idx1-ubyte");
    let with_labels =
        Samples::read_with(&path("x.npy"), Some(&labels_file), None, sixteenths().scaling);
    assert_eq!(with_labels.unwrap(), reference);

    for (number, label) in reference.labels.iter().enumerate() {
        let class = path("pictures").join(label.to_string());
        std::fs::create_dir_all(&class).unwrap();
        let own = pixels[number * 64..(number + 1) * 64].to_vec();
        let picture = image::GrayImage::from_raw(8, 8, own).unwrap();
        picture.save(class.join(format!("{number}.png"))).unwrap();
    }
    let pictures = read("pictures");
    assert_eq!((pictures.len(), pictures.shape.as_slice()), (6, &[1, 8, 8][..]));
    for (number, label) in reference.labels.iter().enumerate() {
        let own = &reference.values[number * 64..(number + 1) * 64];
        let at = pictures.iter().position(|picture| picture == own).unwrap();
        assert_eq!(pictures.labels[at], *label);
    }
    // A picture of another size is named with both sizes; so is one that is none.
    let odd = path("pictures").join("0");
    std::fs::create_dir_all(&odd).unwrap();
    image::GrayImage::new(9, 8).save(odd.join("z.png")).unwrap();
    let error = Samples::read(&path("pictures"), Scaling::default()).unwrap_err().to_string();
    assert!(error.contains("z.png") && error.contains("9 x 8"), "{error}");
    std::fs::write(odd.join("z.png"), b"no picture").unwrap();
    let error = Samples::read(&path("pictures"), Scaling::default()).unwrap_err().to_string();
    assert!(error.contains("z.png"), "{error}");
}

#[test]
fn data_that_does_not_fit_the_network_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let model = conversion::convert(&digits_model(), &config("rate")).unwrap();
    let write = |x: Array, y: Array| {
        let path = folder.path().join("wrong.npz");
        std::fs::write(&path, write_npz([("x", &x), ("y", &y)]).unwrap()).unwrap();
        let test = Some(path);
        let error = evaluate(&model, &TestConfig { test, steps: vec![1], ..TestConfig::default() });
        error.unwrap_err().to_string()
    };
    let images = |side: usize| Array {
        shape: vec![2, side, side],
        values: vec![0_u8; 2 * side * side].into(),
    };
    let labels = |labels: Vec<i64>| Array { shape: vec![labels.len()], values: labels.into() };
    let shape = write(images(9), labels(vec![1, 2]));
    assert!(shape.contains("[9, 9] (81 values)") && shape.contains("[1, 8, 8]"), "{shape}");
    let range = write(images(8), labels(vec![1, 10]));
    assert!(range.contains("sample 1 has the label 10") && range.contains("0 to 9"), "{range}");
    assert!(write(images(8), labels(vec![1])).contains("2 samples but 1 labels"));
    let negative = write(images(8), labels(vec![1, -1]));
    assert!(negative.contains("whole numbers from 0"), "{negative}");
    let one_hot = Array { shape: vec![2, 10], values: vec![0_i64; 20].into() };
    assert!(write(images(8), one_hot).contains("[2, 10]"));
}

#[test]
fn inputs_below_0_and_above_1_enter_as_currents_and_are_refused_as_spikes() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config("rate");
    // Digits of mean 0 and deviation 1, as normalised images have.
    config.preparation.mean = vec![0.3];
    config.preparation.deviation = vec![0.4];
    let test = TestConfig { preparation: config.preparation.clone(), ..test_config(folder.path()) };
    let model = conversion::convert(&digits_model(), &config).unwrap();
    let mut report = evaluate(&model, &TestConfig { steps: vec![64], ..test.clone() }).unwrap();
    // The network was trained on other inputs, but its spikes must follow it all the same.
    assert!(report.agreement.remove(&64).unwrap() > 85.0);
    config.code = Some("poisson".to_string());
    let model = conversion::convert(&digits_model(), &config).unwrap();
    let error = evaluate(&model, &test).unwrap_err().to_string();
    assert!(error.contains("from 0 to 1") && error.contains("constant_current"), "{error}");
}

#[test]
fn noise_stands_in_for_missing_data_with_a_warning() {
    let config = ConvertConfig { calibrate: None, ..config("rate") };
    let model = conversion::convert(&digits_model(), &config).unwrap();
    assert!(model.warnings.iter().any(|warning| warning.contains("noise")));
    let test = TestConfig { steps: vec![8], limit: Some(4), ..TestConfig::default() };
    let report = evaluate(&model, &test).unwrap();
    assert!(report.ann_accuracy.is_none() && report.images == 4);
    assert!(report.warnings.iter().any(|warning| warning.contains("--test")));
    let page = conversion::page("digits", &model, Some(&report)).to_html().unwrap();
    assert!(page.contains("noise") && page.contains("agreement"));
}

#[test]
fn methods_with_one_answer_are_tested_for_each_number_that_they_take() {
    let folder = tempfile::tempdir().unwrap();
    let model = conversion::convert(&digits_model(), &config("phase")).unwrap();
    let test = TestConfig { steps: vec![2, 4, 32], ..test_config(folder.path()) };
    let report = evaluate(&model, &test).unwrap();
    let accuracy = report.accuracy.unwrap();
    assert_eq!(accuracy.keys().copied().collect::<Vec<_>>(), [2, 4]);
    assert!(report.warnings.iter().any(|warning| warning.contains("32 steps are left out")));
    let ann = report.ann_accuracy.unwrap();
    assert!((ann - accuracy[&4]).abs() < 5.0, "{ann} {accuracy:?}");
}

#[test]
fn a_network_that_ends_in_the_class_is_tested_by_the_scores_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("axes.npz");
    let file = |name: &str| root(&format!("tests/data/front_ends/onnx/{name}.onnx"));
    let values: Vec<f32> =
        (0..24 * 20).map(|n| 3.0 * (0.37 * (n * n % 911) as f32).sin()).collect();
    // The file's own choice of the class.
    let graph = load_model(&file("axes.ts_13"), &LoadOptions::default()).unwrap();
    let classes = evaluate_batch(&graph, &values, Keep::Outputs).unwrap();
    let classes: Vec<u8> = classes.iter().map(|own| own.output()[0] as u8).collect();
    assert!(classes.iter().any(|&class| class > 0), "{classes:?}");
    let x = Array { shape: vec![24, 4, 5], values: values.into() };
    let y = Array { shape: vec![24], values: classes.into() };
    // Recorded answers of such a network may be classes, which are not compared with scores.
    std::fs::write(&data, write_npz([("x", &x), ("y", &y), ("logits", &y)]).unwrap()).unwrap();
    for name in ["axes.ts_13", "axes.ts_9", "axes.dynamo_free"] {
        let calibrate = Some(data.clone());
        let config = ConvertConfig { calibrate, method: Some("ttfs".into()), ..Default::default() };
        let model = conversion::convert(&file(name), &config).unwrap();
        let test = TestConfig { test: Some(data.clone()), steps: vec![1], ..TestConfig::default() };
        let report = evaluate(&model, &test).unwrap();
        assert_eq!(report.ann_accuracy, Some(100.0), "{name}");
        assert_eq!(report.accuracy.unwrap()[&1], 100.0, "{name}");
        assert_eq!(report.max_logit_difference, None);
    }
}

#[test]
fn one_score_decides_between_two_classes() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    // By hand: the score is relu(x0 - x1) - relu(x1 - x0), so the class is 1 where x0 > x1.
    let array =
        |shape: &[usize], values: Vec<f32>| Array { shape: shape.to_vec(), values: values.into() };
    let weights = [
        ("a.weight", array(&[2, 2], vec![1.0, -1.0, -1.0, 1.0])),
        ("b.weight", array(&[1, 2], vec![1.0, -1.0])),
    ];
    std::fs::write(file("m.safetensors"), safetensors(&weights)).unwrap();
    let layers = r#"input = [2]
layers = [{ linear = "a" }, "relu", { linear = "b" }, "sigmoid"]"#;
    std::fs::write(file("m.toml"), layers).unwrap();
    let first = |n: u32| 0.05 * (n % 5) as f32 + if n.is_multiple_of(2) { 0.7 } else { 0.0 };
    let x: Vec<f32> = (0..40).flat_map(|n| [first(n), 0.45]).collect();
    let y: Vec<u8> = x.chunks(2).map(|pair| u8::from(pair[0] > pair[1])).collect();
    let (x, y) = (array(&[40, 2], x), Array { shape: vec![40], values: y.into() });
    std::fs::write(file("t.npz"), write_npz([("x", &x), ("y", &y)]).unwrap()).unwrap();
    for (method, steps) in [("rate", 8), ("ttfs", 1), ("phase", 4)] {
        let config = ConvertConfig {
            calibrate: Some(file("t.npz")),
            method: Some(method.into()),
            steps,
            load: LoadOptions { architecture: Some(file("m.toml")), ..LoadOptions::default() },
            ..ConvertConfig::default()
        };
        let model = conversion::convert(&file("m.safetensors"), &config).unwrap();
        let test =
            TestConfig { test: Some(file("t.npz")), steps: vec![steps], ..TestConfig::default() };
        let report = evaluate(&model, &test).unwrap();
        assert_eq!(report.ann_accuracy, Some(100.0), "{method}");
        assert_eq!(report.accuracy.unwrap()[&steps], 100.0, "{method}");
    }
}

/// A safetensors file: the length of its header, the header, the numbers.
fn safetensors(tensors: &[(&str, Array)]) -> Vec<u8> {
    let mut numbers: Vec<u8> = Vec::new();
    let mut entries = Vec::new();
    for (name, array) in tensors {
        let start = numbers.len();
        for value in array.values.to_f32().unwrap() {
            numbers.extend(value.to_le_bytes());
        }
        let (shape, end) = (&array.shape, numbers.len());
        let entry = format!(
            r#"{name:?}:{{"dtype":"F32","shape":{shape:?},"data_offsets":[{start},{end}]}}"#
        );
        entries.push(entry);
    }
    let header = format!("{{{}}}", entries.join(","));
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.bytes());
    file.extend(numbers);
    file
}
