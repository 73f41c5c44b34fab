//! Why a network cannot be emulated.

use sim_core::network::convolution::ConvolutionError;

use crate::quantise::network::SignMode;

use super::learning::LearningError;

/// A problem of a network, of its fit to the chip, or of a run's input.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EmulatorError {
    /// A population names a process that does not exist.
    #[error("population '{population}': there is no process '{process}'; known processes: {}", known.join(", "))]
    UnknownProcess {
        /// Population.
        population: String,
        /// Name asked for.
        process: String,
        /// Names that exist.
        known: Vec<&'static str>,
    },
    /// A parameter is missing, unknown, or has a wrong value.
    #[error("population '{population}', parameter '{parameter}': {problem}")]
    Parameter {
        /// Population.
        population: String,
        /// Parameter as the process's file documents it.
        parameter: String,
        /// What is wrong and what is allowed.
        problem: ParameterProblem,
    },
    /// A projection cannot be built.
    #[error("projection '{projection}': {problem}")]
    Projection {
        /// Projection.
        projection: String,
        /// What is wrong and what is allowed.
        problem: ProjectionProblem,
    },
    /// The network has more neurons or synapses than the emulator accepts.
    #[error("the network has {got} {what}; the emulator takes {limit}")]
    TooLarge {
        /// `neurons` or `synapses`.
        what: &'static str,
        /// How many there are.
        got: u64,
        /// How many are allowed.
        limit: u64,
    },
    /// Input was given for another number of populations.
    #[error("input for {got} populations; the network has {expected}: {}", names.join(", "))]
    InputCount {
        /// Populations with input given.
        got: usize,
        /// Input populations of the network.
        expected: usize,
        /// Their names.
        names: Vec<String>,
    },
    /// An input spike is not one that the population can emit.
    #[error("input of population '{population}', step {step}: {problem}")]
    Input {
        /// Population.
        population: String,
        /// Step, counted from 1.
        step: u64,
        /// What is wrong.
        problem: String,
    },
    /// No population has that index or name.
    #[error("there is no population {population}; the network has: {}", known.join(", "))]
    UnknownPopulation {
        /// Index or name asked for.
        population: String,
        /// Names that exist.
        known: Vec<String>,
    },
}

/// What is wrong with a parameter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterProblem {
    /// The process has no such parameter.
    #[error("process '{process}' does not have it; it has: {}", known.join(", "))]
    Unknown {
        /// Process.
        process: &'static str,
        /// Its parameters.
        known: Vec<&'static str>,
    },
    /// The parameter has no default.
    #[error("is missing and has no default ({meaning})")]
    Missing {
        /// What the parameter means.
        meaning: &'static str,
    },
    /// The parameter is one value for the population.
    #[error("has {got} values; it is one value for the whole population")]
    OneForAll {
        /// Values given.
        got: usize,
    },
    /// One value a neuron, but another number of them.
    #[error("has {got} values for {neurons} neurons; give one for all or one a neuron")]
    Length {
        /// Values given.
        got: usize,
        /// Neurons of the population.
        neurons: usize,
    },
    /// The value cannot be held.
    #[error("is {value} at neuron {neuron}; allowed are {minimum} to {maximum}")]
    OutOfRange {
        /// First neuron with such a value; 0 for values of the population.
        neuron: usize,
        /// The value.
        value: i64,
        /// Smallest allowed.
        minimum: i64,
        /// Largest allowed.
        maximum: i64,
    },
}

