//! The contract between neuron models and everything else.

pub use super::column::Column;
pub(crate) use super::column::bytes_of;
use super::inbox::{self, Arrivals, Inbox};
use super::rows::RowNeurons;
use crate::network::{RefractoryInput, SpikeCondition};
use crate::time::{Grid, Time};
use crate::units::Dimension;

/// Whether a model lives in continuous time or advances by whole steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelTime {
    /// A differential equation; the event-driven engine finds spike times on no grid.
    Continuous,
    /// A map applied once a step: threshold checked at the step's end. Both engines give the
    /// same spikes.
    Stepwise,
}

/// The values that a parameter may take, in the base unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Range {
    /// Any finite number.
    Any,
    /// Above zero.
    Positive,
    /// Zero or above.
    NonNegative,
}

impl Range {
    /// Whether `value` is allowed.
    pub fn contains(self, value: f64) -> bool {
        value.is_finite()
            && match self {
                Range::Any => true,
                Range::Positive => value > 0.0,
                Range::NonNegative => value >= 0.0,
            }
    }

    /// What is allowed, for messages.
    pub fn describe(self) -> &'static str {
        match self {
            Range::Any => "any finite number",
            Range::Positive => "above zero",
            Range::NonNegative => "zero or above",
        }
    }
}

/// A parameter of a model.
#[derive(Debug, Clone, Copy)]
pub struct ParameterSpec {
    /// Name in descriptions.
    pub name: &'static str,
    /// Symbol in equations.
    pub symbol: &'static str,
    /// What it measures; its default is in this dimension's base unit.
    pub dimension: Dimension,
    /// Default in the base unit.
    pub default: f64,
    /// Allowed values in the base unit.
    pub range: Range,
    /// Meaning.
    pub meaning: &'static str,
}

/// How simultaneous inputs of one receptor become one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Combine {
    /// The weights are summed.
    Sum,
    /// The largest weight × (number of spikes that the source has sent so far).
    LargestRunningCount,
}

/// A port of a model that synapses act on.
#[derive(Debug, Clone, Copy)]
pub struct ReceptorSpec {
    /// Name in descriptions.
    pub name: &'static str,
    /// What a weight measures.
    pub weight: Dimension,
    /// How simultaneous inputs combine.
    pub combine: Combine,
    /// Meaning.
    pub meaning: &'static str,
}

/// A state variable of a model.
#[derive(Debug, Clone, Copy)]
pub struct VariableSpec {
    /// Name in descriptions and recordings.
    pub name: &'static str,
    /// What it measures.
    pub dimension: Dimension,
    /// Initial value in the base unit; `None` means the model derives it from its parameters.
    pub initial: Option<f64>,
    /// Meaning.
    pub meaning: &'static str,
}

/// Everything that can be known of a model without running it.
#[derive(Debug)]
pub struct ModelSpec {
    /// Name in descriptions.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// Continuous or stepwise.
    pub time: ModelTime,
    /// Parameters, in the order of [`LoweredNeurons::parameters`].
    pub parameters: &'static [ParameterSpec],
    /// Receptors; the first is the default of projections.
    pub receptors: &'static [ReceptorSpec],
    /// State variables, in the order of [`LoweredNeurons::initial`].
    pub variables: &'static [VariableSpec],
    /// What a constant current into the model measures; `None` where it takes none.
    pub current: Option<Dimension>,
    /// Whether it spikes by itself, so that spike condition and reset must be stated.
    pub spikes: bool,
    /// Whether the threshold may be subtracted on a spike.
    pub subtracting_reset: bool,
    /// Whether its spikes carry a payload other than 1; synapses multiply it by their weight.
    pub graded: bool,
    /// Rules for input in the refractory time that the model offers; empty: it has no such time.
    pub refractory_input: &'static [RefractoryInput],
    /// The source of the equations.
    pub reference: &'static str,
}

impl ModelSpec {
    /// The index of the receptor that a projection names; the first where it names none.
    pub fn receptor_index(&self, name: Option<&str>) -> Option<usize> {
        match name {
            Some(name) => self.receptors.iter().position(|receptor| receptor.name == name),
            None => (!self.receptors.is_empty()).then_some(0),
        }
    }
}

