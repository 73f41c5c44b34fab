//! The neurons advanced together, step by step, in vector code.
//!
//! Columns are padded to whole chunks. A chunk in which every potential lies between −tolerance and the
//! threshold is only added to; in any other, all lanes are answered at once, without a branch.

use super::Answer;
use super::answer::NO_LIMIT;
use crate::neuron::fired::{Flags, TOGETHER, for_each_bit, mask};
use crate::neuron::model::{ClockNeurons, Drive, Emitted, StateVisitor, bytes_of};
use kernels::Loop;

/// A parameter: one number for all, or one a neuron and padding.
struct Parameter(Vec<f64>);

impl Parameter {
    /// The values of all neurons; padded with the last.
    fn new(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        let first = values.first().copied().unwrap_or(0.0);
        if values.iter().all(|&value| value == first) {
            return Parameter(vec![first]);
        }
        let last = values.last().copied().unwrap_or(first);
        values.resize(values.len().next_multiple_of(TOGETHER), last);
        Parameter(values)
    }

    fn is_one(&self) -> bool {
        self.0.len() == 1
    }

    /// The values of a chunk: with `EACH` from the column, else all the same.
    #[inline(always)]
    fn chunk<const EACH: bool>(&self, chunk: usize) -> [f64; TOGETHER] {
        let one = [self.0[0]; TOGETHER];
        match self.0.as_chunks::<TOGETHER>().0.get(chunk) {
            Some(values) if EACH => *values,
            _ => one,
        }
    }
}

/// Neurons that are all at the same step.
pub(super) struct ClockState {
    size: usize,
    threshold: Parameter,
    burst: Parameter,
    correction: Parameter,
    tolerance: Parameter,
    largest_rate: Parameter,
    onset: Parameter,
    /// u − θ m, with padding.
    potential: Vec<f64>,
    /// m, with padding.
    count: Vec<f64>,
    initial: Vec<(f64, f64)>,
    step: u64,
}

impl ClockState {
    /// Neurons with these answers and initial potentials and counts.
    pub(super) fn new(answers: &[Answer], initial: &[(f64, f64)]) -> Self {
        let column = |of: fn(&Answer) -> f64| Parameter::new(answers.iter().map(of));
        let padded = answers.len().next_multiple_of(TOGETHER);
        let mut state = ClockState {
            size: answers.len(),
            threshold: column(|answer| answer.threshold),
            burst: column(|answer| answer.burst),
            correction: column(|answer| answer.correction),
            tolerance: column(|answer| answer.tolerance),
            largest_rate: column(|answer| answer.largest_rate),
            onset: column(|answer| answer.onset as f64),
            potential: vec![0.0; padded],
            count: vec![0.0; padded],
            initial: initial.to_vec(),
            step: 0,
        };
        ClockNeurons::reset(&mut state);
        state
    }

    /// Whether no limit holds net counts back.
    fn is_unlimited(&self) -> bool {
        self.largest_rate.0.iter().all(|&rate| rate >= NO_LIMIT)
    }
}

/// One step of all neurons. With `EACH` parameters differ from neuron to neuron, with `LIMITED` net
/// counts are held back.
struct Advance<'a, const EACH: bool, const LIMITED: bool> {
    state: &'a mut ClockState,
    input: &'a [f64],
    current: &'a [f64],
    spikes: &'a mut Emitted,
}

impl<const EACH: bool, const LIMITED: bool> Loop for Advance<'_, EACH, LIMITED> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Advance { state, input, current, spikes } = self;
        let (inputs, last_input) = input.as_chunks::<TOGETHER>();
        let (currents, last_current) = current.as_chunks::<TOGETHER>();
        for (chunk, (input, current)) in inputs.iter().zip(currents).enumerate() {
            advance::<EACH, LIMITED>(state, chunk, input, current, spikes);
        }
        if !last_input.is_empty() {
            let (mut input, mut current) = ([0.0; TOGETHER], [0.0; TOGETHER]);
            input[..last_input.len()].copy_from_slice(last_input);
            current[..last_current.len()].copy_from_slice(last_current);
            advance::<EACH, LIMITED>(state, inputs.len(), &input, &current, spikes);
        }
    }
}

