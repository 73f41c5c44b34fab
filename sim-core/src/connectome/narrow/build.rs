//! Building: a chunk of rows at a time is drawn, sorted and stored, in parallel; nothing is sorted as
//! a whole and nothing is held twice.

use super::super::draw::{Draw, DrawnSynapse, Row};
use super::bundle::{Bundle, CHUNK, Chunk, LONGEST_SEGMENT, Synapses};
use super::plan::{Member, Plan, PlannedBundle, largest_inputs};
use super::scale::quantise;
use super::sort::{Key, sort};
use super::{Blocks, Narrow};
use crate::connectivity::End;
use crate::network::ValidNetwork;
use kernels::{gather_into_large_pages, prefer_large_pages};
use rayon::prelude::*;
use std::ops::Range;

/// What is built, and for each projection its bundle and number of synapses.
pub type Built = (Narrow, Vec<Option<(usize, u64)>>);

/// Builds all bundles of a plan; none where sums of weights could leave 32 bits.
pub fn build(network: &ValidNetwork, plan: Plan) -> Option<Built> {
    let Plan { blocks, populations, bundles } = plan;
    let mut narrow = Narrow {
        chunks: vec![Vec::new(); blocks.count()],
        blocks,
        populations,
        bundles: Vec::with_capacity(bundles.len()),
        packed: false,
    };
    let mut members = vec![None; network.projections().len()];
    for (index, planned) in bundles.iter().enumerate() {
        let counts = build_bundle(network, planned, &mut narrow);
        for (member, count) in planned.members.iter().zip(counts) {
            members[member.projection] = Some((index, count));
        }
    }
    narrow.chunks.par_iter().flatten().for_each(|chunk| match &chunk.synapses {
        Synapses::Slots(slots) => gather_into_large_pages(slots),
        Synapses::Weighted(synapses) => gather_into_large_pages(synapses),
    });
    let inputs = largest_inputs(network, &narrow.populations);
    let largest = largest_sum(&narrow, &inputs);
    narrow.packed = largest <= i16::MAX as u64 && can_be_packed(&narrow, &inputs);
    (largest <= i32::MAX as u64).then_some((narrow, members))
}

/// Builds a bundle; gives the number of synapses of each member.
fn build_bundle(network: &ValidNetwork, planned: &PlannedBundle, narrow: &mut Narrow) -> Vec<u64> {
    let sources = network.populations()[planned.source].size();
    let members: Vec<MemberRows<'_>> = planned
        .members
        .iter()
        .map(|member| MemberRows::new(network, member, &narrow.blocks))
        .collect();
    let blocks = narrow.blocks.count();
    let built: Vec<BuiltChunk> = (0..sources.div_ceil(CHUNK as u32))
        .into_par_iter()
        .map_init(Workshop::default, |workshop, chunk| {
            let first = chunk * CHUNK as u32;
            let last = sources.min(first + CHUNK as u32);
            workshop.build(planned, &members, first..last, blocks)
        })
        .collect();
    let first_chunk = narrow.chunks.first().map_or(0, Vec::len);
    let mut row_lengths = Vec::with_capacity(sources as usize);
    let (mut shortest, mut longest) = (u32::MAX, 0);
    let mut counts = vec![0; members.len()];
    for chunk in built {
        narrow.chunks.iter_mut().zip(chunk.blocks).for_each(|(all, own)| all.push(own));
        row_lengths.extend(chunk.row_lengths);
        shortest = shortest.min(chunk.delays.0);
        longest = longest.max(chunk.delays.1);
        counts.iter_mut().zip(chunk.counts).for_each(|(sum, count)| *sum += count);
    }
    narrow.bundles.push(Bundle {
        source: planned.source,
        receptor: planned.receptor,
        delays: if longest == 0 { 1..=1 } else { shortest..=longest },
        first_chunk,
        row_lengths: row_lengths.into_boxed_slice(),
    });
    counts
}

/// The rows of one projection by source.
struct MemberRows<'n> {
    draw: Draw<'n>,
    unit: f64,
    /// By block: end of the target population's slice, and slot of neuron 0 if it lay there.
    places: Vec<(u32, u32)>,
    /// Of a rule whose rows are numbered by target.
    turned: Option<Turned>,
}

