//! Leaky integrate-and-fire neuron with as many receptor ports as are used, each with a time constant
//! of its own.
//!
//! # Equations
//! C dV/dt = −(C/τ)(V − E) + Σ I_k + I; dI_k/dt = −I_k/τ_k, k = 1 … n; an input of weight w lets the
//! current of its port jump by w. Weights carry their sign: negative ones inhibit.
//!
//! # Ports
//! n is the highest port that a network names for a population, in a parameter, an initial value, a
//! projection, a stimulus or a probe; at most [`MOST_PORTS`]. Ports above it take no memory.
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
//! | `tau_synapse_1`, `tau_synapse_2`, … | 2 | ms | τ_1, τ_2, … | above zero |
//!
//! Receptors are `port_1`, `port_2`, …
//!
//! # State
//! `membrane_potential` V (mV), initially E; `current_1`, `current_2`, … (pA), initially 0.
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

mod clock;
mod ports;

pub use ports::MOST_PORTS;

use super::bounds::reset_below_threshold;
use super::model::{
    ClockNeurons, EventNeurons, LoweredNeurons, ModelSpec, NeuronModel, ParameterSpec, Range,
};
use crate::network::{Neuron, RefractoryInput, Reset, SpikeCondition};
use crate::units::{Dimension, Milliseconds, Millivolts, Picofarads};

/// The model as lists show it, with some ports.
pub struct Model;

/// Ports in lists.
const SHOWN_PORTS: usize = 8;

const TAU: usize = 0;
const CAPACITANCE: usize = 1;
const REST: usize = 2;
const THRESHOLD: usize = 3;
const REFRACTORY: usize = 4;

/// Index of the time constant of the first port.
const FIRST_PORT: usize = 5;

const RESET_MV: f64 = -70.0;

/// Default of every port's time constant (ms).
const TAU_SYNAPSE_MS: f64 = 2.0;

const fn parameter(
    name: &'static str,
    symbol: &'static str,
    dimension: Dimension,
    (default, range): (f64, Range),
    meaning: &'static str,
) -> ParameterSpec {
    ParameterSpec { name, symbol, dimension, default, range, meaning }
}

/// The parameters that no port has of its own.
const MEMBRANE: [ParameterSpec; FIRST_PORT] = [
    parameter(
        "tau_membrane",
        "τ",
        Dimension::Time,
        (10.0, Range::Positive),
        "membrane time constant",
    ),
    parameter(
        "capacitance",
        "C",
        Dimension::Capacitance,
        (250.0, Range::Positive),
        "membrane capacitance",
    ),
    parameter(
        "resting_potential",
        "E",
        Dimension::Potential,
        (-70.0, Range::Any),
        "potential at rest",
    ),
    parameter("threshold", "θ", Dimension::Potential, (-55.0, Range::Any), "potential of a spike"),
    parameter(
        "refractory_period",
        "t_ref",
        Dimension::Time,
        (2.0, Range::NonNegative),
        "time V is held",
    ),
];

/// Typed parameters of the model.
#[derive(Debug, Clone, PartialEq)]
pub struct LifMultisynapse {
    /// Membrane time constant (τ).
    pub tau_membrane: Milliseconds,
    /// Membrane capacitance (C).
    pub capacitance: Picofarads,
    /// Potential at rest (E).
    pub resting_potential: Millivolts,
    /// Potential of a spike (θ).
    pub threshold: Millivolts,
    /// Potential after a spike.
    pub reset: Millivolts,
    /// Time V is held (t_ref).
    pub refractory_period: Milliseconds,
    /// Decay of the current of each port, the first port first (τ_k).
    pub tau_synapse: Vec<Milliseconds>,
}

impl Default for LifMultisynapse {
    fn default() -> Self {
        LifMultisynapse {
            tau_membrane: Milliseconds(MEMBRANE[TAU].default),
            capacitance: Picofarads(MEMBRANE[CAPACITANCE].default),
            resting_potential: Millivolts(MEMBRANE[REST].default),
            threshold: Millivolts(MEMBRANE[THRESHOLD].default),
            reset: Millivolts(RESET_MV),
            refractory_period: Milliseconds(MEMBRANE[REFRACTORY].default),
            tau_synapse: Vec::new(),
        }
    }
}

impl From<LifMultisynapse> for Neuron {
    fn from(typed: LifMultisynapse) -> Neuron {
        let mut neuron = Neuron::new(ports::NAME)
            .rules(SpikeCondition::AtOrAbove, Reset::To(typed.reset.into()))
            .parameter("tau_membrane", typed.tau_membrane)
            .parameter("capacitance", typed.capacitance)
            .parameter("resting_potential", typed.resting_potential)
            .parameter("threshold", typed.threshold)
            .parameter("refractory_period", typed.refractory_period);
        for (index, tau) in typed.tau_synapse.into_iter().enumerate() {
            neuron = neuron.parameter(&format!("{}{}", ports::TAU_PREFIX, index + 1), tau);
        }
        neuron.refractory_input = Some(RefractoryInput::Integrated);
        neuron
    }
}

impl NeuronModel for Model {
    fn spec(&self) -> &'static ModelSpec {
        ports::with(SHOWN_PORTS).spec()
    }

    fn for_names(&self, names: &[&str]) -> Option<&'static dyn NeuronModel> {
        let highest = names.iter().filter_map(|name| ports::number(name)).max();
        Some(ports::with(highest.unwrap_or(1)))
    }

    fn clock(&self, neurons: &LoweredNeurons) -> Option<Box<dyn ClockNeurons>> {
        ports::with(SHOWN_PORTS).clock(neurons)
    }

    fn event(&self, neurons: &LoweredNeurons) -> Result<Option<Box<dyn EventNeurons>>, String> {
        ports::with(SHOWN_PORTS).event(neurons)
    }
}

impl NeuronModel for ports::Ported {
    fn spec(&self) -> &'static ModelSpec {
        self.spec
    }

    fn numbered_names(&self) -> Option<&'static str> {
        Some(ports::NUMBERED)
    }

    fn check(&self, neurons: &LoweredNeurons) -> Vec<(&'static str, String)> {
        reset_below_threshold(neurons, THRESHOLD)
    }

    fn clock(&self, neurons: &LoweredNeurons) -> Option<Box<dyn ClockNeurons>> {
        Some(Box::new(clock::PortNeurons::new(neurons)))
    }

    fn event(&self, _: &LoweredNeurons) -> Result<Option<Box<dyn EventNeurons>>, String> {
        Err("the crossing of a sum of many synaptic currents is not computed; use `lif_exponential` \
             there, or run it on the clock-driven engine"
            .to_string())
    }
}
