//! Leaky integrate-and-fire neuron with alpha-shaped synaptic currents.
//!
//! # Equations
//! C dV/dt = −(C/τ)(V − E) + I_exc + I_inh + I; dI_x/dt = (e r_x − I_x)/τ_x; dr_x/dt = −r_x/τ_x; an
//! input of weight w lets r_x of its receptor jump by w, so that I_x alone becomes
//! w (t/τ_x) exp(1 − t/τ_x), with the peak w after τ_x.
//!
//! # Spike and reset
//! V ≥ θ or V > θ, as stated; V is then set to a value and held there for the refractory time, while
//! the synaptic currents go on (input is integrated, not lost).
//!
//! # Parameters
//! | name | default | unit | symbol | range |
//! |---|---|---|---|---|
//! | `tau_membrane` | 10 | ms | τ | above zero |
//! | `capacitance` | 250 | pF | C | above zero |
//! | `resting_potential` | −70 | mV | E | any |
//! | `threshold` | −55 | mV | θ | any, above the reset |
//! | `refractory_period` | 2 | ms | t_ref | zero or above |
//! | `tau_excitatory` | 2 | ms | τ_exc | above zero |
//! | `tau_inhibitory` | 2 | ms | τ_inh | above zero |
//! | `lowest_potential` | none (−10⁹) | mV | V_min | any, at or below the reset |
//!
//! # State
//! `membrane_potential` V (mV), initially E; `current_excitatory`, `current_inhibitory` I and
//! `rise_excitatory`, `rise_inhibitory` r (pA), initially 0.
//!
//! # Numerics
//! Exact between inputs; where a synaptic time constant equals or nears the membrane's, the same
//! integrals are taken from their series, which has no singularity. The clock-driven engine finds
//! spikes at the end of a step (input first acts on V in the step after it arrives, as in NEST); the
//! event-driven engine finds the crossing itself ([`super::exponential_sum`]), and misses none but
//! peaks closer to the threshold than 1e-4 mV where two time constants differ by less than 1e-5 of
//! themselves but are not equal. The clock engine's spikes converge to the event engine's as dt
//! shrinks.
//!
//! # Engines
//! Clock-driven and event-driven.
//!
//! # References
//! NEST `iaf_psc_alpha`; Rotter & Diesmann 1999, Biol. Cybern. 81:381.

mod dynamics;

use super::bounds::{
    BOUNDED, NO_LOWER_BOUND, is_bounded, reset_above_bound, reset_below_threshold,
};
use super::model::{
    ClockNeurons, Drive, Emitted, EventNeurons, LoweredNeurons, ModelSpec, ModelTime, NeuronModel,
    ReceptorSpec, StateVisitor, VariableSpec, bytes_of,
};
use super::ode_neurons::reaches;
use super::typed_parameters::{two_receptors, typed_parameters, variable};
use crate::network::{RefractoryInput, SpikeCondition};
use crate::time::Time;
use crate::units::Dimension::{Current, Potential};
use dynamics::{Decay, NeuronState, initial_state};

/// The model.
pub struct Model;

const THRESHOLD: usize = 3;
const LOWEST: usize = 7;

typed_parameters! {
    /// Typed parameters of the model.
    LifAlpha of "lif_alpha", reset to -70.0,
    input in the refractory time: Some(RefractoryInput::Integrated);
    tau_membrane: Milliseconds = 10.0, "τ", Positive, "membrane time constant";
    capacitance: Picofarads = 250.0, "C", Positive, "membrane capacitance";
    resting_potential: Millivolts = -70.0, "E", Any, "potential at rest";
    threshold: Millivolts = -55.0, "θ", Any, "potential of a spike";
    refractory_period: Milliseconds = 2.0, "t_ref", NonNegative, "time V is held";
    tau_excitatory: Milliseconds = 2.0, "τ_exc", Positive, "time constant of I_exc";
    tau_inhibitory: Milliseconds = 2.0, "τ_inh", Positive, "time constant of I_inh";
    lowest_potential: Millivolts = NO_LOWER_BOUND, "V_min", Any, "V is held at or above this";
}

