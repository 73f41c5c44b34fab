//! Blocks: which neurons share accumulators.
//!
//! A block has a slice of every population, so that all blocks have about the same work, and no more
//! slots than 16 bits can number. A slice begins at a multiple of [`ALIGNMENT`] within its population
//! and takes a multiple of it in slots, so that vectors of neurons and groups of random words never
//! cross its border.

use std::ops::Range;

/// Neurons of a population that stay together.
pub const ALIGNMENT: u32 = kernels::poisson::GROUP as u32;

/// Slots of a block.
pub const MOST_SLOTS: u32 = 1 << 16;

/// Most blocks: their number has eight bits while rows are sorted.
const MOST_BLOCKS: u32 = 256;

/// Which neurons lie in which block.
#[derive(Debug, Clone)]
pub struct Blocks {
    /// By block, then by population: local indices of its slice.
    slices: Vec<Vec<Range<u32>>>,
    /// By block, then by population: slot of the first neuron of the slice.
    first_slots: Vec<Vec<u32>>,
}

impl Blocks {
    /// At least `wanted` blocks over populations of these sizes (where neurons are narrow; else 0).
    ///
    /// None where there are too many neurons for `MOST_BLOCKS` blocks.
    pub fn new(sizes: &[u32], wanted: usize) -> Option<Blocks> {
        let groups: u64 = sizes.iter().map(|size| u64::from(size.div_ceil(ALIGNMENT))).sum();
        // More blocks than groups would be empty.
        let wanted = (wanted as u64).min(groups).clamp(1, u64::from(MOST_BLOCKS)) as u32;
        let needed = (groups * u64::from(ALIGNMENT)).div_ceil(u64::from(MOST_SLOTS)).max(1);
        let first = u64::from(wanted).max(needed);
        (first..=u64::from(MOST_BLOCKS)).find_map(|count| Self::divide(sizes, count as u32))
    }

    /// So many blocks, if their slots can be numbered.
    fn divide(sizes: &[u32], count: u32) -> Option<Blocks> {
        let mut blocks = Blocks { slices: Vec::new(), first_slots: Vec::new() };
        for block in 0..count {
            let mut slot = 0_u32;
            let mut first_slots = Vec::with_capacity(sizes.len());
            let slice = |&size: &u32| {
                let groups = u64::from(size.div_ceil(ALIGNMENT));
                let bound = |block: u32| {
                    let group = groups * u64::from(block) / u64::from(count);
                    (group as u32).saturating_mul(ALIGNMENT).min(size)
                };
                bound(block)..bound(block + 1)
            };
            let slices: Vec<Range<u32>> = sizes.iter().map(slice).collect();
            for slice in &slices {
                first_slots.push(slot);
                slot += (slice.len() as u32).next_multiple_of(ALIGNMENT);
                if slot > MOST_SLOTS {
                    return None;
                }
            }
            blocks.slices.push(slices);
            blocks.first_slots.push(first_slots);
        }
        Some(blocks)
    }

    /// Number of blocks.
    pub fn count(&self) -> usize {
        self.slices.len()
    }

    /// The slice of a population in a block, local indices.
    pub fn slice(&self, block: usize, population: usize) -> Range<u32> {
        self.slices[block][population].clone()
    }

    /// The slots of a population's slice in a block, padding included.
    pub fn slots(&self, block: usize, population: usize) -> Range<usize> {
        let first = self.first_slots[block][population] as usize;
        let count = self.slices[block][population].len();
        first..first + count.next_multiple_of(ALIGNMENT as usize)
    }

    /// Block and slot of a neuron.
    pub fn place(&self, population: usize, neuron: u32) -> (usize, u16) {
        let block = self.slices.partition_point(|slices| slices[population].end <= neuron);
        let offset = neuron - self.slices[block][population].start;
        (block, (self.first_slots[block][population] + offset) as u16)
    }

    /// The neuron of a population with this slot, if the slot is one of its slice.
    pub fn neuron(&self, block: usize, population: usize, slot: u16) -> Option<u32> {
        let offset = u32::from(slot).checked_sub(self.first_slots[block][population])?;
        let slice = &self.slices[block][population];
        (offset < slice.len() as u32).then_some(slice.start + offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_neuron_has_one_place_and_is_found_there() {
        for (sizes, wanted) in
            [(vec![1_u32, 300, 0, 129], 3), (vec![5], 8), (vec![70_000, 70_000], 1), (vec![0], 1)]
        {
            let blocks = Blocks::new(&sizes, wanted).unwrap();
            for (population, &size) in sizes.iter().enumerate() {
                for neuron in 0..size {
                    let (block, slot) = blocks.place(population, neuron);
                    assert_eq!(blocks.neuron(block, population, slot), Some(neuron));
                    assert!(blocks.slots(block, population).contains(&usize::from(slot)));
                    for other in (0..sizes.len()).filter(|&other| other != population) {
                        assert_eq!(blocks.neuron(block, other, slot), None);
                    }
                }
            }
        }
        assert!(Blocks::new(&[u32::MAX], 1).is_none());
    }
}
