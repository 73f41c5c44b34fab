//! Every form of a trained network gives its framework's answers, also after decluttering; what is
//! no network is refused with what to do.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

use spikeloom::error::Error;
use spikeloom::model_io::npz::{self, NpzLimits};
use spikeloom::models::{LoadOptions, load_model};
use spikeloom::snn_convert::ann::{AnnGraph, Keep, evaluate_batch};
use spikeloom::snn_convert::declutter::declutter;
use std::path::{Path, PathBuf};

/// Answers are below 30 in size; the frameworks sum in another order and in `f32`.
const TOLERANCE: f32 = 1e-4;
/// The one network whose first batch norm has a variance of 10^-12 multiplies rounding by 300.
const TINY_VARIANCE_TOLERANCE: f32 = 1e-3;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn load(path: &Path) -> AnnGraph {
    load_model(path, &LoadOptions::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn refusal(path: &Path, options: &LoadOptions) -> String {
    load_model(path, options).unwrap_err().to_string()
}

fn arrays(path: &Path) -> (Vec<f32>, Vec<f32>) {
    let bytes = std::fs::read(path).unwrap();
    let mut found = npz::read_npz(&bytes, NpzLimits::default()).unwrap();
    let mut take = |name: &str| npz::take(&mut found, name).unwrap().values.to_f32().unwrap();
    (take("x"), take("logits"))
}

/// Compares a network, as it is read and as it is decluttered, with recorded answers.
///
/// What is dropped from the end (softmax, …) changes the answers but not their order.
fn check(name: &str, graph: &AnnGraph, recorded: &Path, tolerance: f32) {
    let (x, logits) = arrays(recorded);
    let answers = evaluate_batch(graph, &x, Keep::Outputs).unwrap();
    let size = logits.len() / answers.len();
    let clean = declutter(graph).unwrap();
    let cleaned = evaluate_batch(&clean.graph, &x, Keep::Outputs).unwrap();
    for (sample, expected) in logits.chunks(size).enumerate() {
        let got = answers[sample].output();
        assert_eq!(got.len(), size, "{name}");
        for (got, expected) in got.iter().zip(expected) {
            let allowed = tolerance * expected.abs().max(1.0);
            assert!(
                (got - expected).abs() < allowed,
                "{name}, sample {sample}: {got} ≠ {expected}"
            );
        }
        let class = match graph.node(graph.output()).operator.name() {
            "ArgMax" => expected[0] as usize,
            _ => answers[sample].class(),
        };
        assert_eq!(cleaned[sample].class(), class, "{name} decluttered, sample {sample}");
    }
}

/// Files of a folder with an ending, in order.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(data(folder)).unwrap();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.extension().is_some_and(|e| e == ending));
    found.sort();
    found
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

#[test]
fn onnx_of_both_exporters_and_all_operator_sets() {
    let all = files("front_ends/onnx", "onnx");
    assert!(all.len() >= 48, "{}", all.len());
    let refused: Vec<String> = all
        .iter()
        .filter_map(|path| load_model(path, &LoadOptions::default()).err())
        .map(|error| error.to_string())
        .collect();
    assert!(refused.is_empty(), "{}", refused.join("\n"));
    for path in all {
        let name = stem(&path);
        let case = name.split('.').next().unwrap();
        let tolerance = if case == "norms" { TINY_VARIANCE_TOLERANCE } else { TOLERANCE };
        check(&name, &load(&path), &path.with_file_name(format!("{case}.npz")), tolerance);
    }
}

#[test]
fn keras_files_of_version_2_and_3() {
    let all = files("front_ends/keras", "h5");
    assert_eq!(all.len(), 6);
    for path in all {
        check(&stem(&path), &load(&path), &path.with_extension("npz"), TOLERANCE);
    }
}

#[test]
fn state_dicts_and_safetensors_with_an_architecture() {
    for case in ["plain", "residual", "mlp"] {
        for ending in ["pt", "safetensors"] {
            let path = data(&format!("front_ends/weights/{case}.{ending}"));
            let options = LoadOptions {
                architecture: Some(path.with_extension("toml")),
                input_shape: (case == "mlp").then(|| vec![5]),
                ..LoadOptions::default()
            };
            let graph = load_model(&path, &options).unwrap_or_else(|error| panic!("{error}"));
            let tolerance = if case == "mlp" { TOLERANCE } else { TINY_VARIANCE_TOLERANCE };
            check(case, &graph, &path.with_extension("npz"), tolerance);
        }
    }
}

#[test]
fn a_guess_is_shown_before_it_is_used() {
    for (case, ending) in [("plain", "pt"), ("plain", "safetensors"), ("mlp", "pt")] {
        let path = data(&format!("front_ends/weights/{case}.{ending}"));
        let error = load_model(&path, &LoadOptions::default()).unwrap_err();
        let (_, inner) = error.located();
        let Error::NeedsArchitecture { lines } = inner else { panic!("{error}") };
        assert!(lines[0].contains("guess"), "{lines:?}");
        assert!(error.to_string().contains("--accept-guess"), "{error}");
        let accepted = LoadOptions { accept_guess: true, ..LoadOptions::default() };
        let graph = load_model(&path, &accepted).unwrap();
        check(case, &graph, &path.with_extension("npz"), TINY_VARIANCE_TOLERANCE);
        // The lines are themselves an architecture file.
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("guess.toml");
        std::fs::write(&file, lines.join("\n")).unwrap();
        let written = LoadOptions { architecture: Some(file), ..LoadOptions::default() };
        assert_eq!(load_model(&path, &written).unwrap(), graph);
    }
    let path = data("front_ends/weights/residual.pt");
    let accepted = LoadOptions { accept_guess: true, ..LoadOptions::default() };
    let message = refusal(&path, &accepted);
    assert!(
        message.contains("alone do not say") && message.contains("--architecture"),
        "{message}"
    );
}

#[test]
fn checkpoints_halves_and_views_are_read() {
    let guess = LoadOptions { accept_guess: true, ..LoadOptions::default() };
    let graph = load_model(&data("front_ends/weights/checkpoint_half.pt"), &guess).unwrap();
    assert_eq!(graph.weighted().count(), 3);
    // The same numbers in the format from before PyTorch 1.6.
    assert_eq!(load_model(&data("front_ends/weights/legacy.pt"), &guess).unwrap(), graph);
    let graph = load_model(&data("front_ends/weights/views.pt"), &guess).unwrap();
    // arange(12).reshape(3, 4).t()[1:, :2] = [[1, 5], [2, 6], [3, 7]].
    let (_, layer) = graph.weighted().next().unwrap();
    let parameters = layer.operator.parameters();
    assert_eq!(parameters[0].1, [1.0, 5.0, 2.0, 6.0, 3.0, 7.0]);
    assert_eq!(parameters[1].1, [1.0; 3]);
}

#[test]
fn other_files_of_pytorch_are_refused_with_what_to_do() {
    let cases = [
        ("whole_module.pt", "`torch.nn.modules.linear.Linear`"),
        ("torchscript.pt", "TorchScript"),
    ];
    for (file, part) in cases {
        let path = data("front_ends/weights").join(file);
        let message = refusal(&path, &LoadOptions { accept_guess: true, ..LoadOptions::default() });
        assert!(message.contains(part) && message.contains(file), "{message}");
    }
}

#[test]
fn mistakes_in_architecture_files_are_located() {
    let folder = tempfile::tempdir().unwrap();
    let path = data("front_ends/weights/mlp.pt");
    let cases = [
        ("layers = [", "no TOML"),
        ("layer = []", "`layer` is unknown; known: input, layers, ignore"),
        ("input = [5]\nlayers = [\"rellu\"]", "layers[0]: there is no layer `rellu`"),
        (
            "input = [5]\nlayers = [{ linear = \"0\", stride = 2 }]",
            "`stride` is unknown for linear",
        ),
        ("input = [5]\nlayers = [{ linear = \"1\" }]", "tensor `1.weight`: it is not there"),
        ("input = [5]\nlayers = [{ linear = \"0\" }]", "2.weight, 2.bias, 4.weight, 4.bias"),
        ("input = [4]\nlayers = [{ linear = \"0\" }]", "list of 5 features"),
        ("layers = [{ linear = \"0\" }]", "add `input = [1, 28, 28]`"),
        ("input = [5]\nlayers = [{ residual = [\"relu\"], shortcut = 1 }]", "`shortcut` must be"),
        ("input = [5]\nlayers = [{ max_pool = 2, stride = -1 }]", "whole numbers"),
        ("input = [5]\nlayers = [{ conv = \"0\" }]", "a convolution has 3 or 4"),
    ];
    for (text, part) in cases {
        let file = folder.path().join("a.toml");
        std::fs::write(&file, text).unwrap();
        let options = LoadOptions { architecture: Some(file), ..LoadOptions::default() };
        let message = refusal(&path, &options);
        assert!(message.contains(part), "{text}: {message}");
    }
}

#[test]
fn weights_beside_an_onnx_model_are_read_from_beneath_its_folder() {
    use prost::Message as _;
    use spikeloom::snn_convert::source::onnx::message::{ModelProto, StringStringEntryProto};
    let path = data("front_ends/onnx/sequence.ts_17.onnx");
    let mut model = ModelProto::decode(std::fs::read(&path).unwrap().as_slice()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut outside = Vec::new();
    for tensor in &mut model.graph.as_mut().unwrap().initializer {
        let Some(raw) = tensor.raw_data.take().filter(|raw| !raw.is_empty()) else { continue };
        let entry = |key: &str, value: String| StringStringEntryProto {
            key: Some(key.to_owned()),
            value: Some(value),
        };
        tensor.external_data = vec![
            entry("location", "weights.bin".to_owned()),
            entry("offset", outside.len().to_string()),
            entry("length", raw.len().to_string()),
        ];
        tensor.data_location = Some(1);
        outside.extend(raw);
    }
    std::fs::write(folder.path().join("weights.bin"), &outside).unwrap();
    let file = folder.path().join("model.onnx");
    std::fs::write(&file, model.encode_to_vec()).unwrap();
    assert_eq!(load(&file), load(&path));
    let change = |key: &str, value: &str| {
        let mut model = model.clone();
        let tensors = &mut model.graph.as_mut().unwrap().initializer;
        let tensor = tensors.iter_mut().find(|tensor| !tensor.external_data.is_empty()).unwrap();
        let entries = &mut tensor.external_data;
        entries.iter_mut().find(|e| e.key.as_deref() == Some(key)).unwrap().value =
            Some(value.to_owned());
        let file = folder.path().join("changed.onnx");
        std::fs::write(&file, model.encode_to_vec()).unwrap();
        refusal(&file, &LoadOptions::default())
    };
    assert!(change("location", "../weights.bin").contains("only files beneath"));
    assert!(change("location", "/etc/hostname").contains("only files beneath"));
    assert!(change("location", "missing.bin").contains("cannot be read"));
    assert!(change("offset", "999999").contains("which has"));
    assert!(change("offset", "-4").contains("no number"));
    assert!(change("length", "8").contains("but its extents need"));
}

#[test]
fn files_of_other_kinds_are_named() {
    let message = refusal(&data("nir/README.md"), &LoadOptions::default());
    assert!(message.contains("README.md"), "{message}");
    let message = refusal(&data("front_ends/onnx/axes.npz"), &LoadOptions::default());
    assert!(message.contains("numpy arrays") && message.contains("Keras .h5"), "{message}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.tflite");
    std::fs::write(&file, b"\x1c\0\0\0TFL3\x14\0\x20\0\x1c\0\x18\0").unwrap();
    let message = refusal(&file, &LoadOptions::default());
    for part in ["TensorFlow Lite", "tf2onnx", "model.save('model.h5')", "model.tflite"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn a_guess_takes_the_input_shape_that_is_given() {
    let guess = |case: &str, shape: &[usize]| {
        let path = data(&format!("front_ends/weights/{case}.pt"));
        let input_shape = Some(shape.to_vec());
        let options = LoadOptions { accept_guess: true, input_shape, ..LoadOptions::default() };
        load_model(&path, &options)
    };
    let free = LoadOptions { accept_guess: true, ..LoadOptions::default() };
    let guessed = load_model(&data("front_ends/weights/plain.pt"), &free).unwrap();
    let shape = guessed.input_shape().extents().to_vec();
    assert_eq!(guess("plain", &shape).unwrap(), guessed);
    // A dense network takes its list in any shape of as many values.
    let graph = guess("mlp", &[1, 5]).unwrap();
    assert_eq!(graph.input_shape().extents(), [1, 5]);
    check("mlp", &graph, &data("front_ends/weights/mlp.npz"), TOLERANCE);
    // What does not fit is said of the shape that was given, and none is asked for.
    let cases: [(&str, &[usize], &str); 3] = [
        ("mlp", &[2, 3], "takes 5 values, which samples of the given shape 2 × 3 do not have"),
        ("plain", &[7, 8, 8], "channels, so a sample's shape is"),
        ("plain", &[shape[0], 3, 500], "with samples of the given shape"),
    ];
    for (case, shape, part) in cases {
        let message = guess(case, shape).unwrap_err().to_string();
        assert!(message.contains(part) && message.contains("--architecture"), "{message}");
        assert!(!message.contains("--input-shape"), "{message}");
    }
}
