//! Neuron that sends its potential as a binary number, one bit a step: phase code.
//!
//! # Equations
//! v ← v + Σ w·p + I at the end of every step up to the step O of the opening, with the payload p of
//! each spike that arrives. Afterwards v stays as it is.
//!
//! # Spike and reset
//! In the first phase there may be up to B spikes at once, so numbers reach (B + 1) 2^(K−1) − 1. At O the
//! potential is rounded to a whole number n: x = min(v, M), with M the smaller of that and `largest`, to
//! that n from 0 to M for which (n − x)² + c · spikes(n) is smallest, with the cost c of a spike; of equals
//! the smallest. c = 0 rounds to the nearest. Where v is below zero, the number for −g v is taken back,
//! with the negative gain g (0: a plain rectifier). In the first phase (step O) the neuron spikes
//! b = ⌊|n| / 2^(K−1)⌋ times, in one event with ±b 2^(K−1) as payload; in phase r = 1 … K − 1 (step O + r)
//! it spikes where the bit of value 2^(K−1−r) of |n| is set, with ±2^(K−1−r) as payload: the payloads
//! add up to n. With B = 1 the number has K bits.
//!
//! # Parameters
//! | name | default | unit | symbol | range |
//! |---|---|---|---|---|
//! | `opening` | 1 | ms | O | above zero, whole steps |
//! | `phases` | 4 | – | K | 1 to 20, whole |
//! | `first_burst` | 1 | – | B | 1 to 15, whole |
//! | `negative_gain` | 0 | – | g | zero or above |
//! | `spike_cost` | 0 | – | c | zero or above |
//! | `largest` | 2^20 − 1 | – | | zero or above: the largest number, where phases allow a larger one |
//!
//! # State
//! `membrane_potential` v in levels, initially 0 (a bias); `overflow`, the levels that were cut off.
//!
//! # Numerics
//! Exact: all numbers lie on a dyadic grid ([`super::exact`]), so both engines give the same bits as
//! long as |v| stays below 2^20.
//!
//! # Engines
//! Clock-driven and event-driven.
//!
//! # References
//! Kim et al. 2018, Neurocomputing 311:373 (weighted spikes in phases); here layer after layer.

use super::exact;
use super::model::{
    ClockNeurons, Combine, EventNeurons, LoweredNeurons, ModelSpec, ModelTime, NeuronModel,
    ParameterSpec, Range, ReceptorSpec, StateVisitor, VariableSpec, bytes_of,
};
use super::windowed::{InStep, Windowed, off_grid};
use crate::network::Neuron;
use crate::time::{Grid, Time};
use crate::units::{Dimension, Milliseconds};

/// The model.
pub struct Model;

/// The most phases: levels stay within what is exact.
pub const MOST_PHASES: u32 = 20;

/// The most spikes in the first phase.
pub const MOST_BURST: u32 = 15;

/// The largest number of that many bits.
const MOST_LEVELS: f64 = ((1 << MOST_PHASES) - 1) as f64;