/// Synapses by source: first synapse of each source and the end, and (target, delay, weight).
type Turned = (Vec<u64>, Vec<(u32, u16, i16)>);

/// Rows by target that are drawn at a time.
pub const ROWS_AT_ONCE: u64 = 4096;

impl<'n> MemberRows<'n> {
    fn new(network: &'n ValidNetwork, member: &Member, blocks: &Blocks) -> Self {
        let projection = &network.projections()[member.projection];
        let place = |block: usize| {
            let slice = blocks.slice(block, projection.target);
            let first_slot = blocks.slots(block, projection.target).start as u32;
            (slice.end, first_slot.wrapping_sub(slice.start))
        };
        let mut rows = MemberRows {
            draw: Draw::new(network, projection),
            unit: member.unit,
            places: (0..blocks.count()).map(place).collect(),
            turned: None,
        };
        if rows.draw.end() == End::Target {
            rows.turned = Some(rows.turn(network.populations()[projection.source].size()));
        }
        rows
    }

    fn key(&self, target: u32, delay: u32, weight: i16) -> Key {
        let block = self.places.partition_point(|place| place.0 <= target);
        let base = self.places.get(block).map_or(0, |place| place.1);
        Key::new(block as u32, delay, base.wrapping_add(target) as u16, weight)
    }

    /// Appends the synapses of a source.
    fn append(&self, source: u32, drawn: &mut Row, keys: &mut Vec<Key>) {
        if let Some((first, turned)) = &self.turned {
            let row = first[source as usize] as usize..first[source as usize + 1] as usize;
            keys.extend(turned[row].iter().map(|&(t, delay, w)| self.key(t, u32::from(delay), w)));
            return;
        }
        self.draw.row(source, drawn);
        let values = drawn.weights.iter().zip(&drawn.delays);
        keys.extend(drawn.partners.iter().zip(values).map(|(partner, (&weight, &delay))| {
            self.key(partner.neuron, delay, quantise(weight, self.unit))
        }));
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
            let last = count.min(first.saturating_add(ROWS_AT_ONCE as u32));
            let rows: Vec<Vec<DrawnSynapse>> = (first..last)
                .into_par_iter()
                .map_init(Row::default, |drawn, row| {
                    self.draw.row(row, drawn);
                    drawn.synapses(End::Target, row).collect()
                })
                .collect();
            rows.iter().flatten().for_each(&mut visit);
        }
    }
}

/// The rows of some sources.
struct BuiltChunk {
    /// One chunk a block.
    blocks: Vec<Chunk>,
    row_lengths: Vec<u32>,
    /// The shortest and the longest delay.
    delays: (u32, u32),
    /// Number of synapses of each member.
    counts: Vec<u64>,
}

/// What a thread uses again from chunk to chunk.
#[derive(Default)]
struct Workshop {
    drawn: Row,
    keys: Vec<Key>,
    scratch: Vec<Key>,
    /// By block: slots, or slots and weights, with heads.
    stored: Vec<Vec<u32>>,
}

