//! Leaky integrate-and-fire neuron with exponentially decaying synaptic currents.
//!
//! # Equations
//! C dV/dt = −(C/τ)(V − E) + I_exc + I_inh + I; dI_x/dt = −I_x/τ_x; an input of weight w lets the
//! current of its receptor jump by w.
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
//! | `tau_excitatory` | 2 | ms | τ_exc | above zero |
//! | `tau_inhibitory` | 2 | ms | τ_inh | above zero |
//!
//! # State
//! `membrane_potential` V [mV], initially E; `current_excitatory`, `current_inhibitory` [pA],
//! initially 0.
//!
//! # Numerics
//! Exact between inputs; where a synaptic time constant equals the membrane's, the solution is
//! I t/C exp(−t/τ). The clock-driven engine finds spikes at the end of a step (input first acts on V
//! in the step after it arrives, as in NEST); the event-driven engine finds the crossing itself,
//! and none is missed ([`super::exponential_sum`]). The clock engine's spikes converge to the event
//! engine's as dt shrinks.
//!
//! # Engines
//! Clock-driven and event-driven.
//!
//! # References
//! NEST `iaf_psc_exp`; Rotter & Diesmann 1999, Biol. Cybern. 81:381; Tsodyks et al. 2000,
//! J. Neurosci. 20:RC50.

use super::exponential_sum::{Term, first_upward_crossing};
use super::model::{
    ClockNeurons, Combine, Drive, EventNeurons, LoweredNeurons, LoweredReset, ModelSpec, ModelTime,
    NeuronModel, ParameterSpec, Range, ReceptorSpec, VariableSpec, reset_below_threshold,
};
use crate::network::{Neuron, RefractoryInput, Reset, SpikeCondition};
use crate::time::Time;
use crate::units::{Dimension, Milliseconds, Millivolts, Picofarads};

/// The model.
pub struct Model;

const THRESHOLD: usize = 3;

/// Rates closer than this (relative) count as equal when a crossing is sought: the term of the
/// double root is then off by less than the cancellation that it avoids (both about 1e-8).
const NEARLY_EQUAL: f64 = 1e-8;

/// Rates closer than this (relative) cancel more than three digits in the sum of exponentials, so
/// that a crossing found there is polished.
const LOSES_DIGITS: f64 = 1e-3;

/// Corrections beyond this are no lost digits [ms].
const LARGEST_CORRECTION_MS: f64 = 1e-4;

const fn parameter(
    name: &'static str,
    symbol: &'static str,
    dimension: Dimension,
    default: f64,
    range: Range,
    meaning: &'static str,
) -> ParameterSpec {
    ParameterSpec { name, symbol, dimension, default, range, meaning }
}

use Dimension::{Capacitance, Current, Potential, Time as Span};

static SPEC: ModelSpec = ModelSpec {
    name: "lif_exponential",
    summary: "leaky integrate-and-fire, exponential synaptic currents (exact integration)",
    time: ModelTime::Continuous,
    parameters: &[
        parameter("tau_membrane", "τ", Span, 10.0, Range::Positive, "membrane time constant"),
        parameter("capacitance", "C", Capacitance, 250.0, Range::Positive, "membrane capacitance"),
        parameter("resting_potential", "E", Potential, -70.0, Range::Any, "potential at rest"),
        parameter("threshold", "θ", Potential, -55.0, Range::Any, "potential of a spike"),
        parameter("refractory_period", "t_ref", Span, 2.0, Range::NonNegative, "time V is held"),
        parameter("tau_excitatory", "τ_exc", Span, 2.0, Range::Positive, "decay of I_exc"),
        parameter("tau_inhibitory", "τ_inh", Span, 2.0, Range::Positive, "decay of I_inh"),
    ],
    receptors: &[
        ReceptorSpec {
            name: "excitatory",
            weight: Current,
            combine: Combine::Sum,
            meaning: "jump of I_exc",
        },
        ReceptorSpec {
            name: "inhibitory",
            weight: Current,
            combine: Combine::Sum,
            meaning: "jump of I_inh",
        },
    ],
    variables: &[
        VariableSpec {
            name: "membrane_potential",
            dimension: Potential,
            initial: None,
            meaning: "V; initially the resting potential",
        },
        VariableSpec {
            name: "current_excitatory",
            dimension: Current,
            initial: Some(0.0),
            meaning: "I_exc",
        },
        VariableSpec {
            name: "current_inhibitory",
            dimension: Current,
            initial: Some(0.0),
            meaning: "I_inh",
        },
    ],
    current: Some(Current),
    spikes: true,
    subtracting_reset: false,
    refractory_input: &[RefractoryInput::Integrated],
    reference: "Rotter & Diesmann 1999, Biol. Cybern. 81:381; NEST iaf_psc_exp",
};