/// A reset rule in base units.
#[derive(Debug, Clone, PartialEq)]
pub enum LoweredReset {
    /// The potential is set to this [base unit].
    To(Column),
    /// The threshold is subtracted.
    Subtract,
}

impl LoweredReset {
    /// What the potential of neuron `index` is set to; `None` where the threshold is subtracted.
    pub fn value(&self, index: usize) -> Option<f64> {
        match self {
            LoweredReset::To(column) => Some(column.get(index)),
            LoweredReset::Subtract => None,
        }
    }

    /// Bytes on the heap.
    pub fn bytes(&self) -> u64 {
        match self {
            LoweredReset::To(column) => column.bytes(),
            LoweredReset::Subtract => 0,
        }
    }

    /// The reset of a part of the neurons.
    fn part(&self, range: std::ops::Range<usize>) -> LoweredReset {
        match self {
            LoweredReset::To(column) => LoweredReset::To(column.part(range)),
            LoweredReset::Subtract => LoweredReset::Subtract,
        }
    }
}

/// A population's (or a part's) neurons in plain numbers of the base units.
#[derive(Debug, Clone)]
pub struct LoweredNeurons {
    /// Number of neurons.
    pub size: usize,
    /// Time grid.
    pub grid: Grid,
    /// One column a [`ParameterSpec`].
    pub parameters: Vec<Column>,
    /// One column a [`VariableSpec`]; `None` where the model derives the initial value.
    pub initial: Vec<Option<Column>>,
    /// Spike condition.
    pub spike: SpikeCondition,
    /// Reset rule.
    pub reset: LoweredReset,
    /// Rule for input in the refractory time.
    pub refractory_input: RefractoryInput,
}

impl LoweredNeurons {
    /// Bytes on the heap.
    pub fn bytes(&self) -> u64 {
        let columns = self.parameters.iter().chain(self.initial.iter().flatten());
        columns.map(Column::bytes).sum::<u64>() + self.reset.bytes()
    }

    /// The neurons `range` alone.
    pub fn part(&self, range: std::ops::Range<usize>) -> LoweredNeurons {
        let part = |column: &Column| column.part(range.clone());
        LoweredNeurons {
            size: range.len(),
            parameters: self.parameters.iter().map(part).collect(),
            initial: self.initial.iter().map(|c| c.as_ref().map(part)).collect(),
            reset: self.reset.part(range.clone()),
            grid: self.grid,
            spike: self.spike,
            refractory_input: self.refractory_input,
        }
    }
}

/// What acts on a part's neurons in one step of the clock-driven engine.
#[derive(Debug, Clone, Copy)]
pub struct Drive<'a> {
    /// Combined synaptic input that arrives at the end of the step, one slice a receptor.
    pub inputs: &'a [Vec<f64>],
    /// Constant current during the step [model's current unit]; one a neuron.
    pub current: &'a [f64],
    /// Instruction set to run with; spikes do not depend on it.
    pub instructions: kernels::Instructions,
}

/// What a part's neurons send in one step.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Emitted {
    /// Indices local to the part, ascending.
    pub neurons: Vec<u32>,
    /// Their payloads, of graded models only; empty otherwise, which means 1 each.
    pub payloads: Vec<i32>,
    /// The values that they send in place of spikes ([`NeuronModel::sends_values`]); empty otherwise.
    pub values: Vec<f64>,
}

impl Emitted {
    /// A spike without a payload.
    pub fn push(&mut self, neuron: u32) {
        self.neurons.push(neuron);
    }

    /// A spike of a graded model.
    pub fn push_graded(&mut self, neuron: u32, payload: i32) {
        self.neurons.push(neuron);
        self.payloads.push(payload);
    }

    /// A value in place of a spike.
    pub fn push_value(&mut self, neuron: u32, value: f64) {
        self.neurons.push(neuron);
        self.values.push(value);
    }

    /// Empties it for use again.
    pub fn clear(&mut self) {
        self.neurons.clear();
        self.payloads.clear();
        self.values.clear();
    }
}

