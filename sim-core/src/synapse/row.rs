//! Long-term rules over the synapses of one segment, several at a time.
//!
//! A presynaptic spike finds each of its synapses with some postsynaptic spikes that it has not seen:
//! none, one or a few. Synapses are taken in groups of [`GROUP`]: the table of recent spikes says how many
//! each has; then those that have any see their first one together, those that have more their second, and so
//! on. So nothing is computed that does not apply, no branch depends on one synapse, and the compiler makes
//! vector code of the arithmetic. A synapse with more unseen spikes than the table holds is computed on its
//! own ([`Learning::potentiated`]).

// Lanes of several arrays are walked together by their number: that is what becomes vector code.
#![allow(clippy::needless_range_loop)]

use super::history::{LONG_AGO, RECENT};
use super::learning::{Kernel, Learning, PreSpike, Trace, span};
use super::rule::{Pairing, Segment};
use crate::time::Time;
use kernels::Loop;

/// Synapses that are taken together.
const GROUP: usize = 64;

/// Synapses that are computed at once.
const LANES: usize = 8;

/// Postsynaptic traces of all targets at one time: presynaptic spikes that arrive together share them.
#[derive(Debug, Default)]
pub(super) struct PostTraces {
    /// The time that the last presynaptic spike asked for [fs, at the neuron].
    asked: Option<i64>,
    /// The time that the traces are of.
    at: Option<i64>,
    traces: [Vec<f64>; 2],
}

impl PostTraces {
    /// Computes the traces where that is worth it: where a spike has asked for the same time already,
    /// or has so many targets that it is no more work than without.
    pub(super) fn prepare<K: Kernel>(&mut self, learning: &Learning<K>, segment: &Segment<'_>) {
        let until = segment.time.0 - segment.dendritic_delay.0;
        let again = self.asked.replace(until) == Some(until);
        let targets = learning.post.recent().len();
        let worth = again || 2 * segment.targets.len() >= targets;
        // With restricted neighbours a trace depends on the presynaptic spikes, too.
        let shared = learning.pairing != Pairing::NearestRestricted;
        if !worth || !shared || self.at == Some(until) {
            return;
        }
        self.at = Some(until);
        self.traces.iter_mut().for_each(|traces| traces.resize(targets, 0.0));
        let [first, second] = &mut self.traces;
        learning.instructions().run(All { learning, until, traces: [first, second] });
    }

    fn of(&self, until: i64) -> Option<[&[f64]; 2]> {
        (self.at == Some(until)).then(|| [self.traces[0].as_slice(), self.traces[1].as_slice()])
    }
}

/// The trace just before `until` of a neuron that spiked last at `time`.
#[inline(always)]
fn trace_at<K: Kernel>(learning: &Learning<K>, time: i64, before: Trace, until: i64) -> Trace {
    let elapsed = span(until.wrapping_sub(time));
    let trace = learning.kernel.post_decay(learning.after_spike(before), elapsed);
    let spiked = time > LONG_AGO.0;
    [if spiked { trace[0] } else { 0.0 }, if spiked { trace[1] } else { 0.0 }]
}

/// The traces of all targets at one time.
struct All<'a, K> {
    learning: &'a Learning<K>,
    until: i64,
    traces: [&'a mut [f64]; 2],
}

impl<K: Kernel> Loop for All<'_, K> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let All { learning, until, traces: [first, second] } = self;
        let (times, befores) = (learning.post.recent(), learning.post.before());
        let table = times.chunks(GROUP).zip(befores.chunks(GROUP));
        let traces = first.chunks_mut(GROUP).zip(second.chunks_mut(GROUP));
        let (mut last, mut before) = ([0_i64; GROUP], [[0.0; 2]; GROUP]);
        for ((times, befores), (first, second)) in table.zip(traces) {
            let own = times.iter().zip(befores).zip(last.iter_mut().zip(&mut before));
            for ((times, befores), (last, before)) in own {
                // The latest before `until`: all later ones lie at the front.
                (*last, *before) = match count(times, |time| time >= until) {
                    RECENT => (LONG_AGO.0, [0.0; 2]),
                    place => (times[place], befores[place]),
                };
            }
            let own = last.iter().zip(&before).zip(first.iter_mut().zip(second));
            for ((&last, &before), (first, second)) in own {
                [*first, *second] = trace_at(learning, last, before, until);
            }
        }
    }
}

