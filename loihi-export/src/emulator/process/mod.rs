//! Neuron processes: what a population computes in a step.
//!
//! To add a process: one file here and one line in [`PROCESSES`].

use std::sync::Arc;

use crate::quantise::network::QuantisedPopulation;

use super::{
    error::EmulatorError, overflow::OverflowCounter, parameters::Parameters, spikes::Spike,
};

pub mod input;
pub mod lif;
pub mod ternary_lif;

/// All processes, in the order in which lists show them.
pub static PROCESSES: &[&ProcessInfo] = &[&input::INFO, &lif::INFO, &ternary_lif::INFO];

/// What a process is and which parameters it has.
#[derive(Debug)]
pub struct ProcessInfo {
    /// Registry name, as populations write it.
    pub name: &'static str,
    /// One sentence for people.
    pub summary: &'static str,
    /// Parameters in the order in which documentation shows them.
    pub parameters: &'static [ParameterInfo],
    /// How populations of this process spike.
    pub(crate) kind: ProcessKind,
}

/// A parameter of a process.
#[derive(Debug)]
pub struct ParameterInfo {
    /// Name, as populations write it; Lava's own where it has one.
    pub name: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// Smallest value that the emulator computes as Lava does.
    pub minimum: i64,
    /// Largest value that the emulator computes as Lava does.
    pub maximum: i64,
    /// Value where none is given; `None` means that one must be given.
    pub default: Option<i64>,
    /// Whether each neuron may have its own value.
    pub per_neuron: bool,
    /// Field of the chip that holds it, if any.
    pub field: Option<ChipField>,
}

/// The chip's field that a parameter is stored in; its width decides what the chip can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChipField {
    /// Decay of the synaptic current: `-1..2^bits`, where -1 means no decay.
    CurrentDecay,
    /// Decay of the membrane potential: `0..=2^bits`.
    VoltageDecay,
    /// Threshold mantissa, unsigned.
    Threshold,
    /// Threshold mantissa of either sign.
    SignedThreshold,
    /// Bias mantissa, signed.
    BiasMantissa,
    /// Bias exponent, unsigned.
    BiasExponent,
}

/// Builds a process from checked parameters.
pub(crate) type BuildProcess =
    fn(&Parameters<'_>, usize) -> Result<Arc<dyn Process>, EmulatorError>;

/// How populations of a process come to spike.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ProcessKind {
    /// Spikes are given by the caller.
    Injected,
    /// Spikes are computed.
    Computed(BuildProcess),
}

/// State of a population: `[neurons]` each.
#[derive(Debug, Clone, Default)]
pub struct NeuronState {
    /// Synaptic current `u`.
    pub current: Vec<i32>,
    /// Membrane potential `v`, in units of 1/64 of the threshold mantissa's.
    pub membrane: Vec<i32>,
}

impl NeuronState {
    /// All zero.
    pub fn zero(neurons: usize) -> Self {
        Self { current: vec![0; neurons], membrane: vec![0; neurons] }
    }

    /// Back to zero, keeping the memory.
    pub fn clear(&mut self) {
        self.current.fill(0);
        self.membrane.fill(0);
    }
}

/// What a population computes in one step.
pub trait Process: std::fmt::Debug + Send + Sync {
    /// One step: takes the synaptic input `[neurons]` of step `time` (counted from 1), updates the
    /// state and appends spikes with ascending neurons.
    fn step(
        &self,
        time: u64,
        input: &[i32],
        state: &mut NeuronState,
        spikes: &mut Vec<Spike>,
        overflows: &mut OverflowCounter,
    );
}

/// The process of a population.
///
/// # Errors
/// [`EmulatorError::UnknownProcess`] with the known names.
pub fn find(population: &QuantisedPopulation) -> Result<&'static ProcessInfo, EmulatorError> {
    PROCESSES.iter().copied().find(|info| info.name == population.process).ok_or_else(|| {
        EmulatorError::UnknownProcess {
            population: population.name.clone(),
            process: population.process.clone(),
            known: PROCESSES.iter().map(|info| info.name).collect(),
        }
    })
}
