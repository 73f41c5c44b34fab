//! Networks that people wrote, from paths.

use crate::error::Error;
use crate::model_io::atomic::write_bytes_atomically;
use crate::model_io::network_file::{self, LocatedProblems, MOST_BYTES};
use crate::model_io::sniff::{self, Format};
use crate::sim_core::network::{Network, ValidNetwork};
use std::io::Read;
use std::path::{Path, PathBuf};

/// A network file that is valid.
#[derive(Debug)]
pub struct NetworkFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
    /// The description.
    pub network: Network,
    /// The same, validated.
    pub valid: ValidNetwork,
}

impl NetworkFile {
    /// Warnings of validation, with their places in the text.
    pub fn warnings(&self) -> LocatedProblems {
        network_file::locate(&self.text, self.valid.warnings().to_vec())
    }
}

/// Reads and validates a network file.
///
/// # Errors
/// [`Error`] naming the file; [`Error::NetworkFile`] with all problems and their places.
pub fn read(path: &Path) -> Result<NetworkFile, Error> {
    let found = sniff::detect(path).map_err(|error| unreadable(path, &error))?;
    if !matches!(found, Format::Toml | Format::Unknown) {
        return Err(Error::WrongFormat {
            path: path.into(),
            found: found.description().to_string(),
            needed: "a network description in TOML is needed here",
        });
    }
    let text = read_text(path)?;
    let directory = path.parent().unwrap_or_else(|| Path::new("."));
    match network_file::read_and_validate_in(&text, directory) {
        Ok((network, valid)) => Ok(NetworkFile { path: path.into(), text, network, valid }),
        Err(problems) => Err(Error::NetworkFile { path: path.into(), text, problems }),
    }
}

/// Writes a network as text, whole or not at all.
///
/// # Errors
/// [`Error::Write`], also for networks that are too large for a text.
pub fn write(network: &Network, path: &Path, overwrite: bool) -> Result<(), Error> {
    let text = network_file::write(network).map_err(|error| Error::Write(error.to_string()))?;
    write_bytes_atomically(path, overwrite, text.as_bytes())?;
    Ok(())
}

/// Reads a text that is not longer than a network file may be.
///
/// # Errors
/// [`Error::Read`] where it cannot be read, is longer, or is not UTF-8.
pub fn read_text(path: &Path) -> Result<String, Error> {
    let file = std::fs::File::open(path).map_err(|error| unreadable(path, &error))?;
    let mut text = String::new();
    let limit = MOST_BYTES as u64 + 1;
    file.take(limit).read_to_string(&mut text).map_err(|error| unreadable(path, &error))?;
    match text.len() <= MOST_BYTES {
        true => Ok(text),
        false => Err(Error::Read {
            path: path.into(),
            reason: format!("it is longer than the {MOST_BYTES} bytes that are read as text"),
        }),
    }
}

/// The system's error with the file.
pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    Error::Read { path: path.into(), reason: error.to_string() }
}
