//! Synapses and spikes from tables in files: SONATA (HDF5), npz and CSV, told apart by their content.
//!
//! * **SONATA edges**: `/edges/<name>/source_node_id`, `target_node_id`, and `syn_weight` and `delay`
//!   (ms) in the edge groups `0`, `1`, …;
//! * **npz edges**: arrays `sources`, `targets` and, if there, `weights` and `delays` (ms); or a sparse
//!   matrix as SciPy saves it (CSR: `indptr`, `indices`, `data`), rows are sources;
//! * **CSV edges**: a head line that names the columns `source`, `target` and, if there, `weight`
//!   and `delay` (ms);
//! * **spikes**: SONATA `/spikes/<name>`, npz `times` (ms) and `neurons`, CSV `time` (ms) and `neuron`; of several
//!   populations npz `<name>/times` and `<name>/neurons`, CSV a column `population` besides.

mod csv;
mod sonata;
mod spikes;
mod write;

use crate::array::Array;
use crate::hdf5::Hdf5Error;
use crate::npz::{self, NpzError, NpzLimits};
use crate::sonata::SonataError;
use indexmap::IndexMap;
use std::path::{Path, PathBuf};

pub use sonata::{EdgePopulation, edge_populations};
pub use spikes::{UNNAMED, read_spike_table, read_spike_tables};
pub use write::{EdgeNames, write_edges};

/// Listed synapses; weights and delays are there or not.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Edges {
    /// Source neuron of each.
    pub sources: Vec<u32>,
    /// Target neuron of each.
    pub targets: Vec<u32>,
    /// Weight of each, in the unit that the network file gives.
    pub weights: Option<Vec<f64>>,
    /// Delay of each in ms.
    pub delays: Option<Vec<f64>>,
}

