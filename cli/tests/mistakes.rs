//! The built command on bad input: the exit code, the place, and what to do about it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

mod binary;

use binary::{DIGITS_DATA, DIGITS_MODEL, Folder, NETWORK, json, root, run};
use std::io::Read;
use std::process::{Command, Stdio};

/// Runs for people and for machines; both end with the code and say all the words.
fn refused(arguments: &[&str], code: i32, kind: &str, words: &[&str]) {
    let text = run(arguments);
    assert_eq!(text.code, code, "{arguments:?}: {}", text.err);
    assert_eq!(text.out, "", "{arguments:?}");
    // Lines are broken where they get long.
    let flat = text.err.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ");
    let object = json(&[arguments, &["--json"]].concat(), code);
    let message = object["error"].to_string();
    for word in words {
        assert!(flat.contains(word), "{arguments:?}: `{word}` is not in {flat}");
        assert!(message.contains(&word.replace('"', "\\\"")), "{arguments:?}: {message}");
    }
    assert_eq!(object["error"]["kind"], kind, "{message}");
    assert_eq!(object["error"]["exit_code"], code, "{message}");
}

#[test]
fn unknown_names_come_with_what_is_known_and_the_nearest() {
    let folder = Folder::new();
    let network = folder.network();
    let unknown = |arguments: &[&str], words: &[&str]| refused(arguments, 2, "unknown_name", words);
    unknown(&["list", "chip"], &["did you mean `chips`?", "models"]);
    unknown(
        &["simulate", &network, "--duration", "1 ms", "--engine", "clok"],
        &["no engine `clok`", "did you mean `clock`?", "event"],
    );
    unknown(&["map", &network, "--chip", "loihi3"], &["no chip `loihi3`", "loihi2"]);
    unknown(&["map", &network, "--placer", "row"], &["no placer `row`", "row_major"]);
    unknown(&["bench", "brunell"], &["did you mean `brunel`?"]);
    unknown(&["verify", "lave", &network], &["did you mean `lava`?"]);
    let out = folder.path("out.nir");
    unknown(&["export", &network, "--format", "nri", "--out", &out], &["did you mean `nir`?"]);
    unknown(
        &["convert", DIGITS_MODEL, "--calibrate", DIGITS_DATA, "--method", "rat"],
        &["did you mean `rate`?", "hard_reset"],
    );
}

#[test]
fn wrong_usage_ends_with_2() {
    let folder = Folder::new();
    let network = folder.network();
    let usage = |arguments: &[&str], words: &[&str]| refused(arguments, 2, "usage", words);
    usage(&["simulat"], &["simulate"]);
    usage(&["simulate", &network], &["--duration"]);
    let precise = ["simulate", &network, "--duration", "1 s", "--precision"];
    let half = [&precise[..], &["half"]].concat();
    refused(&half, 2, "unknown_name", &["single", "double"]);
    let exact = [&precise[..], &["single", "--engine", "event"]].concat();
    usage(&exact, &["the engine `event` computes in double precision alone"]);
    usage(&["simulate", &network, "--duration", "1 mV"], &["it is a potential"]);
    usage(&["simulate", &network, "--duration", "1 s", "--threads", "0"], &["--threads 0"]);
    usage(&["convert", DIGITS_MODEL, "--early-stop", "1"], &["--test"]);
    usage(&["convert", DIGITS_MODEL, "--plan", "--steps", "4,2"], &["ascending"]);
    let out = folder.path("out.net");
    let export = ["export", DIGITS_MODEL, "--format", "netx", "--out", &out];
    usage(&export, &["samples", "--calibrate"]);
    usage(&["map", &network, "--calibrate", DIGITS_DATA], &["leave --calibrate out"]);
    usage(&["map", &network, "--method", "rate"], &["--calibrate too"]);
    usage(&["bench", "silent", "--scale", "0"], &["--scale 0"]);
}

