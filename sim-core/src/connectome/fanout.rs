//! One projection's synapses, laid out for delivery.

use super::message::{Arriving, Message};
use super::narrow::Narrow;
use super::rows::Rows;
use super::scatter::{ConvolutionDelivery, Scatter, Scratch};
use crate::neuron::Combine;
use kernels::Instructions;
use std::ops::Range;
use std::sync::Arc;

/// Weights: one for all synapses or one each, in the layout's order.
#[derive(Debug, Clone, PartialEq)]
pub enum Weights {
    /// The same for all.
    One(f64),
    /// One each.
    Each(Vec<f64>),
}

/// A run of synapses of one source with the same delay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Delay in steps.
    pub delay: u32,
    /// Index of its first synapse.
    pub first: u64,
}

/// Delays: one for all synapses, or runs of equal delay within each row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delays {
    /// The same for all, in steps.
    One(u32),
    /// Row `s` has the segments `rows[s] .. rows[s + 1]`; a segment ends where the next begins.
    Segments {
        /// First segment of each source, and the end.
        rows: Vec<u64>,
        /// Segments of all rows, and one past the end.
        segments: Vec<Segment>,
        /// All delays that occur, ascending.
        distinct: Vec<u32>,
    },
}

impl Delays {
    /// The longest delay in steps.
    pub fn longest(&self) -> u32 {
        self.distinct().last().copied().unwrap_or(1)
    }

    /// All delays that occur, ascending.
    pub fn distinct(&self) -> &[u32] {
        match self {
            Delays::One(delay) => std::slice::from_ref(delay),
            Delays::Segments { distinct, .. } => distinct,
        }
    }
}

/// Which targets the synapses of a source have.
#[derive(Debug, Clone, PartialEq)]
pub enum Layout {
    /// Every target (but the source itself without autapses); weights `[source, target]`.
    Dense {
        /// Whether source i reaches target i.
        autapses: bool,
    },
    /// Source i reaches target i.
    OneToOne,
    /// Row `s` has the synapses `rows[s] .. rows[s + 1]`.
    Sparse {
        /// First synapse of each source, and the end.
        rows: Vec<u64>,
        /// Target of each synapse, local to the target population.
        targets: Vec<u32>,
    },
    /// A shared kernel; weights as [`Scatter::lay_out`] orders them.
    Convolution(Box<Scatter>),
    /// A part of the narrow form.
    Narrow(NarrowView),
}

/// One projection's part of the narrow form.
#[derive(Debug, Clone)]
pub struct NarrowView {
    /// All synapses in the narrow form.
    pub(super) narrow: Arc<Narrow>,
    /// Index of the bundle that has those of the projection.
    pub(super) bundle: usize,
    /// Number of the projection's synapses.
    pub(super) count: u64,
}

impl PartialEq for NarrowView {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.narrow, &other.narrow) && self.bundle == other.bundle
    }
}

impl NarrowView {
    /// Calls `visit(target, weight)` for the synapses of a source with this delay.
    fn for_each(
        &self,
        target_population: usize,
        receptor: usize,
        source: u32,
        delay: u32,
        mut visit: impl FnMut(u32, f64),
    ) {
        let (narrow, bundle) = (&*self.narrow, &self.narrow.bundles()[self.bundle]);
        let units = narrow.populations()[target_population].as_ref().map(|p| &p.units);
        let unit = units.and_then(|units| units.get(receptor)).copied().unwrap_or(0.0);
        for block in 0..narrow.blocks().count() {
            let chunk = &narrow.chunks(block)[bundle.chunk(source)];
            for (_, segment) in chunk.segments(source).filter(|segment| segment.0 == delay) {
                chunk.for_each(segment, |slot, weight| {
                    if let Some(target) = narrow.blocks().neuron(block, target_population, slot) {
                        visit(target, f64::from(weight) * unit);
                    }
                });
            }
        }
    }

    fn bytes(&self) -> u64 {
        let bundle = &self.narrow.bundles()[self.bundle];
        let share = self.count as f64 / bundle.synapse_count().max(1) as f64;
        (self.narrow.bytes(bundle) as f64 * share) as u64
    }
}

