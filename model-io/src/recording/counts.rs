//! How much a recording holds, counted before arrays of known size are written.

use super::{RecordingError, each_piece};
use crate::spool::{Piece, SpoolHeader, SpoolReader, Stream};
use std::io::{Read, Seek};

/// How much of a stream there is.
#[derive(Debug, Clone, Default)]
pub(super) struct Samples {
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// The first two times and the last (fs).
    pub(super) first: Option<i64>,
    pub(super) second: Option<i64>,
    pub(super) last: Option<i64>,
}

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Counts {
    /// Spikes of each population.
    pub(super) spikes: Vec<usize>,
    /// Whether a spike has a payload other than 1.
    pub(super) graded: bool,
    pub(super) streams: Vec<Samples>,
    /// First neuron of each population, and the end.
    pub(super) firsts: Vec<u32>,
}

impl Counts {
    pub(super) fn of<R: Read + Seek>(spool: &mut SpoolReader<R>) -> Result<Self, RecordingError> {
        let header = spool.header().clone();
        let mut counts = Counts {
            spikes: vec![0; header.populations.len()],
            graded: false,
            streams: vec![Samples::default(); header.streams.len()],
            firsts: firsts(&header),
        };
        for (stream, samples) in header.streams.iter().zip(&mut counts.streams) {
            if let Stream::Variable { population, .. } = stream {
                samples.columns = header.populations[*population].1 as usize;
            }
        }
        each_piece(spool, |piece| {
            match piece {
                Piece::Spikes(_, neurons, payloads) => {
                    for neuron in neurons {
                        let population = counts.population_of(neuron);
                        counts.spikes[population] += 1;
                    }
                    counts.graded |= !payloads.is_empty();
                }
                Piece::Samples(index, times, _) => counts.streams[index].add(&times),
                Piece::Synapses(index, sources, ..) => {
                    counts.streams[index].columns += sources.len();
                }
            }
            Ok(())
        })?;
        Ok(counts)
    }

    /// The population of a neuron.
    pub(super) fn population_of(&self, neuron: u32) -> usize {
        // Populations are not empty, so each begins somewhere else.
        self.firsts
            .partition_point(|&first| first <= neuron)
            .saturating_sub(1)
            .min(self.spikes.len() - 1)
    }
}

impl Samples {
    fn add(&mut self, times: &[i64]) {
        for &time in times {
            match self.rows {
                0 => self.first = Some(time),
                1 => self.second = Some(time),
                _ => {}
            }
            self.rows += 1;
            self.last = Some(time);
        }
    }
}

/// First neuron of each population.
fn firsts(header: &SpoolHeader) -> Vec<u32> {
    let sizes = header.populations.iter().map(|(_, size)| *size);
    let begin = sizes.scan(0_u32, |next, size| {
        let first = *next;
        *next = next.saturating_add(size);
        Some(first)
    });
    begin.collect()
}
