//! Spike-timing-dependent plasticity gated by reward: three factors.
//!
//! # Equations
//! Pairs of spikes change an eligibility c, not the weight; a population that signals reward
//! (dopamine) makes a concentration n, and their product changes the weight:
//! - dc/dt = −c/τ_c, dn/dt = −n/τ_n, dw/dt = c (n − b), w within [w_min, w_max]
//! - postsynaptic spike: c ← c + A₊ x; presynaptic spike: c ← c − A₋ y; reward spike: n ← n + 1/τ_n
//!
//! with the traces x (τ₊) and y (τ₋) of [`super::stdp_additive`]. Between events all is solved
//! exactly: ∫ c n = c₀ n₀ (1 − exp(−κ t))/κ with κ = 1/τ_c + 1/τ_n. A reward spike acts after the
//! dendritic delay. At its bound the weight rests until c (n − b) leads away from it (`bounded.rs`);
//! with a `bound_interval` h it is brought back to its bounds at events and at multiples of h only, as
//! simulators do that update such synapses at intervals.
//!
//! # Source
//! Izhikevich 2007, Cereb. Cortex 17:2443, equations 2.1 to 2.3; with the baseline b of Potjans,
//! Morrison and Diesmann 2010, Front. Comput. Neurosci. 4:141, equation 4.

mod bounded;

use super::history::{History, PostSpike};
use super::rule::{
    LongTerm, Made, Pairing, RuleContext, RuleKind, RuleParameter, RuleSpec, Segment, SynapseRule,
    Unit,
};
use super::stdp_additive::{LARGEST_WEIGHT, TAU_MINUS, TAU_PLUS};
use crate::neuron::bytes_of;
use crate::neuron::{Over, Range, StateVisitor};
use crate::time::Time;
use crate::units::Dimension;
use bounded::Bounded;

/// See the module.
#[derive(Debug)]
pub struct Rule;

const fn number(
    name: &'static str,
    symbol: &'static str,
    default: f64,
    meaning: &'static str,
) -> RuleParameter {
    let (unit, range) = (Unit::Of(Dimension::Number), Range::Any);
    RuleParameter { name, symbol, unit, default: Some(default), range, meaning }
}

const fn time(
    name: &'static str,
    symbol: &'static str,
    default: f64,
    meaning: &'static str,
) -> RuleParameter {
    let (unit, range) = (Unit::Of(Dimension::Time), Range::Positive);
    RuleParameter { name, symbol, unit, default: Some(default), range, meaning }
}

static SPEC: RuleSpec = RuleSpec {
    name: "reward_modulated_stdp",
    summary: "STDP that becomes a change of weight only with the spikes of a reward population",
    kind: RuleKind::LongTerm,
    parameters: &[
        TAU_PLUS,
        TAU_MINUS,
        number("potentiation", "A₊", 1.0, "eligibility by a postsynaptic spike"),
        number("depression", "A₋", 1.5, "eligibility taken by a presynaptic spike"),
        time("tau_eligibility", "τ_c", 1000.0, "decay of the eligibility"),
        time("tau_reward", "τ_n", 200.0, "decay of the concentration"),
        number("baseline", "b", 0.0, "concentration at which weights do not change [1/ms]"),
        LARGEST_WEIGHT,
        RuleParameter {
            name: "smallest_weight",
            symbol: "w_min",
            unit: Unit::Weight,
            default: Some(0.0),
            range: Range::Any,
            meaning: "the weight stays at or above this",
        },
        RuleParameter {
            name: "bound_interval",
            symbol: "h",
            unit: Unit::Of(Dimension::Time),
            default: Some(0.0),
            range: Range::NonNegative,
            meaning: "time between the moments at which the weight is held to its bounds; 0: always",
        },
    ],
    modulated: true,
    weights: Range::Any,
    pairings: &[Pairing::AllToAll],
    reference: "Izhikevich 2007, Cereb. Cortex 17:2443",
};

/// Before everything.
const LONG_AGO: Time = Time(i64::MIN / 2);

/// What a segment remembers.
#[derive(Debug, Clone, Copy)]
struct Past {
    /// Synapse time of the source's last spike.
    spike: Time,
    /// Presynaptic trace just after it.
    trace: f64,
    /// Events up to this synapse time are in eligibilities and weights.
    seen: Time,
}

const NOTHING: Past = Past { spike: LONG_AGO, trace: 0.0, seen: LONG_AGO };

/// A spike of the reward population: when, and the concentration just after it.
type Reward = (Time, f64);

