//! Everything that can go wrong on the way from a file to a report.

use crate::{loihi_export, model_io, sim_core, snn_convert};
use std::path::PathBuf;

/// Why a pipeline stage failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read.
    #[error("cannot read {}: {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// A file that holds something else than what is needed.
    #[error("{} is {found}; {needed}", path.display())]
    WrongFormat {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: String,
        /// What is needed.
        needed: &'static str,
    },
    /// Something is wrong inside a file.
    #[error("{}: {error}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: Box<Error>,
    },
    /// A network file with problems, each located in the text.
    #[error("{}", problems.render(text))]
    NetworkFile {
        /// The file.
        path: PathBuf,
        /// The text.
        text: String,
        /// What is wrong, and where.
        problems: model_io::network_file::LocatedProblems,
    },
    /// A name that is not in a registry.
    #[error("there is no {what} `{name}`; {known}")]
    Unknown {
        /// What kind of name.
        what: &'static str,
        /// The name.
        name: String,
        /// What there is.
        known: String,
    },
    /// Something that only the combination of arguments makes wrong.
    #[error("{0}")]
    Usage(String),
    /// An ONNX model.
    #[error(transparent)]
    Onnx(#[from] snn_convert::source::onnx::OnnxError),
    /// A trained network.
    #[error(transparent)]
    Ann(#[from] snn_convert::ann::AnnError),
    /// A conversion.
    #[error(transparent)]
    Convert(#[from] snn_convert::convert::ConvertError),
    /// Showing samples to a network.
    #[error(transparent)]
    Fidelity(#[from] snn_convert::fidelity::FidelityError),
    /// A network description.
    #[error(transparent)]
    Invalid(#[from] sim_core::diagnostics::Problems),
    /// A network that does not fit.
    #[error(transparent)]
    Compile(#[from] sim_core::connectome::CompileError),
    /// An engine.
    #[error(transparent)]
    Engine(#[from] sim_core::engine::EngineError),
    /// Quantising.
    #[error(transparent)]
    Quantise(#[from] loihi_export::quantise::QuantiseError),
    /// The fixed-point engine.
    #[error(transparent)]
    Emulator(#[from] loihi_export::emulator::EmulatorError),
    /// A chip description.
    #[error(transparent)]
    Chip(#[from] loihi_export::chip::ChipError),
    /// A chip description without a figure that mapping needs.
    #[error(transparent)]
    MissingFigure(#[from] loihi_export::mapping::MissingFigure),
    /// Mapping to cores.
    #[error(transparent)]
    Map(#[from] loihi_export::mapping::MapError),
    /// A mapping that breaks rules.
    #[error(transparent)]
    Check(#[from] loihi_export::check::CheckError),
    /// Numpy arrays.
    #[error(transparent)]
    Npz(#[from] model_io::npz::NpzError),
    /// Spike recordings.
    #[error(transparent)]
    Sonata(#[from] model_io::sonata::SonataError),
    /// NIR files.
    #[error(transparent)]
    Nir(#[from] model_io::nir::NirError),
    /// A network without NIR form.
    #[error(transparent)]
    NotInNir(#[from] model_io::nir::NotInNir),
    /// netx files.
    #[error(transparent)]
    Netx(#[from] loihi_export::export::netx::NetxError),
    /// Writing a file, with what prevented it.
    #[error("{0}")]
    Write(String),
    /// Verifying recorded data.
    #[error(transparent)]
    Verify(#[from] loihi_export::emulator::verify::VerifyError),
    /// Rendering a report.
    #[error(transparent)]
    Report(#[from] crate::report::ReportError),
    /// Writing machine-readable output.
    #[error("cannot write as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl Error {
    /// Puts the file's name before the error.
    #[must_use]
    pub fn in_file(self, path: impl Into<PathBuf>) -> Error {
        Error::InFile { path: path.into(), error: Box::new(self) }
    }
}

impl<E: std::fmt::Display> From<model_io::atomic::AtomicWriteError<E>> for Error {
    fn from(error: model_io::atomic::AtomicWriteError<E>) -> Self {
        Error::Write(error.to_string())
    }
}
