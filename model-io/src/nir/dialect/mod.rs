//! What NIR leaves open, as conventions that a caller states or a framework's dialect knows.
//!
//! A file says neither how long a step is, nor how its equations are cut into steps, nor what
//! happens to the rest of the potential above the threshold. A [`Convention`] says all of it; the
//! dialects below are those with which the frameworks' own recordings come back. To add one: one
//! file here and one line in [`DIALECTS`].

use serde::Serialize;

mod lava;
mod nengo;
mod norse;
mod rockpool;
mod sinabs;
mod snntorch;
mod specification;
mod spyx;
mod stated;

pub use stated::{Named, Stated};

/// How a decay is cut into steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decay {
    /// `1 - dt / tau`.
    Euler,
    /// `exp(-dt / tau)`.
    Exponential,
}

impl Decay {
    /// The factor of one step.
    pub fn factor(self, dt: f64, tau: f64) -> f64 {
        match self {
            Self::Euler => 1.0 - dt / tau,
            Self::Exponential => (-dt / tau).exp(),
        }
    }
}

/// Which synaptic current of a step reaches the membrane (`CubaLIF`, `CubaLI`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CurrentOrder {
    /// The current decays, takes in this step's input scaled by `1 - decay`, and acts.
    AfterInput,
    /// The whole input is added first, the sum acts, and then it decays.
    JumpFirst,
    /// The whole input is added first, the sum decays, and then it acts.
    InputDecays,
}

/// What a spike does to the potential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SpikeReset {
    /// It becomes the node's `v_reset`.
    ToValue,
    /// It loses the threshold.
    Subtract,
    /// A neuron spikes as often as the threshold fits in and loses it each time; an `IF` stays above
    /// minus the threshold.
    SubtractMany,
    /// It loses the threshold in the next step, behind that step's decay and input.
    SubtractNext,
    /// The same without a synaptic current; `CubaLIF` loses the threshold at once.
    SubtractNextBare,
    /// It loses the threshold; where it is above it still, the next step's spike needs twice as much.
    SubtractHeld,
    /// It becomes the node's `v_reset` in the next step, whose input is lost.
    ToValueNext,
    /// Nothing.
    None,
}

impl SpikeReset {
    /// The rule of neurons with a synaptic current or without one.
    pub fn of(self, has_current: bool) -> Self {
        match self {
            Self::SubtractNextBare if has_current => Self::Subtract,
            Self::SubtractNextBare => Self::SubtractNext,
            other => other,
        }
    }
}

/// What the input of a leaky neuron is multiplied by, on its way to the potential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InputScale {
    /// `r` times what the decay takes away, `1 - decay`: constant input leads to `r i`.
    Decay,
    /// `r dt / tau`, whatever the decay: it differs from the above where decays are exponential.
    Step,
    /// Nothing: a jump of the potential, as where `r` only undoes a scaling.
    One,
}

impl InputScale {
    /// The factor for a neuron that keeps `keep` of its potential in a step of `dt`.
    pub fn factor(self, r: f64, keep: f64, dt: f64, tau: f64) -> f64 {
        match self {
            Self::Decay => r * (1.0 - keep),
            Self::Step => r * dt / tau,
            Self::One => 1.0,
        }
    }
}

/// Where a leaky potential begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// At 0.
    Zero,
    /// At the node's `v_leak`.
    Leak,
}

/// Everything that a simulation of a graph needs beside the graph.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Convention {
    /// Length of a step in the unit of the graph's time constants after `tau_scale`.
    pub dt: f64,
    /// What the time constants of the file are multiplied by.
    pub tau_scale: f64,
    /// Discretisation of decays.
    pub decay: Decay,
    /// Order of current and membrane.
    pub current: CurrentOrder,
    /// Reset rule.
    pub reset: SpikeReset,
    /// What the input of a leaky neuron is multiplied by.
    pub input: InputScale,
    /// Steps that a value needs through a linear node or a convolution.
    pub synapse_steps: u32,
    /// Steps between the threshold being passed and the spike.
    pub spike_steps: u32,
    /// Spikes of a neuron in a step at the most, where several are sent.
    pub most_spikes: u32,
    /// Where leaky potentials begin.
    pub start: Start,
    /// Whether the input of a sub-graph that leads to a loop's weights reaches the loop's neurons
    /// themselves, and late spikes reach the loop in the step in which they leave: Spyx writes and runs
    /// recurrent layers so.
    pub loops_direct: bool,
}

