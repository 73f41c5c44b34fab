//! Delivery of narrow synapses: late, and in one flat list.
//!
//! Spikes wait in the [`History`]; in each step a block looks up the segments that arrive now and adds
//! their weights to its accumulators. Three passes over plain lists, so that memory is asked for long
//! before it is read: (1) every spike in flight names a place in an offset table, (2) offsets are read
//! and name a segment, (3) segments are walked.

use super::history::History;
use crate::connectome::narrow::{Chunk, MOST_SLOTS, Narrow, Synapses};
use kernels::prefetch;

/// Accumulators of one receptor of a block, one a slot.
pub(super) type Sums = [i32; MOST_SLOTS as usize];

/// Places in offset tables that are asked for ahead.
const OFFSETS_AHEAD: usize = 16;

/// Segments that are asked for ahead.
const SEGMENTS_AHEAD: usize = 8;

/// Bytes that come into the cache together.
const LINE: usize = 64;

/// Lines of a segment that are asked for; the rest follows in sequence.
const LINES: usize = 6;

/// Where in an offset table the segment of a spike is.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    chunk: &'a Chunk,
    at: usize,
    weight: i16,
    receptor: u16,
}

/// Synapses that a spike reaches in this step.
#[derive(Debug, Clone, Copy)]
enum Segment<'a> {
    Slots { slots: &'a [u16], weight: i16, receptor: u16 },
    Weighted { synapses: &'a [u32], receptor: u16 },
}

/// Lists that are used again in every step.
#[derive(Debug, Default)]
pub(super) struct Lists<'a> {
    places: Vec<Place<'a>>,
    segments: Vec<Segment<'a>>,
}

/// A new set of accumulators.
pub(super) fn sums() -> Box<Sums> {
    let zeros = vec![0; MOST_SLOTS as usize].into_boxed_slice();
    zeros.try_into().unwrap_or_else(|_| Box::new([0; MOST_SLOTS as usize]))
}

/// Adds what arrives at a block in `step` to its accumulators, one set a receptor.
pub(super) fn deliver<'a>(
    narrow: &'a Narrow,
    block: usize,
    history: &History,
    step: u64,
    lists: &mut Lists<'a>,
    sums: &mut [Box<Sums>],
) {
    lists.places.clear();
    for bundle in narrow.bundles() {
        let rows = &bundle.rows[block];
        for delay in bundle.delays.clone() {
            let Some(sent) = step.checked_sub(u64::from(delay)).filter(|&sent| sent > 0) else {
                break;
            };
            let spikes = &history.at(sent)[bundle.source].neurons;
            lists.places.extend(spikes.iter().filter_map(|&source| {
                let chunk = &rows[source as usize / crate::connectome::narrow::CHUNK];
                let at = chunk.place(source, delay)?;
                let (weight, receptor) = (bundle.weight.unwrap_or(0), bundle.receptor as u16);
                Some(Place { chunk, at, weight, receptor })
            }));
        }
    }
    find_segments(lists);
    for (index, segment) in lists.segments.iter().enumerate() {
        if let Some(ahead) = lists.segments.get(index + SEGMENTS_AHEAD) {
            ahead.prefetch();
        }
        segment.walk(sums);
    }
}

/// Reads the offsets of all places.
fn find_segments(lists: &mut Lists<'_>) {
    lists.segments.clear();
    for (index, place) in lists.places.iter().enumerate() {
        if let Some(ahead) = lists.places.get(index + OFFSETS_AHEAD) {
            prefetch(&ahead.chunk.offsets, ahead.at);
        }
        let Place { chunk, at, weight, receptor } = *place;
        let segment = chunk.offsets[at] as usize..chunk.offsets[at + 1] as usize;
        if segment.is_empty() {
            continue;
        }
        lists.segments.push(match &chunk.synapses {
            Synapses::Slots(slots) => Segment::Slots { slots: &slots[segment], weight, receptor },
            Synapses::Weighted(synapses) => {
                Segment::Weighted { synapses: &synapses[segment], receptor }
            }
        });
    }
}

impl Segment<'_> {
    #[inline]
    fn prefetch(&self) {
        match self {
            Segment::Slots { slots, .. } => prefetch_lines(slots),
            Segment::Weighted { synapses, .. } => prefetch_lines(synapses),
        }
    }

    #[inline]
    fn walk(&self, sums: &mut [Box<Sums>]) {
        match *self {
            Segment::Slots { slots, weight, receptor } => {
                let sums = &mut *sums[usize::from(receptor)];
                let weight = i32::from(weight);
                for &slot in slots {
                    let sum = &mut sums[usize::from(slot)];
                    *sum = sum.wrapping_add(weight);
                }
            }
            Segment::Weighted { synapses, receptor } => {
                let sums = &mut *sums[usize::from(receptor)];
                for &synapse in synapses {
                    // No bounds to check: the slot has 16 bits and so many sums there are.
                    let sum = &mut sums[usize::from((synapse >> 16) as u16)];
                    *sum = sum.wrapping_add(i32::from(synapse as i16));
                }
            }
        }
    }
}

#[inline]
fn prefetch_lines<T>(elements: &[T]) {
    let a_line = LINE / size_of::<T>();
    for index in (0..elements.len()).step_by(a_line).take(LINES) {
        prefetch(elements, index);
    }
}
