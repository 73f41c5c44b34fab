//! Trained networks from files: one door for all formats.

use crate::error::Error;
use crate::model_io::sniff::{self, Format};
use crate::snn_convert::ann::AnnGraph;
use crate::snn_convert::source::onnx;
use std::path::{Path, PathBuf};

/// What a file alone does not say about its network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// Architecture file (TOML) for files that hold only tensors (PyTorch state dicts,
    /// safetensors).
    pub architecture: Option<PathBuf>,
    /// Take the architecture that the tensors' names and shapes suggest, where no file is given.
    pub accept_guess: bool,
    /// Shape of one sample, batch axis left out, where neither file nor architecture state it.
    pub input_shape: Option<Vec<usize>>,
}

/// Reads a trained network; the content of the file decides how.
///
/// # Errors
/// [`Error`] naming the file; for a file of another kind, what it is and what to do with it.
pub fn load_model(path: &Path, options: &LoadOptions) -> Result<AnnGraph, Error> {
    let _ = options;
    let read = |error: std::io::Error| Error::Read { path: path.into(), reason: error.to_string() };
    let format = sniff::detect(path).map_err(read)?;
    if !matches!(format, Format::Onnx | Format::Unknown) {
        return Err(Error::WrongFormat {
            path: path.into(),
            found: format.description().to_string(),
            needed: "a trained network as ONNX is needed here",
        });
    }
    let bytes = std::fs::read(path).map_err(read)?;
    onnx::read(&bytes).map_err(|error| Error::from(error).in_file(path))
}
