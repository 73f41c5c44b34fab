//! The neurons from event to event.
//!
//! The distance of V from V∞ is kept as it was at an *origin*, a multiple of a period that all neurons with this
//! time constant share: V(t) = V∞ + u exp(−(t − origin)/τ). An input of weight w at t adds w·e to u, and
//! V has reached the threshold when u ≥ (θ − V∞)·e, with e = exp((t − origin)/τ): one exponential for all
//! targets of a spike, then a product, a sum and a comparison for each. At the first event in a later
//! period u is brought to its origin. So a neuron's bits are a function of its own input, whatever the others do.
//! All u are multiples of a grain, so that their sums are exact.
//!
//! A lower bound of the potential keeps this form: only input and a V∞ below the bound lead below it, and
//! from there V goes to the bound and rests. So V is the larger of the bound and of V(t), and an input
//! begins anew from that.

mod ahead;
mod grain;
mod rows;

use self::ahead::Ahead;
use self::grain::{Grains, rounded};
use super::{Constants, LOWEST, TAU};
use crate::network::SpikeCondition;
use crate::neuron::bounds::is_bounded;
use crate::neuron::model::{Column, EventNeurons, LoweredNeurons, StateVisitor, bytes_of};
use crate::neuron::rows::RowNeurons;
use crate::time::Time;
use kernels::Instructions;
use kernels::real::exp;

/// Periods in a time constant: exponents stay below a quarter.
const PERIODS: f64 = 4.0;

/// A bound on the potential this close to the threshold [relative to the way it still can go] is
/// not trusted to rule a spike out: the time found may be off by its rounding.
const MARGIN: f64 = 1e-9;

/// No input is quick to take.
const NEVER_QUICK: Time = Time(i64::MIN);

/// What most inputs need of a neuron.
#[derive(Debug, Clone, Copy)]
struct Cell {
    /// u.
    distance: f64,
    /// θ − V∞.
    reach: f64,
    /// Input before this time meets a neuron that is free, in the period of its origin, and spikes by input alone.
    quick_until: Time,
    /// When the next input of its own comes.
    own: Time,
}

/// The rest.
#[derive(Debug, Clone, Copy)]
struct Rest {
    origin: Time,
    /// V∞.
    limit: f64,
    /// Time of the last event, or where the neuron spikes by input alone, of the last but input.
    last: Time,
    /// End of the refractory time, while it is held or was not touched since.
    held_until: Time,
    held: bool,
    /// Jump of the potential at that time.
    waiting: f64,
    /// When it spikes because it is beyond the threshold already.
    beyond: Time,
}

pub(super) struct EventState {
    constants: Constants,
    refractory: Vec<Time>,
    /// Length of a period, and 1/τ [1/ms]; of each neuron, or the same for all.
    periods: Paces,
    grains: Grains,
    cells: Vec<Cell>,
    rest: Vec<Rest>,
    /// Whether some neuron has a lower bound of its potential.
    bounded: bool,
    instructions: Instructions,
    /// e of the events of a block's trains.
    growths: Vec<f64>,
    /// Sums of input of one time, of the neurons of a block, and a bit for each that has one.
    sums: Vec<f64>,
    summed: Vec<u64>,
    ahead: Ahead,
}

/// Period and rate, one for all or one each.
#[derive(Debug)]
enum Paces {
    One(Time, f64),
    Each(Vec<(Time, f64)>),
}

impl Paces {
    fn new(tau: &Column) -> Self {
        let of = |tau: f64| {
            let period = Time::from_milliseconds(tau / PERIODS).unwrap_or(Time::NEVER);
            (period.max(Time(1)), 1.0 / tau)
        };
        match tau {
            Column::One(tau) => {
                let (period, rate) = of(*tau);
                Paces::One(period, rate)
            }
            Column::Each(taus) => Paces::Each(taus.iter().map(|&tau| of(tau)).collect()),
        }
    }

    #[inline]
    fn get(&self, neuron: usize) -> (Time, f64) {
        match self {
            Paces::One(period, rate) => (*period, *rate),
            Paces::Each(each) => each[neuron],
        }
    }
}

