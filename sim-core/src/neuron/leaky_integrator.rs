//! Leaky integrator: a membrane that never spikes.
//!
//! # Equations
//! C dV/dt = −(C/τ)(V − E) + I; an input of weight w lets V jump by w.
//!
//! # Spike and reset
//! None.
//!
//! # Parameters
//! | name | default | unit | symbol | range |
//! |---|---|---|---|---|
//! | `tau_membrane` | 10 | ms | τ | above zero |
//! | `capacitance` | 250 | pF | C | above zero |
//! | `resting_potential` | −70 | mV | E | any |
//!
//! # State
//! `membrane_potential` V (mV), initially E.
//!
//! # Numerics
//! Exact between inputs: V decays to its limit E + I τ/C.
//!
//! # Engines
//! Clock-driven and event-driven.
//!
//! # References
//! Gerstner et al. 2014, Neuronal Dynamics, section 1.3 (the passive membrane).

use super::model::{
    ClockNeurons, Combine, Drive, Emitted, EventNeurons, LoweredNeurons, ModelSpec, ModelTime,
    NeuronModel, ReceptorSpec, StateVisitor, VariableSpec, bytes_of,
};
use super::typed_parameters::{initial_or, typed_parameters, variable};
use crate::time::Time;
use crate::units::Dimension::{Current, Potential};

/// The model.
pub struct Model;

typed_parameters! {
    /// Typed parameters of the model.
    LeakyIntegrator of "leaky_integrator",
    input in the refractory time: None;
    tau_membrane: Milliseconds = 10.0, "τ", Positive, "membrane time constant";
    capacitance: Picofarads = 250.0, "C", Positive, "membrane capacitance";
    resting_potential: Millivolts = -70.0, "E", Any, "potential at rest";
}

static VARIABLES: [VariableSpec; 1] =
    [variable("membrane_potential", Potential, None, "V; initially the resting potential")];

static SPEC: ModelSpec = ModelSpec {
    name: "leaky_integrator",
    summary: "leaky membrane that never spikes (exact integration)",
    time: ModelTime::Continuous,
    parameters: PARAMETERS,
    receptors: &[ReceptorSpec {
        name: "input",
        weight: Potential,
        combine: Combine::Sum,
        meaning: "jump of V",
    }],
    variables: &VARIABLES,
    current: Some(Current),
    spikes: false,
    subtracting_reset: false,
    graded: false,
    refractory_input: &[],
    reference: "Gerstner et al. 2014, Neuronal Dynamics, section 1.3",
};

impl NeuronModel for Model {
    fn spec(&self) -> &'static ModelSpec {
        &SPEC
    }

    fn clock(&self, neurons: &LoweredNeurons) -> Option<Box<dyn ClockNeurons>> {
        Some(Box::new(State::new(neurons)))
    }

    fn event(&self, neurons: &LoweredNeurons) -> Result<Option<Box<dyn EventNeurons>>, String> {
        Ok(Some(Box::new(State::new(neurons))))
    }
}

/// Potentials, each at the time of its own last event (the clock-driven engine keeps no such time).
struct State {
    constants: Vec<Constants>,
    /// Part of the distance to the limit that is left after a step.
    decay: Vec<f64>,
    initial: Vec<f64>,
    potential: Vec<f64>,
    last: Vec<Time>,
    current: Vec<f64>,
}

impl State {
    fn new(neurons: &LoweredNeurons) -> Self {
        let constants: Vec<Constants> =
            (0..neurons.size).map(|index| Constants::of(neurons, index)).collect();
        let begin =
            |(index, c): (usize, &Constants)| initial_or(neurons, 0, index, c.resting_potential);
        let initial: Vec<f64> = constants.iter().enumerate().map(begin).collect();
        let dt = neurons.grid.dt();
        State {
            decay: constants.iter().map(|c| (-dt / c.tau_membrane).exp()).collect(),
            potential: initial.clone(),
            initial,
            last: vec![Time::ZERO; neurons.size],
            current: vec![0.0; neurons.size],
            constants,
        }
    }

    fn at(&self, neuron: usize, time: Time) -> f64 {
        let c = &self.constants[neuron];
        let limit = c.limit(self.current[neuron]);
        let span = (time - self.last[neuron]).milliseconds();
        limit + (self.potential[neuron] - limit) * (-span / c.tau_membrane).exp()
    }

    fn advance(&mut self, neuron: usize, time: Time) {
        if time > self.last[neuron] {
            self.potential[neuron] = self.at(neuron, time);
            self.last[neuron] = time;
        }
    }

    fn restart(&mut self) {
        self.potential.clone_from(&self.initial);
        self.last.fill(Time::ZERO);
        self.current.fill(0.0);
    }
}

impl Constants {
    /// The potential [mV] that a current [pA] leads to.
    fn limit(&self, current: f64) -> f64 {
        self.resting_potential + current * self.tau_membrane / self.capacitance
    }
}

impl ClockNeurons for State {
    fn step(&mut self, drive: Drive<'_>, _spikes: &mut Emitted) {
        let inputs = drive.inputs[0].iter().zip(drive.current);
        let cells = self.potential.iter_mut().zip(&self.constants).zip(&self.decay);
        for (((potential, c), decay), (input, &current)) in cells.zip(inputs) {
            let limit = c.limit(current);
            *potential = limit + (*potential - limit) * decay + input;
        }
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        visitor.reals(&mut self.potential.iter_mut());
    }

    fn variable(&self, _index: usize) -> Vec<f64> {
        self.potential.clone()
    }

    fn reset(&mut self) {
        self.restart();
    }

    fn bytes(&self) -> u64 {
        bytes_of(&self.constants)
            + bytes_of(&self.decay)
            + bytes_of(&self.initial)
            + bytes_of(&self.potential)
            + bytes_of(&self.last)
            + bytes_of(&self.current)
    }
}

impl EventNeurons for State {
    fn receive(&mut self, neuron: usize, time: Time, inputs: &[f64], _: bool) -> Option<i32> {
        self.advance(neuron, time);
        self.potential[neuron] += inputs[0];
        None
    }

    fn set_current(&mut self, neuron: usize, time: Time, current: f64) {
        self.advance(neuron, time);
        self.current[neuron] = current;
    }

    fn next_spike(&self, _neuron: usize) -> Option<Time> {
        None
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        visitor.reals(&mut self.potential.iter_mut());
        visitor.times(&mut self.last.iter_mut());
        visitor.reals(&mut self.current.iter_mut());
    }

    fn variable(&self, _index: usize, neuron: usize, time: Time) -> f64 {
        self.at(neuron, time)
    }

    fn reset(&mut self) {
        self.restart();
    }

    fn bytes(&self) -> u64 {
        ClockNeurons::bytes(self)
    }
}
