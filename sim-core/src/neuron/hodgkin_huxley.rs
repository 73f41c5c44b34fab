//! Hodgkin–Huxley neuron with alpha-shaped synaptic currents.
//!
//! # Equations
//! C dV/dt = −g_Na m³ h (V − E_Na) − g_K n⁴ (V − E_K) − g_L (V − E_L) + I_exc + I_inh + I;
//! dx/dt = α_x (1 − x) − β_x x for the gates x = m, h, n, with the rates [1/ms] of Hodgkin & Huxley
//! shifted to a rest of −65 mV:
//!
//! | x | α_x | β_x |
//! |---|---|---|
//! | m | 0.1 (V + 40) / (1 − exp(−(V + 40)/10)) | 4 exp(−(V + 65)/18) |
//! | h | 0.07 exp(−(V + 65)/20) | 1 / (1 + exp(−(V + 35)/10)) |
//! | n | 0.01 (V + 55) / (1 − exp(−(V + 55)/10)) | 0.125 exp(−(V + 65)/80) |
//!
//! dI_x/dt = (e r_x − I_x)/τ_x; dr_x/dt = −r_x/τ_x; an input of weight w lets r_x of its receptor
//! jump by w, so that I_x alone rises to the peak w after τ_x.
//!
//! # Spike and reset
//! At the end of a step V ≥ 0 mV and V fell in the step (the top of the action potential is passed).
//! There is no reset, and no rule to state for it; in the refractory time no further spike is sent,
//! while everything goes on.
//!
//! # Parameters
//! | name | default | unit | symbol | range |
//! |---|---|---|---|---|
//! | `capacitance` | 100 | pF | C | above zero |
//! | `sodium_conductance` | 12000 | nS | g_Na | zero or above |
//! | `potassium_conductance` | 3600 | nS | g_K | zero or above |
//! | `leak_conductance` | 30 | nS | g_L | zero or above |
//! | `reversal_sodium` | 50 | mV | E_Na | any |
//! | `reversal_potassium` | −77 | mV | E_K | any |
//! | `reversal_leak` | −54.402 | mV | E_L | any |
//! | `refractory_period` | 2 | ms | t_ref | zero or above |
//! | `tau_excitatory` | 0.2 | ms | τ_exc | above zero |
//! | `tau_inhibitory` | 2 | ms | τ_inh | above zero |
//! | `tolerance` | 1e-10 | mV, 1, pA | ε | above zero |
//! | `fixed_steps` | 0 | 1 | n | whole number, 0: adaptive |
//! | `standard_control` | 0 | 1 |  | 0 or 1: step lengths as the solver of NEST chooses them |
//!
//! # State
//! `membrane_potential` V (mV), initially −65; `sodium_activation` m, `sodium_inactivation` h and
//! `potassium_activation` n, initially at rest for V; `current_excitatory`, `current_inhibitory` I
//! and `rise_excitatory`, `rise_inhibitory` r (pA), initially 0.
//!
//! # Numerics
//! Runge–Kutta–Fehlberg 4(5) with the absolute tolerance ε a step, or n Runge–Kutta 4 steps in
//! each dt (`solver.rs` beside this file). Where a rate is 0/0 its limit is taken. Action potentials
//! magnify errors: the default tolerance keeps 200 ms within 1e-6 mV of the converged solution, 1e-6
//! would within 3e-5 mV.
//!
//! # Engines
//! Clock-driven.
//!
//! # References
//! NEST `hh_psc_alpha`; Hodgkin & Huxley 1952, J. Physiol. 117:500; Dayan & Abbott 2001,
//! Theoretical Neuroscience, 5.5.

use super::model::{
    ClockNeurons, EventNeurons, LoweredNeurons, ModelSpec, ModelTime, NeuronModel, ReceptorSpec,
    VariableSpec,
};
use super::ode_neurons::{Equations, NO_CLOSED_FORM, OdeNeurons, check_control};
use super::solver::Standard;
use super::typed_parameters::{initial_or, two_receptors, typed_parameters, variable};
use crate::network::{RefractoryInput, SpikeCondition};
use crate::units::Dimension::{Current, Number, Potential};