/// Weight and eligibility of a synapse, and the synapse time that they are for.
#[derive(Debug, Clone, Copy)]
struct Synapse {
    state: [f64; 2],
    since: Time,
}

struct Gated {
    tau: [f64; 2],
    amplitude: [f64; 2],
    between: Bounded,
    longest_dendritic_delay: Time,
    past: Vec<Past>,
    eligibility: Vec<f64>,
    /// The synapse time that each eligibility and its weight are for: that of the last event.
    /// Catching up ends there, so that it computes what would be computed without it.
    since: Vec<Time>,
    post: History,
    rewards: Vec<Reward>,
}

impl Gated {
    /// The concentration at a reward-free time `now` after the rewards before `count`.
    fn concentration(&self, count: usize, delay: Time, now: Time) -> f64 {
        match count.checked_sub(1).and_then(|last| self.rewards.get(last)) {
            Some(&(time, after)) => {
                let elapsed = (now - time.saturating_add(delay)).milliseconds();
                after * (-elapsed / self.between.tau_reward).exp()
            }
            None => 0.0,
        }
    }

    /// A synapse after its events up to `until`, and when the last of them was.
    fn advanced(
        &self,
        Synapse { mut state, mut since }: Synapse,
        past: &Past,
        spikes: &[PostSpike],
        delay: Time,
        until: Time,
    ) -> Synapse {
        let (seen, at_synapse) = (past.seen, |time: Time| time.saturating_add(delay));
        let mut reward = self.rewards.partition_point(|(time, _)| at_synapse(*time) <= seen);
        let mut spike = spikes.partition_point(|spike| at_synapse(spike.time) <= seen);
        loop {
            let next_reward = self.rewards.get(reward).map(|(time, _)| at_synapse(*time));
            let next_spike = spikes.get(spike).map(|spike| at_synapse(spike.time));
            let next = [next_reward, next_spike].into_iter().flatten().min();
            let Some(next) = next.filter(|&next| next <= until) else {
                return Synapse { state, since };
            };
            state = self.decayed(Synapse { state, since }, reward, delay, next);
            since = next;
            if next_spike == Some(next) {
                let elapsed = (next - past.spike).milliseconds();
                state[1] += self.amplitude[0] * past.trace * (-elapsed / self.tau[0]).exp();
                spike += 1;
            }
            if next_reward == Some(next) {
                reward += 1;
            }
        }
    }

    /// w and c at `until`, without an event since the last; `rewards` have come before.
    fn decayed(&self, synapse: Synapse, rewards: usize, delay: Time, until: Time) -> [f64; 2] {
        let Synapse { state, since } = synapse;
        if since == LONG_AGO {
            return state;
        }
        let n = self.concentration(rewards, delay, since);
        self.between.elapse(state, n, since, until)
    }

    /// Takes the events up to the segment's time, which is itself one where a spike arrives.
    fn bring_up(&mut self, segment: &mut Segment<'_>, arrives: bool) {
        let past = self.past[segment.index];
        let (delay, until) = (segment.dendritic_delay, segment.time);
        for (place, (&target, weight)) in
            segment.targets.iter().zip(segment.weights.iter_mut()).enumerate()
        {
            let place = segment.first + place;
            let state = [*weight, self.eligibility[place]];
            let synapse = Synapse { state, since: self.since[place] };
            let mut synapse = self.advanced(synapse, &past, self.post.of(target), delay, until);
            if arrives {
                let come = |(time, _): &Reward| time.saturating_add(delay) <= until;
                let rewards = self.rewards.partition_point(come);
                synapse.state = self.decayed(synapse, rewards, delay, until);
                synapse.since = until;
            }
            [*weight, self.eligibility[place]] = synapse.state;
            self.since[place] = synapse.since;
        }
        self.past[segment.index].seen = until;
    }

    /// The postsynaptic trace at `now`, of spikes before it.
    fn post_trace(&self, spikes: &[PostSpike], delay: Time, now: Time) -> f64 {
        let at_synapse = |spike: &PostSpike| spike.time.saturating_add(delay);
        match spikes.iter().rev().find(|spike| at_synapse(spike) < now) {
            Some(last) => {
                let elapsed = (now - at_synapse(last)).milliseconds();
                (last.before[0] + 1.0) * (-elapsed / self.tau[1]).exp()
            }
            None => 0.0,
        }
    }
}

