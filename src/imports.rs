//! Networks from files of other tools that leave something open.

use crate::error::Error;
use crate::lists::named;
use crate::model_io::nir;
use crate::model_io::nir::dialect::{DIALECTS, Dialect, Stated};
use crate::model_io::nir::to_network::{NirReading, NirReport, to_network};
use crate::model_io::sniff::{self, Format};
use crate::network_files::unreadable;
use crate::sim_core::network::Network;
use std::path::Path;

/// What a NIR file leaves open, stated by the caller.
#[derive(Debug, Clone, PartialEq)]
pub struct NirImport {
    /// Framework whose conventions hold.
    pub dialect: String,
    /// Conventions in place of the dialect's; times are seconds.
    pub stated: Stated,
    /// Whether biases act from the first step on.
    pub biases_from_start: bool,
    /// Whether files that break the specification are read where only one meaning is likely.
    pub lenient: bool,
}

/// The dialect of this name.
///
/// # Errors
/// [`Error::Unknown`] with the names there are.
pub fn find_dialect(name: &str) -> Result<&'static Dialect, Error> {
    let found = DIALECTS.iter().copied().find(|dialect| dialect.name == name);
    named("NIR dialect", name, found, DIALECTS.iter().map(|dialect| dialect.name))
}

/// Reads a NIR graph as a network description.
///
/// # Errors
/// [`Error`] naming the file, and in it the node that a description cannot say.
pub fn import_nir(path: &Path, stated: &NirImport) -> Result<(Network, NirReport), Error> {
    let failed = |reason: String| Error::Read { path: path.into(), reason };
    let dialect = find_dialect(&stated.dialect)?;
    let format = sniff::detect(path).map_err(|error| unreadable(path, &error))?;
    if !matches!(format, Format::Nir | Format::OtherHdf5) {
        return Err(Error::WrongFormat {
            path: path.into(),
            found: format.description().to_string(),
            needed: "a NIR graph (HDF5) is needed here",
        });
    }
    let (graph, mut notes) = match stated.lenient {
        true => nir::read_leniently(path),
        false => nir::read(path).map(|graph| (graph, Vec::new())),
    }
    .map_err(|error| match !stated.lenient && nir::read_leniently(path).is_ok() {
        true => failed(format!("{error}; --lenient reads it by its one likely meaning")),
        false => failed(error.to_string()),
    })?;
    let mut conventions = stated.stated;
    if let (None, Some(own)) = (conventions.dt, own_step(&graph))
        && dialect.name == DIALECTS[0].name
    {
        notes.push(format!("dt is {own} s, as the file's metadata says"));
        conventions.dt = Some(own);
    }
    let reading = NirReading {
        convention: conventions.over((dialect.convention)()),
        biases_from_start: stated.biases_from_start,
    };
    let name = path.file_stem().map(|name| name.to_string_lossy().into_owned());
    let (network, mut report) = to_network(&graph, &name.unwrap_or_default(), &reading)
        .map_err(|error| failed(error.to_string()))?;
    report.notes.splice(0..0, notes);
    Ok((network, report))
}

/// The step that our own exporter writes beside a graph, in seconds.
fn own_step(graph: &nir::NirGraph) -> Option<f64> {
    let Some(nir::MetadataEntry::Value(array)) = graph.metadata.get("dt_ms") else { return None };
    let step = array.values.to_f64()?.first().copied()?;
    (step > 0.0 && step.is_finite()).then_some(step * 1e-3)
}
