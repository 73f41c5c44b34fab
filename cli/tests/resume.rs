//! Runs that are killed or stopped and go on: they end with the files of a run that was never stopped.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

mod binary;

use binary::{Folder, NETWORK, json, run};
use spikeloom::model_io::checkpoint::read_file;
use spikeloom::model_io::hdf5;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// [`NETWORK`] with learning among the cells, and probes of everything.
const LEARNING: &str = r#"
[projections.learning]
source = "cell"
target = "cell"
weight = "1 mV"
delay = "1.5 ms"
[projections.learning.connectivity]
rule = "fixed_probability"
probability = 0.4
autapses = true
[projections.learning.plasticity]
rule = "stdp_additive"
parameters = { largest_weight = "3 mV" }

[probes.cell]
population = "cell"
variable = "spikes"

[probes.potential]
population = "cell"
variable = "membrane_potential"
interval = "5 ms"

[probes.strength]
projection = "learning"
variable = "weights"
interval = "25 ms"
"#;

const DURATION: &str = "1500 ms";

fn network(folder: &Folder) -> String {
    folder.write("network.toml", format!("{NETWORK}{LEARNING}").as_bytes())
}

/// The command with its outputs under `name`.
fn arguments(
    folder: &Folder,
    name: &str,
    format: &str,
    engine: &str,
    more: &[&str],
) -> Vec<String> {
    let (record, checkpoint) = (folder.path(name), folder.path(&format!("{name}.ckpt")));
    let network = network(folder);
    let given = [
        "simulate",
        &network,
        "--duration",
        DURATION,
        "--engine",
        engine,
        "--record",
        &record,
        "--format",
        format,
        "--checkpoint",
        &checkpoint,
        "--checkpoint-every",
        "20 ms",
        "--json",
    ];
    given.iter().chain(more).map(|argument| argument.to_string()).collect()
}