/// The origin of the period (origin, origin + period] that a time lies in.
fn origin_of(time: Time, period: Time) -> Time {
    Time((time.0 - 1).max(0) / period.0 * period.0)
}

/// e of the module.
#[inline(always)]
fn growth(span: Time, rate: f64) -> f64 {
    exp(span.milliseconds() * rate)
}

impl EventState {
    pub(super) fn new(neurons: &LoweredNeurons) -> Self {
        let constants = Constants::new(neurons);
        let span = |t: &f64| Time::from_milliseconds(*t).unwrap_or(Time::NEVER);
        let mut state = EventState {
            refractory: constants.refractory.iter().map(span).collect(),
            periods: Paces::new(&neurons.parameters[TAU]),
            grains: Grains::new(neurons, &constants),
            cells: Vec::new(),
            rest: Vec::new(),
            bounded: is_bounded(neurons, LOWEST),
            instructions: Instructions::widest(),
            growths: Vec::new(),
            sums: Vec::new(),
            summed: Vec::new(),
            ahead: Ahead::default(),
            constants,
        };
        state.restart();
        state
    }

    fn restart(&mut self) {
        let c = &self.constants;
        let limits = c.rest.iter().map(|&limit| Rest {
            origin: Time::ZERO,
            limit,
            last: Time::ZERO,
            held_until: Time::ZERO,
            held: false,
            waiting: 0.0,
            beyond: Time::NEVER,
        });
        self.rest = limits.collect();
        let cells = c.initial.iter().zip(c.rest.iter().zip(&c.threshold)).enumerate();
        let cells = cells.map(|(neuron, (&initial, (&limit, &threshold)))| Cell {
            distance: rounded(self.lifted(neuron, initial) - limit, self.grains.get(neuron)),
            reach: threshold - limit,
            quick_until: NEVER_QUICK,
            own: Time::NEVER,
        });
        self.cells = cells.collect();
        for neuron in 0..self.cells.len() {
            if self.reaches(self.cells[neuron].distance, self.cells[neuron].reach) {
                self.rest[neuron].beyond = Time(1);
            }
            self.settle_quickness(neuron);
        }
    }

    fn reaches(&self, distance: f64, reach: f64) -> bool {
        match self.constants.spike {
            SpikeCondition::AtOrAbove => distance >= reach,
            SpikeCondition::Above => distance > reach,
        }
    }

    /// Until when input is quick to take, own input left aside.
    fn settle_quickness(&mut self, neuron: usize) {
        let (rest, cell) = (&self.rest[neuron], &self.cells[neuron]);
        let slow = rest.held || cell.reach < 0.0 || rest.beyond < Time::NEVER;
        let end = rest.origin.saturating_add(self.periods.get(neuron).0).saturating_add(Time(1));
        self.cells[neuron].quick_until = if slow { NEVER_QUICK } else { end };
    }

    /// Says what the distance from V∞ is at a time.
    fn set_distance(&mut self, neuron: usize, time: Time, distance: f64) {
        let (period, rate) = self.periods.get(neuron);
        let origin = origin_of(time, period);
        self.rest[neuron].origin = origin;
        self.rest[neuron].last = time;
        let distance_then = distance * growth(time - origin, rate);
        self.cells[neuron].distance = rounded(distance_then, self.grains.get(neuron));
        let beyond = self.reaches(distance, self.cells[neuron].reach);
        self.rest[neuron].beyond = if beyond { time.saturating_add(Time(1)) } else { Time::NEVER };
    }

    /// A potential, or the bound below which it does not fall.
    #[inline]
    fn lifted(&self, neuron: usize, potential: f64) -> f64 {
        if self.bounded { potential.max(self.constants.lowest.get(neuron)) } else { potential }
    }

    /// The distance from V∞ at the end of the refractory time.
    fn released(&self, neuron: usize) -> f64 {
        let rest = &self.rest[neuron];
        self.lifted(neuron, self.constants.reset.get(neuron) + rest.waiting) - rest.limit
    }

    /// Ends a refractory time.
    fn release(&mut self, neuron: usize) {
        let distance = self.released(neuron);
        let rest = &mut self.rest[neuron];
        let held_until = rest.held_until;
        (rest.held, rest.waiting) = (false, 0.0);
        self.set_distance(neuron, held_until, distance);
    }

