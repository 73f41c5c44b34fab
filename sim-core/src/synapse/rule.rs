//! The contract between synapse rules and the engines.

use crate::neuron::{Range, StateVisitor};
use crate::time::Time;
use crate::units::Dimension;

/// What a rule changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleKind {
    /// What one spike releases.
    ShortTerm,
    /// The weight, with each pair of spikes.
    LongTerm,
    /// All weights of a neuron together, at intervals.
    Homeostasis,
}

impl RuleKind {
    /// The key under which a projection names a rule of this kind.
    pub fn key(self) -> &'static str {
        match self {
            RuleKind::ShortTerm => "short_term",
            RuleKind::LongTerm => "plasticity",
            RuleKind::Homeostasis => "homeostasis",
        }
    }
}

/// What a rule's parameter measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A dimension.
    Of(Dimension),
    /// That of the projection's weights.
    Weight,
}

/// A parameter of a rule.
#[derive(Debug, Clone, Copy)]
pub struct RuleParameter {
    /// Name in descriptions.
    pub name: &'static str,
    /// Symbol in equations.
    pub symbol: &'static str,
    /// What it measures.
    pub unit: Unit,
    /// Default in the base unit; `None`: it must be given.
    pub default: Option<f64>,
    /// Allowed values.
    pub range: Range,
    /// Meaning.
    pub meaning: &'static str,
}

/// Everything that can be known of a rule without running it.
#[derive(Debug)]
pub struct RuleSpec {
    /// Name in descriptions.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// What it changes.
    pub kind: RuleKind,
    /// Parameters, in the order of [`RuleContext::parameters`].
    pub parameters: &'static [RuleParameter],
    /// Whether a population must be named whose spikes modulate it.
    pub modulated: bool,
    /// Weights that it can start from.
    pub weights: Range,
    /// The ways of pairing spikes that it offers; empty: it pairs none.
    pub pairings: &'static [Pairing],
    /// The source of the equations.
    pub reference: &'static str,
}

/// Which pre- and postsynaptic spikes form pairs (Morrison et al. 2008, figure 7).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize, Hash,
)]
#[serde(rename_all = "snake_case")]
pub enum Pairing {
    /// Every spike with every earlier one.
    #[default]
    AllToAll,
    /// Every spike with the last one of the other side.
    Nearest,
    /// Neighbours only: a spike with the last one of the other side, if none of its own side
    /// lies between. A presynaptic spike that meets a postsynaptic one pairs with the one before that.
    NearestRestricted,
    /// Every presynaptic spike with the last postsynaptic one before it and the first one after it.
    NearestPresynaptic,
}

impl Pairing {
    /// All of them.
    pub const ALL: [Pairing; 4] = [
        Pairing::AllToAll,
        Pairing::Nearest,
        Pairing::NearestRestricted,
        Pairing::NearestPresynaptic,
    ];

    /// Its name in descriptions.
    pub fn name(self) -> &'static str {
        match self {
            Pairing::AllToAll => "all_to_all",
            Pairing::Nearest => "nearest",
            Pairing::NearestRestricted => "nearest_restricted",
            Pairing::NearestPresynaptic => "nearest_presynaptic",
        }
    }
}

/// What a rule is made from.
#[derive(Debug, Clone, Copy)]
pub struct RuleContext<'a> {
    /// One number a [`RuleParameter`], in base units.
    pub parameters: &'a [f64],
    /// How spikes form pairs.
    pub pairing: Pairing,
    /// Number of segments (synapses of one source with one delay).
    pub segments: usize,
    /// Number of synapses.
    pub synapses: usize,
    /// Number of target neurons.
    pub targets: usize,
    /// The longest dendritic delay.
    pub longest_dendritic_delay: Time,
}

/// The synapses of one source with one delay, when a spike of the source reaches them.
#[derive(Debug)]
pub struct Segment<'a> {
    /// Its number.
    pub index: usize,
    /// Number of its first synapse.
    pub first: usize,
    /// When the spike happens at the synapses.
    pub time: Time,
    /// Dendritic delay.
    pub dendritic_delay: Time,
    /// Target of each synapse, local to the part.
    pub targets: &'a [u32],
    /// Weight of each synapse, in the receptor's base unit.
    pub weights: &'a mut [f64],
}

