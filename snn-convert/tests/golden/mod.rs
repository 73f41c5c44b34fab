//! Reads the trained networks in `tests/data/models` and the answers that came with them.

use std::io::Cursor;
use std::path::{Path, PathBuf};

/// One exported network with images and its framework's answers.
pub struct Golden {
    /// Folder and file name.
    pub name: String,
    /// The ONNX file.
    pub onnx: Vec<u8>,
    /// Input samples, one after the other.
    pub samples: Vec<f32>,
    /// The framework's scores, 10 a sample.
    pub logits: Vec<f32>,
    /// The right classes.
    pub labels: Vec<u8>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/models")
}

/// The bytes of one exported network.
pub fn onnx(path: &str) -> Vec<u8> {
    std::fs::read(folder().join(path)).unwrap()
}

/// All exported networks, in alphabetical order.
pub fn all() -> Vec<Golden> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    for folder in folders {
        for file in ["model_ts.onnx", "model_dynamo.onnx"] {
            if folder.join(file).exists() {
                found.push(read(&folder, file));
            }
        }
    }
    found
}

fn read(folder: &Path, file: &str) -> Golden {
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    let largest = if name.starts_with("digits") { 16.0 } else { 255.0 };
    let archive = std::fs::read(folder.join("expected.npz")).unwrap();
    let images: Vec<u8> = array(&archive, "images");
    Golden {
        name: format!("{name}/{file}"),
        onnx: std::fs::read(folder.join(file)).unwrap(),
        samples: images.iter().map(|&value| f32::from(value) / largest).collect(),
        logits: array(&archive, "logits"),
        labels: array(&archive, "labels"),
    }
}

fn array<T: npyz::Deserialize>(archive: &[u8], name: &str) -> Vec<T> {
    let mut archive = zip::ZipArchive::new(Cursor::new(archive)).unwrap();
    let file = archive.by_name(&format!("{name}.npy")).unwrap();
    npyz::NpyFile::new(file).unwrap().into_vec().unwrap()
}
