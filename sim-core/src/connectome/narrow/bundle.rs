//! Rows of a bundle: for each block, chunks of sources with their synapses.
//!
//! A row is a list of segments, by delay. Each begins with a head: how many steps it arrives after the
//! one before (the first: after the spike) and how many synapses follow. A head without
//! synapses ends the row. So a spike on its way needs one place in memory at a time, where it finds
//! what arrives now and, behind it, when it goes on.

use kernels::prefetch;
use std::ops::{Range, RangeInclusive};

/// Sources of a chunk: its synapses fill some large pages.
pub const CHUNK: usize = 2048;

/// Most synapses of a segment; what is more follows in another with no steps between.
pub(super) const LONGEST_SEGMENT: usize = u16::MAX as usize;

/// The synapses of a chunk with the heads of their segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Synapses {
    /// Slots; all weights are the bundle's own. A head is two numbers: steps and synapses.
    Slots(Box<[u16]>),
    /// The slot in the upper 16 bits, the weight in the lower. A head is one number: steps in the
    /// upper 16 bits, synapses in the lower.
    Weighted(Box<[u32]>),
}

/// The head of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Steps since the segment before.
    pub steps: u32,
    /// Synapses; none: the row has ended.
    pub count: u32,
    /// Where the synapses begin.
    pub first: u32,
}

/// The rows of up to [`CHUNK`] sources in one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Index of the receptor.
    pub receptor: u16,
    /// The weight of all synapses, where it is one.
    pub weight: i16,
    /// Where the row of each source begins.
    pub rows: Box<[u32]>,
    /// Segments with their heads.
    pub synapses: Synapses,
}

/// The synapses of one source population onto receptors of one index.
#[derive(Debug)]
pub struct Bundle {
    /// Index of the source population.
    pub source: usize,
    /// Index of the receptor.
    pub receptor: usize,
    /// The shortest and the longest delay that occur, in steps.
    pub delays: RangeInclusive<u32>,
    /// Its first chunk among those of each block.
    pub first_chunk: usize,
    /// Number of synapses of each source.
    pub row_lengths: Box<[u32]>,
}

impl Synapses {
    /// The head at this place.
    #[inline]
    pub fn head(&self, at: u32) -> Head {
        let at = at as usize;
        match self {
            Synapses::Slots(slots) => {
                let (steps, count) = (u32::from(slots[at]), u32::from(slots[at + 1]));
                Head { steps, count, first: at as u32 + 2 }
            }
            Synapses::Weighted(synapses) => {
                let head = synapses[at];
                Head { steps: head >> 16, count: head & 0xffff, first: at as u32 + 1 }
            }
        }
    }

    /// Asks for the head at this place.
    #[inline]
    pub fn prefetch(&self, at: u32) {
        match self {
            Synapses::Slots(slots) => prefetch(slots, at as usize),
            Synapses::Weighted(synapses) => prefetch(synapses, at as usize),
        }
    }

    fn bytes(&self) -> u64 {
        match self {
            Synapses::Slots(slots) => 2 * slots.len() as u64,
            Synapses::Weighted(synapses) => 4 * synapses.len() as u64,
        }
    }
}

impl Chunk {
    /// Where the row of a source begins.
    #[inline]
    pub fn row(&self, source: u32) -> u32 {
        self.rows[source as usize % CHUNK]
    }

    /// The head of the first segment of a source.
    #[inline]
    pub fn first(&self, source: u32) -> Head {
        self.synapses.head(self.row(source))
    }

    /// (delay, places of the synapses) of the segments of a source.
    pub fn segments(&self, source: u32) -> impl Iterator<Item = (u32, Range<usize>)> {
        let mut delay = 0;
        let mut next = self.first(source);
        std::iter::from_fn(move || {
            let Head { steps, count, first } = next;
            if count == 0 {
                return None;
            }
            delay += steps;
            next = self.synapses.head(first + count);
            Some((delay, first as usize..(first + count) as usize))
        })
    }

    /// Calls `visit(slot, weight)` for a segment.
    pub fn for_each(&self, segment: Range<usize>, mut visit: impl FnMut(u16, i16)) {
        match &self.synapses {
            Synapses::Slots(slots) => {
                slots[segment].iter().for_each(|&slot| visit(slot, self.weight));
            }
            Synapses::Weighted(synapses) => {
                synapses[segment].iter().for_each(|&s| visit((s >> 16) as u16, s as i16));
            }
        }
    }

    /// Bytes on the heap.
    pub(super) fn bytes(&self) -> u64 {
        self.synapses.bytes() + 4 * self.rows.len() as u64
    }
}

impl Bundle {
    /// Its chunks among those of a block.
    pub fn chunks(&self) -> Range<usize> {
        self.first_chunk..self.first_chunk + self.row_lengths.len().div_ceil(CHUNK)
    }

    /// The chunk of a source among those of a block.
    #[inline]
    pub fn chunk(&self, source: u32) -> usize {
        self.first_chunk + source as usize / CHUNK
    }

    /// Number of synapses of a source.
    pub fn row_length(&self, source: u32) -> u64 {
        self.row_lengths.get(source as usize).map_or(0, |&length| u64::from(length))
    }

    /// Number of synapses.
    pub fn synapse_count(&self) -> u64 {
        self.row_lengths.iter().map(|&length| u64::from(length)).sum()
    }
}