impl LongTerm for Gated {
    fn post_spike(&mut self, target: u32, time: Time) {
        let before = match self.post.of(target).last() {
            Some(last) => {
                let elapsed = (time - last.time).milliseconds();
                (last.before[0] + 1.0) * (-elapsed / self.tau[1]).exp()
            }
            None => 0.0,
        };
        self.post.push(target, PostSpike { time, before: [before, 0.0] });
    }

    fn modulator_spike(&mut self, time: Time) {
        let tau = self.between.tau_reward;
        let jump = 1.0 / tau;
        let after = match self.rewards.last() {
            Some(&(last, after)) => after * (-(time - last).milliseconds() / tau).exp() + jump,
            None => jump,
        };
        self.rewards.push((time, after));
    }

    fn pre_spike(&mut self, segment: &mut Segment<'_>) {
        self.bring_up(segment, true);
        let (now, delay) = (segment.time, segment.dendritic_delay);
        for (place, &target) in segment.targets.iter().enumerate() {
            let trace = self.post_trace(self.post.of(target), delay, now);
            self.eligibility[segment.first + place] -= self.amplitude[1] * trace;
        }
        let past = &mut self.past[segment.index];
        let elapsed = (now - past.spike).milliseconds();
        past.trace = past.trace * (-elapsed / self.tau[0]).exp() + 1.0;
        past.spike = now;
    }

    fn is_full(&self) -> bool {
        self.post.is_full() || self.rewards.len() > REWARDS_KEPT
    }

    fn catch_up(&mut self, segment: &mut Segment<'_>) {
        if self.past[segment.index].seen < segment.time {
            self.bring_up(segment, false);
        }
    }

    fn forget(&mut self, time: Time) {
        let time = time - self.longest_dendritic_delay;
        self.post.forget(time);
        let past = self.rewards.partition_point(|&(reward, _)| reward <= time);
        self.rewards.drain(..past.saturating_sub(1));
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        visitor.over(Over::Segments);
        visitor.times(&mut self.past.iter_mut().map(|past| &mut past.spike));
        visitor.reals(&mut self.past.iter_mut().map(|past| &mut past.trace));
        visitor.times(&mut self.past.iter_mut().map(|past| &mut past.seen));
        visitor.over(Over::Synapses);
        visitor.reals(&mut self.eligibility.iter_mut());
        visitor.times(&mut self.since.iter_mut());
        self.post.visit_state(visitor);
        let mut length = [self.rewards.len() as u32];
        visitor.over(Over::Shared);
        visitor.lengths(&mut length.iter_mut());
        self.rewards.resize(length[0] as usize, (LONG_AGO, 0.0));
        visitor.times(&mut self.rewards.iter_mut().map(|reward| &mut reward.0));
        visitor.reals(&mut self.rewards.iter_mut().map(|reward| &mut reward.1));
    }

    fn reset(&mut self) {
        self.past.fill(NOTHING);
        self.eligibility.fill(0.0);
        self.since.fill(LONG_AGO);
        self.post.clear();
        self.rewards.clear();
    }

    fn bytes(&self) -> u64 {
        let synapses = bytes_of(&self.eligibility) + bytes_of(&self.since);
        bytes_of(&self.past) + synapses + self.post.bytes()
    }
}

/// Reward spikes that are remembered before synapses are caught up.
const REWARDS_KEPT: usize = 4096;

impl SynapseRule for Rule {
    fn spec(&self) -> &'static RuleSpec {
        &SPEC
    }

    fn check(&self, parameters: &[f64]) -> Vec<(&'static str, String)> {
        let (largest, smallest) = (parameters[7], parameters[8]);
        let message = format!("{smallest} is above largest_weight, {largest}");
        (smallest > largest).then_some(("smallest_weight", message)).into_iter().collect()
    }

    fn make(&self, context: RuleContext<'_>) -> Made {
        let given = context.parameters;
        Made::LongTerm(Box::new(Gated {
            tau: [given[0], given[1]],
            amplitude: [given[2], given[3]],
            between: Bounded {
                tau_eligibility: given[4],
                tau_reward: given[5],
                baseline: given[6],
                largest: given[7],
                smallest: given[8],
                interval: Time::from_milliseconds(given[9]).unwrap_or(Time::NEVER),
            },
            longest_dendritic_delay: context.longest_dendritic_delay,
            past: vec![NOTHING; context.segments],
            eligibility: vec![0.0; context.synapses],
            since: vec![LONG_AGO; context.synapses],
            post: History::new(context.targets),
            rewards: Vec::new(),
        }))
    }
}
