//! Networks from files of other tools that leave something open.

use crate::error::Error;
use crate::lists::named;
use crate::model_io::nir;
use crate::model_io::nir::dialect::{Convention, DIALECTS, Dialect};
use crate::model_io::nir::to_network::{NirReading, NirReport, to_network};
use crate::sim_core::network::Network;
use std::path::Path;

/// What a NIR file leaves open, stated by the caller.
#[derive(Debug, Clone, PartialEq)]
pub struct NirImport {
    /// Framework whose conventions hold.
    pub dialect: String,
    /// Length of a step in seconds in place of the dialect's.
    pub dt: Option<f64>,
    /// Scale of the file's time constants in place of the dialect's.
    pub tau_scale: Option<f64>,
    /// Whether biases act from the first step on.
    pub biases_from_start: bool,
}

/// The dialect of this name.
///
/// # Errors
/// [`Error::Unknown`] with the names there are.
pub fn find_dialect(name: &str) -> Result<&'static Dialect, Error> {
    let found = DIALECTS.iter().copied().find(|dialect| dialect.name == name);
    named("NIR dialect", name, found, DIALECTS.iter().map(|dialect| dialect.name))
}

/// A dialect's conventions with what the caller states instead.
pub(crate) fn convention(dialect: &Dialect, dt: Option<f64>, tau_scale: Option<f64>) -> Convention {
    let known = (dialect.convention)();
    Convention {
        dt: dt.unwrap_or(known.dt),
        tau_scale: tau_scale.unwrap_or(known.tau_scale),
        ..known
    }
}

/// Reads a NIR graph as a network description.
///
/// # Errors
/// [`Error`] naming the file, and in it the node that a description cannot say.
pub fn import_nir(path: &Path, stated: &NirImport) -> Result<(Network, NirReport), Error> {
    let failed = |reason: String| Error::Read { path: path.into(), reason };
    let dialect = find_dialect(&stated.dialect)?;
    let graph = nir::read(path).map_err(|error| failed(error.to_string()))?;
    let reading = NirReading {
        convention: convention(dialect, stated.dt, stated.tau_scale),
        biases_from_start: stated.biases_from_start,
    };
    let name = path.file_stem().map(|name| name.to_string_lossy().into_owned());
    to_network(&graph, &name.unwrap_or_default(), &reading)
        .map_err(|error| failed(error.to_string()))
}