/// The synapses of a segment; see the module.
pub(super) struct Row<'a, 's, K> {
    pub(super) learning: &'a Learning<K>,
    pub(super) pre: PreSpike,
    /// The presynaptic trace before the spike that is there; `None`: there is none.
    pub(super) spike: Option<Trace>,
    pub(super) traces: &'a PostTraces,
    pub(super) segment: &'a mut Segment<'s>,
}

/// What is the same for all synapses of a segment.
#[derive(Clone, Copy)]
struct Span {
    /// Postsynaptic spikes in (low, high] are new [fs, at the neuron].
    low: i64,
    high: i64,
    /// Where the search backwards ends.
    end: i64,
    /// Whether the source has spiked before: else there is nothing to pair with.
    learns: bool,
}

impl<K: Kernel> Loop for Row<'_, '_, K> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Row { learning, pre, spike, traces, segment } = self;
        let delay = segment.dendritic_delay.0;
        let high = segment.time.0 - delay;
        let low = pre.seen.0.wrapping_sub(delay);
        let learns = pre.time > LONG_AGO;
        let end = if learns { low.min(high - 1) } else { high - 1 };
        let group = Group {
            learning,
            pre,
            spike,
            shared: traces.of(high),
            delay,
            span: Span { low, high, end, learns },
        };
        let weights = segment.weights.chunks_mut(GROUP);
        for (targets, weights) in segment.targets.chunks(GROUP).zip(weights) {
            group.learn(targets, weights);
        }
    }
}

struct Group<'a, K> {
    learning: &'a Learning<K>,
    pre: PreSpike,
    spike: Option<Trace>,
    shared: Option<[&'a [f64]; 2]>,
    delay: i64,
    span: Span,
}

