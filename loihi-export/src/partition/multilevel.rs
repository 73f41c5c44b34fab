//! `multilevel`: the greedy cores of a coarser network, improved on every level back to neurons.
//!
//! Atoms that share most inputs are merged in pairs, level by level; the coarsest network is cut by
//! `greedy_overlap`'s growth, and the cut is carried back and refined on each level
//! ([`super::refine`]); the cut that `greedy_overlap` makes is taken where it is better, and refined.
//! Only moves that fit a core are made, so every level is a valid cut.
//!
//! Work is bounded by the number of (atom, input) pairs: a level rates at most [`RATED`] partners an
//! atom, refining looks at a bounded number of cores a pair, and every level has at most nine tenths
//! of the atoms of the one before.
//!
//! References: the multilevel scheme of G. Karypis, V. Kumar (SIAM J. Sci. Comput. 20, 1998) with
//! moves as by C. Fiduccia, R. Mattheyses (DAC 1982); the objective is the sum over cores of
//! distinct inbound axons.

use super::core_fill::CoreFill;
use super::cut::finish;
use super::greedy_overlap::{BLOCK, grow, slices_of_blocks};
use super::inbound::Inbound;
use super::refine::refine;
use super::{PartitionConfig, PartitionError, Partitioner};
use crate::mapping::Slice;
use crate::mapping::limits::CoreLimits;
use crate::quantise::network::QuantisedNetwork;

pub(super) const MULTILEVEL: Partitioner = Partitioner {
    name: "multilevel",
    summary: "greedy_overlap on merged neurons, refined level by level for fewer input axons",
    run,
};

/// Inputs with more atoms tell nothing about who belongs together.
const LARGEST_INPUT: usize = 256;
/// Partners that are rated for an atom at most, those behind every so-manieth of its inputs.
const RATED: usize = 1 << 10;
/// Atoms below which a network is not made coarser.
const COARSEST: usize = 96;

fn run(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
    config: &PartitionConfig,
) -> Result<Vec<Slice>, PartitionError> {
    finish(network, limits, config, slices_of_blocks(network, limits, BLOCK, cut)?)
}

fn cut(inbound: &Inbound, limits: &CoreLimits) -> Result<Vec<CoreFill>, usize> {
    let direct = grow(inbound, limits)?;
    let mut levels: Vec<(Inbound, Vec<u32>)> = Vec::new();
    let mut finest = inbound;
    while finest.len() > COARSEST.max(8 * direct.len()) {
        let (into, count) = pairs(finest, limits);
        if count * 10 > finest.len() * 9 {
            break;
        }
        levels.push((finest.merged(&into, count), into));
        finest = match levels.last() {
            Some((coarse, _)) => coarse,
            None => break,
        };
    }
    // A merged atom may be too large to fit with others; the direct cut always stands.
    let mut cores = match levels.last() {
        Some((coarsest, _)) => grow(coarsest, limits).unwrap_or_default(),
        None => Vec::new(),
    };
    for level in (0..levels.len()).rev() {
        refine(&levels[level].0, limits, &mut cores);
        let finer = if level == 0 { inbound } else { &levels[level - 1].0 };
        carry_back(finer, &mut cores, &levels[level].1);
    }
    let cost = |cores: &[CoreFill]| (cores.len(), cores.iter().map(|core| core.axons).sum::<u64>());
    let better = !cores.is_empty() && cost(&cores) < cost(&direct);
    let mut best = if better { cores } else { direct };
    refine(inbound, limits, &mut best);
    Ok(best)
}

/// Merges each atom with the free one that shares most: Σ weight / (atoms of the input − 1).
fn pairs(inbound: &Inbound, limits: &CoreLimits) -> (Vec<u32>, usize) {
    const FREE: u32 = u32::MAX;
    let (offsets, atoms) = inbound.by_input();
    let largest = (limits.neurons_per_core / 8).max(2);
    let mut into = vec![FREE; inbound.len()];
    let mut count = 0;
    let mut rating = vec![0.0f64; inbound.len()];
    let mut rated: Vec<u32> = Vec::new();
    for atom in 0..inbound.len() {
        if into[atom] != FREE {
            continue;
        }
        into[atom] = count;
        let range = |input: u32| offsets[input as usize]..offsets[input as usize + 1];
        let telling = |input: &u32| range(*input).len() <= LARGEST_INPUT;
        let inputs = || inbound.of_atom(atom).map(|(input, _)| input).filter(telling);
        let partners: usize = inputs().map(|input| range(input).len()).sum();
        for input in inputs().step_by(partners.div_ceil(RATED).max(1)) {
            let range = range(input);
            let share = f64::from(inbound.group(input).weight) / (range.len().max(2) - 1) as f64;
            for &other in &atoms[range] {
                if into[other as usize] == FREE {
                    if rating[other as usize] == 0.0 {
                        rated.push(other);
                    }
                    rating[other as usize] += share;
                }
            }
        }
        let fits = |other: &&u32| {
            let other = **other as usize;
            inbound.neurons[atom].saturating_add(inbound.neurons[other]) <= largest
                && inbound.same_kernels(atom, other)
        };
        let better = |a: &&u32, b: &&u32| {
            let by_rating = rating[**a as usize].total_cmp(&rating[**b as usize]);
            by_rating.then(b.cmp(a))
        };
        if let Some(&partner) = rated.iter().filter(fits).max_by(better) {
            into[partner as usize] = count;
        }
        for other in rated.drain(..) {
            rating[other as usize] = 0.0;
        }
        count += 1;
    }
    (into, count as usize)
}

/// Replaces the atoms of each core by those that were merged into them. What a core takes is the
/// same: a merged atom has its parts' neurons and inputs.
fn carry_back(finer: &Inbound, cores: &mut [CoreFill], into: &[u32]) {
    let mut members: Vec<Vec<u32>> = Vec::new();
    for (atom, &to) in (0u32..).zip(into) {
        if members.len() <= to as usize {
            members.resize(to as usize + 1, Vec::new());
        }
        members[to as usize].push(atom);
    }
    for core in cores {
        let parts = core.atoms.iter().flat_map(|&coarse| members.get(coarse as usize));
        let atoms = parts.flatten().copied().collect();
        core.replace_atoms(finer, atoms);
    }
}
