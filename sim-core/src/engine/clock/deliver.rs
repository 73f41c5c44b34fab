//! Delivery of narrow synapses: late, along the rows.
//!
//! A spike is a [`Flight`] through its row in each block. It waits for the step in which its next
//! segment arrives; then the segment's weights are added to the block's accumulators, and behind it lies
//! the head that says when the flight goes on. So what arrives in a step is one flat list of
//! places in memory, known long before they are read.

use super::history::StepSpikes;
use crate::connectome::narrow::{CHUNK, Chunk, Head, MOST_SLOTS, Narrow, Synapses};
use kernels::{prefetch, prefetch_range};

/// Accumulators of one receptor of a block, one a slot; they begin at a cache line.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Sums(pub(super) [i32; MOST_SLOTS as usize]);

/// Segments that are asked for ahead.
const AHEAD: usize = 16;

/// A spike that waits for its next segment.
#[derive(Debug, Clone, Copy)]
struct Flight {
    /// Among the block's chunks.
    chunk: u32,
    /// Where the synapses of the segment begin.
    first: u32,
    /// Number of its synapses.
    count: u32,
}

/// Spikes on their way through the rows of a block. All of it follows from the spikes of the last steps.
#[derive(Debug)]
pub(super) struct Flights {
    /// By step modulo the length, a power of two: what arrives in it.
    arriving: Vec<Vec<Flight>>,
}

impl Sums {
    /// A new set of accumulators.
    pub(super) fn new() -> Box<Sums> {
        Box::new(Sums([0; MOST_SLOTS as usize]))
    }
}

impl Flights {
    pub(super) fn new(narrow: &Narrow) -> Flights {
        let longest = narrow.bundles().iter().map(|bundle| *bundle.delays.end()).max();
        let steps = longest.unwrap_or(0) as usize + 1;
        Flights { arriving: vec![Vec::new(); steps.next_power_of_two()] }
    }

    pub(super) fn clear(&mut self) {
        self.arriving.iter_mut().for_each(Vec::clear);
    }

    /// The spikes of step `sent`, one list a population, set out; what would have arrived by step
    /// `now` is passed over.
    pub(super) fn launch(
        &mut self,
        narrow: &Narrow,
        block: usize,
        spikes: &[StepSpikes],
        sent: u64,
        now: u64,
    ) {
        let chunks = narrow.chunks(block);
        for bundle in narrow.bundles() {
            // Where a row begins, and its first head, lie in memory that no cache holds: all are asked for
            // before the first is read.
            let sources = &spikes[bundle.source].neurons;
            for &source in sources {
                prefetch(&chunks[bundle.chunk(source)].rows, source as usize % CHUNK);
            }
            for &source in sources {
                let chunk = &chunks[bundle.chunk(source)];
                chunk.synapses.prefetch(chunk.row(source));
            }
            for &source in sources {
                let number = bundle.chunk(source);
                let chunk = &chunks[number];
                let mut head = chunk.first(source);
                let mut step = sent + u64::from(head.steps);
                while head.count > 0 && step <= now {
                    head = chunk.synapses.head(head.first + head.count);
                    step += u64::from(head.steps);
                }
                self.wait(number as u32, head, step);
            }
        }
    }

    /// Where the flights of a step lie.
    #[inline]
    fn slot(&self, step: u64) -> usize {
        step as usize & (self.arriving.len() - 1)
    }

    #[inline]
    fn wait(&mut self, chunk: u32, head: Head, step: u64) {
        if head.count > 0 {
            let slot = self.slot(step);
            let Head { first, count, .. } = head;
            self.arriving[slot].push(Flight { chunk, first, count });
        }
    }

    /// Adds what arrives in `step` to the accumulators, one set a receptor.
    pub(super) fn land(
        &mut self,
        narrow: &Narrow,
        block: usize,
        step: u64,
        sums: &mut [Box<Sums>],
    ) {
        let (chunks, packed) = (narrow.chunks(block), narrow.is_packed());
        let slot = self.slot(step);
        let mut flights = std::mem::take(&mut self.arriving[slot]);
        for (index, flight) in flights.iter().enumerate() {
            if let Some(ahead) = flights.get(index + AHEAD) {
                ahead.prefetch(chunks);
            }
            let chunk = &chunks[flight.chunk as usize];
            let receptor = usize::from(chunk.receptor);
            let head = match packed {
                true => flight.add(chunk, 16 * receptor as u32, &mut sums[0].0),
                false => flight.add(chunk, 0, &mut sums[receptor].0),
            };
            self.wait(flight.chunk, head, step + u64::from(head.steps));
        }
        flights.clear();
        self.arriving[slot] = flights;
    }
}

impl Flight {
    #[inline]
    fn prefetch(&self, chunks: &[Chunk]) {
        let (first, count) = (self.first as usize, self.count as usize);
        match &chunks[self.chunk as usize].synapses {
            Synapses::Slots(slots) => prefetch_range(slots, first..first + count + 2),
            Synapses::Weighted(synapses) => prefetch_range(synapses, first..first + count + 1),
        }
    }

    /// Adds the segment's weights, shifted where sums are packed, and gives the head of the one that arrives next.
    #[inline]
    fn add(&self, chunk: &Chunk, shift: u32, sums: &mut [i32; MOST_SLOTS as usize]) -> Head {
        let (mut first, mut count) = (self.first, self.count);
        loop {
            let segment = first as usize..(first + count) as usize;
            match &chunk.synapses {
                Synapses::Slots(slots) => {
                    let weight = i32::from(chunk.weight) << shift;
                    for &slot in &slots[segment] {
                        let sum = &mut sums[usize::from(slot)];
                        *sum = sum.wrapping_add(weight);
                    }
                }
                Synapses::Weighted(synapses) => {
                    for &synapse in &synapses[segment] {
                        // No bounds to check: the slot has 16 bits and so many sums there are.
                        let sum = &mut sums[usize::from((synapse >> 16) as u16)];
                        *sum = sum.wrapping_add(i32::from(synapse as i16));
                    }
                }
            }
            let head = chunk.synapses.head(first + count);
            if head.count == 0 || head.steps > 0 {
                return head;
            }
            (first, count) = (head.first, head.count);
        }
    }
}
