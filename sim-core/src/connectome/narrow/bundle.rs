//! Rows of a bundle: for each block, chunks of sources with an offset table and their synapses.

use std::ops::{Range, RangeInclusive};

/// Sources of a chunk.
pub const CHUNK: usize = 256;

/// The synapses of a chunk, by (source, delay, slot).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Synapses {
    /// Slots; all weights are the bundle's own.
    Slots(Box<[u16]>),
    /// The slot in the upper 16 bits, the weight in the lower.
    Weighted(Box<[u32]>),
}

impl Synapses {
    /// Number of synapses.
    pub fn len(&self) -> usize {
        match self {
            Synapses::Slots(slots) => slots.len(),
            Synapses::Weighted(synapses) => synapses.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The rows of up to [`CHUNK`] sources in one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The shortest delay in steps.
    pub first_delay: u32,
    /// How many delays the offset table has, from the shortest on.
    pub delays: u32,
    /// First synapse of (source, delay), delays fastest, and the end.
    pub offsets: Box<[u32]>,
    /// The synapses.
    pub synapses: Synapses,
}

/// The synapses of one source population onto receptors of one index.
#[derive(Debug)]
pub struct Bundle {
    /// Index of the source population.
    pub source: usize,
    /// Index of the receptor.
    pub receptor: usize,
    /// The weight of all synapses, where it is one.
    pub weight: Option<i16>,
    /// The shortest and the longest delay that occur, in steps.
    pub delays: RangeInclusive<u32>,
    /// By block, then by chunk.
    pub rows: Vec<Vec<Chunk>>,
}

impl Chunk {
    /// Where the offset table has this row and delay; none where the chunk has no such delay.
    #[inline]
    pub fn place(&self, source: u32, delay: u32) -> Option<usize> {
        let delay = delay.wrapping_sub(self.first_delay);
        let row = source as usize % CHUNK;
        (delay < self.delays).then_some(row * self.delays as usize + delay as usize)
    }

    /// The synapses of a source with this delay.
    pub fn segment(&self, source: u32, delay: u32) -> Range<usize> {
        self.place(source, delay)
            .map_or(0..0, |at| self.offsets[at] as usize..self.offsets[at + 1] as usize)
    }

    /// Number of synapses of a source.
    fn row_length(&self, source: u32) -> u64 {
        let at = source as usize % CHUNK * self.delays as usize;
        u64::from(self.offsets[at + self.delays as usize] - self.offsets[at])
    }
}

impl Bundle {
    /// The rows of a source in a block, with those of its neighbours.
    pub fn chunk(&self, block: usize, source: u32) -> &Chunk {
        &self.rows[block][source as usize / CHUNK]
    }

    /// Number of synapses of a source.
    pub fn row_length(&self, source: u32) -> u64 {
        self.rows.iter().map(|chunks| chunks[source as usize / CHUNK].row_length(source)).sum()
    }

    /// Calls `visit(slot, weight)` for a segment.
    pub fn for_each(&self, chunk: &Chunk, segment: Range<usize>, mut visit: impl FnMut(u16, i16)) {
        match &chunk.synapses {
            Synapses::Slots(slots) => {
                let weight = self.weight.unwrap_or(0);
                slots[segment].iter().for_each(|&slot| visit(slot, weight));
            }
            Synapses::Weighted(synapses) => {
                synapses[segment].iter().for_each(|&s| visit((s >> 16) as u16, s as i16));
            }
        }
    }

    /// Number of synapses.
    pub fn synapse_count(&self) -> u64 {
        self.rows.iter().flatten().map(|chunk| chunk.synapses.len() as u64).sum()
    }

    /// Bytes on the heap.
    pub fn bytes(&self) -> u64 {
        let of = |chunk: &Chunk| {
            let synapses = match &chunk.synapses {
                Synapses::Slots(slots) => 2 * slots.len(),
                Synapses::Weighted(synapses) => 4 * synapses.len(),
            };
            (synapses + 4 * chunk.offsets.len()) as u64
        };
        self.rows.iter().flatten().map(of).sum()
    }
}
