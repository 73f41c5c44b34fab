//! Recordings as arrays: which there are, and what of a piece belongs into each.

use super::counts::Counts;
use super::{Content, RecordingError, each_piece, milliseconds};
use crate::array::Values;
use crate::spool::{Piece, SpoolHeader, SpoolReader};
use std::io::{Read, Seek};

/// What an array holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Times of a population's spikes (ms).
    SpikeTimes(usize),
    /// Neurons of a population's spikes.
    SpikeNeurons(usize),
    /// Payloads of a population's spikes.
    SpikePayloads(usize),
    /// Times of a stream's samples (ms).
    SampleTimes(usize),
    /// Samples of a stream.
    SampleValues(usize),
    /// Sources of a stream's synapses.
    Sources(usize),
    /// Targets of a stream's synapses.
    Targets(usize),
    /// Delays of a stream's synapses (ms).
    Delays(usize),
}

/// Elements that are gathered before they are handed on.
const GATHERED: usize = 1 << 16;

impl Part {
    /// The extents of the array.
    pub(super) fn shape(self, counts: &Counts) -> Vec<usize> {
        match self {
            Part::SpikeTimes(p) | Part::SpikeNeurons(p) | Part::SpikePayloads(p) => {
                vec![counts.spikes[p]]
            }
            Part::SampleTimes(s) => vec![counts.streams[s].rows],
            Part::SampleValues(s) => vec![counts.streams[s].rows, counts.streams[s].columns],
            Part::Sources(s) | Part::Targets(s) | Part::Delays(s) => {
                vec![counts.streams[s].columns]
            }
        }
    }

    /// An array of its element type without elements.
    pub(super) fn empty(self) -> Values {
        match self {
            Part::SpikeNeurons(_) | Part::Sources(_) | Part::Targets(_) => Values::U64(Vec::new()),
            Part::SpikePayloads(_) => Values::I32(Vec::new()),
            _ => Values::F64(Vec::new()),
        }
    }

    /// Appends what a piece has of it.
    fn gather(self, piece: &Piece, counts: &Counts, dt: f64, into: &mut Values) {
        match (self, piece, into) {
            (Part::SpikeTimes(p), Piece::Spikes(times, neurons, _), Values::F64(into)) => {
                let own = times.iter().zip(neurons).filter(|(_, n)| counts.population_of(**n) == p);
                into.extend(own.map(|(&time, _)| milliseconds(time)));
            }
            (Part::SpikeNeurons(p), Piece::Spikes(_, neurons, _), Values::U64(into)) => {
                let own = neurons.iter().filter(|n| counts.population_of(**n) == p);
                into.extend(own.map(|neuron| u64::from(neuron - counts.firsts[p])));
            }
            (Part::SpikePayloads(p), Piece::Spikes(_, neurons, payloads), Values::I32(into)) => {
                let own = neurons.iter().enumerate();
                let own = own.filter(|(_, neuron)| counts.population_of(**neuron) == p);
                into.extend(own.map(|(index, _)| payloads.get(index).copied().unwrap_or(1)));
            }
            (Part::SampleTimes(s), Piece::Samples(stream, times, _), Values::F64(into))
                if s == *stream =>
            {
                into.extend(times.iter().map(|&time| milliseconds(time)));
            }
            (Part::SampleValues(s), Piece::Samples(stream, _, values), Values::F64(into))
                if s == *stream =>
            {
                into.extend_from_slice(values);
            }
            (Part::Sources(s), Piece::Synapses(stream, sources, ..), Values::U64(into))
                if s == *stream =>
            {
                into.extend(sources.iter().map(|&source| u64::from(source)));
            }
            (Part::Targets(s), Piece::Synapses(stream, _, targets, _), Values::U64(into))
                if s == *stream =>
            {
                into.extend(targets.iter().map(|&target| u64::from(target)));
            }
            (Part::Delays(s), Piece::Synapses(stream, .., delays), Values::F64(into))
                if s == *stream =>
            {
                into.extend(delays.iter().map(|&steps| f64::from(steps) * dt));
            }
            _ => {}
        }
    }

    /// Hands the array's elements to `take` in order, some at a time.
    ///
    /// # Errors
    /// Of the recording, or of `take`.
    pub(super) fn stream<R: Read + Seek>(
        self,
        spool: &mut SpoolReader<R>,
        counts: &Counts,
        mut take: impl FnMut(&Values) -> Result<(), RecordingError>,
    ) -> Result<(), RecordingError> {
        let dt = spool.header().dt;
        let mut gathered = self.empty();
        each_piece(spool, |piece| {
            self.gather(&piece, counts, dt, &mut gathered);
            if gathered.len() >= GATHERED {
                take(&gathered)?;
                gathered = self.empty();
            }
            Ok(())
        })?;
        take(&gathered)
    }
}

/// The populations whose spikes are recorded: index and name.
pub(super) fn recorded(header: &SpoolHeader) -> Vec<(usize, String)> {
    let populations = header.populations.iter().zip(&header.spikes).enumerate();
    let recorded = populations.filter(|(_, (_, recorded))| **recorded);
    recorded.map(|(index, ((name, _), _))| (index, name.clone())).collect()
}

/// Whether a content is the weights of a projection.
pub(super) fn is_weights(header: &SpoolHeader, content: Content) -> bool {
    let Content::Stream(index) = content else {
        return false;
    };
    matches!(header.streams.get(index), Some(crate::spool::Stream::Weights { .. }))
}
