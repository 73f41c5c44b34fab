//! Synapses that change: the weights of one projection onto the neurons of one part, with the rules
//! that act on them.
//!
//! The connectome stays as it was compiled; what changes belongs to the engine. Synapses lie by
//! source, delay and target; those of one source with one delay are a segment.

use super::Compiled;
use crate::checkpoint::{Saver, Share};
use crate::connectome::Weights;
use crate::network::ValidPlasticity;
use crate::neuron::{Over, StateVisitor};
use crate::synapse::{Homeostasis, LongTerm, Made, RuleContext, Segment, ShortTerm};
use crate::time::{Grid, Time};
use kernels::gather_into_large_pages;
use std::ops::Range;

/// See the module.
pub(super) struct PlasticSynapses {
    grid: Grid,
    /// Indices of the part's neurons, local to the target population.
    range: Range<u32>,
    /// First segment of each source, and the end.
    rows: Vec<u32>,
    /// Delay in steps and first synapse of each segment; one past the end.
    segments: Vec<(u32, u32)>,
    /// Target of each synapse, local to the part.
    targets: Vec<u32>,
    weights: Vec<f64>,
    /// Weights at the beginning.
    initial: Weights,
    short_term: Option<Box<dyn ShortTerm>>,
    long_term: Option<Box<dyn LongTerm>>,
    homeostasis: Option<Box<dyn Homeostasis>>,
    /// Steps between the actions of homeostasis.
    interval: u64,
    /// Spikes of each target since the last of them.
    spikes: Vec<u32>,
    /// Dendritic delay in steps; `None`: the whole delay.
    dendritic_steps: Option<u32>,
    longest_delay: u32,
    /// Population whose spikes modulate the long-term rule.
    pub(super) modulator: Option<usize>,
}

/// How soon after it was sent a postsynaptic or modulating spike can be needed, in steps: engines
/// must make spikes known in shorter time. `None`: nothing changes.
pub(super) fn longest_window(compiled: &Compiled) -> Option<u32> {
    let projections = compiled.network().projections().values();
    let windows =
        projections.zip(compiled.connectome().fanouts()).flat_map(|(projection, fanout)| {
            let shortest = fanout.delays().distinct().first().copied().unwrap_or(1);
            projection.rules.iter().map(move |rule| 2 * rule.dendritic_steps.unwrap_or(shortest))
        });
    windows.min()
}

impl PlasticSynapses {
    /// The changing synapses of a projection onto a part; `None` where its synapses are static.
    pub(super) fn new(compiled: &Compiled, projection: usize, range: Range<u32>) -> Option<Self> {
        let valid = &compiled.network().projections()[projection];
        if valid.rules.is_empty() {
            return None;
        }
        let fanout = &compiled.connectome().fanouts()[projection];
        // A part has about its share of a projection's synapses: arrays should not grow by doubling.
        let share = range.len() as f64 / fanout.targets().len().max(1) as f64;
        let count = (fanout.synapse_count() as f64 * share.min(1.0) * 1.02) as usize + 64;
        let mut synapses = PlasticSynapses {
            grid: compiled.network().grid(),
            range: range.clone(),
            rows: vec![0],
            segments: Vec::new(),
            targets: Vec::with_capacity(count),
            weights: Vec::with_capacity(count),
            initial: Weights::One(0.0),
            short_term: None,
            long_term: None,
            homeostasis: None,
            interval: u64::MAX,
            spikes: vec![0; range.len()],
            dendritic_steps: None,
            longest_delay: fanout.delays().longest(),
            modulator: None,
        };
        for source in 0..fanout.sources().len() as u32 {
            for delay in fanout.delays_of(source) {
                synapses.segments.push((delay, synapses.targets.len() as u32));
                fanout.for_each_in(source, delay, &range, |target, weight| {
                    synapses.targets.push(target - range.start);
                    synapses.weights.push(weight);
                });
            }
            synapses.rows.push(synapses.segments.len() as u32);
        }
        gather_into_large_pages(&synapses.targets);
        gather_into_large_pages(&synapses.weights);
        synapses.segments.push((0, synapses.targets.len() as u32));
        synapses.initial = match synapses.weights.as_slice() {
            [first, others @ ..] if others.iter().all(|weight| weight == first) => {
                Weights::One(*first)
            }
            weights => Weights::Each(weights.to_vec()),
        };
        valid.rules.iter().for_each(|rule| synapses.make(rule));
        Some(synapses)
    }

