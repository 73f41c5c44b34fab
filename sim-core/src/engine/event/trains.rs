//! Poisson input of a window as trains of single neurons.

use crate::engine::source::Stimuli;
use crate::neuron::Trains;
use crate::stimulus::{Drive, Places};
use crate::time::{Grid, Time};
use std::ops::Range;

/// Neurons whose trains are made together; a multiple of what counts are drawn for at once.
pub(super) const BLOCK: u32 = 256;

/// Makes trains; see [`Trains`].
#[derive(Debug, Default)]
pub(super) struct TrainMaker {
    pub(super) trains: Trains,
    /// Events in the order in which they are drawn: neuron of the block, when, how much.
    places: Vec<u32>,
    times: Vec<Time>,
    amounts: Vec<f64>,
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
        self.places.clear();
        self.times.clear();
        self.amounts.clear();
        let mut drives = 0;
        let mut one = None;
        for (seed, drive) in stimuli.drives(population) {
            drives += 1;
            one = drive.plain().filter(|_| drive.is_exact() && drives == 1).map(|(_, w)| w);
            for step in steps.clone() {
                self.draw(seed, drive, &neurons, step, grid);
            }
        }
        let trains = &mut self.trains;
        trains.starts.clear();
        trains.next.clear();
        trains.times.clear();
        trains.amounts.clear();
        if self.places.is_empty() {
            return;
        }
        // Sorted by neuron, in the order in which they were drawn.
        let size = neurons.len();
        trains.starts.resize(size + 1, 0);
        for &place in &self.places {
            trains.starts[place as usize + 1] += 1;
        }
        for place in 0..size {
            trains.starts[place + 1] += trains.starts[place];
        }
        trains.next.extend_from_slice(&trains.starts[..size]);
        trains.times.resize(self.times.len(), Time::ZERO);
        trains.amount = one.unwrap_or(0.0);
        if one.is_none() {
            trains.amounts.resize(self.times.len(), 0.0);
        }
        for (event, &place) in self.places.iter().enumerate() {
            let slot = &mut trains.next[place as usize];
            trains.times[*slot as usize] = self.times[event];
            if one.is_none() {
                trains.amounts[*slot as usize] = self.amounts[event];
            }
            *slot += 1;
        }
        trains.next.copy_from_slice(&trains.starts[..size]);
        if drives > 1 {
            self.order();
        }
    }

    /// What one stimulus brings in one step.
    fn draw(&mut self, seed: u64, drive: &Drive, neurons: &Range<u32>, step: u64, grid: Grid) {
        let Some(sent) = drive.sent_for(step) else {
            return;
        };
        let (end, first) = (grid.time_of(step), neurons.start);
        let mut places = Places::new(seed, sent);
        let (targets, times, amounts) = (&mut self.places, &mut self.times, &mut self.amounts);
        let visit = |neuron: u32, count: u32| {
            let (before, weight) = (times.len(), drive.weight().get(neuron as usize));
            if drive.is_exact() {
                places.append(neuron, count, end, grid.step(), times);
                amounts.resize(times.len(), weight);
            } else {
                times.push(end);
                amounts.push(weight * f64::from(count));
            }
            targets.extend(std::iter::repeat_n(neuron - first, times.len() - before));
        };
        drive.counts(seed, step, neurons.clone(), visit);
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
