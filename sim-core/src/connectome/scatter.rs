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

mod addition;
mod delivery;
mod twins;

pub(super) use delivery::ConvolutionDelivery;

use crate::network::Convolution;
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
