//! What one core can hold, as the mapping stages see it.

use serde::{Deserialize, Serialize};

/// A resource of a core that slices use up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// Neurons (compartments).
    Neurons,
    /// Neuron groups: slices on the core.
    NeuronGroups,
    /// Input axons: distinct (projection, source neuron, target slice).
    InputAxons,
    /// Output axons: distinct (projection, source neuron, target slice).
    OutputAxons,
    /// Axon map entries: neurons that send spikes.
    AxonMapEntries,
    /// Synapse memory (bits).
    SynapseMemory,
}

impl Resource {
    /// All resources in the order of reports.
    pub const ALL: [Self; 6] = [
        Self::Neurons,
        Self::NeuronGroups,
        Self::InputAxons,
        Self::OutputAxons,
        Self::AxonMapEntries,
        Self::SynapseMemory,
    ];

    /// The name in reports and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Neurons => "neurons",
            Self::NeuronGroups => "neuron groups",
            Self::InputAxons => "input axons",
            Self::OutputAxons => "output axons",
            Self::AxonMapEntries => "axon map entries",
            Self::SynapseMemory => "synapse memory bits",
        }
    }

    /// The name in machine-readable output: the one that serde writes.
    pub fn key(self) -> &'static str {
        match self {
            Self::Neurons => "neurons",
            Self::NeuronGroups => "neuron_groups",
            Self::InputAxons => "input_axons",
            Self::OutputAxons => "output_axons",
            Self::AxonMapEntries => "axon_map_entries",
            Self::SynapseMemory => "synapse_memory",
        }
    }

    /// What helps when this resource is short.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Neurons | Self::NeuronGroups => "use fewer neurons or a chip with larger cores",
            Self::InputAxons => {
                "prune the neuron's inputs, use fewer source neurons or a larger chip"
            }
            Self::OutputAxons => {
                "prune the source's projections, use fewer target neurons or fewer weight bits so \
                 that targets need fewer cores, or a larger chip"
            }
            Self::AxonMapEntries => "use fewer sending neurons or a larger chip",
            Self::SynapseMemory => "use fewer weight bits, prune synapses or use a larger chip",
        }
    }
}

impl std::fmt::Display for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Limits of a core and of the mesh that the cores form.
///
/// `None` is *unknown*: it does not limit the mapping, and the budget reports it as unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoreLimits {
    /// Name of the chip.
    pub chip: String,
    /// Cores of a chip that may be used.
    pub cores: u32,
    /// Neurons of a core.
    pub neurons_per_core: u32,
    /// Neuron groups of a core.
    pub neuron_groups: Option<u32>,
    /// Input axons of a core.
    pub input_axons: Option<u32>,
    /// Output axons of a core.
    pub output_axons: Option<u32>,
    /// Axon map entries of a core; that a sending neuron takes one is inferred from compiler logs.
    pub axon_map_entries: Option<u32>,
    /// Synapse memory of a core (bits).
    pub synapse_memory_bits: Option<u64>,
    /// What a synapse list takes of that memory.
    pub synapse_memory: SynapseMemoryModel,
    /// Columns of a chip's mesh of routers.
    pub mesh_columns: u32,
    /// Rows of a chip's mesh of routers.
    pub mesh_rows: u32,
    /// Cores that hang on one router.
    pub cores_per_router: u32,
}

impl CoreLimits {
    /// The limit of one resource of a core; `None` where it is unknown.
    pub fn limit(&self, resource: Resource) -> Option<u64> {
        match resource {
            Resource::Neurons => Some(self.neurons_per_core.into()),
            Resource::NeuronGroups => self.neuron_groups.map(u64::from),
            Resource::InputAxons => self.input_axons.map(u64::from),
            Resource::OutputAxons => self.output_axons.map(u64::from),
            Resource::AxonMapEntries => self.axon_map_entries.map(u64::from),
            Resource::SynapseMemory => self.synapse_memory_bits,
        }
    }

