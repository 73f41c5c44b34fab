//! The law of Poisson input: how many spikes each neuron receives in each step.

use super::modulation::ValidModulation;
use crate::neuron::Column;
use crate::random::{Purpose, draw, scaled};
use kernels::Instructions;
use kernels::poisson::{Counts, Draw, add_counts};
use std::ops::Range;

/// Poisson input into a receptor.
///
/// **The law.** Of the 65,536 values of 16 random bits, ⌊2^16 P(c)⌋ mean the count c, where P is the Poisson
/// distribution with the mean of that step; they follow one another in the order of c. The few values
/// that are left decide nothing: then 64 more bits choose c in proportion to what 2^16 P(c) has
/// behind its point. So probabilities are exact to 2^-48, and nearly all counts need one eighth of a
/// block and a comparison with 16-bit numbers. Counts in the tail, less likely than one in
/// 1,024 together, have no values at all.
///
/// Neuron n takes its 16 bits from the Philox block of (seed, [`Purpose::Poisson`], object 16 ⌊n/128⌋ + ⌊n/4⌋ mod
/// 16, index k): bits 16 (n mod 4) upwards of the words 2h and 2h + 1, where h is bit 6 of n. The
/// 64 bits are the first two words of the block of ([`Purpose::PoissonLow`], object n, index k).
///
/// What is sent in step k arrives in step k + delay: at its end or, with exact times, at places within it
/// that are drawn independently and evenly, so that the input is a Poisson process in continuous time.
#[derive(Debug)]
pub struct Drive {
    receptor: usize,
    /// Mean number of spikes a step, before the modulation.
    mean: Column,
    weight: Column,
    delay: u64,
    /// Whether spikes arrive within steps.
    exact: bool,
    modulation: ValidModulation,
    /// Spikes are sent in the steps after the first up to the second.
    span: (u64, u64),
    /// Tables of the means where they never change: one for all, or one a neuron.
    tables: Vec<PoissonTable>,
}

/// Which random bits mean which number of spikes.
#[derive(Debug, Clone, PartialEq)]
pub struct PoissonTable {
    /// Counts below are too rare for 16 bits.
    least: u16,
    /// Behind the last value that means `least`, `least` + 1, …; what reaches the last decides nothing.
    bounds: Vec<u16>,
    /// Cumulative weights of the counts 0, 1, … among values that decide nothing.
    rest: Vec<u64>,
}

/// Neurons whose bits are made together.
const GROUP: u32 = kernels::poisson::GROUP as u32;

/// One in units of 2^-48.
const ONE: u64 = 1 << 48;

/// Counts of which all larger ones together are less likely have no values of their own.
const TAIL: u64 = ONE / 1024;

/// P(0), P(1), … in units of 2^-48, with a sum of [`ONE`].
fn probabilities(mean: f64) -> Vec<u64> {
    let mut term = (-mean).exp();
    let mut sum = term;
    let cumulative = |sum: f64| ((sum * ONE as f64).round() as u64).min(ONE);
    let (mut probabilities, mut before) = (vec![cumulative(sum)], cumulative(sum));
    let mut count = 0.0;
    // Beyond the mean the terms fall; they end where they no longer count.
    while count < mean || term * ONE as f64 > 0.25 {
        count += 1.0;
        term *= mean / count;
        sum += term;
        probabilities.push(cumulative(sum) - before);
        before = cumulative(sum);
    }
    // What rounding has lost is nothing that can be measured.
    if let Some(last) = probabilities.last_mut() {
        *last += ONE - before;
    }
    probabilities
}

impl PoissonTable {
    /// The table of a mean of at most some hundreds.
    pub fn new(mean: f64) -> Self {
        let probabilities = probabilities(mean);
        let (mut bounds, mut rest) = (Vec::new(), Vec::new());
        let (mut least, mut taken, mut left, mut open) = (0_u16, 0_u64, ONE, 0_u64);
        for probability in probabilities {
            let values = if left > TAIL { probability >> 32 } else { 0 };
            left -= probability;
            taken += values;
            open += probability - (values << 32);
            rest.push(open);
            match u16::try_from(taken) {
                Ok(0) => least += 1,
                Ok(bound) if values > 0 || left > TAIL => bounds.push(bound),
                // The tail, or all 65,536 values mean one count.
                _ => {}
            }
        }
        PoissonTable { least, bounds, rest }
    }

