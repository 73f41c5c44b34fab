//! `greedy_overlap`: each core takes the neurons that bring the fewest new input axons.
//!
//! What binds a core is the number of distinct axons that enter it, not the balance of its load. A
//! core is grown from the first neuron left: of the neurons that share inputs with it, the one that
//! adds fewest distinct inbound axons (most shared ones at a tie) comes next, until nothing fits.
//! Neurons may come from anywhere in the population, so that a slice of a picture becomes a tile.
//!
//! Large populations are cut into blocks of [`BLOCK`] atoms first, and blocks and populations are
//! worked on in parallel; neither depends on the number of threads.
//!
//! Reference: the objective is that of overlap-based hypergraph partitioning of spiking networks
//! (M. Ronzani, C. Silvano, arXiv 2601.16118, 2026); the algorithm is our own.

use rayon::prelude::*;

use super::core_fill::CoreFill;
use super::cut::{does_not_fit_alone, finish, on_chip};
use super::inbound::{Atoms, Inbound};
use super::{PartitionConfig, PartitionError, Partitioner};
use crate::mapping::Slice;
use crate::mapping::limits::{CoreLimits, Resource};
use crate::quantise::network::QuantisedNetwork;

pub(super) const GREEDY_OVERLAP: Partitioner = Partitioner {
    name: "greedy_overlap",
    summary: "cores grown by the neurons that bring fewest new input axons",
    run,
};

/// Atoms of a population that are looked at together.
pub(super) const BLOCK: u32 = 1 << 16;

/// Atoms refused in a row after which a core counts as full.
const REFUSED: usize = 64;

fn run(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
    config: &PartitionConfig,
) -> Result<Vec<Slice>, PartitionError> {
    finish(network, limits, config, slices_of_blocks(network, limits, BLOCK, grow)?)
}

/// Cuts every population block by block: `cores` says which atoms share a core.
pub(super) fn slices_of_blocks(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
    block: u32,
    cores: fn(&Inbound, &CoreLimits) -> Result<Vec<CoreFill>, usize>,
) -> Result<Vec<Slice>, PartitionError> {
    let mut blocks = Vec::new();
    for (population, _, _) in on_chip(network) {
        let atoms = Atoms::of(network, limits, population);
        let count = atoms.count();
        let parts = count.div_ceil(block).max(1);
        let cut = |part: u32| (u64::from(count) * u64::from(part) / u64::from(parts)) as u32;
        blocks.extend((0..parts).map(|part| (population, atoms, cut(part)..cut(part + 1))));
    }
    let cut = |(population, atoms, range): (usize, Atoms, std::ops::Range<u32>)| {
        let inbound = Inbound::new(network, limits, population, atoms, range);
        let mut slices: Vec<Slice> = Vec::new();
        match cores(&inbound, limits) {
            Ok(cores) => {
                for core in cores {
                    let own =
                        core.atoms.iter().flat_map(|&a| atoms.neurons(inbound.first_atom + a));
                    slices.push(Slice::of_neurons(population, own));
                }
            }
            Err(atom) => {
                let neuron = atoms.neurons(inbound.first_atom + atom as u32).next().unwrap_or(0);
                return Err(does_not_fit_alone(network, limits, population, neuron));
            }
        }
        slices.sort_by_key(Slice::first);
        Ok(slices)
    };
    let slices: Result<Vec<Vec<Slice>>, _> = blocks.into_par_iter().map(cut).collect();
    Ok(slices?.into_iter().flatten().collect())
}

/// Grows core after core until every atom has one.
///
/// # Errors
/// The first atom that does not fit a core of its own.
pub(super) fn grow(inbound: &Inbound, limits: &CoreLimits) -> Result<Vec<CoreFill>, usize> {
    grow_some(inbound, limits, usize::MAX)
}

/// The first so many cores of those.
pub(super) fn grow_some(
    inbound: &Inbound,
    limits: &CoreLimits,
    most: usize,
) -> Result<Vec<CoreFill>, usize> {
    let (offsets, atoms) = inbound.by_input();
    let mut state = Growth {
        inbound,
        limits,
        offsets,
        atoms,
        taken: vec![false; inbound.len()],
        shared: vec![0; inbound.len()],
        total: (0..inbound.len())
            .map(|atom| CoreFill::default().new_axons(inbound, atom))
            .collect(),
    };
    let mut cores = Vec::new();
    let mut seed = 0;
    while cores.len() < most {
        let Some(next) = (seed..inbound.len()).find(|&atom| !state.taken[atom]) else { break };
        seed = next;
        cores.push(state.core(seed)?);
    }
    Ok(cores)
}