fn spawn(arguments: &[String]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spikeloom"));
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// The bytes of the last checkpoint, if there is one.
fn checkpoint(folder: &Folder, name: &str) -> Vec<u8> {
    std::fs::read(folder.path(&format!("{name}.ckpt"))).unwrap_or_default()
}

/// Starts the command and ends it by a signal once it has left a checkpoint other than `last`;
/// whether it was still running.
fn interrupted(folder: &Folder, name: &str, arguments: &[String], signal: &str) -> bool {
    let last = checkpoint(folder, name);
    let mut child = spawn(arguments);
    loop {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        if checkpoint(folder, name) != last {
            break;
        }
        std::thread::yield_now();
    }
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    let status = child.wait().unwrap();
    status.code() != Some(0)
}

fn run_all(arguments: &[String], code: i32) -> serde_json::Value {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    json(&arguments, code)
}

#[test]
fn a_killed_run_goes_on_and_ends_with_the_same_bytes() {
    let folder = Folder::new();
    for engine in ["clock", "event"] {
        let (whole, killed) = (format!("{engine} whole"), format!("{engine} killed"));
        let expected = run_all(&arguments(&folder, &whole, "csv", engine, &[]), 0);
        assert!(expected["recorded_spikes"].as_u64().unwrap() > 100, "{expected}");
        let resume = |threads| {
            arguments(&folder, &killed, "csv", engine, &["--resume", "--threads", threads])
        };
        let mut kills = 0;
        for threads in ["1", "2", "1"] {
            kills += usize::from(interrupted(&folder, &killed, &resume(threads), "-KILL"));
            // What is there is whole at any moment.
            read_file(Path::new(&folder.path(&format!("{killed}.ckpt")))).unwrap();
        }
        assert!(kills > 0, "the run was over before it could be killed");
        // What a killed process has not finished does not stay.
        let left = [
            format!("{killed}/.spikeloom-spikes.csv-aB3dE6.part"),
            format!(".spikeloom-{killed}.ckpt-aB3dE6.part"),
        ];
        left.iter().for_each(|name| std::fs::write(folder.path(name), b"half").unwrap());
        let found = run_all(&resume("2"), 0);
        left.iter().for_each(|name| assert!(!Path::new(&folder.path(name)).exists(), "{name}"));
        assert!(found["resumed_at_ms"].as_f64().unwrap() > 0.0);
        for key in ["spike_hash", "recorded_spikes", "spikes", "synaptic_operations", "populations"]
        {
            assert_eq!(found[key], expected[key], "{engine}: {key}");
        }
        for file in ["spikes.csv", "potential.csv", "strength.csv"] {
            let read =
                |name: &str| std::fs::read(Path::new(&folder.path(name)).join(file)).unwrap();
            assert!(read(&whole) == read(&killed), "{engine}: {file}");
            assert!(read(&whole).len() > 1000);
        }
        // The recording in progress alone gives the same files.
        let (recording, made) = (
            folder.path(&format!("{killed}.ckpt.recording")),
            folder.path(&format!("{killed} made")),
        );
        let analyse = ["analyse", &recording, "--record", &made, "--format", "csv", "--json"];
        assert_eq!(json(&analyse, 0)["files"].as_array().unwrap().len(), 3);
        for file in ["spikes.csv", "potential.csv", "strength.csv"] {
            let read = |folder: &str| std::fs::read(Path::new(folder).join(file)).unwrap();
            assert!(read(&made) == read(&folder.path(&whole)), "{engine}: {file}");
        }
        assert_eq!(run(&analyse).code, 2, "nothing is replaced unasked");
    }
}

#[test]
fn a_run_stopped_with_ctrl_c_leaves_valid_files_and_goes_on() {
    let folder = Folder::new();
    run_all(&arguments(&folder, "whole", "sonata", "clock", &[]), 0);
    let resume = arguments(&folder, "stopped", "sonata", "clock", &["--resume"]);
    assert!(interrupted(&folder, "stopped", &resume, "-INT"), "it was over before Ctrl-C");
    let read = |name: &str, file: &str, group: [&str; 2], array: &str| {
        let root = hdf5::open(&Path::new(&folder.path(name)).join(file)).unwrap();
        let group = root.group(group[0]).unwrap().group(group[1]).unwrap();
        group.read(array).unwrap().values.to_f64().unwrap()
    };
    let arrays = [
        ("spikes.h5", ["spikes", "cell"], "timestamps"),
        ("spikes.h5", ["spikes", "cell"], "node_ids"),
        ("potential.h5", ["report", "cell"], "data"),
        ("strength.h5", ["weights", "learning"], "data"),
    ];
    for (file, group, array) in arrays {
        let (part, whole) =
            (read("stopped", file, group, array), read("whole", file, group, array));
        assert!(part.len() < whole.len() && part[..] == whole[..part.len()], "{file} {array}");
    }
    run_all(&resume, 0);
    for (file, group, array) in arrays {
        assert_eq!(read("stopped", file, group, array), read("whole", file, group, array));
    }
}

#[test]
fn checkpoints_that_do_not_fit_are_refused_with_their_reason() {
    let folder = Folder::new();
    let network = network(&folder);
    let checkpoint = folder.path("run.ckpt");
    let simulate = |network: &str, duration: &str, more: &[&str]| {
        let given = ["simulate", network, "--duration", duration, "--checkpoint", &checkpoint];
        run(&[&given[..], more].concat())
    };
    let refused = |more: &[&str], network: &str, code: i32, part: &str| {
        let ran = simulate(network, "40 ms", more);
        assert_eq!(ran.code, code, "{more:?}: {}", ran.err);
        // Messages are broken into lines where they are wide.
        let words: Vec<&str> = ran.err.split_whitespace().filter(|&word| word != "│").collect();
        assert!(words.join(" ").contains(part), "{more:?}: {}", ran.err);
    };
    assert_eq!(
        simulate(&network, "20 ms", &["--resume"]).code,
        0,
        "where there is none, it begins"
    );
    refused(&[], &network, 2, "--resume to go on from it");
    refused(&["--resume", "--engine", "event"], &network, 3, "give --engine clock");
    refused(&["--resume", "--seed", "9"], &network, 3, "of another network");
    let other = format!("{NETWORK}{LEARNING}").replace("1 mV", "1.5 mV");
    let other = folder.write("other.toml", other.as_bytes());
    refused(&["--resume"], &other, 3, "of another network");
    let bytes = std::fs::read(&checkpoint).unwrap();
    std::fs::write(&checkpoint, &bytes[..bytes.len() - 9]).unwrap();
    refused(&["--resume"], &network, 3, "not written to its end");
    let mut damaged = bytes.clone();
    *damaged.last_mut().unwrap() ^= 1;
    std::fs::write(&checkpoint, &damaged).unwrap();
    refused(&["--resume"], &network, 3, "checksum differs");
    std::fs::write(&checkpoint, b"something else").unwrap();
    refused(&["--resume"], &network, 3, "does not begin as a checkpoint");
    std::fs::write(&checkpoint, &bytes).unwrap();
    let record = folder.path("records");
    refused(&["--resume", "--record", &record], &network, 2, "did not record to files");
    assert_eq!(simulate(&network, "40 ms", &["--resume"]).code, 0);
}

#[test]
fn all_that_probes_record_comes_in_every_format() {
    let folder = Folder::new();
    let network = network(&folder);
    for format in ["sonata", "npz", "csv"] {
        let (record, page) = (folder.path(format), folder.path(&format!("{format}.html")));
        let given = [
            "simulate",
            &network,
            "--duration",
            "200 ms",
            "--record",
            &record,
            "--format",
            format,
            "--html",
            &page,
            "--json",
        ];
        let report = json(&given, 0);
        assert_eq!(report["files"].as_array().unwrap().len(), 3);
        let left = std::fs::read_dir(&record).unwrap().count();
        assert_eq!(left, 3, "no recording in progress is left");
        let html = std::fs::read_to_string(&page).unwrap();
        for part in ["<svg", "Rates over time", "potential", "strength"] {
            assert!(html.contains(part), "{part}");
        }
        assert_eq!(run(&given).code, 2, "nothing is replaced unasked");
    }
    let unknown = ["simulate", &network, "--duration", "1 ms", "--record", "x", "--format", "mat"];
    let ran = run(&unknown);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("sonata") && ran.err.contains("mat"), "{}", ran.err);
}
