//! Learning synapses: Lava's `LearningDense` and `LearningSparse` with the rules of
//! [`LearningRule`].
//!
//! Time is cut into epochs of `t_epoch` steps. Within one, only the last spike of every neuron is
//! remembered; an earlier one adds its impulse to the traces at once. In the epoch's last step
//! ```text
//! for each step s of the epoch:  trace = decay(trace, tau) (0 where tau is 0);
//!                                trace += impulse where the remembered spike was in s
//! w, d, t += the rule's products, all of them from the old values, traces read in the step that
//!            the product's condition names
//! ```
//! Traces have 7 bits, weights and tags 9 with sign. Where a number has a fraction it is rounded up
//! by chance; the streams are numpy's, seeded as Lava seeds them: decay and impulse of the x traces
//! with `rng_seed` and `rng_seed + 1`, those of the y traces with `+ 2` and `+ 3`, weights and tags
//! always with 2. One draw serves all neurons.
//!
//! Reference: lava-nc 0.10.0 `PyLearningConnection`, models tagged `bit_approximate_loihi` and
//! `floating_pt`.

use crate::quantise::network::{GradedTrace, LearningRule, SignMode};

use super::overflow::{OverflowCounter, OverflowKind};

pub(crate) mod arithmetic;
pub(crate) mod connection;
pub mod numpy_random;
pub mod rule;

use arithmetic::{Arithmetic, Side};
use rule::{Condition, RuleError, SumOfProducts, Variable};

/// Steps of an epoch at most; the chip holds 64.
const EPOCH_LIMIT: u32 = 1 << 12;
/// Trace values of one epoch at most, of all neurons.
const HISTORY_LIMIT: u64 = 1 << 26;

/// Why a learning rule cannot be computed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LearningError {
    /// The text of a rule.
    #[error("learning rule {target} = \"{text}\": {problem}")]
    Rule {
        /// `dw`, `dd` or `dt`.
        target: &'static str,
        /// The text.
        text: String,
        /// What is wrong.
        problem: RuleError,
    },
    /// No rule is given.
    #[error("has no learning rule; give at least one of dw, dd and dt")]
    None,
    /// Rules with different decimations.
    #[error("its rules decimate by u{first} and u{second}; a projection has one u<k>")]
    Decimation {
        /// First k.
        first: u32,
        /// Another k.
        second: u32,
    },
    /// A number that Lava refuses, or that takes too much memory.
    #[error("{what} is {got}; it must be {allowed}")]
    Number {
        /// Which number.
        what: &'static str,
        /// What it is.
        got: f64,
        /// What it may be.
        allowed: &'static str,
    },
    /// Learning in convolutions.
    #[error("convolutions do not learn; Lava has LearningDense and LearningSparse")]
    Convolution,
    /// A population that gives a factor to the targets.
    #[error(
        "'{what}' is population {index}, which must have as many neurons as the target ({targets})"
    )]
    Factor {
        /// `post` or a y trace.
        what: &'static str,
        /// Index given.
        index: usize,
        /// Neurons of the target.
        targets: usize,
    },
}

/// A rule after reading: products of every variable that learns.
#[derive(Debug, Clone)]
pub(crate) struct LearningProgram {
    /// Impulses and decays of x1, x2.
    x: [(f64, f64); 2],
    /// Impulses and decays of y1, y2, y3.
    y: [(f64, f64); 3],
    epoch: u32,
    seed: u64,
    graded: GradedTrace,
    /// Whether the y traces come from outside.
    third_factor: bool,
    decimation: Option<u32>,
    /// Rules of the weight, the second tag and the first.
    rules: [Option<SumOfProducts>; 3],
}

/// The time constant that Lava gives traces that the neurons own.
const FOREIGN_TAU: f64 = 65535.0;

