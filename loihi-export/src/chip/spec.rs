//! What a chip can hold: one value that quantiser, emulator, budget and checker read.

use serde::{Deserialize, Serialize};

use super::arithmetic::{Arithmetic, CurrentOverflow, Truncation};
use super::profile::Profile;
use super::sourced::{Figure, Sourced};
use indexmap::IndexMap;

/// A chip's description. A figure that nobody has published is `None`, never zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChipSpec {
    /// Registry name, e.g. `loihi2`.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// Date of the description; reports carry it so that a result can be traced.
    pub revision: String,
    /// What a reader of a mapping to this chip has to know: what the mapper does not model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping_note: Option<String>,
    /// Neuron cores that exist on one chip.
    pub cores_per_chip_max: Option<Sourced<u32>>,
    /// Neuron cores that a mapping should plan with.
    pub cores_per_chip_budget: Option<Sourced<u32>>,
    /// Neurons a core can hold at most, with the smallest state.
    pub neurons_per_core_max: Option<Sourced<u32>>,
    /// Neurons a core holds for leaky integrate-and-fire programs.
    pub neurons_per_core_budget: Option<Sourced<u32>>,
    /// Neurons of a whole chip as published.
    pub neurons_per_chip_max: Option<Sourced<u64>>,
    /// Synapses of a whole chip as published.
    pub synapses_per_chip_max: Option<Sourced<u64>>,
    /// Synapse memory of a core in bits.
    pub synapse_memory_bits_per_core: Option<Sourced<u64>>,
    /// Synapse memory of a core in words, as the vendor's compiler counts it.
    pub synapse_words_per_core: Option<Sourced<u32>>,
    /// Size of such a word in bits.
    pub synapse_word_bits: Option<Sourced<u32>>,
    /// How synapses are packed into words.
    pub synapse_block: Option<Sourced<SynapseBlock>>,
    /// Sizes that a target index may have in a synapse in bits; 0 is a dense list without indices.
    pub synapse_index_bits: Option<Sourced<Vec<u8>>>,
    /// Axons that may enter a core.
    pub in_axons_per_core: Option<Sourced<u32>>,
    /// Axons that may leave a core, one for each core-to-core edge of a neuron.
    pub out_axons_per_core: Option<Sourced<u32>>,
    /// Entries of a core's table from axons to synapse lists.
    pub axon_map_entries_per_core: Option<Sourced<u32>>,
    /// Groups of neurons with their own parameters in a core.
    pub neuron_groups_per_core: Option<Sourced<u32>>,
    /// Largest stored weight in bits, sign included.
    pub weight_bits_max: Option<Sourced<u8>>,
    /// Weight sizes that the chip stores in bits.
    pub weight_formats: Option<Sourced<Vec<u8>>>,
    /// Largest additional delay of a synapse in steps.
    pub delay_steps_max: Option<Sourced<u32>>,
    /// Additional delay that is always available in steps.
    pub delay_steps_guaranteed: Option<Sourced<u32>>,
    /// Largest payload of a graded spike in bits; absent where spikes are binary.
    pub graded_spike_bits_max: Option<Sourced<u8>>,
    /// Routers and the cores on each.
    pub mesh: Option<Sourced<Mesh>>,
    /// Widths of the integrate-and-fire fields.
    #[serde(default)]
    pub neuron_fields: NeuronFields,
    /// Where integer arithmetic of emulators of this chip differs.
    pub arithmetic: Arithmetic,
    /// Boards and machines and how many chips each has.
    pub systems: Option<Sourced<Vec<System>>>,
    /// What operations cost, by the name of the profile; empty where nothing is published.
    #[serde(default)]
    pub profiles: IndexMap<String, Profile>,
    /// Further published figures that no stage computes with; units are in the names.
    #[serde(default)]
    pub other: IndexMap<String, Sourced<toml::Value>>,
}

/// How synapses of one axon are packed: blocks with a header, each block rounded up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SynapseBlock {
    /// Synapses in a block at most.
    pub max_synapses: u32,
    /// Bits before the first synapse.
    pub header_bits: u32,
    /// Blocks take a multiple of this in bits.
    pub round_to_bits: u32,
}

/// A grid of routers with the same number of cores on each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mesh {
    /// Routers from west to east.
    pub columns: u32,
    /// Routers from north to south.
    pub rows: u32,
    /// Cores on each router.
    pub cores_per_router: u32,
}

impl Mesh {
    /// All cores of the mesh; saturates.
    pub fn cores(&self) -> u32 {
        self.columns.saturating_mul(self.rows).saturating_mul(self.cores_per_router)
    }
}

/// Widths of the fields of an integrate-and-fire neuron in bits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeuronFields {
    /// Decay of the synaptic current, unsigned.
    pub current_decay_bits: Option<Sourced<u8>>,
    /// Decay of the membrane potential, unsigned.
    pub voltage_decay_bits: Option<Sourced<u8>>,
    /// Threshold mantissa, unsigned; the threshold is the mantissa times 64.
    pub threshold_bits: Option<Sourced<u8>>,
    /// Bias mantissa, signed.
    pub bias_mantissa_bits: Option<Sourced<u8>>,
    /// Bias exponent, unsigned.
    pub bias_exponent_bits: Option<Sourced<u8>>,
    /// Synaptic current and membrane potential, signed.
    pub state_bits: Option<Sourced<u8>>,
}

/// A board or machine of this chip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct System {
    /// Name of the board or machine.
    pub name: String,
    /// Chips on it.
    pub chips: u32,
}