/// The model.
pub struct Model;

typed_parameters! {
    /// Typed parameters of the model.
    HodgkinHuxley of "hodgkin_huxley",
    input in the refractory time: Some(RefractoryInput::Integrated);
    capacitance: Picofarads = 100.0, "C", Positive, "membrane capacitance";
    sodium_conductance: Nanosiemens = 12_000.0, "g_Na", NonNegative, "largest sodium conductance";
    potassium_conductance: Nanosiemens = 3600.0, "g_K", NonNegative,
        "largest potassium conductance";
    leak_conductance: Nanosiemens = 30.0, "g_L", NonNegative, "leak conductance";
    reversal_sodium: Millivolts = 50.0, "E_Na", Any, "reversal potential of sodium";
    reversal_potassium: Millivolts = -77.0, "E_K", Any, "reversal potential of potassium";
    reversal_leak: Millivolts = -54.402, "E_L", Any, "reversal potential of the leak";
    refractory_period: Milliseconds = 2.0, "t_ref", NonNegative, "time without a further spike";
    tau_excitatory: Milliseconds = 0.2, "τ_exc", Positive, "time constant of I_exc";
    tau_inhibitory: Milliseconds = 2.0, "τ_inh", Positive, "time constant of I_inh";
    tolerance: Number = 1e-10, "ε", Positive, "error of a step of the adaptive solver";
    fixed_steps: Number = 0.0, "n", NonNegative, "Runge-Kutta 4 steps a dt; 0: adaptive";
    standard_control: Number = 0.0, "", NonNegative, "1: steps as NEST's solver chooses them";
}

const FIXED_STEPS: usize = 11;

/// Number of state variables.
const STATES: usize = 8;

/// Where V starts [mV].
const INITIAL_POTENTIAL_MV: f64 = -65.0;

/// V above this [mV] is an action potential.
const SPIKE_LEVEL_MV: f64 = 0.0;

static RECEPTORS: [ReceptorSpec; 2] = two_receptors(
    Current,
    "jump of r_exc: peak of the I_exc that follows",
    "jump of r_inh: peak of the I_inh that follows",
);

static VARIABLES: [VariableSpec; STATES] = [
    variable("membrane_potential", Potential, Some(INITIAL_POTENTIAL_MV), "V"),
    variable("sodium_activation", Number, None, "m; initially at rest for V"),
    variable("sodium_inactivation", Number, None, "h; initially at rest for V"),
    variable("potassium_activation", Number, None, "n; initially at rest for V"),
    variable("current_excitatory", Current, Some(0.0), "I_exc"),
    variable("current_inhibitory", Current, Some(0.0), "I_inh"),
    variable("rise_excitatory", Current, Some(0.0), "r_exc, drives I_exc"),
    variable("rise_inhibitory", Current, Some(0.0), "r_inh, drives I_inh"),
];

static SPEC: ModelSpec = ModelSpec {
    name: "hodgkin_huxley",
    summary: "Hodgkin-Huxley sodium and potassium channels, alpha-shaped currents (numeric solver)",
    time: ModelTime::Continuous,
    parameters: PARAMETERS,
    receptors: &RECEPTORS,
    variables: &VARIABLES,
    current: Some(Current),
    // Its spikes obey no stated condition and reset: they are action potentials.
    spikes: false,
    subtracting_reset: false,
    graded: false,
    refractory_input: &[RefractoryInput::Integrated],
    reference: "Hodgkin & Huxley 1952, J. Physiol. 117:500; NEST hh_psc_alpha",
};

impl NeuronModel for Model {
    fn spec(&self) -> &'static ModelSpec {
        &SPEC
    }

    fn check(&self, neurons: &LoweredNeurons) -> Vec<(&'static str, String)> {
        check_control(neurons, FIXED_STEPS)
    }

    fn clock(&self, neurons: &LoweredNeurons) -> Option<Box<dyn ClockNeurons>> {
        Some(Box::new(OdeNeurons::<Constants, STATES>::new(neurons)))
    }

    fn event(&self, _: &LoweredNeurons) -> Result<Option<Box<dyn EventNeurons>>, String> {
        Err(NO_CLOSED_FORM.to_string())
    }
}