/// What a column of state has one value for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// The neurons of a part (of a rule: the targets), in their order.
    Neurons,
    /// The segments of a projection (synapses of one source with one delay); the same in all parts.
    Segments,
    /// The synapses of a projection onto a part, by (source, delay, target).
    Synapses,
    /// The items of lists, one list a neuron, whose [`lengths`](StateVisitor::lengths) came before.
    Items,
    /// Something that all parts hold alike.
    Shared,
}

/// Walks over everything that changes while neurons or synapses run, to save it or to put it back.
///
/// Each call passes one column. The calls and their order depend on the model or rule alone, so a
/// column may be put together from parts, and cut into others.
pub trait StateVisitor {
    /// Says what the columns that follow have one value for; neurons where nothing is said.
    fn over(&mut self, over: Over);

    /// A column of numbers.
    fn reals(&mut self, column: &mut dyn Iterator<Item = &mut f64>);

    /// A column of numbers in single precision.
    fn singles(&mut self, column: &mut dyn Iterator<Item = &mut f32>);

    /// A column of counts.
    fn counts(&mut self, column: &mut dyn Iterator<Item = &mut u32>);

    /// The lengths of lists, one a neuron (or one alone that is shared). Where state is put back
    /// they are safe to make room for: as many items were saved.
    fn lengths(&mut self, column: &mut dyn Iterator<Item = &mut u32>);

    /// A column of step numbers.
    fn steps(&mut self, column: &mut dyn Iterator<Item = &mut u64>);

    /// A column of times.
    fn times(&mut self, column: &mut dyn Iterator<Item = &mut Time>);
}

/// The neurons of a part of a population, advanced step by step.
pub trait ClockNeurons: Send {
    /// Advances all neurons by one step and appends those that spike, ascending.
    fn step(&mut self, drive: Drive<'_>, spikes: &mut Emitted);

    /// Shows everything that [`step`](Self::step) changes.
    fn visit_state(&mut self, visitor: &mut dyn StateVisitor);

    /// The values of the state variable with this index in [`ModelSpec::variables`].
    fn variable(&self, index: usize) -> Vec<f64>;

    /// Back to the initial state.
    fn reset(&mut self);

    /// Bytes that constants and state take on the heap.
    fn bytes(&self) -> u64;
}

/// Input of one receptor in one step, in the narrow form.
#[derive(Debug)]
pub struct NarrowInput<'a> {
    /// Sums of integer weights, one a neuron and padding; cleared when read. Empty: no input, or, behind a
    /// receptor with sums, its own are packed into those: the first receptor's in the lower 16 bits, its in
    /// the upper.
    pub sums: &'a mut [i32],
    /// What a unit is worth.
    pub unit: f32,
}

/// The neurons of a part of a population in single precision, advanced step by step by vector code.
///
/// Arrays are padded to a multiple of [`kernels::LANES`] and more; neurons beyond the part's size are
/// computed and never told of.
pub trait NarrowNeurons: Send {
    /// Changes the constant current [model's current unit], one a neuron, from the next step on.
    fn set_current(&mut self, current: &[f64]);

    /// Advances all neurons by one step and appends those that spike, ascending; indices beyond the
    /// part's size may be among them.
    fn step(
        &mut self,
        instructions: kernels::Instructions,
        inputs: &mut [NarrowInput<'_>],
        spikes: &mut Vec<u32>,
    );

    /// Shows everything that [`step`](Self::step) changes, padding included.
    fn visit_state(&mut self, visitor: &mut dyn StateVisitor);

    /// The values of the state variable with this index in [`ModelSpec::variables`].
    fn variable(&self, index: usize) -> Vec<f64>;

    /// Back to the initial state.
    fn reset(&mut self);

    /// Bytes that constants and state take on the heap.
    fn bytes(&self) -> u64;
}

/// The neurons of a population, advanced from event to event.
///
/// State is kept for each neuron at the time of its own last event.
pub trait EventNeurons: Send {
    /// Advances `neuron` to `time`, adds `inputs` (one a receptor) and returns the payload of the
    /// spike that it sends now, if it does; 1 where the model is not graded.
    ///
    /// `crossing` says that the time is the one that [`next_spike`](Self::next_spike) gave.
    fn receive(&mut self, neuron: usize, time: Time, inputs: &[f64], crossing: bool)
    -> Option<i32>;

