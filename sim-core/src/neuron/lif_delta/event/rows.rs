//! The input of a window by rows, and by trains of single neurons.

use super::grain::rounded;
use super::{EventState, growth, origin_of};
use crate::network::RefractoryInput;
use crate::neuron::inbox::{Inbox, accept_at};
use crate::neuron::rows::{Row, RowNeurons, Trains};
use crate::time::Time;
use kernels::{Loop, prefetch};
use std::ops::Range;

impl RowNeurons for EventState {
    fn take(
        &mut self,
        inbox: &mut Inbox,
        block: Range<u32>,
        rows: &mut [Row<'_>],
        trains: &mut Trains,
    ) {
        let first = block.start as usize;
        self.grow(trains);
        self.sums.resize(block.len(), 0.0);
        for place in 0..trains.next.len() {
            self.await_own(first, place, trains);
        }
        let mut walked = 0;
        if self.prepare_ahead(first, trains) {
            for step in 0..trains.steps.len() {
                let (begin, end) = trains.steps[step];
                walked = self.walk(inbox, &block, (rows, walked), begin, trains);
                self.go_ahead(first, step, trains);
                walked = self.walk(inbox, &block, (rows, walked), end, trains);
                self.catch_up(inbox, first, trains);
            }
        }
        self.walk(inbox, &block, (rows, walked), Time::NEVER, trains);
        for place in 0..trains.next.len() {
            self.take_train(inbox, first, place, trains, Time::NEVER);
        }
    }
}

/// Rows whose synapses are asked for before they are walked.
const AHEAD: usize = 6;

/// e of the times of events, which lie in this many periods from the first on.
struct Growths<'a> {
    times: &'a [Time],
    growths: &'a mut [f64],
    first: Time,
    period: Time,
    periods: i64,
    rate: f64,
}

impl Loop for Growths<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (first, rate) = (self.first.0, self.rate);
        if self.periods <= 2 {
            // Nearly always; this loop becomes vector code.
            let second = first.saturating_add(self.period.0);
            for (time, slot) in self.times.iter().zip(self.growths) {
                let origin = if time.0 > second { second } else { first };
                *slot = growth(Time(time.0 - origin), rate);
            }
            return;
        }
        for (time, slot) in self.times.iter().zip(self.growths) {
            *slot = growth(*time - origin_of(*time, self.period), rate);
        }
    }
}

impl EventState {
    /// Computes e of all events of trains.
    fn grow(&mut self, trains: &Trains) {
        let (period, rate) = self.periods.get(0);
        self.growths.clear();
        self.growths.resize(trains.times.len(), 0.0);
        let least = trains.times.iter().min().copied().unwrap_or(Time::ZERO);
        let most = trains.times.iter().max().copied().unwrap_or(Time::ZERO);
        let first = origin_of(least, period);
        let periods = (origin_of(most, period) - first).0 / period.0 + 1;
        let (times, growths) = (trains.times.as_slice(), self.growths.as_mut_slice());
        self.instructions.run(Growths { times, growths, first, period, periods, rate });
    }

    /// Notes when a neuron's next own input comes.
    #[inline]
    pub(super) fn await_own(&mut self, first: usize, place: usize, trains: &Trains) {
        let next = trains.peek(place).map_or(Time::NEVER, |(time, _)| time);
        self.cells[first + place].own = next;
    }

