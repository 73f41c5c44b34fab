//! The inner loops of the clock-driven engine: neuron updates and Poisson counts over plain arrays,
//! compiled once for each instruction set and chosen at run time.
//!
//! Every loop is written once, in safe Rust, over chunks of [`LANES`] neurons without branches, so
//! that the compiler makes vector code of it. [`Instructions`] says which compiled form runs. All forms
//! give the same bits: they do the same additions and multiplications in the same order, and Rust
//! never joins a multiplication and an addition into one rounding unless it is told to.

// Lanes of several arrays are walked together by their number: that is what becomes vector code.
#![allow(clippy::needless_range_loop)]

pub mod conductance;
mod instructions;
pub mod lif;
mod loops;
pub mod poisson;
mod prefetch;

pub use instructions::Instructions;
pub use loops::Loop;
pub use prefetch::prefetch;

/// Neurons that are updated at a time; arrays are padded to a multiple of it.
pub const LANES: usize = 64;

/// A chunk of a parameter: one number for all neurons, or one each.
///
/// With `EACH` all parameters of a loop are arrays; without it all are single numbers, which stay in
/// registers.
#[derive(Clone, Copy)]
struct Parameter<'a, const EACH: bool> {
    one: f32,
    each: &'a [f32; LANES],
}

static NONE: [f32; LANES] = [0.0; LANES];

impl<'a, const EACH: bool> Parameter<'a, EACH> {
    #[inline(always)]
    fn of(column: &'a [f32], chunk: usize) -> Self {
        let each = if EACH { column.as_chunks::<LANES>().0.get(chunk) } else { None };
        Parameter { one: column.first().copied().unwrap_or(0.0), each: each.unwrap_or(&NONE) }
    }

    #[inline(always)]
    fn at(&self, lane: usize) -> f32 {
        if EACH { self.each[lane] } else { self.one }
    }
}

/// Appends the lanes that are set, as indices of neurons.
#[inline(always)]
fn emit(fired: &[u32; LANES], chunk: usize, spikes: &mut Vec<u32>) {
    // One test a chunk: spikes are rare.
    if fired.iter().fold(0, |any, &lane| any | lane) != 0 {
        push_fired(fired, chunk, spikes);
    }
}

#[cold]
#[inline(never)]
fn push_fired(fired: &[u32; LANES], chunk: usize, spikes: &mut Vec<u32>) {
    let lanes = fired.iter().enumerate().filter(|(_, lane)| **lane != 0);
    spikes.extend(lanes.map(|(lane, _)| (chunk * LANES + lane) as u32));
}
