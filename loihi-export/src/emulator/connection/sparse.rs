//! Listed synapses (Lava's `Sparse`), compressed by source.

use crate::emulator::spikes::Spike;

use super::{LowProducts, Sum, SynapseTable};

/// Synapses sorted by source; `starts[s]..starts[s + 1]` are those of source s.
#[derive(Debug)]
pub(crate) struct SparseTable {
    starts: Vec<usize>,
    targets: Vec<u32>,
    weights: Vec<i16>,
    largest: u64,
}

impl SparseTable {
    /// Sorts synapses listed by (target, source); stored weights have at most 9 bits.
    pub(crate) fn new(targets: &[u32], sources: &[u32], weights: &[i32], count: u32) -> Self {
        let mut starts = vec![0; count as usize + 1];
        for &source in sources {
            if let Some(next) = starts.get_mut(source as usize + 1) {
                *next += 1;
            }
        }
        let mut total = 0;
        for start in &mut starts {
            total += *start;
            *start = total;
        }
        let mut by_source = Self {
            targets: vec![0; targets.len()],
            weights: vec![0; targets.len()],
            largest: weights.iter().map(|weight| u64::from(weight.unsigned_abs())).sum(),
            starts: starts.clone(),
        };
        for ((&target, &source), &weight) in targets.iter().zip(sources).zip(weights) {
            let Some(next) = starts.get_mut(source as usize) else { continue };
            if let (Some(t), Some(w)) =
                (by_source.targets.get_mut(*next), by_source.weights.get_mut(*next))
            {
                (*t, *w) = (target, weight as i16);
            }
            *next += 1;
        }
        by_source
    }

    fn add<S: Sum>(&self, spikes: &[Spike], sums: &mut [S]) -> u64 {
        let mut visited = 0;
        for spike in spikes {
            let source = spike.neuron as usize;
            let (Some(&start), Some(&end)) = (self.starts.get(source), self.starts.get(source + 1))
            else {
                continue;
            };
            let targets = self.targets.get(start..end).unwrap_or_default();
            let weights = self.weights.get(start..end).unwrap_or_default();
            for (&target, &weight) in targets.iter().zip(weights) {
                if let Some(sum) = sums.get_mut(target as usize) {
                    *sum = sum.plus(i32::from(weight), spike.payload);
                }
            }
            visited += (end - start) as u64;
        }
        visited
    }
}

impl SynapseTable for SparseTable {
    fn add_plain(&self, spikes: &[Spike], sums: &mut [i32]) -> u64 {
        self.add(spikes, sums)
    }

    fn add_graded(&self, spikes: &[Spike], sums: &mut [i64]) -> u64 {
        self.add(spikes, sums)
    }

    fn add_low_products(&self, spikes: &[Spike], sums: &mut [i64]) -> u64 {
        let mut low: Vec<LowProducts> = sums.iter().map(|&sum| LowProducts(sum)).collect();
        let visited = self.add(spikes, &mut low);
        sums.iter_mut().zip(low).for_each(|(sum, low)| *sum = low.0);
        visited
    }

    fn largest_plain_sum(&self) -> u64 {
        self.largest
    }
}
