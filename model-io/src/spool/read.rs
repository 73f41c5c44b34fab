//! Reading a recording in progress, piece by piece.

use super::{KINDS, Kind, LAYOUT, MOST_PIECE, PIECE_HEAD, SIGNATURE, SpoolHeader, Stream};
use crate::checkpoint::{CheckpointFileError, Framed, decode, read_header};
use std::io::{self, Read, Seek, SeekFrom};

/// What was recorded, a piece at a time.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// Spikes by (time, neuron): times in femtoseconds, global indices, payloads (empty: all 1).
    Spikes(Vec<i64>, Vec<u32>, Vec<i32>),
    /// Samples of a stream: its index in the header, times in femtoseconds, values `[time, column]`.
    Samples(usize, Vec<i64>, Vec<f64>),
    /// Some of the synapses of a stream of weights: its index, sources, targets, delays in steps.
    Synapses(usize, Vec<u32>, Vec<u32>, Vec<u32>),
}

/// Reads a recording in progress. It ends where the file ends or its first damaged piece begins.
#[derive(Debug)]
pub struct SpoolReader<R> {
    input: R,
    header: SpoolHeader,
    begin: u64,
    /// Where the next piece begins.
    position: u64,
    length: u64,
}

impl<R: Read + Seek> SpoolReader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// [`CheckpointFileError`].
    pub fn new(mut input: R) -> Result<Self, CheckpointFileError> {
        let length = input.seek(SeekFrom::End(0))?;
        input.rewind()?;
        let Framed { content, end } = read_header(&mut input, length, &SIGNATURE, LAYOUT)?;
        let header = SpoolHeader::from_wire(decode(&content)?).map_err(|reason| {
            CheckpointFileError::Damaged { place: "the header".to_string(), reason }
        })?;
        Ok(SpoolReader { input, header, begin: end, position: end, length })
    }

    /// What it is about.
    pub fn header(&self) -> &SpoolHeader {
        &self.header
    }

    /// Where the next piece begins; after the last one, how many bytes are whole.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Back to the first piece.
    ///
    /// # Errors
    /// The system's.
    pub fn rewind(&mut self) -> io::Result<()> {
        self.position = self.begin;
        self.input.seek(SeekFrom::Start(self.begin)).map(|_| ())
    }

    /// The next piece; `None` at the end of what is whole.
    ///
    /// # Errors
    /// The system's.
    pub fn next_piece(&mut self) -> io::Result<Option<Piece>> {
        let left = self.length - self.position;
        let mut head = [0; PIECE_HEAD];
        if left < head.len() as u64 {
            return Ok(None);
        }
        self.input.read_exact(&mut head)?;
        let word = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| head[4 * at + byte]));
        let (stream, kind, items, size) = (word(0), word(1), word(2), word(3));
        let whole = size as usize <= MOST_PIECE && u64::from(size) <= left - head.len() as u64;
        if !whole {
            return Ok(None);
        }
        let mut content = vec![0; size as usize];
        self.input.read_exact(&mut content)?;
        let mut crc = crc32fast::Hasher::new();
        crc.update(&head[..16]);
        crc.update(&content);
        if crc.finalize() != word(4) {
            return Ok(None);
        }
        let Some(piece) = self.parse(stream as usize, kind as usize, items as usize, &content)
        else {
            return Ok(None);
        };
        self.position += (head.len() + content.len()) as u64;
        Ok(Some(piece))
    }

    /// `None` where the content contradicts the head.
    fn parse(&self, stream: usize, kind: usize, items: usize, content: &[u8]) -> Option<Piece> {
        let mut rest = content;
        let mut words = |width: usize| -> Option<&[u8]> {
            let (front, back) = rest.split_at_checked(items.checked_mul(width)?)?;
            rest = back;
            Some(front)
        };
        let piece = match (KINDS.get(kind)?, stream) {
            (Kind::Spikes, 0) => {
                Piece::Spikes(numbers(words(8)?, i64::from_le_bytes), indices(words(4)?), vec![])
            }
            (Kind::GradedSpikes, 0) => {
                let (times, neurons) = (words(8)?, words(4)?);
                let payloads = numbers(words(4)?, i32::from_le_bytes);
                Piece::Spikes(numbers(times, i64::from_le_bytes), indices(neurons), payloads)
            }
            (Kind::Samples, stream) if stream > 0 => {
                let times = numbers(words(8)?, i64::from_le_bytes);
                let values = numbers(std::mem::take(&mut rest), f64::from_le_bytes);
                Piece::Samples(stream - 1, times, values)
            }
            (Kind::Synapses, stream) if stream > 0 => {
                let (sources, targets) = (indices(words(4)?), indices(words(4)?));
                Piece::Synapses(stream - 1, sources, targets, indices(words(4)?))
            }
            _ => return None,
        };
        (rest.is_empty() && self.fits(&piece)).then_some(piece)
    }

    /// Whether the header knows what the piece speaks of.
    fn fits(&self, piece: &Piece) -> bool {
        let stream = |index: usize| self.header.streams.get(index);
        match piece {
            Piece::Spikes(_, neurons, _) => {
                neurons.iter().all(|&neuron| u64::from(neuron) < self.header.neurons())
            }
            Piece::Samples(index, times, values) => match stream(*index) {
                Some(Stream::Variable { population, .. }) => {
                    let size = self.header.populations[*population].1 as usize;
                    times.len().checked_mul(size) == Some(values.len())
                }
                Some(Stream::Weights { .. }) => {
                    values.is_empty() || values.len().is_multiple_of(times.len().max(1))
                }
                None => false,
            },
            Piece::Synapses(index, ..) => {
                stream(*index).is_some_and(|stream| matches!(stream, Stream::Weights { .. }))
            }
        }
    }
}

fn numbers<T, const WIDTH: usize>(bytes: &[u8], of: fn([u8; WIDTH]) -> T) -> Vec<T> {
    bytes.as_chunks::<WIDTH>().0.iter().map(|bytes| of(*bytes)).collect()
}

fn indices(bytes: &[u8]) -> Vec<u32> {
    numbers(bytes, u32::from_le_bytes)
}
