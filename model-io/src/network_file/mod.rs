//! Networks as text that a person writes by hand (TOML), with errors that point into the file.
//!
//! The file says what [`sim_core::network`] says, under the same names: `dt`, `seed` and `name` at
//! the top, then one table for each population, projection, stimulus and probe. Every quantity
//! carries its unit.
//!
//! ```
//! use model_io::network_file;
//!
//! let text = r#"
//! dt = "0.1 ms"
//!
//! [populations.cell]
//! size = 1
//! model = "lif_delta"
//! spike = "at_or_above"
//! reset = { to = "-70 mV" }
//! refractory_input = "lost"
//!
//! [stimuli.direct_current]
//! kind = "constant_current"
//! population = "cel"
//! amplitude = "500 pA"
//! "#;
//! let problems = network_file::read_and_validate(text).unwrap_err();
//! assert_eq!(problems.0[0].line, 13);
//! assert!(problems.render(text).contains("did you mean `cell`?"));
//!
//! let (network, valid) = network_file::read_and_validate(&text.replace("cel\"", "cell\"")).unwrap();
//! assert_eq!(valid.neuron_count(), 1);
//! let written = network_file::write(&network).unwrap();
//! assert_eq!(network_file::read(&written).unwrap(), network);
//! ```
//!
//! Syntax errors, wrong types and unknown keys are problems like those of validation: each has a
//! code, a path, a message, a help and a byte range, and all of them are returned at once (of the
//! same entry only the first wrong type, and validation only of a file that could be read).

mod document;
mod explain;
mod files;
mod located;
mod read;
#[cfg(test)]
mod tests;

pub use located::{LocatedProblem, LocatedProblems};

use document::Document;
use sim_core::diagnostics::{Problem, Severity};
use sim_core::network::{Network, ValidNetwork};
use std::path::Path;

/// Longest text that is read or written, in bytes. Larger networks belong into a binary format.
pub const MOST_BYTES: usize = 16 << 20;

/// Why a network cannot be written as text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkWriteError {
    /// The text would be too long to be read again.
    #[error(
        "the network takes {bytes} bytes as text, at most {most} are read back; use a binary format"
    )]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The most that are allowed.
        most: usize,
    },
    /// Something that TOML cannot say.
    #[error("the network cannot be written as TOML: {reason}")]
    Unwritable {
        /// What the writer said.
        reason: String,
    },
}

/// Reads a network without validating it.
///
/// # Errors
/// All syntax errors, else all wrong types, missing and unknown keys, with their places.
pub fn read(text: &str) -> Result<Network, LocatedProblems> {
    read_document(text).map(|(network, _)| network)
}

/// Reads and validates a network.
///
/// # Errors
/// As [`read`], else all problems of [`Network::validate`] with their places, warnings included unless
/// a population is named wrongly. A valid network keeps its warnings.
pub fn read_and_validate(text: &str) -> Result<(Network, ValidNetwork), LocatedProblems> {
    let (network, document) = read_document(text)?;
    match network.validate() {
        Ok(valid) => Ok((network, valid)),
        Err(problems) => Err(document.locate_all(without_rash_warnings(problems.0))),
    }
}

/// Leaves warnings out where a name of a population is wrong: its projection or stimulus then seems
/// to reach nobody, and a population that is meant by it seems unused.
fn without_rash_warnings(mut problems: Vec<Problem>) -> Vec<Problem> {
    if problems.iter().any(|problem| problem.code == "unknown-population") {
        problems.retain(|problem| problem.severity == Severity::Error);
    }
    problems
}

/// Reads and validates a network whose synapses and spikes may lie in files beside it: paths in the
/// text are relative to `directory`.
///
/// # Errors
/// As [`read_and_validate`]; a file that cannot be read is a problem at its path.
pub fn read_and_validate_in(
    text: &str,
    directory: &Path,
) -> Result<(Network, ValidNetwork), LocatedProblems> {
    let (mut network, document) = read_document(text)?;
    let unread = files::load(&mut network, directory);
    let mut problems = match network.validate() {
        Ok(valid) if unread.is_empty() => return Ok((network, valid)),
        Ok(valid) => valid.warnings().to_vec(),
        Err(problems) => without_rash_warnings(problems.0),
    };
    // What the reader says of a file says more than that it was not read.
    problems.retain(|problem| problem.code != "file-not-read");
    problems.extend(unread);
    Err(document.locate_all(problems))
}

/// Finds the places of problems in the text that the network was read from, for example of the
/// warnings of a [`ValidNetwork`].
pub fn locate(text: &str, problems: Vec<Problem>) -> LocatedProblems {
    match text.len() <= MOST_BYTES {
        true => Document::parse(text).0.locate_all(problems),
        false => Document::empty().locate_all(problems),
    }
}

/// Writes a network as text that [`read`] turns into an equal network.
///
/// # Errors
/// [`NetworkWriteError`].
pub fn write(network: &Network) -> Result<String, NetworkWriteError> {
    let text = toml::to_string(network)
        .map_err(|error| NetworkWriteError::Unwritable { reason: error.to_string() })?;
    let bytes = text.len();
    match bytes <= MOST_BYTES {
        true => Ok(text),
        false => Err(NetworkWriteError::TooLarge { bytes, most: MOST_BYTES }),
    }
}

fn read_document(text: &str) -> Result<(Network, Document<'_>), LocatedProblems> {
    if text.len() > MOST_BYTES {
        return Err(Document::empty().locate_all(vec![Problem {
            severity: Severity::Error,
            code: "file-too-large",
            path: String::new(),
            message: format!("the file has {} bytes", text.len()),
            help: format!(
                "at most {MOST_BYTES} bytes are read as text; use a binary format for long lists"
            ),
        }]));
    }
    let (document, errors) = Document::parse(text);
    if !errors.is_empty() {
        return Err(document.syntax_problems(&errors));
    }
    match read::network(&document) {
        Ok(network) => Ok((network, document)),
        Err(problems) => Err(problems),
    }
}
