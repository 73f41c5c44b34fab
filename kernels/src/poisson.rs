//! Poisson counts for many neurons at once: Philox words as lanes, compared with the cumulative
//! distribution.
//!
//! The law is that of `sim_core::stimulus::Drive`: sixteen bits a neuron decide nearly every count. Where
//! they equal those of an entry of the table, the neuron is named as undecided and the caller looks
//! at more bits.

use crate::instructions::compiled_for_each_set;

/// Neurons that share a group of random words.
pub const GROUP: usize = 128;

/// Blocks that are made together: 16 counters.
const BLOCKS: usize = 16;

const MULTIPLIER: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// 16 blocks of Philox4x32-10; word w of block j is `[w][j]`.
#[inline(always)]
fn philox(mut c: [[u32; BLOCKS]; 4], key: [u32; 2]) -> [[u32; BLOCKS]; 4] {
    let mut k = key;
    for _ in 0..10 {
        let mut next = [[0; BLOCKS]; 4];
        for j in 0..BLOCKS {
            let low = u64::from(MULTIPLIER[0]) * u64::from(c[0][j]);
            let high = u64::from(MULTIPLIER[1]) * u64::from(c[2][j]);
            next[0][j] = (high >> 32) as u32 ^ c[1][j] ^ k[0];
            next[1][j] = high as u32;
            next[2][j] = (low >> 32) as u32 ^ c[3][j] ^ k[1];
            next[3][j] = low as u32;
        }
        c = next;
        k = [k[0].wrapping_add(WEYL[0]), k[1].wrapping_add(WEYL[1])];
    }
    c
}

/// Which words are drawn: the counter of block b is (step, `block + b`, tag).
#[derive(Debug, Clone, Copy)]
pub struct Draw {
    /// Key of the generator.
    pub key: [u32; 2],
    /// Step.
    pub step: u64,
    /// Block of the first neuron; eight neurons share a block.
    pub block: u32,
    /// Fourth word of the counter.
    pub tag: u32,
}

#[inline(always)]
fn words(draw: Draw, first: u32) -> [[u32; BLOCKS]; 4] {
    let mut counter = [[0; BLOCKS]; 4];
    for j in 0..BLOCKS {
        counter[0][j] = draw.step as u32;
        counter[1][j] = (draw.step >> 32) as u32;
        counter[2][j] = draw.block.wrapping_add(first + j as u32);
        counter[3][j] = draw.tag;
    }
    philox(counter, draw.key)
}

#[inline(always)]
fn add(draw: Draw, table: &[u16], weight: i32, sums: &mut [i32], undecided: &mut Vec<(u32, u16)>) {
    for (group, sums) in sums.as_chunks_mut::<GROUP>().0.iter_mut().enumerate() {
        let words = words(draw, (group * BLOCKS) as u32);
        let mut lanes = [0_u16; GROUP];
        for j in 0..BLOCKS {
            for w in 0..4 {
                lanes[8 * j + 2 * w] = words[w][j] as u16;
                lanes[8 * j + 2 * w + 1] = (words[w][j] >> 16) as u16;
            }
        }
        let mut any = 0;
        for (lanes, sums) in lanes.as_chunks::<32>().0.iter().zip(sums.as_chunks_mut::<32>().0) {
            let mut counts = [0_u16; 32];
            let mut equal = [0_u16; 32];
            for lane in 0..32 {
                equal[lane] = u16::from(lanes[lane] == u16::MAX);
            }
            for &entry in table {
                for lane in 0..32 {
                    counts[lane] += u16::from(lanes[lane] > entry);
                    equal[lane] |= u16::from(lanes[lane] == entry);
                }
            }
            for lane in 0..32 {
                sums[lane] = sums[lane].wrapping_add(i32::from(counts[lane]).wrapping_mul(weight));
            }
            any |= equal.iter().fold(0, |any, lane| any | lane);
        }
        if any != 0 {
            name_undecided(&lanes, table, group, undecided);
        }
    }
}

#[cold]
#[inline(never)]
fn name_undecided(
    lanes: &[u16; GROUP],
    table: &[u16],
    group: usize,
    undecided: &mut Vec<(u32, u16)>,
) {
    let equal =
        lanes.iter().enumerate().filter(|(_, lane)| **lane == u16::MAX || table.contains(lane));
    undecided.extend(equal.map(|(index, &lane)| ((group * GROUP + index) as u32, lane)));
}

compiled_for_each_set! {
    /// Adds weight × count to the sums of consecutive neurons.
    ///
    /// `sums` is a multiple of [`GROUP`] long and begins at a multiple of it. `table` has the upper 16
    /// bits of the cumulative distribution, without those that are all ones; a neuron's count is
    /// the number of entries below its random bits. Neurons whose bits equal an entry, or are all
    /// ones, are appended to `undecided` with their bits: what their lower bits add is missing.
    pub fn add_counts = add;
    (
        draw: Draw,
        table: &[u16],
        weight: i32,
        sums: &mut [i32],
        undecided: &mut Vec<(u32, u16)>,
    )
}
