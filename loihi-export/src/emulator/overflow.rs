//! What the chip would lose silently: wraps and clips, counted with their first place.

use serde::Serialize;

/// A number that did not fit its register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OverflowKind {
    /// The sum of a target's weights left the 32-bit register.
    SynapticSum,
    /// The sum of a convolution left 24 bits and wrapped.
    ConvolutionSum,
    /// The synaptic current left 24 bits and wrapped.
    Current,
    /// The membrane potential left 24 bits and was clipped.
    Membrane,
    /// Another state variable left its declared 24 bits.
    State,
}

impl OverflowKind {
    const ALL: [Self; 5] =
        [Self::SynapticSum, Self::ConvolutionSum, Self::Current, Self::Membrane, Self::State];

    /// What happened, for people.
    pub fn describe(self) -> &'static str {
        match self {
            Self::SynapticSum => "synaptic sum wrapped at 32 bits",
            Self::ConvolutionSum => "convolution sum wrapped at 24 bits",
            Self::Current => "synaptic current wrapped at 24 bits",
            Self::Membrane => "membrane potential clipped at 24 bits",
            Self::State => "state variable left 24 bits",
        }
    }
}

/// All overflows of one kind in one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overflow {
    /// Population, or projection for sums inside one.
    pub place: String,
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
            "{}: {} {} times, first in step {} at neuron {}",
            self.place,
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
    counts: [u64; OverflowKind::ALL.len()],
    first: [(u64, u32); OverflowKind::ALL.len()],
}

impl OverflowCounter {
    /// Counts one overflow.
    #[cold]
    pub fn record(&mut self, kind: OverflowKind, step: u64, neuron: usize) {
        let slot = kind as usize;
        if self.counts[slot] == 0 {
            self.first[slot] = (step, neuron as u32);
        }
        self.counts[slot] += 1;
    }

    /// The counters as report entries.
    pub fn entries<'a>(&'a self, place: &'a str) -> impl Iterator<Item = Overflow> + 'a {
        OverflowKind::ALL.into_iter().filter(|&kind| self.counts[kind as usize] > 0).map(
            move |kind| {
                let (first_step, first_neuron) = self.first[kind as usize];
                let count = self.counts[kind as usize];
                Overflow { place: place.to_owned(), kind, count, first_step, first_neuron }
            },
        )
    }
}
