//! Stepwise leaky integrate-and-fire neuron: what frameworks of deep learning compute in a step.
//!
//! # Equations
//! At the end of every step i ← α i + w (Σ w_s + I), then v ← β v + λ + g i: the weights w_s that
//! arrive and the constant current I reach the potential in the same step, through a current that
//! lasts where α is above 0.
//!
//! # Spike and reset
//! v ≥ θ or v > θ, as stated; v is then set to a value or loses ρ θ, at once or (`reset_delay`) behind
//! the decay and the input of the next step. i goes on. With `held`, a potential that is still above θ
//! behind its reset needs 2 θ for a spike in the next step.
//!
//! # Parameters
//! | name | default | unit | symbol | range |
//! |---|---|---|---|---|
//! | `current_kept` | 0 | – | α | 0 to 1 |
//! | `input_gain` | 1 | – | w | any |
//! | `potential_kept` | 0.9 | – | β | 0 to 1 |
//! | `leak` | 0 | – | λ | any |
//! | `gain` | 1 | – | g | any |
//! | `onset` | 0 | – | | whole, 0 or above: steps at the beginning in which nothing happens |
//! | `threshold` | 1 | – | θ | any |
//! | `subtracted` | 1 | – | ρ | 0 or above; 0: no reset, where the threshold is subtracted |
//! | `reset_delay` | 0 | – | | 0 or 1 step |
//! | `held` | 0 | – | | 0 or 1 |
//!
//! # State
//! `membrane_potential` v and `synaptic_current` i, both initially 0.
//!
//! # Numerics
//! The equations as they stand, in 64-bit floats. With α = exp(−dt/τ_s), β = exp(−dt/τ) and
//! λ = (1 − β) E they are a leaky membrane with a synaptic current over a step of dt; with
//! α = 1 − dt/τ_s and β = 1 − dt/τ the same by Euler's method. A factor of 0 keeps nothing, one of 1
//! keeps everything.
//!
//! # Engines
//! Clock-driven.
//!
//! # References
//! Pedersen et al. 2024, Nat. Commun. 15:8122 (LIF and CubaLIF of NIR); Eshraghian et al. 2023, Proc.
//! IEEE 111:1016 (the neurons of snnTorch).

use super::model::{
    ClockNeurons, Column, Combine, Drive, Emitted, EventNeurons, LoweredNeurons, LoweredReset,
    ModelSpec, ModelTime, NeuronModel, ParameterSpec, Range, ReceptorSpec, StateVisitor,
    VariableSpec, bytes_of,
};
use crate::network::SpikeCondition;
use crate::units::Dimension::Number;

/// The model.
pub struct Model;

pub(super) const fn number(
    name: &'static str,
    symbol: &'static str,
    default: f64,
    range: Range,
    meaning: &'static str,
) -> ParameterSpec {
    ParameterSpec { name, symbol, dimension: Number, default, range, meaning }
}

/// Parameters of the membrane; what it shares with the model that never spikes.
pub(super) const CURRENT_KEPT: ParameterSpec =
    number("current_kept", "α", 0.0, Range::NonNegative, "part of the current that a step keeps");
pub(super) const INPUT_GAIN: ParameterSpec =
    number("input_gain", "w", 1.0, Range::Any, "what input to the current is multiplied by");
pub(super) const POTENTIAL_KEPT: ParameterSpec = number(
    "potential_kept",
    "β",
    0.9,
    Range::NonNegative,
    "part of the potential that a step keeps",
);
pub(super) const LEAK: ParameterSpec =
    number("leak", "λ", 0.0, Range::Any, "what a step adds to the potential");
pub(super) const GAIN: ParameterSpec =
    number("gain", "g", 1.0, Range::Any, "what a current of 1 adds to the potential in a step");

pub(super) const ONSET: ParameterSpec = number(
    "onset",
    "",
    0.0,
    Range::NonNegative,
    "steps at the beginning in which nothing happens, a whole number",
);

pub(super) const RECEPTORS: &[ReceptorSpec] = &[ReceptorSpec {
    name: "input",
    weight: Number,
    combine: Combine::Sum,
    meaning: "what is added to the current, before `input_gain`",
}];

pub(super) const VARIABLES: &[VariableSpec] = &[
    VariableSpec {
        name: "membrane_potential",
        dimension: Number,
        initial: Some(0.0),
        meaning: "potential v",
    },
    VariableSpec {
        name: "synaptic_current",
        dimension: Number,
        initial: Some(0.0),
        meaning: "current i",
    },
];