impl LearningProgram {
    /// Reads a rule for a projection of `sources` to `targets` neurons.
    ///
    /// # Errors
    /// [`LearningError`] for the first problem.
    pub fn new(rule: &LearningRule, sources: usize, targets: usize) -> Result<Self, LearningError> {
        let read = |target: &'static str, text: &Option<String>| {
            let parse = |text: &String| {
                SumOfProducts::parse(text).map_err(|problem| LearningError::Rule {
                    target,
                    text: text.clone(),
                    problem,
                })
            };
            text.as_ref().map(parse).transpose()
        };
        let rules = [read("dw", &rule.dw)?, read("dd", &rule.dd)?, read("dt", &rule.dt)?];
        let mut decimation = None;
        for rule in rules.iter().flatten() {
            if let (Some(first), Some(second)) = (decimation, rule.decimation)
                && first != second
            {
                return Err(LearningError::Decimation { first, second });
            }
            decimation = decimation.or(rule.decimation);
        }
        if rules.iter().all(Option::is_none) {
            return Err(LearningError::None);
        }
        check_numbers(rule, sources, targets)?;
        let third_factor = rule.third_factor.is_some();
        let y = [&rule.y1, &rule.y2, &rule.y3].map(|trace| match third_factor {
            true => (0.0, FOREIGN_TAU),
            false => (trace.impulse, trace.tau),
        });
        let mut x = [&rule.x1, &rule.x2].map(|trace| (trace.impulse, trace.tau));
        if rule.graded != GradedTrace::RegularImpulse {
            // The payload takes the impulse's place.
            x[0].0 = 0.0;
        }
        Ok(Self {
            x,
            y,
            epoch: rule.t_epoch,
            seed: rule.rng_seed,
            graded: rule.graded,
            third_factor,
            decimation,
            rules,
        })
    }
}

fn check_numbers(rule: &LearningRule, sources: usize, targets: usize) -> Result<(), LearningError> {
    let number = |what, got, allowed| Err(LearningError::Number { what, got, allowed });
    for trace in [&rule.x1, &rule.x2, &rule.y1, &rule.y2, &rule.y3] {
        if !(0.0..=1e6).contains(&trace.impulse) {
            return number("an impulse", trace.impulse, "0 to 1000000");
        }
        if !(0.0..=1e9).contains(&trace.tau) {
            return number("a trace's tau", trace.tau, "0 to 1e9 steps");
        }
    }
    if !(1..=EPOCH_LIMIT).contains(&rule.t_epoch) {
        return number("t_epoch", f64::from(rule.t_epoch), "1 to 4096 steps");
    }
    if rule.rng_seed > u64::MAX - 3 {
        return number("rng_seed", rule.rng_seed as f64, "below 2^64 - 3");
    }
    let values = (2 * sources as u64 + 3 * targets as u64) * (u64::from(rule.t_epoch) + 1);
    if values > HISTORY_LIMIT {
        let allowed = "at most 67108864 (neurons times steps of an epoch)";
        return number("the traces of an epoch", values as f64, allowed);
    }
    Ok(())
}

/// One synapse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Target neuron.
    pub target: u32,
    /// Source neuron.
    pub source: u32,
}

/// Traces, tags and weights of a learning projection.
#[derive(Debug, Clone)]
pub(crate) struct LearningState<A: Arithmetic> {
    /// Weights, second tags and first tags of every synapse.
    pub variables: [Vec<A::Value>; 3],
    /// Traces x1, x2 of the sources.
    pub x: [Vec<A::Value>; 2],
    /// Traces y1, y2, y3 of the targets.
    pub y: [Vec<A::Value>; 3],
    /// Step within the epoch of the last spike, 0 for none.
    source_spikes: Vec<u32>,
    target_spikes: Vec<u32>,
    arithmetic: A,
}

/// What reached a learning projection in one step.
#[derive(Debug)]
pub(crate) struct StepSignals<'a, V> {
    /// Payloads of the sources' spikes, 0 for none `[sources]`.
    pub sources: &'a [i32],
    /// Whether each target spiked `[targets]`.
    pub targets: &'a [bool],
    /// y1, y2, y3 of the targets, where they come from outside.
    pub third: Option<&'a [Vec<V>; 3]>,
}

impl<A: Arithmetic> LearningState<A> {
    /// Traces and tags of zero, and the given weights.
    pub fn new(
        program: &LearningProgram,
        weights: Vec<A::Value>,
        sources: usize,
        targets: usize,
    ) -> Self {
        let none = A::Value::default();
        let tags = vec![none; weights.len()];
        Self {
            variables: [weights, tags.clone(), tags],
            x: std::array::from_fn(|_| vec![none; sources]),
            y: std::array::from_fn(|_| vec![none; targets]),
            source_spikes: vec![0; sources],
            target_spikes: vec![0; targets],
            arithmetic: A::new(program.seed),
        }
    }

