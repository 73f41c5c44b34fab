//! Whether threads pay: a network is advanced by one thread and by all in turn, and then in the way that is faster.
//!
//! Threads meet behind every epoch. Where an epoch has little work, or where other programs keep a core busy, the
//! meeting costs more than it saves, and how much depends on the machine and the moment: it is measured.
//! Results do not depend on it.
//!
//! The two ways do different steps, and in many networks steps differ: what is compared is the time for as much
//! *load*, which steps and spikes make.

use super::super::Compiled;
use crate::recording::Counters;
use std::time::Duration;

/// How long the network is advanced before it is asked again.
const SLICE: Duration = Duration::from_millis(20);

/// How long the other way is tried.
const TRIAL: Duration = Duration::from_millis(4);

/// Slices between two trials later; in the beginning there are more.
const TRIED_EVERY: u64 = 32;

/// Nanoseconds that a step costs a neuron, and a spike a synapse: in the narrow form, in the wide one, and of a
/// synapse that learns. Only their proportions matter, and these roughly.
const OF_NEURON: [f64; 2] = [0.3, 5.0];
const OF_SYNAPSE: [f64; 3] = [1.0, 5.0, 15.0];

/// The load of a network so far.
#[derive(Debug)]
pub(super) struct Load {
    /// Of a step.
    step: f64,
    /// Of a spike's synapse, by source population.
    synapse: Vec<f64>,
    /// Of the spikes that were sent in the last epoch: most arrive in the next.
    sent: f64,
    total: f64,
}

impl Load {
    pub(super) fn new(compiled: &Compiled) -> Load {
        let (network, connectome) = (&compiled.network, &compiled.connectome);
        let narrow = connectome.narrow();
        let is_narrow = |population: usize| {
            narrow.is_some_and(|narrow| narrow.populations()[population].is_some())
        };
        let neurons = network.populations().values().enumerate();
        let step = neurons.map(|(index, population)| {
            OF_NEURON[usize::from(!is_narrow(index))] * f64::from(population.size())
        });
        let mut synapses = vec![(0.0, 0.0); network.populations().len()];
        for (fanout, projection) in connectome.fanouts().iter().zip(network.projections().values())
        {
            let kind = match projection.rules.is_empty() {
                true => usize::from(!is_narrow(projection.target)),
                false => 2,
            };
            let (count, own) = (fanout.synapse_count() as f64, &mut synapses[projection.source]);
            *own = (own.0 + count * OF_SYNAPSE[kind], own.1 + count);
        }
        let mean = |&(cost, count): &(f64, f64)| if count > 0.0 { cost / count } else { 0.0 };
        let synapse = synapses.iter().map(mean).collect();
        Load { step: step.sum(), synapse, sent: 0.0, total: 0.0 }
    }

    /// The load of all spikes that were counted.
    pub(super) fn of_spikes(&self, counters: &Counters) -> f64 {
        let events = counters.population_operations.iter().zip(&self.synapse);
        events.map(|(&count, cost)| count as f64 * cost).sum()
    }

    /// An epoch of so many steps was done, in which spikes of this load were sent.
    pub(super) fn add_epoch(&mut self, steps: u64, sent: f64) {
        self.total += steps as f64 * self.step + std::mem::replace(&mut self.sent, sent);
    }

    pub(super) fn total(&self) -> f64 {
        self.total
    }
}

/// What the two ways cost.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Seconds for a load when it was last tried: of one thread, of all.
    costs: [Option<f64>; 2],
    /// Load of a step in the last slice.
    load: f64,
    /// Slices done.
    slices: u64,
}

impl Pace {
    /// Whether all threads advance the network next, and for how many steps, a multiple of `epoch`.
    pub(super) fn next(&self, epoch: u64) -> (bool, u64) {
        let [alone, together] = self.costs;
        let Some(alone) = alone else {
            return (false, epoch);
        };
        let (all, span) = match (together, self.slices) {
            // The first epoch was done with cold caches: one thread is tried once more.
            (Some(_), ..3) => (false, TRIAL),
            (None, _) => (true, TRIAL),
            (Some(together), slices)
                if slices.is_power_of_two() || slices.is_multiple_of(TRIED_EVERY) =>
            {
                (together >= alone, TRIAL)
            }
            (Some(together), _) => (together < alone, SLICE),
        };
        let cost = if all { together.unwrap_or(alone) } else { alone };
        let steps = (span.as_secs_f64() / (cost * self.load).max(1e-9)) as u64;
        (all, steps.max(1).next_multiple_of(epoch))
    }

    /// Notes how long so many steps with so much load took.
    pub(super) fn took(&mut self, all: bool, steps: u64, load: f64, time: Duration) {
        self.costs[usize::from(all)] = Some(time.as_secs_f64() / load.max(f64::MIN_POSITIVE));
        self.load = load / steps.max(1) as f64;
        self.slices += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The share of the steps that all threads do where one takes `alone` for a step and all `together`.
    fn share(alone: Duration, together: Duration) -> f64 {
        let (mut pace, mut steps) = (Pace::default(), [0_u64; 2]);
        for _ in 0..200 {
            let (all, count) = pace.next(4);
            assert!(count > 0 && count.is_multiple_of(4));
            steps[usize::from(all)] += count;
            pace.took(all, count, count as f64, count as u32 * if all { together } else { alone });
        }
        steps[1] as f64 / (steps[0] + steps[1]) as f64
    }

    #[test]
    fn spikes_are_load_of_the_epoch_behind_theirs() {
        let mut load = Load { step: 2.0, synapse: vec![5.0, 1.0], sent: 0.0, total: 0.0 };
        let mut counters = Counters::new(2);
        counters.population_operations = vec![10, 3];
        assert_eq!(load.of_spikes(&counters), 53.0);
        load.add_epoch(4, 53.0);
        assert_eq!(load.total(), 8.0);
        load.add_epoch(4, 0.0);
        assert_eq!(load.total(), 69.0);
    }

    #[test]
    fn nearly_all_steps_go_the_faster_way() {
        let (short, long) = (Duration::from_micros(3), Duration::from_micros(40));
        assert!(share(long, short) > 0.97);
        assert!(share(short, long) < 0.03);
    }

    /// Steps of a network that bursts: one in four has fifty times the load, and is often the only one of a trial.
    #[test]
    fn threads_that_pay_are_kept_where_steps_differ() {
        let (mut pace, mut step, mut steps) = (Pace::default(), 0_u64, [0_u64; 2]);
        for _ in 0..300 {
            let (all, count) = pace.next(1);
            let load: u64 = (step..step + count).map(|s| if s % 4 == 0 { 50 } else { 1 }).sum();
            (step, steps[usize::from(all)]) = (step + count, steps[usize::from(all)] + count);
            let micros = load * if all { 55 } else { 100 };
            pace.took(all, count, load as f64, Duration::from_micros(micros));
        }
        assert!(steps[1] > 20 * steps[0], "{steps:?}");
    }

    #[test]
    fn the_way_changes_when_the_machine_does() {
        let mut pace = Pace::default();
        let mut last = true;
        for slice in 0..100 {
            let (all, steps) = pace.next(1);
            // Another program takes the second core in slice 40.
            let micros = if !all {
                10
            } else if slice < 40 {
                6
            } else {
                300
            };
            pace.took(all, steps, steps as f64, Duration::from_micros(micros * steps));
            if slice == 39 {
                assert!(all);
            }
            last = all;
        }
        assert!(!last);
    }
}