/// Typed parameters of the model.
#[derive(Debug, Clone, PartialEq)]
pub struct LifExponential {
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
    /// Decay of the excitatory current.
    pub tau_excitatory: Milliseconds,
    /// Decay of the inhibitory current.
    pub tau_inhibitory: Milliseconds,
}

impl Default for LifExponential {
    fn default() -> Self {
        LifExponential {
            tau_membrane: Milliseconds(10.0),
            capacitance: Picofarads(250.0),
            resting_potential: Millivolts(-70.0),
            threshold: Millivolts(-55.0),
            reset: Millivolts(-70.0),
            refractory_period: Milliseconds(2.0),
            tau_excitatory: Milliseconds(2.0),
            tau_inhibitory: Milliseconds(2.0),
        }
    }
}

impl From<LifExponential> for Neuron {
    fn from(typed: LifExponential) -> Neuron {
        let mut neuron = Neuron::new(SPEC.name)
            .parameter("tau_membrane", typed.tau_membrane)
            .parameter("capacitance", typed.capacitance)
            .parameter("resting_potential", typed.resting_potential)
            .parameter("threshold", typed.threshold)
            .parameter("refractory_period", typed.refractory_period)
            .parameter("tau_excitatory", typed.tau_excitatory)
            .parameter("tau_inhibitory", typed.tau_inhibitory)
            .rules(SpikeCondition::AtOrAbove, Reset::To(typed.reset.into()));
        neuron.refractory_input = Some(RefractoryInput::Integrated);
        neuron
    }
}

impl NeuronModel for Model {
    fn spec(&self) -> &'static ModelSpec {
        &SPEC
    }

    fn check(&self, neurons: &LoweredNeurons) -> Vec<(&'static str, String)> {
        reset_below_threshold(neurons, THRESHOLD)
    }

    fn clock(&self, neurons: &LoweredNeurons) -> Option<Box<dyn ClockNeurons>> {
        Some(Box::new(ClockState::new(neurons)))
    }

    fn event(&self, neurons: &LoweredNeurons) -> Result<Option<Box<dyn EventNeurons>>, String> {
        Ok(Some(Box::new(EventState::new(neurons))))
    }
}

/// One neuron's parameters in base units.
#[derive(Debug, Clone, Copy)]
struct Constants {
    tau: f64,
    capacitance: f64,
    rest: f64,
    threshold: f64,
    refractory: f64,
    tau_synapse: [f64; 2],
    reset: f64,
    spike: SpikeCondition,
}

/// Initial potential and currents of one neuron.
#[derive(Debug, Clone, Copy)]
struct NeuronState {
    potential: f64,
    synapse: [f64; 2],
}

fn lower(neurons: &LoweredNeurons) -> (Vec<Constants>, Vec<NeuronState>) {
    let of = |neuron: usize| {
        let get = |index: usize| neurons.parameters[index].get(neuron);
        let initial = |variable: usize, otherwise: f64| {
            let column = neurons.initial.get(variable).and_then(|column| column.as_ref());
            column.map_or(otherwise, |column| column.get(neuron))
        };
        let constants = Constants {
            tau: get(0),
            capacitance: get(1),
            rest: get(2),
            threshold: get(THRESHOLD),
            refractory: get(4),
            tau_synapse: [get(5), get(6)],
            reset: match neurons.reset {
                LoweredReset::To(value) => value,
                // Validation offers no subtraction for this model.
                LoweredReset::Subtract => get(2),
            },
            spike: neurons.spike,
        };
        let state = NeuronState {
            potential: initial(0, get(2)),
            synapse: [initial(1, 0.0), initial(2, 0.0)],
        };
        (constants, state)
    };
    (0..neurons.size).map(of).unzip()
}

impl Constants {
    fn reaches(&self, potential: f64) -> bool {
        match self.spike {
            SpikeCondition::AtOrAbove => potential >= self.threshold,
            SpikeCondition::Above => potential > self.threshold,
        }
    }

    /// The potential that a current I of a synapse, now 1 pA, adds after t [ms]: mV per pA.
    fn propagator(&self, tau_synapse: f64, t: f64) -> f64 {
        let rate = 1.0 / self.tau - 1.0 / tau_synapse;
        let decay = (-t / self.tau).exp();
        // expm1 keeps all digits where the time constants are close or equal.
        let factor = if rate * t == 0.0 { t } else { (rate * t).exp_m1() / rate };
        decay * factor / self.capacitance
    }

