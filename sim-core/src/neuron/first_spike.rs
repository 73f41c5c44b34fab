//! Neuron that spikes once, the earlier the larger its input: exact time-to-first-spike code.
//!
//! # Equations
//! Before `opening` O a spike that arrives raises the slope of the potential by its weight, for good:
//! dv/dt = (Σ w of arrived spikes + I) / W with the window W. A source that spikes a fraction a of
//! its window before that window ends has added w·a when the window is over. From O on synapses act
//! no more: dv/dt = I / W. A converter lets a current of 1 (the ramp) set in at O.
//!
//! # Spike and reset
//! One spike at the most, in (O, O + W], where v reaches 1; none before O, however large v is. With
//! the ramp a potential z at O gives a spike at O + (1 − z) W: a fraction z before the window ends.
//! z ≤ 0 gives none; z > 1 cannot be told apart from 1 (the spike comes one femtosecond after O).
//!
//! # Parameters
//! | name | default | unit | symbol | range |
//! |---|---|---|---|---|
//! | `opening` | 100 | ms | O | zero or above |
//! | `window` | 100 | ms | W | above zero |
//!
//! # State
//! `membrane_potential` v, initially 0 (a bias); `overflow`, how far v exceeded 1 at O.
//!
//! # Numerics
//! Event-driven: exact but for the rounding of 64-bit floats, spike times to a femtosecond.
//! Clock-driven: a crossing is dated at the end of its step; see [`super::first_spike_slots`] for
//! the code that is made for a grid.
//!
//! # Engines
//! Event-driven and clock-driven.
//!
//! # References
//! Stanojevic et al. 2022, arXiv:2212.12522 (an exact mapping of ReLU networks); Stanojevic et al.
//! 2024, Nature Communications 15, 6793.

use super::model::{
    ClockNeurons, Combine, Drive, Emitted, EventNeurons, LoweredNeurons, ModelSpec, ModelTime,
    NeuronModel, ParameterSpec, Range, ReceptorSpec, StateVisitor, VariableSpec, bytes_of,
};
use crate::network::Neuron;
use crate::time::Time;
use crate::units::{Dimension, Milliseconds};

/// The model.
pub struct Model;

static SPEC: ModelSpec = ModelSpec {
    name: "first_spike",
    summary: "one spike, the earlier the larger the input, in continuous time (exact first-spike code)",
    time: ModelTime::Continuous,
    parameters: PARAMETERS,
    receptors: RECEPTORS,
    variables: VARIABLES,
    current: Some(Dimension::Number),
    spikes: false,
    subtracting_reset: false,
    graded: false,
    refractory_input: &[],
    reference: "Stanojevic et al. 2022, arXiv:2212.12522",
};

pub(super) const PARAMETERS: &[ParameterSpec] = &[
    ParameterSpec {
        name: "opening",
        symbol: "O",
        dimension: Dimension::Time,
        default: 100.0,
        range: Range::NonNegative,
        meaning: "time at which synapses stop to act and the neuron may spike",
    },
    ParameterSpec {
        name: "window",
        symbol: "W",
        dimension: Dimension::Time,
        default: 100.0,
        range: Range::Positive,
        meaning: "time in which the neuron may spike, and unit of time of its slopes",
    },
];

pub(super) const RECEPTORS: &[ReceptorSpec] = &[ReceptorSpec {
    name: "slope",
    weight: Dimension::Number,
    combine: Combine::Sum,
    meaning: "jump of the potential's slope, in thresholds a window",
}];

pub(super) const VARIABLES: &[VariableSpec] = &[
    VariableSpec {
        name: "membrane_potential",
        dimension: Dimension::Number,
        initial: Some(0.0),
        meaning: "potential in thresholds",
    },
    VariableSpec {
        name: "overflow",
        dimension: Dimension::Number,
        initial: Some(0.0),
        meaning: "how far the potential exceeded the threshold at the opening",
    },
];