/// What is wrong with a projection.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ProjectionProblem {
    /// Source or target is not a population.
    #[error("its {side} is population {index}, but there are {populations}")]
    NoPopulation {
        /// `source` or `target`.
        side: &'static str,
        /// Index given.
        index: usize,
        /// Populations of the network.
        populations: usize,
    },
    /// Inputs do not receive spikes.
    #[error("its target '{target}' is an input, which cannot receive spikes")]
    TargetIsInput {
        /// Name of the target.
        target: String,
    },
    /// The target's process has no such input port.
    #[error(
        "its port is {got}, but process '{process}' of target '{target}' has {} ({})",
        ports.len(),
        ports.join(", ")
    )]
    Port {
        /// Port given.
        got: u8,
        /// Name of the target.
        target: String,
        /// Process of the target.
        process: &'static str,
        /// Names of its ports, from port 0.
        ports: &'static [&'static str],
    },
    /// A list has another length than the connection needs.
    #[error("has {got} {what}, but needs {expected}")]
    Length {
        /// `weights`, `delays`, ….
        what: &'static str,
        /// Entries given.
        got: usize,
        /// Entries needed.
        expected: u64,
    },
    /// A stored weight cannot be held.
    #[error(
        "weight {value} from source {source_neuron} to target {target_neuron} of population '{target}' cannot be \
         stored; allowed are {minimum} to {maximum} in steps of {step}; code the weights with \
         quantise::coding first"
    )]
    Weight {
        /// Name of the target population.
        target: String,
        /// Target neuron; the output channel of a convolution.
        target_neuron: u32,
        /// Source neuron; the input channel of a convolution.
        source_neuron: u32,
        /// The weight.
        value: i32,
        /// Smallest allowed.
        minimum: i64,
        /// Largest allowed.
        maximum: i64,
        /// Distance of neighbouring allowed weights.
        step: i64,
    },
    /// The number of weight bits cannot be stored.
    #[error("{got} weight bits with {sign_mode:?} weights; allowed are 1 to {maximum}")]
    WeightBits {
        /// Bits given.
        got: u8,
        /// Signs of the weights.
        sign_mode: SignMode,
        /// Most bits allowed.
        maximum: u8,
    },
    /// The weight exponent is beyond what any chip of the family has.
    #[error("weight exponent {got}; allowed are -16 to 16")]
    Exponent {
        /// Exponent given.
        got: i8,
    },
    /// Spikes carry more bits than the chip sends.
    #[error("{got} message bits; the chip's spikes carry {allowed}")]
    MessageBits {
        /// Bits given.
        got: u8,
        /// Bits of the chip.
        allowed: u8,
    },
    /// A delay is longer than the chip can hold.
    #[error("a delay of {got} steps; the chip holds at most {allowed}")]
    Delay {
        /// Delay given.
        got: u8,
        /// Longest delay of the chip.
        allowed: u32,
    },
    /// Its learning rule.
    #[error("{0}")]
    Learning(#[from] LearningError),
    /// Learning synapses have no additional delay in Lava.
    #[error("learning synapses have no additional delay; set it to 0")]
    LearningDelay,
    /// Synapses of a shared kernel have one delay.
    #[error(
        "synapses of a convolution have delays of their own; its kernel is shared, give it one delay"
    )]
    ConvolutionDelay,
    /// The geometry contradicts itself.
    #[error("{0}")]
    Geometry(#[from] ConvolutionError),
    /// The geometry is for populations of other sizes.
    #[error(
        "the convolution's {side} has {expected} neurons, but population '{population}' has {got}"
    )]
    GeometrySize {
        /// `source` or `target`.
        side: &'static str,
        /// Population.
        population: String,
        /// Neurons of the population.
        got: u64,
        /// Neurons of the geometry.
        expected: u64,
    },
    /// A listed synapse is out of order, doubled, or outside its populations.
    #[error(
        "synapse {index} (target {target_neuron}, source {source_neuron}) {reason}; synapses are sorted by \
         (target, source), each once, inside {targets} targets × {sources} sources"
    )]
    SparseOrder {
        /// Position in the list.
        index: usize,
        /// Target neuron.
        target_neuron: u32,
        /// Source neuron.
        source_neuron: u32,
        /// What is wrong.
        reason: &'static str,
        /// Neurons of the target.
        targets: u32,
        /// Neurons of the source.
        sources: u32,
    },
}
