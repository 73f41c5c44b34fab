//! Long-term rules over the synapses of one segment, several at a time.
//!
//! A presynaptic spike finds each of its synapses with some postsynaptic spikes that it has not seen:
//! none, one or a few. Synapses are taken in groups of [`LANES`]; of each group the table of recent
//! spikes is read from the latest backwards until all have nothing unseen any more, and then the
//! potentiations are made from the oldest forwards, each only where it applies. There are no
//! branches but on whole groups, so that the compiler makes vector code of it. A synapse with more
//! unseen spikes than the table holds is computed on its own ([`Learning::potentiated`]).

// Lanes of several arrays are walked together by their number: that is what becomes vector code.
#![allow(clippy::needless_range_loop)]

use super::history::{LONG_AGO, RECENT};
use super::learning::{Kernel, Learning, PreSpike, Trace, span};
use super::rule::{Pairing, Segment};
use crate::time::Time;
use kernels::Loop;

/// Synapses that are computed together.
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
        let table = learning.post.recent().iter().zip(learning.post.before());
        for ((times, before), (first, second)) in table.zip(first.iter_mut().zip(second)) {
            // The latest before `until`; all later ones lie at the front.
            let later = times.iter().fold(0, |count, &time| count + usize::from(time >= until));
            let (time, trace) = match later {
                RECENT => (LONG_AGO.0, [0.0; 2]),
                place => (times[place], before[place]),
            };
            [*first, *second] = trace_at(learning, time, trace, until);
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
        let (targets, last_targets) = segment.targets.as_chunks::<LANES>();
        let (weights, last_weights) = segment.weights.as_chunks_mut::<LANES>();
        for (targets, weights) in targets.iter().zip(weights) {
            group.learn(targets, weights);
        }
        if let Some(&first) = last_targets.first() {
            let (mut targets, mut weights) = ([first; LANES], [last_weights[0]; LANES]);
            targets[..last_targets.len()].copy_from_slice(last_targets);
            weights[..last_weights.len()].copy_from_slice(last_weights);
            group.learn(&targets, &mut weights);
            last_weights.copy_from_slice(&weights[..last_weights.len()]);
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
    fn learn(&self, targets: &[u32; LANES], weights: &mut [f64; LANES]) {
        let Span { low, high, end, learns } = self.span;
        let recent = self.learning.post.recent();
        let mut times = [[0_i64; LANES]; RECENT];
        let (mut levels, mut unseen) = (0, true);
        while unseen && levels < RECENT {
            for lane in 0..LANES {
                times[levels][lane] = recent[targets[lane] as usize][levels];
            }
            unseen = times[levels].iter().fold(false, |any, &time| any | (time > end));
            levels += 1;
        }
        let any = self.learning.pairing != Pairing::NearestRestricted;
        let original = *weights;
        let oldest = &times[levels - 1];
        let mut latest = *oldest;
        let mut newest = *oldest;
        let mut places = [levels - 1; LANES];
        let mut earlier = *oldest;
        for level in (0..levels - 1).rev() {
            let times = &times[level];
            let after = &times_before(&mut earlier, times);
            let before = self.before(targets, level);
            for lane in 0..LANES {
                let time = times[lane];
                let first = after[lane].saturating_add(self.delay) <= self.pre.time.0;
                let counts = any | first;
                let new = learns & (time > low) & (time <= high) & counts;
                let elapsed = time.wrapping_add(self.delay).wrapping_sub(self.pre.time.0);
                let kernel = &self.learning.kernel;
                let trace = kernel.pre_decay(self.pre.after, span(elapsed));
                let weight = weights[lane];
                let raised = kernel.potentiate(weight, trace, before[lane]);
                weights[lane] = if new { raised } else { weight };
                latest[lane] = if time < high { time } else { latest[lane] };
                newest[lane] = if time <= high { time } else { newest[lane] };
                places[lane] = if time < high { level } else { places[lane] };
            }
        }
        if let Some(before) = self.spike {
            let post = self.post_traces(targets, &latest, &newest, &places);
            for lane in 0..LANES {
                let trace = [post[0][lane], post[1][lane]];
                weights[lane] = self.learning.kernel.depress(weights[lane], trace, before);
            }
        }
        if unseen {
            self.alone(targets, &original, oldest, weights);
        }
    }

    /// The postsynaptic traces at the presynaptic spike.
    #[inline(always)]
    fn post_traces(
        &self,
        targets: &[u32; LANES],
        latest: &[i64; LANES],
        newest: &[i64; LANES],
        places: &[usize; LANES],
    ) -> [[f64; LANES]; 2] {
        let mut post = [[0.0; LANES]; 2];
        if let Some(shared) = self.shared {
            for lane in 0..LANES {
                post[0][lane] = shared[0][targets[lane] as usize];
                post[1][lane] = shared[1][targets[lane] as usize];
            }
            return post;
        }
        let restricted = self.learning.pairing == Pairing::NearestRestricted;
        let table = self.learning.post.before();
        for lane in 0..LANES {
            let before = table[targets[lane] as usize][places[lane]];
            let trace = trace_at(self.learning, latest[lane], before, self.span.high);
            let seen = newest[lane].saturating_add(self.delay) <= self.pre.time.0;
            post[0][lane] = if restricted & seen { 0.0 } else { trace[0] };
            post[1][lane] = if restricted & seen { 0.0 } else { trace[1] };
        }
        post
    }

    /// The traces before the spikes of a level, where the rule needs them.
    #[inline(always)]
    fn before(&self, targets: &[u32; LANES], level: usize) -> [Trace; LANES] {
        let mut before = [[0.0; 2]; LANES];
        if K::NEEDS_POST {
            let table = self.learning.post.before();
            for lane in 0..LANES {
                before[lane] = table[targets[lane] as usize][level];
            }
        }
        before
    }

    /// Computes the synapses whose targets have more unseen spikes than the table shows.
    #[cold]
    #[inline(never)]
    fn alone(
        &self,
        targets: &[u32; LANES],
        original: &[f64; LANES],
        oldest: &[i64; LANES],
        weights: &mut [f64; LANES],
    ) {
        let (delay, now) = (Time(self.delay), Time(self.span.high + self.delay));
        for lane in (0..LANES).filter(|&lane| oldest[lane] > self.span.end) {
            let spikes = self.learning.post.of(targets[lane]);
            let learning = self.learning;
            let raised = learning.potentiated(original[lane], &self.pre, spikes, delay, now);
            weights[lane] = match self.spike {
                Some(before) => {
                    let post = learning.post_trace(&self.pre, spikes, delay, now);
                    learning.kernel.depress(raised, post, before)
                }
                None => raised,
            };
        }
    }
}

/// The times of the last earlier spikes, which then become `times`.
#[inline(always)]
fn times_before(earlier: &mut [i64; LANES], times: &[i64; LANES]) -> [i64; LANES] {
    let before = *earlier;
    *earlier = *times;
    before
}
