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
    /// A network that does not fit a chip, with what would help.
    #[error("{error}\n{remedies}")]
    DoesNotFit {
        /// What does not fit.
        error: Box<Error>,
        /// The smallest changes with which it fits.
        remedies: String,
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
    /// Samples or labels.
    #[error(transparent)]
    Data(#[from] crate::data::DataError),
    /// An ONNX model.
    #[error(transparent)]
    Onnx(#[from] snn_convert::source::onnx::OnnxError),
    /// A model of another format.
    #[error(transparent)]
    Source(#[from] snn_convert::source::SourceError),
    /// Tensors that do not say how their network is built.
    #[error(
        "the file holds tensors alone; how they belong together is not in it. This would fit:\n\n  \
         {}\n\nIf that is the network, say --accept-guess; if not, save these lines as a file, \
         correct them, and give it with --architecture",
        .lines.join("\n  ")
    )]
    NeedsArchitecture {
        /// What would be guessed: comments and an architecture file.
        lines: Vec<String>,
    },
    /// A file's content that no other variant describes.
    #[error("{0}")]
    Content(String),
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
    /// Tables of spikes or synapses.
    #[error(transparent)]
    Tables(#[from] model_io::edges::EdgesError),
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

/// Who has to do something about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// Nobody: the answer is that something does not fit its budget.
    Finding,
    /// Whoever chose the arguments, and the place for what is written.
    Usage,
    /// Whoever made the input.
    Input,
}

impl Error {
    /// A stable name of the kind of error, for machine-readable output.
    pub fn kind(&self) -> &'static str {
        match self {
            Error::InFile { error, .. } => match error.as_ref() {
                // A file's content is no wrong argument.
                Error::Usage(_) => "content",
                inner => inner.kind(),
            },
            Error::DoesNotFit { error, .. } => error.kind(),
            Error::Read { .. } => "read",
            Error::WrongFormat { .. } => "wrong_format",
            Error::NetworkFile { .. } => "network_file",
            Error::Unknown { .. } | Error::Chip(loihi_export::chip::ChipError::Unknown { .. }) => {
                "unknown_name"
            }
            Error::Usage(_) => "usage",
            Error::Data(_) => "data",
            Error::Onnx(snn_convert::source::onnx::OnnxError::Unsupported(_)) => "unsupported",
            Error::Onnx(_) => "onnx",
            Error::Source(snn_convert::source::SourceError::Unsupported(_)) => "unsupported",
            Error::Source(_) => "trained_network_file",
            Error::NeedsArchitecture { .. } => "needs_architecture",
            Error::Content(_) => "content",
            Error::Ann(_) => "trained_network",
            Error::Convert(_) => "conversion",
            Error::Fidelity(_) => "samples",
            Error::Invalid(_) => "invalid_network",
            Error::Compile(_) => "too_large",
            Error::Engine(_) => "engine",
            Error::Quantise(_) => "quantise",
            Error::Emulator(_) => "fixed_point",
            Error::Chip(_) | Error::MissingFigure(_) => "chip",
            Error::Map(_) => "mapping",
            Error::Check(_) => "check",
            Error::Npz(_) => "npz",
            Error::Sonata(_) => "sonata",
            Error::Tables(_) => "table",
            Error::Nir(_) | Error::NotInNir(_) => "nir",
            Error::Netx(loihi_export::export::netx::NetxError::Write(_)) | Error::Write(_) => {
                "write"
            }
            Error::Netx(_) => "netx",
            Error::Verify(_) => "recorded_case",
            Error::Report(_) => "report",
            Error::Json(_) => "json",
        }
    }

    /// Who has to do something about it.
    pub fn class(&self) -> ErrorClass {
        use loihi_export::mapping::MapError;
        use loihi_export::partition::PartitionError;
        use snn_convert::convert::ConvertError;
        use snn_convert::method::MethodError;
        match self {
            Error::DoesNotFit { error, .. } => error.class(),
            Error::InFile { error, .. } => match error.class() {
                ErrorClass::Finding => ErrorClass::Finding,
                _ => ErrorClass::Input,
            },
            Error::Map(MapError::Partition(
                PartitionError::DoesNotFit { .. }
                | PartitionError::Cores { .. }
                | PartitionError::Several { .. },
            )) => ErrorClass::Finding,
            Error::Convert(ConvertError::Method(MethodError::Code { .. }))
            | Error::Fidelity(snn_convert::fidelity::FidelityError::Steps)
            | Error::Engine(_) => ErrorClass::Usage,
            Error::Chip(loihi_export::chip::ChipError::Figure { .. }) => ErrorClass::Usage,
            _ => match self.kind() {
                "usage" | "unknown_name" | "write" => ErrorClass::Usage,
                _ => ErrorClass::Input,
            },
        }
    }

    /// The innermost error, with the file that it is in.
    pub fn located(&self) -> (Option<&std::path::Path>, &Error) {
        match self {
            Error::InFile { path, error } => match error.located() {
                (None, inner) => (Some(path), inner),
                found => found,
            },
            Error::Read { path, .. }
            | Error::WrongFormat { path, .. }
            | Error::NetworkFile { path, .. } => (Some(path), self),
            _ => (None, self),
        }
    }

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
