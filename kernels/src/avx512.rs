//! Random words and Poisson counts by hand for AVX-512: two groups at a time, as the rounds of one alone wait for
//! their products, and counts from masks.
//!
//! The bits are those of the common loops ([`crate::philox`], [`crate::poisson`]).

use crate::philox::{BATCH, BLOCKS, MULTIPLIER, ROUNDS, Sequence, WEYL};
use crate::poisson::{Counts, Draw, GROUP};
use std::arch::x86_64::*;

/// Bounds that are kept as vectors; longer tables, of rates that no background input has, take the common loop.
const MOST_BOUNDS: usize = 24;

/// Neurons of a register.
const LANES: usize = 32;

/// Registers of a word of all blocks of a group.
const PARTS: usize = BLOCKS / 8;

/// Word w of blocks 8 v to 8 v + 7 in the lower halves of `[w][v]`; the upper halves are noise.
type Words<const V: usize> = [[__m512i; V]; 4];

/// The keys of all rounds.
type Keys = [[__m512i; 2]; ROUNDS];

/// Broadcasts a word to the lower halves.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
#[inline]
fn every(word: u32) -> __m512i {
    _mm512_set1_epi64(i64::from(word))
}

/// Words in sequence from this one on, eight a register.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
#[inline]
fn counting<const V: usize>(first: u32) -> [__m512i; V] {
    let offset = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
    let mut words = [offset; V];
    for v in 0..V {
        words[v] = _mm512_add_epi32(every(first.wrapping_add(8 * v as u32)), offset);
    }
    words
}

// A loop, as a closure that another function calls would not be inlined: that function lacks the instruction set.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
#[inline]
fn keys(mut key: [u32; 2]) -> Keys {
    let mut keys = [[_mm512_setzero_si512(); 2]; ROUNDS];
    for round in 0..ROUNDS {
        keys[round] = [every(key[0]), every(key[1])];
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    keys
}

/// Philox4x32-10 of 8 V counters.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
#[inline]
fn philox<const V: usize>(mut c: Words<V>, keys: &Keys) -> Words<V> {
    let multiplier = MULTIPLIER.map(|m| _mm512_set1_epi64(m as i64));
    for key in keys {
        for v in 0..V {
            let low = _mm512_mul_epu32(multiplier[0], c[0][v]);
            let high = _mm512_mul_epu32(multiplier[1], c[2][v]);
            let (first, second) = (_mm512_srli_epi64::<32>(high), _mm512_srli_epi64::<32>(low));
            // 0x96: exclusive or of three.
            c[0][v] = _mm512_ternarylogic_epi64::<0x96>(first, c[1][v], key[0]);
            c[1][v] = high;
            c[2][v] = _mm512_ternarylogic_epi64::<0x96>(second, c[3][v], key[1]);
            c[3][v] = low;
        }
    }
    c
}

/// Words 2h and 2h + 1 of eight blocks as one number each, the first in its lower half.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
#[inline]
fn pair<const V: usize>(words: &Words<V>, h: usize, v: usize) -> __m512i {
    // The lower half of each pair of 32-bit lanes, twice.
    const LOWER_TWICE: i32 = 0b10_10_00_00;
    let (first, second) = (words[2 * h][v], words[2 * h + 1][v]);
    _mm512_mask_shuffle_epi32::<LOWER_TWICE>(first, 0b1010_1010_1010_1010, second)
}

/// What counts are made with.
struct Table<'a> {
    bounds: &'a [__m512i],
    least: __m512i,
    /// In the lower 16 bits of each lane of 32: a product of 16-bit numbers is one instruction.
    weight: __m512i,
}

/// Adds to the sums of the neurons of a group, whose bits are given; the first is `first`.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
#[inline]
#[allow(unsafe_code)]
fn add_group(
    table: &Table<'_>,
    bits: [__m512i; GROUP / LANES],
    sums: &mut [i32; GROUP],
    first: usize,
    undecided: &mut Vec<u32>,
) {
    let one = _mm512_set1_epi16(1);
    let mut numbers = [table.least; GROUP / LANES];
    let mut reached = [0; GROUP / LANES];
    for &bound in table.bounds {
        for v in 0..GROUP / LANES {
            reached[v] = _mm512_cmpge_epu16_mask(bits[v], bound);
            numbers[v] = _mm512_mask_add_epi16(numbers[v], reached[v], numbers[v], one);
        }
    }
    for (v, sums) in sums.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let number = numbers[v];
        let halves = [_mm512_castsi512_si256(number), _mm512_extracti64x4_epi64::<1>(number)];
        for (sums, half) in sums.as_chunks_mut::<16>().0.iter_mut().zip(halves) {
            let input = _mm512_madd_epi16(_mm512_cvtepu16_epi32(half), table.weight);
            let place: *mut __m512i = std::ptr::from_mut(sums).cast();
            // SAFETY: the place has sixteen numbers of 32 bits; these instructions need no alignment.
            unsafe {
                _mm512_storeu_si512(place, _mm512_add_epi32(_mm512_loadu_si512(place), input));
            }
        }
    }
    if reached.iter().any(|&lanes| lanes != 0) {
        name_undecided(reached, first, undecided);
    }
}

