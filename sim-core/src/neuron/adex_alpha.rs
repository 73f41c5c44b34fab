//! Adaptive exponential integrate-and-fire neuron (AdEx), alpha-shaped synaptic conductances.
//!
//! # Equations
//! C dV/dt = −g_L (V − E) + g_L Δ exp((V − V_T)/Δ) − g_exc (V − E_exc) − g_inh (V − E_inh) − w + I;
//! τ_w dw/dt = a (V − E) − w;
//! dg_x/dt = (e r_x − g_x)/τ_x; dr_x/dt = −r_x/τ_x; an input of weight w lets r_x of its receptor jump
//! by w, so that g_x alone rises to the peak w after τ_x.
//! Weights are conductances: positive for both receptors.
//!
//! # Spike and reset
//! V reaches the peak within a step; V is then set to a value, w jumps by b, and the neuron goes on
//! at once, or V is held for the rest of the step and the refractory time, while w and the
//! conductances go on (input is integrated, not lost). The spike is dated to the end of the step. At
//! most one spike a step: a peak reached again waits for the next. Both spike conditions mean the
//! same, as V passes the peak.
//!
//! # Parameters
//! | name | default | unit | symbol | range |
//! |---|---|---|---|---|
//! | `capacitance` | 281 | pF | C | above zero |
//! | `leak_conductance` | 30 | nS | g_L | above zero |
//! | `resting_potential` | −70.6 | mV | E | any |
//! | `threshold` | −50.4 | mV | V_T | any |
//! | `slope_factor` | 2 | mV | Δ | zero or above; 0: no upstroke, spike at V_T |
//! | `peak` | 0 | mV | V_peak | above the reset and the threshold |
//! | `refractory_period` | 0 | ms | t_ref | zero or above |
//! | `adaptation_conductance` | 4 | nS | a | any |
//! | `adaptation_jump` | 80.5 | pA | b | any |
//! | `tau_adaptation` | 144 | ms | τ_w | above zero |
//! | `reversal_excitatory` | 0 | mV | E_exc | any |
//! | `reversal_inhibitory` | −85 | mV | E_inh | any |
//! | `tau_excitatory` | 0.2 | ms | τ_exc | above zero |
//! | `tau_inhibitory` | 2 | ms | τ_inh | above zero |
//! | `tolerance` | 1e-12 | mV, pA, nS | ε | above zero |
//! | `fixed_steps` | 0 | 1 | n | whole number, 0: adaptive |
//! | `standard_control` | 0 | 1 |  | 0 or 1: step lengths as the solver of NEST chooses them |
//!
//! # State
//! `membrane_potential` V (mV), initially E; `adaptation` w (pA), `conductance_excitatory`,
//! `conductance_inhibitory` g (nS) and `rise_excitatory`, `rise_inhibitory` r (nS), initially 0.
//!
//! # Numerics
//! Runge–Kutta–Fehlberg 4(5) with the absolute tolerance ε a step, or n Runge–Kutta 4 steps in
//! each dt (`solver.rs` beside this file); the step that passes the peak is shortened to end there.
//! Beyond the peak (intermediate values of a step only) the equations take V for the peak. The
//! upstroke magnifies errors, some ten thousandfold half way up: the default tolerance keeps what lies
//! before a spike within 1e-6 mV of the converged solution, 1e-6 would within 2e-3 mV.
//!
//! # Engines
//! Clock-driven.
//!
//! # References
//! NEST `aeif_cond_alpha`; Brette & Gerstner 2005, J. Neurophysiol. 94:3637.

use super::conductance::Synapses;
use super::model::{
    ClockNeurons, EventNeurons, LoweredNeurons, ModelSpec, ModelTime, NeuronModel, ReceptorSpec,
    VariableSpec,
};
use super::ode_neurons::{Equations, NO_CLOSED_FORM, OdeNeurons, check_control};
use super::solver::Standard;
use super::typed_parameters::{two_receptors, typed_parameters, variable};
use super::upstroke::{Upstroke, check_upstroke, spike_potential};
use crate::network::{RefractoryInput, SpikeCondition};
use crate::units::Dimension::{Conductance, Current, Potential};

/// The model.
pub struct Model;

typed_parameters! {
    /// Typed parameters of the model.
    AdexAlpha of "adex_alpha", reset to -60.0,
    input in the refractory time: Some(RefractoryInput::Integrated);
    capacitance: Picofarads = 281.0, "C", Positive, "membrane capacitance";
    leak_conductance: Nanosiemens = 30.0, "g_L", Positive, "leak conductance";
    resting_potential: Millivolts = -70.6, "E", Any, "potential at rest without upstroke";
    threshold: Millivolts = -50.4, "V_T", Any, "potential where the upstroke sets in";
    slope_factor: Millivolts = 2.0, "Δ", NonNegative, "steepness of the upstroke";
    peak: Millivolts = 0.0, "V_peak", Any, "potential of a spike";
    refractory_period: Milliseconds = 0.0, "t_ref", NonNegative, "time V is held";
    adaptation_conductance: Nanosiemens = 4.0, "a", Any, "pull of the potential on w";
    adaptation_jump: Picoamperes = 80.5, "b", Any, "jump of w with a spike";
    tau_adaptation: Milliseconds = 144.0, "τ_w", Positive, "time constant of w";
    reversal_excitatory: Millivolts = 0.0, "E_exc", Any, "reversal potential of g_exc";
    reversal_inhibitory: Millivolts = -85.0, "E_inh", Any, "reversal potential of g_inh";
    tau_excitatory: Milliseconds = 0.2, "τ_exc", Positive, "time constant of g_exc";
    tau_inhibitory: Milliseconds = 2.0, "τ_inh", Positive, "time constant of g_inh";
    tolerance: Number = 1e-12, "ε", Positive, "error of a step of the adaptive solver";
    fixed_steps: Number = 0.0, "n", NonNegative, "Runge-Kutta 4 steps a dt; 0: adaptive";
    standard_control: Number = 0.0, "", NonNegative, "1: steps as NEST's solver chooses them";
}