/// Why a table cannot be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EdgesError {
    /// The file cannot be read at all.
    #[error("cannot read {}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The HDF5 container is damaged or a member is missing.
    #[error(transparent)]
    Container(#[from] Hdf5Error),
    /// Spikes of a SONATA file.
    #[error(transparent)]
    Spikes(#[from] SonataError),
    /// The npz archive is damaged or an array is missing.
    #[error(transparent)]
    Arrays(#[from] NpzError),
    /// The file's tables contradict themselves.
    #[error("{place}: {reason}")]
    Table {
        /// Where in the file.
        place: String,
        /// What is wrong and what is allowed.
        reason: String,
    },
}

/// The largest table that is read as text, in bytes.
const MOST_TEXT: u64 = 1 << 30;

/// First bytes of an HDF5 file and of a zip archive.
const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";
const ZIP: &[u8] = b"PK";

enum Content {
    Hdf5,
    Npz(IndexMap<String, Array>),
    Text(String),
}

fn content(path: &Path) -> Result<Content, EdgesError> {
    let unreadable = |error: &dyn std::fmt::Display| EdgesError::Unreadable {
        path: path.to_path_buf(),
        reason: error.to_string(),
    };
    let length = std::fs::metadata(path).map_err(|error| unreadable(&error))?.len();
    let mut start = [0; 8];
    {
        use std::io::Read;
        let mut file = std::fs::File::open(path).map_err(|error| unreadable(&error))?;
        let read = file.read(&mut start).map_err(|error| unreadable(&error))?;
        if start[..read].starts_with(HDF5) {
            return Ok(Content::Hdf5);
        }
    }
    let limits = NpzLimits::default();
    let zip = start.starts_with(ZIP);
    let most = if zip { limits.total_bytes } else { MOST_TEXT };
    if length > most {
        return Err(unreadable(&format!("it has {length} bytes, at most {most} are read")));
    }
    let bytes = std::fs::read(path).map_err(|error| unreadable(&error))?;
    if zip {
        return Ok(Content::Npz(npz::read_npz(&bytes, limits)?));
    }
    String::from_utf8(bytes)
        .map(Content::Text)
        .map_err(|_| unreadable(&"it is neither HDF5 nor npz nor text (CSV)"))
}

/// Reads synapses; `population` chooses among the edge populations of a SONATA file.
///
/// # Errors
/// [`EdgesError`] with the place in the file.
pub fn read_edges(path: &Path, population: Option<&str>) -> Result<Edges, EdgesError> {
    let edges = match content(path)? {
        Content::Hdf5 => sonata::read(path, population)?,
        Content::Npz(arrays) => from_arrays(arrays)?,
        Content::Text(text) => {
            let mut table = csv::read(&text)?;
            Edges {
                sources: csv::neurons(table.need("source")?, "source")?,
                targets: csv::neurons(table.need("target")?, "target")?,
                weights: table.take("weight"),
                delays: table.take("delay"),
            }
        }
    };
    edges.check()?;
    Ok(edges)
}

impl Edges {
    fn check(&self) -> Result<(), EdgesError> {
        let count = self.sources.len();
        let lengths = [
            ("targets", Some(self.targets.len())),
            ("weights", self.weights.as_ref().map(Vec::len)),
            ("delays", self.delays.as_ref().map(Vec::len)),
        ];
        for (name, length) in lengths {
            if let Some(length) = length.filter(|&length| length != count) {
                return Err(wrong(name, format!("{length} entries for {count} sources")));
            }
        }
        Ok(())
    }
}

fn wrong(place: &str, reason: String) -> EdgesError {
    EdgesError::Table { place: place.to_string(), reason }
}

/// One of several populations: the one asked for, or the only one.
fn choose<'a>(
    what: &str,
    names: &'a [String],
    wanted: Option<&str>,
) -> Result<&'a str, EdgesError> {
    let known = names.iter().take(20).map(String::as_str).collect::<Vec<_>>().join(", ");
    let found = match (wanted, names) {
        (Some(wanted), _) => names.iter().find(|name| *name == wanted),
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    found.map(String::as_str).ok_or_else(|| {
        let reason = match wanted {
            Some(wanted) => format!("there is no population `{wanted}`; known are: {known}"),
            None => format!("the file has several populations: name one of {known}"),
        };
        wrong(&format!("/{what}"), reason)
    })
}

fn reals(array: Array, name: &str) -> Result<Vec<f64>, EdgesError> {
    array.values.to_f64().ok_or_else(|| wrong(name, "texts stand where numbers should".into()))
}

/// Synapses from npz arrays: lists, or a sparse matrix in compressed rows.
fn from_arrays(mut arrays: IndexMap<String, Array>) -> Result<Edges, EdgesError> {
    let mut optional = |name: &str| match arrays.shift_remove(name) {
        Some(array) => reals(array, name).map(Some),
        None => Ok(None),
    };
    if let Some(starts) = optional("indptr")? {
        let targets = optional("indices")?.ok_or_else(|| {
            wrong("indices", "the archive has `indptr` but no `indices`".to_string())
        })?;
        let starts = csv::neurons(starts, "indptr")?;
        let ascending = starts.windows(2).all(|pair| pair[0] <= pair[1]);
        if !ascending || starts.last().map(|&last| last as usize) != Some(targets.len()) {
            let reason = "the starts of rows do not ascend to the number of `indices`".to_string();
            return Err(wrong("indptr", reason));
        }
        let row = |(row, pair): (usize, &[u32])| {
            std::iter::repeat_n(row as u32, (pair[1] - pair[0]) as usize)
        };
        return Ok(Edges {
            sources: starts.windows(2).enumerate().flat_map(row).collect(),
            targets: csv::neurons(targets, "indices")?,
            weights: optional("data")?,
            delays: optional("delays")?,
        });
    }
    let (weights, delays) = (optional("weights")?, optional("delays")?);
    Ok(Edges {
        sources: csv::neurons(reals(npz::take(&mut arrays, "sources")?, "sources")?, "sources")?,
        targets: csv::neurons(reals(npz::take(&mut arrays, "targets")?, "targets")?, "targets")?,
        weights,
        delays,
    })
}

#[cfg(test)]
mod tests;
