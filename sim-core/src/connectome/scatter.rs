//! A convolution from the side of its sources: what a spike adds, in long contiguous runs.
//!
//! Targets are held channel-last within each group, `[group, row, column, channel]`, and weights as
//! `[source channel, kernel row, kernel column, channel]`, where the kernel columns that
//! neighbouring targets see from one source lie side by side. So a spike adds, for every kernel row
//! that covers it, one run of weights to one run of targets: (covering columns × channels) numbers
//! long, without any index arithmetic a synapse.
//!
//! Where a mean pooling became part of the kernel, the sources of one window have the same synapses.
//! Such twins are counted first, and what they bring is added once, times their number: exactly the
//! same sum, as it is only done for weights on the dyadic grid of [`exact`].

use crate::network::Convolution;
use crate::neuron::exact;
use std::ops::Range;

/// Where a kernel element meets a target, along one axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tap {
    /// Position of the target.
    target: u32,
    /// Position in the kernel.
    kernel: u32,
}

/// Neighbouring targets whose weights are neighbours too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    /// First target column.
    target: u32,
    /// Place of its weight in a laid-out kernel row.
    place: u32,
    /// Number of columns.
    count: u32,
}

/// Lists of varying length, one a position.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Lists<T> {
    first: Vec<u32>,
    entries: Vec<T>,
}

impl<T> Lists<T> {
    fn new(lists: impl Iterator<Item = Vec<T>>) -> Self {
        let (mut first, mut entries) = (vec![0], Vec::new());
        for list in lists {
            entries.extend(list);
            first.push(entries.len() as u32);
        }
        Lists { first, entries }
    }

    fn at(&self, position: usize) -> &[T] {
        &self.entries[self.first[position] as usize..self.first[position + 1] as usize]
    }

    fn bytes(&self) -> u64 {
        (4 * self.first.len() + size_of::<T>() * self.entries.len()) as u64
    }
}

/// A compiled convolution: tables of one axis each, so their size does not grow with channels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scatter {
    geometry: Convolution,
    /// Taps of each source row.
    rows: Lists<Tap>,
    /// Taps of each source column.
    columns: Lists<Tap>,
    /// The same taps as runs.
    runs: Lists<Run>,
    /// Place of each kernel column in a laid-out kernel row.
    places: Vec<u32>,
    /// Source channels, and target channels, of a group.
    sources_per_group: usize,
    targets_per_group: usize,
    /// For each source the first one with the same synapses; empty where sums may not be regrouped
    /// or where nothing would be gained.
    twins: Vec<u32>,
}

/// Memory that is used again in every step.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    /// Targets channel-last.
    pub(super) sums: Vec<f64>,
    /// Payloads of twins, added up; zero between calls.
    counts: Vec<i32>,
    neurons: Vec<u32>,
    payloads: Vec<i32>,
}

/// A source neuron's coordinates.
#[derive(Debug, Clone, Copy)]
struct Cell {
    channel: usize,
    row: usize,
    column: usize,
}

impl Scatter {
    /// Lays a checked geometry out.
    pub fn new(geometry: Convolution) -> Self {
        let taps = |axis: usize| {
            (0..geometry.source[axis + 1]).map(move |position| {
                let mut taps = Vec::new();
                geometry.for_each_tap(axis, position, |target, kernel| {
                    taps.push(Tap { target, kernel });
                });
                taps
            })
        };
        let places = places(geometry.kernel[1], geometry.stride[1]);
        let runs = taps(1).map(|taps| runs(&taps, &places));
        Scatter {
            rows: Lists::new(taps(0)),
            columns: Lists::new(taps(1)),
            runs: Lists::new(runs),
            places,
            sources_per_group: (geometry.source[0] / geometry.groups.max(1)).max(1) as usize,
            targets_per_group: (geometry.target[0] / geometry.groups.max(1)) as usize,
            geometry,
            twins: Vec::new(),
        }
    }

