//! Leaky integrate-and-fire neuron whose synapses let the potential jump.
//!
//! # Equations
//! τ dV/dt = −(V − E) + τ I / C between inputs; an input of weight w lets V jump by w.
//!
//! # Spike and reset
//! V ≥ θ or V > θ, as stated; V is then set to a value and held there for the refractory time.
//! Input that arrives in (t, t + t_ref] after a spike at t is lost, or integrated, as stated: then V
//! jumps at t + t_ref by what the leak has left of it.
//!
//! # Parameters
//! | name | default | unit | symbol | range |
//! |---|---|---|---|---|
//! | `tau_membrane` | 10 | ms | τ | above zero |
//! | `capacitance` | 250 | pF | C | above zero |
//! | `resting_potential` | −70 | mV | E | any |
//! | `threshold` | −55 | mV | θ | any, above the reset |
//! | `refractory_period` | 2 | ms | t_ref | zero or above |
//! | `lowest_potential` | none (−10⁹) | mV | V_min | any, at or below the reset |
//!
//! # State
//! `membrane_potential` V (mV), initially E.
//!
//! # Numerics
//! Exact between inputs: V(t) = V∞ + (V₀ − V∞) exp(−t/τ), V∞ = E + τ I / C. The clock-driven engine
//! holds that the refractory time is a whole number of steps (rounded to the nearest) and finds
//! spikes at the end of a step; the event-driven engine finds a crossing under constant current at
//! t = τ ln((V∞ − V₀)/(V∞ − θ)). There an input of weight w adds w exp((t − t₀)/τ) to the distance
//! from V∞ as it was at t₀, a time that all neurons share for a while: one exponential serves all targets
//! of a spike; distances are multiples of 2^-48 of the way from E to θ (`event/grain.rs`), so that sums are exact. V below its bound is lifted to it: at the end of a step in the clock-driven engine, always in
//! the event-driven one.
//!
//! # Engines
//! Clock-driven and event-driven. With input on the grid and no current that alone would drive the
//! neuron over the threshold, both give the same spikes.
//!
//! # References
//! NEST `iaf_psc_delta`; Rotter & Diesmann 1999, Biol. Cybern. 81:381.

mod event;
mod narrow;

use super::bounds::NO_LOWER_BOUND;
use super::model::{
    ClockNeurons, Column, Combine, Drive, Emitted, EventNeurons, LoweredNeurons, LoweredReset,
    ModelSpec, ModelTime, NarrowNeurons, NeuronModel, ParameterSpec, Range, ReceptorSpec,
    StateVisitor, VariableSpec, bytes_of,
};
use crate::network::{Neuron, RefractoryInput, Reset, SpikeCondition};
use crate::units::{Dimension, Milliseconds, Millivolts, Picofarads};

/// The model.
pub struct Model;

const TAU: usize = 0;
const CAPACITANCE: usize = 1;
const REST: usize = 2;
const THRESHOLD: usize = 3;
const REFRACTORY: usize = 4;
const LOWEST: usize = 5;