/// Neurons whose window opens at `opening` and lasts `window`.
pub fn first_spike(opening: Milliseconds, window: Milliseconds) -> Neuron {
    Neuron::new(SPEC.name).parameter("opening", opening).parameter("window", window)
}

impl NeuronModel for Model {
    fn spec(&self) -> &'static ModelSpec {
        &SPEC
    }

    fn clock(&self, neurons: &LoweredNeurons) -> Option<Box<dyn ClockNeurons>> {
        let state = State::new(neurons);
        Some(Box::new(ClockState { state, step: neurons.grid.step() }))
    }

    fn event(&self, neurons: &LoweredNeurons) -> Result<Option<Box<dyn EventNeurons>>, String> {
        Ok(Some(Box::new(State::new(neurons))))
    }
}

/// One neuron.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cell {
    potential: f64,
    /// Sum of the weights that arrived.
    slope: f64,
    current: f64,
    /// Potential at the opening, once that is over.
    opened: f64,
    /// 1 once the opening is over.
    is_open: u32,
    /// Spikes sent, 0 or 1.
    spikes: u32,
    last: Time,
}

struct State {
    cells: Vec<Cell>,
    initial: Vec<f64>,
    opening: Vec<Time>,
    /// Length of the window in femtoseconds.
    window: Vec<Time>,
}

impl State {
    fn new(neurons: &LoweredNeurons) -> Self {
        let times = |parameter: usize| {
            let time = |n| Time::from_milliseconds(neurons.parameters[parameter].get(n));
            (0..neurons.size).map(|n| time(n).unwrap_or(Time::NEVER)).collect()
        };
        let initial = neurons.initial.first().and_then(|column| column.as_ref());
        let initial: Vec<f64> =
            (0..neurons.size).map(|n| initial.map_or(0.0, |column| column.get(n))).collect();
        let mut state = State { cells: Vec::new(), initial, opening: times(0), window: times(1) };
        state.restart();
        state
    }

    fn restart(&mut self) {
        let cell = |&potential: &f64| Cell {
            potential,
            slope: 0.0,
            current: 0.0,
            opened: 0.0,
            is_open: 0,
            spikes: 0,
            last: Time::ZERO,
        };
        self.cells = self.initial.iter().map(cell).collect();
    }

    fn visit(&mut self, visitor: &mut dyn StateVisitor) {
        visitor.reals(&mut self.cells.iter_mut().map(|cell| &mut cell.potential));
        visitor.reals(&mut self.cells.iter_mut().map(|cell| &mut cell.slope));
        visitor.reals(&mut self.cells.iter_mut().map(|cell| &mut cell.current));
        visitor.reals(&mut self.cells.iter_mut().map(|cell| &mut cell.opened));
        visitor.counts(&mut self.cells.iter_mut().map(|cell| &mut cell.is_open));
        visitor.counts(&mut self.cells.iter_mut().map(|cell| &mut cell.spikes));
        visitor.times(&mut self.cells.iter_mut().map(|cell| &mut cell.last));
    }

    fn windows(&self, neuron: usize, span: Time) -> f64 {
        span.0 as f64 / self.window[neuron].0 as f64
    }

    fn closing(&self, neuron: usize) -> Time {
        self.opening[neuron].saturating_add(self.window[neuron])
    }

    /// The neuron at `time`, not earlier than its last event.
    fn at(&self, neuron: usize, time: Time) -> Cell {
        let mut cell = self.cells[neuron];
        let opening = self.opening[neuron];
        if cell.is_open == 0 {
            let until = time.min(opening);
            cell.potential += (cell.slope + cell.current) * self.windows(neuron, until - cell.last);
            cell.last = until;
            if time >= opening {
                cell.opened = cell.potential;
                cell.is_open = 1;
            }
        }
        if time > cell.last {
            cell.potential += cell.current * self.windows(neuron, time - cell.last);
            cell.last = time;
        }
        cell
    }

