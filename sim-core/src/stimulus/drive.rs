//! The law of Poisson input: how many spikes each neuron receives in each step.

use super::modulation::ValidModulation;
use crate::neuron::Column;
use crate::random::{Purpose, draw};
use std::ops::Range;

/// Poisson input into a receptor.
///
/// **The law.** The number of spikes sent to neuron n in step k is the smallest c with
/// u < F(c) · 2^48, where F is the cumulative Poisson distribution of the mean of that step and u is a
/// whole number of 48 random bits: probabilities are exact to 2^-48. The upper 16 bits of u are lane
/// n mod 8 of the Philox block of (seed, [`Purpose::Poisson`], object n div 8, index k): lane l is
/// the lower (l even) or upper (l odd) half of word l div 2. The lower 32 bits are the first word of
/// the block of ([`Purpose::PoissonLow`], object n, index k). They matter only where the upper 16 bits
/// equal those of some F(c) · 2^48, so nearly all counts need one eighth of a block and a comparison
/// with 16-bit numbers.
///
/// What is sent in step k arrives at the end of step k + delay.
#[derive(Debug)]
pub struct Drive {
    receptor: usize,
    /// Mean number of spikes a step, before the modulation.
    mean: Column,
    weight: Column,
    delay: u64,
    modulation: ValidModulation,
    /// Spikes are sent in the steps after the first up to the second.
    span: (u64, u64),
    /// Tables of the means where they never change: one for all, or one a neuron.
    tables: Vec<PoissonTable>,
}

/// Neurons that share a block of random bits.
const LANES: u32 = 8;

/// The cumulative distribution of a Poisson number, in units of 2^-48.
#[derive(Debug, Clone, PartialEq)]
pub struct PoissonTable {
    /// F(0), F(1), … until the rest is below half a unit.
    cumulative: Vec<u64>,
}

/// One in units of 2^-48.
const ONE: f64 = (1_u64 << 48) as f64;

impl PoissonTable {
    /// The table of a mean of at most some hundreds.
    pub fn new(mean: f64) -> Self {
        let mut term = (-mean).exp();
        let mut sum = term;
        let mut cumulative = vec![(sum * ONE).round() as u64];
        let mut count = 0.0;
        // Beyond the mean the terms fall; they end where they no longer count.
        while count < mean || term * ONE > 0.25 {
            count += 1.0;
            term *= mean / count;
            sum += term;
            cumulative.push((sum * ONE).round() as u64);
        }
        PoissonTable { cumulative }
    }

    /// F(0), F(1), … in units of 2^-48.
    pub fn cumulative(&self) -> &[u64] {
        &self.cumulative
    }

    /// The count of a random number of which the upper 16 bits are known; `low` gives the others.
    pub(crate) fn count(&self, high: u16, low: impl FnOnce() -> u32) -> u32 {
        let high = u64::from(high);
        let below = self.cumulative.partition_point(|bound| bound >> 32 < high);
        let undecided = self.cumulative[below..].iter().take_while(|bound| **bound >> 32 == high);
        if undecided.clone().next().is_none() {
            return below as u32;
        }
        let bits = high << 32 | u64::from(low());
        (below + undecided.filter(|bound| **bound <= bits).count()) as u32
    }
}

impl Drive {
    pub(super) fn new(
        receptor: usize,
        mean: Column,
        weight: Column,
        delay: u64,
        modulation: ValidModulation,
        span: (u64, u64),
    ) -> Self {
        let tables = match modulation {
            ValidModulation::None => mean.numbers().iter().map(|&m| PoissonTable::new(m)).collect(),
            _ => Vec::new(),
        };
        Drive { receptor, mean, weight, delay, modulation, span, tables }
    }

    /// Index of the receptor in the model.
    pub fn receptor(&self) -> usize {
        self.receptor
    }

    /// Weights of the spikes, one for all or one a neuron.
    pub fn weight(&self) -> &Column {
        &self.weight
    }

    /// The largest mean number of spikes in a step.
    pub fn largest_mean(&self) -> f64 {
        let largest = self.mean.numbers().iter().fold(0.0_f64, |most, &mean| most.max(mean));
        largest * self.modulation.largest()
    }

    /// Table and weight where both are one for all neurons and all steps.
    pub fn plain(&self) -> Option<(&PoissonTable, f64)> {
        match (&self.mean, &self.weight, self.tables.as_slice()) {
            (Column::One(_), Column::One(weight), [table]) => Some((table, *weight)),
            _ => None,
        }
    }

    /// The step in which what arrives at the end of `step` was sent, if anything may arrive then.
    pub fn sent_for(&self, step: u64) -> Option<u64> {
        let (first, last) = self.arrivals();
        (first..=last).contains(&step).then(|| step - self.delay)
    }

    /// The delay in steps, at least one.
    pub fn delay(&self) -> u64 {
        self.delay
    }

    /// The first and the last step at whose end something may arrive.
    pub fn arrivals(&self) -> (u64, u64) {
        let arrives = |step: u64| step.saturating_add(self.delay);
        (arrives(self.span.0).saturating_add(1), arrives(self.span.1))
    }

