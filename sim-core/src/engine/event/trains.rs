//! Poisson input of a window as trains of single neurons.

use crate::engine::source::Stimuli;
use crate::neuron::Trains;
use crate::stimulus::{Drive, FirstTimes, GROUP, Places, WORDS};
use crate::time::{Grid, Time};
use std::ops::Range;

/// Neurons whose trains are made together; a multiple of what counts are drawn for at once.
pub(super) const BLOCK: u32 = 256;

/// Makes trains; see [`Trains`].
#[derive(Debug, Default)]
pub(super) struct TrainMaker {
    pub(super) trains: Trains,
    /// Numbers of spikes `[batch, neuron of the block]`.
    counts: Vec<u32>,
    times: Vec<Time>,
}

/// What one stimulus brings in one step.
struct Batch<'a> {
    seed: u64,
    drive: &'a Drive,
    /// When its spikes are sent, and the end of the step in which they arrive.
    sent: u64,
    end: Time,
}

impl Batch<'_> {
    /// Events that `count` spikes of a neuron are: what comes at the end of a step comes together.
    fn events(&self, count: u32) -> u32 {
        if self.drive.is_exact() { count } else { count.min(1) }
    }
}

impl TrainMaker {
    /// The input that the neurons of a block (local to their population, within one multiple of [`BLOCK`])
    /// receive in some steps.
    pub(super) fn make(
        &mut self,
        stimuli: &Stimuli,
        population: usize,
        neurons: Range<u32>,
        steps: Range<u64>,
        grid: Grid,
    ) {
        let size = neurons.len();
        let (mut batches, mut drives, mut one) = (Vec::new(), 0, None);
        self.counts.clear();
        for (seed, drive) in stimuli.drives(population) {
            drives += 1;
            one = drive.plain().filter(|_| drive.is_exact() && drives == 1).map(|(_, w)| w);
            for step in steps.clone() {
                let Some(sent) = drive.sent_for(step) else {
                    continue;
                };
                let before = self.counts.len();
                self.counts.resize(before + size, 0);
                let counts = &mut self.counts[before..];
                let visit = |neuron, count| counts[(neuron - neurons.start) as usize] = count;
                drive.counts(seed, step, neurons.clone(), visit);
                batches.push(Batch { seed, drive, sent, end: grid.time_of(step) });
            }
        }
        let trains = &mut self.trains;
        trains.starts.clear();
        trains.next.clear();
        trains.times.clear();
        trains.amounts.clear();
        trains.steps.clear();
        if self.counts.iter().all(|&count| count == 0) {
            return;
        }
        trains.starts.resize(size + 1, 0);
        for (batch, counts) in batches.iter().zip(self.counts.chunks_exact(size)) {
            for (start, &count) in trains.starts[1..].iter_mut().zip(counts) {
                *start += batch.events(count);
            }
        }
        for place in 0..size {
            trains.starts[place + 1] += trains.starts[place];
        }
        trains.next.extend_from_slice(&trains.starts[..size]);
        // Behind the last event is room for what nobody reads.
        let events = trains.starts[size] as usize;
        trains.times.resize(events + 1, Time::ZERO);
        trains.amount = one.unwrap_or(0.0);
        if one.is_none() {
            trains.amounts.resize(events, 0.0);
        }
        for (place, batch) in batches.iter().enumerate() {
            let counts = place * size..(place + 1) * size;
            if batch.drive.is_exact() {
                self.put_exact(batch, counts, &neurons, grid);
            } else {
                self.put_at_end(batch, counts, neurons.start);
            }
        }
        let trains = &mut self.trains;
        trains.times.truncate(events);
        trains.next.copy_from_slice(&trains.starts[..size]);
        if drives > 1 {
            self.order();
        } else if one.is_some() {
            let steps = batches.iter().map(|batch| (batch.end - grid.step(), batch.end));
            self.trains.steps.extend(steps);
            std::mem::swap(&mut self.trains.counts, &mut self.counts);
        }
    }

    /// Writes down the spikes of a batch, each at its own time; `counts` says where their numbers are.
    fn put_exact(
        &mut self,
        batch: &Batch<'_>,
        counts: Range<usize>,
        neurons: &Range<u32>,
        grid: Grid,
    ) {
        let (mut places, dt) = (Places::new(batch.seed, batch.sent), grid.step());
        for group in neurons.start / GROUP..neurons.end.div_ceil(GROUP) {
            let own = (group * GROUP).max(neurons.start)..(group * GROUP + GROUP).min(neurons.end);
            let first = (own.start - neurons.start) as usize;
            let numbers = &self.counts[counts.clone()][first..first + own.len()];
            let mut of_group = [0; GROUP as usize];
            let lane = (own.start % GROUP) as usize;
            of_group[lane..lane + own.len()].copy_from_slice(numbers);
            if of_group == [0; GROUP as usize] {
                continue;
            }
            let times = places.first_times(group, &of_group, batch.end, dt);
            for neuron in own {
                let (lane, place) = ((neuron % GROUP) as usize, (neuron - neurons.start) as usize);
                let count = of_group[lane];
                let slot = self.trains.next[place] as usize;
                self.trains.next[place] += count;
                if count <= WORDS {
                    put_first(&mut self.trains.times, slot, count, &times, lane);
                } else {
                    self.times.clear();
                    places.append(neuron, count, batch.end, dt, &mut self.times);
                    self.trains.times[slot..slot + count as usize].copy_from_slice(&self.times);
                }
                if !self.trains.amounts.is_empty() {
                    let weight = batch.drive.weight().get(neuron as usize);
                    self.trains.amounts[slot..slot + count as usize].fill(weight);
                }
            }
        }
    }

    /// Writes down the spikes of a batch, which all arrive at the end of the step.
    fn put_at_end(&mut self, batch: &Batch<'_>, counts: Range<usize>, first: u32) {
        let trains = &mut self.trains;
        for (place, &count) in self.counts[counts].iter().enumerate().filter(|(_, c)| **c > 0) {
            let slot = trains.next[place] as usize;
            trains.next[place] += 1;
            trains.times[slot] = batch.end;
            let weight = batch.drive.weight().get(first as usize + place);
            trains.amounts[slot] = weight * f64::from(count);
        }
    }

    /// Puts the events of each neuron into the order of time; of one time, in that of the stimuli.
    fn order(&mut self) {
        let trains = &mut self.trains;
        for place in 0..trains.next.len() {
            let run = trains.starts[place] as usize..trains.starts[place + 1] as usize;
            let events = trains.times[run.clone()].iter().copied();
            let mut events: Vec<(Time, f64)> =
                events.zip(trains.amounts[run.clone()].iter().copied()).collect();
            events.sort_by_key(|&(time, _)| time);
            for (slot, (time, amount)) in run.zip(events) {
                (trains.times[slot], trains.amounts[slot]) = (time, amount);
            }
        }
    }
}

/// Writes a few times from `slot` on. Without a branch, as nobody can foretell how many they are: what is too much goes
/// behind the last event.
#[inline(always)]
fn put_first(into: &mut [Time], slot: usize, count: u32, times: &FirstTimes, lane: usize) {
    let spare = into.len() - 1;
    for (spike, times) in times.iter().enumerate() {
        let place = if (spike as u32) < count { slot + spike } else { spare };
        into[place] = times[lane];
    }
}
