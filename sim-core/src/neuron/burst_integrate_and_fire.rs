//! Stepwise integrate-and-fire neuron that may send several spikes in a step and take spikes back.
//!
//! # Equations
//! u ← u + Σ w·n + I at the end of every step, where n is the payload of each spike that arrives.
//! With m the net number of spikes sent so far, v = u − θ m is what they have not yet said.
//!
//! # Spike and reset
//! - v ≥ θ: one spike with the payload n = min(⌊v/θ⌋, burst), a burst of n spikes;
//! - v < −tolerance: one spike with the payload −min(⌈−v/θ⌉, correction), which takes spikes back.
//!   It never takes back more than it has sent: m stays at 0 or above.
//! - m never exceeds ⌊`largest_rate` · k⌋ in the k-th step after `onset`.
//!
//! Every spike takes θ n from v. With bursts and corrections without bound the net count after any
//! number of steps is ⌊u/θ⌋, that of an even input: what came early and was wrong is made good.
//!
//! # Parameters
//! | name | default | unit | symbol | range |
//! |---|---|---|---|---|
//! | `threshold` | 1 | – | θ | above zero |
//! | `burst` | 1 | – | | whole, 1 to 127: most spikes in a step |
//! | `correction` | 1 | – | | whole, 0 to 127: most spikes taken back in a step, 0 for never |
//! | `tolerance` | 0 | – | h | zero or above |
//! | `largest_rate` | 1e6 | – | | above zero: most net spikes a step, on average from the onset |
//! | `onset` | 0 | – | | whole: the step before the first that counts |
//!
//! # State
//! `membrane_potential` u − θ m, initially u; `net_count` m, initially 0.
//!
//! # Numerics
//! Exact, as [`super::integrate_and_fire`]: u and θ m are multiples of 2^-32.
//!
//! # Engines
//! Clock-driven and event-driven. Between inputs u is a line, so whether it is time to spike is a
//! monotone question of the step; the first step is found by doubling and halving.
//!
//! # References
//! Wang et al. 2022, IJCAI, "Signed neuron with memory" (taking spikes back); Park et al. 2019, DAC
//! (bursts); Rueckauer et al. 2017, Front. Neurosci. 11:682 (reset by subtraction).

use super::exact;
use super::model::{
    ClockNeurons, Combine, EventNeurons, LoweredNeurons, LoweredReset, ModelSpec, ModelTime,
    NeuronModel, ParameterSpec, Range, ReceptorSpec, StateVisitor, VariableSpec, bytes_of,
};
use crate::network::{Neuron, Reset, SpikeCondition};
use crate::time::{Grid, Time};
use crate::units::{Dimension, Values};

mod answer;
mod clock;

pub use answer::{Answer, LARGEST_PAYLOAD, NO_LIMIT};

/// The model.
pub struct Model;

const fn number(
    name: &'static str,
    symbol: &'static str,
    default: f64,
    range: Range,
    meaning: &'static str,
) -> ParameterSpec {
    ParameterSpec { name, symbol, dimension: Dimension::Number, default, range, meaning }
}

static PARAMETERS: [ParameterSpec; 6] = [
    number("threshold", "θ", 1.0, Range::Positive, "what one spike stands for"),
    number("burst", "", 1.0, Range::Positive, "most spikes in a step, a whole number up to 127"),
    number("correction", "", 1.0, Range::NonNegative, "most spikes taken back in a step"),
    number("tolerance", "h", 0.0, Range::NonNegative, "how far below zero nothing is taken back"),
    number("largest_rate", "", NO_LIMIT, Range::Positive, "most net spikes a step on average"),
    number("onset", "", 0.0, Range::NonNegative, "the step before the first that counts"),
];

