//! Izhikevich's two-variable neuron.
//!
//! # Equations
//! dv/dt = 0.04 v² + 5 v + 140 − u + I; du/dt = a (b v − u), with v in mV, t in ms and numbers
//! without a unit otherwise; a current of 1 pA counts as 1. An input of weight w lets v jump by w.
//!
//! # Spike and reset
//! v ≥ θ or v > θ at the end of a step, as stated; v is then set to the reset (Izhikevich's c) and u
//! jumps by d. There is no refractory time.
//!
//! # Parameters
//! | name | default | unit | symbol | range |
//! |---|---|---|---|---|
//! | `recovery_rate` | 0.02 | 1 (per ms) | a | any |
//! | `recovery_sensitivity` | 0.2 | 1 | b | any |
//! | `recovery_jump` | 8 | 1 | d | any |
//! | `threshold` | 30 | mV | θ | any, above the reset |
//! | `consistent_steps` | 1 | 1 | – | 1, or 0 for the steps of the 2003 paper |
//! | `lowest_potential` | none (−10⁹) | mV | V_min | any, at or below the reset |
//!
//! The reset is −65 mV by default.
//!
//! # State
//! `membrane_potential` v (mV), initially −65; `recovery` u, initially b v.
//!
//! # Numerics
//! One forward Euler step a dt, both slopes taken at the beginning of the step; input that arrives
//! at its end is added at its end. This is part of the model (its parameters were fitted with such
//! steps): results depend on dt and agree with other tools at equal dt only.
//!
//! With `consistent_steps` = 0 as the paper's program does it: v takes two half steps with u as it
//! was, and u a step with v as it is then; input that arrives at the end of a step flows as a current
//! of its size through the step.
//!
//! # Engines
//! Clock-driven.
//!
//! # References
//! NEST `izhikevich` (with `consistent_integration`); Izhikevich 2003, IEEE Trans. Neural Netw.
//! 14:1569.

use super::bounds::{NO_LOWER_BOUND, reset_above_bound, reset_below_threshold};
use super::model::{
    ClockNeurons, Combine, Drive, Emitted, EventNeurons, LoweredNeurons, ModelSpec, ModelTime,
    NeuronModel, ReceptorSpec, StateVisitor, VariableSpec, bytes_of,
};
use super::ode_neurons::reaches;
use super::typed_parameters::{initial_or, typed_parameters, variable};
use crate::network::SpikeCondition;
use crate::units::Dimension::{Current, Number, Potential};

/// The model.
pub struct Model;

typed_parameters! {
    /// Typed parameters of the model.
    Izhikevich of "izhikevich", reset to -65.0,
    input in the refractory time: None;
    recovery_rate: Number = 0.02, "a", Any, "rate of u per ms";
    recovery_sensitivity: Number = 0.2, "b", Any, "what u makes of v";
    recovery_jump: Number = 8.0, "d", Any, "jump of u with a spike";
    threshold: Millivolts = 30.0, "θ", Any, "potential of a spike";
    consistent_steps: Number = 1.0, "–", NonNegative, "1, or 0 for the steps of the 2003 paper";
    lowest_potential: Millivolts = NO_LOWER_BOUND, "V_min", Any, "v is held at or above this";
}

const THRESHOLD: usize = 3;
const CONSISTENT_STEPS: usize = 4;
const LOWEST: usize = 5;

/// Where v starts [mV].
const INITIAL_POTENTIAL_MV: f64 = -65.0;

static VARIABLES: [VariableSpec; 2] = [
    variable("membrane_potential", Potential, Some(INITIAL_POTENTIAL_MV), "v"),
    variable("recovery", Number, None, "u; initially b v"),
];

static SPEC: ModelSpec = ModelSpec {
    name: "izhikevich",
    summary: "Izhikevich's quadratic neuron with a recovery variable (forward Euler, as fitted)",
    time: ModelTime::Continuous,
    parameters: PARAMETERS,
    receptors: &[ReceptorSpec {
        name: "input",
        weight: Potential,
        combine: Combine::Sum,
        meaning: "jump of v",
    }],
    variables: &VARIABLES,
    current: Some(Current),
    spikes: true,
    subtracting_reset: false,
    graded: false,
    refractory_input: &[],
    reference: "Izhikevich 2003, IEEE Trans. Neural Netw. 14:1569; NEST izhikevich",
};

