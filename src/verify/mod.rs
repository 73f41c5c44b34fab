//! Recorded runs of other tools against our engines.

use crate::error::{Error, ErrorClass};
use crate::lists::named;
use crate::loihi_export::emulator::verify::{
    CaseOutcome, CaseReport, verify_lava_case, verify_netx_case,
};
use crate::loihi_export::export::netx::NetxOptions;
use crate::loihi_export::recorded::verify_mapping_case;
use crate::model_io::nir::dialect::Stated;
use crate::nest::{Measured, RecordingError, verify_nest_case};
use crate::network_files::unreadable;
use crate::progress::Progress;
use serde::Serialize;
use std::path::{Path, PathBuf};

mod nir;

/// A tool whose recordings can be checked.
pub struct VerifySource {
    /// Name on the command line.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// Whether a file in a folder is a case, by its name and what lies beside it.
    pub is_case: fn(&Path) -> bool,
    /// Checks one case.
    pub verify: fn(&Path, &VerifyOptions) -> Result<VerifiedCase, Error>,
}

/// What became of a case, and by how much it differs where values are no integers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VerifiedCase {
    /// Name, process and outcome.
    #[serde(flatten)]
    pub report: CaseReport,
    /// The largest differences.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measured>,
}

impl From<CaseReport> for VerifiedCase {
    fn from(report: CaseReport) -> Self {
        VerifiedCase { report, measured: None }
    }
}

impl std::fmt::Display for VerifiedCase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some(measured) = &self.measured else {
            return write!(f, "{}", self.report);
        };
        if let CaseOutcome::Equal { .. } = self.report.outcome {
            return write!(f, "{}: agrees, {}: {measured}", self.report.name, self.report.process);
        }
        write!(f, "{}; {measured}", self.report)
    }
}

/// What recordings leave open, stated by the caller.
#[derive(Debug, Clone, Default)]
pub struct VerifyOptions {
    /// How netx was run: resets, message bits, cuts of resonators.
    pub netx: NetxOptions,
    /// Whether netx files and NIR graphs that break their specification are read where a meaning
    /// can be given.
    pub lenient: bool,
    /// Dialect of NIR graphs; that of the file's name where none is stated.
    pub dialect: Option<String>,
    /// Conventions of NIR graphs in place of the dialect's.
    pub stated: Stated,
}

/// All tools whose recordings can be checked.
pub static SOURCES: &[VerifySource] = &[
    VerifySource {
        name: "nest",
        summary: "neurons, precise spikes and plasticity that NEST recorded, against both engines",
        is_case: |path| path.extension().is_some_and(|ending| ending == "json"),
        verify: verify_nest,
    },
    VerifySource {
        name: "lava",
        summary: "variables and spikes that Lava's processes recorded, against the fixed-point engine",
        is_case: |path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.ends_with(".json") || (name.starts_with("rec_") && name.ends_with(".npz"))
        },
        verify: |path, _| Ok(verify_lava_case(&path.to_string_lossy(), &read(path)?)?.into()),
    },
    VerifySource {
        name: "netx",
        summary: "NAME.net files with the spikes of every layer in NAME.npz beside them",
        is_case: |path| {
            let is_network = path.extension().is_some_and(|ending| ending == "net");
            is_network && path.with_extension("npz").is_file()
        },
        verify: |path, options| {
            let recording = read(&path.with_extension("npz"))?;
            let netx = NetxOptions { lenient: options.lenient, ..options.netx.clone() };
            Ok(verify_netx_case(path, &recording, &netx)?.into())
        },
    },
    VerifySource {
        name: "nir",
        summary: "NAME.nir graphs with a framework's input and spikes in NAME.npz beside them, \
                  graphs alone, and the LIF task of the NIR paper (lif_PLATFORM.csv)",
        is_case: nir::is_case,
        verify: |path, options| Ok(nir::verify(path, options)?.into()),
    },
    VerifySource {
        name: "mapping",
        summary: "utilisation of nengo-loihi, energies of SANA-FE, traces of brian2-loihi",
        is_case: |path| path.extension().is_some_and(|ending| ending == "json"),
        verify: |path, _| Ok(verify_mapping_case(&path.to_string_lossy(), &read(path)?)?.into()),
    },
];