/// One step of a chunk.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "lanes of several arrays make vector code")]
fn advance<const EACH: bool, const LIMITED: bool>(
    state: &mut ClockState,
    chunk: usize,
    input: &[f64; TOGETHER],
    current: &[f64; TOGETHER],
    spikes: &mut Emitted,
) {
    let potentials = state.potential.as_chunks_mut::<TOGETHER>().0.get_mut(chunk);
    let counts = state.count.as_chunks_mut::<TOGETHER>().0.get_mut(chunk);
    let (Some(potential), Some(count)) = (potentials, counts) else { return };
    let threshold = state.threshold.chunk::<EACH>(chunk);
    let tolerance = state.tolerance.chunk::<EACH>(chunk);
    let mut loud = 0_u64;
    for lane in 0..TOGETHER {
        let reached = potential[lane] + (input[lane] + current[lane]);
        potential[lane] = reached;
        loud |= u64::from(reached >= threshold[lane]) | u64::from(reached < -tolerance[lane]);
    }
    if loud == 0 {
        return;
    }
    let (burst, correction) =
        (state.burst.chunk::<EACH>(chunk), state.correction.chunk::<EACH>(chunk));
    let most = match LIMITED {
        true => {
            let rates = state.largest_rate.chunk::<EACH>(chunk);
            largest_counts(&rates, &state.onset.chunk::<EACH>(chunk), state.step as f64)
        }
        false => [f64::INFINITY; TOGETHER],
    };
    let mut numbers = [0.0; TOGETHER];
    let mut fired: Flags = [0; TOGETHER];
    for lane in 0..TOGETHER {
        let (v, theta, sent) = (potential[lane], threshold[lane], count[lane]);
        let whole = (v / theta).floor();
        let room = larger(most[lane] - sent, 0.0);
        let more = smaller(smaller(whole, burst[lane]), room);
        let fewer = larger(larger(whole, -correction[lane]), -larger(sent, 0.0));
        let below = if v < -tolerance[lane] { fewer } else { 0.0 };
        let number = if v >= theta { more } else { below };
        potential[lane] = v - theta * number;
        count[lane] = sent + number;
        numbers[lane] = number;
        fired[lane] = u8::from(number != 0.0);
    }
    let first = (chunk * TOGETHER) as u32;
    // Few spike: whole numbers are made of these only.
    for_each_bit(mask(&fired), |lane| {
        spikes.push_graded(first + lane as u32, numbers[lane] as i32);
    });
}

/// The largest net counts of a chunk up to and including this step, as
/// [`Answer`](super::Answer) has them.
#[inline(always)]
fn largest_counts(rates: &[f64; TOGETHER], onsets: &[f64; TOGETHER], step: f64) -> [f64; TOGETHER] {
    std::array::from_fn(|lane| {
        let most = (rates[lane] * larger(step - onsets[lane], 0.0)).floor();
        if rates[lane] >= NO_LIMIT { f64::INFINITY } else { most }
    })
}

/// The smaller of two numbers, as one instruction.
#[inline(always)]
fn smaller(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}

/// The larger of two numbers, as one instruction.
#[inline(always)]
fn larger(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

impl ClockNeurons for ClockState {
    fn step(&mut self, drive: Drive<'_>, spikes: &mut Emitted) {
        self.step += 1;
        let parameters = [&self.threshold, &self.tolerance, &self.burst, &self.correction];
        let each = !parameters.into_iter().all(Parameter::is_one)
            || !self.largest_rate.is_one()
            || !self.onset.is_one();
        let (limited, set) = (!self.is_unlimited(), drive.instructions);
        let (state, input, current) = (self, &*drive.inputs[0], drive.current);
        match (each, limited) {
            (false, false) => set.run(Advance::<false, false> { state, input, current, spikes }),
            (false, true) => set.run(Advance::<false, true> { state, input, current, spikes }),
            (true, false) => set.run(Advance::<true, false> { state, input, current, spikes }),
            (true, true) => set.run(Advance::<true, true> { state, input, current, spikes }),
        }
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        // The columns of the same neurons in the event-driven engine; here all are at one step, and
        // currents are not theirs to keep.
        let mut steps = vec![self.step; self.size];
        visitor.reals(&mut self.potential[..self.size].iter_mut());
        visitor.reals(&mut self.count[..self.size].iter_mut());
        visitor.steps(&mut steps.iter_mut());
        visitor.reals(&mut vec![0.0; self.size].iter_mut());
        self.step = steps.first().copied().unwrap_or(self.step);
    }

    fn variable(&self, index: usize) -> Vec<f64> {
        let column = if index == 0 { &self.potential } else { &self.count };
        column[..self.size].to_vec()
    }

    fn reset(&mut self) {
        for (neuron, &(potential, count)) in self.initial.iter().enumerate() {
            self.potential[neuron] = potential;
            self.count[neuron] = count;
        }
        self.step = 0;
    }

    fn bytes(&self) -> u64 {
        let parameters = [
            &self.threshold,
            &self.burst,
            &self.correction,
            &self.tolerance,
            &self.largest_rate,
            &self.onset,
        ];
        let parameters: u64 = parameters.into_iter().map(|values| bytes_of(&values.0)).sum();
        let state = bytes_of(&self.potential) + bytes_of(&self.count);
        parameters + state + bytes_of(&self.initial)
    }
}
