//! Stepwise integrate-and-fire neuron without leak: the neuron of converted networks.
//!
//! # Equations
//! v ← v + Σ w + I at the end of every step: the weights that arrive, then the current.
//!
//! # Spike and reset
//! v ≥ threshold or v > threshold, as stated; v is set to a value or loses the threshold. After a
//! soft reset v may still lie above the threshold: then the neuron spikes again in the next step,
//! never twice in one.
//!
//! # Parameters
//! | name | default | unit | symbol | range |
//! |---|---|---|---|---|
//! | `threshold` | 1 | – | θ | above zero |
//!
//! # State
//! `membrane_potential` v, initially 0 (half the threshold removes the floor bias of a rate code).
//!
//! # Numerics
//! Exact: all numbers lie on a dyadic grid ([`super::exact`]), so both engines give the same bits
//! as long as |v| stays below 2^20.
//!
//! # Engines
//! Clock-driven and event-driven. The next spike without input is at the smallest m ≥ 1 with
//! v + m·I at (above) the threshold.
//!
//! # References
//! Rueckauer et al. 2017, Front. Neurosci. 11:682 (reset by subtraction); Han et al. 2020, CVPR,
//! "RMP-SNN".

use super::exact;
use super::fired::{Flags, TOGETHER, for_each_bit, mask};
use super::model::{
    ClockNeurons, Column, Combine, Drive, Emitted, EventNeurons, LoweredNeurons, LoweredReset,
    ModelSpec, ModelTime, NeuronModel, ParameterSpec, Range, ReceptorSpec, StateVisitor,
    VariableSpec, bytes_of,
};
use crate::network::{Neuron, Reset, SpikeCondition};
use crate::time::{Grid, Time};
use crate::units::{Dimension, Values};
use kernels::Loop;

/// The model.
pub struct Model;

static SPEC: ModelSpec = ModelSpec {
    name: "integrate_and_fire",
    summary: "stepwise integrate-and-fire without leak, soft or hard reset (converted networks)",
    time: ModelTime::Stepwise,
    parameters: &[ParameterSpec {
        name: "threshold",
        symbol: "θ",
        dimension: Dimension::Number,
        default: 1.0,
        range: Range::Positive,
        meaning: "potential at which the neuron spikes",
    }],
    receptors: &[ReceptorSpec {
        name: "input",
        weight: Dimension::Number,
        combine: Combine::Sum,
        meaning: "jump of the potential",
    }],
    variables: &[VariableSpec {
        name: "membrane_potential",
        dimension: Dimension::Number,
        initial: Some(0.0),
        meaning: "sum of the input minus what resets took",
    }],
    current: Some(Dimension::Number),
    spikes: true,
    subtracting_reset: true,
    graded: false,
    refractory_input: &[],
    reference: "Rueckauer et al. 2017, Front. Neurosci. 11:682",
};

/// Typed parameters of the model.
#[derive(Debug, Clone, PartialEq)]
pub struct IntegrateAndFire {
    /// Threshold, one for all or one a neuron.
    pub threshold: Values,
    /// Initial potential, one for all or one a neuron.
    pub initial: Values,
    /// Spike condition.
    pub spike: SpikeCondition,
    /// Reset rule.
    pub reset: Reset,
}

impl Default for IntegrateAndFire {
    /// Threshold 1, spike at or above it, soft reset, initially 0.
    fn default() -> Self {
        IntegrateAndFire {
            threshold: 1.0.into(),
            initial: 0.0.into(),
            spike: SpikeCondition::AtOrAbove,
            reset: Reset::Subtract,
        }
    }
}

impl From<IntegrateAndFire> for Neuron {
    fn from(typed: IntegrateAndFire) -> Neuron {
        Neuron::new(SPEC.name)
            .parameter("threshold", typed.threshold)
            .initial("membrane_potential", typed.initial)
            .rules(typed.spike, typed.reset)
    }
}