    /// One step, after the spikes of step `time` (from 1) have been sent on.
    pub fn step(
        &mut self,
        program: &LearningProgram,
        places: &[Place],
        sign_mode: SignMode,
        time: u64,
        signals: &StepSignals<'_, A::Value>,
        overflows: &mut OverflowCounter,
    ) {
        let epoch = u64::from(program.epoch);
        let within = match (time % epoch) as u32 {
            0 => program.epoch,
            within => within,
        };
        let mut clipped = |kind, neuron| overflows.record(kind, time, neuron);
        self.receive_sources(program, within, signals.sources, &mut clipped);
        self.arithmetic.advance_traces();
        self.receive_targets(program, within, signals.targets, &mut clipped);
        if let Some(third) = signals.third {
            for (trace, given) in self.y.iter_mut().zip(third) {
                trace.clone_from(given);
            }
        }
        self.arithmetic.advance_traces();
        if time.is_multiple_of(epoch) {
            let decimated =
                program.decimation.is_some_and(|k| (time / epoch).is_multiple_of(1 << k));
            self.learn(program, places, sign_mode, decimated, &mut clipped);
        }
    }

    fn receive_sources(
        &mut self,
        program: &LearningProgram,
        within: u32,
        payloads: &[i32],
        clipped: &mut impl FnMut(OverflowKind, usize),
    ) {
        let Self { x: [x1, x2], source_spikes, arithmetic, .. } = self;
        let spikes = payloads.iter().zip(x1.iter_mut().zip(x2).zip(source_spikes));
        for (source, (&payload, ((x1, x2), last))) in spikes.enumerate() {
            let mut add = |trace: &mut A::Value, impulse: f64| {
                let clip;
                (*trace, clip) = arithmetic.impulse_now(*trace, impulse);
                if clip {
                    clipped(OverflowKind::SourceTrace, source);
                }
            };
            let mut counts = true;
            match program.graded {
                // Lava carries x1 over in silent steps, too.
                mode @ GradedTrace::AddWithoutSaturation if payload == 0 => {
                    *x1 = arithmetic.graded(*x1, payload, mode).0;
                }
                _ if payload == 0 => {}
                GradedTrace::RegularImpulse if *last > 0 => add(x1, program.x[0].0),
                GradedTrace::RegularImpulse => {}
                other => (*x1, counts) = arithmetic.graded(*x1, payload, other),
            }
            if payload == 0 {
                continue;
            }
            if *last > 0 && counts {
                add(x2, program.x[1].0);
            }
            if counts {
                *last = within;
            }
        }
    }

    fn receive_targets(
        &mut self,
        program: &LearningProgram,
        within: u32,
        spiked: &[bool],
        clipped: &mut impl FnMut(OverflowKind, usize),
    ) {
        for (target, last) in self.target_spikes.iter_mut().enumerate() {
            if !spiked.get(target).copied().unwrap_or_default() {
                continue;
            }
            if *last > 0 {
                for (trace, (impulse, _)) in self.y.iter_mut().zip(program.y) {
                    if let Some(value) = trace.get_mut(target) {
                        let clip;
                        (*value, clip) = self.arithmetic.impulse(Side::Target, *value, impulse);
                        if clip {
                            clipped(OverflowKind::TargetTrace, target);
                        }
                    }
                }
            }
            *last = within;
        }
    }

    fn learn(
        &mut self,
        program: &LearningProgram,
        places: &[Place],
        sign_mode: SignMode,
        decimated: bool,
        clipped: &mut impl FnMut(OverflowKind, usize),
    ) {
        self.arithmetic.advance_synapses();
        let steps = program.epoch as usize;
        let (source_spikes, target_spikes) = (&self.source_spikes, &self.target_spikes);
        let arithmetic = &self.arithmetic;
        let mut history =
            |side, kind, traces: &[Vec<A::Value>], kernels: &[(f64, f64)], spikes: &[u32]| {
                let mut clip = |neuron| clipped(kind, neuron);
                let pairs = traces.iter().zip(kernels);
                let past = |(trace, kernel): (&Vec<A::Value>, _)| {
                    past(arithmetic, side, trace, kernel, (spikes, steps), &mut clip)
                };
                pairs.map(past).collect::<Vec<_>>()
            };
        let epoch = Epoch {
            x: history(Side::Source, OverflowKind::SourceTrace, &self.x, &program.x, source_spikes),
            y: history(Side::Target, OverflowKind::TargetTrace, &self.y, &program.y, target_spikes),
            source_spikes,
            target_spikes,
            decimated,
        };
        let mut learned = self.variables.clone();
        for (index, place) in places.iter().enumerate() {
            let synapse = Synapse {
                epoch: &epoch,
                place: *place,
                variables: self.variables.each_ref().map(|values| value(values, index)),
            };
            for (slot, (rule, kind)) in learned.iter_mut().zip(program.rules.iter().zip(0..)) {
                if let (Some(rule), Some(new)) = (rule, slot.get_mut(index)) {
                    let clip;
                    (*new, clip) =
                        arithmetic.learn(kind, *new, sign_mode, &rule.products, &synapse);
                    if clip {
                        let kinds = [OverflowKind::Weight, OverflowKind::Tag2, OverflowKind::Tag1];
                        clipped(kinds[kind.min(2)], place.target as usize);
                    }
                }
            }
        }
        let last = |traces: &[Vec<Vec<A::Value>>], index: usize| {
            traces.get(index).and_then(|steps| steps.last()).cloned().unwrap_or_default()
        };
        let x = std::array::from_fn(|index| last(&epoch.x, index));
        let y = std::array::from_fn(|index| last(&epoch.y, index));
        self.x = x;
        if !program.third_factor {
            self.y = y;
        }
        self.variables = learned;
        self.source_spikes.fill(0);
        self.target_spikes.fill(0);
    }
}

