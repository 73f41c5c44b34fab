//! Leaky integrate-and-fire neuron with exponential currents whose threshold jumps with each spike.
//!
//! # Equations
//! C dV/dt = −(C/τ)(V − E) + I_exc + I_inh + I; dI_x/dt = −I_x/τ_x; dθ/dt = −(θ − θ_0)/τ_θ; an input of
//! weight w lets the current of its receptor jump by w.
//!
//! # Spike and reset
//! V ≥ θ or V > θ, as stated; V is then set to a value and held there for the refractory time, θ jumps
//! by Δθ, and the synaptic currents go on (input is integrated, not lost).
//!
//! # Parameters
//! | name | default | unit | symbol | range |
//! |---|---|---|---|---|
//! | `tau_membrane` | 10 | ms | τ | above zero |
//! | `capacitance` | 250 | pF | C | above zero |
//! | `resting_potential` | −70 | mV | E | any |
//! | `threshold` | −55 | mV | θ_0 | any, above the reset |
//! | `threshold_jump` | 5 | mV | Δθ | zero or above |
//! | `tau_threshold` | 100 | ms | τ_θ | above zero |
//! | `refractory_period` | 2 | ms | t_ref | zero or above |
//! | `tau_excitatory` | 2 | ms | τ_exc | above zero |
//! | `tau_inhibitory` | 2 | ms | τ_inh | above zero |
//!
//! # State
//! `membrane_potential` V (mV), initially E; `current_excitatory`, `current_inhibitory` (pA),
//! initially 0; `threshold` θ (mV), initially θ_0.
//!
//! # Numerics
//! Exact between inputs, also where a synaptic time constant equals the membrane's. Spikes are found at
//! the end of a step; they converge with order one in dt.
//!
//! # Engines
//! Clock-driven.
//!
//! # References
//! Chacron, Pakdaman & Longtin 2003, Neural Comput. 15:253; Bellec et al. 2018, NeurIPS 31 (ALIF).

use super::bounds::reset_below_threshold;
use super::exact_current_neurons::{CurrentNeurons, Membrane};
use super::model::{
    ClockNeurons, EventNeurons, LoweredNeurons, ModelSpec, ModelTime, NeuronModel, ReceptorSpec,
    VariableSpec,
};
use super::typed_parameters::{two_receptors, typed_parameters, variable};
use crate::network::RefractoryInput;
use crate::units::Dimension::{Current, Potential};

/// The model.
pub struct Model;

typed_parameters! {
    /// Typed parameters of the model.
    LifAdaptiveThreshold of "lif_adaptive_threshold", reset to -70.0,
    input in the refractory time: Some(RefractoryInput::Integrated);
    tau_membrane: Milliseconds = 10.0, "τ", Positive, "membrane time constant";
    capacitance: Picofarads = 250.0, "C", Positive, "membrane capacitance";
    resting_potential: Millivolts = -70.0, "E", Any, "potential at rest";
    threshold: Millivolts = -55.0, "θ_0", Any, "threshold after a long silence";
    threshold_jump: Millivolts = 5.0, "Δθ", NonNegative, "jump of the threshold with a spike";
    tau_threshold: Milliseconds = 100.0, "τ_θ", Positive, "decay of these jumps";
    refractory_period: Milliseconds = 2.0, "t_ref", NonNegative, "time V is held";
    tau_excitatory: Milliseconds = 2.0, "τ_exc", Positive, "decay of I_exc";
    tau_inhibitory: Milliseconds = 2.0, "τ_inh", Positive, "decay of I_inh";
}

const THRESHOLD: usize = 3;

static RECEPTORS: [ReceptorSpec; 2] = two_receptors(Current, "jump of I_exc", "jump of I_inh");

static VARIABLES: [VariableSpec; 4] = [
    variable("membrane_potential", Potential, None, "V; initially the resting potential"),
    variable("current_excitatory", Current, Some(0.0), "I_exc"),
    variable("current_inhibitory", Current, Some(0.0), "I_inh"),
    variable("threshold", Potential, None, "θ; initially the threshold after a long silence"),
];

static SPEC: ModelSpec = ModelSpec {
    name: "lif_adaptive_threshold",
    summary: "leaky integrate-and-fire, threshold jumps with spikes, exponential currents (exact)",
    time: ModelTime::Continuous,
    parameters: PARAMETERS,
    receptors: &RECEPTORS,
    variables: &VARIABLES,
    current: Some(Current),
    spikes: true,
    subtracting_reset: false,
    graded: false,
    refractory_input: &[RefractoryInput::Integrated],
    reference: "Chacron, Pakdaman & Longtin 2003, Neural Comput. 15:253",
};

impl NeuronModel for Model {
    fn spec(&self) -> &'static ModelSpec {
        &SPEC
    }

    fn check(&self, neurons: &LoweredNeurons) -> Vec<(&'static str, String)> {
        reset_below_threshold(neurons, THRESHOLD)
    }

    fn clock(&self, neurons: &LoweredNeurons) -> Option<Box<dyn ClockNeurons>> {
        let membrane = |index: usize| Constants::of(neurons, index).membrane();
        Some(Box::new(CurrentNeurons::<2>::new(neurons, membrane)))
    }

    fn event(&self, _: &LoweredNeurons) -> Result<Option<Box<dyn EventNeurons>>, String> {
        Err("its threshold moves, and the time at which potential and threshold meet is not \
             computed; run it on the clock-driven engine"
            .to_string())
    }
}

impl Constants {
    fn membrane(self) -> Membrane<2> {
        Membrane {
            tau: self.tau_membrane,
            capacitance: self.capacitance,
            rest: self.resting_potential,
            reset: self.reset,
            refractory: self.refractory_period,
            tau_synapse: [self.tau_excitatory, self.tau_inhibitory],
            threshold: self.threshold,
            threshold_jump: self.threshold_jump,
            tau_threshold: self.tau_threshold,
        }
    }
}