fn verify_nest(path: &Path, _options: &VerifyOptions) -> Result<VerifiedCase, Error> {
    let failed =
        |error: RecordingError| Error::Read { path: path.into(), reason: error.to_string() };
    let nest = verify_nest_case(&read(path)?).map_err(failed)?;
    let (name, process) = (path.to_string_lossy().into_owned(), nest.model);
    let (searched, overflows, outcome) = (None, Vec::new(), nest.outcome);
    let report = CaseReport { name, process, searched, overflows, outcome };
    Ok(VerifiedCase { report, measured: nest.measured })
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|error| unreadable(path, &error))
}

/// What became of all cases.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verification {
    /// Each case, in order.
    pub cases: Vec<VerifiedCase>,
    /// Cases that are equal.
    pub equal: usize,
    /// Cases that differ.
    pub different: usize,
    /// Cases that hold something our engines do not compute.
    pub not_covered: usize,
    /// Cases that are damaged or could not be read.
    pub unreadable: usize,
}

impl Verification {
    /// Whether anything differs, or nothing can be said of a file.
    pub fn is_finding(&self) -> bool {
        self.different + self.unreadable > 0
    }
}

/// The tool of this name.
///
/// # Errors
/// [`Error::Unknown`] with the names there are.
pub fn find_source(name: &str) -> Result<&'static VerifySource, Error> {
    let found = SOURCES.iter().find(|source| source.name == name);
    named("recorded tool", name, found, SOURCES.iter().map(|source| source.name))
}

/// Checks files, and in folders all cases by name; tells each line as a note.
///
/// A damaged file among several is a line of its own, and the others are checked all the same.
///
/// # Errors
/// [`Error`] where a path does not exist, no case was found, an option is wrong, or the only file
/// asked for cannot be read.
pub fn verify(
    source: &VerifySource,
    paths: &[PathBuf],
    options: &VerifyOptions,
    progress: &dyn Progress,
) -> Result<Verification, Error> {
    let mut files = Vec::new();
    for path in paths {
        cases_of(source, path, &mut files)?;
    }
    if files.is_empty() {
        let message = format!("no recorded case of {} was found there", source.name);
        return Err(Error::Read {
            path: paths.first().cloned().unwrap_or_default(),
            reason: message,
        });
    }
    let mut verification =
        Verification { cases: Vec::new(), equal: 0, different: 0, not_covered: 0, unreadable: 0 };
    let alone = matches!(paths, [path] if files == [path.clone()]);
    for path in files {
        let report = match (source.verify)(&path, options) {
            Err(error) if !alone && error.class() == ErrorClass::Input => {
                unreadable_case(&path, &error)
            }
            other => other?,
        };
        progress.note(&report.to_string());
        match report.report.outcome {
            CaseOutcome::Equal { .. } => verification.equal += 1,
            CaseOutcome::Differs { .. } => verification.different += 1,
            CaseOutcome::NotCovered { .. } => verification.not_covered += 1,
            CaseOutcome::Unreadable { .. } => verification.unreadable += 1,
        }
        verification.cases.push(report);
    }
    Ok(verification)
}

/// A file of which nothing can be said but why.
fn unreadable_case(path: &Path, error: &Error) -> VerifiedCase {
    let (name, reason) = (path.to_string_lossy().into_owned(), error.to_string());
    let (process, outcome) = (String::new(), CaseOutcome::Unreadable { reason });
    CaseReport { name, process, searched: None, overflows: Vec::new(), outcome }.into()
}

/// The cases of a folder and of those in it, by name; a file is a case itself.
fn cases_of(source: &VerifySource, path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if !metadata.is_dir() {
        files.push(path.to_path_buf());
        return Ok(());
    }
    let (mut found, mut folders) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(path).map_err(|error| unreadable(path, &error))? {
        let entry = entry.map_err(|error| unreadable(path, &error))?;
        let kind = entry.file_type().map_err(|error| unreadable(path, &error))?;
        let path = entry.path();
        if kind.is_dir() {
            folders.push(path);
        } else if path.is_file() && (source.is_case)(&path) {
            found.push(path);
        }
    }
    found.sort();
    files.extend(found);
    folders.sort();
    folders.iter().try_for_each(|folder| cases_of(source, folder, files))
}