pub(super) const REFERENCE: &str = "Pedersen et al. 2024, Nat. Commun. 15:8122";

static SPEC: ModelSpec = ModelSpec {
    name: "lif_stepwise",
    summary: "stepwise leaky integrate-and-fire with a synaptic current (NIR's LIF and CubaLIF)",
    time: ModelTime::Stepwise,
    parameters: &[
        CURRENT_KEPT,
        INPUT_GAIN,
        POTENTIAL_KEPT,
        LEAK,
        GAIN,
        ONSET,
        number("threshold", "θ", 1.0, Range::Any, "potential at which the neuron spikes"),
        number("subtracted", "ρ", 1.0, Range::NonNegative, "thresholds that a reset subtracts"),
        number("reset_delay", "", 0.0, Range::NonNegative, "steps from spike to reset, 0 or 1"),
        number(
            "held",
            "",
            0.0,
            Range::NonNegative,
            "1: above θ behind its reset, the potential needs 2 θ for the next step's spike",
        ),
    ],
    receptors: RECEPTORS,
    variables: VARIABLES,
    current: Some(Number),
    spikes: true,
    subtracting_reset: true,
    graded: false,
    refractory_input: &[],
    reference: REFERENCE,
};

/// Why the event-driven engine has no such neurons.
pub(super) const NO_EVENTS: &str =
    "its potential decays from step to step; choose the engine `clock`, which goes step by step";

/// Factors of decay above 1, which would let a membrane grow by itself, and parts of steps.
pub(super) fn problems(neurons: &LoweredNeurons) -> Vec<(&'static str, String)> {
    let mut problems = Vec::new();
    let numbers = |index: usize| neurons.parameters.get(index).map(Column::numbers);
    for (index, name) in [(0, CURRENT_KEPT.name), (2, POTENTIAL_KEPT.name)] {
        let numbers = numbers(index).unwrap_or_default();
        if let Some(kept) = numbers.iter().find(|kept| **kept > 1.0) {
            let problem = format!("{kept} is above 1: it would grow by itself; allowed is 0 to 1");
            problems.push((name, problem));
        }
    }
    let allowed = |steps: &f64| steps.fract() == 0.0 && *steps <= f64::from(u32::MAX);
    if let Some(steps) = numbers(5).unwrap_or_default().iter().find(|steps| !allowed(steps)) {
        let problem = format!("{steps} is no whole number of steps up to {}", u32::MAX);
        problems.push((ONSET.name, problem));
    }
    problems
}

impl NeuronModel for Model {
    fn spec(&self) -> &'static ModelSpec {
        &SPEC
    }

    fn check(&self, neurons: &LoweredNeurons) -> Vec<(&'static str, String)> {
        let mut problems = problems(neurons);
        for (index, name) in [(8, "reset_delay"), (9, "held")] {
            let numbers = neurons.parameters.get(index).map(Column::numbers).unwrap_or_default();
            if let Some(other) = numbers.iter().find(|number| ![0.0, 1.0].contains(*number)) {
                problems.push((name, format!("{other} is neither 0 nor 1")));
            }
        }
        problems
    }

    fn clock(&self, neurons: &LoweredNeurons) -> Option<Box<dyn ClockNeurons>> {
        let given = |index: usize, neuron: usize| {
            neurons.parameters.get(index).map_or(0.0, |column| column.get(neuron))
        };
        let rule = |neuron: usize| Rule {
            threshold: given(6, neuron),
            taken: given(7, neuron) * given(6, neuron),
            late: given(8, neuron) != 0.0,
            held: given(9, neuron) != 0.0,
        };
        Some(Box::new(State {
            membrane: Membrane::new(neurons),
            rules: (0..neurons.size).map(rule).collect(),
            pending: vec![0; neurons.size],
            spike: neurons.spike,
            reset: neurons.reset.clone(),
        }))
    }

    fn event(&self, _: &LoweredNeurons) -> Result<Option<Box<dyn EventNeurons>>, String> {
        Err(NO_EVENTS.to_string())
    }
}

/// One neuron's constants and state.
#[derive(Debug, Clone, Copy)]
struct Cell {
    current_kept: f64,
    input_gain: f64,
    potential_kept: f64,
    leak: f64,
    gain: f64,
    current: f64,
    potential: f64,
    /// Steps in which nothing happens yet.
    waits: u32,
}

/// Currents and potentials of the neurons of a part.
pub(super) struct Membrane {
    cells: Vec<Cell>,
    /// Each as it is in the beginning.
    initial: Vec<Cell>,
}