static SPEC: ModelSpec = ModelSpec {
    name: "burst_integrate_and_fire",
    summary: "stepwise integrate-and-fire with bursts and negative spikes (converted networks)",
    time: ModelTime::Stepwise,
    parameters: &PARAMETERS,
    receptors: &[ReceptorSpec {
        name: "input",
        weight: Dimension::Number,
        combine: Combine::Sum,
        meaning: "jump of the potential",
    }],
    variables: &[
        VariableSpec {
            name: "membrane_potential",
            dimension: Dimension::Number,
            initial: Some(0.0),
            meaning: "sum of the input minus what spikes have said of it",
        },
        VariableSpec {
            name: "net_count",
            dimension: Dimension::Number,
            initial: Some(0.0),
            meaning: "spikes sent minus spikes taken back",
        },
    ],
    current: Some(Dimension::Number),
    spikes: true,
    subtracting_reset: true,
    graded: true,
    refractory_input: &[],
    reference: "Wang et al. 2022, IJCAI; Park et al. 2019, DAC",
};

/// Typed parameters of the model; see the module.
#[derive(Debug, Clone, PartialEq)]
pub struct BurstIntegrateAndFire {
    /// What one spike stands for.
    pub threshold: Values,
    /// Most spikes in a step.
    pub burst: u32,
    /// Most spikes taken back in a step.
    pub correction: u32,
    /// How far below zero nothing is taken back.
    pub tolerance: f64,
    /// Most net spikes a step on average.
    pub largest_rate: Values,
    /// The step before the first that counts.
    pub onset: u32,
    /// Initial potential.
    pub initial: Values,
}

impl Default for BurstIntegrateAndFire {
    /// Threshold 1, single spikes of either sign, no limit, initially 0.
    fn default() -> Self {
        BurstIntegrateAndFire {
            threshold: 1.0.into(),
            burst: 1,
            correction: 1,
            tolerance: 0.0,
            largest_rate: NO_LIMIT.into(),
            onset: 0,
            initial: 0.0.into(),
        }
    }
}

impl From<BurstIntegrateAndFire> for Neuron {
    fn from(typed: BurstIntegrateAndFire) -> Neuron {
        Neuron::new(SPEC.name)
            .parameter("threshold", typed.threshold)
            .parameter("burst", f64::from(typed.burst))
            .parameter("correction", f64::from(typed.correction))
            .parameter("tolerance", typed.tolerance)
            .parameter("largest_rate", typed.largest_rate)
            .parameter("onset", f64::from(typed.onset))
            .initial("membrane_potential", typed.initial)
            .rules(SpikeCondition::AtOrAbove, Reset::Subtract)
    }
}

impl NeuronModel for Model {
    fn spec(&self) -> &'static ModelSpec {
        &SPEC
    }

    fn check(&self, neurons: &LoweredNeurons) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        let values = |index: usize| neurons.parameters[index].numbers().iter().copied();
        if let Some(theta) = values(0).find(|&theta| theta > 0.0 && exact::round(theta) == 0.0) {
            let message = format!("{theta} is below the finest step 2^-32; scale the network up");
            problems.push(("threshold", message));
        }
        let largest = f64::from(LARGEST_PAYLOAD);
        for (index, name, least) in [(1, "burst", 1.0), (2, "correction", 0.0)] {
            let wrong = |&n: &f64| n.fract() != 0.0 || n < least || n > largest;
            if let Some(value) = values(index).find(wrong) {
                problems
                    .push((name, format!("{value} is not a whole number {least} to {largest}")));
            }
        }
        if let Some(onset) = values(5).find(|n| n.fract() != 0.0 || *n > 1e9) {
            problems.push(("onset", format!("{onset} is not a whole number of steps below 10^9")));
        }
        if neurons.spike != SpikeCondition::AtOrAbove || neurons.reset != LoweredReset::Subtract {
            let message = "it stands for whole spikes: state spike at_or_above and reset subtract";
            problems.push(("threshold", message.to_string()));
        }
        problems
    }

    fn round(&self, value: f64) -> f64 {
        exact::round(value)
    }

    fn clock(&self, neurons: &LoweredNeurons) -> Option<Box<dyn ClockNeurons>> {
        let State { answers, initial, .. } = State::new(neurons);
        Some(Box::new(clock::ClockState::new(&answers, &initial)))
    }

    fn event(&self, neurons: &LoweredNeurons) -> Result<Option<Box<dyn EventNeurons>>, String> {
        Ok(Some(Box::new(State::new(neurons))))
    }
}

