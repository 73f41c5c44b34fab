//! Long-term rules that pair spikes through two traces on each side.
//!
//! Traces decay exponentially between spikes, so they are kept at the time of the last spike only:
//! the presynaptic ones once a segment (all its synapses see the same spikes), the postsynaptic ones
//! in the history. Nothing is done when a neuron spikes but to remember it; a presynaptic spike looks
//! up what its targets did since the last one, several synapses at a time (the module
//! [`row`](super::row)). What is written here synapse by synapse says what that has to give, and serves
//! those whose targets have spiked too often.

use super::history::{History, LONG_AGO, PostSpike};
use super::row::{PostTraces, Row};
use super::rule::{LongTerm, Pairing, RuleContext, Segment};
use crate::neuron::bytes_of;
use crate::neuron::{Over, StateVisitor};
use crate::time::Time;
use kernels::Instructions;

/// Two numbers that decay between spikes; rules that need one leave the second at zero.
pub type Trace = [f64; 2];

/// The equations of a rule.
///
/// They become part of loops that are compiled for each instruction set: every function should be
/// `#[inline(always)]`, without branches that depend on a synapse, and take e^x and powers from
/// [`kernels::real`].
pub trait Kernel: Send + 'static {
    /// Whether [`potentiate`](Self::potentiate) looks at its last argument.
    const NEEDS_POST: bool = false;

    /// The presynaptic trace after `elapsed` (ms) without a spike.
    fn pre_decay(&self, trace: Trace, elapsed: f64) -> Trace;

    /// The postsynaptic trace after `elapsed` (ms) without a spike.
    fn post_decay(&self, trace: Trace, elapsed: f64) -> Trace;

    /// The weight after a postsynaptic spike: `pre` at the time of the spike, `post` just before it.
    fn potentiate(&self, weight: f64, pre: Trace, post: Trace) -> f64;

    /// The weight after a presynaptic spike: `post` at the time of the spike, `pre` just before it.
    fn depress(&self, weight: f64, post: Trace, pre: Trace) -> f64;
}

/// Milliseconds of a span [fs].
#[inline(always)]
pub(super) fn span(femtoseconds: i64) -> f64 {
    femtoseconds as f64 * 1e-12
}

/// What a segment remembers of its source.
#[derive(Debug, Clone, Copy)]
pub(super) struct PreSpike {
    /// Synapse time of the last spike.
    pub(super) time: Time,
    /// The trace just after it.
    pub(super) after: Trace,
    /// Postsynaptic spikes up to this synapse time are in the weights.
    pub(super) seen: Time,
}

const NO_SPIKE: PreSpike = PreSpike { time: LONG_AGO, after: [0.0; 2], seen: LONG_AGO };

/// A rule at work; see the module.
pub struct Learning<K> {
    pub(super) kernel: K,
    pub(super) pairing: Pairing,
    /// One a segment.
    pre: Vec<PreSpike>,
    pub(super) post: History,
    /// Postsynaptic traces of all targets at one time.
    traces: PostTraces,
    longest_dendritic_delay: Time,
    instructions: Instructions,
}

impl<K: Kernel> Learning<K> {
    /// The rule on the synapses of one projection and part.
    pub fn new(kernel: K, context: RuleContext<'_>) -> Self {
        Learning {
            kernel,
            pairing: context.pairing,
            pre: vec![NO_SPIKE; context.segments],
            post: History::new(context.targets),
            traces: PostTraces::default(),
            longest_dendritic_delay: context.longest_dendritic_delay,
            instructions: Instructions::widest(),
        }
    }

    pub(super) fn instructions(&self) -> Instructions {
        self.instructions
    }

    #[inline(always)]
    pub(super) fn after_spike(&self, before: Trace) -> Trace {
        match self.pairing {
            Pairing::AllToAll => [before[0] + 1.0, before[1] + 1.0],
            _ => [1.0; 2],
        }
    }