static RECEPTORS: [ReceptorSpec; 2] = two_receptors(
    Current,
    "jump of r_exc: peak of the I_exc that follows",
    "jump of r_inh: peak of the I_inh that follows",
);

static VARIABLES: [VariableSpec; 5] = [
    variable("membrane_potential", Potential, None, "V; initially the resting potential"),
    variable("current_excitatory", Current, Some(0.0), "I_exc"),
    variable("current_inhibitory", Current, Some(0.0), "I_inh"),
    variable("rise_excitatory", Current, Some(0.0), "r_exc, drives I_exc"),
    variable("rise_inhibitory", Current, Some(0.0), "r_inh, drives I_inh"),
];

static SPEC: ModelSpec = ModelSpec {
    name: "lif_alpha",
    summary: "leaky integrate-and-fire, alpha-shaped synaptic currents (exact integration)",
    time: ModelTime::Continuous,
    parameters: PARAMETERS,
    receptors: &RECEPTORS,
    variables: &VARIABLES,
    current: Some(Current),
    spikes: true,
    subtracting_reset: false,
    graded: false,
    refractory_input: &[RefractoryInput::Integrated],
    reference: "Rotter & Diesmann 1999, Biol. Cybern. 81:381; NEST iaf_psc_alpha",
};

impl NeuronModel for Model {
    fn spec(&self) -> &'static ModelSpec {
        &SPEC
    }

    fn check(&self, neurons: &LoweredNeurons) -> Vec<(&'static str, String)> {
        let mut problems = reset_below_threshold(neurons, THRESHOLD);
        problems.extend(reset_above_bound(neurons, LOWEST));
        problems
    }

    fn clock(&self, neurons: &LoweredNeurons) -> Option<Box<dyn ClockNeurons>> {
        Some(Box::new(ClockState::new(neurons)))
    }

    fn event(&self, neurons: &LoweredNeurons) -> Result<Option<Box<dyn EventNeurons>>, String> {
        if is_bounded(neurons, LOWEST) {
            return Err(BOUNDED.to_string());
        }
        Ok(Some(Box::new(EventState::new(neurons))))
    }
}

fn lower(neurons: &LoweredNeurons) -> (Vec<Constants>, Vec<NeuronState>) {
    let of = |neuron: usize| {
        let constants = Constants::of(neurons, neuron);
        (constants, initial_state(neurons, neuron, constants.resting_potential))
    };
    (0..neurons.size).map(of).unzip()
}

struct ClockState {
    condition: SpikeCondition,
    constants: Vec<Constants>,
    /// What a step of dt does.
    decay: Vec<Decay>,
    refractory_steps: Vec<u32>,
    state: Vec<NeuronState>,
    initial: Vec<NeuronState>,
    remaining: Vec<u32>,
}

impl ClockState {
    fn new(neurons: &LoweredNeurons) -> Self {
        let (constants, initial) = lower(neurons);
        let dt = neurons.grid.dt();
        let steps = |c: &Constants| (c.refractory_period / dt).round() as u32;
        ClockState {
            condition: neurons.spike,
            decay: constants.iter().map(|c| c.decay(dt)).collect(),
            refractory_steps: constants.iter().map(steps).collect(),
            state: initial.clone(),
            remaining: vec![0; neurons.size],
            constants,
            initial,
        }
    }
}

impl ClockNeurons for ClockState {
    fn step(&mut self, drive: Drive<'_>, spikes: &mut Emitted) {
        for neuron in 0..self.state.len() {
            let (c, decay) = (&self.constants[neuron], &self.decay[neuron]);
            let state = &mut self.state[neuron];
            if self.remaining[neuron] > 0 {
                self.remaining[neuron] -= 1;
            } else {
                let potential = decay.potential(state, c.limit(drive.current[neuron]));
                state.potential = potential.max(c.lowest_potential);
            }
            decay.synapses(state);
            for receptor in 0..2 {
                state.rise[receptor] += drive.inputs[receptor][neuron];
            }
            if reaches(self.condition, state.potential, c.threshold) {
                state.potential = c.reset;
                self.remaining[neuron] = self.refractory_steps[neuron];
                spikes.push(neuron as u32);
            }
        }
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        for variable in 0..NeuronState::VARIABLES {
            visitor.reals(&mut self.state.iter_mut().map(|state| state.variable_mut(variable)));
        }
        visitor.counts(&mut self.remaining.iter_mut());
    }