    fn limit(&self, current: f64) -> f64 {
        self.rest + current * self.tau / self.capacitance
    }

    /// The state after t [ms] without input; V is held for the first `held` [ms].
    fn after(&self, state: NeuronState, current: f64, t: f64, held: f64) -> NeuronState {
        let decayed = |x: usize, t: f64| state.synapse[x] * (-t / self.tau_synapse[x]).exp();
        let held = held.clamp(0.0, t);
        let free = t - held;
        let limit = self.limit(current);
        let driven: f64 =
            (0..2).map(|x| decayed(x, held) * self.propagator(self.tau_synapse[x], free)).sum();
        NeuronState {
            potential: limit + (state.potential - limit) * (-free / self.tau).exp() + driven,
            synapse: [decayed(0, t), decayed(1, t)],
        }
    }

    /// V − θ as a sum of exponentials from now on.
    fn distance_to_threshold(&self, state: NeuronState, current: f64) -> Vec<Term> {
        let limit = self.limit(current);
        let membrane_rate = 1.0 / self.tau;
        let mut membrane = Term::new(membrane_rate, state.potential - limit);
        let mut terms = vec![Term::new(0.0, limit - self.threshold)];
        let mut synapses: Vec<Term> = Vec::with_capacity(2);
        for (amplitude, tau) in state.synapse.into_iter().zip(self.tau_synapse) {
            let (rate, per_time) = (1.0 / tau, amplitude / self.capacitance);
            let difference = membrane_rate - rate;
            if difference.abs() < NEARLY_EQUAL * membrane_rate {
                membrane.slope += per_time;
                continue;
            }
            let coefficient = per_time / difference;
            membrane.constant -= coefficient;
            match synapses.iter_mut().find(|term| term.rate == rate) {
                Some(same) => same.constant += coefficient,
                None => synapses.push(Term::new(rate, coefficient)),
            }
        }
        terms.push(membrane);
        terms.extend(synapses);
        terms
    }

    /// A bound that V cannot pass: currents add at most their peak.
    fn bound(&self, state: NeuronState, current: f64) -> f64 {
        let peaks: f64 =
            (0..2).map(|x| state.synapse[x].max(0.0) * self.tau_synapse[x].min(self.tau)).sum();
        self.limit(current).max(state.potential) + peaks / self.capacitance
    }

    /// Time [ms] from now to the next spike without input.
    fn next_spike(&self, state: NeuronState, current: f64) -> Option<f64> {
        if self.reaches(state.potential) {
            return Some(0.0);
        }
        if self.bound(state, current) < self.threshold {
            return None;
        }
        // After 60 time constants every exponential is below 1e-26 of its start.
        let slowest = self.tau_synapse.into_iter().fold(self.tau, f64::max);
        let terms = self.distance_to_threshold(state, current);
        let found = first_upward_crossing(&terms, 60.0 * slowest)?;
        let close = |tau: &f64| (self.tau / tau - 1.0).abs() < LOSES_DIGITS;
        match self.tau_synapse.iter().any(close) {
            true => Some(self.polish(state, current, found)),
            false => Some(found),
        }
    }

    /// Newton's method on the potential as [`after`](Self::after) gives it, which keeps all digits
    /// where time constants are close and the sum of exponentials cancels.
    fn polish(&self, state: NeuronState, current: f64, found: f64) -> f64 {
        let mut t = found;
        for _ in 0..3 {
            let then = self.after(state, current, t, 0.0);
            let flow = then.synapse[0] + then.synapse[1];
            let slope = (self.limit(current) - then.potential) / self.tau + flow / self.capacitance;
            let correction = (self.threshold - then.potential) / slope;
            // Beside a peak Newton's step leads away: what was found is as good as it gets.
            if !(slope > 0.0 && correction.abs() < LARGEST_CORRECTION_MS) {
                return found;
            }
            t = (t + correction).max(0.0);
        }
        t
    }
}

/// Per-step factors of one neuron.
#[derive(Debug, Clone, Copy)]
struct Step {
    decay: f64,
    synapse_decay: [f64; 2],
    synapse_to_potential: [f64; 2],
    refractory_steps: u32,
}

struct ClockState {
    constants: Vec<Constants>,
    steps: Vec<Step>,
    state: Vec<NeuronState>,
    initial: Vec<NeuronState>,
    remaining: Vec<u32>,
}

