//! Leaky integrate-and-fire neuron with alpha-shaped synaptic conductances.
//!
//! # Equations
//! C dV/dt = −g_L (V − E) − g_exc (V − E_exc) − g_inh (V − E_inh) + I;
//! dg_x/dt = (e r_x − g_x)/τ_x; dr_x/dt = −r_x/τ_x; an input of weight w lets r_x of its receptor jump
//! by w, so that g_x alone rises to the peak w after τ_x.
//! Weights are conductances: positive for both receptors.
//!
//! # Spike and reset
//! V ≥ θ or V > θ at the end of a step, as stated; V is then set to a value and held there for the
//! refractory time, while the conductances go on (input is integrated, not lost).
//!
//! # Parameters
//! | name | default | unit | symbol | range |
//! |---|---|---|---|---|
//! | `capacitance` | 250 | pF | C | above zero |
//! | `leak_conductance` | 16.6667 | nS | g_L | above zero |
//! | `resting_potential` | −70 | mV | E | any |
//! | `threshold` | −55 | mV | θ | any, above the reset |
//! | `refractory_period` | 2 | ms | t_ref | zero or above |
//! | `reversal_excitatory` | 0 | mV | E_exc | any |
//! | `reversal_inhibitory` | −85 | mV | E_inh | any |
//! | `tau_excitatory` | 0.2 | ms | τ_exc | above zero |
//! | `tau_inhibitory` | 2 | ms | τ_inh | above zero |
//! | `tolerance` | 1e-6 | mV, nS | ε | above zero |
//! | `fixed_steps` | 0 | 1 | n | whole number, 0: adaptive |
//! | `standard_control` | 0 | 1 |  | 0 or 1: step lengths as the solver of NEST chooses them |
//!
//! # State
//! `membrane_potential` V (mV), initially E; `conductance_excitatory`, `conductance_inhibitory` g (nS) and
//! `rise_excitatory`, `rise_inhibitory` r (nS), initially 0.
//!
//! # Numerics
//! Runge–Kutta–Fehlberg 4(5) with the absolute tolerance ε a step, or n Runge–Kutta 4 steps in
//! each dt (`solver.rs` beside this file). The default tolerance keeps within 1e-6 mV of the
//! converged solution.
//!
//! # Engines
//! Clock-driven.
//!
//! # References
//! NEST `iaf_cond_alpha`; Meffin, Burkitt & Grayden 2004, J. Comput. Neurosci. 16:159.

use super::bounds::reset_below_threshold;
use super::conductance::Synapses;
use super::model::{
    ClockNeurons, EventNeurons, LoweredNeurons, ModelSpec, ModelTime, NeuronModel, ReceptorSpec,
    VariableSpec,
};
use super::ode_neurons::{Equations, NO_CLOSED_FORM, OdeNeurons, check_control, reaches};
use super::solver::Standard;
use super::typed_parameters::{two_receptors, typed_parameters, variable};
use crate::network::{RefractoryInput, SpikeCondition};
use crate::units::Dimension::{Conductance, Current, Potential};

/// The model.
pub struct Model;

typed_parameters! {
    /// Typed parameters of the model.
    LifConductanceAlpha of "lif_conductance_alpha", reset to -60.0,
    input in the refractory time: Some(RefractoryInput::Integrated);
    capacitance: Picofarads = 250.0, "C", Positive, "membrane capacitance";
    leak_conductance: Nanosiemens = 16.6667, "g_L", Positive, "leak conductance";
    resting_potential: Millivolts = -70.0, "E", Any, "potential at rest";
    threshold: Millivolts = -55.0, "θ", Any, "potential of a spike";
    refractory_period: Milliseconds = 2.0, "t_ref", NonNegative, "time V is held";
    reversal_excitatory: Millivolts = 0.0, "E_exc", Any, "reversal potential of g_exc";
    reversal_inhibitory: Millivolts = -85.0, "E_inh", Any, "reversal potential of g_inh";
    tau_excitatory: Milliseconds = 0.2, "τ_exc", Positive, "time constant of g_exc";
    tau_inhibitory: Milliseconds = 2.0, "τ_inh", Positive, "time constant of g_inh";
    tolerance: Number = 1e-6, "ε", Positive, "error of a step of the adaptive solver";
    fixed_steps: Number = 0.0, "n", NonNegative, "Runge-Kutta 4 steps a dt; 0: adaptive";
    standard_control: Number = 0.0, "", NonNegative, "1: steps as NEST's solver chooses them";
}