impl NeuronModel for Model {
    fn spec(&self) -> &'static ModelSpec {
        &SPEC
    }

    fn check(&self, neurons: &LoweredNeurons) -> Vec<(&'static str, String)> {
        let thresholds = neurons.parameters[0].numbers();
        let vanishes = |theta: &&f64| **theta > 0.0 && exact::round(**theta) == 0.0;
        let problem = thresholds.iter().find(vanishes).map(|theta| {
            ("threshold", format!("{theta} is below the finest step 2^-32; scale the network up"))
        });
        problem.into_iter().collect()
    }

    fn round(&self, value: f64) -> f64 {
        exact::round(value)
    }

    fn clock(&self, neurons: &LoweredNeurons) -> Option<Box<dyn ClockNeurons>> {
        Some(Box::new(State::new(neurons)))
    }

    fn event(&self, neurons: &LoweredNeurons) -> Result<Option<Box<dyn EventNeurons>>, String> {
        Ok(Some(Box::new(EventState {
            last_step: vec![0; neurons.size],
            current: vec![0.0; neurons.size],
            grid: neurons.grid,
            state: State::new(neurons),
        })))
    }
}

/// Potentials and what decides on spikes.
struct State {
    potential: Vec<f64>,
    initial: Vec<f64>,
    threshold: Vec<f64>,
    spike: SpikeCondition,
    reset: LoweredReset,
}

impl State {
    fn new(neurons: &LoweredNeurons) -> Self {
        let all = 0..neurons.size;
        let initial = neurons.initial.first().and_then(|column| column.as_ref());
        let initial: Vec<f64> = all
            .clone()
            .map(|i| exact::round(initial.map_or(0.0, |column| column.get(i))))
            .collect();
        let reset = match &neurons.reset {
            LoweredReset::To(column) => LoweredReset::To(column.map(exact::round)),
            LoweredReset::Subtract => LoweredReset::Subtract,
        };
        State {
            potential: initial.clone(),
            initial,
            threshold: all.map(|i| exact::round(neurons.parameters[0].get(i))).collect(),
            spike: neurons.spike,
            reset,
        }
    }

    fn reaches(&self, neuron: usize, potential: f64) -> bool {
        match self.spike {
            SpikeCondition::AtOrAbove => potential >= self.threshold[neuron],
            SpikeCondition::Above => potential > self.threshold[neuron],
        }
    }

    /// Adds `input`; where that makes the neuron spike, resets it.
    fn add(&mut self, neuron: usize, input: f64) -> bool {
        let potential = self.potential[neuron] + input;
        let spikes = self.reaches(neuron, potential);
        self.potential[neuron] = match (spikes, &self.reset) {
            (false, _) => potential,
            (true, LoweredReset::To(column)) => column.get(neuron),
            (true, LoweredReset::Subtract) => potential - self.threshold[neuron],
        };
        spikes
    }
}

/// One step of all neurons: no branch a neuron, so that compilers take several at once.
struct Advance<'a, F, G> {
    state: &'a mut State,
    drive: Drive<'a>,
    spikes: &'a mut Emitted,
    /// Whether a potential reaches a threshold.
    reaches: F,
    /// What a spike makes of a potential that reached a threshold.
    reset: G,
}

impl<F: Fn(f64, f64) -> bool, G: Fn(f64, f64) -> f64> Loop for Advance<'_, F, G> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Advance { state, drive, spikes, reaches, reset } = self;
        let neurons = state.potential.chunks_mut(TOGETHER).zip(state.threshold.chunks(TOGETHER));
        let drives = drive.inputs[0].chunks(TOGETHER).zip(drive.current.chunks(TOGETHER));
        for (number, ((potential, threshold), (input, current))) in neurons.zip(drives).enumerate()
        {
            let mut fired: Flags = [0; TOGETHER];
            let own = potential.iter_mut().zip(threshold).zip(&mut fired);
            for (((potential, &theta), fired), (input, current)) in
                own.zip(input.iter().zip(current))
            {
                let reached = *potential + (input + current);
                let spikes = reaches(reached, theta);
                *potential = if spikes { reset(reached, theta) } else { reached };
                *fired = u8::from(spikes);
            }
            let first = (number * TOGETHER) as u32;
            for_each_bit(mask(&fired), |lane| spikes.push(first + lane as u32));
        }
    }
}

