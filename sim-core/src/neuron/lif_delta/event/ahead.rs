//! Poisson input ahead of its time.
//!
//! Input that only raises the potential may be added at the beginning of the step in which it comes: with it the
//! potential is nowhere lower than without, so that a neuron that stays below its threshold through the step
//! makes no spike. That is looked at at the beginning of the step and whenever a row brings something. Where the
//! threshold is reached, what lies behind that time is taken back, exactly (see [`super::grain`]), and the
//! neuron goes on input by input. So most of a neuron's own input costs a sum, and no branch depends on
//! when it comes.

use super::grain::rounded;
use super::{EventState, growth, origin_of};
use crate::neuron::inbox::Inbox;
use crate::neuron::rows::Trains;
use crate::time::Time;

/// Neurons of a block to which the input of a step was given ahead.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// The step, among those of the trains.
    step: usize,
    /// A bit for each neuron of the block.
    neurons: Vec<u64>,
    /// What a neuron's events add to its distance: the sum of those before event i of the block's neuron n is at
    /// i + n, and the sum of all at the end of its run.
    sums: Vec<f64>,
}

impl Ahead {
    fn has(&self, place: usize) -> bool {
        self.neurons.get(place / 64).is_some_and(|bits| bits >> (place % 64) & 1 != 0)
    }

    /// What events `from` to `to` of a neuron add.
    #[inline(always)]
    fn sum(&self, place: usize, from: usize, to: usize) -> f64 {
        self.sums[to + place] - self.sums[from + place]
    }
}

impl EventState {
    /// Whether trains may be taken ahead, step by step; their sums are computed.
    pub(super) fn prepare_ahead(&mut self, first: usize, trains: &Trains) -> bool {
        self.ahead.neurons.clear();
        if trains.steps.is_empty() || trains.amount < 0.0 {
            return false;
        }
        let size = trains.next.len();
        self.ahead.sums.clear();
        self.ahead.sums.resize(trains.times.len() + size, 0.0);
        for place in 0..size {
            let rounder = self.grains.get(first + place);
            let run = trains.starts[place] as usize..trains.starts[place + 1] as usize;
            let times = &trains.times[run.clone()];
            let sums = &mut self.ahead.sums[run.start + place..=run.end + place];
            let (mut sum, mut before, mut amount, mut last) = (0.0, 0.0, 0.0, Time::NEVER);
            for (event, (&time, e)) in times.iter().zip(&self.growths[run]).enumerate() {
                // What comes at one time is summed before it is rounded.
                (before, amount) = if time == last { (before, amount) } else { (sum, 0.0) };
                amount += trains.amount;
                sum = before + rounded(amount * e, rounder);
                sums[event + 1] = sum;
                last = time;
            }
        }
        true
    }

    /// Gives the neurons that surely do not spike by it the input of a step that comes within them.
    pub(super) fn go_ahead(&mut self, first: usize, step: usize, trains: &Trains) {
        let (begin, end) = trains.steps[step];
        let (period, rate) = self.periods.get(0);
        let e = growth(begin - origin_of(end, period), rate);
        let counts = trains.counts_of(step);
        self.ahead.step = step;
        self.ahead.neurons.clear();
        for (word, counts) in counts.chunks(64).enumerate() {
            let mut bits = 0;
            for (bit, &count) in counts.iter().enumerate() {
                let place = 64 * word + bit;
                let next = trains.next[place] as usize;
                let input = self.ahead.sum(place, next, next + count as usize);
                let cell = &mut self.cells[first + place];
                // Quick through the whole step, and so in the period in which it ends.
                let goes = (cell.quick_until > end) & (cell.distance + input < cell.reach * e);
                cell.distance += if goes { input } else { 0.0 };
                let own = if next < trains.starts[place + 1] as usize {
                    trains.times[next]
                } else {
                    Time::NEVER
                };
                cell.own = if goes { Time::NEVER } else { own };
                bits |= u64::from(goes) << bit;
            }
            self.ahead.neurons.push(bits);
        }
    }

    /// The end of the step: those that went ahead are there, the others take what is left of it.
    pub(super) fn catch_up(&mut self, inbox: &mut Inbox, first: usize, trains: &mut Trains) {
        let step = self.ahead.step;
        let behind = trains.steps[step].1.saturating_add(Time(1));
        let ahead = std::mem::take(&mut self.ahead.neurons);
        let size = trains.next.len();
        for (word, &bits) in ahead.iter().enumerate() {
            let places = 64 * word..size.min(64 * word + 64);
            for place in places.clone() {
                let went = (bits >> (place % 64) & 1) as u32;
                trains.next[place] += went * trains.counts_of(step)[place];
            }
            let mut left = !bits;
            while left != 0 {
                let place = places.start + left.trailing_zeros() as usize;
                left &= left - 1;
                if place < places.end {
                    self.take_train(inbox, first, place, trains, behind);
                }
            }
        }
        self.ahead.neurons = ahead;
        self.ahead.neurons.clear();
    }

    /// Takes back what was given ahead and comes behind `time`, if anything was; from then on the neuron takes
    /// its input event by event.
    pub(super) fn take_back(
        &mut self,
        first: usize,
        neuron: usize,
        time: Time,
        trains: &mut Trains,
    ) {
        let place = neuron - first;
        if !self.ahead.has(place) {
            return;
        }
        let next = trains.next[place] as usize;
        let end = next + trains.counts_of(self.ahead.step)[place] as usize;
        let split = next + trains.times[next..end].partition_point(|&own| own <= time);
        self.cells[neuron].distance -= self.ahead.sum(place, split, end);
        self.ahead.neurons[place / 64] &= !(1 << (place % 64));
        trains.next[place] = split as u32;
        self.await_own(first, place, trains);
    }
}