impl Workshop {
    fn build(
        &mut self,
        planned: &PlannedBundle,
        members: &[MemberRows<'_>],
        sources: Range<u32>,
        blocks: usize,
    ) -> BuiltChunk {
        self.stored.resize_with(blocks, Vec::new);
        self.stored.iter_mut().for_each(Vec::clear);
        let mut rows = vec![Vec::with_capacity(sources.len()); blocks];
        let mut built = BuiltChunk {
            blocks: Vec::with_capacity(blocks),
            row_lengths: Vec::with_capacity(sources.len()),
            delays: (u32::MAX, 0),
            counts: vec![0; members.len()],
        };
        let one_weight = planned.weight.is_some();
        for source in sources {
            self.keys.clear();
            for (member, count) in members.iter().zip(&mut built.counts) {
                let before = self.keys.len();
                member.append(source, &mut self.drawn, &mut self.keys);
                *count += (self.keys.len() - before) as u64;
            }
            sort(&mut self.keys, &mut self.scratch);
            built.row_lengths.push(self.keys.len() as u32);
            let mut rest = &self.keys[..];
            for (block, (stored, rows)) in self.stored.iter_mut().zip(&mut rows).enumerate() {
                let own = rest.iter().take_while(|key| key.block() == block).count();
                let (row, others) = rest.split_at(own);
                rest = others;
                rows.push(stored.len() as u32);
                let delays = store(row, one_weight, stored);
                built.delays.0 = built.delays.0.min(delays.0);
                built.delays.1 = built.delays.1.max(delays.1);
            }
        }
        for (stored, rows) in self.stored.iter().zip(rows) {
            let synapses = match one_weight {
                true => Synapses::Slots(table(stored, |number| number as u16)),
                false => Synapses::Weighted(table(stored, |number| number)),
            };
            let (receptor, weight) = (planned.receptor as u16, planned.weight.unwrap_or(0));
            let rows = rows.into_boxed_slice();
            built.blocks.push(Chunk { receptor, weight, rows, synapses });
        }
        built
    }
}

/// The numbers in memory of their own, in large pages where the system has them.
fn table<T>(numbers: &[u32], of: impl Fn(u32) -> T) -> Box<[T]> {
    let mut table = Vec::with_capacity(numbers.len());
    prefer_large_pages(&mut table);
    table.extend(numbers.iter().map(|&number| of(number)));
    table.into_boxed_slice()
}

/// Appends a sorted row with its heads; gives the shortest and the longest delay.
fn store(row: &[Key], one_weight: bool, stored: &mut Vec<u32>) -> (u32, u32) {
    let head = |steps: u32, count: usize, stored: &mut Vec<u32>| match one_weight {
        true => stored.extend([steps, count as u32]),
        false => stored.push(steps << 16 | count as u32),
    };
    let mut before = 0;
    for segment in row.chunk_by(|a, b| a.delay() == b.delay()) {
        for segment in segment.chunks(LONGEST_SEGMENT) {
            let delay = segment.first().map_or(before, |key| key.delay());
            head(delay - before, segment.len(), stored);
            before = delay;
            match one_weight {
                true => stored.extend(segment.iter().map(|key| key.synapse() >> 16)),
                false => stored.extend(segment.iter().map(|key| key.synapse())),
            }
        }
    }
    head(0, 0, stored);
    (row.first().map_or(u32::MAX, |key| key.delay()), before)
}

/// The largest sum of all weights' magnitudes at a neuron and receptor, with the largest random `inputs`: no step
/// can exceed it, as a neuron spikes at most once a step, but its spikes of several steps may arrive together,
/// each through synapses of its own.
fn largest_sum(narrow: &Narrow, inputs: &[u64]) -> u64 {
    let receptors = narrow.bundles.iter().map(|bundle| bundle.receptor + 1).max().unwrap_or(0);
    let places = (0..narrow.blocks.count()).into_par_iter();
    let largest = places.map(|block| {
        let of_receptor = |receptor: usize| {
            let mut sums =
                vec![inputs.get(receptor).copied().unwrap_or(0); super::MOST_SLOTS as usize];
            for bundle in narrow.bundles.iter().filter(|bundle| bundle.receptor == receptor) {
                for source in 0..bundle.row_lengths.len() as u32 {
                    let chunk = &narrow.chunks[block][bundle.chunk(source)];
                    for (_, segment) in chunk.segments(source) {
                        chunk.for_each(segment, |slot, weight| {
                            sums[usize::from(slot)] += u64::from(weight.unsigned_abs());
                        });
                    }
                }
            }
            sums.into_iter().max().unwrap_or(0)
        };
        (0..receptors).map(of_receptor).max().unwrap_or(0)
    });
    largest.max().unwrap_or(0)
}

/// Whether sums of two receptors may share 32 bits, if they are small enough: weights that are one a bundle, no
/// random input, which adds to whole sums, and no model with more receptors.
fn can_be_packed(narrow: &Narrow, inputs: &[u64]) -> bool {
    let driven = || narrow.populations.iter().flatten().filter(|population| population.driven);
    let mut chunks = narrow.chunks.iter().flatten();
    driven().any(|population| population.units.len() == 2)
        && driven().all(|population| population.units.len() <= 2)
        && inputs.iter().all(|&input| input == 0)
        && chunks.all(|chunk| matches!(chunk.synapses, Synapses::Slots(_)))
}