impl Membrane {
    /// Bytes on the heap.
    pub(super) fn bytes(&self) -> u64 {
        bytes_of(&self.cells) + bytes_of(&self.initial)
    }

    pub(super) fn new(neurons: &LoweredNeurons) -> Self {
        let given = |columns: &[Column], index: usize, neuron: usize| {
            columns.get(index).map_or(0.0, |column| column.get(neuron))
        };
        let start = |variable: usize, neuron: usize| {
            let column = neurons.initial.get(variable).and_then(Option::as_ref);
            column.map_or(0.0, |column| column.get(neuron))
        };
        let cell = |neuron: usize| {
            let own = |index| given(&neurons.parameters, index, neuron);
            Cell {
                current_kept: own(0),
                input_gain: own(1),
                potential_kept: own(2),
                leak: own(3),
                gain: own(4),
                potential: start(0, neuron),
                current: start(1, neuron),
                waits: own(5) as u32,
            }
        };
        let cells: Vec<Cell> = (0..neurons.size).map(cell).collect();
        Self { initial: cells.clone(), cells }
    }

    /// One step of all neurons; `emit` is given each one's number and potential, and gives what
    /// remains of it.
    pub(super) fn step(&mut self, drive: Drive<'_>, mut emit: impl FnMut(usize, f64) -> f64) {
        let Some(inputs) = drive.inputs.first() else { return };
        let drives = inputs.iter().zip(drive.current);
        for (neuron, (cell, (input, constant))) in self.cells.iter_mut().zip(drives).enumerate() {
            if cell.waits > 0 {
                cell.waits -= 1;
                continue;
            }
            cell.current = cell.current_kept * cell.current + cell.input_gain * (input + constant);
            let reached =
                cell.potential_kept * cell.potential + cell.leak + cell.gain * cell.current;
            cell.potential = emit(neuron, reached);
        }
    }

    pub(super) fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        visitor.reals(&mut self.cells.iter_mut().map(|cell| &mut cell.potential));
        visitor.reals(&mut self.cells.iter_mut().map(|cell| &mut cell.current));
        visitor.counts(&mut self.cells.iter_mut().map(|cell| &mut cell.waits));
    }

    pub(super) fn variable(&self, index: usize) -> Vec<f64> {
        let value = |cell: &Cell| if index == 0 { cell.potential } else { cell.current };
        self.cells.iter().map(value).collect()
    }

    pub(super) fn reset(&mut self) {
        self.cells.clone_from(&self.initial);
    }
}

/// What decides on one neuron's spikes and resets.
#[derive(Debug, Clone, Copy)]
struct Rule {
    threshold: f64,
    /// What a reset by subtraction takes.
    taken: f64,
    /// Whether a reset waits for the next step.
    late: bool,
    held: bool,
}

/// Membranes and what decides on spikes.
struct State {
    membrane: Membrane,
    rules: Vec<Rule>,
    /// 1 where a reset waits, or a potential is held.
    pending: Vec<u32>,
    spike: SpikeCondition,
    reset: LoweredReset,
}

impl ClockNeurons for State {
    fn step(&mut self, drive: Drive<'_>, spikes: &mut Emitted) {
        let State { membrane, rules, pending, spike, reset } = self;
        let passes = |potential: f64, theta: f64| match spike {
            SpikeCondition::AtOrAbove => potential >= theta,
            SpikeCondition::Above => potential > theta,
        };
        membrane.step(drive, |neuron, reached| {
            let Rule { threshold, taken, late, held } = rules[neuron];
            let waited = std::mem::take(&mut pending[neuron]) != 0;
            let behind = |potential: f64| reset.value(neuron).unwrap_or(potential - taken);
            let potential = if waited && late { behind(reached) } else { reached };
            let needed = if waited && held { 2.0 * threshold } else { threshold };
            let spiked = passes(potential, needed);
            if spiked {
                spikes.push(neuron as u32);
            }
            let left = if spiked && !late { behind(potential) } else { potential };
            pending[neuron] = u32::from((late && spiked) || (held && passes(left, threshold)));
            left
        });
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        self.membrane.visit_state(visitor);
        visitor.counts(&mut self.pending.iter_mut());
    }

    fn variable(&self, index: usize) -> Vec<f64> {
        self.membrane.variable(index)
    }

    fn reset(&mut self) {
        self.membrane.reset();
        self.pending.fill(0);
    }

    fn bytes(&self) -> u64 {
        let own = bytes_of(&self.rules) + bytes_of(&self.pending);
        self.membrane.bytes() + own + self.reset.bytes()
    }
}