/// Appends the neurons whose bits are set.
#[cold]
#[inline(never)]
fn name_undecided(reached: [u32; GROUP / LANES], first: usize, undecided: &mut Vec<u32>) {
    for (v, mut lanes) in reached.into_iter().enumerate() {
        while lanes != 0 {
            undecided.push((first + v * LANES) as u32 + lanes.trailing_zeros());
            lanes &= lanes - 1;
        }
    }
}

/// [`crate::poisson::add_counts`].
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
pub(crate) fn add_counts(
    draw: Draw,
    counts: Counts<'_>,
    sums: &mut [i32],
    undecided: &mut Vec<u32>,
) {
    let mut bounds = [_mm512_setzero_si512(); MOST_BOUNDS];
    let (Some(bounds), false) = (bounds.get_mut(..counts.bounds.len()), counts.bounds.is_empty())
    else {
        return crate::poisson::add(draw, counts, sums, undecided);
    };
    for (vector, &bound) in bounds.iter_mut().zip(counts.bounds) {
        *vector = _mm512_set1_epi16(bound as i16);
    }
    let table = Table {
        bounds,
        least: _mm512_set1_epi16(counts.least as i16),
        weight: _mm512_set1_epi32(i32::from(counts.weight as u16)),
    };
    let keys = keys(draw.key);
    let (groups, _) = sums.as_chunks_mut::<GROUP>();
    let (twos, last) = groups.as_chunks_mut::<2>();
    let pairs = twos.len();
    for (number, two) in twos.iter_mut().enumerate() {
        add_groups::<2, { 2 * PARTS }>(draw, &keys, &table, two, 2 * number, undecided);
    }
    for group in last.as_chunks_mut::<1>().0 {
        add_groups::<1, PARTS>(draw, &keys, &table, group, 2 * pairs, undecided);
    }
}

/// The same for G groups at a time, of V registers a word; `first` is the first of them.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
#[inline]
fn add_groups<const G: usize, const V: usize>(
    draw: Draw,
    keys: &Keys,
    table: &Table<'_>,
    groups: &mut [[i32; GROUP]; G],
    first: usize,
    undecided: &mut Vec<u32>,
) {
    let block = draw.block.wrapping_add((first * BLOCKS) as u32);
    let step = [every(draw.step as u32), every((draw.step >> 32) as u32)];
    let counter = [[step[0]; V], [step[1]; V], counting(block), [every(draw.tag); V]];
    let words = philox(counter, keys);
    for (g, sums) in groups.iter_mut().enumerate() {
        let v = PARTS * g;
        let bits = [(0, v), (0, v + 1), (1, v), (1, v + 1)].map(|(h, v)| pair(&words, h, v));
        add_group(table, bits, sums, (first + g) * GROUP, undecided);
    }
}

/// [`crate::philox::random_bits`].
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
pub(crate) fn random_bits(sequence: Sequence, numbers: &mut [u64]) {
    let keys = keys(sequence.key);
    let (batches, _) = numbers.as_chunks_mut::<BATCH>();
    let (twos, last) = batches.as_chunks_mut::<2>();
    let pairs = twos.len();
    for (number, two) in twos.iter_mut().enumerate() {
        fill::<2, { 2 * PARTS }>(sequence, &keys, two, 2 * number);
    }
    for batch in last.as_chunks_mut::<1>().0 {
        fill::<1, PARTS>(sequence, &keys, batch, 2 * pairs);
    }
}

/// The same for G batches at a time, of V registers a word; `first` is the first of them.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
#[inline]
#[allow(unsafe_code)]
fn fill<const G: usize, const V: usize>(
    sequence: Sequence,
    keys: &Keys,
    batches: &mut [[u64; BATCH]; G],
    first: usize,
) {
    let (object, tag) = ([every(sequence.object); V], [every(sequence.tag); V]);
    let counter = [counting((first * BLOCKS) as u32), [every(0); V], object, tag];
    let words = philox(counter, keys);
    for (g, numbers) in batches.iter_mut().enumerate() {
        for (place, numbers) in numbers.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            let pair = pair(&words, place / PARTS, PARTS * g + place % PARTS);
            // SAFETY: the place has eight numbers of 64 bits; no alignment is needed.
            unsafe { _mm512_storeu_si512(std::ptr::from_mut(numbers).cast(), pair) };
        }
    }
}
