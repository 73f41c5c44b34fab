//! Random words and Poisson counts by hand for AVX2, whose sixteen registers hold half of what the common
//! loops keep at a time: there a compiler stores and reloads most words in every round.
//!
//! The bits are those of the common loops ([`crate::philox`], [`crate::poisson`]).

use crate::philox::{BATCH, BLOCKS, MULTIPLIER, ROUNDS, Sequence, WEYL};
use crate::poisson::{Counts, Draw, GROUP};
use std::arch::x86_64::*;

/// Blocks whose words stay in registers.
const PART: usize = 8;

/// Bounds that are kept as vectors; longer tables, of rates that no background input has, take the common loop.
const MOST_BOUNDS: usize = 24;

/// Neurons of a register.
const LANES: usize = 16;

/// Word w of blocks 4 v to 4 v + 3 in the lower halves of `[w][v]`; the upper halves are noise.
type Words = [[__m256i; 2]; 4];

/// Broadcasts a word to the lower halves.
#[target_feature(enable = "avx2")]
#[inline]
fn every(word: u32) -> __m256i {
    _mm256_set1_epi64x(i64::from(word))
}

/// Eight words from this one on.
#[target_feature(enable = "avx2")]
#[inline]
fn counting(first: u32) -> [__m256i; 2] {
    [0, 4].map(|more| {
        let offset = _mm256_set_epi64x(3 + more, 2 + more, 1 + more, more);
        _mm256_add_epi32(every(first), offset)
    })
}

/// Philox4x32-10 of eight counters.
#[target_feature(enable = "avx2")]
#[inline]
fn philox(mut c: Words, key: [u32; 2]) -> Words {
    let multiplier = MULTIPLIER.map(|m| _mm256_set1_epi64x(m as i64));
    let mut k = key;
    for _ in 0..ROUNDS {
        for v in 0..2 {
            let low = _mm256_mul_epu32(multiplier[0], c[0][v]);
            let high = _mm256_mul_epu32(multiplier[1], c[2][v]);
            let first = _mm256_xor_si256(c[1][v], every(k[0]));
            let second = _mm256_xor_si256(c[3][v], every(k[1]));
            c[0][v] = _mm256_xor_si256(_mm256_srli_epi64::<32>(high), first);
            c[1][v] = high;
            c[2][v] = _mm256_xor_si256(_mm256_srli_epi64::<32>(low), second);
            c[3][v] = low;
        }
        k = [k[0].wrapping_add(WEYL[0]), k[1].wrapping_add(WEYL[1])];
    }
    c
}

/// Words 2h and 2h + 1 of each block as one number, the first in its lower half.
#[target_feature(enable = "avx2")]
#[inline]
fn pairs(words: &Words, h: usize) -> [__m256i; 2] {
    [0, 1].map(|v: usize| {
        let upper = _mm256_slli_epi64::<32>(words[2 * h + 1][v]);
        _mm256_blend_epi32::<0b1010_1010>(words[2 * h][v], upper)
    })
}

/// Adds to sixteen sums.
#[target_feature(enable = "avx2")]
#[inline]
#[allow(unsafe_code)]
fn add_to(sums: &mut [i32; LANES], input: [__m256i; 2]) {
    for (sums, input) in sums.as_chunks_mut::<8>().0.iter_mut().zip(input) {
        let place: *mut __m256i = std::ptr::from_mut(sums).cast();
        // SAFETY: the place has eight numbers of 32 bits; these instructions need no alignment.
        unsafe {
            _mm256_storeu_si256(place, _mm256_add_epi32(_mm256_loadu_si256(place), input));
        }
    }
}

