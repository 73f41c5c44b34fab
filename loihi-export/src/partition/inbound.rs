//! What the neurons of a population receive, as a hypergraph: who shares which inputs.
//!
//! Vertices are *atoms*, neurons that are never cut apart: one neuron, or all channels of a block at
//! one pixel of a picture, which receive the same inputs and share kernels. Hyperedges are *inputs*:
//! source neurons that reach the same atoms and count as one axon each. The axons that a core takes
//! are then the summed weights of the distinct inputs of its atoms, exactly.

use crate::mapping::limits::{CoreLimits, SynapseMemoryModel};
use crate::mapping::reach::bits_per_synapse;
use crate::mapping::usage::sends;
use crate::quantise::network::{Connection, QuantisedNetwork, QuantisedProjection};
use sim_core::network::Convolution;
use std::ops::Range;

/// How the neurons of a population are grouped into atoms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Atoms {
    /// Pixels of a channel; 1 for a list.
    pixels: u32,
    /// Channels of an atom; 1 for a list.
    channels: u32,
    /// Neurons of the population.
    size: u32,
}

impl Atoms {
    /// The coarsest atoms that suit what arrives at a population and of which one fits a core.
    pub(super) fn of(network: &QuantisedNetwork, limits: &CoreLimits, population: usize) -> Self {
        let described = network.populations.get(population);
        let size = described.map_or(0, |p| u32::try_from(p.shape.size()).unwrap_or(u32::MAX));
        let single = Self { pixels: size.max(1), channels: 1, size };
        let arriving = || network.projections.iter().filter(move |p| p.target == population);
        let Some(geometry) = arriving().find_map(|p| match &p.connection {
            Connection::Convolution { geometry, .. } => Some(geometry),
            _ => None,
        }) else {
            return single;
        };
        let [channels, height, width] = geometry.target;
        let per_group = (channels / geometry.groups.max(1)).max(1);
        let mut atoms =
            Self { pixels: height.saturating_mul(width).max(1), channels: per_group, size };
        if arriving().any(|p| matches!(p.connection, Connection::Sparse { .. })) {
            // neurons of a pixel do not receive the same then; each uses its channel's kernels
            return Self { channels: 1, ..atoms };
        }
        // Half a core at most, so that a tile may have more than one pixel.
        let room = (limits.neurons_per_core / 2).max(1);
        while atoms.channels > 1
            && (atoms.channels > room
                || kernels_too_large(network, limits, population, atoms.channels))
        {
            atoms.channels = largest_divisor_below(per_group, atoms.channels);
        }
        atoms
    }

    /// Number of atoms.
    pub(super) fn count(&self) -> u32 {
        let blocks = self.size.div_ceil(self.pixels.saturating_mul(self.channels).max(1));
        blocks.saturating_mul(self.pixels).min(self.size)
    }

    /// The neurons of an atom.
    pub(super) fn neurons(self, atom: u32) -> impl Iterator<Item = u32> {
        let (block, pixel) = (atom / self.pixels, atom % self.pixels);
        let first = block * self.channels;
        (first..first + self.channels)
            .map(move |channel| channel * self.pixels + pixel)
            .filter(move |&neuron| neuron < self.size)
    }

    /// Which kernels an atom uses: its block of channels.
    fn block(self, atom: u32) -> u32 {
        atom / self.pixels
    }
}

/// The largest divisor of `whole` below `than`; 1 at the least.
fn largest_divisor_below(whole: u32, than: u32) -> u32 {
    (1..than).rev().find(|divisor| whole.is_multiple_of(*divisor)).unwrap_or(1)
}

/// Whether shared kernels of so many channels take more than half a core's synapse memory.
fn kernels_too_large(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
    population: usize,
    channels: u32,
) -> bool {
    let Some(memory) = limits.synapse_memory_bits else { return false };
    let arriving = network.projections.iter().filter(|p| p.target == population);
    let bits = arriving.map(|p| kernel_bits(p, &limits.synapse_memory, channels));
    bits.fold(0u64, u64::saturating_add) > memory / 2
}