    fn make(&mut self, valid: &ValidPlasticity) {
        if valid.dendritic_steps.is_some() {
            self.dendritic_steps = valid.dendritic_steps;
        }
        let longest = self.dendritic_steps.unwrap_or(self.longest_delay);
        let context = RuleContext {
            parameters: &valid.parameters,
            pairing: valid.pairing,
            segments: self.segments.len() - 1,
            synapses: self.targets.len(),
            targets: self.range.len(),
            longest_dendritic_delay: self.grid.time_of(u64::from(longest)),
        };
        match valid.rule.make(context) {
            Made::ShortTerm(rule) => self.short_term = Some(rule),
            Made::LongTerm(rule) => {
                self.long_term = Some(rule);
                self.modulator = valid.modulator;
            }
            Made::Homeostasis(rule) => {
                self.interval = ((rule.interval() / self.grid.dt()).round() as u64).max(1);
                self.homeostasis = Some(rule);
            }
        }
    }

    fn dendritic_delay(&self, delay: u32) -> Time {
        self.grid.time_of(u64::from(self.dendritic_steps.unwrap_or(delay)))
    }

    /// A spike that `source` sent at `time` reaches its synapses of this delay: their targets, and
    /// what they get times `factor`.
    pub(super) fn deliver(
        &mut self,
        source: u32,
        delay: u32,
        time: Time,
        factor: f64,
        amounts: &mut Vec<f64>,
    ) -> &[u32] {
        amounts.clear();
        let row = self.rows[source as usize] as usize..self.rows[source as usize + 1] as usize;
        let Ok(place) = self.segments[row.clone()].binary_search_by_key(&delay, |s| s.0) else {
            return &[];
        };
        let index = row.start + place;
        let synapses = self.synapses_of(index);
        let dendritic_delay = self.dendritic_delay(delay);
        if let Some(rule) = &mut self.long_term {
            let axonal = self.grid.time_of(u64::from(delay)) - dendritic_delay;
            rule.pre_spike(&mut Segment {
                index,
                first: synapses.start,
                time: time.saturating_add(axonal),
                dendritic_delay,
                targets: &self.targets[synapses.clone()],
                weights: &mut self.weights[synapses.clone()],
            });
        }
        let release = self.short_term.as_mut().map_or(1.0, |rule| rule.release(index, time));
        let factor = factor * release;
        amounts.extend(self.weights[synapses.clone()].iter().map(|weight| weight * factor));
        &self.targets[synapses]
    }

    fn synapses_of(&self, segment: usize) -> Range<usize> {
        self.segments[segment].1 as usize..self.segments[segment + 1].1 as usize
    }

    /// A neuron of the part spikes; told in the order of time.
    pub(super) fn post_spike(&mut self, target: u32, time: Time) {
        if let Some(rule) = &mut self.long_term {
            rule.post_spike(target, time);
        }
        if self.homeostasis.is_some() {
            self.spikes[target as usize] += 1;
        }
    }

    /// A neuron of the modulating population spikes; told in the order of time.
    pub(super) fn modulator_spike(&mut self, time: Time) {
        if let Some(rule) = &mut self.long_term {
            rule.modulator_spike(time);
        }
    }

    /// Keeps the rule's memory bounded; everything up to `now` is told, and every later delivery
    /// arrives later.
    pub(super) fn tidy(&mut self, now: Time) {
        if self.long_term.as_ref().is_some_and(|rule| rule.is_full()) {
            self.catch_up(now);
        }
    }

    /// Brings all weights up to date with what no later spike can precede. What later spikes compute
    /// does not change by it; only weights that are looked at between do.
    pub(super) fn catch_up(&mut self, now: Time) {
        if self.long_term.is_none() {
            return;
        }
        let longest = self.dendritic_steps.unwrap_or(self.longest_delay);
        let time = now - self.grid.time_of(u64::from(longest));
        // Before the run nothing has happened.
        if time <= Time::ZERO {
            return;
        }
        for index in 0..self.segments.len() - 1 {
            let synapses = self.synapses_of(index);
            let dendritic_delay = self.dendritic_delay(self.segments[index].0);
            if let Some(rule) = &mut self.long_term {
                rule.catch_up(&mut Segment {
                    index,
                    first: synapses.start,
                    time,
                    dendritic_delay,
                    targets: &self.targets[synapses.clone()],
                    weights: &mut self.weights[synapses],
                });
            }
        }
        if let Some(rule) = &mut self.long_term {
            rule.forget(time);
        }
    }

