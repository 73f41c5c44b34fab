//! The mapper's limits from a chip description.

use super::limits::{CoreLimits, Resource, SynapseMemoryModel};
use crate::chip::{ChipSpec, Sourced, SynapseBlock};

/// Word of shared kernels that is assumed where a chip's is not published (bits); an inference from
/// compiler logs of convolution layers on Loihi 2 (see [`SynapseMemoryModel`]).
pub const ASSUMED_WORD_BITS: u32 = 128;

/// Packing that is assumed where a chip's is not published: Loihi 1's as nengo-loihi 1.1.0 counts
/// it (at most 64 synapses a block, 10 header bits, blocks rounded up to 64 bits).
const ASSUMED_BLOCK: SynapseBlock =
    SynapseBlock { max_synapses: 64, header_bits: 10, round_to_bits: 64 };

/// Bits of a convolution weight: what Lava's netx format stores.
const CONVOLUTION_WEIGHT_BITS: u32 = 8;

/// A figure without which a network cannot be mapped is not in a chip's description.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "chip '{chip}' states no {figure}; networks cannot be mapped without it: add it to the description"
)]
pub struct MissingFigure {
    /// Name of the chip.
    pub chip: String,
    /// Field of the description.
    pub figure: &'static str,
}

impl CoreLimits {
    /// Reads the limits of a chip, planning with its budget figures where it has some.
    ///
    /// # Errors
    /// [`MissingFigure`] where cores, neurons a core or the mesh are unknown. Any other unknown
    /// figure stays unknown and does not limit.
    pub fn of_chip(chip: &ChipSpec) -> Result<Self, MissingFigure> {
        let missing = |figure| MissingFigure { chip: chip.name.clone(), figure };
        let mesh = chip.mesh.as_ref().ok_or_else(|| missing("mesh"))?.value;
        let synapse_memory = memory_model(chip);
        let counted_in_words = chip
            .synapse_words_per_core
            .as_ref()
            .map(|words| u64::from(words.value).saturating_mul(word_bits(chip).into()));
        Ok(Self {
            chip: chip.name.clone(),
            cores: chip.plannable_cores().ok_or_else(|| missing("cores_per_chip_max"))?,
            neurons_per_core: chip
                .plannable_neurons_per_core()
                .ok_or_else(|| missing("neurons_per_core_max"))?,
            neuron_groups: chip.neuron_groups_per_core.as_ref().map(|f| f.value),
            input_axons: chip.in_axons_per_core.as_ref().map(|f| f.value),
            output_axons: chip.out_axons_per_core.as_ref().map(|f| f.value),
            axon_map_entries: chip.axon_map_entries_per_core.as_ref().map(|f| f.value),
            synapse_memory_bits: chip
                .synapse_memory_bits_per_core
                .as_ref()
                .map(|f| f.value)
                .or(counted_in_words),
            synapse_memory,
            mesh_columns: mesh.columns,
            mesh_rows: mesh.rows,
            cores_per_router: mesh.cores_per_router,
        })
    }
}

/// Where the limit of a resource comes from, as `evidence: source`; `None` where it is unknown.
pub fn limit_source(chip: &ChipSpec, resource: Resource) -> Option<String> {
    fn line<T>(figure: &Option<Sourced<T>>) -> Option<String> {
        figure.as_ref().map(|figure| format!("{}: {}", figure.evidence, figure.source))
    }
    match resource {
        Resource::Neurons => {
            line(&chip.neurons_per_core_budget).or_else(|| line(&chip.neurons_per_core_max))
        }
        Resource::NeuronGroups => line(&chip.neuron_groups_per_core),
        Resource::InputAxons => line(&chip.in_axons_per_core),
        Resource::OutputAxons => line(&chip.out_axons_per_core),
        Resource::AxonMapEntries => line(&chip.axon_map_entries_per_core),
        Resource::SynapseMemory => {
            line(&chip.synapse_memory_bits_per_core).or_else(|| line(&chip.synapse_words_per_core))
        }
    }
}

impl TryFrom<&ChipSpec> for CoreLimits {
    type Error = MissingFigure;

    fn try_from(chip: &ChipSpec) -> Result<Self, Self::Error> {
        Self::of_chip(chip)
    }
}

/// The published rule for synapse lists, or the inferred one where a chip has none.
fn memory_model(chip: &ChipSpec) -> SynapseMemoryModel {
    let index_bits = chip.synapse_index_bits.as_ref().map(|f| &f.value[..]).unwrap_or(&[]);
    let most_steps = chip.delay_steps_max.as_ref().map_or(0, |steps| steps.value);
    let block = chip.synapse_block.as_ref();
    let SynapseBlock { max_synapses, header_bits, round_to_bits } =
        block.map_or(ASSUMED_BLOCK, |block| block.value);
    let word = word_bits(chip);
    SynapseMemoryModel {
        basis: match block {
            Some(block) => format!("{}: {}", block.evidence, block.source),
            None => format!(
                "inference: lists packed as on Loihi 1, shared kernels stored once a slice in \
                 words of {word} bits"
            ),
        },
        synapses_per_block: Some(max_synapses),
        header_bits,
        round_to_bits,
        index_bits: index_bits.iter().map(|&bits| bits.into()).collect(),
        sparse_stores_index: true,
        delay_bits: u32::BITS - most_steps.leading_zeros(),
        tag_bits: 0,
        convolution_weight_bits: CONVOLUTION_WEIGHT_BITS,
        kernel_word_bits: if block.is_some() { None } else { Some(word) },
    }
}

/// Bits of a word of synapse memory.
fn word_bits(chip: &ChipSpec) -> u32 {
    chip.synapse_word_bits.as_ref().map_or(ASSUMED_WORD_BITS, |bits| bits.value)
}
