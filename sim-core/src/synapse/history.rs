//! The postsynaptic spikes that some synapse has not seen yet, one list a target, and beside it the
//! last few of each in a table of fixed width, which vector code can read.

use super::learning::Trace;
use crate::neuron::bytes_of;
use crate::neuron::{Over, StateVisitor};
use crate::time::Time;

/// A postsynaptic spike with the trace of its neuron just before it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct PostSpike {
    pub(super) time: Time,
    pub(super) before: Trace,
}

/// Spikes of a target in the table; those of one target fill a cache line.
pub(super) const RECENT: usize = 8;

/// Stands in the table where a target has had fewer spikes.
pub(super) const LONG_AGO: Time = Time(i64::MIN / 2);

#[derive(Debug)]
pub(super) struct History {
    spikes: Vec<Vec<PostSpike>>,
    /// The last spike times of each target [fs], the latest first.
    recent: Vec<[i64; RECENT]>,
    /// The traces before them.
    before: Vec<[Trace; RECENT]>,
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
        History {
            spikes: vec![Vec::new(); targets],
            recent: vec![[LONG_AGO.0; RECENT]; targets],
            before: vec![[[0.0; 2]; RECENT]; targets],
            count: 0,
            full,
        }
    }

    pub(super) fn of(&self, target: u32) -> &[PostSpike] {
        &self.spikes[target as usize]
    }

    /// The last spike times of each target [fs], the latest first; all above [`LONG_AGO`] that the
    /// table has room for and that are not forgotten are among them.
    pub(super) fn recent(&self) -> &[[i64; RECENT]] {
        &self.recent
    }

    /// The traces before the spikes of [`recent`](Self::recent).
    pub(super) fn before(&self) -> &[[Trace; RECENT]] {
        &self.before
    }

    pub(super) fn push(&mut self, target: u32, spike: PostSpike) {
        let target = target as usize;
        self.spikes[target].push(spike);
        self.note(target, spike);
        self.count += 1;
    }

    /// Puts a spike into the table.
    fn note(&mut self, target: usize, spike: PostSpike) {
        let (recent, before) = (&mut self.recent[target], &mut self.before[target]);
        recent.copy_within(..RECENT - 1, 1);
        before.copy_within(..RECENT - 1, 1);
        (recent[0], before[0]) = (spike.time.0, spike.before);
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
        self.tabulate();
    }

    /// Makes the table from the lists.
    fn tabulate(&mut self) {
        self.recent.fill([LONG_AGO.0; RECENT]);
        self.before.fill([[0.0; 2]; RECENT]);
        for target in 0..self.spikes.len() {
            let from = self.spikes[target].len().saturating_sub(RECENT);
            for place in from..self.spikes[target].len() {
                self.note(target, self.spikes[target][place]);
            }
        }
    }

    /// Bytes on the heap before the first spike.
    pub(super) fn bytes(&self) -> u64 {
        bytes_of(&self.spikes) + bytes_of(&self.recent) + bytes_of(&self.before)
    }
}
