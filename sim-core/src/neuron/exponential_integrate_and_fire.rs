//! Exponential integrate-and-fire neuron with exponentially decaying synaptic currents.
//!
//! # Equations
//! C dV/dt = −g_L (V − E) + g_L Δ exp((V − V_T)/Δ) + I_exc + I_inh + I; dI_x/dt = −I_x/τ_x; an input of
//! weight w lets the current of its receptor jump by w.
//!
//! # Spike and reset
//! V reaches the peak within a step; V is then set to a value, and the neuron goes on at once, or V is
//! held for the rest of the step and the refractory time, while the currents go on (input is
//! integrated, not lost). The spike is dated to the end of the step. At most one spike a step: a peak
//! reached again waits for the next. Both spike conditions mean the same, as V passes the peak.
//!
//! # Parameters
//! | name | default | unit | symbol | range |
//! |---|---|---|---|---|
//! | `capacitance` | 200 | pF | C | above zero |
//! | `leak_conductance` | 10 | nS | g_L | above zero |
//! | `resting_potential` | −65 | mV | E | any |
//! | `threshold` | −50 | mV | V_T | any |
//! | `slope_factor` | 2 | mV | Δ | zero or above; 0: no upstroke, spike at V_T |
//! | `peak` | 0 | mV | V_peak | above the reset and the threshold |
//! | `refractory_period` | 2 | ms | t_ref | zero or above |
//! | `tau_excitatory` | 2 | ms | τ_exc | above zero |
//! | `tau_inhibitory` | 2 | ms | τ_inh | above zero |
//! | `tolerance` | 1e-12 | mV, pA | ε | above zero |
//! | `fixed_steps` | 0 | 1 | n | whole number, 0: adaptive |
//!
//! # State
//! `membrane_potential` V (mV), initially E; `current_excitatory`, `current_inhibitory` (pA),
//! initially 0.
//!
//! # Numerics
//! Runge–Kutta–Fehlberg 4(5) with the absolute tolerance ε a step, or n Runge–Kutta 4 steps in
//! each dt (`solver.rs` beside this file); the step that passes the peak is shortened to end there.
//! Beyond the peak (intermediate values of a step only) the equations take V for the peak.
//!
//! # Engines
//! Clock-driven.
//!
//! # References
//! Fourcaud-Trocmé, Hansel, van Vreeswijk & Brunel 2003, J. Neurosci. 23:11628.

use super::model::{
    ClockNeurons, EventNeurons, LoweredNeurons, ModelSpec, ModelTime, NeuronModel, ReceptorSpec,
    VariableSpec,
};
use super::ode_neurons::{Equations, NO_CLOSED_FORM, OdeNeurons, check_fixed_steps};
use super::typed_parameters::{two_receptors, typed_parameters, variable};
use super::upstroke::{Upstroke, check_upstroke, spike_potential};
use crate::network::{RefractoryInput, SpikeCondition};
use crate::units::Dimension::{Current, Potential};

/// The model.
pub struct Model;

typed_parameters! {
    /// Typed parameters of the model.
    ExponentialIntegrateAndFire of "exponential_integrate_and_fire", reset to -65.0,
    input in the refractory time: Some(RefractoryInput::Integrated);
    capacitance: Picofarads = 200.0, "C", Positive, "membrane capacitance";
    leak_conductance: Nanosiemens = 10.0, "g_L", Positive, "leak conductance";
    resting_potential: Millivolts = -65.0, "E", Any, "potential at rest without upstroke";
    threshold: Millivolts = -50.0, "V_T", Any, "potential where the upstroke sets in";
    slope_factor: Millivolts = 2.0, "Δ", NonNegative, "steepness of the upstroke";
    peak: Millivolts = 0.0, "V_peak", Any, "potential of a spike";
    refractory_period: Milliseconds = 2.0, "t_ref", NonNegative, "time V is held";
    tau_excitatory: Milliseconds = 2.0, "τ_exc", Positive, "decay of I_exc";
    tau_inhibitory: Milliseconds = 2.0, "τ_inh", Positive, "decay of I_inh";
    tolerance: Number = 1e-12, "ε", Positive, "error of a step of the adaptive solver";
    fixed_steps: Number = 0.0, "n", NonNegative, "Runge-Kutta 4 steps a dt; 0: adaptive";
}