impl ClockNeurons for State {
    fn step(&mut self, drive: Drive<'_>, spikes: &mut Emitted) {
        let (at_or_above, above) =
            (|v: f64, theta: f64| v >= theta, |v: f64, theta: f64| v > theta);
        let subtract = |v: f64, theta: f64| v - theta;
        let set = drive.instructions;
        let one = match &self.reset {
            LoweredReset::To(Column::One(value)) => Some(*value),
            LoweredReset::To(Column::Each(_)) => {
                for (neuron, (input, current)) in
                    drive.inputs[0].iter().zip(drive.current).enumerate()
                {
                    if self.add(neuron, input + current) {
                        spikes.push(neuron as u32);
                    }
                }
                return;
            }
            LoweredReset::Subtract => None,
        };
        match (self.spike, one, self) {
            (SpikeCondition::AtOrAbove, None, state) => {
                set.run(Advance { state, drive, spikes, reaches: at_or_above, reset: subtract });
            }
            (SpikeCondition::Above, None, state) => {
                set.run(Advance { state, drive, spikes, reaches: above, reset: subtract });
            }
            (SpikeCondition::AtOrAbove, Some(value), state) => {
                let reset = |_, _| value;
                set.run(Advance { state, drive, spikes, reaches: at_or_above, reset });
            }
            (SpikeCondition::Above, Some(value), state) => {
                let reset = |_, _| value;
                set.run(Advance { state, drive, spikes, reaches: above, reset });
            }
        }
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        visitor.reals(&mut self.potential.iter_mut());
    }

    fn variable(&self, _index: usize) -> Vec<f64> {
        self.potential.clone()
    }

    fn reset(&mut self) {
        self.potential.clone_from(&self.initial);
    }

    fn bytes(&self) -> u64 {
        bytes_of(&self.potential)
            + bytes_of(&self.initial)
            + bytes_of(&self.threshold)
            + self.reset.bytes()
    }
}

/// The same neurons, each at the step of its own last event.
struct EventState {
    state: State,
    last_step: Vec<u64>,
    current: Vec<f64>,
    grid: Grid,
}

impl EventState {
    /// The potential after the silent steps up to `step`; exact, see [`super::exact`].
    fn at_step(&self, neuron: usize, step: u64) -> f64 {
        let silent = step.saturating_sub(self.last_step[neuron]);
        self.state.potential[neuron] + silent as f64 * self.current[neuron]
    }
}

impl EventNeurons for EventState {
    fn receive(
        &mut self,
        neuron: usize,
        time: Time,
        inputs: &[f64],
        _crossing: bool,
    ) -> Option<i32> {
        let step = self.grid.step_at(time);
        self.state.potential[neuron] = self.at_step(neuron, step);
        self.last_step[neuron] = step;
        self.state.add(neuron, inputs[0]).then_some(1)
    }

    fn set_current(&mut self, neuron: usize, time: Time, current: f64) {
        let step = self.grid.step_at(time);
        self.state.potential[neuron] = self.at_step(neuron, step);
        self.last_step[neuron] = step;
        self.current[neuron] = current;
    }

    fn next_spike(&self, neuron: usize) -> Option<Time> {
        let (potential, current) = (self.state.potential[neuron], self.current[neuron]);
        let reaches = |m: u64| self.state.reaches(neuron, potential + m as f64 * current);
        let after = |m: u64| Some(self.grid.time_of(self.last_step[neuron].saturating_add(m)));
        if reaches(1) {
            return after(1);
        }
        if current <= 0.0 {
            return None;
        }
        // The quotient may be off by a rounding; the exact sums next to it decide.
        let guess = ((self.state.threshold[neuron] - potential) / current).floor();
        let first = (guess as u64).saturating_sub(1).max(1);
        (first..first.saturating_add(4)).find(|&m| reaches(m)).and_then(after)
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        visitor.reals(&mut self.state.potential.iter_mut());
        visitor.steps(&mut self.last_step.iter_mut());
        visitor.reals(&mut self.current.iter_mut());
    }

    fn variable(&self, _index: usize, neuron: usize, time: Time) -> f64 {
        self.at_step(neuron, self.grid.step_at(time))
    }

    fn reset(&mut self) {
        ClockNeurons::reset(&mut self.state);
        self.last_step.fill(0);
        self.current.fill(0.0);
    }

    fn bytes(&self) -> u64 {
        ClockNeurons::bytes(&self.state) + bytes_of(&self.last_step) + bytes_of(&self.current)
    }
}
