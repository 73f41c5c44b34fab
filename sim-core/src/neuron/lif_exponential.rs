//! Leaky integrate-and-fire neuron with exponentially decaying synaptic currents.
//!
//! # Equations
//! C dV/dt = −(C/τ)(V − E) + I_exc + I_inh + I; dI_x/dt = −I_x/τ_x; an input of weight w lets the
//! current of its receptor jump by w.
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
//!
//! # State
//! `membrane_potential` V (mV), initially E; `current_excitatory`, `current_inhibitory` (pA),
//! initially 0.
//!
//! # Numerics
//! Exact between inputs; where a synaptic time constant equals the membrane's, the solution is
//! I t/C exp(−t/τ). The clock-driven engine finds spikes at the end of a step (input first acts on V
//! in the step after it arrives, as in NEST); the event-driven engine finds the crossing itself,
//! and none is missed ([`super::exponential_sum`]). The clock engine's spikes converge to the event
//! engine's as dt shrinks.
//!
//! # Engines
//! Clock-driven and event-driven.
//!
//! # References
//! NEST `iaf_psc_exp`; Rotter & Diesmann 1999, Biol. Cybern. 81:381; Tsodyks et al. 2000,
//! J. Neurosci. 20:RC50.

mod dynamics;
mod narrow;

pub(super) use narrow::two_inputs;

use super::bounds::reset_below_threshold;
use super::model::{
    ClockNeurons, Combine, Drive, Emitted, EventNeurons, LoweredNeurons, ModelSpec, ModelTime,
    NarrowNeurons, NeuronModel, ParameterSpec, Range, ReceptorSpec, StateVisitor, VariableSpec,
    bytes_of,
};
use crate::network::{Neuron, RefractoryInput, Reset, SpikeCondition};
use crate::time::Time;
use crate::units::{Dimension, Milliseconds, Millivolts, Picofarads};
use dynamics::{Constants, NeuronState, lower};

/// The model.
pub struct Model;

const THRESHOLD: usize = 3;

const fn parameter(
    name: &'static str,
    symbol: &'static str,
    dimension: Dimension,
    default: f64,
    range: Range,
    meaning: &'static str,
) -> ParameterSpec {
    ParameterSpec { name, symbol, dimension, default, range, meaning }
}

use Dimension::{Capacitance, Current, Potential, Time as Span};

static SPEC: ModelSpec = ModelSpec {
    name: "lif_exponential",
    summary: "leaky integrate-and-fire, exponential synaptic currents (exact integration)",
    time: ModelTime::Continuous,
    parameters: &[
        parameter("tau_membrane", "τ", Span, 10.0, Range::Positive, "membrane time constant"),
        parameter("capacitance", "C", Capacitance, 250.0, Range::Positive, "membrane capacitance"),
        parameter("resting_potential", "E", Potential, -70.0, Range::Any, "potential at rest"),
        parameter("threshold", "θ", Potential, -55.0, Range::Any, "potential of a spike"),
        parameter("refractory_period", "t_ref", Span, 2.0, Range::NonNegative, "time V is held"),
        parameter("tau_excitatory", "τ_exc", Span, 2.0, Range::Positive, "decay of I_exc"),
        parameter("tau_inhibitory", "τ_inh", Span, 2.0, Range::Positive, "decay of I_inh"),
    ],
    receptors: &[
        ReceptorSpec {
            name: "excitatory",
            weight: Current,
            combine: Combine::Sum,
            meaning: "jump of I_exc",
        },
        ReceptorSpec {
            name: "inhibitory",
            weight: Current,
            combine: Combine::Sum,
            meaning: "jump of I_inh",
        },
    ],
    variables: &[
        VariableSpec {
            name: "membrane_potential",
            dimension: Potential,
            initial: None,
            meaning: "V; initially the resting potential",
        },
        VariableSpec {
            name: "current_excitatory",
            dimension: Current,
            initial: Some(0.0),
            meaning: "I_exc",
        },
        VariableSpec {
            name: "current_inhibitory",
            dimension: Current,
            initial: Some(0.0),
            meaning: "I_inh",
        },
    ],
    current: Some(Current),
    spikes: true,
    subtracting_reset: false,
    graded: false,
    refractory_input: &[RefractoryInput::Integrated],
    reference: "Rotter & Diesmann 1999, Biol. Cybern. 81:381; NEST iaf_psc_exp",
};

/// Typed parameters of the model.
#[derive(Debug, Clone, PartialEq)]
pub struct LifExponential {
    /// Membrane time constant.
    pub tau_membrane: Milliseconds,
    /// Membrane capacitance.
    pub capacitance: Picofarads,
    /// Potential without input.
    pub resting_potential: Millivolts,
    /// Potential at which the neuron spikes.
    pub threshold: Millivolts,
    /// Potential after a spike.
    pub reset: Millivolts,
    /// Time after a spike in which the potential is held.
    pub refractory_period: Milliseconds,
    /// Decay of the excitatory current.
    pub tau_excitatory: Milliseconds,
    /// Decay of the inhibitory current.
    pub tau_inhibitory: Milliseconds,
}