const THRESHOLD: usize = 3;
const SLOPE_FACTOR: usize = 4;
const PEAK: usize = 5;
const FIXED_STEPS: usize = 10;

static RECEPTORS: [ReceptorSpec; 2] = two_receptors(Current, "jump of I_exc", "jump of I_inh");

static VARIABLES: [VariableSpec; 3] = [
    variable("membrane_potential", Potential, None, "V; initially the resting potential"),
    variable("current_excitatory", Current, Some(0.0), "I_exc"),
    variable("current_inhibitory", Current, Some(0.0), "I_inh"),
];

static SPEC: ModelSpec = ModelSpec {
    name: "exponential_integrate_and_fire",
    summary: "exponential integrate-and-fire, exponential synaptic currents (numeric solver)",
    time: ModelTime::Continuous,
    parameters: PARAMETERS,
    receptors: &RECEPTORS,
    variables: &VARIABLES,
    current: Some(Current),
    spikes: true,
    subtracting_reset: false,
    graded: false,
    refractory_input: &[RefractoryInput::Integrated],
    reference: "Fourcaud-Trocme et al. 2003, J. Neurosci. 23:11628",
};

impl NeuronModel for Model {
    fn spec(&self) -> &'static ModelSpec {
        &SPEC
    }

    fn check(&self, neurons: &LoweredNeurons) -> Vec<(&'static str, String)> {
        let mut problems = check_upstroke(neurons, THRESHOLD, SLOPE_FACTOR, PEAK);
        problems.extend(check_fixed_steps(neurons, FIXED_STEPS));
        problems
    }

    fn clock(&self, neurons: &LoweredNeurons) -> Option<Box<dyn ClockNeurons>> {
        Some(Box::new(OdeNeurons::<Constants, 3>::new(neurons)))
    }

    fn event(&self, _: &LoweredNeurons) -> Result<Option<Box<dyn EventNeurons>>, String> {
        Err(NO_CLOSED_FORM.to_string())
    }
}

impl Equations<3> for Constants {
    fn lower(neurons: &LoweredNeurons, index: usize) -> (Self, [f64; 3]) {
        let mut constants = Constants::of(neurons, index);
        let Constants { threshold, slope_factor, peak, .. } = constants;
        constants.peak = spike_potential(threshold, slope_factor, peak);
        (constants, [constants.resting_potential, 0.0, 0.0])
    }

    fn solver(&self) -> (f64, f64) {
        (self.tolerance, self.fixed_steps)
    }

    fn refractory_period(&self) -> f64 {
        self.refractory_period
    }

    fn slope(&self, state: &[f64; 3], current: f64, held: bool) -> [f64; 3] {
        let [v, excitatory, inhibitory] = [state[0].min(self.peak), state[1], state[2]];
        let inward = excitatory + inhibitory + current;
        let potential = if held { 0.0 } else { self.upstroke().slope(v, inward) };
        [potential, -excitatory / self.tau_excitatory, -inhibitory / self.tau_inhibitory]
    }

    fn receive(&self, state: &mut [f64; 3], inputs: [f64; 2]) {
        state[1] += inputs[0];
        state[2] += inputs[1];
    }

    fn peak(&self) -> f64 {
        self.peak
    }

    fn spikes(&self, _before: f64, _state: &[f64; 3], _condition: SpikeCondition) -> bool {
        // Found within the step, at the peak.
        false
    }

    fn reset(&self, state: &mut [f64; 3]) {
        state[0] = self.reset;
    }
}

impl Constants {
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