    /// The table as vectors of neurons use it: the smallest count, and the bounds of the values that
    /// mean it and those that follow.
    pub fn bounds(&self) -> (u16, &[u16]) {
        (self.least, &self.bounds)
    }

    /// The count that 16 random bits mean; `more` gives others where they decide nothing.
    pub(crate) fn count(&self, bits: u16, more: impl FnOnce() -> u64) -> u32 {
        match self.bounds.last() {
            Some(&last) if bits < last => {
                u32::from(self.least) + self.bounds.partition_point(|&bound| bound <= bits) as u32
            }
            _ => self.open_count(more),
        }
    }

    /// The count of values that decide nothing.
    pub(crate) fn open_count(&self, more: impl FnOnce() -> u64) -> u32 {
        let open = self.rest.last().copied().unwrap_or(0);
        if open == 0 {
            // One count has all values.
            return 0;
        }
        let place = scaled(more(), open);
        self.rest.partition_point(|&bound| bound <= place) as u32
    }
}

/// Counts of neurons that share a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SharedCounts<'a> {
    pub(crate) instructions: Instructions,
    /// The stimulus's own seed.
    pub(crate) seed: u64,
    /// The step in which the spikes are sent.
    pub(crate) sent: u64,
    pub(crate) table: &'a PoissonTable,
}

impl SharedCounts<'_> {
    /// Adds weight · count of the neurons from `first` on to `sums`; both `first` and the length of `sums`
    /// are multiples of [`GROUP`].
    pub(crate) fn add(&self, first: u32, weight: i16, sums: &mut [i32], undecided: &mut Vec<u32>) {
        debug_assert!(first.is_multiple_of(GROUP));
        let draws = Draw {
            key: [self.seed as u32, (self.seed >> 32) as u32],
            step: self.sent,
            block: first / 8,
            tag: Purpose::Poisson as u32,
        };
        let (least, bounds) = self.table.bounds();
        undecided.clear();
        add_counts(self.instructions, draws, Counts { bounds, least, weight }, sums, undecided);
        // What was added for a neuron whose bits decide nothing.
        let added = i32::from(least) + bounds.len() as i32;
        for &index in undecided.iter() {
            let more = || more_bits(self.seed, first + index, self.sent);
            let count = self.table.open_count(more);
            let sum = &mut sums[index as usize];
            *sum = sum.wrapping_add((count as i32 - added).wrapping_mul(i32::from(weight)));
        }
    }
}

impl SharedCounts<'_> {
    /// Calls `visit(neuron, count)` for the neurons of a range that receive spikes.
    fn visit(&self, range: Range<u32>, mut visit: impl FnMut(u32, u32)) {
        let mut undecided = Vec::new();
        let mut first = range.start / GROUP * GROUP;
        while first < range.end {
            let mut sums = [0; GROUP as usize];
            self.add(first, 1, &mut sums, &mut undecided);
            let own = first.max(range.start)..(first.saturating_add(GROUP)).min(range.end);
            for neuron in own {
                let count = sums[(neuron - first) as usize];
                if count > 0 {
                    visit(neuron, count as u32);
                }
            }
            first = first.saturating_add(GROUP);
        }
    }
}