const THRESHOLD: usize = 3;
const SLOPE_FACTOR: usize = 4;
const PEAK: usize = 5;
const FIXED_STEPS: usize = 15;

static RECEPTORS: [ReceptorSpec; 2] = two_receptors(
    Conductance,
    "jump of r_exc: peak of the g_exc that follows",
    "jump of r_inh: peak of the g_inh that follows",
);

static VARIABLES: [VariableSpec; 6] = [
    variable("membrane_potential", Potential, None, "V; initially the resting potential"),
    variable("adaptation", Current, Some(0.0), "w"),
    variable("conductance_excitatory", Conductance, Some(0.0), "g_exc"),
    variable("conductance_inhibitory", Conductance, Some(0.0), "g_inh"),
    variable("rise_excitatory", Conductance, Some(0.0), "r_exc, drives g_exc"),
    variable("rise_inhibitory", Conductance, Some(0.0), "r_inh, drives g_inh"),
];

static SPEC: ModelSpec = ModelSpec {
    name: "adex_alpha",
    summary: "adaptive exponential integrate-and-fire, alpha-shaped conductances (numeric solver)",
    time: ModelTime::Continuous,
    parameters: PARAMETERS,
    receptors: &RECEPTORS,
    variables: &VARIABLES,
    current: Some(Current),
    spikes: true,
    subtracting_reset: false,
    graded: false,
    refractory_input: &[RefractoryInput::Integrated],
    reference: "Brette & Gerstner 2005, J. Neurophysiol. 94:3637; NEST aeif_cond_alpha",
};

impl NeuronModel for Model {
    fn spec(&self) -> &'static ModelSpec {
        &SPEC
    }

    fn check(&self, neurons: &LoweredNeurons) -> Vec<(&'static str, String)> {
        let mut problems = check_upstroke(neurons, THRESHOLD, SLOPE_FACTOR, PEAK);
        problems.extend(check_control(neurons, FIXED_STEPS));
        problems
    }

    fn clock(&self, neurons: &LoweredNeurons) -> Option<Box<dyn ClockNeurons>> {
        Some(Box::new(OdeNeurons::<Constants, 6>::new(neurons)))
    }

    fn event(&self, _: &LoweredNeurons) -> Result<Option<Box<dyn EventNeurons>>, String> {
        Err(NO_CLOSED_FORM.to_string())
    }
}

impl Constants {
    fn synapses(&self) -> Synapses {
        Synapses {
            tau: [self.tau_excitatory, self.tau_inhibitory],
            reversal: [self.reversal_excitatory, self.reversal_inhibitory],
        }
    }

    fn upstroke(&self) -> Upstroke {
        Upstroke {
            capacitance: self.capacitance,
            leak_conductance: self.leak_conductance,
            resting_potential: self.resting_potential,
            threshold: self.threshold,
            slope_factor: self.slope_factor,
        }
    }
}

impl Equations<6> for Constants {
    fn lower(neurons: &LoweredNeurons, index: usize) -> (Self, [f64; 6]) {
        let mut constants = Constants::of(neurons, index);
        let Constants { threshold, slope_factor, peak, .. } = constants;
        constants.peak = spike_potential(threshold, slope_factor, peak);
        let mut state = [0.0; 6];
        state[0] = constants.resting_potential;
        (constants, state)
    }

    fn solver(&self) -> (f64, f64) {
        (self.tolerance, self.fixed_steps)
    }

    fn standard(&self) -> Option<Standard<6>> {
        let mut scale = [1.0; 6];
        // NEST keeps e/τ of what leads to the peak.
        scale[4] = std::f64::consts::E / self.tau_excitatory;
        scale[5] = std::f64::consts::E / self.tau_inhibitory;
        (self.standard_control > 0.0).then_some(Standard {
            absolute: self.tolerance,
            relative: self.tolerance,
            scale,
        })
    }

    fn refractory_period(&self) -> f64 {
        self.refractory_period
    }

    fn slope(&self, state: &[f64; 6], current: f64, held: bool) -> [f64; 6] {
        let synapses = self.synapses();
        let v = state[0].min(self.peak);
        let conductance = [state[2], state[3]];
        let inward = current - synapses.current(v, conductance);
        let potential = if held { 0.0 } else { self.upstroke().slope(v, inward - state[1]) };
        let pull = self.adaptation_conductance * (v - self.resting_potential);
        let adaptation = (pull - state[1]) / self.tau_adaptation;
        let rise = [state[4], state[5]];
        let [excitatory, inhibitory] = synapses.alpha(conductance, rise);
        [
            potential,
            adaptation,
            excitatory,
            inhibitory,
            -rise[0] / self.tau_excitatory,
            -rise[1] / self.tau_inhibitory,
        ]
    }

    fn receive(&self, state: &mut [f64; 6], inputs: [f64; 2]) {
        state[4] += inputs[0];
        state[5] += inputs[1];
    }

    fn peak(&self) -> f64 {
        self.peak
    }

    fn spikes(&self, _before: f64, _state: &[f64; 6], _condition: SpikeCondition) -> bool {
        // Found within the step, at the peak.
        false
    }

    fn reset(&self, state: &mut [f64; 6]) {
        state[0] = self.reset;
        state[1] += self.adaptation_jump;
    }
}