impl ChipSpec {
    /// Cores to plan with: the budget, or what exists where no budget is stated.
    pub fn plannable_cores(&self) -> Option<u32> {
        let figure = self.cores_per_chip_budget.as_ref().or(self.cores_per_chip_max.as_ref());
        figure.map(|cores| cores.value)
    }

    /// Neurons a core to plan with: the budget, or the maximum where no budget is stated.
    pub fn plannable_neurons_per_core(&self) -> Option<u32> {
        let figure = self.neurons_per_core_budget.as_ref().or(self.neurons_per_core_max.as_ref());
        figure.map(|neurons| neurons.value)
    }

    /// The data sheet: every field of the description in order, unknown ones included.
    pub fn figures(&self) -> Vec<Figure> {
        let mut all = self.core_figures();
        all.extend(self.connection_figures());
        all.extend(self.neuron_figures());
        for (name, figure) in &self.other {
            all.push(Figure::new(format!("other.{name}"), "", Some(figure), |v| v.to_string()));
        }
        for (name, profile) in &self.profiles {
            all.extend(profile.figures(name));
        }
        all
    }

    fn core_figures(&self) -> Vec<Figure> {
        let count = |name, unit, field: &Option<Sourced<u32>>| {
            Figure::new(name, unit, field.as_ref(), u32::to_string)
        };
        let large = |name, unit, field: &Option<Sourced<u64>>| {
            Figure::new(name, unit, field.as_ref(), u64::to_string)
        };
        vec![
            count("cores_per_chip_max", "cores", &self.cores_per_chip_max),
            count("cores_per_chip_budget", "cores", &self.cores_per_chip_budget),
            count("neurons_per_core_max", "neurons", &self.neurons_per_core_max),
            count("neurons_per_core_budget", "neurons", &self.neurons_per_core_budget),
            large("neurons_per_chip_max", "neurons", &self.neurons_per_chip_max),
            large("synapses_per_chip_max", "synapses", &self.synapses_per_chip_max),
            large("synapse_memory_bits_per_core", "bit", &self.synapse_memory_bits_per_core),
            count("synapse_words_per_core", "words", &self.synapse_words_per_core),
            count("synapse_word_bits", "bit", &self.synapse_word_bits),
            Figure::new("synapse_block", "", self.synapse_block.as_ref(), |block| {
                format!(
                    "{} synapses, {} header bits, rounded to {} bits",
                    block.max_synapses, block.header_bits, block.round_to_bits
                )
            }),
            Figure::new("synapse_index_bits", "bit", self.synapse_index_bits.as_ref(), |v| list(v)),
            Figure::new("mesh", "", self.mesh.as_ref(), |mesh| {
                format!("{}×{} routers × {} cores", mesh.columns, mesh.rows, mesh.cores_per_router)
            }),
            Figure::new("systems", "chips", self.systems.as_ref(), |systems| {
                let each: Vec<_> =
                    systems.iter().map(|s| format!("{} {}", s.name, s.chips)).collect();
                each.join(", ")
            }),
        ]
    }

    fn connection_figures(&self) -> Vec<Figure> {
        let count = |name, unit, field: &Option<Sourced<u32>>| {
            Figure::new(name, unit, field.as_ref(), u32::to_string)
        };
        vec![
            count("in_axons_per_core", "axons", &self.in_axons_per_core),
            count("out_axons_per_core", "axons", &self.out_axons_per_core),
            count("axon_map_entries_per_core", "entries", &self.axon_map_entries_per_core),
            count("neuron_groups_per_core", "groups", &self.neuron_groups_per_core),
            bits("weight_bits_max", &self.weight_bits_max),
            Figure::new("weight_formats", "bit", self.weight_formats.as_ref(), |v| list(v)),
            count("delay_steps_max", "steps", &self.delay_steps_max),
            count("delay_steps_guaranteed", "steps", &self.delay_steps_guaranteed),
            bits("graded_spike_bits_max", &self.graded_spike_bits_max),
        ]
    }

    fn neuron_figures(&self) -> Vec<Figure> {
        let fields = &self.neuron_fields;
        vec![
            bits("neuron_fields.current_decay_bits", &fields.current_decay_bits),
            bits("neuron_fields.voltage_decay_bits", &fields.voltage_decay_bits),
            bits("neuron_fields.threshold_bits", &fields.threshold_bits),
            bits("neuron_fields.bias_mantissa_bits", &fields.bias_mantissa_bits),
            bits("neuron_fields.bias_exponent_bits", &fields.bias_exponent_bits),
            bits("neuron_fields.state_bits", &fields.state_bits),
            Figure::new(
                "arithmetic.mixed_sign_truncation",
                "",
                Some(&self.arithmetic.mixed_sign_truncation),
                |truncation| match truncation {
                    Truncation::Floor => "floor".to_owned(),
                    Truncation::TowardZero => "toward zero".to_owned(),
                },
            ),
            Figure::new(
                "arithmetic.current_overflow",
                "",
                self.arithmetic.current_overflow.as_ref(),
                |overflow| match overflow {
                    CurrentOverflow::WrapOnce => "wraps once".to_owned(),
                    CurrentOverflow::TwosComplement => "two's complement".to_owned(),
                    CurrentOverflow::Saturate => "saturates".to_owned(),
                },
            ),
            bits("arithmetic.accumulator_bits", &self.arithmetic.accumulator_bits),
        ]
    }
}

fn bits(name: &'static str, field: &Option<Sourced<u8>>) -> Figure {
    Figure::new(name, "bit", field.as_ref(), u8::to_string)
}

fn list(values: &[u8]) -> String {
    values.iter().map(u8::to_string).collect::<Vec<_>>().join(", ")
}
