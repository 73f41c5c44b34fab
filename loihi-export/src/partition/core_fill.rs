//! What a growing core takes, counted as atoms come and go.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use super::inbound::Inbound;
use crate::mapping::limits::CoreLimits;
use crate::mapping::usage::Usage;

/// Spreads the numbers of inputs; nothing here depends on the order of the table.
#[derive(Debug, Clone, Copy, Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u32(byte.into()));
    }

    fn write_u32(&mut self, number: u32) {
        let mixed = (self.0 ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }
}

/// One core's atoms of one population.
///
/// Figures are exact, but for shared kernels of several blocks of channels, which are counted with
/// a header each: an upper bound.
#[derive(Debug, Clone, Default)]
pub(super) struct CoreFill {
    /// Atoms on the core, in the order in which they came.
    pub(super) atoms: Vec<u32>,
    /// Neurons.
    pub(super) neurons: u32,
    /// Distinct inbound axons.
    pub(super) axons: u64,
    /// Memory of synapse lists and kernels (bits).
    memory: u64,
    /// Synapses of each input's neurons.
    inputs: HashMap<u32, u32, BuildHasherDefault<Spread>>,
    /// Atoms that use each block of kernels.
    kernels: BTreeMap<u32, u32>,
}

impl CoreFill {
    /// Whether an input already comes to the core.
    pub(super) fn has(&self, input: u32) -> bool {
        self.inputs.contains_key(&input)
    }

    /// Axons that an atom would add.
    pub(super) fn new_axons(&self, inbound: &Inbound, atom: usize) -> u64 {
        let new = inbound.of_atom(atom).filter(|(input, _)| !self.has(*input));
        new.map(|(input, _)| u64::from(inbound.group(input).weight)).sum()
    }

    /// Axons that would be saved if an atom left.
    pub(super) fn own_axons(&self, inbound: &Inbound, atom: usize) -> u64 {
        let own = inbound
            .of_atom(atom)
            .filter(|(input, synapses)| self.inputs.get(input) == Some(synapses));
        own.map(|(input, _)| u64::from(inbound.group(input).weight)).sum()
    }

    /// What the core takes with one more atom.
    fn with(&self, inbound: &Inbound, limits: &CoreLimits, atom: usize) -> (Usage, u64) {
        let model = &limits.synapse_memory;
        let neurons = self.neurons.saturating_add(inbound.neurons[atom]);
        let mut memory = match model.index_width(neurons) == model.index_width(self.neurons) {
            true => self.memory,
            false => self.memory_at(inbound, limits, neurons),
        };
        let mut axons = self.axons;
        for (input, synapses) in inbound.of_atom(atom) {
            let before = self.inputs.get(&input).copied();
            let list = |n: u32| inbound.list_bits(model, input, n, neurons);
            match before {
                None => {
                    axons += u64::from(inbound.group(input).weight);
                    memory = memory.saturating_add(list(synapses));
                }
                Some(n) => {
                    memory = memory.saturating_add(list(n.saturating_add(synapses)));
                    memory = memory.saturating_sub(list(n));
                }
            }
        }
        let (block, bits) = inbound.kernels(atom);
        if !self.kernels.contains_key(&block) {
            memory = memory.saturating_add(bits);
        }
        let usage = Usage {
            neurons: neurons.into(),
            neuron_groups: 1,
            input_axons: axons,
            output_axons: 0,
            axon_map_entries: if inbound.sends { neurons.into() } else { 0 },
            synapse_memory: memory,
        };
        (usage, memory)
    }

    /// Memory of what is there already in a slice of another length.
    fn memory_at(&self, inbound: &Inbound, limits: &CoreLimits, length: u32) -> u64 {
        let model = &limits.synapse_memory;
        let lists = self.inputs.iter().fold(0u64, |sum, (&input, &synapses)| {
            sum.saturating_add(inbound.list_bits(model, input, synapses, length))
        });
        let bits = self.atoms.first().map_or(0, |&atom| inbound.kernels(atom as usize).1);
        lists.saturating_add(bits.saturating_mul(self.kernels.len() as u64))
    }

    /// Adds an atom where the core has room for it.
    pub(super) fn try_add(&mut self, inbound: &Inbound, limits: &CoreLimits, atom: usize) -> bool {
        let (usage, memory) = self.with(inbound, limits, atom);
        if usage.exceeds(limits).is_some() {
            return false;
        }
        for (input, synapses) in inbound.of_atom(atom) {
            let count = self.inputs.entry(input).or_default();
            *count = count.saturating_add(synapses);
        }
        *self.kernels.entry(inbound.kernels(atom).0).or_default() += 1;
        self.neurons = self.neurons.saturating_add(inbound.neurons[atom]);
        self.axons = usage.input_axons;
        self.memory = memory;
        self.atoms.push(atom as u32);
        true
    }

    /// Takes an atom away.
    pub(super) fn remove(&mut self, inbound: &Inbound, limits: &CoreLimits, atom: usize) {
        let Some(at) = self.atoms.iter().position(|&own| own as usize == atom) else { return };
        self.atoms.remove(at);
        let model = &limits.synapse_memory;
        let before = self.neurons;
        self.neurons = before.saturating_sub(inbound.neurons[atom]);
        for (input, synapses) in inbound.of_atom(atom) {
            let Entry::Occupied(mut entry) = self.inputs.entry(input) else { continue };
            let count = *entry.get();
            let left = count.saturating_sub(synapses);
            let list = |n: u32| inbound.list_bits(model, input, n, before);
            self.memory = self.memory.saturating_sub(list(count));
            if left == 0 {
                entry.remove();
                self.axons -= u64::from(inbound.group(input).weight);
            } else {
                *entry.get_mut() = left;
                self.memory = self.memory.saturating_add(list(left));
            }
        }
        let (block, bits) = inbound.kernels(atom);
        if let Some(users) = self.kernels.get_mut(&block) {
            *users -= 1;
            if *users == 0 {
                self.kernels.remove(&block);
                self.memory = self.memory.saturating_sub(bits);
            }
        }
        if model.index_width(before) != model.index_width(self.neurons) {
            self.memory = self.memory_at(inbound, limits, self.neurons);
        }
    }

    /// Takes other atoms with the same neurons and inputs for those that are there.
    pub(super) fn replace_atoms(&mut self, inbound: &Inbound, atoms: Vec<u32>) {
        self.kernels.clear();
        for &atom in &atoms {
            *self.kernels.entry(inbound.kernels(atom as usize).0).or_default() += 1;
        }
        self.atoms = atoms;
    }
}
