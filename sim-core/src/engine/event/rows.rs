//! How a part's neurons take the input of a window by rows, where their model does.

use super::Delivery;
use super::part::{Drives, Part};
use super::trains::BLOCK;
use crate::connectome::{Fanout, Layout, Weights};
use crate::engine::Compiled;
use crate::neuron::{Row, RowWeights};
use std::ops::Range;

/// Where the synapses of a row are.
enum Source<'a> {
    /// In the connectome.
    Connectome(&'a Fanout, Range<usize>),
    /// Among those that were written down for this window.
    Written(Range<usize>),
}

impl Part {
    /// Takes all input of a window into the populations that take rows.
    pub(super) fn take_rows(&mut self, compiled: &Compiled, due: &[Delivery], drives: &Drives<'_>) {
        for place in 0..self.pieces.len() {
            if !self.by_rows[place] {
                continue;
            }
            let (mut targets, mut amounts) =
                (std::mem::take(&mut self.targets), std::mem::take(&mut self.amounts));
            targets.clear();
            amounts.clear();
            let own = self.sources_of(compiled, place, due, &mut targets, &mut amounts);
            let first = self.pieces[place].range.start;
            let mut rows = Vec::with_capacity(own.len());
            for (delivery, source) in own {
                let index = delivery.fanout as usize;
                let (distinct, changes) = (self.distinct[index], self.plastic[index].is_some());
                let written = (targets.as_slice(), amounts.as_slice());
                rows.push(row_of(compiled, delivery, source, first, written, distinct, changes));
            }
            self.take_blocks(compiled, place, &mut rows, drives);
            drop(rows);
            (self.targets, self.amounts) = (targets, amounts);
        }
    }

    /// The synapses of the deliveries to a piece, in the order of time; those that change, or are not laid out by
    /// targets, are written down.
    fn sources_of<'a>(
        &mut self,
        compiled: &'a Compiled,
        place: usize,
        due: &'a [Delivery],
        targets: &mut Vec<u32>,
        amounts: &mut Vec<f64>,
    ) -> Vec<(&'a Delivery, Source<'a>)> {
        let piece = &self.pieces[place];
        let (population, range) = (piece.population, piece.range.clone());
        let size = compiled.network.populations()[population].size();
        let whole = range.len() as u32 == size;
        let mut sources = Vec::new();
        for delivery in due {
            let fanout = &compiled.connectome.fanouts()[delivery.fanout as usize];
            if fanout.target_population() != population {
                continue;
            }
            let before = targets.len();
            if let Some(synapses) = &mut self.plastic[delivery.fanout as usize] {
                let factor = delivery.message.factor(fanout.combine());
                let &Delivery { source, delay, emitted, .. } = delivery;
                self.learned.clear();
                let onto = synapses.deliver(source, delay, emitted, factor, &mut self.learned);
                targets.extend(onto.iter().map(|target| target + range.start));
                amounts.append(&mut self.learned);
            } else if let Layout::Sparse { targets: all, .. } = fanout.layout() {
                let number = fanout.segment_number(delivery.source, delivery.delay);
                let run = number.map(|number| match &self.cuts[delivery.fanout as usize] {
                    Some(cuts) => cuts.run(fanout, number),
                    None if whole => fanout.numbered_segment(number),
                    None => run_within(all, fanout.numbered_segment(number), &range, size),
                });
                if let Some(run) = run.filter(|run| !run.is_empty()) {
                    sources.push((delivery, Source::Connectome(fanout, run)));
                }
            } else {
                fanout.for_each_in(delivery.source, delivery.delay, &range, |target, weight| {
                    targets.push(target);
                    amounts.push(weight);
                });
            }
            if targets.len() > before {
                sources.push((delivery, Source::Written(before..targets.len())));
            }
        }
        sources
    }

    /// Walks rows block by block.
    fn take_blocks(
        &mut self,
        compiled: &Compiled,
        place: usize,
        rows: &mut [Row<'_>],
        drives: &Drives<'_>,
    ) {
        let grid = compiled.network.grid();
        let piece = &mut self.pieces[place];
        let range = piece.range.clone();
        let driven = drives.stimuli.drives(piece.population).next().is_some();
        if rows.is_empty() && !driven {
            return;
        }
        let Some(neurons) = piece.neurons.by_rows() else {
            return;
        };
        let mut begin = range.start;
        while begin < range.end {
            let end = (begin / BLOCK + 1).saturating_mul(BLOCK).min(range.end);
            let steps = if driven { drives.steps.clone() } else { 0..0 };
            self.trains.make(drives.stimuli, piece.population, begin..end, steps, grid);
            let block = begin - range.start..end - range.start;
            neurons.take(&mut piece.inbox, block, rows, &mut self.trains.trains);
            begin = end;
        }
    }
}