/// 64 bits that decide what 16 left open.
fn more_bits(seed: u64, neuron: u32, sent: u64) -> u64 {
    let words = draw(seed, Purpose::PoissonLow, neuron, sent, 0);
    u64::from(words[0]) << 32 | u64::from(words[1])
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
        Drive { receptor, mean, weight, delay, exact: false, modulation, span, tables }
    }

    /// The same input, arriving within steps or at their ends.
    pub(super) fn with_exact_times(self, exact: bool) -> Self {
        Drive { exact, ..self }
    }

    /// Whether spikes arrive at times within steps, where an engine knows such times.
    pub fn is_exact(&self) -> bool {
        self.exact
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
    /// of a range that receive spikes in step `step`.
    pub fn arrive(&self, seed: u64, step: u64, range: Range<u32>, mut visit: impl FnMut(u32, f64)) {
        self.counts(seed, step, range, |neuron, count| {
            visit(neuron, self.weight.get(neuron as usize) * f64::from(count));
        });
    }

    /// Calls `visit(neuron, count)` for the neurons (local to the population, ascending) of a range that
    /// receive spikes in step `step`.
    pub fn counts(&self, seed: u64, step: u64, range: Range<u32>, mut visit: impl FnMut(u32, u32)) {
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
        if let Some(table) = shared {
            let instructions = Instructions::widest();
            SharedCounts { instructions, seed, sent, table }.visit(range, visit);
            return;
        }
        let mut words = (u32::MAX, [0; 4]);
        for neuron in range {
            let block = neuron / GROUP * 16 + neuron / 4 % 16;
            if words.0 != block {
                words = (block, draw(seed, Purpose::Poisson, block, sent, 0));
            }
            let word = neuron / 64 % 2 * 2 + neuron % 4 / 2;
            let bits = (words.1[word as usize] >> (16 * (neuron % 2))) as u16;
            let more = || more_bits(seed, neuron, sent);
            let index = neuron as usize;
            let count = match self.tables.get(index) {
                Some(table) => table.count(bits, more),
                None => PoissonTable::new(self.mean.get(index) * factor).count(bits, more),
            };
            if count > 0 {
                visit(neuron, count);
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

    /// Values of 16 bits and shares of what they leave open add up to the probabilities.
    #[test]
    fn a_table_means_the_distribution_exactly() {
        for mean in [0.0, 1e-9, 1e-3, 0.5, 1.6, 20.0, 500.0] {
            let table = PoissonTable::new(mean);
            let open = *table.rest.last().unwrap();
            let decided = table.bounds.last().map_or(0, |&last| u64::from(last));
            let mut means = vec![0_u64; table.rest.len()];
            for bits in 0..=u16::MAX {
                if u64::from(bits) < decided {
                    means[table.count(bits, || 0) as usize] += 1;
                }
            }
            let expected = probabilities(mean);
            assert_eq!(expected.iter().sum::<u64>(), ONE, "{mean}");
            for (count, expected) in expected.iter().enumerate() {
                let before = if count == 0 { 0 } else { table.rest[count - 1] };
                let share = table.rest[count] - before;
                if open > 0 {
                    assert_eq!((means[count] << 32) + share, *expected, "{mean}: {count}");
                }
            }
            // One count in a thousand or two needs more bits, and for long tables not many more.
            let most = ONE / 1024 + (table.rest.len() as u64) * (1 << 32);
            assert!(open <= most, "{mean}: {open} of 2^48 are open");
        }
        assert_eq!(PoissonTable::new(0.0).count(u16::MAX, || u64::MAX), 0);
    }

    #[test]
    fn open_counts_are_chosen_by_their_shares() {
        let table = PoissonTable::new(1.6);
        let open = *table.rest.last().unwrap();
        let at = |share: u64| ((u128::from(share) << 64) / u128::from(open)) as u64 + 1;
        for (count, &end) in table.rest.iter().enumerate() {
            let before = if count == 0 { 0 } else { table.rest[count - 1] };
            if end > before {
                assert_eq!(table.open_count(|| at(before)), count as u32);
                assert_eq!(table.open_count(|| at(end - 1)), count as u32);
            }
        }
        let last = table.rest.partition_point(|&end| end < open);
        assert_eq!(table.open_count(|| u64::MAX) as usize, last);
    }

    /// Vector code for one table gives what is drawn neuron by neuron where each has a table.
    #[test]
    fn one_table_for_all_gives_what_a_table_each_does() {
        for mean in [0.0, 2e-4, 0.09, 1.6, 12.0] {
            let drive = |mean: Column| {
                Drive::new(0, mean, Column::One(1.0), 1, ValidModulation::None, (0, u64::MAX))
            };
            let (one, each) = (drive(Column::One(mean)), drive(Column::Each(vec![mean; 300])));
            let mut total = 0;
            for step in 2..60 {
                let counts = |drive: &Drive, range: Range<u32>| {
                    let mut counts = Vec::new();
                    drive.counts(9, step, range, |neuron, count| counts.push((neuron, count)));
                    counts
                };
                for range in [0..300, 5..6, 100..290] {
                    assert_eq!(counts(&one, range.clone()), counts(&each, range), "{mean}");
                }
                total += counts(&one, 0..300).len();
            }
            assert_eq!(total == 0, mean == 0.0);
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
