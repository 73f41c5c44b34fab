//! Every source reaches every target (Lava's `Dense`): one contiguous column of weights a source.

use crate::emulator::spikes::Spike;

use super::{Ends, LowProducts, Sum, SynapseTable};

/// Weights `[source][target]`; stored weights have at most 9 bits.
#[derive(Debug)]
pub(crate) struct DenseTable {
    columns: Vec<i16>,
    targets: usize,
    largest: u64,
}

impl DenseTable {
    /// Turns weights `[target, source]` into columns.
    pub(crate) fn new(weights: &[i32], ends: Ends<'_>) -> Self {
        let (sources, targets) = (ends.sources as usize, ends.targets as usize);
        let mut columns = vec![0_i16; weights.len()];
        let mut largest = 0;
        for (target, row) in weights.chunks_exact(sources.max(1)).enumerate() {
            let mut sum = 0;
            for (source, &weight) in row.iter().enumerate() {
                if let Some(column) = columns.get_mut(source * targets + target) {
                    *column = weight as i16;
                }
                sum += u64::from(weight.unsigned_abs());
            }
            largest = largest.max(sum);
        }
        Self { columns, targets, largest }
    }

    fn add<S: Sum>(&self, spikes: &[Spike], sums: &mut [S]) -> u64 {
        for spike in spikes {
            let start = spike.neuron as usize * self.targets;
            let column = self.columns.get(start..start + self.targets).unwrap_or_default();
            for (sum, &weight) in sums.iter_mut().zip(column) {
                *sum = sum.plus(i32::from(weight), spike.payload);
            }
        }
        spikes.len() as u64 * self.targets as u64
    }
}

impl SynapseTable for DenseTable {
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