    /// Brings a free neuron to the origin of the period that `time` lies in.
    #[inline]
    fn rebase(&mut self, neuron: usize, time: Time) {
        let (period, rate) = self.periods.get(neuron);
        let before = self.rest[neuron].origin;
        if time > before && time - before <= period {
            return;
        }
        let origin = origin_of(time, period);
        if origin != before {
            let distance = self.cells[neuron].distance * growth(before - origin, rate);
            self.cells[neuron].distance = rounded(distance, self.grains.get(neuron));
            self.rest[neuron].origin = origin;
        }
    }

    fn at(&self, neuron: usize, time: Time) -> f64 {
        let (rest, rate) = (&self.rest[neuron], self.periods.get(neuron).1);
        let (from, distance) = if rest.held {
            if time <= rest.held_until {
                return self.constants.reset.get(neuron);
            }
            (rest.held_until, self.released(neuron))
        } else {
            (rest.origin, self.cells[neuron].distance)
        };
        self.lifted(neuron, rest.limit + distance * growth(from - time, rate))
    }

    fn fire(&mut self, neuron: usize, time: Time) {
        let rest = &mut self.rest[neuron];
        rest.held_until = time.saturating_add(self.refractory[neuron]);
        (rest.held, rest.waiting, rest.beyond, rest.last) = (true, 0.0, Time::NEVER, time);
        if rest.held_until == time {
            self.release(neuron);
        }
        self.settle_quickness(neuron);
    }

    /// Input in the refractory time.
    fn wait(&mut self, neuron: usize, time: Time, input: f64) {
        let span = (self.rest[neuron].held_until - time).milliseconds();
        self.rest[neuron].waiting += self.constants.kept(neuron, input, span);
    }

    /// Input that meets a neuron at a time behind all its crossings; whether it spikes.
    fn add(&mut self, neuron: usize, time: Time, input: f64) -> bool {
        if self.rest[neuron].held {
            if time <= self.rest[neuron].held_until {
                self.wait(neuron, time, input);
                return false;
            }
            self.release(neuron);
        }
        if self.bounded {
            return self.add_bounded(neuron, time, input);
        }
        self.rebase(neuron, time);
        let rest = &mut self.rest[neuron];
        if self.cells[neuron].reach < 0.0 {
            rest.last = time;
        }
        let e = growth(time - rest.origin, self.periods.get(neuron).1);
        let change = rounded(input * e, self.grains.get(neuron));
        let distance = self.cells[neuron].distance + change;
        self.cells[neuron].distance = distance;
        let spikes = self.reaches(distance, self.cells[neuron].reach * e);
        if spikes {
            self.fire(neuron, time);
        } else {
            self.settle_quickness(neuron);
        }
        spikes
    }
}

impl EventState {
    /// The same of a free neuron whose potential has a lower bound.
    fn add_bounded(&mut self, neuron: usize, time: Time, input: f64) -> bool {
        let potential = self.lifted(neuron, self.at(neuron, time) + input);
        let distance = potential - self.rest[neuron].limit;
        let spikes = self.reaches(distance, self.cells[neuron].reach);
        if spikes {
            self.fire(neuron, time);
        } else {
            self.set_distance(neuron, time, distance);
            self.settle_quickness(neuron);
        }
        spikes
    }
}

impl EventNeurons for EventState {
    fn receive(
        &mut self,
        neuron: usize,
        time: Time,
        inputs: &[f64],
        crossing: bool,
    ) -> Option<i32> {
        if !crossing {
            return self.add(neuron, time, inputs[0]).then_some(1);
        }
        // Simultaneous input arrives after the spike: in the refractory time, or after the reset
        // where there is none.
        self.fire(neuron, time);
        if self.rest[neuron].held {
            self.wait(neuron, time, inputs[0]);
        } else {
            let potential = self.lifted(neuron, self.constants.reset.get(neuron) + inputs[0]);
            let distance = potential - self.rest[neuron].limit;
            self.set_distance(neuron, time, distance);
            self.settle_quickness(neuron);
        }
        Some(1)
    }

