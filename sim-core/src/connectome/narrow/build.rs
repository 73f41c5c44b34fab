//! Building: a chunk of rows at a time is drawn, sorted and stored, in parallel; nothing is sorted as
//! a whole and nothing is held twice.

use super::super::draw::{Draw, DrawnSynapse};
use super::bundle::{Bundle, CHUNK, Chunk, Synapses};
use super::plan::{Member, Plan};
use super::scale::quantise;
use super::{Blocks, Narrow};
use crate::connectivity::End;
use crate::network::ValidNetwork;
use rayon::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};

/// A synapse in the making, ordered by (block, delay, slot, weight).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key(u64);

impl Key {
    fn new(block: usize, delay: u32, slot: u16, weight: i16) -> Key {
        let place = (block as u64) << 48 | u64::from(delay as u16) << 32;
        Key(place | u64::from(slot) << 16 | u64::from(weight as u16))
    }

    fn block(self) -> usize {
        (self.0 >> 48) as usize
    }

    fn delay(self) -> u32 {
        (self.0 >> 32) as u32 & 0xffff
    }

    /// Slot and weight as [`Synapses::Weighted`] has them.
    fn synapse(self) -> u32 {
        self.0 as u32
    }
}

/// What is built, and for each projection its bundle and number of synapses.
pub type Built = (Narrow, Vec<Option<(usize, u64)>>);

/// Builds all bundles of a plan; none where sums of weights could leave 32 bits.
pub fn build(network: &ValidNetwork, plan: Plan) -> Option<Built> {
    let Plan { blocks, populations, bundles } = plan;
    let mut built = Vec::with_capacity(bundles.len());
    let mut members = vec![None; network.projections().len()];
    for (index, planned) in bundles.iter().enumerate() {
        let sources = network.populations()[planned.source].size();
        let rows: Vec<MemberRows<'_>> =
            planned.members.iter().map(|member| MemberRows::new(network, member)).collect();
        let chunks: Vec<Vec<Chunk>> = (0..(sources as usize).div_ceil(CHUNK))
            .into_par_iter()
            .map(|chunk| {
                let first = (chunk * CHUNK) as u32;
                let last = sources.min(first + CHUNK as u32);
                let one = planned.weight.is_some();
                build_chunk(&blocks, &rows, first..last, one)
            })
            .collect();
        for (member, rows) in planned.members.iter().zip(&rows) {
            members[member.projection] = Some((index, rows.count.load(Ordering::Relaxed)));
        }
        let mut rows: Vec<Vec<Chunk>> = (0..blocks.count()).map(|_| Vec::new()).collect();
        for chunk in chunks {
            rows.iter_mut().zip(chunk).for_each(|(rows, chunk)| rows.push(chunk));
        }
        let filled = || rows.iter().flatten().filter(|chunk| chunk.delays > 0);
        let shortest = filled().map(|chunk| chunk.first_delay).min().unwrap_or(1);
        let longest = filled().map(|chunk| chunk.first_delay + chunk.delays - 1).max().unwrap_or(1);
        built.push(Bundle {
            source: planned.source,
            receptor: planned.receptor,
            weight: planned.weight,
            delays: shortest..=longest,
            rows,
        });
    }
    let narrow = Narrow { blocks, populations, bundles: built };
    sums_fit(network, &narrow).then_some((narrow, members))
}

/// The rows of one projection by source.
struct MemberRows<'n> {
    draw: Draw<'n>,
    target: usize,
    unit: f64,
    /// Synapses built so far.
    count: AtomicU64,
    /// Of a rule whose rows are numbered by target.
    turned: Option<Turned>,
}

/// Synapses by source: first synapse of each source and the end, and (target, delay, weight).
type Turned = (Vec<u64>, Vec<(u32, u16, i16)>);

/// Rows by target that are drawn at a time.
const ROWS_AT_ONCE: u32 = 4096;

impl<'n> MemberRows<'n> {
    fn new(network: &'n ValidNetwork, member: &Member) -> Self {
        let projection = &network.projections()[member.projection];
        let draw = Draw::new(network, projection);
        let (target, unit, count) = (projection.target, member.unit, AtomicU64::new(0));
        let mut rows = MemberRows { draw, target, unit, count, turned: None };
        if rows.draw.end() == End::Target {
            rows.turned = Some(rows.turn(network.populations()[projection.source].size()));
        }
        rows
    }

    /// Draws all rows, which are numbered by target, and sorts them by source.
    fn turn(&self, sources: u32) -> Turned {
        let mut next = vec![0_u64; sources as usize + 1];
        self.drawn_in_turn(|synapse| next[synapse.source as usize + 1] += 1);
        for source in 0..sources as usize {
            next[source + 1] += next[source];
        }
        let first = next.clone();
        let mut turned = vec![(0, 0, 0); first[sources as usize] as usize];
        self.drawn_in_turn(|synapse| {
            let place = &mut next[synapse.source as usize];
            let weight = quantise(synapse.weight, self.unit);
            turned[*place as usize] = (synapse.target, synapse.delay as u16, weight);
            *place += 1;
        });
        (first, turned)
    }

