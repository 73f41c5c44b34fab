//! Moving atoms between cores to save input axons, and dissolving cores that the others can hold.
//!
//! For every input it is known to which cores it comes, so that what a move saves and adds is read
//! off those lists: an atom whose inputs all come to its own core alone, as most do, costs one look
//! at each input. Moves are those of C. Fiduccia, R. Mattheyses (DAC 1982), the best one of an atom
//! at a time and only such as save; the objective is the sum over cores of distinct inbound axons.

use super::core_fill::CoreFill;
use super::inbound::Inbound;
use crate::mapping::limits::CoreLimits;

/// Passes of moves at most.
const PASSES: usize = 4;
/// A pass that moves fewer than one atom in so many is the last.
const WORTH_A_PASS: usize = 512;
/// Inputs that come to more cores tell nothing about where an atom should be.
const MOST_CORES: usize = 64;
/// Looks at (input, core) for each (atom, input) pair, over all passes; then refining ends.
const LOOKS: u64 = 64;
/// Atoms of a core that may be dissolved.
const MOST_LEAVING: usize = 768;
/// Cores that are tried for an atom that has to leave.
const MOST_TRIED: usize = 256;

/// Improves a cut; every step leaves a cut whose cores fit.
pub(super) fn refine(inbound: &Inbound, limits: &CoreLimits, cores: &mut Vec<CoreFill>) {
    let mut state = Refining::new(inbound, limits, cores);
    let mut looked_at: Vec<u32> = (0..inbound.len() as u32).collect();
    for _ in 0..PASSES {
        let mut moved = 0;
        // Atoms with inputs of their own on the core may find another one; the rest stays.
        looked_at.retain(|&atom| {
            if state.left == 0 {
                return false;
            }
            let outcome = state.improve(atom as usize);
            moved += usize::from(outcome == Some(true));
            outcome.is_some()
        });
        while state.left > 0 && state.dissolve() {}
        if moved * WORTH_A_PASS <= inbound.len() || state.left == 0 {
            break;
        }
    }
    cores.retain(|core| !core.atoms.is_empty());
}

struct Refining<'a> {
    inbound: &'a Inbound,
    limits: &'a CoreLimits,
    cores: &'a mut Vec<CoreFill>,
    /// The core of each atom.
    home: Vec<u32>,
    /// Where each input's cores begin in `places`: as many as it has atoms fit there.
    offsets: Vec<usize>,
    /// Cores of each input, with the synapses that one of its neurons has there.
    places: Vec<(u32, u32)>,
    /// Cores that each input comes to.
    used: Vec<u32>,
    /// Axons that the atom in question shares with each core; zero between questions.
    shared: Vec<u64>,
    /// Cores with which it shares some.
    near: Vec<u32>,
    /// Looks that are left.
    left: u64,
}

impl<'a> Refining<'a> {
    fn new(inbound: &'a Inbound, limits: &'a CoreLimits, cores: &'a mut Vec<CoreFill>) -> Self {
        let mut home = vec![0u32; inbound.len()];
        for (index, core) in (0u32..).zip(cores.iter()) {
            core.atoms.iter().for_each(|&atom| home[atom as usize] = index);
        }
        let offsets = inbound.input_offsets();
        let mut state = Self {
            inbound,
            limits,
            home,
            places: vec![(0, 0); inbound.inputs.len()],
            used: vec![0; inbound.input_count as usize],
            offsets,
            shared: vec![0; cores.len()],
            near: Vec::new(),
            left: (inbound.inputs.len() as u64).saturating_mul(LOOKS),
            cores,
        };
        for atom in 0..inbound.len() {
            state.arrive(atom, state.home[atom]);
        }
        state
    }

    /// Notes that an atom's inputs come to a core.
    fn arrive(&mut self, atom: usize, core: u32) {
        for (input, synapses) in self.inbound.of_atom(atom) {
            let (first, used) = (self.offsets[input as usize], &mut self.used[input as usize]);
            let known = &mut self.places[first..first + *used as usize];
            match known.iter_mut().find(|place| place.0 == core) {
                Some(place) => place.1 = place.1.saturating_add(synapses),
                None => {
                    self.places[first + *used as usize] = (core, synapses);
                    *used += 1;
                }
            }
        }
    }

    /// Takes that back.
    fn leave(&mut self, atom: usize, core: u32) {
        for (input, synapses) in self.inbound.of_atom(atom) {
            let (first, used) = (self.offsets[input as usize], &mut self.used[input as usize]);
            let known = &mut self.places[first..first + *used as usize];
            let Some(at) = known.iter().position(|place| place.0 == core) else { continue };
            known[at].1 = known[at].1.saturating_sub(synapses);
            if known[at].1 == 0 {
                let last = known.len() - 1;
                known.swap(at, last);
                *used -= 1;
            }
        }
    }