    /// Shows everything that changes while the neurons run.
    fn visit_state(&mut self, visitor: &mut dyn StateVisitor);

    /// Advances `neuron` to `time` and changes its constant current from then on.
    fn set_current(&mut self, neuron: usize, time: Time, current: f64);

    /// When `neuron` will spike if nothing more arrives; `None` means never.
    fn next_spike(&self, neuron: usize) -> Option<Time>;

    /// The same where it is not later than `until`; a model overrides it where it can rule a spike
    /// out for less than it costs to find it.
    fn next_spike_until(&self, neuron: usize, until: Time) -> Option<Time> {
        self.next_spike(neuron).filter(|&time| time <= until)
    }

    /// Takes input of one time, told in the order of time; spikes on the way go to the inbox.
    fn arrive(&mut self, inbox: &mut Inbox, arrivals: Arrivals<'_>) {
        inbox::arrive(self, inbox, arrivals);
    }

    /// Receives all input that waits, makes all crossings up to and including `until`, and
    /// foretells the next ones.
    fn settle(&mut self, inbox: &mut Inbox, until: Time) {
        inbox::settle(self, inbox, until);
    }

    /// The same neurons as ones that take the input of a window by rows, if they do.
    fn by_rows(&mut self) -> Option<&mut dyn RowNeurons> {
        None
    }

    /// The value of a state variable at `time`, not earlier than the neuron's last event.
    fn variable(&self, index: usize, neuron: usize, time: Time) -> f64;

    /// Back to the initial state.
    fn reset(&mut self);

    /// Bytes that constants and state take on the heap.
    fn bytes(&self) -> u64;
}

/// A neuron model.
pub trait NeuronModel: Sync {
    /// What is known of it.
    fn spec(&self) -> &'static ModelSpec;

    /// The model in the size that these names of parameters, receptors and variables ask for; `None`
    /// where it has only one.
    fn for_names(&self, _names: &[&str]) -> Option<&'static dyn NeuronModel> {
        None
    }

    /// Whether its neurons send real numbers in every step, in place of spikes: a synapse brings the
    /// number times its weight. Nothing is recorded or counted of it, and no rule learns from it.
    fn sends_values(&self) -> bool {
        false
    }

    /// Which names there are beyond those of [`spec`](Self::spec): numbered ones, as many as are named.
    fn numbered_names(&self) -> Option<&'static str> {
        None
    }

    /// Relations between parameters that ranges cannot say: pairs of (parameter, what is wrong).
    fn check(&self, _neurons: &LoweredNeurons) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Brings a number (weight, current) into the form that the model's arithmetic needs.
    ///
    /// Stepwise models round to a fine dyadic grid here, so that sums are exact in any order.
    fn round(&self, value: f64) -> f64 {
        value
    }

    /// The neurons for the clock-driven engine; `None` for sources, which have no state.
    fn clock(&self, neurons: &LoweredNeurons) -> Option<Box<dyn ClockNeurons>>;

    /// What the model's narrow form (single precision) loses; none where there is no such form.
    fn narrow_form(&self) -> Option<&'static str> {
        None
    }

    /// Whether the model has a narrow form (single precision) for these parameters and rules.
    fn is_narrow(&self, _neurons: &LoweredNeurons) -> bool {
        false
    }

    /// The neurons for the clock-driven engine in the narrow form; `None` where
    /// [`is_narrow`](Self::is_narrow) says so.
    fn narrow(&self, _neurons: &LoweredNeurons) -> Option<Box<dyn NarrowNeurons>> {
        None
    }

    /// The neurons for the event-driven engine; `None` for sources, which have no state.
    ///
    /// # Errors
    /// Why the model (with these parameters) cannot be advanced from event to event.
    fn event(&self, neurons: &LoweredNeurons) -> Result<Option<Box<dyn EventNeurons>>, String>;
}