    /// Draws all rows in parallel, some at a time, and shows their synapses in order.
    fn drawn_in_turn(&self, mut visit: impl FnMut(&DrawnSynapse)) {
        let count = self.draw.row_count();
        for first in (0..count).step_by(ROWS_AT_ONCE as usize) {
            let rows: Vec<Vec<DrawnSynapse>> = (first..count.min(first + ROWS_AT_ONCE))
                .into_par_iter()
                .map_init(Vec::new, |scratch, row| {
                    let mut synapses = Vec::new();
                    self.draw.row(row, scratch, &mut synapses);
                    synapses
                })
                .collect();
            rows.iter().flatten().for_each(&mut visit);
        }
    }
}

/// The rows of some sources, one chunk a block.
fn build_chunk(
    blocks: &Blocks,
    members: &[MemberRows<'_>],
    sources: std::ops::Range<u32>,
    one_weight: bool,
) -> Vec<Chunk> {
    let (mut scratch, mut drawn, mut keys) = (Vec::new(), Vec::new(), Vec::<Key>::new());
    let mut ends = Vec::with_capacity(sources.len());
    let mut counts = vec![0; members.len()];
    for source in sources {
        let row = keys.len();
        for (member, count) in members.iter().zip(&mut counts) {
            let before = keys.len();
            let key = |target: u32, delay: u32, weight: i16| {
                let (block, slot) = blocks.place(member.target, target);
                Key::new(block, delay, slot, weight)
            };
            if let Some((first, turned)) = &member.turned {
                let row = first[source as usize] as usize..first[source as usize + 1] as usize;
                keys.extend(turned[row].iter().map(|&(t, delay, w)| key(t, u32::from(delay), w)));
                *count += (keys.len() - before) as u64;
                continue;
            }
            drawn.clear();
            member.draw.row(source, &mut scratch, &mut drawn);
            let weight = |synapse: &DrawnSynapse| quantise(synapse.weight, member.unit);
            keys.extend(drawn.iter().map(|s| key(s.target, s.delay, weight(s))));
            *count += (keys.len() - before) as u64;
        }
        if !keys[row..].is_sorted() {
            keys[row..].sort_unstable();
        }
        ends.push(keys.len());
    }
    for (member, count) in members.iter().zip(counts) {
        member.count.fetch_add(count, Ordering::Relaxed);
    }
    (0..blocks.count()).map(|block| store(&keys, &ends, block, one_weight)).collect()
}

/// The synapses of a block among sorted rows.
fn store(keys: &[Key], ends: &[usize], block: usize, one_weight: bool) -> Chunk {
    let mut start = 0;
    let mut own: Vec<&[Key]> = Vec::with_capacity(ends.len());
    for &end in ends {
        let row = &keys[start..end];
        let from = row.partition_point(|key| key.block() < block);
        let to = from + row[from..].partition_point(|key| key.block() == block);
        own.push(&row[from..to]);
        start = end;
    }
    let delays = || own.iter().copied().flatten().map(|key| key.delay());
    let first_delay = delays().min().unwrap_or(1);
    let count = delays().max().map_or(0, |longest| longest - first_delay + 1);
    let mut offsets = vec![0_u32; own.len() * count as usize + 1];
    for (row, keys) in own.iter().enumerate() {
        for key in *keys {
            offsets[row * count as usize + (key.delay() - first_delay) as usize + 1] += 1;
        }
    }
    for at in 1..offsets.len() {
        offsets[at] += offsets[at - 1];
    }
    let sorted = own.iter().copied().flatten().map(|key| key.synapse());
    let total = offsets.last().copied().unwrap_or(0) as usize;
    let synapses = if one_weight {
        let mut slots = Vec::with_capacity(total);
        slots.extend(sorted.map(|synapse| (synapse >> 16) as u16));
        Synapses::Slots(slots.into_boxed_slice())
    } else {
        let mut synapses = Vec::with_capacity(total);
        synapses.extend(sorted);
        Synapses::Weighted(synapses.into_boxed_slice())
    };
    Chunk { first_delay, delays: count, offsets: offsets.into_boxed_slice(), synapses }
}

/// Whether the sum of all weights' magnitudes at each neuron and receptor stays within 32 bits, so that
/// no step can overflow it: a neuron spikes at most once a step, but its spikes of several steps may
/// arrive together, each through synapses of its own.
fn sums_fit(network: &ValidNetwork, narrow: &Narrow) -> bool {
    let receptors = narrow.bundles.iter().map(|bundle| bundle.receptor + 1).max().unwrap_or(0);
    let input = super::plan::largest_inputs(network, &narrow.populations);
    (0..narrow.blocks.count()).into_par_iter().all(|block| {
        (0..receptors).all(|receptor| {
            let mut sums =
                vec![input.get(receptor).copied().unwrap_or(0); super::MOST_SLOTS as usize];
            for bundle in narrow.bundles.iter().filter(|bundle| bundle.receptor == receptor) {
                for chunk in &bundle.rows[block] {
                    bundle.for_each(chunk, 0..chunk.synapses.len(), |slot, weight| {
                        sums[usize::from(slot)] += u64::from(weight.unsigned_abs());
                    });
                }
            }
            sums.iter().all(|&sum| sum <= i32::MAX as u64)
        })
    })
}
