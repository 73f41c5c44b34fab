//! Trained networks from files: one door for all formats.

mod folder;
mod keras;

use crate::error::Error;
use crate::model_io::sniff::{self, Format};
use crate::snn_convert::ann::AnnGraph;
use crate::snn_convert::source::weights::StateDict;
use crate::snn_convert::source::{architecture, onnx, pytorch, safetensors};
use folder::Folder;
use std::path::{Path, PathBuf};

pub use keras::layers_of;

/// Elements of all constants of an ONNX file that are filled with one number: the weights of the largest usual
/// networks (VGG-19: 144 million) fit, and a few bytes of a file cannot ask for more than 1 GiB.
const MOST_FILLED: usize = 1 << 28;

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
/// ONNX and Keras files say how their network is built. Files of tensors (PyTorch state dicts,
/// safetensors) need an architecture file, or the leave to guess.
///
/// # Errors
/// [`Error`] naming the file; for a file of another kind, what it is and what to do with it.
/// [`Error::NeedsArchitecture`] for tensors alone, with what would be guessed.
pub fn load_model(path: &Path, options: &LoadOptions) -> Result<AnnGraph, Error> {
    let read = |error: std::io::Error| Error::Read { path: path.into(), reason: error.to_string() };
    let format = sniff::detect(path).map_err(read)?;
    let bytes = || std::fs::read(path).map_err(read);
    let graph = match format {
        Format::Onnx | Format::Unknown => {
            let folder = Folder::of(path);
            let input_shape = options.input_shape.as_deref();
            let own = onnx::OnnxOptions { external: &folder, input_shape, filled: MOST_FILLED };
            onnx::read_with(&bytes()?, &own).map_err(Error::from)
        }
        Format::Keras => keras::read(path),
        Format::PyTorch => {
            let tensors = pytorch::read(&bytes()?).map_err(Error::from);
            tensors.and_then(|tensors| with_architecture(&tensors, options))
        }
        Format::Safetensors => {
            let tensors = safetensors::read(&bytes()?).map_err(Error::from);
            tensors.and_then(|tensors| with_architecture(&tensors, options))
        }
        other => {
            return Err(Error::WrongFormat {
                path: path.into(),
                found: other.description().to_string(),
                needed: "a trained network is needed here (ONNX, PyTorch state dict, safetensors \
                         or Keras .h5)",
            });
        }
    };
    graph.map_err(|error| match error {
        located @ (Error::InFile { .. } | Error::Read { .. }) => located,
        other => other.in_file(path),
    })
}

/// Tensors as a network: by an architecture file, or by a guess.
fn with_architecture(tensors: &StateDict, options: &LoadOptions) -> Result<AnnGraph, Error> {
    let Some(file) = &options.architecture else {
        let guess = architecture::guess(tensors, options.input_shape.as_deref())?;
        if !options.accept_guess {
            return Err(Error::NeedsArchitecture { lines: guess.lines });
        }
        return Ok(architecture::build(&guess.architecture, tensors)?);
    };
    let text = std::fs::read_to_string(file)
        .map_err(|error| Error::Read { path: file.clone(), reason: error.to_string() })?;
    let mut found =
        architecture::parse(&text).map_err(|error| Error::from(error).in_file(file.as_path()))?;
    if found.input.is_none() {
        found.input.clone_from(&options.input_shape);
    }
    Ok(architecture::build(&found, tensors)?)
}