static SPEC: ModelSpec = ModelSpec {
    name: "lif_delta",
    summary: "leaky integrate-and-fire, synapses let the potential jump (exact integration)",
    time: ModelTime::Continuous,
    parameters: &[
        ParameterSpec {
            name: "tau_membrane",
            symbol: "τ",
            dimension: Dimension::Time,
            default: 10.0,
            range: Range::Positive,
            meaning: "membrane time constant",
        },
        ParameterSpec {
            name: "capacitance",
            symbol: "C",
            dimension: Dimension::Capacitance,
            default: 250.0,
            range: Range::Positive,
            meaning: "membrane capacitance; only a constant current needs it",
        },
        ParameterSpec {
            name: "resting_potential",
            symbol: "E",
            dimension: Dimension::Potential,
            default: -70.0,
            range: Range::Any,
            meaning: "potential without input",
        },
        ParameterSpec {
            name: "threshold",
            symbol: "θ",
            dimension: Dimension::Potential,
            default: -55.0,
            range: Range::Any,
            meaning: "potential at which the neuron spikes",
        },
        ParameterSpec {
            name: "refractory_period",
            symbol: "t_ref",
            dimension: Dimension::Time,
            default: 2.0,
            range: Range::NonNegative,
            meaning: "time after a spike in which the potential is held",
        },
        ParameterSpec {
            name: "lowest_potential",
            symbol: "V_min",
            dimension: Dimension::Potential,
            default: NO_LOWER_BOUND,
            range: Range::Any,
            meaning: "V is held at or above this; clock-driven engine only",
        },
    ],
    receptors: &[ReceptorSpec {
        name: "input",
        weight: Dimension::Potential,
        combine: Combine::Sum,
        meaning: "jump of the potential",
    }],
    variables: &[VariableSpec {
        name: "membrane_potential",
        dimension: Dimension::Potential,
        initial: None,
        meaning: "V; initially the resting potential",
    }],
    current: Some(Dimension::Current),
    spikes: true,
    subtracting_reset: false,
    graded: false,
    refractory_input: &[RefractoryInput::Lost, RefractoryInput::Integrated],
    reference: "Rotter & Diesmann 1999, Biol. Cybern. 81:381; NEST iaf_psc_delta",
};

/// Typed parameters of the model.
#[derive(Debug, Clone, PartialEq)]
pub struct LifDelta {
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
}

impl Default for LifDelta {
    fn default() -> Self {
        LifDelta {
            tau_membrane: Milliseconds(10.0),
            capacitance: Picofarads(250.0),
            resting_potential: Millivolts(-70.0),
            threshold: Millivolts(-55.0),
            reset: Millivolts(-70.0),
            refractory_period: Milliseconds(2.0),
        }
    }
}

impl From<LifDelta> for Neuron {
    fn from(typed: LifDelta) -> Neuron {
        let mut neuron = Neuron::new(SPEC.name)
            .parameter("tau_membrane", typed.tau_membrane)
            .parameter("capacitance", typed.capacitance)
            .parameter("resting_potential", typed.resting_potential)
            .parameter("threshold", typed.threshold)
            .parameter("refractory_period", typed.refractory_period)
            .rules(SpikeCondition::AtOrAbove, Reset::To(typed.reset.into()));
        neuron.refractory_input = Some(RefractoryInput::Lost);
        neuron
    }
}

impl NeuronModel for Model {
    fn spec(&self) -> &'static ModelSpec {
        &SPEC
    }

    fn check(&self, neurons: &LoweredNeurons) -> Vec<(&'static str, String)> {
        let mut problems = super::bounds::reset_below_threshold(neurons, THRESHOLD);
        problems.extend(super::bounds::reset_above_bound(neurons, LOWEST));
        problems
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
        Ok(Some(Box::new(event::EventState::new(neurons))))
    }
}

/// The parameters of each neuron as plain numbers [ms, mV, pF].
struct Constants {
    tau: Vec<f64>,
    resistance: Vec<f64>,
    rest: Vec<f64>,
    threshold: Vec<f64>,
    refractory: Vec<f64>,
    initial: Vec<f64>,
    reset: Column,
    lowest: Column,
    spike: SpikeCondition,
    refractory_input: RefractoryInput,
}

impl Constants {
    /// Bytes on the heap.
    fn bytes(&self) -> u64 {
        let Constants { tau, resistance, rest, threshold, refractory, initial, .. } = self;
        let lists = [tau, resistance, rest, threshold, refractory, initial];
        let lists: u64 = lists.into_iter().map(|list| bytes_of(list)).sum();
        lists + self.reset.bytes() + self.lowest.bytes()
    }