    /// Calls `visit(neuron, weight · count)` for the neurons (local to the population, ascending)
    /// of a range that receive spikes at the end of step `step`.
    pub fn arrive(&self, seed: u64, step: u64, range: Range<u32>, mut visit: impl FnMut(u32, f64)) {
        let (first, last) = self.arrivals();
        if step < first || step > last {
            return;
        }
        let sent = step - self.delay;
        let factor = self.modulation.factor(sent);
        let changing;
        let shared = match (&self.mean, self.tables.as_slice()) {
            (Column::One(_), [table]) => Some(table),
            (Column::One(mean), _) => {
                changing = PoissonTable::new(mean * factor);
                Some(&changing)
            }
            (Column::Each(_), _) => None,
        };
        let mut lanes = (u32::MAX, [0; 4]);
        for neuron in range {
            if lanes.0 != neuron / LANES {
                let block = neuron / LANES;
                lanes = (block, draw(seed, Purpose::Poisson, block, sent, 0));
            }
            let lane = neuron % LANES;
            let high = (lanes.1[lane as usize / 2] >> (16 * (lane % 2))) as u16;
            let low = || draw(seed, Purpose::PoissonLow, neuron, sent, 0)[0];
            let index = neuron as usize;
            let count = match (shared, self.tables.get(index)) {
                (Some(table), _) | (None, Some(table)) => table.count(high, low),
                (None, None) => PoissonTable::new(self.mean.get(index) * factor).count(high, low),
            };
            if count > 0 {
                visit(neuron, self.weight.get(index) * f64::from(count));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(mean: f64, steps: u64) -> Vec<u32> {
        let one = Column::One(1.0);
        let drive = Drive::new(0, Column::One(mean), one, 1, ValidModulation::None, (0, u64::MAX));
        let mut counts = vec![0; 16 * steps as usize];
        for step in 0..steps {
            drive.arrive(9, step + 2, 0..16, |neuron, weight| {
                counts[step as usize * 16 + neuron as usize] = weight as u32;
            });
        }
        counts
    }

    #[test]
    fn counts_have_the_poisson_distribution() {
        for mean in [0.01, 0.8, 1.6, 30.0] {
            let counts = counts(mean, 4000);
            let n = counts.len() as f64;
            let average = counts.iter().map(|&c| f64::from(c)).sum::<f64>() / n;
            let squares = counts.iter().map(|&c| (f64::from(c) - mean).powi(2)).sum::<f64>() / n;
            // Five standard errors of a Poisson mean; of its variance (variance mean + 2 mean²).
            assert!((average - mean).abs() < 5.0 * (mean / n).sqrt(), "{mean}: {average}");
            let error = 5.0 * ((mean + 2.0 * mean * mean) / n).sqrt();
            assert!((squares - mean).abs() < error, "{mean}: {squares}");
        }
    }

    #[test]
    fn a_table_reaches_one_and_ends() {
        for mean in [0.0, 1e-9, 0.5, 20.0, 500.0] {
            let table = PoissonTable::new(mean);
            let last = *table.cumulative().last().unwrap();
            // Sums of a thousand rounded terms.
            assert!(last.abs_diff(1 << 48) < 1 << 12, "{mean}: {last}");
            assert!(table.cumulative().is_sorted() && table.cumulative().len() < 900);
        }
        assert_eq!(PoissonTable::new(0.0).count(u16::MAX, || u32::MAX), 0);
    }

    #[test]
    fn the_upper_bits_decide_as_all_bits_do() {
        let table = PoissonTable::new(1.6);
        for bits in [0_u64, 1 << 32, 0x3aaa_0000_1234, 0xffff_ffff_ffff].into_iter().chain(
            table
                .cumulative()
                .iter()
                .flat_map(|&b| [b.saturating_sub(1), b])
                .filter(|b| b >> 48 == 0),
        ) {
            let slow = table.cumulative().iter().filter(|bound| **bound <= bits).count();
            let fast = table.count((bits >> 32) as u16, || bits as u32);
            assert_eq!(fast as usize, slow, "{bits:x}");
        }
    }

    #[test]
    fn ranges_and_parts_give_the_same_input() {
        let drive = Drive::new(
            0,
            Column::Each((0..40).map(|n| f64::from(n) * 0.1).collect()),
            Column::One(2.0),
            3,
            ValidModulation::Sine { depth: 0.5, angle: 0.1, phase: 0.0 },
            (5, 50),
        );
        assert_eq!(drive.arrivals(), (9, 53));
        for step in [8, 9, 20, 53, 54] {
            let mut whole = Vec::new();
            drive.arrive(1, step, 0..40, |n, w| whole.push((n, w)));
            let mut parts = Vec::new();
            for range in [0..7, 7..24, 24..40] {
                drive.arrive(1, step, range, |n, w| parts.push((n, w)));
            }
            assert_eq!(whole, parts);
            assert_eq!(whole.is_empty(), !(9..=53).contains(&step));
        }
    }
}