/// Opening and closing rate of a gate [1/ms].
struct Rates {
    opening: f64,
    closing: f64,
}

impl Rates {
    fn at_rest(&self) -> f64 {
        self.opening / (self.opening + self.closing)
    }

    fn slope(&self, gate: f64) -> f64 {
        self.opening * (1.0 - gate) - self.closing * gate
    }
}

/// x / (1 − exp(−x)), which is 1 at 0.
fn rectified(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { -x / (-x).exp_m1() }
}

/// The rates of m, h and n at the potential `v` [mV].
fn rates(v: f64) -> [Rates; 3] {
    [
        Rates { opening: rectified((v + 40.0) / 10.0), closing: 4.0 * (-(v + 65.0) / 18.0).exp() },
        Rates {
            opening: 0.07 * (-(v + 65.0) / 20.0).exp(),
            closing: 1.0 / (1.0 + (-(v + 35.0) / 10.0).exp()),
        },
        Rates {
            opening: 0.1 * rectified((v + 55.0) / 10.0),
            closing: 0.125 * (-(v + 65.0) / 80.0).exp(),
        },
    ]
}

impl Equations<STATES> for Constants {
    fn lower(neurons: &LoweredNeurons, index: usize) -> (Self, [f64; STATES]) {
        let v = initial_or(neurons, 0, index, INITIAL_POTENTIAL_MV);
        let [m, h, n] = rates(v).map(|rates| rates.at_rest());
        (Constants::of(neurons, index), [v, m, h, n, 0.0, 0.0, 0.0, 0.0])
    }

    fn solver(&self) -> (f64, f64) {
        (self.tolerance, self.fixed_steps)
    }

    fn standard(&self) -> Option<Standard<STATES>> {
        let mut scale = [1.0; STATES];
        // NEST keeps e/τ of what leads to the peak.
        scale[6] = std::f64::consts::E / self.tau_excitatory;
        scale[7] = std::f64::consts::E / self.tau_inhibitory;
        (self.standard_control > 0.0).then_some(Standard {
            absolute: self.tolerance,
            relative: 0.0,
            scale,
        })
    }

    fn refractory_period(&self) -> f64 {
        self.refractory_period
    }

    fn slope(&self, state: &[f64; STATES], current: f64, _held: bool) -> [f64; STATES] {
        let &[v, m, h, n, excitatory, inhibitory, rise_excitatory, rise_inhibitory] = state;
        let sodium = self.sodium_conductance * m.powi(3) * h * (v - self.reversal_sodium);
        let potassium = self.potassium_conductance * n.powi(4) * (v - self.reversal_potassium);
        let leak = self.leak_conductance * (v - self.reversal_leak);
        let inward = current + excitatory + inhibitory;
        let [activation, inactivation, potassium_activation] = rates(v);
        let driven =
            |current: f64, rise: f64, tau: f64| (std::f64::consts::E * rise - current) / tau;
        [
            (inward - sodium - potassium - leak) / self.capacitance,
            activation.slope(m),
            inactivation.slope(h),
            potassium_activation.slope(n),
            driven(excitatory, rise_excitatory, self.tau_excitatory),
            driven(inhibitory, rise_inhibitory, self.tau_inhibitory),
            -rise_excitatory / self.tau_excitatory,
            -rise_inhibitory / self.tau_inhibitory,
        ]
    }

    fn receive(&self, state: &mut [f64; STATES], inputs: [f64; 2]) {
        state[6] += inputs[0];
        state[7] += inputs[1];
    }

    fn spikes(&self, before: f64, state: &[f64; STATES], _condition: SpikeCondition) -> bool {
        state[0] >= SPIKE_LEVEL_MV && before > state[0]
    }

    fn reset(&self, _state: &mut [f64; STATES]) {}
}