#[test]
fn damaged_and_wrong_files_end_with_3_and_are_named() {
    let folder = Folder::new();
    let network = folder.network();
    let model = std::fs::read(DIGITS_MODEL).unwrap();
    let truncated = folder.write("truncated.onnx", &model[..model.len() / 2]);
    refused(&["convert", &truncated, "--plan"], 3, "onnx", &["truncated.onnx", "cut off"]);
    refused(&["inspect", &truncated], 3, "onnx", &["truncated.onnx"]);
    let wrong = |arguments: &[&str], words: &[&str]| refused(arguments, 3, "wrong_format", words);
    wrong(
        &["convert", DIGITS_DATA, "--plan"],
        &["archive of numpy arrays", "a trained network is needed"],
    );
    wrong(&["simulate", DIGITS_MODEL, "--duration", "1 s"], &["an ONNX model", "TOML is needed"]);
    let unknown = folder.write("some.bin", &[0xff, 0xd8, 0xff]);
    wrong(&["inspect", &unknown], &["some.bin", "not known"]);
    refused(&["inspect", &folder.path("nowhere")], 3, "read", &["nowhere", "cannot read"]);
    wrong(
        &["compare", &network, &network],
        &["a network description", "a recording of spikes is needed"],
    );
    refused(&["verify", "lava", &network], 3, "recorded_case", &["network.toml"]);
    let images = root("tests/data/models/lenet_mnist/expected.npz");
    let wrong_size = ["convert", DIGITS_MODEL, "--calibrate", &images];
    refused(&wrong_size, 3, "data", &["expected.npz", "784 values", "[1, 8, 8] (64 values)"]);
    for content in [&b"name = \"a text\"\n"[..], b""] {
        let text = folder.write("text.net", content);
        let map = ["map", &text];
        refused(&map, 3, "netx", &["text.net", "not an HDF5 file"]);
    }
    let damaged = folder.write("map.json", b"{\"format\": \"spikeloom.core_map\"");
    refused(&["inspect", &damaged], 3, "read", &["map.json", "damaged JSON"]);
}

#[test]
fn a_mistake_in_a_network_file_is_shown_in_its_line() {
    let folder = Folder::new();
    let text = NETWORK.replace("model = \"lif_delta\"", "model = \"lif_delt\"");
    let network = folder.write("spoiled.toml", text.as_bytes());
    let arguments = ["simulate", &network, "--duration", "1 ms"];
    let shown = run(&arguments);
    assert_eq!(shown.code, 3);
    let line = text.lines().position(|line| line.contains("lif_delt")).unwrap() + 1;
    assert!(shown.err.contains(&format!("{line} │ model = \"lif_delt\"")), "{}", shown.err);
    assert!(shown.err.contains("spoiled.toml:") && shown.err.contains("help:"), "{}", shown.err);
    assert!(shown.err.contains("did you mean `lif_delta`?"), "{}", shown.err);

    let object = json(&[&arguments[..], &["--json"]].concat(), 3);
    assert_eq!(object["error"]["kind"], "network_file");
    let problem = &object["error"]["problems"][0];
    assert_eq!(problem["line"], line);
    assert!(problem["code"].is_string() && problem["help"].is_string(), "{problem}");
}

#[test]
fn warnings_are_shown_and_do_not_stop() {
    let folder = Folder::new();
    let text = NETWORK.to_string()
        + "\n[populations.alone]\nsize = 1\nmodel = \"lif_delta\"\n\
        spike = \"at_or_above\"\nreset = { to = \"-70 mV\" }\nrefractory_input = \"lost\"\n";
    let network = folder.write("warned.toml", text.as_bytes());
    let arguments = ["simulate", &network, "--duration", "1 ms"];
    let shown = run(&arguments);
    assert_eq!(shown.code, 0, "{}", shown.err);
    assert!(shown.err.contains("not-driven"), "{}", shown.err);
    let object = json(&[&arguments[..], &["--json"]].concat(), 0);
    assert_eq!(object["warnings"][0]["code"], "not-driven");
}

#[test]
fn files_are_overwritten_only_with_force() {
    let folder = Folder::new();
    let network = folder.network();
    let out = folder.write("spikes.h5", b"mine");
    let arguments = ["simulate", &network, "--duration", "1 ms", "--spikes", &out];
    refused(&arguments, 2, "write", &["spikes.h5 exists", "--force"]);
    assert_eq!(std::fs::read(&out).unwrap(), b"mine");
    assert_eq!(run(&[&arguments[..], &["--force"]].concat()).code, 0);
    assert_ne!(std::fs::read(&out).unwrap(), b"mine");
    let nowhere = folder.path("nowhere/spikes.h5");
    let arguments = ["simulate", &network, "--duration", "1 ms", "--spikes", &nowhere];
    refused(&arguments, 2, "write", &["there is no folder"]);
}

#[test]
fn networks_that_do_not_fit_are_refused_before_they_are_built() {
    refused(&["bench", "brunel", "--scale", "1000"], 3, "too_large", &["are free", "synapses"]);
    let folder = Folder::new();
    let text = NETWORK
        .replace("size = 40\n", "size = 1000000\n")
        .replace("size = 10\n", "size = 1000000\n")
        .replace("rule = \"all_to_all\"", "rule = \"fixed_probability\"\nprobability = 1.0");
    let network = folder.write("huge.toml", text.as_bytes());
    let arguments = ["simulate", &network, "--duration", "1 ms"];
    refused(&arguments, 3, "too_large", &["1000000000000 synapses"]);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_spikeloom"))
        .args(["list", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let status = child.wait().unwrap();
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!((status.code(), err.as_str()), (Some(0), ""));
}
