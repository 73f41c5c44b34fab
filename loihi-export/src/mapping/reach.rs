//! Which source neurons reach a set of target neurons, and what their synapse lists take.
//!
//! Dense and convolution projections are counted by arithmetic on ranges; their synapses are never
//! listed. Listed projections are counted from the part of the list that the range covers.

use std::collections::BTreeMap;
use std::ops::Range;

use sim_core::network::Convolution;

use super::limits::SynapseMemoryModel;
use super::slice::Run;
use crate::quantise::network::{Connection, DelaySteps, QuantisedProjection};

/// The sources of one projection that reach one set of target neurons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    sources: Sources,
    /// Synapse memory of all their lists (bits).
    pub memory_bits: u64,
    /// Synapses from the sources to the targets.
    pub synapses: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Sources {
    /// All source neurons.
    All,
    /// Ascending source neurons, each once.
    Listed(Vec<u32>),
    /// For each group: how many of the first n pixels of a channel reach the range.
    Picture { pixels: u32, channels_per_group: u32, groups: Vec<Option<Vec<u32>>> },
}

impl Reach {
    /// The sources that reach `targets`, of a network that passed `check_structure`.
    ///
    /// `source_size` is the number of neurons of the source population; `targets` are ascending
    /// runs that do not overlap.
    pub fn new(
        projection: &QuantisedProjection,
        source_size: u32,
        targets: &[Run],
        model: &SynapseMemoryModel,
    ) -> Self {
        let length = targets.iter().fold(0u32, |sum, run| sum.saturating_add(run.length));
        let bits = bits_per_synapse(projection, model, length);
        if length == 0 || source_size == 0 {
            return Self { sources: Sources::Listed(Vec::new()), memory_bits: 0, synapses: 0 };
        }
        match &projection.connection {
            Connection::Dense { .. } => {
                let list = model.list_bits(length.into(), bits);
                let memory_bits = u64::from(source_size).saturating_mul(list);
                let synapses = u64::from(source_size).saturating_mul(length.into());
                Self { sources: Sources::All, memory_bits, synapses }
            }
            Connection::Sparse { targets: to, sources: from, .. } => {
                let mut synapses = Vec::new();
                for range in targets.iter().map(|run| run.range()) {
                    let first = to.partition_point(|&target| target < range.start);
                    let count = to[first..].iter().take_while(|&&t| t < range.end).count();
                    synapses.extend_from_slice(from.get(first..first + count).unwrap_or(&[]));
                }
                listed(synapses, model, bits)
            }
            Connection::Convolution { geometry, .. } => picture(geometry, targets, model, bits),
        }
    }

    /// Visits the sources in ascending order, of a population of `source_size` neurons.
    pub fn for_each_source(&self, source_size: u32, mut visit: impl FnMut(u32)) {
        match &self.sources {
            Sources::All => (0..source_size).for_each(visit),
            Sources::Listed(sources) => sources.iter().for_each(|&source| visit(source)),
            Sources::Picture { pixels, channels_per_group, groups } => {
                for (group, running) in (0u32..).zip(groups) {
                    let Some(running) = running else { continue };
                    for channel in group * channels_per_group..(group + 1) * channels_per_group {
                        for (pixel, pair) in (0u32..).zip(running.windows(2)) {
                            if pair[0] != pair[1] {
                                visit(channel * pixels + pixel);
                            }
                        }
                    }
                }
            }
        }
    }

    /// Whether every source neuron reaches the targets.
    pub fn is_all(&self) -> bool {
        self.sources == Sources::All
    }

    /// How many of `source_size` source neurons reach the targets.
    pub fn total(&self, source_size: u32) -> u64 {
        self.count(0..source_size)
    }

    /// How many of the sources lie in a range: the axons from there.
    pub fn count(&self, range: Range<u32>) -> u64 {
        match &self.sources {
            Sources::All => range.len() as u64,
            Sources::Listed(sources) => {
                let first = sources.partition_point(|&source| source < range.start);
                sources.partition_point(|&source| source < range.end).saturating_sub(first) as u64
            }
            Sources::Picture { pixels, channels_per_group, groups } => {
                count_in_picture(range, *pixels, *channels_per_group, groups)
            }
        }
    }
}

