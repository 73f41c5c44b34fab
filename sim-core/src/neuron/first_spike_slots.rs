//! Neuron that spikes once in one of S time slots: time-to-first-spike code on a grid.
//!
//! # Equations
//! Levels are thresholds times the number of slots S = window / dt. At the end of step k, before and
//! at the step O of the opening: g ← g + Σ w, v ← v + g + I. Afterwards synapses act no more:
//! v ← v + I. A spike that arrives n steps before O (O included) has added n times its weight.
//!
//! # Spike and reset
//! One spike at the most, in the steps O ..= O + S − 1, in the first where v ≥ S. With a current of 1
//! that acts from the step O on (the ramp), ⌊v⌋ = n levels at O give a spike in step O + S − n, which
//! arrives (with a delay of one step) n steps before the next layer's opening at O + S, that step
//! included: it stands for n levels. Less than one level gives no spike, more than S are S levels.
//!
//! # Parameters
//! | name | default | unit | symbol | range |
//! |---|---|---|---|---|
//! | `opening` | 16 | ms | O | zero or above, whole steps |
//! | `window` | 16 | ms | W | above zero, whole steps |
//!
//! # State
//! `membrane_potential` v in thresholds, initially 0; `overflow`, the whole levels above S at the
//! opening, in thresholds.
//!
//! # Numerics
//! Exact: all numbers lie on a dyadic grid ([`super::exact`]), so both engines give the same bits as
//! long as levels stay below 2^20.
//!
//! # Engines
//! Clock-driven and event-driven.
//!
//! # References
//! Stanojevic et al. 2022, arXiv:2212.12522, with spike times rounded to slots.

use super::exact;
use super::first_spike::{PARAMETERS, RECEPTORS, VARIABLES};
use super::model::{
    ClockNeurons, EventNeurons, LoweredNeurons, ModelSpec, ModelTime, NeuronModel, StateVisitor,
    bytes_of,
};
use super::windowed::{InStep, Windowed, off_grid};
use crate::network::Neuron;
use crate::time::{Grid, Time};
use crate::units::{Dimension, Milliseconds};

/// The model.
pub struct Model;

static SPEC: ModelSpec = ModelSpec {
    name: "first_spike_slots",
    summary: "one spike in one of S time slots, the earlier the larger the input (first-spike code)",
    time: ModelTime::Stepwise,
    parameters: PARAMETERS,
    receptors: RECEPTORS,
    variables: VARIABLES,
    current: Some(Dimension::Number),
    spikes: false,
    subtracting_reset: false,
    graded: false,
    refractory_input: &[],
    reference: "Stanojevic et al. 2022, arXiv:2212.12522, with spike times in slots",
};

/// Neurons whose slots begin at `opening` and last `window` together.
pub fn first_spike_slots(opening: Milliseconds, window: Milliseconds) -> Neuron {
    Neuron::new(SPEC.name).parameter("opening", opening).parameter("window", window)
}

impl NeuronModel for Model {
    fn spec(&self) -> &'static ModelSpec {
        &SPEC
    }

    fn check(&self, neurons: &LoweredNeurons) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        for (name, column) in ["opening", "window"].into_iter().zip(&neurons.parameters) {
            let on_grid = |&&value: &&f64| neurons.grid.steps_in_milliseconds(value).is_some();
            if let Some(value) = column.numbers().iter().find(|value| !on_grid(value)) {
                problems.push((name, off_grid(neurons.grid, *value)));
            }
        }
        problems
    }

    fn round(&self, value: f64) -> f64 {
        exact::round(value)
    }

    fn clock(&self, neurons: &LoweredNeurons) -> Option<Box<dyn ClockNeurons>> {
        Some(Box::new(InStep(State::new(neurons))))
    }

    fn event(&self, neurons: &LoweredNeurons) -> Result<Option<Box<dyn EventNeurons>>, String> {
        Ok(Some(Box::new(State::new(neurons))))
    }
}

/// One neuron after the step `last`; potentials in levels.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cell {
    potential: f64,
    slope: f64,
    current: f64,
    /// Potential at the step of the opening.
    opened: f64,
    /// Spikes sent, 0 or 1.
    spikes: u32,
    last: u64,
}

struct State {
    cells: Vec<Cell>,
    /// In levels.
    initial: Vec<f64>,
    opening: Vec<u64>,
    slots: Vec<u64>,
    grid: Grid,
}

impl State {
    fn new(neurons: &LoweredNeurons) -> Self {
        let whole = |parameter: usize| -> Vec<u64> {
            let column = &neurons.parameters[parameter];
            (0..neurons.size)
                .map(|n| neurons.grid.steps_in_milliseconds(column.get(n)).unwrap_or(0))
                .collect()
        };
        let slots = whole(1);
        let initial = neurons.initial.first().and_then(|column| column.as_ref());
        let levels = |(n, &slots): (usize, &u64)| {
            exact::round(initial.map_or(0.0, |column| column.get(n)) * slots as f64)
        };
        let initial = slots.iter().enumerate().map(levels).collect();
        let (opening, grid) = (whole(0), neurons.grid);
        let mut state = State { cells: Vec::new(), initial, opening, slots, grid };
        state.restart();
        state
    }

