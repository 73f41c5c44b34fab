//! Neuron processes: what a population computes in a step.
//!
//! To add a process: one file here and one line in [`PROCESSES`].

use std::sync::Arc;

use crate::quantise::network::QuantisedPopulation;

use super::{
    arithmetic::STATE_BOUND, error::EmulatorError, overflow::OverflowCounter,
    parameters::Parameters, spikes::Spike,
};

pub mod atrlif;
pub mod delta;
pub mod graded_relu_vec;
pub mod graded_vec;
pub mod input;
pub mod lif;
pub mod lif_refractory;
pub mod norm_vec_delay;
pub mod prod_neuron;
pub mod rf;
pub mod rf_iz;
pub mod rf_zero;
pub mod sigma;
pub mod sigma_delta;
pub mod ternary_lif;

/// All processes, in the order in which lists show them.
pub static PROCESSES: &[&ProcessInfo] = &[
    &input::INFO,
    &lif::INFO,
    &lif_refractory::INFO,
    &ternary_lif::INFO,
    &atrlif::INFO,
    &rf::INFO,
    &rf_iz::INFO,
    &rf_zero::INFO,
    &delta::INFO,
    &sigma::INFO,
    &sigma_delta::INFO,
    &graded_vec::INFO,
    &graded_relu_vec::INFO,
    &prod_neuron::INFO,
    &norm_vec_delay::INFO,
];

/// Parameter of processes that a caller may drive instead of other populations.
const DRIVEN: ParameterInfo = ParameterInfo {
    name: "driven",
    meaning: "1 where the caller gives the synaptic input itself, without the step of a synapse",
    minimum: 0,
    maximum: 1,
    default: Some(0),
    per_neuron: false,
    field: None,
};

/// What a process is and which parameters it has.
#[derive(Debug)]
pub struct ProcessInfo {
    /// Registry name, as populations write it.
    pub name: &'static str,
    /// One sentence for people.
    pub summary: &'static str,
    /// Parameters in the order in which documentation shows them.
    pub parameters: &'static [ParameterInfo],
    /// Input ports by Lava's names; projections name them by their index.
    pub ports: &'static [&'static str],
    /// State variables by Lava's names, in the order in which [`NeuronState`] holds them.
    pub variables: &'static [&'static str],
    /// How populations of this process spike.
    pub(crate) kind: ProcessKind,
}

impl ProcessInfo {
    /// Whether a population of these parameters takes its input from the caller.
    ///
    /// # Errors
    /// As [`Parameters::one`].
    pub(crate) fn is_driven(&self, parameters: &Parameters<'_>) -> Result<bool, EmulatorError> {
        let can_be = self.parameters.iter().any(|info| info.name == DRIVEN.name);
        Ok(can_be && parameters.one(DRIVEN.name)? != 0)
    }
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

/// State of a population: `[neurons]` each, in the order of the process's variables.
#[derive(Debug, Clone, Default)]
pub struct NeuronState {
    /// The first variable: the synaptic current `u` of integrate-and-fire neurons.
    pub current: Vec<i32>,
    /// The second: their membrane potential `v`, in units of 1/64 of the threshold mantissa's.
    pub membrane: Vec<i32>,
    /// The third and further ones.
    pub more: Vec<Vec<i32>>,
}

impl NeuronState {
    /// All zero.
    pub fn zero(neurons: usize) -> Self {
        Self { current: vec![0; neurons], membrane: vec![0; neurons], more: Vec::new() }
    }

    /// All zero, with as many variables as given.
    pub fn with_variables(neurons: usize, variables: usize) -> Self {
        let length = |index| if variables > index { neurons } else { 0 };
        let more = vec![vec![0; neurons]; variables.saturating_sub(2)];
        Self { current: vec![0; length(0)], membrane: vec![0; length(1)], more }
    }

    /// A variable by its position in the process's list.
    pub fn variable(&self, index: usize) -> Option<&[i32]> {
        match index {
            0 => Some(&self.current),
            1 => Some(&self.membrane),
            _ => self.more.get(index - 2).map(Vec::as_slice),
        }
    }

    /// A variable to write, by its position in the process's list.
    pub(crate) fn variable_mut(&mut self, index: usize) -> Option<&mut [i32]> {
        match index {
            0 => Some(&mut self.current),
            1 => Some(&mut self.membrane),
            _ => self.more.get_mut(index - 2).map(Vec::as_mut_slice),
        }
    }

    /// Back to zero, keeping the memory.
    pub fn clear(&mut self) {
        self.current.fill(0);
        self.membrane.fill(0);
        for variable in &mut self.more {
            variable.fill(0);
        }
    }
}

/// What a population computes in one step.
pub trait Process: std::fmt::Debug + Send + Sync {
    /// The state before the first step.
    fn initial_state(&self, neurons: usize) -> NeuronState {
        NeuronState::zero(neurons)
    }

    /// One step: takes the synaptic input `[port][neuron]` of step `time` (counted from 1),
    /// updates the state and appends spikes with ascending neurons.
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

/// Whether a state is beyond the signed 24 bits that the chip declares for it.
fn is_wide(state: i32) -> bool {
    i64::from(state).abs() >= STATE_BOUND
}