/// Memory of a convolution's shared kernels for so many channels of one group; 0 where kernels are
/// not shared.
fn kernel_bits(projection: &QuantisedProjection, model: &SynapseMemoryModel, channels: u32) -> u64 {
    let (Connection::Convolution { geometry, .. }, Some(word)) =
        (&projection.connection, model.kernel_word_bits)
    else {
        return 0;
    };
    let lists = u64::from(geometry.source[0] / geometry.groups.max(1))
        .saturating_mul(geometry.kernel[0].into())
        .saturating_mul(geometry.kernel[1].into());
    let bits = bits_per_synapse(projection, model, 1);
    lists.saturating_mul(SynapseMemoryModel::kernel_list_bits(channels.into(), bits, word))
}

/// One projection's inputs.
#[derive(Debug, Clone)]
pub(super) struct InputGroup {
    /// First input of the projection.
    first: u32,
    /// Source neurons behind each of its inputs.
    pub(super) weight: u32,
    /// Bits of a stored synapse without its index.
    bits: u32,
    /// Whether synapses store an index.
    indexed: bool,
    /// Memory of shared kernels for one block of channels; lists then take none.
    kernel_bits: Option<u64>,
    /// Index of the projection.
    pub(super) projection: usize,
}

/// The inputs of a range of atoms of one population.
#[derive(Debug, Clone)]
pub(super) struct Inbound {
    /// First atom of the population that is described here.
    pub(super) first_atom: u32,
    /// Neurons of each atom.
    pub(super) neurons: Vec<u32>,
    /// Blocks of channels whose kernels an atom needs: those of its first atom (blocks are equal
    /// within an atom of any level).
    blocks: Vec<u32>,
    /// Whether neurons take axon map entries.
    pub(super) sends: bool,
    /// Inputs of each atom: `inputs[offsets[a]..offsets[a + 1]]`, ascending.
    pub(super) offsets: Vec<usize>,
    pub(super) inputs: Vec<u32>,
    /// Synapses that one source neuron of the input has on the atom.
    pub(super) synapses: Vec<u32>,
    /// Projections, by ascending first input.
    pub(super) groups: Vec<InputGroup>,
    /// Number of inputs.
    pub(super) input_count: u32,
}

impl Inbound {
    /// Describes the atoms `range` of a population.
    pub(super) fn new(
        network: &QuantisedNetwork,
        limits: &CoreLimits,
        population: usize,
        atoms: Atoms,
        range: Range<u32>,
    ) -> Self {
        let model = &limits.synapse_memory;
        let mut groups = Vec::new();
        let mut input_count = 0u32;
        for (projection, described) in network.projections.iter().enumerate() {
            if described.target != population {
                continue;
            }
            let size = network.populations.get(described.source).map_or(0, |p| p.shape.size());
            let size = u32::try_from(size).unwrap_or(u32::MAX);
            let (count, weight) = match &described.connection {
                Connection::Dense { .. } => (1, size),
                Connection::Sparse { .. } => (size, 1),
                Connection::Convolution { geometry, .. } => {
                    let pixels = geometry.source[1].saturating_mul(geometry.source[2]);
                    let groups = geometry.groups.max(1);
                    (pixels.saturating_mul(groups), geometry.source[0] / groups)
                }
            };
            let shared = kernel_bits(described, model, atoms.channels);
            groups.push(InputGroup {
                first: input_count,
                weight,
                bits: bits_per_synapse(described, model, 1) - index_bits(described, model, 1),
                indexed: index_bits(described, model, u32::MAX) > 0,
                kernel_bits: (shared > 0).then_some(shared),
                projection,
            });
            input_count = input_count.saturating_add(count);
        }
        let mut inbound = Self {
            first_atom: range.start,
            neurons: range.clone().map(|atom| atoms.neurons(atom).count() as u32).collect(),
            blocks: range.clone().map(|atom| atoms.block(atom)).collect(),
            sends: sends(network, population),
            offsets: vec![0],
            inputs: Vec::new(),
            synapses: Vec::new(),
            groups,
            input_count,
        };
        let mut own: Vec<(u32, u32)> = Vec::new();
        for atom in range {
            own.clear();
            for group in &inbound.groups {
                if let Some(projection) = network.projections.get(group.projection) {
                    inputs_of_atom(projection, group.first, atoms, atom, &mut own);
                }
            }
            own.sort_unstable();
            for same in own.chunk_by(|a, b| a.0 == b.0) {
                inbound.inputs.push(same[0].0);
                inbound.synapses.push(same.iter().fold(0, |sum, s| sum.saturating_add(s.1)));
            }
            inbound.offsets.push(inbound.inputs.len());
        }
        inbound
    }