/// A short-term rule of the synapses of one projection; its state is that of their sources.
pub trait ShortTerm: Send {
    /// A spike of a segment's source at `time`: what its weights are multiplied by.
    fn release(&mut self, segment: usize, time: Time) -> f64;

    /// State of a segment for people: (name, value).
    fn state(&self, segment: usize) -> Vec<(&'static str, f64)>;

    /// Shows everything that changes.
    fn visit_state(&mut self, visitor: &mut dyn StateVisitor);

    /// Back to the initial state.
    fn reset(&mut self);

    /// Bytes on the heap.
    fn bytes(&self) -> u64;
}

/// A long-term rule of the synapses of one projection.
pub trait LongTerm: Send {
    /// A postsynaptic spike; told in the order of time, before any presynaptic spike whose synapse
    /// time is not earlier than its own.
    fn post_spike(&mut self, target: u32, time: Time);

    /// A spike of the population that modulates the rule.
    fn modulator_spike(&mut self, _time: Time) {}

    /// A presynaptic spike: brings the segment's weights up to date.
    fn pre_spike(&mut self, segment: &mut Segment<'_>);

    /// Whether so many postsynaptic spikes are remembered that it is time to
    /// [`catch_up`](Self::catch_up).
    fn is_full(&self) -> bool;

    /// Brings a segment's weights up to date with the postsynaptic spikes before its time, without
    /// a presynaptic one. Nothing that a later spike computes changes by it.
    fn catch_up(&mut self, segment: &mut Segment<'_>);

    /// Forgets what no later call can need: all segments are caught up to `time`.
    fn forget(&mut self, time: Time);

    /// Shows everything that changes.
    fn visit_state(&mut self, visitor: &mut dyn StateVisitor);

    /// Back to the initial state.
    fn reset(&mut self);

    /// Bytes on the heap before the first spike.
    fn bytes(&self) -> u64;
}

/// A homeostatic rule: what the weights of a target are multiplied by.
pub trait Homeostasis: Send {
    /// Time (ms) between its actions.
    fn interval(&self) -> f64;

    /// The factor for a neuron whose weights have this sum and which spiked with this rate (1/s)
    /// since the last action.
    fn factor(&self, sum: f64, rate: f64) -> f64;
}

/// A rule at work.
pub enum Made {
    /// See [`ShortTerm`].
    ShortTerm(Box<dyn ShortTerm>),
    /// See [`LongTerm`].
    LongTerm(Box<dyn LongTerm>),
    /// See [`Homeostasis`].
    Homeostasis(Box<dyn Homeostasis>),
}

impl Made {
    /// Bytes on the heap before the first spike.
    pub fn bytes(&self) -> u64 {
        match self {
            Made::ShortTerm(rule) => rule.bytes(),
            Made::LongTerm(rule) => rule.bytes(),
            Made::Homeostasis(_) => 0,
        }
    }
}

/// A synapse rule.
pub trait SynapseRule: Sync {
    /// What is known of it.
    fn spec(&self) -> &'static RuleSpec;

    /// Relations between parameters that ranges cannot say: pairs of (parameter, what is wrong).
    fn check(&self, _parameters: &[f64]) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// The parameter before it whose number stands for one without a default where it is not given.
    fn as_given(&self, _parameter: &str) -> Option<&'static str> {
        None
    }

    /// The number of a parameter that is not given, after those of the parameters before it; `None`: it
    /// must be given.
    fn number_not_given(&self, parameter: &RuleParameter, before: &[f64]) -> Option<f64> {
        let other = self.as_given(parameter.name);
        let at = other.and_then(|name| self.spec().parameters.iter().position(|p| p.name == name));
        parameter.default.or_else(|| before.get(at?).copied())
    }

    /// The rule at work on the synapses of one projection and part.
    fn make(&self, context: RuleContext<'_>) -> Made;
}
