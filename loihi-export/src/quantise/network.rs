//! The integer network: what a chip of the Loihi family computes, before it is mapped to cores.
//!
//! A [`QuantisedNetwork`] is a different type from the float description on purpose: nothing is
//! quantised in place, and a float network can never be taken for an integer one.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use sim_core::network::{Convolution, Shape};

/// The longest refractory time of an integrate-and-fire neuron in steps (Loihi 1: 6 bits).
pub const LONGEST_REFRACTORY: i64 = 64;

/// Integer populations and projections with the numbers a chip holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuantisedNetwork {
    /// Name of the network.
    pub name: String,
    /// Name of the chip description that the numbers were made for.
    pub chip: String,
    /// Populations in the order of their first use; inputs come first.
    pub populations: Vec<QuantisedPopulation>,
    /// Projections; sources and targets are indices into `populations`.
    pub projections: Vec<QuantisedProjection>,
}

/// A population of identical integer neurons, or an input that spikes are injected into.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuantisedPopulation {
    /// Name, unique in the network.
    pub name: String,
    /// Arrangement of the neurons.
    pub shape: Shape,
    /// Registry name of the process: `input`, `lif`, …
    pub process: String,
    /// Integer parameters by the names that the process's file documents.
    pub parameters: IndexMap<String, IntegerValues>,
}

/// An integer parameter: one value for the population or one a neuron.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum IntegerValues {
    /// The same value for every neuron.
    One(i64),
    /// One value a neuron.
    PerNeuron(Vec<i64>),
}

/// Integer synapses between two populations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuantisedProjection {
    /// Name, unique in the network.
    pub name: String,
    /// Index of the source population.
    pub source: usize,
    /// Index of the target population.
    pub target: usize,
    /// The weights and how they are laid out.
    pub connection: Connection,
    /// Additional delay in steps; 0 is the one step that every synapse has.
    pub delay: DelaySteps,
    /// Bits of a graded spike's payload; 0 means that any non-zero spike counts one.
    pub message_bits: u8,
    /// Input port of the target's process; 0 for all processes with one port.
    #[serde(default, skip_serializing_if = "is_first_port")]
    pub port: u8,
    /// How the synapses learn; `None` where they stay as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning: Option<LearningRule>,
}

/// A learning rule of a projection: Lava's `Loihi2FLearningRule`, or with a third factor its
/// `Loihi3FLearningRule`.
///
/// The texts are sums of products; [`crate::emulator::learning::rule`] documents their grammar.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LearningRule {
    /// Change of the weight.
    pub dw: Option<String>,
    /// Change of the second tag (Loihi's delay; it does not delay spikes).
    pub dd: Option<String>,
    /// Change of the first tag.
    pub dt: Option<String>,
    /// First trace of the source.
    pub x1: Trace,
    /// Second trace of the source.
    pub x2: Trace,
    /// First trace of the target.
    pub y1: Trace,
    /// Second trace of the target.
    pub y2: Trace,
    /// Third trace of the target.
    pub y3: Trace,
    /// Steps of an epoch.
    pub t_epoch: u32,
    /// Seed of the random rounding.
    pub rng_seed: u64,
    /// What a graded spike does to x1.
    pub graded: GradedTrace,
    /// Index of the population whose spikes count as the targets'; the target itself where none.
    pub post: Option<usize>,
    /// Indices of the populations whose graded spikes are y1, y2 and y3 in every step; the
    /// traces' own impulses and decays have no effect then.
    pub third_factor: Option<[Option<usize>; 3]>,
}

impl Default for LearningRule {
    fn default() -> Self {
        let none = Trace::default();
        Self {
            dw: None,
            dd: None,
            dt: None,
            x1: none,
            x2: none,
            y1: none,
            y2: none,
            y3: none,
            t_epoch: 1,
            rng_seed: 0,
            graded: GradedTrace::RegularImpulse,
            post: None,
            third_factor: None,
        }
    }
}

/// An exponential trace of spikes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// What a spike adds.
    pub impulse: f64,
    /// Time constant of the decay in steps; 0 keeps nothing.
    pub tau: f64,
}

/// What a graded spike does to the trace x1 (Lava's `GradedSpikeCfg`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GradedTrace {
    /// Adds the trace's impulse, whatever the payload.
    #[default]
    RegularImpulse,
    /// Sets the trace to half the payload.
    Overwrite,
    /// Adds half the payload, at most to 127.
    AddWithSaturation,
    /// Adds half the payload, keeps what goes beyond 127, and only then counts as a spike.
    AddWithoutSaturation,
}

/// Files leave the port out where it is the first.
fn is_first_port(port: &u8) -> bool {
    *port == 0
}

/// Additional delay of a projection's synapses in steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum DelaySteps {
    /// The same for all synapses.
    One(u8),
    /// One a synapse, in the order of the weights.
    PerSynapse(Vec<u8>),
}

impl DelaySteps {
    /// The longest delay in steps.
    pub fn longest(&self) -> u64 {
        match self {
            Self::One(delay) => u64::from(*delay),
            Self::PerSynapse(delays) => u64::from(delays.iter().copied().max().unwrap_or(0)),
        }
    }
}

/// Which signs the weights of a projection have; it decides how many bits the magnitude gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignMode {
    /// Both signs.
    Mixed,
    /// No weight below zero.
    Excitatory,
    /// No weight above zero.
    Inhibitory,
}

/// The weights of a projection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Connection {
    /// Every source reaches every target.
    Dense {
        /// Stored weights `[target, source]`, row-major, already shifted left by
        /// `-weight_exponent` where that is negative.
        weights: Vec<i32>,
        /// Signs of the weights.
        sign_mode: SignMode,
        /// Bits that a stored weight keeps: 1 to 8, or 9 where signs are mixed (Lava then keeps
        /// odd weights).
        weight_bits: u8,
        /// The sum of a target's weights is shifted left by this (right where negative).
        weight_exponent: i8,
    },
    /// Shared kernel weights `[out, in / groups, height, width]` (cross-correlation).
    Convolution {
        /// Extents, stride, padding, dilation, groups.
        geometry: Convolution,
        /// Kernel weights, row-major.
        weights: Vec<i32>,
    },
    /// Listed synapses, sorted by (target, source).
    Sparse {
        /// Target neuron of each synapse.
        targets: Vec<u32>,
        /// Source neuron of each synapse.
        sources: Vec<u32>,
        /// Stored weight of each synapse.
        weights: Vec<i32>,
        /// Signs of the weights.
        sign_mode: SignMode,
        /// Bits that a stored weight keeps: 1 to 8, or 9 where signs are mixed (Lava then keeps
        /// odd weights).
        weight_bits: u8,
        /// The sum of a target's weights is shifted left by this (right where negative).
        weight_exponent: i8,
    },
}