impl NeuronModel for Model {
    fn spec(&self) -> &'static ModelSpec {
        &SPEC
    }

    fn check(&self, neurons: &LoweredNeurons) -> Vec<(&'static str, String)> {
        let mut problems = reset_below_threshold(neurons, THRESHOLD);
        problems.extend(reset_above_bound(neurons, LOWEST));
        let given = neurons.parameters[CONSISTENT_STEPS].numbers();
        if let Some(wrong) = given.iter().find(|given| ![0.0, 1.0].contains(*given)) {
            problems.push(("consistent_steps", format!("{wrong} is neither 0 nor 1")));
        }
        problems
    }

    fn clock(&self, neurons: &LoweredNeurons) -> Option<Box<dyn ClockNeurons>> {
        Some(Box::new(ClockState::new(neurons)))
    }

    fn event(&self, _: &LoweredNeurons) -> Result<Option<Box<dyn EventNeurons>>, String> {
        Err("it is defined by its steps of dt and has no closed solution between inputs; run it \
             on the clock-driven engine"
            .to_string())
    }
}

/// v [mV] and u of one neuron.
#[derive(Debug, Clone, Copy)]
struct NeuronState {
    potential: f64,
    recovery: f64,
}

struct ClockState {
    dt: f64,
    condition: SpikeCondition,
    constants: Vec<Constants>,
    initial: Vec<NeuronState>,
    state: Vec<NeuronState>,
}

impl ClockState {
    fn new(neurons: &LoweredNeurons) -> Self {
        let constants: Vec<Constants> =
            (0..neurons.size).map(|index| Constants::of(neurons, index)).collect();
        let begin = |(index, constants): (usize, &Constants)| {
            let potential = initial_or(neurons, 0, index, INITIAL_POTENTIAL_MV);
            let otherwise = constants.recovery_sensitivity * potential;
            NeuronState { potential, recovery: initial_or(neurons, 1, index, otherwise) }
        };
        let initial: Vec<NeuronState> = constants.iter().enumerate().map(begin).collect();
        ClockState {
            dt: neurons.grid.dt(),
            condition: neurons.spike,
            state: initial.clone(),
            constants,
            initial,
        }
    }
}

impl ClockNeurons for ClockState {
    fn step(&mut self, drive: Drive<'_>, spikes: &mut Emitted) {
        let inputs = drive.inputs[0].iter().zip(drive.current);
        let cells = self.state.iter_mut().zip(&self.constants).zip(inputs);
        for (index, ((state, c), (&input, &current))) in cells.enumerate() {
            let NeuronState { potential: v, recovery: u } = *state;
            let slope = |v: f64, current: f64| 0.04 * v * v + 5.0 * v + 140.0 - u + current;
            let (next, seen) = if c.consistent_steps > 0.0 {
                (v + (self.dt * slope(v, current) + input), v)
            } else {
                let half = v + 0.5 * self.dt * (slope(v, current) + input);
                let whole = half + 0.5 * self.dt * (slope(half, current) + input);
                (whole, whole)
            };
            state.potential = next.max(c.lowest_potential);
            state.recovery = u + self.dt * c.recovery_rate * (c.recovery_sensitivity * seen - u);
            if reaches(self.condition, state.potential, c.threshold) {
                state.potential = c.reset;
                state.recovery += c.recovery_jump;
                spikes.push(index as u32);
            }
        }
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        visitor.reals(&mut self.state.iter_mut().map(|state| &mut state.potential));
        visitor.reals(&mut self.state.iter_mut().map(|state| &mut state.recovery));
    }

    fn variable(&self, index: usize) -> Vec<f64> {
        let of = |state: &NeuronState| if index == 0 { state.potential } else { state.recovery };
        self.state.iter().map(of).collect()
    }

    fn reset(&mut self) {
        self.state.clone_from(&self.initial);
    }

    fn bytes(&self) -> u64 {
        bytes_of(&self.constants) + bytes_of(&self.initial) + bytes_of(&self.state)
    }
}
