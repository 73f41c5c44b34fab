//! The inner loops of the clock-driven engine: neuron updates, random numbers and Poisson counts over
//! plain arrays, compiled once for each instruction set and chosen at run time.
//!
//! Every loop is written once, in safe Rust, over vectors of [`LANES`] neurons without branches, so
//! that the compiler makes vector code of it; random words and Poisson counts have forms by hand for
//! AVX2 and AVX-512. [`Instructions`] says which compiled form runs. All forms give the same bits: they do
//! the same additions and multiplications in the same order, and Rust never joins a multiplication and an
//! addition into one rounding unless it is told to.

// Lanes of several arrays are walked together by their number: that is what becomes vector code.
#![allow(clippy::needless_range_loop)]

mod aligned;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
pub mod conductance;
mod instructions;
pub mod lif;
mod loops;
pub mod normal;
mod pages;
pub mod philox;
pub mod poisson;
mod prefetch;
pub mod real;

pub use aligned::Aligned;
pub use instructions::Instructions;
pub use loops::Loop;
pub use pages::{gather_into_large_pages, prefer_large_pages};
pub use prefetch::{prefetch, prefetch_range};

/// Neurons that are updated at a time; arrays are padded to a multiple of it.
pub const LANES: usize = 16;

/// Numbers of as many neurons.
type Vector<T> = [T; LANES];

/// A parameter: one number for all neurons, or one each.
///
/// With `EACH` all parameters of a loop are arrays; without it all are single numbers, which stay in
/// registers.
#[derive(Clone, Copy)]
struct Parameter<'a, const EACH: bool> {
    one: f32,
    each: &'a [Vector<f32>],
}

impl<'a, const EACH: bool> Parameter<'a, EACH> {
    /// The parameter of so many vectors of neurons.
    #[inline(always)]
    fn of(column: &'a [f32], vectors: usize) -> Self {
        let each = if EACH { &column.as_chunks::<LANES>().0[..vectors] } else { &[] };
        Parameter { one: column.first().copied().unwrap_or(0.0), each }
    }

    #[inline(always)]
    fn at(&self, vector: usize) -> Vector<f32> {
        if EACH { self.each[vector] } else { [self.one; LANES] }
    }
}

/// A whole number from 0 to 65,535 in single precision as an integer, without a conversion that would have to
/// look at other numbers.
#[inline(always)]
fn whole(number: f32) -> u16 {
    const TWO_23: f32 = 8_388_608.0;
    (number + TWO_23).to_bits() as u16
}

/// One of two numbers, without a choice between two places in memory.
#[inline(always)]
fn select(condition: bool, yes: f32, no: f32) -> f32 {
    let mask = u32::from(condition).wrapping_neg();
    f32::from_bits((yes.to_bits() & mask) | (no.to_bits() & !mask))
}

/// Chunks of an array, as many as there are vectors of neurons.
#[inline(always)]
fn vectors<T>(array: &mut [T], count: usize) -> &mut [Vector<T>] {
    &mut array.as_chunks_mut::<LANES>().0[..count]
}

/// Appends the lanes that are set, as indices of neurons.
#[inline(always)]
fn emit(fired: &Vector<u32>, vector: usize, spikes: &mut Vec<u32>) {
    // One test a vector: spikes are rare.
    if fired.iter().fold(0, |any, &lane| any | lane) != 0 {
        // As bits, so that the lanes are never written to memory.
        let lanes = fired.iter().enumerate().fold(0, |set, (lane, fired)| set | fired << lane);
        push_fired(lanes, vector, spikes);
    }
}

#[cold]
#[inline(never)]
fn push_fired(mut lanes: u32, vector: usize, spikes: &mut Vec<u32>) {
    while lanes != 0 {
        spikes.push((vector * LANES) as u32 + lanes.trailing_zeros());
        lanes &= lanes - 1;
    }
}