/// One projection's synapses; see the module.
#[derive(Debug, Clone)]
pub struct Fanout {
    pub(super) sources: Range<u32>,
    pub(super) targets: Range<u32>,
    pub(super) source_population: usize,
    pub(super) target_population: usize,
    pub(super) receptor: usize,
    pub(super) combine: Combine,
    pub(super) layout: Layout,
    pub(super) weights: Weights,
    pub(super) delays: Delays,
}

impl Fanout {
    /// Global indices of the source population.
    pub fn sources(&self) -> Range<u32> {
        self.sources.clone()
    }

    /// Global indices of the target population.
    pub fn targets(&self) -> Range<u32> {
        self.targets.clone()
    }

    /// Index of the source population.
    pub fn source_population(&self) -> usize {
        self.source_population
    }

    /// Index of the target population.
    pub fn target_population(&self) -> usize {
        self.target_population
    }

    /// Index of the receptor in the target's model.
    pub fn receptor(&self) -> usize {
        self.receptor
    }

    /// How simultaneous inputs combine.
    pub fn combine(&self) -> Combine {
        self.combine
    }

    /// The layout of the synapses.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The weights, in the layout's order.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// Whether no source has two synapses of one delay onto one target, where rows name their targets.
    pub(crate) fn is_distinct(&self) -> bool {
        let Layout::Sparse { targets, .. } = &self.layout else {
            return false;
        };
        (0..self.sources.len() as u32).all(|source| {
            let mut delays = self.delays_of(source);
            delays.all(|delay| targets[self.segment(source, delay)].is_sorted_by(|a, b| a < b))
        })
    }

    /// The delays.
    pub fn delays(&self) -> &Delays {
        &self.delays
    }

    /// Number of synapses.
    pub fn synapse_count(&self) -> u64 {
        let (sources, targets) = (self.sources.len() as u64, self.targets.len() as u64);
        match &self.layout {
            Layout::Dense { autapses: true } => sources * targets,
            Layout::Dense { autapses: false } => sources * targets - sources,
            Layout::OneToOne => sources,
            Layout::Sparse { targets, .. } => targets.len() as u64,
            Layout::Convolution(scatter) => scatter.geometry().synapse_count(),
            Layout::Narrow(view) => view.count,
        }
    }

    /// Number of synapses of one source (local index).
    pub fn row_length(&self, source: u32) -> u64 {
        match &self.layout {
            Layout::Dense { autapses } => self.targets.len() as u64 - u64::from(!autapses),
            Layout::OneToOne => 1,
            Layout::Sparse { rows, .. } => rows[source as usize + 1] - rows[source as usize],
            Layout::Convolution(scatter) => scatter.row_length(source),
            Layout::Narrow(_) => {
                let mut count = 0;
                self.for_each_synapse(source, |_, _, _| count += 1);
                count
            }
        }
    }

    /// Bytes on the heap.
    pub fn bytes(&self) -> u64 {
        let weights = match &self.weights {
            Weights::One(_) => 0,
            Weights::Each(weights) => 8 * weights.len() as u64,
        };
        let delays = match &self.delays {
            Delays::One(_) => 0,
            Delays::Segments { rows, segments, distinct } => {
                8 * rows.len() as u64 + 16 * segments.len() as u64 + 4 * distinct.len() as u64
            }
        };
        let layout = match &self.layout {
            Layout::Sparse { rows, targets } => 8 * rows.len() as u64 + 4 * targets.len() as u64,
            Layout::Convolution(scatter) => scatter.bytes(),
            Layout::Narrow(view) => view.bytes(),
            _ => 0,
        };
        weights + delays + layout
    }

    /// Calls `visit(target, weight, delay)` for each synapse of a source by (delay, target); indices
    /// are local to the populations.
    pub fn for_each_synapse(&self, source: u32, mut visit: impl FnMut(u32, f64, u32)) {
        for &delay in self.delays.distinct() {
            self.for_each_with_delay(source, delay, |target, weight| visit(target, weight, delay));
        }
    }

