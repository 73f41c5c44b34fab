//! `multilevel`: the greedy cores of a coarser network, improved on every level back to neurons.
//!
//! Atoms that share most inputs are merged in pairs, level by level; the coarsest network is cut by
//! `greedy_overlap`'s growth, and the cut is carried back. On each level atoms move to the core on
//! which they save most distinct inbound axons, and the emptiest cores are dissolved where the
//! others have room. Only moves that fit a core are made, so every level is a valid cut.
//!
//! References: the multilevel scheme of G. Karypis, V. Kumar (SIAM J. Sci. Comput. 20, 1998) with
//! moves as by C. Fiduccia, R. Mattheyses (DAC 1982); the objective is the sum over cores of
//! distinct inbound axons.

use super::core_fill::CoreFill;
use super::cut::finish;
use super::greedy_overlap::{grow, slices_of_blocks};
use super::inbound::Inbound;
use super::{PartitionConfig, PartitionError, Partitioner};
use crate::mapping::Slice;
use crate::mapping::limits::CoreLimits;
use crate::quantise::network::QuantisedNetwork;

pub(super) const MULTILEVEL: Partitioner = Partitioner {
    name: "multilevel",
    summary: "greedy_overlap on merged neurons, refined level by level for fewer input axons",
    run,
};

/// Atoms of a population that are looked at together.
const BLOCK: u32 = 1 << 14;
/// Inputs with more atoms tell nothing about who belongs together.
const LARGEST_INPUT: usize = 256;
/// Passes of moves on a level.
const PASSES: usize = 4;
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
        cores = carried_back(finer, limits, &cores, &levels[level].1).unwrap_or_default();
    }
    let mut direct = direct;
    refine(inbound, limits, &mut direct);
    if !cores.is_empty() {
        refine(inbound, limits, &mut cores);
    }
    let cost = |cores: &[CoreFill]| (cores.len(), cores.iter().map(|core| core.axons).sum::<u64>());
    Ok(if !cores.is_empty() && cost(&cores) < cost(&direct) { cores } else { direct })
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
        for (input, _) in inbound.of_atom(atom) {
            let range = offsets[input as usize]..offsets[input as usize + 1];
            if range.len() > LARGEST_INPUT {
                continue;
            }
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

/// The cores with the atoms of the next finer level; none where they do not fit any more, which
/// counts of merged atoms exclude.
fn carried_back(
    finer: &Inbound,
    limits: &CoreLimits,
    cores: &[CoreFill],
    into: &[u32],
) -> Option<Vec<CoreFill>> {
    let mut members: Vec<Vec<u32>> = Vec::new();
    for (atom, &to) in (0u32..).zip(into) {
        if members.len() <= to as usize {
            members.resize(to as usize + 1, Vec::new());
        }
        members[to as usize].push(atom);
    }
    let fill = |core: &CoreFill| {
        let mut fine = CoreFill::default();
        let own = core.atoms.iter().flat_map(|&coarse| members.get(coarse as usize));
        own.flatten().all(|&atom| fine.try_add(finer, limits, atom as usize)).then_some(fine)
    };
    cores.iter().map(fill).collect()
}

/// Moves atoms between cores while that saves axons, and dissolves cores that the others can hold.
fn refine(inbound: &Inbound, limits: &CoreLimits, cores: &mut Vec<CoreFill>) {
    let mut home = vec![0u32; inbound.len()];
    for (index, core) in (0u32..).zip(cores.iter()) {
        core.atoms.iter().for_each(|&atom| home[atom as usize] = index);
    }
    let (offsets, atoms) = inbound.by_input();
    let neighbours = |atom: usize, home: &[u32]| -> Vec<u32> {
        let mut found: Vec<u32> = Vec::new();
        for (input, _) in inbound.of_atom(atom) {
            let range = offsets[input as usize]..offsets[input as usize + 1];
            let near = atoms[range].iter().take(LARGEST_INPUT);
            found.extend(near.map(|&other| home[other as usize]));
        }
        found.sort_unstable();
        found.dedup();
        found
    };
    for _ in 0..PASSES {
        let mut moved = 0;
        for atom in 0..inbound.len() {
            let here = home[atom] as usize;
            let saved = cores[here].own_axons(inbound, atom);
            let mut best: Option<(u64, usize)> = None;
            for to in neighbours(atom, &home).into_iter().map(|core| core as usize) {
                let added = if to == here { saved } else { cores[to].new_axons(inbound, atom) };
                if added < saved && best.is_none_or(|(least, _)| added < least) {
                    best = Some((added, to));
                }
            }
            let Some((_, to)) = best else { continue };
            if cores[to].try_add(inbound, limits, atom) {
                cores[here].remove(inbound, limits, atom);
                home[atom] = to as u32;
                moved += 1;
            }
        }
        dissolve(inbound, limits, cores, &mut home);
        if moved == 0 {
            break;
        }
    }
    cores.retain(|core| !core.atoms.is_empty());
}

/// Empties the core with fewest neurons into the others, as long as that works out.
fn dissolve(inbound: &Inbound, limits: &CoreLimits, cores: &mut [CoreFill], home: &mut [u32]) {
    loop {
        let filled = (0..cores.len()).filter(|&core| !cores[core].atoms.is_empty());
        let Some(least) = filled.min_by_key(|&core| (cores[core].neurons, core)) else { return };
        let room: u64 = (0..cores.len())
            .filter(|&core| core != least && !cores[core].atoms.is_empty())
            .map(|core| u64::from(limits.neurons_per_core.saturating_sub(cores[core].neurons)))
            .sum();
        if room < u64::from(cores[least].neurons) || cores[least].atoms.len() > COARSEST * 8 {
            return;
        }
        let leaving = cores[least].atoms.clone();
        let mut placed: Vec<(usize, usize)> = Vec::new();
        for &atom in &leaving {
            let atom = atom as usize;
            let mut to: Vec<(u64, usize)> = (0..cores.len())
                .filter(|&core| core != least && !cores[core].atoms.is_empty())
                .map(|core| (cores[core].new_axons(inbound, atom), core))
                .collect();
            to.sort_unstable();
            let found = to.iter().find(|(_, core)| cores[*core].try_add(inbound, limits, atom));
            match found {
                Some(&(_, core)) => placed.push((atom, core)),
                None => break,
            }
        }
        if placed.len() < leaving.len() {
            for (atom, core) in placed {
                cores[core].remove(inbound, limits, atom);
            }
            return;
        }
        placed.iter().for_each(|&(atom, core)| home[atom] = core as u32);
        cores[least] = CoreFill::default();
    }
}