/// The synapses of a segment onto some of `size` neurons: one run, as targets ascend.
fn run_within(
    targets: &[u32],
    segment: Range<usize>,
    neurons: &Range<u32>,
    size: u32,
) -> Range<usize> {
    let row = &targets[segment.clone()];
    let place = |bound: u32| {
        // Where it would lie if targets were even: a row lies in memory that no cache holds, and halving it again and
        // again would read a line each time.
        let guess = (row.len() as u64 * u64::from(bound) / u64::from(size.max(1))) as usize;
        first_from(row, bound, guess)
    };
    segment.start + place(neurons.start)..segment.start + place(neurons.end)
}

/// Place of the first number that is not below a bound, among ascending ones; near the guess few are looked at.
fn first_from(ascending: &[u32], bound: u32, guess: usize) -> usize {
    // All before `low` are below the bound, none from `high` on.
    let mut low = guess.min(ascending.len());
    let (mut high, mut stride) = (low, 8);
    while low > 0 && ascending[low - 1] >= bound {
        high = low - 1;
        low = low.saturating_sub(stride);
        stride *= 2;
    }
    while high < ascending.len() && ascending[high] < bound {
        low = high + 1;
        high = (high + stride).min(ascending.len());
        stride *= 2;
    }
    low + ascending[low..high].partition_point(|&number| number < bound)
}

fn row_of<'a>(
    compiled: &'a Compiled,
    delivery: &Delivery,
    source: Source<'a>,
    first: u32,
    written: (&'a [u32], &'a [f64]),
    distinct: bool,
    changes: bool,
) -> Row<'a> {
    let index = delivery.fanout as usize;
    let factor = delivery.message.factor(compiled.connectome.fanouts()[index].combine());
    let (time, next, kept) = (delivery.time, 0, None);
    match source {
        Source::Connectome(fanout, run) => {
            let all = match fanout.layout() {
                Layout::Sparse { targets, .. } => targets.as_slice(),
                _ => &[],
            };
            let weights = match fanout.weights() {
                Weights::One(weight) => RowWeights::One(*weight),
                Weights::Each(weights) => RowWeights::Each(&weights[run.clone()]),
            };
            Row { time, targets: &all[run], first, weights, factor, distinct, next, kept }
        }
        Source::Written(run) => {
            // What changes is told with its factor.
            let factor = if changes { 1.0 } else { factor };
            let (targets, weights) = (&written.0[run.clone()], RowWeights::Each(&written.1[run]));
            Row { time, targets, first, weights, factor, distinct: false, next, kept }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::first_from;

    #[test]
    fn a_place_is_found_from_any_guess() {
        let ascending: Vec<u32> = (0..300_u32).map(|n| n * n / 40).collect();
        for numbers in [&ascending[..], &ascending[..1], &[], &[5, 5, 5]] {
            for bound in [0, 1, 5, 6, 70, 1000, 3000, u32::MAX] {
                let expected = numbers.partition_point(|&number| number < bound);
                for guess in [0, 1, 9, 150, 299, 300, 900] {
                    assert_eq!(first_from(numbers, bound, guess), expected, "{bound}, {guess}");
                }
            }
        }
    }
}