    /// Calls `visit(target, weight)` for the synapses of a source that have this delay, targets
    /// ascending; indices are local to the populations.
    pub fn for_each_with_delay(&self, source: u32, delay: u32, mut visit: impl FnMut(u32, f64)) {
        match &self.layout {
            Layout::Convolution(scatter) => {
                scatter.for_each_target(source, |target, place| {
                    visit(target, self.weights.get(place));
                });
            }
            Layout::Dense { autapses } => {
                let count = self.targets.len();
                let first = source as usize * count;
                for target in (0..count as u32).filter(|&target| *autapses || target != source) {
                    visit(target, self.weights.get(first + target as usize));
                }
            }
            Layout::OneToOne => visit(source, self.weights.get(source as usize)),
            Layout::Narrow(view) => {
                view.for_each(self.target_population, self.receptor, source, delay, visit);
            }
            Layout::Sparse { targets, .. } => {
                for index in self.segment(source, delay) {
                    visit(targets[index], self.weights.get(index));
                }
            }
        }
    }

    /// Adds what a step's spikes bring to the targets in `part` (local indices) to `input`, which has
    /// one slot for each of them.
    ///
    /// `empty` says that nothing was added in this step yet. `scratch` is kept between calls only to
    /// save asking for memory.
    pub fn deliver_all(
        &self,
        instructions: Instructions,
        spikes: Arriving<'_>,
        part: &Range<u32>,
        input: &mut [f64],
        empty: bool,
        scratch: &mut Scratch,
    ) {
        if !spikes.values.is_empty() {
            self.deliver_values(spikes, part, input);
            return;
        }
        match (&self.layout, &self.weights, self.combine) {
            (Layout::Convolution(scatter), Weights::Each(weights), Combine::Sum) => {
                let delivery = ConvolutionDelivery { instructions, scatter, weights, part };
                delivery.deliver(spikes, input, empty, scratch);
            }
            (Layout::Dense { autapses: true }, Weights::Each(weights), Combine::Sum) => {
                let (width, first) = (self.targets.len(), part.start as usize);
                let rows = Rows { weights, width, first };
                match spikes.payloads.is_empty() {
                    true => rows.add(instructions, spikes.neurons, |_| 1.0, input),
                    false => {
                        let factor = |place| f64::from(spikes.message(place).payload);
                        rows.add(instructions, spikes.neurons, factor, input);
                    }
                }
            }
            _ => {
                for (index, &source) in spikes.neurons.iter().enumerate() {
                    self.deliver(source, spikes.delay, spikes.message(index), part, input);
                }
            }
        }
    }

    /// As [`deliver_all`](Self::deliver_all), for numbers that were sent in place of spikes.
    fn deliver_values(&self, sent: Arriving<'_>, part: &Range<u32>, input: &mut [f64]) {
        if let (Layout::Dense { autapses: true }, Weights::Each(weights)) =
            (&self.layout, &self.weights)
        {
            let rows = Rows { weights, width: self.targets.len(), first: part.start as usize };
            let factor = |place: usize| sent.values.get(place).copied().unwrap_or(0.0);
            rows.add(Instructions::widest(), sent.neurons, factor, input);
            return;
        }
        for (&source, &value) in sent.neurons.iter().zip(sent.values) {
            self.deliver_with(source, sent.delay, part, input, |slot, weight| {
                *slot += weight * value;
            });
        }
    }

    /// As [`deliver_all`](Self::deliver_all), for a spike of `source` that is `delay` steps old.
    pub fn deliver(
        &self,
        source: u32,
        delay: u32,
        message: Message,
        part: &Range<u32>,
        input: &mut [f64],
    ) {
        let factor = message.factor(self.combine);
        match self.combine {
            Combine::Sum if message.payload == 1 => {
                self.deliver_with(source, delay, part, input, |slot, weight| *slot += weight);
            }
            Combine::Sum => {
                self.deliver_with(source, delay, part, input, |slot, weight| {
                    *slot += weight * factor;
                });
            }
            Combine::LargestRunningCount => {
                self.deliver_with(source, delay, part, input, |slot, weight| {
                    *slot = slot.max(weight * factor);
                });
            }
        }
    }