    /// Fills `near` and `shared` for an atom; gives its axons, and those that its core would save.
    fn look(&mut self, atom: usize) -> (u64, u64) {
        let (here, mut total, mut saved, mut looks) = (self.home[atom], 0, 0, 0);
        for (input, synapses) in self.inbound.of_atom(atom) {
            let weight = u64::from(self.inbound.group(input).weight);
            total += weight;
            let first = self.offsets[input as usize];
            let known = &self.places[first..first + self.used[input as usize] as usize];
            looks += known.len().min(MOST_CORES) as u64;
            if known.len() > MOST_CORES {
                continue;
            }
            for &(core, count) in known {
                if core == here {
                    saved += if count == synapses { weight } else { 0 };
                    continue;
                }
                let shared = &mut self.shared[core as usize];
                if *shared == 0 {
                    self.near.push(core);
                }
                *shared += weight;
            }
        }
        self.left = self.left.saturating_sub(looks);
        (total, saved)
    }

    /// Moves an atom to the core on which it saves most axons, if there is one with room; `None`
    /// where its core would save none.
    fn improve(&mut self, atom: usize) -> Option<bool> {
        let (total, saved) = self.look(atom);
        let mut best: Option<(u64, u32)> = None;
        for core in self.near.drain(..) {
            let added = total - std::mem::take(&mut self.shared[core as usize]);
            if added < saved && best.is_none_or(|known| (added, core) < known) {
                best = Some((added, core));
            }
        }
        if saved == 0 {
            return None;
        }
        let Some((_, to)) = best else { return Some(false) };
        // inputs that come to many cores were not looked at
        let here = self.home[atom] as usize;
        let saved = self.cores[here].own_axons(self.inbound, atom);
        let less = self.cores[to as usize].new_axons(self.inbound, atom) < saved;
        Some(less && self.go(atom, to))
    }

    /// Moves an atom where there is room for it.
    fn go(&mut self, atom: usize, to: u32) -> bool {
        self.left = self.left.saturating_sub(self.inbound.of_atom(atom).len() as u64);
        if !self.cores[to as usize].try_add(self.inbound, self.limits, atom) {
            return false;
        }
        let here = self.home[atom];
        self.cores[here as usize].remove(self.inbound, self.limits, atom);
        self.leave(atom, here);
        self.arrive(atom, to);
        self.home[atom] = to;
        true
    }

    /// Empties the core with fewest neurons into the others; whether that worked out.
    fn dissolve(&mut self) -> bool {
        let filled = (0..self.cores.len()).filter(|&core| !self.cores[core].atoms.is_empty());
        let Some(least) = filled.min_by_key(|&core| (self.cores[core].neurons, core)) else {
            return false;
        };
        let most = self.limits.neurons_per_core;
        let others = (0..self.cores.len())
            .filter(|&core| core != least && !self.cores[core].atoms.is_empty());
        let room = others.map(|core| u64::from(most.saturating_sub(self.cores[core].neurons)));
        if room.sum::<u64>() < u64::from(self.cores[least].neurons)
            || self.cores[least].atoms.len() > MOST_LEAVING
        {
            return false;
        }
        let leaving = self.cores[least].atoms.clone();
        for (placed, &atom) in leaving.iter().enumerate() {
            if !self.place_elsewhere(atom as usize) {
                for &atom in &leaving[..placed] {
                    self.go(atom as usize, least as u32);
                }
                return false;
            }
        }
        true
    }

    /// Moves an atom to the other core on which it adds fewest axons and that has room.
    fn place_elsewhere(&mut self, atom: usize) -> bool {
        let (total, _) = self.look(atom);
        let here = self.home[atom];
        let mut to: Vec<(u64, u32)> = Vec::new();
        for core in self.near.drain(..) {
            to.push((total - std::mem::take(&mut self.shared[core as usize]), core));
        }
        to.sort_unstable();
        let known: Vec<u32> = to.iter().map(|&(_, core)| core).collect();
        let rest = (0..self.cores.len() as u32).filter(|core| !known.contains(core));
        let filled = |core: &u32| *core != here && !self.cores[*core as usize].atoms.is_empty();
        let tried: Vec<u32> =
            known.iter().copied().chain(rest).filter(filled).take(MOST_TRIED).collect();
        tried.into_iter().any(|core| self.left > 0 && self.go(atom, core))
    }
}