    fn set_current(&mut self, neuron: usize, time: Time, current: f64) {
        let potential = self.at(neuron, time);
        let limit = self.constants.rest[neuron] + self.constants.resistance[neuron] * current;
        if self.rest[neuron].held && time > self.rest[neuron].held_until {
            self.release(neuron);
        }
        if limit != self.rest[neuron].limit {
            self.rest[neuron].limit = limit;
            self.cells[neuron].reach = self.constants.threshold[neuron] - limit;
            if !self.rest[neuron].held {
                self.set_distance(neuron, time, potential - limit);
            }
        }
        self.settle_quickness(neuron);
    }

    fn next_spike(&self, neuron: usize) -> Option<Time> {
        let (cell, rest) = (&self.cells[neuron], &self.rest[neuron]);
        if rest.beyond < Time::NEVER {
            return Some(rest.beyond);
        }
        let (from, distance, soonest) = if rest.held {
            let distance = self.released(neuron);
            // What waited for the end of the refractory time may already lie beyond the threshold.
            if self.reaches(distance, cell.reach) {
                return Some(rest.held_until.saturating_add(Time(1)));
            }
            (rest.held_until, distance, rest.held_until)
        } else {
            (rest.origin, cell.distance, rest.last)
        };
        if cell.reach >= 0.0 {
            return None;
        }
        let wait = (distance / cell.reach).ln() * self.constants.tau[neuron];
        let wait = Time::from_milliseconds(wait.max(0.0))?;
        // At least a femtosecond later, so that time always advances.
        Some(from.saturating_add(wait).max(soonest.saturating_add(Time(1))))
    }

    fn next_spike_until(&self, neuron: usize, until: Time) -> Option<Time> {
        let (cell, rest) = (&self.cells[neuron], &self.rest[neuron]);
        if rest.held && until <= rest.held_until {
            return None;
        }
        if !rest.held && rest.beyond == Time::NEVER {
            if cell.reach >= 0.0 {
                return None;
            }
            // exp(−x) >= 1 − x: the distance, below zero, stays below a straight line.
            let x = (until - rest.origin).milliseconds() * self.periods.get(neuron).1;
            if cell.distance * (1.0 - x - MARGIN) < cell.reach {
                return None;
            }
        }
        self.next_spike(neuron).filter(|&time| time <= until)
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        visitor.reals(&mut self.cells.iter_mut().map(|cell| &mut cell.distance));
        visitor.reals(&mut self.rest.iter_mut().map(|rest| &mut rest.limit));
        visitor.reals(&mut self.rest.iter_mut().map(|rest| &mut rest.waiting));
        visitor.times(&mut self.rest.iter_mut().map(|rest| &mut rest.origin));
        visitor.times(&mut self.rest.iter_mut().map(|rest| &mut rest.last));
        visitor.times(&mut self.rest.iter_mut().map(|rest| &mut rest.held_until));
        visitor.times(&mut self.rest.iter_mut().map(|rest| &mut rest.beyond));
        let mut held: Vec<u32> = self.rest.iter().map(|rest| u32::from(rest.held)).collect();
        visitor.counts(&mut held.iter_mut());
        for (neuron, held) in held.into_iter().enumerate() {
            self.rest[neuron].held = held != 0;
            self.cells[neuron].reach = self.constants.threshold[neuron] - self.rest[neuron].limit;
            self.settle_quickness(neuron);
        }
    }

    fn by_rows(&mut self) -> Option<&mut dyn RowNeurons> {
        // One exponential serves a row only where all have one time constant.
        (matches!(self.periods, Paces::One(..)) && !self.bounded).then_some(self as _)
    }

    fn variable(&self, _index: usize, neuron: usize, time: Time) -> f64 {
        self.at(neuron, time)
    }

    fn reset(&mut self) {
        self.restart();
    }

    fn bytes(&self) -> u64 {
        let periods = match &self.periods {
            Paces::One(..) => 0,
            Paces::Each(each) => bytes_of(each),
        };
        let state = bytes_of(&self.cells) + bytes_of(&self.rest);
        let kept = self.constants.bytes() + bytes_of(&self.refractory) + self.grains.bytes();
        kept + periods + state
    }
}