    /// Lets twins be counted together where that leaves every sum as it is.
    pub fn find_twins(&mut self, weights: &[f64]) {
        let largest = weights.iter().fold(0.0, |most: f64, weight| most.max(weight.abs()));
        let sources = self.geometry.source.iter().map(|&n| f64::from(n)).product::<f64>();
        let fine = |weight: &f64| exact::round(*weight) == *weight;
        if largest * sources >= exact::LARGEST_EXACT || !weights.iter().all(fine) {
            return;
        }
        let [rows, columns] = [0, 1].map(|axis| self.first_alike(axis, weights));
        let alike = |first: &[u32]| first.iter().zip(0..).any(|(&first, own)| first != own);
        if !alike(&rows) && !alike(&columns) {
            return;
        }
        let width = self.geometry.source[2];
        let lines = (0..self.geometry.source[0] * self.geometry.source[1]).map(|line| {
            let height = self.geometry.source[1];
            line - line % height + rows[(line % height) as usize]
        });
        self.twins = lines
            .flat_map(|line| columns.iter().map(move |column| line * width + column))
            .collect();
    }

    /// For each source row (or column) the first that reaches the same targets with the same weights.
    fn first_alike(&self, axis: usize, weights: &[f64]) -> Vec<u32> {
        let [height, width] = self.geometry.kernel.map(|n| n as usize);
        let channels = self.targets_per_group;
        // Laid-out weights as [outer, position on the axis, inner].
        let (count, inner) = match axis {
            0 => (height, width * channels),
            _ => (width, channels),
        };
        let place = |position: u32| match axis {
            0 => position as usize,
            _ => self.places[position as usize] as usize,
        };
        let same = |a: u32, b: u32| {
            weights.chunks_exact((count * inner).max(1)).all(|outer| {
                let at = |position| &outer[place(position) * inner..][..inner];
                at(a) == at(b)
            })
        };
        let kernel: Vec<u32> = (0..count as u32)
            .map(|own| (0..own).find(|&first| same(first, own)).unwrap_or(own))
            .collect();
        let taps = if axis == 0 { &self.rows } else { &self.columns };
        let positions = self.geometry.source[axis + 1];
        let mut first_of = std::collections::HashMap::new();
        (0..positions)
            .map(|position| {
                let own = taps.at(position as usize).iter();
                let own: Vec<(u32, u32)> =
                    own.map(|tap| (tap.target, kernel[tap.kernel as usize])).collect();
                *first_of.entry(own).or_insert(position)
            })
            .collect()
    }