static SPEC: ModelSpec = ModelSpec {
    name: "phase",
    summary: "sends its potential as a binary number, one bit a step (phase code)",
    time: ModelTime::Stepwise,
    parameters: &[
        ParameterSpec {
            name: "opening",
            symbol: "O",
            dimension: Dimension::Time,
            default: 1.0,
            range: Range::Positive,
            meaning: "step at which input ends and the first bit is sent",
        },
        ParameterSpec {
            name: "phases",
            symbol: "K",
            dimension: Dimension::Number,
            default: 4.0,
            range: Range::Positive,
            meaning: "number of bits, 1 to 20",
        },
        ParameterSpec {
            name: "first_burst",
            symbol: "B",
            dimension: Dimension::Number,
            default: 1.0,
            range: Range::Positive,
            meaning: "most spikes in the first phase, 1 to 15",
        },
        ParameterSpec {
            name: "negative_gain",
            symbol: "g",
            dimension: Dimension::Number,
            default: 0.0,
            range: Range::NonNegative,
            meaning: "what potentials below zero are multiplied by; 0 silences them",
        },
        ParameterSpec {
            name: "spike_cost",
            symbol: "c",
            dimension: Dimension::Number,
            default: 0.0,
            range: Range::NonNegative,
            meaning: "squared rounding error, in levels, that a spike less may cost",
        },
        ParameterSpec {
            name: "largest",
            symbol: "",
            dimension: Dimension::Number,
            default: MOST_LEVELS,
            range: Range::NonNegative,
            meaning: "largest number, where the phases allow a larger one",
        },
    ],
    receptors: &[ReceptorSpec {
        name: "input",
        weight: Dimension::Number,
        combine: Combine::Sum,
        meaning: "jump of the potential in levels, times the payload",
    }],
    variables: &[
        VariableSpec {
            name: "membrane_potential",
            dimension: Dimension::Number,
            initial: Some(0.0),
            meaning: "potential in levels",
        },
        VariableSpec {
            name: "overflow",
            dimension: Dimension::Number,
            initial: Some(0.0),
            meaning: "levels that were cut off at the opening",
        },
    ],
    current: Some(Dimension::Number),
    spikes: false,
    subtracting_reset: false,
    graded: true,
    refractory_input: &[],
    reference: "Kim et al. 2018, Neurocomputing 311:373",
};

/// Neurons that send `phases` bits from `opening` on.
pub fn phase(opening: Milliseconds, phases: u32) -> Neuron {
    Neuron::new(SPEC.name)
        .parameter("opening", opening)
        .parameter("phases", crate::units::Quantity::from(f64::from(phases)))
}

/// The largest number of so many phases with up to `first_burst` spikes in the first.
pub fn largest_number(phases: u32, first_burst: u32) -> u32 {
    ((first_burst + 1) << (phases - 1)) - 1
}

/// Spikes of a number that is sent in so many phases.
pub fn spikes_of(number: u32, phases: u32) -> u32 {
    let first = number >> (phases - 1);
    first + (number - (first << (phases - 1))).count_ones()
}

/// The whole number from 0 to `most` that stands for `value`, where each spike of its `phases` costs
/// `spike_cost`; see the module.
pub fn number_for(value: f64, phases: u32, most: u32, spike_cost: f64) -> u32 {
    if value <= 0.0 {
        return 0;
    }
    let value = value.min(f64::from(most));
    let nearest = ((value + 0.5).floor() as u32).min(most);
    if spike_cost <= 0.0 {
        return nearest;
    }
    let price = |number: u32| {
        let error = f64::from(number) - value;
        error * error + spike_cost * f64::from(spikes_of(number, phases))
    };
    let mut best = (f64::INFINITY, 0);
    let mut consider = |number: u32| {
        let own = price(number);
        if number <= most && (own < best.0 || own == best.0 && number < best.1) {
            best = (own, number);
        }
    };
    // Among numbers with at most so many ones, the nearest below is the value's leading bits, the
    // nearest above those and one more at the next place: no other number can be best, but for those
    // with fewer spikes in the first phase and no others.
    let whole = value.floor() as u32;
    for place in 0..phases {
        let below = whole >> place << place;
        consider(below);
        consider(below + (1 << place));
    }
    // Their price is a parabola of the number of spikes.
    let worth = f64::from(1_u32 << (phases - 1));
    let lowest = (value / worth - spike_cost / (2.0 * worth * worth)).max(0.0) as u32;
    consider(lowest << (phases - 1));
    consider((lowest + 1) << (phases - 1));
    best.1
}