/// Atoms that share inputs with a growing core and are kept in view at the least. Where inputs come
/// from everywhere, nearly all atoms share some, and the best of so many are as good as the best.
const FRONTIER: usize = 1 << 10;

struct Growth<'a> {
    inbound: &'a Inbound,
    limits: &'a CoreLimits,
    /// Atoms of each input.
    offsets: Vec<usize>,
    atoms: Vec<u32>,
    /// Whether an atom has a core.
    taken: Vec<bool>,
    /// Axons that an atom shares with the core that grows.
    shared: Vec<u64>,
    /// Axons of an atom alone.
    total: Vec<u64>,
}

impl Growth<'_> {
    fn core(&mut self, seed: usize) -> Result<CoreFill, usize> {
        let mut core = CoreFill::default();
        let mut frontier: Vec<u32> = Vec::new();
        let mut touched: Vec<u32> = Vec::new();
        let mut chosen = vec![seed as u32];
        let (mut refused, mut scan) = (0, seed);
        let in_view = FRONTIER.max(self.limits.neurons_per_core as usize);
        while refused < REFUSED {
            let mut too_large = Vec::new();
            for atom in std::mem::take(&mut chosen) {
                if self.new_axons(atom) > self.room(&core) && !core.atoms.is_empty() {
                    refused += 1;
                } else if self.add(&mut core, atom as usize, &mut frontier, &mut touched) {
                    refused = 0;
                } else if core.atoms.is_empty() {
                    return Err(atom as usize);
                } else {
                    refused += 1;
                    too_large.push(atom);
                }
            }
            // The core only grows: what does not fit now never will. An atom that is added takes no
            // fewer axons of the core's room than it takes off what another one would add.
            let room = self.room(&core);
            frontier.retain(|&atom| {
                let fits = !self.taken[atom as usize] && self.new_axons(atom) <= room;
                fits && !too_large.contains(&atom)
            });
            if u64::from(core.neurons) >= u64::from(self.limits.neurons_per_core) {
                break;
            }
            if frontier.is_empty() {
                // nothing is shared with what is left: the next neuron in order may fill the core
                let next = (scan..self.inbound.len()).find(|&atom| !self.taken[atom]);
                let Some(next) = next else { break };
                scan = next + 1;
                chosen.push(next as u32);
                continue;
            }
            // A large core takes several at a time: what one changes for the others is little.
            let at_once = 1 + core.atoms.len() / 16;
            let cost = |&atom: &u32| {
                (self.new_axons(atom), std::cmp::Reverse(self.shared[atom as usize]), atom)
            };
            if frontier.len() > 2 * in_view {
                frontier.select_nth_unstable_by_key(in_view - 1, cost);
                frontier.truncate(in_view);
            }
            if frontier.len() > at_once {
                frontier.select_nth_unstable_by_key(at_once - 1, cost);
            }
            chosen.extend(frontier.iter().take(at_once));
            chosen.sort_unstable_by_key(cost);
        }
        for atom in touched {
            self.shared[atom as usize] = 0;
        }
        Ok(core)
    }

    /// Axons that an atom would add to the core that grows.
    fn new_axons(&self, atom: u32) -> u64 {
        self.total[atom as usize].saturating_sub(self.shared[atom as usize])
    }

    /// Axons that the core that grows has room for.
    fn room(&self, core: &CoreFill) -> u64 {
        let limit = self.limits.limit(Resource::InputAxons).unwrap_or(u64::MAX);
        limit.saturating_sub(core.axons)
    }

    /// Adds an atom and tells those who share its inputs.
    fn add(
        &mut self,
        core: &mut CoreFill,
        atom: usize,
        frontier: &mut Vec<u32>,
        touched: &mut Vec<u32>,
    ) -> bool {
        let new = |core: &CoreFill, input: &u32| !core.has(*input);
        let inputs = self.inbound.of_atom(atom).map(|(input, _)| input);
        let new: Vec<u32> = inputs.filter(|input| new(core, input)).collect();
        if !core.try_add(self.inbound, self.limits, atom) {
            return false;
        }
        self.taken[atom] = true;
        for input in new {
            let weight = u64::from(self.inbound.group(input).weight);
            let range = self.offsets[input as usize]..self.offsets[input as usize + 1];
            for &other in &self.atoms[range] {
                if self.taken[other as usize] {
                    continue;
                }
                if self.shared[other as usize] == 0 {
                    frontier.push(other);
                    touched.push(other);
                }
                self.shared[other as usize] += weight;
            }
        }
        true
    }
}
