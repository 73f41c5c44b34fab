//! The postsynaptic spikes that some synapse has not seen yet, one list a target.

use super::learning::Trace;
use crate::neuron::{Over, StateVisitor};
use crate::time::Time;

/// A postsynaptic spike with the trace of its neuron just before it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct PostSpike {
    pub(super) time: Time,
    pub(super) before: Trace,
}

#[derive(Debug)]
pub(super) struct History {
    spikes: Vec<Vec<PostSpike>>,
    count: usize,
    /// Number of spikes at which it is full.
    full: usize,
}

/// Spikes a neuron that are remembered before synapses are caught up.
const SPIKES_A_NEURON: usize = 16;

/// Fewer are never worth a look at all synapses.
const ALWAYS_KEPT: usize = 4096;

impl History {
    pub(super) fn new(targets: usize) -> Self {
        let full = (targets * SPIKES_A_NEURON).max(ALWAYS_KEPT);
        History { spikes: vec![Vec::new(); targets], count: 0, full }
    }

    pub(super) fn of(&self, target: u32) -> &[PostSpike] {
        &self.spikes[target as usize]
    }

    pub(super) fn push(&mut self, target: u32, spike: PostSpike) {
        self.spikes[target as usize].push(spike);
        self.count += 1;
    }

    pub(super) fn is_full(&self) -> bool {
        self.count >= self.full
    }

    /// Forgets the spikes up to `time`, but the last of them: its trace is still needed.
    pub(super) fn forget(&mut self, time: Time) {
        self.count = 0;
        for spikes in &mut self.spikes {
            let past = spikes.partition_point(|spike| spike.time <= time);
            spikes.drain(..past.saturating_sub(1));
            self.count += spikes.len();
        }
        let targets = self.spikes.len();
        self.full = (targets * SPIKES_A_NEURON).max(ALWAYS_KEPT).max(2 * self.count);
    }

    pub(super) fn clear(&mut self) {
        *self = History::new(self.spikes.len());
    }

    /// Shows all spikes; where they are put back, the lists take the lengths that were saved.
    pub(super) fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        let mut lengths: Vec<u32> = self.spikes.iter().map(|spikes| spikes.len() as u32).collect();
        visitor.over(Over::Neurons);
        visitor.lengths(&mut lengths.iter_mut());
        for (spikes, &length) in self.spikes.iter_mut().zip(&lengths) {
            spikes.resize(length as usize, PostSpike { time: Time::ZERO, before: [0.0; 2] });
        }
        let mut all: Vec<&mut PostSpike> = self.spikes.iter_mut().flatten().collect();
        self.count = all.len();
        visitor.over(Over::Items);
        visitor.times(&mut all.iter_mut().map(|spike| &mut spike.time));
        for trace in 0..2 {
            visitor.reals(&mut all.iter_mut().map(|spike| &mut spike.before[trace]));
        }
    }
}