impl Convention {
    /// The specification's equations in steps of `dt`: exponential decay, input of the same step,
    /// reset to `v_reset`.
    pub fn specification(dt: f64) -> Self {
        Self {
            dt,
            tau_scale: 1.0,
            decay: Decay::Exponential,
            current: CurrentOrder::AfterInput,
            reset: SpikeReset::ToValue,
            input: InputScale::Decay,
            synapse_steps: 0,
            spike_steps: 0,
            most_spikes: i32::MAX as u32,
            start: Start::Zero,
            loops_direct: false,
        }
    }
}

impl std::fmt::Display for Convention {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let decay = match self.decay {
            Decay::Euler => "Euler",
            Decay::Exponential => "exponential",
        };
        let reset = match self.reset {
            SpikeReset::ToValue => "to v_reset",
            SpikeReset::Subtract => "by subtraction",
            SpikeReset::SubtractMany if self.most_spikes == 1 => "by subtraction, one spike a step",
            SpikeReset::SubtractMany => "by subtraction, several spikes a step",
            SpikeReset::SubtractNext => "by subtraction in the next step, behind its decay",
            SpikeReset::SubtractNextBare => {
                "by subtraction in the next step, behind its decay, of neurons without a current; \
                 by subtraction, of those with one"
            }
            SpikeReset::SubtractHeld => {
                "by subtraction; above the threshold still, twice as much is needed in the next step"
            }
            SpikeReset::ToValueNext => "to v_reset in the next step, whose input is lost",
            SpikeReset::None => "none",
        };
        let current = match self.current {
            CurrentOrder::AfterInput => "after its input",
            CurrentOrder::JumpFirst => "jump first, then decay",
            CurrentOrder::InputDecays => "jump and decay first",
        };
        let scaled = match self.input {
            InputScale::Decay => "r (1 - decay)",
            InputScale::Step => "r dt / tau",
            InputScale::One => "1",
        };
        write!(
            f,
            "dt {:e}, time constants × {}, {decay} decay, current {current}, input × {scaled}, \
             reset {reset}, {} steps a synapse, spikes {} steps late{}{}",
            self.dt,
            self.tau_scale,
            self.synapse_steps,
            self.spike_steps,
            if self.start == Start::Leak { ", potentials begin at v_leak" } else { "" },
            if self.loops_direct { ", input of loops not through their weights" } else { "" }
        )
    }
}

/// What it is, and the conventions with it.
pub type Variant = (&'static str, fn() -> Convention);

/// The conventions of one framework.
#[derive(Debug)]
pub struct Dialect {
    /// Name on the command line; recordings whose file name begins with it are of this dialect.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// Its conventions, with the time step that the framework assumes.
    pub convention: fn() -> Convention,
    /// What a recording may have been made with besides, which no file says. `verify` looks through these.
    pub variants: &'static [Variant],
    /// What the conventions were found or checked by.
    pub evidence: &'static str,
}

/// All dialects, the specification first.
pub static DIALECTS: &[&Dialect] = &[
    &specification::DIALECT,
    &snntorch::DIALECT,
    &norse::DIALECT,
    &sinabs::DIALECT,
    &lava::DIALECT,
    &rockpool::DIALECT,
    &nengo::DIALECT,
    &spyx::DIALECT,
];

/// The dialect of this name.
pub fn find_dialect(name: &str) -> Option<&'static Dialect> {
    DIALECTS.iter().copied().find(|dialect| dialect.name == name)
}
