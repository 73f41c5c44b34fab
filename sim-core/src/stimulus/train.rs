//! Spike trains that follow a rule of their own: each neuron's next spike from the one before.

use crate::random::{Purpose, Stream};
use crate::time::Time;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The spike trains of a source population.
pub trait Train: std::fmt::Debug + Send + Sync {
    /// The trains from their beginning; the same for the same seed.
    fn start(&self, seed: u64) -> Box<dyn Running>;
}

/// Spike trains on their way.
pub trait Running: std::fmt::Debug + Send + Sync {
    /// When the next spike may come; `None`: never again.
    fn next_time(&self) -> Option<Time>;

    /// Appends the spikes up to and including `until`: (time, neuron), by (time, neuron).
    fn take(&mut self, until: Time, spikes: &mut Vec<(Time, u32)>);
}

/// A renewal process: intervals are drawn independently of each other.
pub(super) trait Renewal: std::fmt::Debug + Send + Sync {
    /// Number of neurons.
    fn size(&self) -> u32;

    /// The time of a neuron's first spike (ms); `None`: it never spikes.
    fn first(&self, neuron: u32, stream: &mut Stream) -> Option<f64>;

    /// The interval to the next spike (ms).
    fn interval(&self, neuron: u32, stream: &mut Stream) -> f64;

    /// When the trains end.
    fn stop(&self) -> Time;
}

/// Draws of one interval have so many counters to themselves.
const COUNTERS_BITS: u32 = 20;

/// A renewal process on its way.
#[derive(Debug)]
pub(super) struct RunningRenewal<R> {
    law: R,
    seed: u64,
    /// Next spike of each neuron that spikes.
    next: BinaryHeap<Reverse<(Time, u32)>>,
    /// Spikes of each neuron so far.
    counts: Vec<u64>,
}

impl<R: Renewal> RunningRenewal<R> {
    pub(super) fn new(law: R, seed: u64) -> Self {
        let size = law.size();
        let counts = vec![0; size as usize];
        let mut running = RunningRenewal { law, seed, next: BinaryHeap::new(), counts };
        for neuron in 0..size {
            let first = running.law.first(neuron, &mut running.stream(neuron));
            running.schedule(neuron, Time::ZERO, first);
        }
        running
    }

    fn stream(&self, neuron: u32) -> Stream {
        let spike = self.counts.get(neuron as usize).copied().unwrap_or(0);
        Stream::new(self.seed, Purpose::Poisson, neuron, 0).starting_at(spike << COUNTERS_BITS)
    }

    /// Puts a neuron's next spike into the queue, at least a femtosecond after `from`.
    fn schedule(&mut self, neuron: u32, from: Time, wait: Option<f64>) {
        let Some(wait) = wait.and_then(Time::from_milliseconds) else {
            return;
        };
        let time = from.saturating_add(wait.max(Time(1)));
        if time <= self.law.stop() && time < Time::NEVER {
            self.next.push(Reverse((time, neuron)));
        }
    }
}

impl<R: Renewal> Running for RunningRenewal<R> {
    fn next_time(&self) -> Option<Time> {
        self.next.peek().map(|Reverse((time, _))| *time)
    }

    fn take(&mut self, until: Time, spikes: &mut Vec<(Time, u32)>) {
        while self.next_time().is_some_and(|time| time <= until) {
            let Some(Reverse((time, neuron))) = self.next.pop() else {
                return;
            };
            spikes.push((time, neuron));
            self.counts[neuron as usize] += 1;
            let interval = self.law.interval(neuron, &mut self.stream(neuron));
            self.schedule(neuron, time, Some(interval));
        }
    }
}
