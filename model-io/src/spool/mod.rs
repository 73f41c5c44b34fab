//! Recordings in progress: a file to which a run appends what it records, piece by piece.
//!
//! A spool is made for being interrupted. It can be cut at any position that its writer gave, so a
//! run that goes on from a checkpoint appends as if it had never stopped; and whatever tears off its
//! end, all whole pieces before can be read. When the run is over, the files that people use are
//! made from it ([`crate::recording`]); memory is bounded by a piece.
//!
//! # Layout
//! Signature, version and header as in [`crate::checkpoint`]; then pieces: stream (u32), kind (u32),
//! items (u32), bytes (u32), CRC-32 of these and the content (u32), content. All little-endian.

mod read;
mod write;

pub use read::{Piece, SpoolReader};
pub use write::{Spool, SpoolWriter};

use crate::checkpoint::Facts;

/// The first bytes of a recording in progress.
pub const SIGNATURE: [u8; 8] = *b"\x93LoomRC\n";

/// The version of the layout that is written and read.
pub const LAYOUT: u32 = 1;

/// Bytes before the content of a piece.
const PIECE_HEAD: usize = 20;

/// Pieces are not longer than this.
pub const MOST_PIECE: usize = 1 << 26;

/// What a stream holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stream {
    /// Samples of a state variable: `[time, neuron]`.
    Variable {
        /// Name of the probe.
        probe: String,
        /// Index of the population.
        population: usize,
        /// Name of the variable.
        variable: String,
        /// Its unit.
        unit: String,
    },
    /// Samples of weights: `[time, synapse]`.
    Weights {
        /// Name of the probe.
        probe: String,
        /// Name of the projection.
        projection: String,
        /// Unit of the weights.
        unit: String,
    },
}

/// What a spool is about.
#[derive(Debug, Clone, PartialEq)]
pub struct SpoolHeader {
    /// Step (ms).
    pub dt: f64,
    /// Name and size of each population, in the order of the neurons.
    pub populations: Vec<(String, u32)>,
    /// Populations whose spikes are recorded, by index.
    pub spikes: Vec<bool>,
    /// Samples that are recorded; the stream of index i has the number i + 1, spikes have 0.
    pub streams: Vec<Stream>,
    /// Where it comes from: version, network, engine, seed.
    pub facts: Facts,
}

/// Kind of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Times (i64), neurons (u32).
    Spikes,
    /// Times (i64), neurons (u32), payloads (i32).
    GradedSpikes,
    /// Times (i64), values (f64) `[time, column]`.
    Samples,
    /// Sources, targets, delays in steps (u32): the columns of samples of weights.
    Synapses,
}

const KINDS: [Kind; 4] = [Kind::Spikes, Kind::GradedSpikes, Kind::Samples, Kind::Synapses];

/// The header as it lies in the file: dt, populations, recorded, streams (kind, probe, population or
/// nothing, projection, variable, unit), facts.
type Wire = (f64, Vec<(String, u32)>, Vec<bool>, Vec<(u32, String, u64, String, String)>, Facts);

impl SpoolHeader {
    fn to_wire(&self) -> Wire {
        let stream = |stream: &Stream| match stream.clone() {
            Stream::Variable { probe, population, variable, unit } => {
                (0, probe, population as u64, variable, unit)
            }
            Stream::Weights { probe, projection, unit } => (1, probe, 0, projection, unit),
        };
        let streams = self.streams.iter().map(stream).collect();
        (self.dt, self.populations.clone(), self.spikes.clone(), streams, self.facts.clone())
    }

    fn from_wire(wire: Wire) -> Result<Self, String> {
        let (dt, populations, spikes, streams, facts) = wire;
        let stream = |(kind, probe, population, name, unit): (u32, String, u64, String, String)| {
            let population = usize::try_from(population).unwrap_or(usize::MAX);
            match kind {
                0 if population < populations.len() => {
                    Ok(Stream::Variable { probe, population, variable: name, unit })
                }
                1 => Ok(Stream::Weights { probe, projection: name, unit }),
                other => Err(format!("a stream of kind {other} and population {population}")),
            }
        };
        let streams = streams.into_iter().map(stream).collect::<Result<_, _>>()?;
        if spikes.len() != populations.len() || !(dt > 0.0 && dt.is_finite()) {
            return Err("its populations or its step contradict themselves".to_string());
        }
        Ok(SpoolHeader { dt, populations, spikes, streams, facts })
    }

    /// Neurons of all populations.
    pub fn neurons(&self) -> u64 {
        self.populations.iter().map(|(_, size)| u64::from(*size)).sum()
    }
}

#[cfg(test)]
mod tests;
