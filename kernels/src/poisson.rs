//! Poisson counts for many neurons at once: random bits as 16-bit lanes, compared with a short table.
//!
//! The law is that of `sim_core::stimulus::Drive`: sixteen bits a neuron decide nearly every count. Neurons
//! whose bits decide nothing are named, and the caller draws their counts.

use crate::instructions::compiled_for_each_set;
use crate::philox::{BLOCKS, pairs, philox};

/// Neurons that share a group of random words.
pub const GROUP: usize = 128;

/// Lanes of 16 bits that are compared together.
const LANES: usize = 64;

/// Which words are drawn: the counter of block b is (step, `block + b`, tag).
#[derive(Debug, Clone, Copy)]
pub struct Draw {
    /// Key of the generator.
    pub key: [u32; 2],
    /// Step.
    pub step: u64,
    /// Block of the first group; sixteen blocks a group.
    pub block: u32,
    /// Fourth word of the counter.
    pub tag: u32,
}

/// What the random bits mean.
#[derive(Debug, Clone, Copy)]
pub struct Counts<'a> {
    /// A neuron's count is `least` and one for each bound that does not exceed its bits; ascending.
    pub bounds: &'a [u16],
    /// Counts below are too rare for 16 bits.
    pub least: u16,
    /// What one spike adds to a sum.
    pub weight: i16,
}

/// The bits of a group's neurons as signed numbers: less 2^15, in the order of the neurons.
#[inline(always)]
fn lanes(draw: Draw, group: usize) -> [[i16; LANES]; 2] {
    let mut counter = [[0; BLOCKS]; 4];
    for j in 0..BLOCKS {
        counter[0][j] = draw.step;
        counter[1][j] = draw.step >> 32;
        counter[2][j] = u64::from(draw.block.wrapping_add((group * BLOCKS + j) as u32));
        counter[3][j] = u64::from(draw.tag);
    }
    let words = philox(counter, draw.key);
    let mut lanes = [[0; LANES]; 2];
    for (h, lanes) in lanes.iter_mut().enumerate() {
        let bytes = pairs(&words, h).map(u64::to_le_bytes);
        let lanes_of = bytes.as_flattened().as_chunks::<2>().0;
        for lane in 0..LANES {
            lanes[lane] = i16::from_le_bytes(lanes_of[lane]) ^ i16::MIN;
        }
    }
    lanes
}

#[inline(always)]
pub(crate) fn add(draw: Draw, counts: Counts<'_>, sums: &mut [i32], undecided: &mut Vec<u32>) {
    let Some(&last) = counts.bounds.last() else {
        return;
    };
    let signed = |bound: u16| bound as i16 ^ i16::MIN;
    for (group, sums) in sums.as_chunks_mut::<GROUP>().0.iter_mut().enumerate() {
        let lanes = lanes(draw, group);
        for (half, (lanes, sums)) in lanes.iter().zip(sums.as_chunks_mut::<LANES>().0).enumerate() {
            let mut number = [counts.least as i16; LANES];
            for &bound in counts.bounds {
                let bound = signed(bound);
                for lane in 0..LANES {
                    number[lane] += i16::from(lanes[lane] >= bound);
                }
            }
            let mut largest = i16::MIN;
            for lane in 0..LANES {
                largest = largest.max(lanes[lane]);
                let input = i32::from(number[lane]).wrapping_mul(i32::from(counts.weight));
                sums[lane] = sums[lane].wrapping_add(input);
            }
            if largest >= signed(last) {
                name_undecided(lanes, signed(last), group * GROUP + half * LANES, undecided);
            }
        }
    }
}

#[cold]
#[inline(never)]
fn name_undecided(lanes: &[i16; LANES], last: i16, first: usize, undecided: &mut Vec<u32>) {
    let open = lanes.iter().enumerate().filter(|(_, lane)| **lane >= last);
    undecided.extend(open.map(|(index, _)| (first + index) as u32));
}

compiled_for_each_set! {
    /// Adds weight × count to the sums of consecutive neurons.
    ///
    /// `sums` is a multiple of [`GROUP`] long and begins at a multiple of it. Neuron i of group g has lane
    /// i mod 4 (of 16 bits, the lowest first) of the words 2h and 2h + 1 of block 16 g + ⌊i/4⌋ mod 16,
    /// where h = ⌊i/64⌋. Neurons whose bits reach the last bound are undecided: `least` and one for
    /// each bound were added for them, and they are appended.
    pub fn add_counts = add, avx2: crate::avx2::add_counts, avx512: crate::avx512::add_counts;
    (draw: Draw, counts: Counts<'_>, sums: &mut [i32], undecided: &mut Vec<u32>)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Instructions;

    #[test]
    fn every_set_adds_the_same_with_short_and_long_tables() {
        let draw = Draw { key: [7, 8], step: (3 << 32) + 5, block: 32, tag: 9 };
        for length in [1, 8, 24, 25, 40_u16] {
            let bounds: Vec<u16> = (1..=length).map(|n| n * (64_000 / length)).collect();
            let counts = Counts { bounds: &bounds, least: 2, weight: -321 };
            let run = |instructions: Instructions| {
                let (mut sums, mut undecided) = (vec![4; 3 * GROUP], Vec::new());
                add_counts(instructions, draw, counts, &mut sums, &mut undecided);
                // The order in which neurons are named differs; nothing depends on it.
                undecided.sort_unstable();
                (sums, undecided)
            };
            let mut expected = (vec![4; 3 * GROUP], Vec::new());
            add(draw, counts, &mut expected.0, &mut expected.1);
            expected.1.sort_unstable();
            assert!(!expected.1.is_empty(), "{length}: all are decided");
            for instructions in Instructions::available() {
                assert_eq!(run(instructions), expected, "{}, {length} bounds", instructions.name());
            }
        }
    }
}