/// Bits that one stored synapse takes in a slice of `length` target neurons.
pub fn bits_per_synapse(
    projection: &QuantisedProjection,
    model: &SynapseMemoryModel,
    length: u32,
) -> u32 {
    let has_delay = match &projection.delay {
        DelaySteps::One(steps) => *steps > 0,
        DelaySteps::PerSynapse(steps) => steps.iter().any(|&steps| steps > 0),
    };
    let delay_bits = if has_delay { model.delay_bits } else { 0 };
    let (weight_bits, index_bits) = match &projection.connection {
        Connection::Dense { weight_bits, .. } => (u32::from(*weight_bits), 0),
        Connection::Sparse { weight_bits, .. } => {
            let index = if model.sparse_stores_index { model.index_width(length) } else { 0 };
            (u32::from(*weight_bits), index)
        }
        Connection::Convolution { .. } => {
            let index =
                if model.kernel_word_bits.is_some() { 0 } else { model.index_width(length) };
            (model.convolution_weight_bits, index)
        }
    };
    weight_bits.saturating_add(delay_bits).saturating_add(model.tag_bits).saturating_add(index_bits)
}

fn listed(mut sorted: Vec<u32>, model: &SynapseMemoryModel, bits: u32) -> Reach {
    sorted.sort_unstable();
    let memory_bits = sorted
        .chunk_by(|a, b| a == b)
        .fold(0u64, |sum, list| sum.saturating_add(model.list_bits(list.len() as u64, bits)));
    let synapses = sorted.len() as u64;
    sorted.dedup();
    Reach { sources: Sources::Listed(sorted), memory_bits, synapses }
}

fn picture(
    geometry: &Convolution,
    targets: &[Run],
    model: &SynapseMemoryModel,
    bits: u32,
) -> Reach {
    let pixels = geometry.source[1].saturating_mul(geometry.source[2]);
    let target_pixels = geometry.target[1].saturating_mul(geometry.target[2]).max(1);
    let channels_per_group = geometry.source[0] / geometry.groups.max(1);
    let out_per_group = (geometry.target[0] / geometry.groups.max(1)).max(1);
    let mut groups = Vec::new();
    let (mut memory_bits, mut synapses) = (0u64, 0u64);
    for group in 0..geometry.groups {
        let start = u64::from(group) * u64::from(out_per_group) * u64::from(target_pixels);
        let end = start + u64::from(out_per_group) * u64::from(target_pixels);
        let parts = group_parts(targets, start..end, target_pixels);
        if parts.ranges.is_empty() {
            groups.push(None);
            continue;
        }
        let counts = pixel_counts(geometry, &parts.ranges);
        let group_bits = if let Some(word) = model.kernel_word_bits {
            let taps = u64::from(geometry.kernel[0]).saturating_mul(geometry.kernel[1].into());
            taps.saturating_mul(SynapseMemoryModel::kernel_list_bits(parts.channels, bits, word))
        } else {
            counts.iter().fold(0u64, |sum, &n| sum.saturating_add(model.list_bits(n, bits)))
        };
        memory_bits =
            memory_bits.saturating_add(group_bits.saturating_mul(channels_per_group.into()));
        let taps = counts.iter().fold(0u64, |sum, &n| sum.saturating_add(n));
        synapses = synapses.saturating_add(taps.saturating_mul(channels_per_group.into()));
        groups.push(Some(running_count(&counts)));
    }
    let sources = Sources::Picture { pixels, channels_per_group, groups };
    Reach { sources, memory_bits, synapses }
}

/// What target runs cover of one group of a convolution.
struct GroupParts {
    /// Channels of which at least one pixel is covered.
    channels: u64,
    /// Ranges of pixels and the number of channels in which each is covered.
    ranges: BTreeMap<(u32, u32), u64>,
}

/// The part of ascending runs that lies in a group's neurons; equal pixels of several channels,
/// as a tile of a picture has them, come together.
fn group_parts(targets: &[Run], group: Range<u64>, target_pixels: u32) -> GroupParts {
    let mut parts = GroupParts { channels: 0, ranges: BTreeMap::new() };
    let mut next_channel = 0;
    for range in targets.iter().map(|run| run.range()) {
        let first = group.start.max(range.start.into());
        let last = group.end.min(range.end.into());
        if first >= last {
            continue;
        }
        let (low, high) = (first / u64::from(target_pixels), (last - 1) / u64::from(target_pixels));
        parts.channels += (high + 1).saturating_sub(low.max(next_channel));
        next_channel = next_channel.max(high + 1);
        for (channels, pixels) in channel_parts(first as u32..last as u32, target_pixels) {
            *parts.ranges.entry((pixels.start, pixels.end)).or_default() += channels;
        }
    }
    parts
}

