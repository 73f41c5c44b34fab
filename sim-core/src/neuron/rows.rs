//! The input of a window as rows of synapses, for models to which one spike means the same number at
//! all its targets.
//!
//! A window's rows are walked once for every block of neurons, so that the state of the block stays
//! in the processor's first cache; the targets of a row ascend, so that each block is a run of it.

use super::inbox::Inbox;
use crate::time::Time;
use std::ops::Range;

/// Weights along a row.
#[derive(Debug, Clone, Copy)]
pub enum RowWeights<'a> {
    /// The same for all.
    One(f64),
    /// One each.
    Each(&'a [f64]),
}

/// A spike and those of its synapses at which it arrives at one time.
#[derive(Debug, Clone)]
pub struct Row<'a> {
    /// When it arrives.
    pub time: Time,
    /// Targets, ascending.
    pub targets: &'a [u32],
    /// What is to be taken off a target to have the neuron's index in the part.
    pub first: u32,
    /// Weights of the synapses, in the receptor's base unit.
    pub weights: RowWeights<'a>,
    /// What the weights are multiplied by.
    pub factor: f64,
    /// Whether no target occurs twice.
    pub distinct: bool,
    /// The synapses before have been walked.
    pub next: usize,
    /// What the neurons know of the row's time, once they have computed it.
    pub kept: Option<f64>,
}

impl Row<'_> {
    /// The weight of a synapse, times the factor.
    #[inline]
    pub fn amount(&self, index: usize) -> f64 {
        match self.weights {
            RowWeights::One(weight) => weight * self.factor,
            RowWeights::Each(weights) => weights[index] * self.factor,
        }
    }
}

/// Input of a block's neurons that is not told by rows: each has its own, in the order of time.
#[derive(Debug, Default)]
pub struct Trains {
    /// Events of the block's neuron n: `starts[n] .. starts[n + 1]`; empty where no neuron has any.
    pub starts: Vec<u32>,
    /// Next event of each neuron.
    pub next: Vec<u32>,
    /// When.
    pub times: Vec<Time>,
    /// How much, in the receptor's base unit; empty where all are `amount`.
    pub amounts: Vec<f64>,
    /// See `amounts`.
    pub amount: f64,
    /// Where all events are of one stimulus, have one amount and lie within steps: beginning and end of each step
    /// that has any, ascending; an event at the end belongs to the step. Else empty.
    pub steps: Vec<(Time, Time)>,
    /// Numbers of events in those steps `[step, neuron of the block]`.
    pub counts: Vec<u32>,
}

impl Trains {
    /// The next event of a neuron of the block: when, and how much.
    #[inline]
    pub fn peek(&self, place: usize) -> Option<(Time, f64)> {
        let next = *self.next.get(place)?;
        let event = next as usize;
        (next < self.starts[place + 1]).then(|| (self.times[event], self.amount_of(event)))
    }

    /// Numbers of events of the block's neurons in a step.
    #[inline]
    pub fn counts_of(&self, step: usize) -> &[u32] {
        let size = self.next.len();
        &self.counts[step * size..(step + 1) * size]
    }

    /// How much an event brings.
    #[inline]
    pub fn amount_of(&self, event: usize) -> f64 {
        self.amounts.get(event).copied().unwrap_or(self.amount)
    }
}

/// Neurons with one receptor that sums, which take rows.
pub trait RowNeurons {
    /// Takes all input of a window that ends at `until` and reaches the neurons of a block: what the rows (in the
    /// order of time, walked up to the block) bring, and trains of their own. Of one time, what rows bring is
    /// added first.
    ///
    /// Spikes go to the inbox, and neurons whose next crossing may have changed are touched.
    fn take(
        &mut self,
        inbox: &mut Inbox,
        block: Range<u32>,
        rows: &mut [Row<'_>],
        trains: &mut Trains,
    );
}
