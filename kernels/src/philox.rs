//! Philox4x32-10 for many counters at once.
//!
//! Reference: J. K. Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", SC'11,
//! doi 10.1145/2063384.2063405.

use crate::instructions::compiled_for_each_set;

/// Blocks that are made together.
pub(crate) const BLOCKS: usize = 16;

/// Numbers of 64 bits that are made together.
pub const BATCH: usize = 2 * BLOCKS;

pub(crate) const ROUNDS: usize = 10;
pub(crate) const MULTIPLIER: [u64; 2] = [0xD251_1F53, 0xCD9E_8D57];
pub(crate) const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
const LOWER: u64 = 0xFFFF_FFFF;

/// Words of blocks: word w of block j is the lower half of `[w][j]`; the upper halves are noise.
///
/// Lanes have 64 bits because a product of two lower halves then is one instruction, and its lower half
/// already lies where it is needed next.
pub(crate) type Words = [[u64; BLOCKS]; 4];

/// The blocks of these counters.
#[inline(always)]
pub(crate) fn philox(mut c: Words, key: [u32; 2]) -> Words {
    let mut k = key;
    for _ in 0..ROUNDS {
        let mut next = [[0; BLOCKS]; 4];
        for j in 0..BLOCKS {
            let low = MULTIPLIER[0] * (c[0][j] & LOWER);
            let high = MULTIPLIER[1] * (c[2][j] & LOWER);
            next[0][j] = (high >> 32) ^ c[1][j] ^ u64::from(k[0]);
            next[1][j] = high;
            next[2][j] = (low >> 32) ^ c[3][j] ^ u64::from(k[1]);
            next[3][j] = low;
        }
        c = next;
        k = [k[0].wrapping_add(WEYL[0]), k[1].wrapping_add(WEYL[1])];
    }
    c
}

/// Words 2h and 2h + 1 of each block as one number, the first in its lower half.
#[inline(always)]
pub(crate) fn pairs(words: &Words, h: usize) -> [u64; BLOCKS] {
    let mut pairs = [0; BLOCKS];
    for j in 0..BLOCKS {
        pairs[j] = (words[2 * h][j] & LOWER) | (words[2 * h + 1][j] << 32);
    }
    pairs
}

/// Which numbers are drawn: the counter of block b is (b, 0, `object`, `tag`).
#[derive(Debug, Clone, Copy)]
pub struct Sequence {
    /// Key of the generator.
    pub key: [u32; 2],
    /// Third word of the counter.
    pub object: u32,
    /// Fourth word of the counter.
    pub tag: u32,
}

#[inline(always)]
fn fill(sequence: Sequence, numbers: &mut [u64]) {
    for (batch, numbers) in numbers.as_chunks_mut::<BATCH>().0.iter_mut().enumerate() {
        let mut counter = [[0; BLOCKS]; 4];
        for j in 0..BLOCKS {
            counter[0][j] = u64::from((batch * BLOCKS + j) as u32);
            counter[2][j] = u64::from(sequence.object);
            counter[3][j] = u64::from(sequence.tag);
        }
        let words = philox(counter, sequence.key);
        let (first, second) = (pairs(&words, 0), pairs(&words, 1));
        numbers[..BLOCKS].copy_from_slice(&first);
        numbers[BLOCKS..].copy_from_slice(&second);
    }
}

compiled_for_each_set! {
    /// Fills a slice, a multiple of [`BATCH`] long, with random bits.
    ///
    /// Number p has words 2h (lower half) and 2h + 1 of block 16 ⌊p/32⌋ + p mod 16, where h is 1 if
    /// bit 4 of p is set and else 0.
    pub fn random_bits = fill, avx2: crate::avx2::random_bits, avx512: crate::avx512::random_bits;
    (sequence: Sequence, numbers: &mut [u64])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Instructions;

    /// Known answers of the Random123 distribution (kat_vectors, philox4x32 10).
    #[test]
    fn blocks_are_the_published_ones() {
        let lanes = |words: [u32; 4]| words.map(|word| [u64::from(word); BLOCKS]);
        let words = |blocks: &Words, j: usize| {
            [0, 1].map(|h| pairs(blocks, h)[j]).map(|pair| [pair as u32, (pair >> 32) as u32])
        };
        let zero = philox(lanes([0; 4]), [0; 2]);
        let pi = philox(
            lanes([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344]),
            [0xa409_3822, 0x299f_31d0],
        );
        for j in [0, BLOCKS - 1] {
            assert_eq!(words(&zero, j), [[0x6627_e8d5, 0xe169_c58d], [0xbc57_ac4c, 0x9b00_dbd8]]);
            assert_eq!(words(&pi, j), [[0xd16c_fe09, 0x94fd_cceb], [0x5001_e420, 0x2412_6ea1]]);
        }
    }

    #[test]
    fn all_sets_fill_alike_and_by_the_documented_rule() {
        let sequence = Sequence { key: [3, 4], object: 5, tag: 6 };
        let mut expected = vec![0; 3 * BATCH];
        fill(sequence, &mut expected);
        for instructions in Instructions::available() {
            let mut numbers = vec![0; 3 * BATCH];
            random_bits(instructions, sequence, &mut numbers);
            assert_eq!(numbers, expected, "{}", instructions.name());
        }
        for (p, number) in expected.iter().enumerate() {
            let block = (16 * (p / 32) + p % 16) as u64;
            let counter = [[block; BLOCKS], [0; BLOCKS], [5; BLOCKS], [6; BLOCKS]];
            let words = philox(counter, [3, 4]);
            assert_eq!(*number, pairs(&words, p / 16 % 2)[0], "{p}");
        }
    }
}
