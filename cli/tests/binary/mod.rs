//! Running the built command.
#![allow(dead_code, reason = "each test file uses its part")]

use serde_json::Value;
use std::process::Command;

/// The demo's network and data: 1797 images of 64 pixels from 0 to 16, with labels.
pub const DIGITS_MODEL: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/models/digits_cnn/model_ts.onnx");
/// 200 of those images with labels and with the logits that PyTorch gives.
pub const DIGITS_DATA: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/models/digits_cnn/expected.npz");

/// 40 random sources that drive 10 cells.
pub const NETWORK: &str = r#"name = "small"
dt = "0.1 ms"

[populations.input]
size = 40
model = "spike_source"

[populations.cell]
size = 10
model = "lif_delta"
spike = "at_or_above"
reset = { to = "-70 mV" }
refractory_input = "lost"

[projections.wires]
source = "input"
target = "cell"
weight = "2 mV"
delay = "1.5 ms"
[projections.wires.connectivity]
rule = "all_to_all"
autapses = true

[stimuli.noise]
kind = "poisson"
population = "input"
rate = "50 Hz"
"#;

/// What a run left.
pub struct Ran {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// Runs the command.
pub fn run(arguments: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_spikeloom")).args(arguments).output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs the command and parses its one object; nothing else may stand on standard output.
pub fn json(arguments: &[&str], code: i32) -> Value {
    let ran = run(arguments);
    assert_eq!(ran.code, code, "{arguments:?}: {} {}", ran.out, ran.err);
    let value: Value = serde_json::from_str(&ran.out)
        .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}", ran.out));
    assert!(value.is_object(), "{arguments:?}");
    value
}

/// A file of the repository.
pub fn root(path: &str) -> String {
    format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"))
}

/// A folder that goes away with its test.
pub struct Folder(tempfile::TempDir);

impl Folder {
    /// An empty folder.
    pub fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_string()
    }

    /// Writes a file.
    pub fn write(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// [`NETWORK`] as a file.
    pub fn network(&self) -> String {
        self.write("network.toml", NETWORK.as_bytes())
    }
}