    /// Number of atoms.
    pub(super) fn len(&self) -> usize {
        self.neurons.len()
    }

    /// Inputs of an atom with the synapses that each of their neurons has.
    pub(super) fn of_atom(&self, atom: usize) -> impl ExactSizeIterator<Item = (u32, u32)> + '_ {
        let range = self.offsets[atom]..self.offsets[atom + 1];
        self.inputs[range.clone()].iter().copied().zip(self.synapses[range].iter().copied())
    }

    /// The projection that an input belongs to.
    pub(super) fn group(&self, input: u32) -> &InputGroup {
        let at = self.groups.partition_point(|group| group.first <= input);
        &self.groups[at.saturating_sub(1)]
    }

    /// The source neurons of an input: (projection, first index within the projection).
    pub(super) fn within_projection(&self, input: u32) -> (usize, u32) {
        let group = self.group(input);
        (group.projection, input - group.first)
    }

    /// Memory of an input whose neurons have `synapses` each, in a slice of `length` neurons.
    pub(super) fn list_bits(
        &self,
        model: &SynapseMemoryModel,
        input: u32,
        synapses: u32,
        length: u32,
    ) -> u64 {
        let group = self.group(input);
        if group.kernel_bits.is_some() {
            return 0;
        }
        let index = if group.indexed { model.index_width(length) } else { 0 };
        let list = model.list_bits(synapses.into(), group.bits.saturating_add(index));
        list.saturating_mul(group.weight.into())
    }

    /// Shared kernels that an atom needs, and their memory.
    pub(super) fn kernels(&self, atom: usize) -> (u32, u64) {
        let bits = self.groups.iter().filter_map(|group| group.kernel_bits);
        (self.blocks[atom], bits.fold(0, u64::saturating_add))
    }

    /// Where each input's atoms begin in a list of all, in the order of inputs.
    pub(super) fn input_offsets(&self) -> Vec<usize> {
        let mut offsets = vec![0usize; self.input_count as usize + 1];
        for &input in &self.inputs {
            offsets[input as usize + 1] += 1;
        }
        for index in 1..offsets.len() {
            offsets[index] += offsets[index - 1];
        }
        offsets
    }

    /// Atoms of each input: (offsets, atoms), the transpose.
    pub(super) fn by_input(&self) -> (Vec<usize>, Vec<u32>) {
        let offsets = self.input_offsets();
        let mut next = offsets.clone();
        let mut atoms = vec![0u32; self.inputs.len()];
        for atom in 0..self.len() {
            for &input in &self.inputs[self.offsets[atom]..self.offsets[atom + 1]] {
                atoms[next[input as usize]] = atom as u32;
                next[input as usize] += 1;
            }
        }
        (offsets, atoms)
    }

    /// The same inputs with atoms merged: atom `i` becomes part of `into[i]`.
    pub(super) fn merged(&self, into: &[u32], count: usize) -> Self {
        let mut members: Vec<Vec<u32>> = vec![Vec::new(); count];
        for (atom, &to) in (0u32..).zip(into) {
            members[to as usize].push(atom);
        }
        let mut merged = Self {
            neurons: Vec::with_capacity(count),
            blocks: Vec::with_capacity(count),
            offsets: vec![0],
            inputs: Vec::new(),
            synapses: Vec::new(),
            groups: self.groups.clone(),
            ..*self
        };
        let mut own: Vec<(u32, u32)> = Vec::new();
        for atoms in &members {
            own.clear();
            for &atom in atoms {
                own.extend(self.of_atom(atom as usize));
            }
            own.sort_unstable();
            for same in own.chunk_by(|a, b| a.0 == b.0) {
                merged.inputs.push(same[0].0);
                merged.synapses.push(same.iter().fold(0, |sum, s| sum.saturating_add(s.1)));
            }
            merged.offsets.push(merged.inputs.len());
            let neurons = atoms.iter().map(|&atom| self.neurons[atom as usize]);
            merged.neurons.push(neurons.fold(0, u32::saturating_add));
            merged.blocks.push(atoms.first().map_or(0, |&atom| self.blocks[atom as usize]));
        }
        merged
    }

    /// Whether two atoms use the same kernels, so that they may be merged.
    pub(super) fn same_kernels(&self, a: usize, b: usize) -> bool {
        self.blocks[a] == self.blocks[b]
    }
}