    /// Walks the rows up to a time, from the one of this number on; the number of the next.
    fn walk(
        &mut self,
        inbox: &mut Inbox,
        block: &Range<u32>,
        (rows, from): (&mut [Row<'_>], usize),
        until: Time,
        trains: &mut Trains,
    ) -> usize {
        let mut index = from;
        while let Some(row) = rows.get(index).filter(|row| row.time <= until) {
            let time = row.time;
            let count = rows[index..].iter().take_while(|row| row.time == time).count();
            if let Some(ahead) = rows.get(index + AHEAD) {
                prefetch(ahead.targets, ahead.next);
            }
            match &mut rows[index..index + count] {
                [row] if row.distinct => self.take_row(inbox, block, row, trains),
                together => self.take_together(inbox, block, together, trains),
            }
            index += count;
        }
        index
    }

    /// A row that nothing shares its time with.
    fn take_row(
        &mut self,
        inbox: &mut Inbox,
        block: &Range<u32>,
        row: &mut Row<'_>,
        trains: &mut Trains,
    ) {
        let (time, first) = (row.time, block.start as usize);
        let e = self.growth_of(row);
        let end = block.end.saturating_add(row.first);
        let mut index = row.next;
        while let Some(&target) = row.targets.get(index).filter(|&&target| target < end) {
            let (neuron, amount) = ((target - row.first) as usize, row.amount(index));
            index += 1;
            self.take_one(inbox, first, neuron, (time, e), amount, trains);
        }
        row.next = index;
    }

    /// Rows of one time, or one with several synapses onto a neuron: their input is summed first.
    fn take_together(
        &mut self,
        inbox: &mut Inbox,
        block: &Range<u32>,
        rows: &mut [Row<'_>],
        trains: &mut Trains,
    ) {
        let (time, first) = (rows[0].time, block.start as usize);
        let e = self.growth_of(&mut rows[0]);
        let mut summed = std::mem::take(&mut self.summed);
        summed.clear();
        summed.resize(block.len().div_ceil(64), 0);
        for row in rows {
            let end = block.end.saturating_add(row.first);
            let mut index = row.next;
            while let Some(&target) = row.targets.get(index).filter(|&&target| target < end) {
                let place = (target - row.first) as usize - first;
                self.sums[place] += row.amount(index);
                summed[place / 64] |= 1 << (place % 64);
                index += 1;
            }
            row.next = index;
        }
        for (word, &bits) in summed.iter().enumerate() {
            let mut bits = bits;
            while bits != 0 {
                let place = 64 * word + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let sum = std::mem::take(&mut self.sums[place]);
                self.take_one(inbox, first, first + place, (time, e), sum, trains);
            }
        }
        self.summed = summed;
    }

    /// e of a row's time, which the row keeps from block to block.
    #[inline]
    fn growth_of(&self, row: &mut Row<'_>) -> f64 {
        *row.kept.get_or_insert_with(|| {
            let (period, rate) = self.periods.get(0);
            growth(row.time - origin_of(row.time, period), rate)
        })
    }

    /// All that rows bring a neuron at one time, whose e is known.
    #[inline(always)]
    fn take_one(
        &mut self,
        inbox: &mut Inbox,
        first: usize,
        neuron: usize,
        (time, e): (Time, f64),
        amount: f64,
        trains: &mut Trains,
    ) {
        if self.cells[neuron].own < time {
            self.take_train(inbox, first, neuron - first, trains, time);
        }
        let change = rounded(amount * e, self.grains.get(neuron));
        let cell = &mut self.cells[neuron];
        if time < cell.quick_until && time != cell.own {
            let (distance, reach) = (cell.distance + change, cell.reach * e);
            cell.distance = distance;
            if distance >= reach {
                self.reach_quickly(inbox, first, neuron, (time, e), trains);
            }
        } else {
            self.take_slowly(inbox, first, neuron, time, amount, trains);
        }
    }

    /// A neuron is at its threshold, exactly or beyond, perhaps by input of its own ahead of its time.
    #[cold]
    #[inline(never)]
    fn reach_quickly(
        &mut self,
        inbox: &mut Inbox,
        first: usize,
        neuron: usize,
        (time, e): (Time, f64),
        trains: &mut Trains,
    ) {
        self.take_back(first, neuron, time, trains);
        let cell = &self.cells[neuron];
        if self.reaches(cell.distance, cell.reach * e) {
            self.fire(neuron, time);
            inbox.spike(time, neuron as u32, 1);
        }
    }

    /// Input behind all of a neuron's own before, to which what comes at the same time is added.
    #[inline(never)]
    fn take_slowly(
        &mut self,
        inbox: &mut Inbox,
        first: usize,
        neuron: usize,
        time: Time,
        mut amount: f64,
        trains: &mut Trains,
    ) {
        let place = neuron - first;
        if self.cells[neuron].own == time {
            while let Some((_, more)) = trains.peek(place).filter(|(own, _)| *own == time) {
                amount += more;
                trains.next[place] += 1;
            }
            self.await_own(first, place, trains);
        }
        self.accept(inbox, neuron, time, amount);
    }

    /// All input of one time; what meets the refractory time and is lost changes nothing.
    fn accept(&mut self, inbox: &mut Inbox, neuron: usize, time: Time, amount: f64) {
        let rest = &self.rest[neuron];
        let lost = matches!(self.constants.refractory_input, RefractoryInput::Lost);
        if !(lost && rest.held && time <= rest.held_until) {
            accept_at(self, inbox, neuron, time, amount);
        }
    }

    /// A neuron's own input before `time`.
    pub(super) fn take_train(
        &mut self,
        inbox: &mut Inbox,
        first: usize,
        place: usize,
        trains: &mut Trains,
        time: Time,
    ) {
        let neuron = first + place;
        let Some(end) = trains.starts.get(place + 1).map(|&end| end as usize) else {
            return;
        };
        let mut next = trains.next[place] as usize;
        while let Some(&own) = trains.times[..end].get(next).filter(|&&own| own < time) {
            let (e, mut amount) = (self.growths[next], trains.amount_of(next));
            next += 1;
            while trains.times[..end].get(next) == Some(&own) {
                amount += trains.amount_of(next);
                next += 1;
            }
            let change = rounded(amount * e, self.grains.get(neuron));
            let cell = &mut self.cells[neuron];
            if own < cell.quick_until {
                let (distance, reach) = (cell.distance + change, cell.reach * e);
                cell.distance = distance;
                if self.reaches(distance, reach) {
                    self.fire(neuron, own);
                    inbox.spike(own, neuron as u32, 1);
                }
            } else {
                self.accept(inbox, neuron, own, amount);
            }
        }
        trains.next[place] = next as u32;
        self.await_own(first, place, trains);
    }
}