    /// The weight after the postsynaptic spikes later than `pre.seen` and not later than `until`.
    pub(super) fn potentiated(
        &self,
        mut weight: f64,
        pre: &PreSpike,
        spikes: &[PostSpike],
        dendritic_delay: Time,
        until: Time,
    ) -> f64 {
        let at_synapse = |spike: &PostSpike| spike.time.saturating_add(dendritic_delay);
        let unseen = spikes.iter().rev().take_while(|spike| at_synapse(spike) > pre.seen).count();
        for spike in &spikes[spikes.len() - unseen..] {
            let time = at_synapse(spike);
            if time > until {
                break;
            }
            // With restricted neighbours only the first spike after the presynaptic one counts.
            let is_first = spikes
                .iter()
                .rev()
                .find(|earlier| earlier.time < spike.time)
                .is_none_or(|earlier| at_synapse(earlier) <= pre.time);
            if pre.time == LONG_AGO || (self.pairing == Pairing::NearestRestricted && !is_first) {
                continue;
            }
            let trace = self.kernel.pre_decay(pre.after, span((time - pre.time).0));
            weight = self.kernel.potentiate(weight, trace, spike.before);
        }
        weight
    }

    /// The postsynaptic trace at a presynaptic spike; `None` where its rule of pairs finds none.
    pub(super) fn post_trace(
        &self,
        pre: &PreSpike,
        spikes: &[PostSpike],
        dendritic_delay: Time,
        now: Time,
    ) -> Trace {
        let at_synapse = |spike: &PostSpike| spike.time.saturating_add(dendritic_delay);
        let Some(last) = spikes.iter().rev().find(|spike| at_synapse(spike) < now) else {
            return [0.0; 2];
        };
        // A postsynaptic spike at the very time of this one makes them neighbours of the one before it.
        let newest = spikes.iter().rev().map(at_synapse).find(|time| *time <= now);
        let has_new = newest.is_some_and(|time| time > pre.time);
        if self.pairing == Pairing::NearestRestricted && !has_new {
            return [0.0; 2];
        }
        let elapsed = span((now - at_synapse(last)).0);
        self.kernel.post_decay(self.after_spike(last.before), elapsed)
    }
}

impl<K: Kernel> LongTerm for Learning<K> {
    fn post_spike(&mut self, target: u32, time: Time) {
        let before = match self.post.of(target).last() {
            Some(last) => {
                let elapsed = span((time - last.time).0);
                self.kernel.post_decay(self.after_spike(last.before), elapsed)
            }
            None => [0.0; 2],
        };
        self.post.push(target, PostSpike { time, before });
    }

    fn pre_spike(&mut self, segment: &mut Segment<'_>) {
        let now = segment.time;
        let pre = self.pre[segment.index];
        let before = match pre.time {
            LONG_AGO => [0.0; 2],
            time => self.kernel.pre_decay(pre.after, span((now - time).0)),
        };
        let mut traces = std::mem::take(&mut self.traces);
        traces.prepare(self, segment);
        let row = Row { learning: self, pre, spike: Some(before), traces: &traces, segment };
        self.instructions.run(row);
        self.traces = traces;
        self.pre[segment.index] =
            PreSpike { time: now, after: self.after_spike(before), seen: now };
    }

    fn is_full(&self) -> bool {
        self.post.is_full()
    }

    fn catch_up(&mut self, segment: &mut Segment<'_>) {
        let pre = self.pre[segment.index];
        if pre.seen >= segment.time {
            return;
        }
        let seen = segment.time;
        let traces = &PostTraces::default();
        self.instructions.run(Row { learning: self, pre, spike: None, traces, segment });
        self.pre[segment.index].seen = seen;
    }

    fn forget(&mut self, time: Time) {
        self.post.forget(time - self.longest_dendritic_delay);
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        visitor.over(Over::Segments);
        visitor.times(&mut self.pre.iter_mut().map(|pre| &mut pre.time));
        visitor.times(&mut self.pre.iter_mut().map(|pre| &mut pre.seen));
        for trace in 0..2 {
            visitor.reals(&mut self.pre.iter_mut().map(|pre| &mut pre.after[trace]));
        }
        self.post.visit_state(visitor);
        self.traces = PostTraces::default();
    }

    fn reset(&mut self) {
        self.pre.fill(NO_SPIKE);
        self.post.clear();
        self.traces = PostTraces::default();
    }

    fn bytes(&self) -> u64 {
        bytes_of(&self.pre) + self.post.bytes()
    }
}