    fn deliver_with(
        &self,
        source: u32,
        delay: u32,
        part: &Range<u32>,
        input: &mut [f64],
        combine: impl Fn(&mut f64, f64),
    ) {
        self.for_each_in(source, delay, part, |target, weight| {
            combine(&mut input[(target - part.start) as usize], weight);
        });
    }

    /// Calls `visit(target, weight)` for the synapses of a source that have this delay and whose
    /// target lies in `part`, targets ascending; indices are local to the populations.
    pub fn for_each_in(
        &self,
        source: u32,
        delay: u32,
        part: &Range<u32>,
        mut visit: impl FnMut(u32, f64),
    ) {
        if let (Layout::Dense { autapses: true }, Weights::Each(weights)) =
            (&self.layout, &self.weights)
        {
            let first = source as usize * self.targets.len() + part.start as usize;
            let row = &weights[first..first + part.len()];
            for (target, &weight) in part.clone().zip(row) {
                visit(target, weight);
            }
            return;
        }
        if let Layout::Sparse { targets, .. } = &self.layout {
            // Targets ascend within a segment: the part is one run of it.
            let segment = self.segment(source, delay);
            let base = segment.start;
            let row = &targets[segment];
            let from = row.partition_point(|&target| target < part.start);
            let to = from + row[from..].partition_point(|&target| target < part.end);
            for (offset, &target) in row[from..to].iter().enumerate() {
                visit(target, self.weights.get(base + from + offset));
            }
            return;
        }
        self.for_each_with_delay(source, delay, |target, weight| {
            if part.contains(&target) {
                visit(target, weight);
            }
        });
    }

    /// The delays that the synapses of one source (local index) have, ascending.
    pub fn delays_of(&self, source: u32) -> impl Iterator<Item = u32> + '_ {
        let narrow = match &self.layout {
            Layout::Narrow(_) => self.delays.distinct(),
            _ => &[],
        };
        let (one, row) = match &self.delays {
            _ if !narrow.is_empty() => (None, &[][..]),
            Delays::One(delay) => (Some(*delay), &[][..]),
            Delays::Segments { rows, segments, .. } => {
                let (from, to) = (rows[source as usize], rows[source as usize + 1]);
                (None, &segments[from as usize..to as usize])
            }
        };
        one.into_iter().chain(row.iter().map(|segment| segment.delay)).chain(narrow.iter().copied())
    }

    /// Synapses of a source with this delay, as indices of the layout; empty where it has none, or where the layout
    /// names no targets.
    pub(crate) fn segment(&self, source: u32, delay: u32) -> Range<usize> {
        self.segment_number(source, delay).map_or(0..0, |number| self.numbered_segment(number))
    }

    /// Number of the segment of a source with this delay, in the order of sources, then delays.
    pub(crate) fn segment_number(&self, source: u32, delay: u32) -> Option<usize> {
        let source = source as usize;
        match &self.delays {
            Delays::One(_) => Some(source),
            Delays::Segments { rows, segments, .. } => {
                let row = &segments[rows[source] as usize..rows[source + 1] as usize];
                let at = row.binary_search_by_key(&delay, |segment| segment.delay).ok()?;
                Some(rows[source] as usize + at)
            }
        }
    }

    /// Synapses of a segment, as [`segment`](Self::segment) gives them.
    pub(crate) fn numbered_segment(&self, number: usize) -> Range<usize> {
        match (&self.layout, &self.delays) {
            (Layout::Sparse { rows, .. }, Delays::One(_)) => {
                rows[number] as usize..rows[number + 1] as usize
            }
            (_, Delays::Segments { segments, .. }) => {
                segments[number].first as usize..segments[number + 1].first as usize
            }
            _ => 0..0,
        }
    }

    /// Number of segments.
    pub(crate) fn segment_count(&self) -> u64 {
        match &self.delays {
            Delays::One(_) => self.sources.len() as u64,
            Delays::Segments { segments, .. } => segments.len().saturating_sub(1) as u64,
        }
    }
}

impl Weights {
    /// The weight with this index in the layout's order.
    pub fn get(&self, index: usize) -> f64 {
        match self {
            Weights::One(weight) => *weight,
            Weights::Each(weights) => weights[index],
        }
    }
}