    /// Limits that are not known.
    pub fn unknown(&self) -> Vec<Resource> {
        Resource::ALL.into_iter().filter(|&resource| self.limit(resource).is_none()).collect()
    }
}

/// What a synapse list takes of a core's synapse memory.
///
/// A list of n synapses is stored in blocks of at most `synapses_per_block`; a block of m synapses
/// takes `m · bits_per_synapse + header_bits`, rounded up to a multiple of `round_to_bits`.
///
/// * Loihi 1 (blocks of 64, header 10, rounded to 64): the rule that nengo-loihi 1.1.0 computes
///   (`SynapseConfig.bits_per_axon`); compared with that tool's output to the bit in the tests.
///   Convolution lists are counted unshared, which is an upper bound: the chip can share them
///   through population axons under conditions that are not modelled.
/// * Loihi 2: an inference, never to be printed as measured. Dense and sparse lists are counted by
///   Loihi 1's rule, since no rule is published. Shared kernels are stored once a slice: published
///   compiler logs of convolution layers fit `words = kernel taps · source channels · (1 + ⌈target
///   channels · bits / word⌉)` with words of 128 bits; dense layers of those logs do not fit that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SynapseMemoryModel {
    /// Where the rule comes from, for reports (`nengo-loihi source`, `inference`).
    pub basis: String,
    /// Synapses of a block at most; `None` for one block however long.
    pub synapses_per_block: Option<u32>,
    /// Bits of a block's header.
    pub header_bits: u32,
    /// A block's size is a multiple of this (bits).
    pub round_to_bits: u32,
    /// Widths that a target index may have, ascending; empty for any width.
    pub index_bits: Vec<u32>,
    /// Whether synapses of listed (sparse) projections store their target's index. Without, as
    /// nengo-loihi counts, the figure is a lower bound.
    pub sparse_stores_index: bool,
    /// Bits of a stored delay; projections without additional delay store none.
    pub delay_bits: u32,
    /// Bits of a learning tag stored with each synapse.
    pub tag_bits: u32,
    /// Bits of a convolution weight.
    pub convolution_weight_bits: u32,
    /// Where a slice stores a convolution's kernel once: the word (bits) of its lists, one for each
    /// kernel element and source channel, of a header word and whole words of weights. `None` where
    /// each source neuron has a list of its own.
    pub kernel_word_bits: Option<u32>,
}

impl SynapseMemoryModel {
    /// Bits of one synapse list; saturates.
    pub fn list_bits(&self, synapses: u64, bits_per_synapse: u32) -> u64 {
        if synapses == 0 {
            return 0;
        }
        let block = u64::from(self.synapses_per_block.unwrap_or(u32::MAX).max(1));
        let block_bits = |count: u64| -> u64 {
            let bits = count.saturating_mul(bits_per_synapse.into());
            let bits = bits.saturating_add(self.header_bits.into());
            let unit = u64::from(self.round_to_bits.max(1));
            bits.div_ceil(unit).saturating_mul(unit)
        };
        let rest = synapses % block;
        let full = (synapses / block).saturating_mul(block_bits(block));
        if rest == 0 { full } else { full.saturating_add(block_bits(rest)) }
    }

    /// Bits of one list of a shared kernel with words of `word` bits; saturates.
    pub fn kernel_list_bits(weights: u64, bits_per_synapse: u32, word: u32) -> u64 {
        let word = u64::from(word.max(1));
        let words = weights.saturating_mul(bits_per_synapse.into()).div_ceil(word);
        words.saturating_add(1).saturating_mul(word)
    }

    /// Bits of a target index in a slice of `length` neurons.
    pub fn index_width(&self, length: u32) -> u32 {
        let needed = u32::BITS - length.saturating_sub(1).leading_zeros();
        self.index_bits
            .iter()
            .copied()
            .find(|&width| width >= needed)
            .unwrap_or_else(|| needed.max(self.index_bits.last().copied().unwrap_or(0)))
    }
}