fn value<V: Copy + Default>(values: &[V], index: usize) -> V {
    values.get(index).copied().unwrap_or_default()
}

/// A trace in every step of the epoch `[step][neuron]`; step 0 is before it.
fn past<A: Arithmetic>(
    arithmetic: &A,
    side: Side,
    before: &[A::Value],
    &(impulse, tau): &(f64, f64),
    (spikes, steps): (&[u32], usize),
    clipped: &mut impl FnMut(usize),
) -> Vec<Vec<A::Value>> {
    let mut rows = vec![before.to_vec()];
    for step in 1..=steps as u32 {
        let mut decayed = |(neuron, (&value, &spike)): (usize, (&A::Value, &u32))| {
            let value = arithmetic.decay(side, value, tau);
            if spike != step {
                return value;
            }
            let (value, clip) = arithmetic.impulse(side, value, impulse);
            if clip {
                clipped(neuron);
            }
            value
        };
        let row =
            rows.last().map(|row| row.iter().zip(spikes).enumerate().map(&mut decayed).collect());
        rows.push(row.unwrap_or_default());
    }
    rows
}

/// Traces and spikes of the epoch that ends.
#[derive(Debug)]
pub(crate) struct Epoch<'a, V> {
    /// `[trace][step][neuron]`.
    x: Vec<Vec<Vec<V>>>,
    y: Vec<Vec<Vec<V>>>,
    source_spikes: &'a [u32],
    target_spikes: &'a [u32],
    decimated: bool,
}

/// A synapse while it learns: its variables before, and its ends.
#[derive(Debug)]
pub(crate) struct Synapse<'a, V> {
    epoch: &'a Epoch<'a, V>,
    place: Place,
    variables: [V; 3],
}

/// A value that a product reads.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Read<V> {
    /// Whether an end spiked.
    Spiked(bool),
    /// A trace or a variable of the synapse.
    Value(V),
}

impl<V: Copy + Default> Synapse<'_, V> {
    fn source_step(&self) -> usize {
        value(self.epoch.source_spikes, self.place.source as usize) as usize
    }

    fn target_step(&self) -> usize {
        value(self.epoch.target_spikes, self.place.target as usize) as usize
    }

    /// Whether a condition holds.
    pub(crate) fn holds(&self, condition: Condition) -> bool {
        match condition {
            Condition::X0 => self.source_step() > 0,
            Condition::Y0 => self.target_step() > 0,
            Condition::U => self.epoch.decimated,
        }
    }

    /// A variable under a condition.
    pub(crate) fn read(&self, variable: Variable, condition: Condition) -> Read<V> {
        let trace = |traces: &[Vec<Vec<V>>], index: usize, neuron: u32| {
            let rows = traces.get(index).map(Vec::as_slice).unwrap_or_default();
            let step = match condition {
                Condition::X0 => self.source_step(),
                Condition::Y0 => self.target_step(),
                Condition::U => rows.len().saturating_sub(1),
            };
            Read::Value(rows.get(step).map(|row| value(row, neuron as usize)).unwrap_or_default())
        };
        match variable {
            Variable::X0 => Read::Spiked(self.source_step() > 0),
            Variable::Y0 => Read::Spiked(self.target_step() > 0),
            Variable::X(index) => trace(&self.epoch.x, index, self.place.source),
            Variable::Y(index) => trace(&self.epoch.y, index, self.place.target),
            Variable::W => Read::Value(self.variables[0]),
            Variable::D => Read::Value(self.variables[1]),
            Variable::T => Read::Value(self.variables[2]),
        }
    }
}