/// Bits that a synapse spends on its target's index.
fn index_bits(projection: &QuantisedProjection, model: &SynapseMemoryModel, length: u32) -> u32 {
    match &projection.connection {
        Connection::Dense { .. } => 0,
        Connection::Sparse { .. } if !model.sparse_stores_index => 0,
        Connection::Convolution { .. } if model.kernel_word_bits.is_some() => 0,
        _ => model.index_width(length),
    }
}

/// Adds (input, synapses of each of its neurons) of one projection and atom.
fn inputs_of_atom(
    projection: &QuantisedProjection,
    first: u32,
    atoms: Atoms,
    atom: u32,
    found: &mut Vec<(u32, u32)>,
) {
    match &projection.connection {
        Connection::Dense { .. } => found.push((first, atoms.neurons(atom).count() as u32)),
        Connection::Sparse { targets, sources, .. } => {
            for neuron in atoms.neurons(atom) {
                let start = targets.partition_point(|&target| target < neuron);
                let own = targets[start..].iter().zip(&sources[start..]);
                found.extend(
                    own.take_while(|(target, _)| **target == neuron)
                        .map(|(_, &source)| (first + source, 1)),
                );
            }
        }
        Connection::Convolution { geometry, .. } => {
            for neuron in atoms.neurons(atom) {
                window(geometry, neuron, |group, pixel, pixels| {
                    found.push((first + group * pixels + pixel, 1));
                });
            }
        }
    }
}

/// Visits the source pixels of a target neuron: (group, pixel, pixels of a channel).
pub(super) fn window(geometry: &Convolution, neuron: u32, mut visit: impl FnMut(u32, u32, u32)) {
    let [channels, height, width] = geometry.target;
    let target_pixels = height.saturating_mul(width).max(1);
    let group = neuron / target_pixels / (channels / geometry.groups.max(1)).max(1);
    let pixel = neuron % target_pixels;
    let at = [pixel / width.max(1), pixel % width.max(1)];
    let pixels = geometry.source[1].saturating_mul(geometry.source[2]);
    let source = |axis: usize, element: u32| {
        let position = i64::from(at[axis]) * i64::from(geometry.stride[axis])
            + i64::from(element) * i64::from(geometry.dilation[axis])
            - i64::from(geometry.padding[axis]);
        u32::try_from(position).ok().filter(|&p| p < geometry.source[axis + 1])
    };
    for row in (0..geometry.kernel[0]).filter_map(|element| source(0, element)) {
        for column in (0..geometry.kernel[1]).filter_map(|element| source(1, element)) {
            visit(group, row * geometry.source[2] + column, pixels);
        }
    }
}
