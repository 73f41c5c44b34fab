//! The files that people use, made from a recording in progress ([`crate::spool`]): SONATA spikes and
//! reports (HDF5), npz, CSV. Memory is bounded by a piece, however long the run was; equal recordings
//! give equal values, and for npz and CSV equal bytes.
//!
//! # What is in a file
//! * **SONATA spikes**: `/spikes/<population>/timestamps` (ms) and `node_ids`, as [`crate::sonata`]
//!   says; `payloads` besides where a model is graded.
//! * **SONATA report**: `/report/<population>/data` `[time, neuron]` with its unit, and `mapping` with
//!   `node_ids`, `index_pointers`, `element_ids`, `element_pos` and `time` (begin, end, interval;
//!   ms). Source: the SONATA developer guide, section "Reports".
//! * **Weights in HDF5** (SONATA has no layout for them): `/weights/<projection>/data` `[time,
//!   synapse]`, `time` (ms), and of each synapse `source_node_id`, `target_node_id`, `delay` (ms).
//! * **npz**: `times` (ms) and `neurons` (and `payloads`) where spikes of one population are recorded,
//!   else `<population>/times` and so on; samples: `times`, `values` `[time, neuron or synapse]`, and
//!   of synapses `sources`, `targets`, `delays`.
//! * **CSV**: a head line and a line a spike (`time,neuron`, with `population` between where several
//!   are recorded), or a line a sample (`time,neuron,value`; `time,source,target,delay,weight`).

mod arrays;
mod counts;
mod csv;
mod hdf5;
mod npz;

use crate::atomic::{AtomicWriteError, write_atomically};
use crate::hdf5::Hdf5Error;
use crate::npz::NpzError;
use crate::spool::{Piece, SpoolReader};
use counts::Counts;
use std::io::{self, Read, Seek};
use std::path::Path;

/// What a file is to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Spikes of all recorded populations.
    Spikes,
    /// The samples of a stream, by its index in the header.
    Stream(usize),
}

/// How a file is to be laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    /// SONATA (HDF5).
    Sonata,
    /// An archive of numpy arrays.
    Npz,
    /// Text.
    Csv,
}

/// All formats: name, ending of files.
const FORMATS: [(OutputFormat, &str, &str); 3] = [
    (OutputFormat::Sonata, "sonata", "h5"),
    (OutputFormat::Npz, "npz", "npz"),
    (OutputFormat::Csv, "csv", "csv"),
];

impl OutputFormat {
    /// The format of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        FORMATS.iter().find(|format| format.1 == name).map(|format| format.0)
    }

    /// The format that a file's ending asks for.
    pub fn of_path(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_lowercase();
        let ending = if ending == "hdf5" { "h5" } else { &ending };
        FORMATS.iter().find(|format| format.2 == ending).map(|format| format.0)
    }

    /// The names of all.
    pub fn names() -> Vec<&'static str> {
        FORMATS.iter().map(|format| format.1).collect()
    }

    /// The ending of its files.
    pub fn ending(self) -> &'static str {
        FORMATS.iter().find(|format| format.0 == self).map_or("h5", |format| format.2)
    }
}

/// Why a file could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The system refused.
    #[error("{0}")]
    System(#[from] io::Error),
    /// HDF5.
    #[error(transparent)]
    Container(#[from] Hdf5Error),
    /// npz.
    #[error(transparent)]
    Npz(#[from] NpzError),
}

/// Makes one file, whole or not at all.
///
/// # Errors
/// Why the recording could not be read or the file not be written.
pub fn write<R: Read + Seek>(
    spool: &mut SpoolReader<R>,
    content: Content,
    format: OutputFormat,
    target: &Path,
    overwrite: bool,
) -> Result<(), AtomicWriteError<RecordingError>> {
    write_atomically(target, overwrite, |temporary| {
        let counts = Counts::of(spool)?;
        match format {
            OutputFormat::Sonata => hdf5::write(spool, &counts, content, temporary),
            OutputFormat::Npz => npz::write(spool, &counts, content, temporary),
            OutputFormat::Csv => csv::write(spool, &counts, content, temporary),
        }
    })
}

/// Hands every piece to `take`, from the beginning.
fn each_piece<R: Read + Seek>(
    spool: &mut SpoolReader<R>,
    mut take: impl FnMut(Piece) -> Result<(), RecordingError>,
) -> Result<(), RecordingError> {
    spool.rewind()?;
    while let Some(piece) = spool.next_piece()? {
        take(piece)?;
    }
    Ok(())
}

/// Femtoseconds as milliseconds.
fn milliseconds(time: i64) -> f64 {
    sim_core::time::Time(time).milliseconds()
}

#[cfg(test)]
mod tests;