impl NeuronModel for Model {
    fn spec(&self) -> &'static ModelSpec {
        &SPEC
    }

    fn check(&self, neurons: &LoweredNeurons) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        let off =
            |&&value: &&f64| neurons.grid.steps_in_milliseconds(value).is_none_or(|step| step == 0);
        if let Some(value) = neurons.parameters[0].numbers().iter().find(off) {
            problems.push(("opening", off_grid(neurons.grid, *value)));
        }
        let most = f64::from(MOST_PHASES);
        let wrong = |&&value: &&f64| !(1.0..=most).contains(&value) || value.fract() != 0.0;
        if let Some(value) = neurons.parameters[1].numbers().iter().find(wrong) {
            problems.push(("phases", format!("{value} is not a whole number from 1 to {most}")));
        }
        let most = f64::from(MOST_BURST);
        let wrong = |&&value: &&f64| !(1.0..=most).contains(&value) || value.fract() != 0.0;
        if let Some(value) = neurons.parameters[2].numbers().iter().find(wrong) {
            let problem = format!("{value} is not a whole number from 1 to {most}");
            problems.push(("first_burst", problem));
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

/// One neuron after the step `last`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cell {
    potential: f64,
    current: f64,
    last: u64,
}

struct State {
    cells: Vec<Cell>,
    initial: Vec<f64>,
    opening: Vec<u64>,
    phases: Vec<u32>,
    first_burst: Vec<u32>,
    negative_gain: Vec<f64>,
    spike_cost: Vec<f64>,
    largest: Vec<i32>,
    grid: Grid,
}

impl State {
    fn new(neurons: &LoweredNeurons) -> Self {
        let all = || 0..neurons.size;
        let parameter = |index: usize| all().map(move |n| neurons.parameters[index].get(n));
        let initial = neurons.initial.first().and_then(|column| column.as_ref());
        let value = |n| exact::round(initial.map_or(0.0, |column| column.get(n)));
        let grid = neurons.grid;
        let mut state = State {
            cells: Vec::new(),
            initial: all().map(value).collect(),
            opening: parameter(0)
                .map(|value| grid.steps_in_milliseconds(value).unwrap_or(1))
                .collect(),
            phases: parameter(1).map(|value| (value as u32).clamp(1, MOST_PHASES)).collect(),
            first_burst: parameter(2).map(|value| (value as u32).clamp(1, MOST_BURST)).collect(),
            negative_gain: parameter(3).collect(),
            spike_cost: parameter(4).collect(),
            largest: parameter(5).map(|value| value.min(MOST_LEVELS) as i32).collect(),
            grid,
        };
        state.restart();
        state
    }

    /// The neuron after the steps up to `step`, none of which brought input.
    fn at(&self, neuron: usize, step: u64) -> Cell {
        let cell = self.cells[neuron];
        let driven = step.min(self.opening[neuron]).saturating_sub(cell.last);
        let potential = cell.potential + driven as f64 * cell.current;
        Cell { potential, last: cell.last.max(step), ..cell }
    }

    /// The whole levels of a potential with their sign, not yet cut.
    fn levels(&self, neuron: usize, potential: f64) -> f64 {
        if potential >= 0.0 {
            (potential + 0.5).floor()
        } else {
            -(0.5 - self.negative_gain[neuron] * potential).floor()
        }
    }

    fn most(&self, neuron: usize) -> i32 {
        self.largest[neuron]
            .min(largest_number(self.phases[neuron], self.first_burst[neuron]) as i32)
    }

    /// The number that the neuron sends.
    fn number(&self, neuron: usize, potential: f64) -> i32 {
        let (sign, value) = match potential >= 0.0 {
            true => (1, potential),
            false => (-1, -self.negative_gain[neuron] * potential),
        };
        let (most, cost) = (self.most(neuron) as u32, self.spike_cost[neuron]);
        sign * number_for(value, self.phases[neuron], most, cost) as i32
    }

    /// The payload of the spike in a step; `None` where there is no spike.
    fn payload(&self, neuron: usize, cell: Cell) -> Option<i32> {
        let phase = cell.last.checked_sub(self.opening[neuron])?;
        let below = u64::from(self.phases[neuron] - 1).checked_sub(phase)?;
        let number = self.number(neuron, cell.potential);
        let size = number.abs();
        let part = if phase == 0 { size >> below << below } else { size & (1 << below) };
        (part != 0).then_some(part * number.signum())
    }

