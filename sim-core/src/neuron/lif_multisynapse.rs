//! Leaky integrate-and-fire neuron with eight receptor ports, each with a time constant of its own.
//!
//! # Equations
//! C dV/dt = −(C/τ)(V − E) + Σ I_k + I; dI_k/dt = −I_k/τ_k, k = 1 … 8; an input of weight w lets the
//! current of its port jump by w. Weights carry their sign: negative ones inhibit.
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
//! | `tau_synapse_1` | 2 | ms | τ_1 | above zero |
//! | `tau_synapse_2` | 2 | ms | τ_2 | above zero |
//! | `tau_synapse_3` | 2 | ms | τ_3 | above zero |
//! | `tau_synapse_4` | 2 | ms | τ_4 | above zero |
//! | `tau_synapse_5` | 2 | ms | τ_5 | above zero |
//! | `tau_synapse_6` | 2 | ms | τ_6 | above zero |
//! | `tau_synapse_7` | 2 | ms | τ_7 | above zero |
//! | `tau_synapse_8` | 2 | ms | τ_8 | above zero |
//!
//! # State
//! `membrane_potential` V (mV), initially E; `current_1` to `current_8` (pA), initially 0.
//!
//! # Numerics
//! Exact between inputs, also where a synaptic time constant equals the membrane's. Spikes are found at
//! the end of a step; they converge with order one in dt.
//!
//! # Engines
//! Clock-driven.
//!
//! # References
//! NEST `iaf_psc_exp_multisynapse`; Rotter & Diesmann 1999, Biol. Cybern. 81:381.

use super::bounds::reset_below_threshold;
use super::exact_current_neurons::{CurrentNeurons, Membrane};
use super::model::{
    ClockNeurons, Combine, EventNeurons, LoweredNeurons, ModelSpec, ModelTime, NeuronModel,
    ReceptorSpec, VariableSpec,
};
use super::typed_parameters::{typed_parameters, variable};
use crate::network::RefractoryInput;
use crate::units::Dimension::{Current, Potential};

/// The model.
pub struct Model;

typed_parameters! {
    /// Typed parameters of the model.
    LifMultisynapse of "lif_multisynapse", reset to -70.0,
    input in the refractory time: Some(RefractoryInput::Integrated);
    tau_membrane: Milliseconds = 10.0, "τ", Positive, "membrane time constant";
    capacitance: Picofarads = 250.0, "C", Positive, "membrane capacitance";
    resting_potential: Millivolts = -70.0, "E", Any, "potential at rest";
    threshold: Millivolts = -55.0, "θ", Any, "potential of a spike";
    refractory_period: Milliseconds = 2.0, "t_ref", NonNegative, "time V is held";
    tau_synapse_1: Milliseconds = 2.0, "τ_1", Positive, "decay of the current of port 1";
    tau_synapse_2: Milliseconds = 2.0, "τ_2", Positive, "decay of the current of port 2";
    tau_synapse_3: Milliseconds = 2.0, "τ_3", Positive, "decay of the current of port 3";
    tau_synapse_4: Milliseconds = 2.0, "τ_4", Positive, "decay of the current of port 4";
    tau_synapse_5: Milliseconds = 2.0, "τ_5", Positive, "decay of the current of port 5";
    tau_synapse_6: Milliseconds = 2.0, "τ_6", Positive, "decay of the current of port 6";
    tau_synapse_7: Milliseconds = 2.0, "τ_7", Positive, "decay of the current of port 7";
    tau_synapse_8: Milliseconds = 2.0, "τ_8", Positive, "decay of the current of port 8";
}

const THRESHOLD: usize = 3;

const fn port(name: &'static str) -> ReceptorSpec {
    ReceptorSpec { name, weight: Current, combine: Combine::Sum, meaning: "jump of its current" }
}

static RECEPTORS: [ReceptorSpec; 8] = [
    port("port_1"),
    port("port_2"),
    port("port_3"),
    port("port_4"),
    port("port_5"),
    port("port_6"),
    port("port_7"),
    port("port_8"),
];

static VARIABLES: [VariableSpec; 9] = [
    variable("membrane_potential", Potential, None, "V; initially the resting potential"),
    variable("current_1", Current, Some(0.0), "I_1"),
    variable("current_2", Current, Some(0.0), "I_2"),
    variable("current_3", Current, Some(0.0), "I_3"),
    variable("current_4", Current, Some(0.0), "I_4"),
    variable("current_5", Current, Some(0.0), "I_5"),
    variable("current_6", Current, Some(0.0), "I_6"),
    variable("current_7", Current, Some(0.0), "I_7"),
    variable("current_8", Current, Some(0.0), "I_8"),
];

static SPEC: ModelSpec = ModelSpec {
    name: "lif_multisynapse",
    summary: "leaky integrate-and-fire, eight ports with exponential currents (exact integration)",
    time: ModelTime::Continuous,
    parameters: PARAMETERS,
    receptors: &RECEPTORS,
    variables: &VARIABLES,
    current: Some(Current),
    spikes: true,
    subtracting_reset: false,
    graded: false,
    refractory_input: &[RefractoryInput::Integrated],
    reference: "Rotter & Diesmann 1999, Biol. Cybern. 81:381; NEST iaf_psc_exp_multisynapse",
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
        Some(Box::new(CurrentNeurons::<8>::new(neurons, membrane)))
    }

    fn event(&self, _: &LoweredNeurons) -> Result<Option<Box<dyn EventNeurons>>, String> {
        Err("the crossing of a sum of 8 synaptic currents is not computed; use `lif_exponential` \
             there, or run it on the clock-driven engine"
            .to_string())
    }
}

impl Constants {
    fn membrane(self) -> Membrane<8> {
        Membrane {
            tau: self.tau_membrane,
            capacitance: self.capacitance,
            rest: self.resting_potential,
            reset: self.reset,
            refractory: self.refractory_period,
            tau_synapse: [
                self.tau_synapse_1,
                self.tau_synapse_2,
                self.tau_synapse_3,
                self.tau_synapse_4,
                self.tau_synapse_5,
                self.tau_synapse_6,
                self.tau_synapse_7,
                self.tau_synapse_8,
            ],
            threshold: self.threshold,
            threshold_jump: 0.0,
            tau_threshold: 1.0,
        }
    }
}
