//! Long-term rules whose pairs are centred on presynaptic spikes: each of them pairs with the last
//! postsynaptic spike before it and with the first one after it.
//!
//! A postsynaptic spike ends the presynaptic trace of its own synapses only, so that a trace belongs to a
//! synapse, not to a segment as in [`Learning`](super::Learning). It is kept as it was at the source's
//! last spike; zero, where the target has spiked since.

use super::history::{History, LONG_AGO, PostSpike};
use super::learning::{Kernel, span};
use super::rule::{LongTerm, RuleContext, Segment};
use crate::neuron::bytes_of;
use crate::neuron::{Over, StateVisitor};
use crate::time::Time;

/// What a segment remembers of its source.
#[derive(Debug, Clone, Copy)]
struct Past {
    /// Synapse time of the last spike.
    spike: Time,
    /// Postsynaptic spikes up to this synapse time are in weights and traces.
    seen: Time,
}

const NOTHING: Past = Past { spike: LONG_AGO, seen: LONG_AGO };

/// A rule at work; see the module.
pub(super) struct Centred<K> {
    kernel: K,
    /// One a segment.
    past: Vec<Past>,
    /// One a synapse.
    traces: Vec<f64>,
    post: History,
    longest_dendritic_delay: Time,
}

impl<K: Kernel> Centred<K> {
    /// The rule on the synapses of one projection and part.
    pub(super) fn new(kernel: K, context: RuleContext<'_>) -> Self {
        Centred {
            kernel,
            past: vec![NOTHING; context.segments],
            traces: vec![0.0; context.synapses],
            post: History::new(context.targets),
            longest_dendritic_delay: context.longest_dendritic_delay,
        }
    }

    /// Takes the postsynaptic spikes up to the segment's time, at which a presynaptic one may arrive.
    fn bring_up(&mut self, segment: &mut Segment<'_>, arrives: bool) {
        let past = self.past[segment.index];
        let (delay, until) = (segment.dendritic_delay, segment.time);
        let at_synapse = |spike: &PostSpike| spike.time.saturating_add(delay);
        let own = &mut self.traces[segment.first..segment.first + segment.targets.len()];
        for ((&target, weight), trace) in segment.targets.iter().zip(&mut *segment.weights).zip(own)
        {
            let spikes = self.post.of(target);
            let new = spikes.partition_point(|spike| at_synapse(spike) <= past.seen);
            let first = spikes.get(new).filter(|spike| at_synapse(spike) <= until);
            if let Some(first) = first
                && *trace != 0.0
            {
                let elapsed = span((at_synapse(first) - past.spike).0);
                let pre = self.kernel.pre_decay([*trace, 0.0], elapsed);
                *weight = self.kernel.potentiate(*weight, pre, first.before);
                *trace = 0.0;
            }
            if arrives {
                // A postsynaptic spike at the very time of this one pairs with others.
                let before = spikes.partition_point(|spike| at_synapse(spike) < until);
                let post = match before.checked_sub(1).map(|last| &spikes[last]) {
                    Some(last) => {
                        self.kernel.post_decay([1.0, 0.0], span((until - at_synapse(last)).0))
                    }
                    None => [0.0; 2],
                };
                let pre = match *trace {
                    0.0 => [0.0; 2],
                    trace => self.kernel.pre_decay([trace, 0.0], span((until - past.spike).0)),
                };
                *weight = self.kernel.depress(*weight, post, pre);
                *trace = pre[0] + 1.0;
            }
        }
        let spike = if arrives { until } else { past.spike };
        self.past[segment.index] = Past { spike, seen: until };
    }
}

impl<K: Kernel> LongTerm for Centred<K> {
    fn post_spike(&mut self, target: u32, time: Time) {
        // Of postsynaptic spikes only the times are needed.
        self.post.push(target, PostSpike { time, before: [0.0; 2] });
    }

    fn pre_spike(&mut self, segment: &mut Segment<'_>) {
        self.bring_up(segment, true);
    }

    fn is_full(&self) -> bool {
        self.post.is_full()
    }

    fn catch_up(&mut self, segment: &mut Segment<'_>) {
        if self.past[segment.index].seen < segment.time {
            self.bring_up(segment, false);
        }
    }

    fn forget(&mut self, time: Time) {
        self.post.forget(time - self.longest_dendritic_delay);
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        visitor.over(Over::Segments);
        visitor.times(&mut self.past.iter_mut().map(|past| &mut past.spike));
        visitor.times(&mut self.past.iter_mut().map(|past| &mut past.seen));
        visitor.over(Over::Synapses);
        visitor.reals(&mut self.traces.iter_mut());
        self.post.visit_state(visitor);
    }

    fn reset(&mut self) {
        self.past.fill(NOTHING);
        self.traces.fill(0.0);
        self.post.clear();
    }

    fn bytes(&self) -> u64 {
        bytes_of(&self.past) + bytes_of(&self.traces) + self.post.bytes()
    }
}