    /// The neuron after the steps up to `step`, none of which brought input.
    fn at(&self, neuron: usize, step: u64) -> Cell {
        let mut cell = self.cells[neuron];
        let opening = self.opening[neuron];
        let sloping = step.min(opening).saturating_sub(cell.last);
        cell.potential += sloping as f64 * (cell.slope + cell.current);
        if cell.last < opening && step >= opening {
            cell.opened = cell.potential;
        }
        let after = step.saturating_sub(cell.last.max(opening));
        cell.potential += after as f64 * cell.current;
        cell.last = cell.last.max(step);
        cell
    }

    /// Adds the input that arrives in the step that the neuron has just been advanced to.
    fn add(&mut self, neuron: usize, input: f64) -> Option<i32> {
        let (opening, slots) = (self.opening[neuron], self.slots[neuron]);
        let cell = &mut self.cells[neuron];
        if cell.last <= opening {
            cell.slope += input;
            cell.potential += input;
        }
        if cell.last == opening {
            cell.opened = cell.potential;
        }
        let open = cell.last >= opening && cell.last - opening < slots;
        let spikes = open && cell.spikes == 0 && cell.potential >= slots as f64;
        cell.spikes += u32::from(spikes);
        spikes.then_some(1)
    }

    fn value(&self, index: usize, neuron: usize, cell: Cell) -> f64 {
        let slots = self.slots[neuron] as f64;
        match index {
            0 => cell.potential / slots,
            _ => (cell.opened.floor() - slots).max(0.0) / slots,
        }
    }
}

impl Windowed for State {
    const GRADED: bool = false;

    fn advance(&mut self, neuron: usize, current: f64, input: f64) -> Option<i32> {
        self.cells[neuron].current = current;
        // In this engine every neuron is at the step before.
        self.cells[neuron] = self.at(neuron, self.cells[neuron].last + 1);
        self.add(neuron, input)
    }

    fn values(&self, index: usize) -> Vec<f64> {
        let cells = self.cells.iter().enumerate();
        cells.map(|(neuron, &cell)| self.value(index, neuron, cell)).collect()
    }

    fn visit(&mut self, visitor: &mut dyn StateVisitor) {
        visitor.reals(&mut self.cells.iter_mut().map(|cell| &mut cell.potential));
        visitor.reals(&mut self.cells.iter_mut().map(|cell| &mut cell.slope));
        visitor.reals(&mut self.cells.iter_mut().map(|cell| &mut cell.current));
        visitor.reals(&mut self.cells.iter_mut().map(|cell| &mut cell.opened));
        visitor.counts(&mut self.cells.iter_mut().map(|cell| &mut cell.spikes));
        visitor.steps(&mut self.cells.iter_mut().map(|cell| &mut cell.last));
    }

    fn restart(&mut self) {
        let cell = |&potential: &f64| Cell {
            potential,
            slope: 0.0,
            current: 0.0,
            opened: 0.0,
            spikes: 0,
            last: 0,
        };
        self.cells = self.initial.iter().map(cell).collect();
    }

    fn bytes(&self) -> u64 {
        bytes_of(&self.cells)
            + bytes_of(&self.initial)
            + bytes_of(&self.opening)
            + bytes_of(&self.slots)
    }
}

impl EventNeurons for State {
    fn receive(
        &mut self,
        neuron: usize,
        time: Time,
        inputs: &[f64],
        _crossing: bool,
    ) -> Option<i32> {
        self.cells[neuron] = self.at(neuron, self.grid.step_at(time));
        self.add(neuron, inputs[0])
    }

    fn set_current(&mut self, neuron: usize, time: Time, current: f64) {
        self.cells[neuron] = Cell { current, ..self.at(neuron, self.grid.step_at(time)) };
    }

    fn next_spike(&self, neuron: usize) -> Option<Time> {
        let (opening, slots) = (self.opening[neuron], self.slots[neuron]);
        let first = opening.max(self.cells[neuron].last.saturating_add(1));
        let end = opening.saturating_add(slots);
        let cell = self.at(neuron, first);
        if cell.spikes > 0 || first >= end {
            return None;
        }
        let missing = slots as f64 - cell.potential;
        if missing <= 0.0 {
            return Some(self.grid.time_of(first));
        }
        if cell.current <= 0.0 {
            return None;
        }
        // The quotient may be off by a rounding; the exact sums next to it decide.
        let guess = ((missing / cell.current).ceil() as u64).saturating_sub(1);
        let reaches = |m: &u64| *m as f64 * cell.current >= missing;
        let wait = (guess..guess.saturating_add(4)).find(reaches)?;
        let step = first.saturating_add(wait);
        (step < end).then(|| self.grid.time_of(step))
    }

    fn next_spike_until(&self, neuron: usize, until: Time) -> Option<Time> {
        // Most input comes before the opening, when no spike can.
        let open = self.grid.step_at(until) >= self.opening[neuron];
        open.then(|| self.next_spike(neuron)).flatten().filter(|&time| time <= until)
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        self.visit(visitor);
    }

    fn variable(&self, index: usize, neuron: usize, time: Time) -> f64 {
        self.value(index, neuron, self.at(neuron, self.grid.step_at(time)))
    }

    fn reset(&mut self) {
        self.restart();
    }

    fn bytes(&self) -> u64 {
        Windowed::bytes(self)
    }
}