    /// The next step after `step` at whose end homeostasis acts.
    pub(super) fn next_homeostasis(&self, step: u64) -> Option<u64> {
        self.homeostasis.as_ref().map(|_| (step / self.interval + 1).saturating_mul(self.interval))
    }

    /// Homeostasis acts where it is due at the end of `step`.
    pub(super) fn pause(&mut self, step: u64) {
        if self.homeostasis.is_none() || !step.is_multiple_of(self.interval) {
            return;
        }
        // The factors act on weights at a time that does not depend on when they were caught up.
        self.catch_up(self.grid.time_of(step));
        let Some(rule) = &self.homeostasis else {
            return;
        };
        let mut sums = vec![0.0; self.range.len()];
        for (&target, weight) in self.targets.iter().zip(&self.weights) {
            sums[target as usize] += weight;
        }
        let seconds = self.interval as f64 * self.grid.dt() / 1000.0;
        let factor = |(sum, &spikes): (&f64, &u32)| rule.factor(*sum, f64::from(spikes) / seconds);
        let factors: Vec<f64> = sums.iter().zip(&self.spikes).map(factor).collect();
        for (&target, weight) in self.targets.iter().zip(&mut self.weights) {
            *weight *= factors[target as usize];
        }
        self.spikes.fill(0);
    }

    /// Number of synapses.
    pub(super) fn synapse_count(&self) -> usize {
        self.weights.len()
    }

    /// The weights by (source, delay, target).
    pub(super) fn weights(&self) -> impl Iterator<Item = (u32, u32, u32, f64)> + '_ {
        (0..self.rows.len() - 1).flat_map(move |source| {
            (self.rows[source]..self.rows[source + 1]).flat_map(move |segment| {
                let delay = self.segments[segment as usize].0;
                let synapses = self.synapses_of(segment as usize);
                synapses.map(move |index| {
                    let target = self.range.start + self.targets[index];
                    (source as u32, delay, target, self.weights[index])
                })
            })
        })
    }

    /// Shows everything that changes; all parts that are caught up to one time show the same state.
    pub(super) fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        visitor.over(Over::Synapses);
        visitor.reals(&mut self.weights.iter_mut());
        visitor.over(Over::Neurons);
        visitor.counts(&mut self.spikes.iter_mut());
        if let Some(rule) = &mut self.short_term {
            rule.visit_state(visitor);
        }
        if let Some(rule) = &mut self.long_term {
            rule.visit_state(visitor);
        }
    }

    /// The state as columns.
    pub(super) fn columns(&mut self) -> crate::checkpoint::Columns {
        let mut saver = Saver::new(self.range.len());
        self.visit_state(&mut saver);
        saver.columns()
    }

    /// The targets of the part, local to the population.
    pub(super) fn targets(&self) -> Range<u32> {
        self.range.clone()
    }

    /// What of the projection each part has, from the parts in the order of their neurons.
    pub(super) fn shares<'a>(parts: impl Iterator<Item = &'a Self>) -> Vec<Share> {
        let parts: Vec<&Self> = parts.collect();
        let empty = |part: &&Self| Share {
            neurons: part.range.start as usize..part.range.end as usize,
            synapses: Vec::with_capacity(part.segments.len()),
            whole: [
                parts.iter().map(|part| part.range.end as usize).max().unwrap_or(0),
                parts.iter().map(|part| part.targets.len()).sum(),
            ],
        };
        let mut shares: Vec<Share> = parts.iter().map(empty).collect();
        let segments = parts.first().map_or(0, |part| part.segments.len() - 1);
        let mut next = 0;
        for segment in 0..segments {
            for (part, share) in parts.iter().zip(&mut shares) {
                let length = part.synapses_of(segment).len();
                share.synapses.push(next..next + length);
                next += length;
            }
        }
        shares
    }

    /// Back to the initial weights and state.
    pub(super) fn reset(&mut self) {
        match &self.initial {
            Weights::One(weight) => self.weights.fill(*weight),
            Weights::Each(weights) => self.weights.clone_from(weights),
        }
        self.forget();
    }

    /// Back to the initial state with the weights as they are at `now`.
    pub(super) fn reset_state(&mut self, now: Time) {
        self.catch_up(now);
        self.forget();
    }

    fn forget(&mut self) {
        self.spikes.fill(0);
        if let Some(rule) = &mut self.short_term {
            rule.reset();
        }
        if let Some(rule) = &mut self.long_term {
            rule.reset();
        }
    }
}