    /// The sources to deliver, twins joined: their neurons and payloads.
    pub(super) fn joined<'a>(
        &self,
        neurons: &'a [u32],
        payloads: &'a [i32],
        scratch: &'a mut Scratch,
    ) -> (&'a [u32], &'a [i32], &'a mut Vec<f64>) {
        let Scratch { sums, counts, neurons: joined, payloads: sent } = scratch;
        if self.twins.is_empty() {
            return (neurons, payloads, sums);
        }
        if counts.len() < self.twins.len() {
            counts.resize(self.twins.len(), 0);
        }
        joined.clear();
        sent.clear();
        for (index, &neuron) in neurons.iter().enumerate() {
            let first = self.twins[neuron as usize];
            let count = &mut counts[first as usize];
            let payload = payloads.get(index).copied().unwrap_or(1);
            if *count == 0 {
                joined.push(first);
            }
            // Payloads that overflow together saturate far beyond what a sum holds exactly.
            *count = count.saturating_add(payload);
        }
        sent.extend(joined.iter().map(|&first| std::mem::take(&mut counts[first as usize])));
        (joined, sent, sums)
    }

    /// The geometry.
    pub fn geometry(&self) -> &Convolution {
        &self.geometry
    }

    /// Bytes on the heap.
    pub fn bytes(&self) -> u64 {
        let places = 4 * (self.places.len() + self.twins.len()) as u64;
        self.rows.bytes() + self.columns.bytes() + self.runs.bytes() + places
    }

    /// Cells of one target channel.
    fn area(&self) -> usize {
        self.geometry.target[1] as usize * self.geometry.target[2] as usize
    }

    /// Number of target neurons.
    pub fn targets(&self) -> usize {
        self.geometry.target[0] as usize * self.area()
    }

    /// Weights `[out, in / groups, height, width]` in the order in which spikes add them.
    pub fn lay_out(&self, weights: &[f64]) -> Vec<f64> {
        let [height, width] = self.geometry.kernel.map(|n| n as usize);
        let mut laid_out = vec![0.0; weights.len()];
        for (index, &weight) in weights.iter().enumerate() {
            let (column, row) = (index % width, index / width % height);
            let plane = index / width / height;
            let (out, within) = (plane / self.sources_per_group, plane % self.sources_per_group);
            let group = out / self.targets_per_group.max(1);
            let channel = group * self.sources_per_group + within;
            laid_out[self.place(channel, row, column, out % self.targets_per_group.max(1))] =
                weight;
        }
        laid_out
    }

    /// Position of a laid-out weight.
    fn place(&self, channel: usize, row: usize, column: usize, out: usize) -> usize {
        let [height, width] = self.geometry.kernel.map(|n| n as usize);
        let column = self.places[column] as usize;
        ((channel * height + row) * width + column) * self.targets_per_group + out
    }

    fn cell(&self, source: u32) -> Cell {
        let [_, height, width] = self.geometry.source;
        let (line, column) = (source / width, source % width);
        Cell {
            channel: (line / height) as usize,
            row: (line % height) as usize,
            column: column as usize,
        }
    }

    /// Number of synapses of one source.
    pub fn row_length(&self, source: u32) -> u64 {
        let Cell { row, column, .. } = self.cell(source);
        let cells = self.rows.at(row).len() * self.columns.at(column).len();
        (cells * self.targets_per_group) as u64
    }

    /// Calls `visit(target, position of the laid-out weight)` for every synapse of a source, targets
    /// ascending.
    pub fn for_each_target(&self, source: u32, mut visit: impl FnMut(u32, usize)) {
        let cell = self.cell(source);
        let group = cell.channel / self.sources_per_group;
        let (area, width) = (self.area(), self.geometry.target[2] as usize);
        for out in 0..self.targets_per_group {
            let plane = (group * self.targets_per_group + out) * area;
            for row in self.rows.at(cell.row) {
                let line = plane + row.target as usize * width;
                for column in self.columns.at(cell.column) {
                    let (kernel_row, kernel_column) = (row.kernel as usize, column.kernel as usize);
                    let weight = self.place(cell.channel, kernel_row, kernel_column, out);
                    visit((line + column.target as usize) as u32, weight);
                }
            }
        }
    }

    /// Whether channel-last is also the order of the neurons.
    pub fn is_plain(&self) -> bool {
        self.targets_per_group == 1 || self.area() == 1
    }

    /// Adds the laid-out weights of `sources`, times their payloads (1 where there are none), to
    /// `sums`, which holds all targets channel-last.
    pub fn add(&self, sources: &[u32], payloads: &[i32], weights: &[f64], sums: &mut [f64]) {
        let channels = self.targets_per_group;
        self.for_each_run(sources, |index, run, place| {
            let length = run.len() * channels;
            let first = run.start * channels;
            let weights = &weights[place * channels..place * channels + length];
            add_times(&mut sums[first..first + length], weights, payloads.get(index));
        });
    }

    /// Adds the laid-out weights of all sources, times their values, to the neurons `output`: what the
    /// convolution makes of an analogue input. Each target sums in the order of the sources.
    pub fn apply(&self, values: &[f64], weights: &[f64], output: &mut [f64], sums: &mut Vec<f64>) {
        let part = 0..self.targets() as u32;
        sums.resize(self.targets(), 0.0);
        self.spread(output, &part, sums);
        let is_there = |source: &u32| values.get(*source as usize).is_some_and(|v| *v != 0.0);
        let sources: Vec<u32> = (0..values.len() as u32).filter(is_there).collect();
        let channels = self.targets_per_group;
        self.for_each_run(&sources, |index, run, place| {
            let (value, length) = (values[sources[index] as usize], run.len() * channels);
            let weights = &weights[place * channels..place * channels + length];
            let own = sums[run.start * channels..][..length].iter_mut();
            own.zip(weights).for_each(|(sum, weight)| *sum += weight * value);
        });
        self.gather(sums, &part, output);
    }

    /// As [`add`](Self::add), only for target channels in `part`.
    pub fn add_channels(
        &self,
        sources: &[u32],
        payloads: &[i32],
        weights: &[f64],
        part: &Range<usize>,
        sums: &mut [f64],
    ) {
        let (channels, area) = (self.targets_per_group, self.area());
        self.for_each_run(sources, |index, run, place| {
            let group = run.start / area;
            let first = part.start.saturating_sub(group * channels).min(channels);
            let end = part.end.saturating_sub(group * channels).min(channels);
            for offset in 0..run.len() {
                let sums = &mut sums[(run.start + offset) * channels..][first..end];
                let weights = &weights[(place + offset) * channels..][first..end];
                add_times(sums, weights, payloads.get(index));
            }
        });
    }

    /// Calls `visit(index of the source, cells, place)` for every run: `cells` are positions in
    /// `[group, row, column]`, `place` is the position of the first weight; both count channels of a
    /// group as one.
    #[inline(always)]
    fn for_each_run(&self, sources: &[u32], mut visit: impl FnMut(usize, Range<usize>, usize)) {
        let [height, width] = self.geometry.kernel.map(|n| n as usize);
        let (area, target_width) = (self.area(), self.geometry.target[2] as usize);
        for (index, &source) in sources.iter().enumerate() {
            let cell = self.cell(source);
            let plane = cell.channel / self.sources_per_group * area;
            let kernel = cell.channel * height;
            let runs = self.runs.at(cell.column);
            for row in self.rows.at(cell.row) {
                let line = plane + row.target as usize * target_width;
                let weights = (kernel + row.kernel as usize) * width;
                for run in runs {
                    let first = line + run.target as usize;
                    let cells = first..first + run.count as usize;
                    visit(index, cells, weights + run.place as usize);
                }
            }
        }
    }

    /// Copies neurons `part` from channel-last `sums` to `neurons`, one slot each.
    pub fn gather(&self, sums: &[f64], part: &Range<u32>, neurons: &mut [f64]) {
        self.for_each_line(part, |neuron, length, cell, channels| {
            let from = sums[cell..].iter().step_by(channels);
            neurons[neuron..neuron + length].iter_mut().zip(from).for_each(|(to, sum)| *to = *sum);
        });
    }

    /// The opposite of [`gather`](Self::gather).
    pub fn spread(&self, neurons: &[f64], part: &Range<u32>, sums: &mut [f64]) {
        self.for_each_line(part, |neuron, length, cell, channels| {
            let to = sums[cell..].iter_mut().step_by(channels);
            to.zip(&neurons[neuron..neuron + length]).for_each(|(sum, from)| *sum = *from);
        });
    }

    /// Calls `visit(slot, length, channel-last position, distance)` for the piece of each channel that
    /// lies in `part`.
    fn for_each_line(&self, part: &Range<u32>, mut visit: impl FnMut(usize, usize, usize, usize)) {
        let (area, channels) = (self.area().max(1), self.targets_per_group);
        let (mut at, end) = (part.start as usize, part.end as usize);
        while at < end {
            let (channel, cell) = (at / area, at % area);
            let length = (area - cell).min(end - at);
            let (group, out) = (channel / channels, channel % channels);
            let position = (group * area + cell) * channels + out;
            visit(at - part.start as usize, length, position, channels);
            at += length;
        }
    }

    /// Target channels that have a neuron in `part`.
    pub fn channels_in(&self, part: &Range<u32>) -> Range<usize> {
        let area = self.area().max(1);
        part.start as usize / area..(part.end as usize).div_ceil(area)
    }
}

/// sums += weights × payload.
#[inline(always)]
fn add_times(sums: &mut [f64], weights: &[f64], payload: Option<&i32>) {
    match payload {
        None | Some(1) => sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight),
        Some(&payload) => {
            let factor = f64::from(payload);
            sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight * factor);
        }
    }
}

/// Orders kernel columns so that those which neighbouring targets see from one source are neighbours:
/// by their rest modulo the stride, then falling.
fn places(width: u32, stride: u32) -> Vec<u32> {
    let mut order: Vec<u32> = (0..width).collect();
    let stride = stride.max(1);
    order.sort_by_key(|&column| (column % stride, u32::MAX - column));
    let mut places = vec![0; width as usize];
    for (place, &column) in order.iter().enumerate() {
        places[column as usize] = place as u32;
    }
    places
}

fn runs(taps: &[Tap], places: &[u32]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for tap in taps {
        let place = places[tap.kernel as usize];
        match runs.last_mut() {
            Some(run) if run.target + run.count == tap.target && run.place + run.count == place => {
                run.count += 1;
            }
            _ => runs.push(Run { target: tap.target, place, count: 1 }),
        }
    }
    runs
}

#[cfg(test)]
mod tests;