    fn variable(&self, index: usize) -> Vec<f64> {
        self.state.iter().map(|state| state.variable(index)).collect()
    }

    fn reset(&mut self) {
        self.state.clone_from(&self.initial);
        self.remaining.fill(0);
    }

    fn bytes(&self) -> u64 {
        bytes_of(&self.constants)
            + bytes_of(&self.decay)
            + bytes_of(&self.refractory_steps)
            + bytes_of(&self.state)
            + bytes_of(&self.initial)
            + bytes_of(&self.remaining)
    }
}

struct EventState {
    condition: SpikeCondition,
    constants: Vec<Constants>,
    state: Vec<NeuronState>,
    initial: Vec<NeuronState>,
    /// Time that `state` is for.
    last: Vec<Time>,
    /// Until then the potential is held.
    held_until: Vec<Time>,
    current: Vec<f64>,
}

impl EventState {
    fn new(neurons: &LoweredNeurons) -> Self {
        let (constants, initial) = lower(neurons);
        EventState {
            condition: neurons.spike,
            constants,
            state: initial.clone(),
            initial,
            last: vec![Time::ZERO; neurons.size],
            held_until: vec![Time::ZERO; neurons.size],
            current: vec![0.0; neurons.size],
        }
    }

    fn at(&self, neuron: usize, time: Time) -> NeuronState {
        let span = (time - self.last[neuron]).milliseconds();
        let held = (self.held_until[neuron] - self.last[neuron]).milliseconds();
        self.constants[neuron].after(self.state[neuron], self.current[neuron], span, held)
    }

    fn advance(&mut self, neuron: usize, time: Time) {
        if time > self.last[neuron] {
            self.state[neuron] = self.at(neuron, time);
            self.last[neuron] = time;
        }
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
        self.advance(neuron, time);
        let c = self.constants[neuron];
        if crossing {
            self.state[neuron].potential = c.reset;
            let refractory = Time::from_milliseconds(c.refractory_period).unwrap_or(Time::NEVER);
            self.held_until[neuron] = time.saturating_add(refractory);
        }
        for (rise, input) in self.state[neuron].rise.iter_mut().zip(inputs) {
            *rise += input;
        }
        crossing.then_some(1)
    }

    fn set_current(&mut self, neuron: usize, time: Time, current: f64) {
        self.advance(neuron, time);
        self.current[neuron] = current;
    }

    fn next_spike(&self, neuron: usize) -> Option<Time> {
        let from = self.last[neuron].max(self.held_until[neuron]);
        let (state, current) = (self.at(neuron, from), self.current[neuron]);
        let wait = self.constants[neuron].next_spike(state, current, self.condition)?;
        let wait = Time::from_milliseconds(wait)?;
        // At least a femtosecond later, so that time always advances.
        Some(from.saturating_add(wait.max(Time(1))))
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        for variable in 0..NeuronState::VARIABLES {
            visitor.reals(&mut self.state.iter_mut().map(|state| state.variable_mut(variable)));
        }
        visitor.times(&mut self.last.iter_mut());
        visitor.times(&mut self.held_until.iter_mut());
        visitor.reals(&mut self.current.iter_mut());
    }

    fn variable(&self, index: usize, neuron: usize, time: Time) -> f64 {
        self.at(neuron, time).variable(index)
    }

    fn reset(&mut self) {
        self.state.clone_from(&self.initial);
        self.last.fill(Time::ZERO);
        self.held_until.fill(Time::ZERO);
        self.current.fill(0.0);
    }

    fn bytes(&self) -> u64 {
        let state = bytes_of(&self.state) + bytes_of(&self.initial) + bytes_of(&self.current);
        bytes_of(&self.constants) + state + bytes_of(&self.last) + bytes_of(&self.held_until)
    }
}