    fn overflow(cell: Cell) -> f64 {
        if cell.is_open == 1 { (cell.opened - 1.0).max(0.0) } else { 0.0 }
    }
}

impl EventNeurons for State {
    fn receive(
        &mut self,
        neuron: usize,
        time: Time,
        inputs: &[f64],
        crossing: bool,
    ) -> Option<i32> {
        let spikes = crossing && self.cells[neuron].spikes == 0;
        // Input from the opening on changes nothing: the foretold spike stays as it is.
        if spikes || time <= self.opening[neuron] {
            self.cells[neuron] = self.at(neuron, time);
        }
        let cell = &mut self.cells[neuron];
        if time < self.opening[neuron] {
            cell.slope += inputs[0];
        }
        cell.spikes += u32::from(spikes);
        spikes.then_some(1)
    }

    fn set_current(&mut self, neuron: usize, time: Time, current: f64) {
        self.cells[neuron] = Cell { current, ..self.at(neuron, time) };
    }

    fn next_spike(&self, neuron: usize) -> Option<Time> {
        let (opening, closing) = (self.opening[neuron], self.closing(neuron));
        let from = self.cells[neuron].last.max(opening);
        let cell = self.at(neuron, from);
        if cell.spikes > 0 || from >= closing {
            return None;
        }
        let soonest = from.saturating_add(Time(1));
        let missing = 1.0 - cell.potential;
        if missing <= 0.0 {
            return Some(soonest);
        }
        // Strictly: a neuron that would reach 1 just at the end has the value 0.
        if cell.current * self.windows(neuron, closing - from) <= missing {
            return None;
        }
        let span = missing / cell.current * self.window[neuron].0 as f64;
        Some(from.saturating_add(Time(span.round() as i64)).clamp(soonest, closing))
    }

    fn next_spike_until(&self, neuron: usize, until: Time) -> Option<Time> {
        // Most input comes before the opening, when no spike can.
        let open = until > self.opening[neuron];
        open.then(|| self.next_spike(neuron)).flatten().filter(|&time| time <= until)
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        self.visit(visitor);
    }

    fn variable(&self, index: usize, neuron: usize, time: Time) -> f64 {
        let cell = self.at(neuron, time);
        if index == 0 { cell.potential } else { State::overflow(cell) }
    }

    fn reset(&mut self) {
        self.restart();
    }

    fn bytes(&self) -> u64 {
        bytes_of(&self.cells)
            + bytes_of(&self.initial)
            + bytes_of(&self.opening)
            + bytes_of(&self.window)
    }
}

/// The same neurons, advanced together step by step.
struct ClockState {
    state: State,
    step: Time,
}

impl ClockNeurons for ClockState {
    fn step(&mut self, drive: Drive<'_>, spikes: &mut Emitted) {
        for (neuron, (&input, &current)) in drive.inputs[0].iter().zip(drive.current).enumerate() {
            self.state.cells[neuron].current = current;
            // In this engine every neuron is at the end of the step before.
            let now = self.state.cells[neuron].last.saturating_add(self.step);
            let mut cell = self.state.at(neuron, now);
            if now < self.state.opening[neuron] {
                cell.slope += input;
            }
            let open = now > self.state.opening[neuron] && now <= self.state.closing(neuron);
            if open && cell.opened > 0.0 && cell.spikes == 0 && cell.potential >= 1.0 {
                cell.spikes = 1;
                spikes.push(neuron as u32);
            }
            self.state.cells[neuron] = cell;
        }
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        self.state.visit(visitor);
    }

    fn variable(&self, index: usize) -> Vec<f64> {
        let value = |cell: &Cell| if index == 0 { cell.potential } else { State::overflow(*cell) };
        self.state.cells.iter().map(value).collect()
    }

    fn reset(&mut self) {
        self.state.restart();
    }

    fn bytes(&self) -> u64 {
        EventNeurons::bytes(&self.state)
    }
}