    /// Adds the input that arrives in the step that the neuron has just been advanced to.
    fn add(&mut self, neuron: usize, input: f64) -> Option<i32> {
        let opening = self.opening[neuron];
        let cell = &mut self.cells[neuron];
        if cell.last <= opening {
            cell.potential += input;
        }
        let cell = *cell;
        self.payload(neuron, cell)
    }

    fn value(&self, index: usize, neuron: usize, cell: Cell) -> f64 {
        if index == 0 {
            return cell.potential;
        }
        if cell.last < self.opening[neuron] {
            return 0.0;
        }
        let levels = self.levels(neuron, cell.potential).abs();
        (levels - f64::from(self.most(neuron))).max(0.0)
    }
}

impl Windowed for State {
    const GRADED: bool = true;

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
        visitor.reals(&mut self.cells.iter_mut().map(|cell| &mut cell.current));
        visitor.steps(&mut self.cells.iter_mut().map(|cell| &mut cell.last));
    }

    fn restart(&mut self) {
        let cell = |&potential: &f64| Cell { potential, current: 0.0, last: 0 };
        self.cells = self.initial.iter().map(cell).collect();
    }

    fn bytes(&self) -> u64 {
        bytes_of(&self.cells)
            + bytes_of(&self.initial)
            + bytes_of(&self.opening)
            + bytes_of(&self.phases)
            + bytes_of(&self.first_burst)
            + bytes_of(&self.negative_gain)
            + bytes_of(&self.spike_cost)
            + bytes_of(&self.largest)
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
        let opening = self.opening[neuron];
        let end = opening.saturating_add(u64::from(self.phases[neuron]));
        let first = self.cells[neuron].last.saturating_add(1).max(opening);
        let cell = self.at(neuron, opening);
        let spikes = |last: &u64| self.payload(neuron, Cell { last: *last, ..cell }).is_some();
        (first..end).find(spikes).map(|step| self.grid.time_of(step))
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

#[cfg(test)]
mod tests {
    use super::{largest_number, number_for, spikes_of};

    #[test]
    fn without_a_cost_the_nearest_number_is_sent() {
        let sent = |value: f64| number_for(value, 4, 15, 0.0);
        assert_eq!([0.0, 0.49, 0.5, 7.4, 7.5, 15.2, 1e9].map(sent), [0, 0, 1, 7, 8, 15, 15]);
    }

    #[test]
    fn a_cost_prefers_numbers_of_few_ones_as_far_as_it_goes() {
        let sent = |value: f64| number_for(value, 4, 15, 0.3);
        // 7 has three ones, 8 has one: at 7.3 they cost 0.09 + 0.9 and 0.49 + 0.3.
        assert_eq!([0.6, 0.7, 7.1, 7.3, 15.0, 99.0].map(sent), [0, 1, 7, 8, 15, 15]);
        for (phases, burst) in [(5, 1), (3, 3), (3, 7), (1, 15), (4, 2)] {
            let most = largest_number(phases, burst);
            for (cost, most) in
                [0.05, 0.3, 2.0, 40.0, 300.0].into_iter().zip([most, most - 1].into_iter().cycle())
            {
                for tenth in 0..10 * (most + 3) {
                    let value = f64::from(tenth) * 0.1 + 0.013;
                    let price = |number: u32| {
                        let error = f64::from(number) - value.min(f64::from(most));
                        error * error + cost * f64::from(spikes_of(number, phases))
                    };
                    let best = (0..=most).map(price).fold(f64::INFINITY, f64::min);
                    let found = price(number_for(value, phases, most, cost));
                    assert_eq!(found, best, "{value} {cost} {phases} {most}");
                }
            }
        }
    }
}