impl Default for LifExponential {
    fn default() -> Self {
        LifExponential {
            tau_membrane: Milliseconds(10.0),
            capacitance: Picofarads(250.0),
            resting_potential: Millivolts(-70.0),
            threshold: Millivolts(-55.0),
            reset: Millivolts(-70.0),
            refractory_period: Milliseconds(2.0),
            tau_excitatory: Milliseconds(2.0),
            tau_inhibitory: Milliseconds(2.0),
        }
    }
}

impl From<LifExponential> for Neuron {
    fn from(typed: LifExponential) -> Neuron {
        let mut neuron = Neuron::new(SPEC.name)
            .parameter("tau_membrane", typed.tau_membrane)
            .parameter("capacitance", typed.capacitance)
            .parameter("resting_potential", typed.resting_potential)
            .parameter("threshold", typed.threshold)
            .parameter("refractory_period", typed.refractory_period)
            .parameter("tau_excitatory", typed.tau_excitatory)
            .parameter("tau_inhibitory", typed.tau_inhibitory)
            .rules(SpikeCondition::AtOrAbove, Reset::To(typed.reset.into()));
        neuron.refractory_input = Some(RefractoryInput::Integrated);
        neuron
    }
}

impl NeuronModel for Model {
    fn spec(&self) -> &'static ModelSpec {
        &SPEC
    }

    fn check(&self, neurons: &LoweredNeurons) -> Vec<(&'static str, String)> {
        reset_below_threshold(neurons, THRESHOLD)
    }

    fn clock(&self, neurons: &LoweredNeurons) -> Option<Box<dyn ClockNeurons>> {
        Some(Box::new(ClockState::new(neurons)))
    }

    fn narrow_form(&self) -> Option<&'static str> {
        Some(super::narrow::LOSS)
    }

    fn is_narrow(&self, neurons: &LoweredNeurons) -> bool {
        narrow::is_narrow(neurons)
    }

    fn narrow(&self, neurons: &LoweredNeurons) -> Option<Box<dyn NarrowNeurons>> {
        narrow::is_narrow(neurons).then(|| Box::new(narrow::Narrow::new(neurons)) as _)
    }

    fn event(&self, neurons: &LoweredNeurons) -> Result<Option<Box<dyn EventNeurons>>, String> {
        Ok(Some(Box::new(EventState::new(neurons))))
    }
}

/// Per-step factors of one neuron.
#[derive(Debug, Clone, Copy)]
struct Step {
    decay: f64,
    synapse_decay: [f64; 2],
    synapse_to_potential: [f64; 2],
    refractory_steps: u32,
}

struct ClockState {
    constants: Vec<Constants>,
    steps: Vec<Step>,
    state: Vec<NeuronState>,
    initial: Vec<NeuronState>,
    remaining: Vec<u32>,
}

impl ClockState {
    fn new(neurons: &LoweredNeurons) -> Self {
        let (constants, initial) = lower(neurons);
        let dt = neurons.grid.dt();
        let step = |c: &Constants| Step {
            decay: (-dt / c.tau).exp(),
            synapse_decay: c.tau_synapse.map(|tau| (-dt / tau).exp()),
            synapse_to_potential: c.tau_synapse.map(|tau| c.propagator(tau, dt)),
            refractory_steps: (c.refractory / dt).round() as u32,
        };
        ClockState {
            steps: constants.iter().map(step).collect(),
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
            let (c, step) = (&self.constants[neuron], &self.steps[neuron]);
            let state = &mut self.state[neuron];
            if self.remaining[neuron] > 0 {
                self.remaining[neuron] -= 1;
            } else {
                let limit = c.limit(drive.current[neuron]);
                state.potential = limit
                    + (state.potential - limit) * step.decay
                    + state.synapse[0] * step.synapse_to_potential[0]
                    + state.synapse[1] * step.synapse_to_potential[1];
            }
            for receptor in 0..2 {
                state.synapse[receptor] = state.synapse[receptor] * step.synapse_decay[receptor]
                    + drive.inputs[receptor][neuron];
            }
            if c.reaches(state.potential) {
                state.potential = c.reset;
                self.remaining[neuron] = step.refractory_steps;
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
        self.state.iter().map(|state| variable_of(state, index)).collect()
    }

    fn reset(&mut self) {
        self.state.clone_from(&self.initial);
        self.remaining.fill(0);
    }

    fn bytes(&self) -> u64 {
        bytes_of(&self.constants)
            + bytes_of(&self.steps)
            + bytes_of(&self.state)
            + bytes_of(&self.initial)
            + bytes_of(&self.remaining)
    }
}

fn variable_of(state: &NeuronState, index: usize) -> f64 {
    match index {
        0 => state.potential,
        other => state.synapse[(other - 1).min(1)],
    }
}

struct EventState {
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
            let refractory = Time::from_milliseconds(c.refractory).unwrap_or(Time::NEVER);
            self.held_until[neuron] = time.saturating_add(refractory);
        }
        for (synapse, input) in self.state[neuron].synapse.iter_mut().zip(inputs) {
            *synapse += input;
        }
        crossing.then_some(1)
    }

    fn set_current(&mut self, neuron: usize, time: Time, current: f64) {
        self.advance(neuron, time);
        self.current[neuron] = current;
    }

    fn next_spike(&self, neuron: usize) -> Option<Time> {
        let from = self.last[neuron].max(self.held_until[neuron]);
        let wait =
            self.constants[neuron].next_spike(self.at(neuron, from), self.current[neuron])?;
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
        variable_of(&self.at(neuron, time), index)
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