/// Neurons, each at the step of its own last event.
struct State {
    answers: Vec<Answer>,
    /// u − θ m.
    potential: Vec<f64>,
    /// m.
    count: Vec<f64>,
    initial: Vec<(f64, f64)>,
    last_step: Vec<u64>,
    current: Vec<f64>,
    grid: Grid,
}

impl State {
    fn new(neurons: &LoweredNeurons) -> Self {
        let initial = |variable: usize, neuron: usize| {
            let column = neurons.initial.get(variable).and_then(|column| column.as_ref());
            column.map_or(0.0, |column| column.get(neuron))
        };
        let parameter = |index: usize, neuron: usize| neurons.parameters[index].get(neuron);
        let answer = |neuron: usize| Answer {
            threshold: exact::round(parameter(0, neuron)),
            burst: parameter(1, neuron),
            correction: parameter(2, neuron),
            tolerance: exact::round(parameter(3, neuron)),
            largest_rate: parameter(4, neuron),
            onset: parameter(5, neuron) as u64,
        };
        let start = |neuron: usize| (exact::round(initial(0, neuron)), initial(1, neuron).round());
        let mut state = State {
            answers: (0..neurons.size).map(answer).collect(),
            potential: vec![0.0; neurons.size],
            count: vec![0.0; neurons.size],
            initial: (0..neurons.size).map(start).collect(),
            last_step: vec![0; neurons.size],
            current: vec![0.0; neurons.size],
            grid: neurons.grid,
        };
        state.restart();
        state
    }

    fn restart(&mut self) {
        for (neuron, &(potential, count)) in self.initial.iter().enumerate() {
            self.potential[neuron] = potential;
            self.count[neuron] = count;
        }
        self.last_step.fill(0);
        self.current.fill(0.0);
    }

    /// The potential after the silent steps up to `step`; exact, see [`super::exact`].
    fn at_step(&self, neuron: usize, step: u64) -> f64 {
        let silent = step.saturating_sub(self.last_step[neuron]);
        self.potential[neuron] + silent as f64 * self.current[neuron]
    }

    fn advance(&mut self, neuron: usize, time: Time) {
        let step = self.grid.step_at(time);
        self.potential[neuron] = self.at_step(neuron, step);
        self.last_step[neuron] = step;
    }

    /// Adds `input` at the step of the neuron's last event; gives the payload, 0 for no spike.
    fn add(&mut self, neuron: usize, input: f64) -> i32 {
        let answer = &self.answers[neuron];
        let potential = self.potential[neuron] + input;
        let payload = answer.payload(potential, self.count[neuron], self.last_step[neuron]);
        self.potential[neuron] = potential - answer.threshold * f64::from(payload);
        self.count[neuron] += f64::from(payload);
        payload
    }
}

impl EventNeurons for State {
    fn receive(
        &mut self,
        neuron: usize,
        time: Time,
        inputs: &[f64],
        _crossing: bool,
    ) -> Option<i32> {
        self.advance(neuron, time);
        Some(self.add(neuron, inputs[0])).filter(|&payload| payload != 0)
    }

    fn set_current(&mut self, neuron: usize, time: Time, current: f64) {
        self.advance(neuron, time);
        self.current[neuron] = current;
    }

    fn next_spike(&self, neuron: usize) -> Option<Time> {
        let step = self.last_step[neuron];
        let (potential, count) = (self.potential[neuron], self.count[neuron]);
        let silent =
            self.answers[neuron].silent_steps(potential, count, self.current[neuron], step)?;
        Some(self.grid.time_of(step.saturating_add(silent)))
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        visitor.reals(&mut self.potential.iter_mut());
        visitor.reals(&mut self.count.iter_mut());
        visitor.steps(&mut self.last_step.iter_mut());
        visitor.reals(&mut self.current.iter_mut());
    }

    fn variable(&self, index: usize, neuron: usize, time: Time) -> f64 {
        if index == 0 { self.at_step(neuron, self.grid.step_at(time)) } else { self.count[neuron] }
    }

    fn reset(&mut self) {
        self.restart();
    }

    fn bytes(&self) -> u64 {
        let state = bytes_of(&self.potential) + bytes_of(&self.count) + bytes_of(&self.current);
        bytes_of(&self.answers) + state + bytes_of(&self.initial) + bytes_of(&self.last_step)
    }
}