impl<K: Kernel> Group<'_, K> {
    #[inline(always)]
    fn learn(&self, targets: &[u32], weights: &mut [f64]) {
        let mut original = [0.0; GROUP];
        original[..weights.len()].copy_from_slice(weights);
        let mut unseen = [0; GROUP];
        let (active, number) = self.count_unseen(targets, &mut unseen);
        let full = unseen.iter().fold(false, |full, &unseen| full | (unseen == RECENT));
        if self.span.learns {
            self.potentiate(targets, (active, number), &mut unseen, weights);
        }
        if let Some(before) = self.spike {
            self.depress(targets, before, weights);
        }
        if full {
            self.alone(targets, &original, weights);
        }
    }

    /// How many spikes of the table each synapse has not seen; the synapses that have any, and their number.
    #[inline(always)]
    fn count_unseen(
        &self,
        targets: &[u32],
        unseen: &mut [usize; GROUP],
    ) -> ([usize; GROUP], usize) {
        let (recent, end) = (self.learning.post.recent(), self.span.end);
        let (mut active, mut with_any) = ([0; GROUP], 0);
        for (index, &target) in targets.iter().enumerate() {
            let new = usize::from(recent[target as usize][0] > end);
            unseen[index] = new;
            active[with_any] = index;
            with_any += new;
        }
        let (mut left, mut number) = (active, with_any);
        for level in 1..RECENT {
            let mut more = 0;
            for place in 0..number {
                let index = left[place];
                let new = usize::from(recent[targets[index] as usize][level] > end);
                unseen[index] += new;
                left[more] = index;
                more += new;
            }
            number = more;
        }
        (active, with_any)
    }

    /// Lets the synapses see their spikes, from the oldest on; `unseen` becomes zero. The synapses that have some are told
    /// with their number.
    #[inline(always)]
    fn potentiate(
        &self,
        targets: &[u32],
        (mut active, mut number): ([usize; GROUP], usize),
        unseen: &mut [usize; GROUP],
        weights: &mut [f64],
    ) {
        let Span { low, high, .. } = self.span;
        let (kernel, recent) = (&self.learning.kernel, self.learning.post.recent());
        let any = self.learning.pairing != Pairing::NearestRestricted;
        let (mut times, mut after) = ([0_i64; GROUP], [0_i64; GROUP]);
        let (mut before, mut raised) = ([[0.0; 2]; GROUP], [0.0; GROUP]);
        while number > 0 {
            for (place, &index) in active[..number].iter().enumerate() {
                let (target, level) = (targets[index] as usize, unseen[index] - 1);
                times[place] = recent[target][level];
                after[place] = recent[target][(level + 1).min(RECENT - 1)];
                if K::NEEDS_POST {
                    before[place] = self.learning.post.before()[target][level];
                }
                raised[place] = weights[index];
            }
            // Whole vectors: what is too much is computed in vain.
            let lanes = number.next_multiple_of(LANES);
            let spikes = times[..lanes].iter().zip(&after[..lanes]).zip(&before[..lanes]);
            for (((&time, &after), &before), weight) in spikes.zip(&mut raised[..lanes]) {
                let first = after.saturating_add(self.delay) <= self.pre.time.0;
                let new = (time > low) & (time <= high) & (any | first);
                let elapsed = time.wrapping_add(self.delay).wrapping_sub(self.pre.time.0);
                let trace = kernel.pre_decay(self.pre.after, span(elapsed));
                let changed = kernel.potentiate(*weight, trace, before);
                *weight = if new { changed } else { *weight };
            }
            let mut more = 0;
            for place in 0..number {
                let index = active[place];
                weights[index] = raised[place];
                unseen[index] -= 1;
                active[more] = index;
                more += usize::from(unseen[index] > 0);
            }
            number = more;
        }
    }

    /// The presynaptic spike itself; `before` is the presynaptic trace before it.
    #[inline(always)]
    fn depress(&self, targets: &[u32], before: Trace, weights: &mut [f64]) {
        let (targets, last_targets) = targets.as_chunks::<LANES>();
        let (weights, last_weights) = weights.as_chunks_mut::<LANES>();
        for (targets, weights) in targets.iter().zip(weights) {
            self.depress_lanes(targets, before, weights);
        }
        if let Some(&first) = last_targets.first() {
            let (mut targets, mut weights) = ([first; LANES], [last_weights[0]; LANES]);
            targets[..last_targets.len()].copy_from_slice(last_targets);
            weights[..last_weights.len()].copy_from_slice(last_weights);
            self.depress_lanes(&targets, before, &mut weights);
            last_weights.copy_from_slice(&weights[..last_weights.len()]);
        }
    }

    #[inline(always)]
    fn depress_lanes(&self, targets: &[u32; LANES], before: Trace, weights: &mut [f64; LANES]) {
        let post = self.post_traces(targets);
        for lane in 0..LANES {
            let trace = [post[0][lane], post[1][lane]];
            weights[lane] = self.learning.kernel.depress(weights[lane], trace, before);
        }
    }

    /// The postsynaptic traces at the presynaptic spike.
    #[inline(always)]
    fn post_traces(&self, targets: &[u32; LANES]) -> [[f64; LANES]; 2] {
        let mut post = [[0.0; LANES]; 2];
        if let Some(shared) = self.shared {
            for lane in 0..LANES {
                post[0][lane] = shared[0][targets[lane] as usize];
                post[1][lane] = shared[1][targets[lane] as usize];
            }
            return post;
        }
        let restricted = self.learning.pairing == Pairing::NearestRestricted;
        let (recent, table) = (self.learning.post.recent(), self.learning.post.before());
        let high = self.span.high;
        for lane in 0..LANES {
            let target = targets[lane] as usize;
            let times = &recent[target];
            // The last spike before this one, and the last that is not later; the table holds them, or the
            // synapse is computed on its own.
            let latest = count(times, |time| time >= high).min(RECENT - 1);
            let newest = times[count(times, |time| time > high).min(RECENT - 1)];
            let trace = trace_at(self.learning, times[latest], table[target][latest], high);
            let seen = newest.saturating_add(self.delay) <= self.pre.time.0;
            post[0][lane] = if restricted & seen { 0.0 } else { trace[0] };
            post[1][lane] = if restricted & seen { 0.0 } else { trace[1] };
        }
        post
    }

    /// Computes the synapses whose targets have more unseen spikes than the table shows.
    #[cold]
    #[inline(never)]
    fn alone(&self, targets: &[u32], original: &[f64; GROUP], weights: &mut [f64]) {
        let (delay, now) = (Time(self.delay), Time(self.span.high + self.delay));
        let (learning, end) = (self.learning, self.span.end);
        for (index, &target) in targets.iter().enumerate() {
            if learning.post.recent()[target as usize][RECENT - 1] <= end {
                continue;
            }
            let spikes = learning.post.of(target);
            let raised = learning.potentiated(original[index], &self.pre, spikes, delay, now);
            weights[index] = match self.spike {
                Some(before) => {
                    let post = learning.post_trace(&self.pre, spikes, delay, now);
                    learning.kernel.depress(raised, post, before)
                }
                None => raised,
            };
        }
    }
}

/// How many of a target's times are such; those that are stand before the others.
#[inline(always)]
fn count(times: &[i64; RECENT], such: impl Fn(i64) -> bool) -> usize {
    times.iter().fold(0, |count, &time| count + usize::from(such(time)))
}
