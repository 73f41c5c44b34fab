//! The neurons of one population on one core.

use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Neurons that follow each other in a population.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Run {
    /// First neuron.
    pub first: u32,
    /// Number of neurons.
    pub length: u32,
}

impl Run {
    /// The neurons as a range; ends at the largest number where it would overflow.
    pub fn range(self) -> Range<u32> {
        self.first..self.first.saturating_add(self.length)
    }
}

impl From<Range<u32>> for Run {
    fn from(range: Range<u32>) -> Self {
        Self { first: range.start, length: range.end.saturating_sub(range.start) }
    }
}

/// Neurons of one population on one logical core: ascending runs that do not touch.
///
/// A slice of a list is one run as a rule; a tile of a picture has a run for each row or channel,
/// and a slice chosen by what its neurons share may have many.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Slice {
    /// Index of the population in the network.
    pub population: usize,
    /// The neurons.
    pub runs: Vec<Run>,
    /// Logical core, counted from 0 over all chips.
    pub core: u32,
}

impl Slice {
    /// One run of neurons, on core 0 until it is packed.
    pub fn range(population: usize, range: Range<u32>) -> Self {
        Self { population, runs: vec![range.into()], core: 0 }
    }

    /// Neurons in any order, each once, on core 0 until it is packed.
    pub fn of_neurons(population: usize, neurons: impl IntoIterator<Item = u32>) -> Self {
        let mut neurons: Vec<u32> = neurons.into_iter().collect();
        neurons.sort_unstable();
        neurons.dedup();
        let mut runs: Vec<Run> = Vec::new();
        for neuron in neurons {
            match runs.last_mut() {
                Some(run) if run.range().end == neuron => run.length += 1,
                _ => runs.push(Run { first: neuron, length: 1 }),
            }
        }
        Self { population, runs, core: 0 }
    }

    /// Number of neurons; saturates.
    pub fn length(&self) -> u32 {
        self.runs.iter().fold(0, |sum, run| sum.saturating_add(run.length))
    }

    /// The lowest neuron; 0 for a slice without neurons.
    pub fn first(&self) -> u32 {
        self.runs.first().map_or(0, |run| run.first)
    }

    /// All neurons, ascending.
    pub fn neurons(&self) -> impl Iterator<Item = u32> + '_ {
        self.runs.iter().flat_map(|run| run.range())
    }

    /// Cuts the slice into parts of nearly equal size that keep the order of neurons.
    pub fn equal_parts(&self, parts: u32) -> Vec<Self> {
        let length = u64::from(self.length());
        let parts = u64::from(parts).clamp(1, length.max(1));
        let mut runs = self.runs.iter().copied();
        let mut rest = runs.next();
        let mut made = Vec::with_capacity(parts as usize);
        for part in 0..parts {
            let mut wanted = (length * (part + 1) / parts - length * part / parts) as u32;
            let mut own = Vec::new();
            while let Some(run) = rest.filter(|_| wanted > 0) {
                let taken = run.length.min(wanted);
                own.push(Run { first: run.first, length: taken });
                wanted -= taken;
                let left = Run { first: run.first + taken, length: run.length - taken };
                rest = if left.length > 0 { Some(left) } else { runs.next() };
            }
            made.push(Self { population: self.population, runs: own, core: self.core });
        }
        made
    }
}

/// For each neuron of a population: the index of the slice that holds it, or [`NO_SLICE`].
pub fn owners(population: usize, size: u32, slices: &[Slice]) -> Vec<u32> {
    let mut owners = vec![NO_SLICE; size as usize];
    for (index, slice) in (0u32..).zip(slices) {
        for run in slice.runs.iter().filter(|_| slice.population == population) {
            let range = run.range();
            let range = range.start.min(size) as usize..range.end.min(size) as usize;
            owners[range].fill(index);
        }
    }
    owners
}

/// A neuron that no slice holds.
pub const NO_SLICE: u32 = u32::MAX;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neurons_become_runs_and_come_back() {
        let slice = Slice::of_neurons(0, [7, 3, 4, 9, 8, 3]);
        assert_eq!(slice.runs, [Run { first: 3, length: 2 }, Run { first: 7, length: 3 }]);
        assert_eq!(slice.neurons().collect::<Vec<_>>(), [3, 4, 7, 8, 9]);
        assert_eq!((slice.length(), slice.first()), (5, 3));
        assert_eq!(
            owners(0, 9, std::slice::from_ref(&slice))[3..],
            [0, 0, NO_SLICE, NO_SLICE, 0, 0]
        );
    }

    #[test]
    fn equal_parts_keep_every_neuron_once() {
        let slice = Slice::of_neurons(2, (0..40).filter(|n| n % 3 != 0));
        for parts in [1, 2, 3, 7, 26, 100] {
            let cut = slice.equal_parts(parts);
            assert_eq!(cut.len() as u32, parts.min(26));
            let all: Vec<u32> =
                cut.iter().flat_map(|part| part.neurons().collect::<Vec<_>>()).collect();
            assert_eq!(all, slice.neurons().collect::<Vec<_>>());
            let lengths = cut.iter().map(Slice::length);
            assert!(lengths.clone().max().unwrap() - lengths.min().unwrap() <= 1);
        }
    }
}