impl ClockState {
    fn new(neurons: &LoweredNeurons) -> Self {
        let (constants, initial) = lower(neurons);
        let dt = neurons.grid.dt();
        let step = |c: &Constants| Step {
            decay: (-dt / c.tau).exp(),
            synapse_decay: c.tau_synapse.map(|tau| (-dt / tau).exp()),
            synapse_to_potential: c.tau_synapse.map(|tau| c.propagator(tau, dt)),
            refractory_steps: (c.refractory / dt).round() as u32,
        };
        ClockState {
            steps: constants.iter().map(step).collect(),
            state: initial.clone(),
            remaining: vec![0; neurons.size],
            constants,
            initial,
        }
    }
}

impl ClockNeurons for ClockState {
    fn step(&mut self, drive: Drive<'_>, spikes: &mut Vec<u32>) {
        for neuron in 0..self.state.len() {
            let (c, step) = (&self.constants[neuron], &self.steps[neuron]);
            let state = &mut self.state[neuron];
            if self.remaining[neuron] > 0 {
                self.remaining[neuron] -= 1;
            } else {
                let limit = c.limit(drive.current[neuron]);
                state.potential = limit
                    + (state.potential - limit) * step.decay
                    + state.synapse[0] * step.synapse_to_potential[0]
                    + state.synapse[1] * step.synapse_to_potential[1];
            }
            for receptor in 0..2 {
                state.synapse[receptor] = state.synapse[receptor] * step.synapse_decay[receptor]
                    + drive.inputs[receptor][neuron];
            }
            if c.reaches(state.potential) {
                state.potential = c.reset;
                self.remaining[neuron] = step.refractory_steps;
                spikes.push(neuron as u32);
            }
        }
    }

    fn variable(&self, index: usize) -> Vec<f64> {
        self.state.iter().map(|state| variable_of(state, index)).collect()
    }

    fn reset(&mut self) {
        self.state.clone_from(&self.initial);
        self.remaining.fill(0);
    }
}

fn variable_of(state: &NeuronState, index: usize) -> f64 {
    match index {
        0 => state.potential,
        other => state.synapse[(other - 1).min(1)],
    }
}

struct EventState {
    constants: Vec<Constants>,
    state: Vec<NeuronState>,
    initial: Vec<NeuronState>,
    /// Time that `state` is for.
    last: Vec<Time>,
    /// Until then the potential is held.
    held_until: Vec<Time>,
    current: Vec<f64>,
}

impl EventState {
    fn new(neurons: &LoweredNeurons) -> Self {
        let (constants, initial) = lower(neurons);
        EventState {
            constants,
            state: initial.clone(),
            initial,
            last: vec![Time::ZERO; neurons.size],
            held_until: vec![Time::ZERO; neurons.size],
            current: vec![0.0; neurons.size],
        }
    }

    fn at(&self, neuron: usize, time: Time) -> NeuronState {
        let span = (time - self.last[neuron]).milliseconds();
        let held = (self.held_until[neuron] - self.last[neuron]).milliseconds();
        self.constants[neuron].after(self.state[neuron], self.current[neuron], span, held)
    }

    fn advance(&mut self, neuron: usize, time: Time) {
        if time > self.last[neuron] {
            self.state[neuron] = self.at(neuron, time);
            self.last[neuron] = time;
        }
    }
}

impl EventNeurons for EventState {
    fn receive(&mut self, neuron: usize, time: Time, inputs: &[f64], crossing: bool) -> bool {
        self.advance(neuron, time);
        let c = self.constants[neuron];
        if crossing {
            self.state[neuron].potential = c.reset;
            let refractory = Time::from_milliseconds(c.refractory).unwrap_or(Time::NEVER);
            self.held_until[neuron] = time.saturating_add(refractory);
        }
        for (synapse, input) in self.state[neuron].synapse.iter_mut().zip(inputs) {
            *synapse += input;
        }
        crossing
    }

    fn set_current(&mut self, neuron: usize, time: Time, current: f64) {
        self.advance(neuron, time);
        self.current[neuron] = current;
    }

    fn next_spike(&self, neuron: usize) -> Option<Time> {
        let from = self.last[neuron].max(self.held_until[neuron]);
        let wait =
            self.constants[neuron].next_spike(self.at(neuron, from), self.current[neuron])?;
        let wait = Time::from_milliseconds(wait)?;
        // At least a femtosecond later, so that time always advances.
        Some(from.saturating_add(wait.max(Time(1))))
    }

    fn variable(&self, index: usize, neuron: usize, time: Time) -> f64 {
        variable_of(&self.at(neuron, time), index)
    }

    fn reset(&mut self) {
        self.state.clone_from(&self.initial);
        self.last.fill(Time::ZERO);
        self.held_until.fill(Time::ZERO);
        self.current.fill(0.0);
    }
}