const THRESHOLD: usize = 3;
const FIXED_STEPS: usize = 10;

static RECEPTORS: [ReceptorSpec; 2] = two_receptors(
    Conductance,
    "jump of r_exc: peak of the g_exc that follows",
    "jump of r_inh: peak of the g_inh that follows",
);

static VARIABLES: [VariableSpec; 5] = [
    variable("membrane_potential", Potential, None, "V; initially the resting potential"),
    variable("conductance_excitatory", Conductance, Some(0.0), "g_exc"),
    variable("conductance_inhibitory", Conductance, Some(0.0), "g_inh"),
    variable("rise_excitatory", Conductance, Some(0.0), "r_exc, drives g_exc"),
    variable("rise_inhibitory", Conductance, Some(0.0), "r_inh, drives g_inh"),
];

static SPEC: ModelSpec = ModelSpec {
    name: "lif_conductance_alpha",
    summary: "leaky integrate-and-fire, alpha-shaped synaptic conductances (numeric solver)",
    time: ModelTime::Continuous,
    parameters: PARAMETERS,
    receptors: &RECEPTORS,
    variables: &VARIABLES,
    current: Some(Current),
    spikes: true,
    subtracting_reset: false,
    graded: false,
    refractory_input: &[RefractoryInput::Integrated],
    reference: "Meffin, Burkitt & Grayden 2004, J. Comput. Neurosci. 16:159; NEST iaf_cond_alpha",
};

impl NeuronModel for Model {
    fn spec(&self) -> &'static ModelSpec {
        &SPEC
    }

    fn check(&self, neurons: &LoweredNeurons) -> Vec<(&'static str, String)> {
        let mut problems = reset_below_threshold(neurons, THRESHOLD);
        problems.extend(check_control(neurons, FIXED_STEPS));
        problems
    }

    fn clock(&self, neurons: &LoweredNeurons) -> Option<Box<dyn ClockNeurons>> {
        Some(Box::new(OdeNeurons::<Constants, 5>::new(neurons)))
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
}

impl Equations<5> for Constants {
    fn lower(neurons: &LoweredNeurons, index: usize) -> (Self, [f64; 5]) {
        let constants = Constants::of(neurons, index);
        let mut state = [0.0; 5];
        state[0] = constants.resting_potential;
        (constants, state)
    }

    fn solver(&self) -> (f64, f64) {
        (self.tolerance, self.fixed_steps)
    }

    fn standard(&self) -> Option<Standard<5>> {
        let mut scale = [1.0; 5];
        // NEST keeps e/τ of what leads to the peak.
        scale[3] = std::f64::consts::E / self.tau_excitatory;
        scale[4] = std::f64::consts::E / self.tau_inhibitory;
        (self.standard_control > 0.0).then_some(Standard {
            absolute: self.tolerance,
            relative: 0.0,
            scale,
        })
    }

    fn refractory_period(&self) -> f64 {
        self.refractory_period
    }

    fn slope(&self, state: &[f64; 5], current: f64, held: bool) -> [f64; 5] {
        let synapses = self.synapses();
        let conductance = [state[1], state[2]];
        let leak = self.leak_conductance * (state[0] - self.resting_potential);
        let outward = leak + synapses.current(state[0], conductance);
        let potential = if held { 0.0 } else { (current - outward) / self.capacitance };
        let rise = [state[3], state[4]];
        let [excitatory, inhibitory] = synapses.alpha(conductance, rise);
        [
            potential,
            excitatory,
            inhibitory,
            -rise[0] / self.tau_excitatory,
            -rise[1] / self.tau_inhibitory,
        ]
    }

    fn receive(&self, state: &mut [f64; 5], inputs: [f64; 2]) {
        state[3] += inputs[0];
        state[4] += inputs[1];
    }

    fn spikes(&self, _before: f64, state: &[f64; 5], condition: SpikeCondition) -> bool {
        reaches(condition, state[0], self.threshold)
    }

    fn reset(&self, state: &mut [f64; 5]) {
        state[0] = self.reset;
    }
}