    fn new(neurons: &LoweredNeurons) -> Self {
        let column = |index: usize| neurons.parameters[index].expand(0..neurons.size);
        let (tau, rest) = (column(TAU), column(REST));
        let capacitance = column(CAPACITANCE);
        let initial = match neurons.initial.first().and_then(|given| given.as_ref()) {
            Some(given) => given.expand(0..neurons.size),
            None => rest.clone(),
        };
        Constants {
            resistance: tau.iter().zip(capacitance).map(|(tau, c)| tau / c).collect(),
            tau,
            initial,
            threshold: column(THRESHOLD),
            refractory: column(REFRACTORY),
            reset: match &neurons.reset {
                LoweredReset::To(column) => column.clone(),
                // Validation offers no subtraction for this model.
                LoweredReset::Subtract => neurons.parameters[REST].clone(),
            },
            lowest: neurons.parameters[LOWEST].clone(),
            rest,
            spike: neurons.spike,
            refractory_input: neurons.refractory_input,
        }
    }

    /// What input that arrives `span` [ms] before the end of the refractory time adds to V then.
    fn kept(&self, neuron: usize, input: f64, span: f64) -> f64 {
        match self.refractory_input {
            RefractoryInput::Lost => 0.0,
            RefractoryInput::Integrated => input * (-span / self.tau[neuron]).exp(),
        }
    }

    fn reaches(&self, neuron: usize, potential: f64) -> bool {
        match self.spike {
            SpikeCondition::AtOrAbove => potential >= self.threshold[neuron],
            SpikeCondition::Above => potential > self.threshold[neuron],
        }
    }
}

struct ClockState {
    constants: Constants,
    potential: Vec<f64>,
    decay: Vec<f64>,
    refractory_steps: Vec<u32>,
    remaining: Vec<u32>,
    /// Jump of V at the end of the refractory time.
    waiting: Vec<f64>,
    dt: f64,
}

impl ClockState {
    fn new(neurons: &LoweredNeurons) -> Self {
        let constants = Constants::new(neurons);
        let dt = neurons.grid.dt();
        ClockState {
            potential: constants.initial.clone(),
            decay: constants.tau.iter().map(|tau| (-dt / tau).exp()).collect(),
            refractory_steps: constants
                .refractory
                .iter()
                .map(|t| (t / dt).round() as u32)
                .collect(),
            remaining: vec![0; neurons.size],
            waiting: vec![0.0; neurons.size],
            dt,
            constants,
        }
    }
}

impl ClockNeurons for ClockState {
    fn step(&mut self, drive: Drive<'_>, spikes: &mut Emitted) {
        let inputs = drive.inputs[0].iter().zip(drive.current);
        for (neuron, (&input, &current)) in inputs.enumerate() {
            if self.remaining[neuron] > 0 {
                self.remaining[neuron] -= 1;
                let span = f64::from(self.remaining[neuron]) * self.dt;
                self.waiting[neuron] += self.constants.kept(neuron, input, span);
                continue;
            }
            let c = &self.constants;
            let limit = c.rest[neuron] + c.resistance[neuron] * current;
            let begin = self.potential[neuron] + self.waiting[neuron];
            let potential = limit + (begin - limit) * self.decay[neuron] + input;
            let potential = potential.max(c.lowest.get(neuron));
            self.potential[neuron] = potential;
            self.waiting[neuron] = 0.0;
            if c.reaches(neuron, potential) {
                self.potential[neuron] = c.reset.get(neuron);
                self.remaining[neuron] = self.refractory_steps[neuron];
                spikes.push(neuron as u32);
            }
        }
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        visitor.reals(&mut self.potential.iter_mut());
        visitor.counts(&mut self.remaining.iter_mut());
        visitor.reals(&mut self.waiting.iter_mut());
    }

    fn variable(&self, _index: usize) -> Vec<f64> {
        self.potential.clone()
    }

    fn reset(&mut self) {
        self.potential.clone_from(&self.constants.initial);
        self.remaining.fill(0);
        self.waiting.fill(0.0);
    }

    fn bytes(&self) -> u64 {
        let lists = [&self.potential, &self.decay, &self.waiting];
        let lists: u64 = lists.into_iter().map(|list| bytes_of(list)).sum();
        let steps = bytes_of(&self.refractory_steps) + bytes_of(&self.remaining);
        self.constants.bytes() + lists + steps
    }
}