/// [`crate::poisson::add_counts`].
#[target_feature(enable = "avx2")]
pub(crate) fn add_counts(
    draw: Draw,
    counts: Counts<'_>,
    sums: &mut [i32],
    undecided: &mut Vec<u32>,
) {
    let sign = _mm256_set1_epi16(i16::MIN);
    let mut bounds = [sign; MOST_BOUNDS];
    let (Some(bounds), false) = (bounds.get_mut(..counts.bounds.len()), counts.bounds.is_empty())
    else {
        return crate::poisson::add(draw, counts, sums, undecided);
    };
    for (signed, &bound) in bounds.iter_mut().zip(counts.bounds) {
        *signed = _mm256_set1_epi16(bound as i16 ^ i16::MIN);
    }
    let last = bounds[bounds.len() - 1];
    let most = _mm256_set1_epi16(counts.least as i16 + counts.bounds.len() as i16);
    // The lower 16 bits of each lane: a product of 16-bit numbers is one instruction.
    let weight = _mm256_set1_epi32(i32::from(counts.weight as u16));
    let step = [[every(draw.step as u32); 2], [every((draw.step >> 32) as u32); 2]];
    let tag = [every(draw.tag); 2];
    for (group, sums) in sums.as_chunks_mut::<GROUP>().0.iter_mut().enumerate() {
        let places = sums.as_chunks_mut::<LANES>().0;
        for part in 0..BLOCKS / PART {
            let block = draw.block.wrapping_add((group * BLOCKS + part * PART) as u32);
            let counter = [step[0], step[1], counting(block), tag];
            let words = philox(counter, draw.key);
            let [first, second] = [pairs(&words, 0), pairs(&words, 1)];
            let bits = [first[0], first[1], second[0], second[1]];
            let bits = bits.map(|bits| _mm256_xor_si256(bits, sign));
            let mut numbers = [most; 4];
            for bound in &*bounds {
                for v in 0..4 {
                    let below = _mm256_cmpgt_epi16(*bound, bits[v]);
                    numbers[v] = _mm256_add_epi16(numbers[v], below);
                }
            }
            for v in 0..4 {
                let place = v / 2 * (GROUP / 2 / LANES) + part * 2 + v % 2;
                let number = numbers[v];
                let halves =
                    [_mm256_castsi256_si128(number), _mm256_extracti128_si256::<1>(number)];
                let input =
                    halves.map(|half| _mm256_madd_epi16(_mm256_cvtepu16_epi32(half), weight));
                add_to(&mut places[place], input);
                let below = _mm256_movemask_epi8(_mm256_cmpgt_epi16(last, bits[v]));
                if below != -1 {
                    name_undecided(!below, group * GROUP + place * LANES, undecided);
                }
            }
        }
    }
}

/// Appends the neurons whose bits (two each) are set.
#[cold]
#[inline(never)]
fn name_undecided(set: i32, first: usize, undecided: &mut Vec<u32>) {
    let open = (0..LANES).filter(|lane| set >> (2 * lane) & 1 != 0);
    undecided.extend(open.map(|lane| (first + lane) as u32));
}

/// [`crate::philox::random_bits`].
#[target_feature(enable = "avx2")]
#[allow(unsafe_code)]
pub(crate) fn random_bits(sequence: Sequence, numbers: &mut [u64]) {
    let (object, tag) = ([every(sequence.object); 2], [every(sequence.tag); 2]);
    let zero = [every(0); 2];
    for (batch, numbers) in numbers.as_chunks_mut::<BATCH>().0.iter_mut().enumerate() {
        let places = numbers.as_chunks_mut::<4>().0;
        for part in 0..BLOCKS / PART {
            let block = (batch * BLOCKS + part * PART) as u32;
            let counter = [counting(block), zero, object, tag];
            let words = philox(counter, sequence.key);
            for h in 0..2 {
                for (v, pair) in pairs(&words, h).into_iter().enumerate() {
                    let place = &mut places[h * (BLOCKS / 4) + part * 2 + v];
                    // SAFETY: the place has four numbers of 64 bits; no alignment is needed.
                    unsafe { _mm256_storeu_si256(std::ptr::from_mut(place).cast(), pair) };
                }
            }
        }
    }
}