/// Synapses that each pixel of a source channel has into ranges of target pixels of one group.
///
/// Each range is cut into at most three boxes of (rows, columns); in a box the number is a product
/// of one number a row and one a column.
fn pixel_counts(geometry: &Convolution, ranges: &BTreeMap<(u32, u32), u64>) -> Vec<u64> {
    let [_, height, width] = geometry.source;
    let mut counts = vec![0u64; (height as usize).saturating_mul(width as usize)];
    for (&(first, last), channels) in ranges {
        for (rows, columns) in boxes(first..last, geometry.target[2].max(1)) {
            let row_taps = axis_taps(geometry, 0, rows);
            let column_taps = axis_taps(geometry, 1, columns);
            for (row, line) in row_taps.iter().zip(counts.chunks_mut(width.max(1) as usize)) {
                if *row == 0 {
                    continue;
                }
                for (count, column) in line.iter_mut().zip(&column_taps) {
                    *count += channels * row * column;
                }
            }
        }
    }
    counts
}

/// A neuron range as (number of channels, range of pixels in each of them).
fn channel_parts(range: Range<u32>, pixels: u32) -> Vec<(u64, Range<u32>)> {
    let (first, last) = (range.start / pixels, (range.end - 1) / pixels);
    let (head, tail) = (range.start % pixels, (range.end - 1) % pixels + 1);
    if first == last {
        return vec![(1, head..tail)];
    }
    let mut parts = Vec::new();
    let (mut full_first, mut full_last) = (first, last + 1);
    if head > 0 {
        parts.push((1, head..pixels));
        full_first += 1;
    }
    if tail < pixels {
        parts.push((1, 0..tail));
        full_last -= 1;
    }
    if full_first < full_last {
        parts.push((u64::from(full_last - full_first), 0..pixels));
    }
    parts
}

/// A range of pixels as boxes of (rows, columns).
fn boxes(pixels: Range<u32>, width: u32) -> Vec<(Range<u32>, Range<u32>)> {
    channel_parts(pixels.clone(), width)
        .into_iter()
        .map(|(rows, columns)| {
            let row = if columns.start > 0 {
                pixels.start / width
            } else if columns.end < width {
                (pixels.end - 1) / width
            } else {
                pixels.start.div_ceil(width)
            };
            (row..row + rows as u32, columns)
        })
        .collect()
}

/// For each source position on an axis: (target position, kernel element) pairs within `targets`.
fn axis_taps(geometry: &Convolution, axis: usize, targets: Range<u32>) -> Vec<u64> {
    let (stride, dilation) = (i64::from(geometry.stride[axis]), i64::from(geometry.dilation[axis]));
    let padding = i64::from(geometry.padding[axis]);
    let mut taps = vec![0u64; geometry.source[axis + 1] as usize];
    for target in targets {
        for element in 0..geometry.kernel[axis] {
            let source = i64::from(target) * stride + i64::from(element) * dilation - padding;
            if let Some(count) = usize::try_from(source).ok().and_then(|i| taps.get_mut(i)) {
                *count += 1;
            }
        }
    }
    taps
}

fn running_count(counts: &[u64]) -> Vec<u32> {
    let mut running = Vec::with_capacity(counts.len() + 1);
    let mut sum = 0u32;
    running.push(0);
    for &count in counts {
        sum += u32::from(count > 0);
        running.push(sum);
    }
    running
}

fn count_in_picture(
    range: Range<u32>,
    pixels: u32,
    channels_per_group: u32,
    groups: &[Option<Vec<u32>>],
) -> u64 {
    if range.is_empty() || pixels == 0 {
        return 0;
    }
    let (first, last) = (range.start / pixels, (range.end - 1) / pixels);
    let mut count = 0;
    for channel in first..=last {
        let group = (channel / channels_per_group.max(1)) as usize;
        let Some(Some(running)) = groups.get(group) else { continue };
        let base = u64::from(channel) * u64::from(pixels);
        let from = u64::from(range.start).saturating_sub(base) as usize;
        let to = (u64::from(range.end) - base).min(pixels.into()) as usize;
        if let (Some(below), Some(up_to)) = (running.get(from), running.get(to)) {
            count += u64::from(up_to.saturating_sub(*below));
        }
    }
    count
}
