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
                let segment = fanout.segment(delivery.source, delivery.delay);
                // Targets ascend within a segment: the part is one run of it.
                let row = &all[segment.clone()];
                let from = row.partition_point(|&target| target < range.start);
                let to = from + row[from..].partition_point(|&target| target < range.end);
                if from < to {
                    let run = segment.start + from..segment.start + to;
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
