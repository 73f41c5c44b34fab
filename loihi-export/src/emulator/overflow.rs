//! What the chip would lose silently: wraps and clips, counted with their first place.

use std::collections::BTreeMap;

use serde::Serialize;

/// A number that did not fit its register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OverflowKind {
    /// The sum of a target's weights left the register: 32 bits, or the chip's fewer.
    SynapticSum,
    /// The sum of a convolution left 24 bits and wrapped.
    ConvolutionSum,
    /// The synaptic current left 24 bits and wrapped.
    Current,
    /// The membrane potential left 24 bits and was clipped.
    Membrane,
    /// Another state variable left its declared 24 bits.
    State,
    /// A trace of a source was clipped at 7 bits.
    SourceTrace,
    /// A trace of a target was clipped at 7 bits.
    TargetTrace,
    /// A weight was clipped by its learning rule.
    Weight,
    /// A second tag was clipped by its learning rule.
    Tag2,
    /// A first tag was clipped by its learning rule.
    Tag1,
}

impl OverflowKind {
    /// What happened, for people.
    pub fn describe(self) -> &'static str {
        match self {
            Self::SynapticSum => "synaptic sum left its register and wrapped",
            Self::ConvolutionSum => "convolution sum wrapped at 24 bits",
            Self::Current => "synaptic current wrapped at 24 bits",
            Self::Membrane => "membrane potential clipped at 24 bits",
            Self::State => "state variable left 24 bits",
            Self::SourceTrace | Self::TargetTrace => "trace clipped at 7 bits",
            Self::Weight => "weight clipped by learning",
            Self::Tag1 | Self::Tag2 => "tag clipped by learning",
        }
    }

    /// Lava's name of the variable, where the kind alone says it; the position among the process's
    /// variables where it does not.
    fn variable(self) -> Result<&'static str, usize> {
        match self {
            Self::SynapticSum | Self::ConvolutionSum => Ok("a_out"),
            Self::Current => Err(0),
            Self::Membrane => Err(1),
            Self::State => Err(0),
            Self::SourceTrace => Ok("x1, x2"),
            Self::TargetTrace => Ok("y1, y2, y3"),
            Self::Weight => Ok("weights"),
            Self::Tag2 => Ok("tag_2"),
            Self::Tag1 => Ok("tag_1"),
        }
    }
}

/// All overflows of one kind in one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overflow {
    /// Population, or projection for sums inside one.
    pub place: String,
    /// Process of the population; the kind of connection of a projection.
    pub process: &'static str,
    /// Variable by Lava's name.
    pub variable: &'static str,
    /// What overflowed.
    pub kind: OverflowKind,
    /// How often.
    pub count: u64,
    /// Step of the first, counted from 1.
    pub first_step: u64,
    /// Target neuron of the first.
    pub first_neuron: u32,
}

impl std::fmt::Display for Overflow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} ({}), {}: {} {} times, first in step {} at neuron {}",
            self.place,
            self.process,
            self.variable,
            self.kind.describe(),
            self.count,
            self.first_step,
            self.first_neuron
        )
    }
}

/// Every overflow since the counters were cleared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct OverflowReport {
    /// One entry a place and kind; populations and projections in the network's order.
    pub overflows: Vec<Overflow>,
}

impl OverflowReport {
    /// Whether nothing was lost.
    pub fn is_empty(&self) -> bool {
        self.overflows.is_empty()
    }

    /// All overflows together.
    pub fn total(&self) -> u64 {
        self.overflows.iter().map(|overflow| overflow.count).sum()
    }
}

/// Counters of one place.
#[derive(Debug, Clone, Default)]
pub struct OverflowCounter {
    counts: BTreeMap<(OverflowKind, usize), Count>,
}

#[derive(Debug, Clone)]
struct Count {
    count: u64,
    first_step: u64,
    first_neuron: u32,
}

impl OverflowCounter {
    /// Counts one overflow.
    #[cold]
    pub fn record(&mut self, kind: OverflowKind, step: u64, neuron: usize) {
        self.count(kind, kind.variable().err().unwrap_or_default(), step, neuron);
    }

    /// Counts one overflow of a state variable, by its position among the process's variables.
    #[cold]
    pub fn record_state(&mut self, variable: usize, step: u64, neuron: usize) {
        self.count(OverflowKind::State, variable, step, neuron);
    }

    fn count(&mut self, kind: OverflowKind, variable: usize, step: u64, neuron: usize) {
        let first = Count { count: 0, first_step: step, first_neuron: neuron as u32 };
        self.counts.entry((kind, variable)).or_insert(first).count += 1;
    }

    /// The counters as report entries; `variables` are those of the place's process.
    pub fn entries<'a>(
        &'a self,
        place: &'a str,
        process: &'static str,
        variables: &'a [&'static str],
    ) -> impl Iterator<Item = Overflow> + 'a {
        self.counts.iter().map(move |(&(kind, variable), count)| Overflow {
            place: place.to_owned(),
            process,
            variable: kind
                .variable()
                .unwrap_or_else(|_| variables.get(variable).copied().unwrap_or("input")),
            kind,
            count: count.count,
            first_step: count.first_step,
            first_neuron: count.first_neuron,
        })
    }
}
