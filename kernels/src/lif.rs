//! Leaky integrate-and-fire neurons with exact integration, in single precision.
//!
//! Potentials are relative to rest. Inputs are integers (sums of weights in units of a scale), so that
//! their order does not matter; reading them clears them.

use crate::instructions::compiled_for_each_set;
use crate::{LANES, Parameter, Vector, emit, select, vectors, whole};

/// Input of one receptor: integer sums, one a neuron, and what one unit is worth. No sums at all receptors: no input.
/// Sums at the first of two receptors alone: both are packed there, the first in the lower 16 bits, the second in
/// the upper.
#[derive(Debug)]
pub struct Input<'a> {
    /// Sums of weights; cleared.
    pub sums: &'a mut [i32],
    /// The value of one unit.
    pub scale: f32,
}

/// Parameters of neurons with delta currents: one number each for all, or one a neuron.
#[derive(Debug)]
pub struct DeltaColumns<'a> {
    /// What is left of the potential after a step.
    pub decay: &'a [f32],
    /// What the constant current adds in a step (mV).
    pub drive: &'a [f32],
    /// Threshold above rest (mV).
    pub threshold: &'a [f32],
    /// Reset above rest (mV).
    pub reset: &'a [f32],
    /// Refractory time in steps.
    pub refractory: &'a [f32],
    /// Whether there is one number a neuron.
    pub each: bool,
}

/// Advances neurons with delta currents by a step.
#[inline(always)]
fn delta_step(
    columns: &DeltaColumns<'_>,
    potential: &mut [f32],
    remaining: &mut [u16],
    input: Input<'_>,
    spikes: &mut Vec<u32>,
) {
    match (columns.each, input.sums.is_empty()) {
        (false, false) => delta_loop::<false, true>(columns, potential, remaining, input, spikes),
        (false, true) => delta_loop::<false, false>(columns, potential, remaining, input, spikes),
        (true, false) => delta_loop::<true, true>(columns, potential, remaining, input, spikes),
        (true, true) => delta_loop::<true, false>(columns, potential, remaining, input, spikes),
    }
}

#[inline(always)]
fn delta_loop<const EACH: bool, const INPUT: bool>(
    columns: &DeltaColumns<'_>,
    potential: &mut [f32],
    remaining: &mut [u16],
    input: Input<'_>,
    spikes: &mut Vec<u32>,
) {
    let count = potential.len() / LANES;
    let of = |column| Parameter::<EACH>::of(column, count);
    let firing = Firing {
        threshold: of(columns.threshold),
        reset: of(columns.reset),
        refractory: of(columns.refractory),
    };
    let (decay, drive, scale) = (of(columns.decay), of(columns.drive), input.scale);
    let (potential, remaining) = (vectors(potential, count), vectors(remaining, count));
    let sums = vectors(input.sums, if INPUT { count } else { 0 });
    for vector in 0..count {
        let before = potential[vector];
        let (decay, drive) = (decay.at(vector), drive.at(vector));
        let mut free = [0.0; LANES];
        for lane in 0..LANES {
            free[lane] = before[lane] * decay[lane] + drive[lane];
        }
        if INPUT {
            let input = std::mem::take(&mut sums[vector]);
            for lane in 0..LANES {
                free[lane] += input[lane] as f32 * scale;
            }
        }
        let (after, left, fired) = firing.decide(vector, before, free, remaining[vector]);
        potential[vector] = after;
        remaining[vector] = left;
        emit(&fired, vector, spikes);
    }
}

/// What decides on spikes.
pub(crate) struct Firing<'a, const EACH: bool> {
    pub(crate) threshold: Parameter<'a, EACH>,
    pub(crate) reset: Parameter<'a, EACH>,
    pub(crate) refractory: Parameter<'a, EACH>,
}

impl<const EACH: bool> Firing<'_, EACH> {
    /// New potentials and refractory steps that remain, and which lanes spike: `free` is where the
    /// potentials would go, `left` what remained.
    #[inline(always)]
    pub(crate) fn decide(
        &self,
        vector: usize,
        before: Vector<f32>,
        free: Vector<f32>,
        left: Vector<u16>,
    ) -> (Vector<f32>, Vector<u16>, Vector<u32>) {
        let (threshold, reset) = (self.threshold.at(vector), self.reset.at(vector));
        let refractory = self.refractory.at(vector);
        let (mut potential, mut remaining) = ([0.0; LANES], [0; LANES]);
        let mut fired = [0; LANES];
        for lane in 0..LANES {
            let after = select(left[lane] > 0, before[lane], free[lane]);
            let fires = after >= threshold[lane];
            potential[lane] = if fires { reset[lane] } else { after };
            let waited = left[lane].max(1) - 1;
            remaining[lane] = if fires { whole(refractory[lane]) } else { waited };
            fired[lane] = u32::from(fires);
        }
        (potential, remaining, fired)
    }
}

compiled_for_each_set! {
    /// Advances neurons with delta currents by a step and appends those that spike.
    ///
    /// All arrays have the same length, a multiple of [`LANES`]; parameters may have length 1.
    pub fn lif_delta = delta_step;
    (
        columns: &DeltaColumns<'_>,
        potential: &mut [f32],
        remaining: &mut [u16],
        input: Input<'_>,
        spikes: &mut Vec<u32>,
    )
}

/// Parameters of neurons with exponential currents: one number each for all, or one a neuron.
#[derive(Debug)]
pub struct ExponentialColumns<'a> {
    /// What is left of the potential after a step.
    pub decay: &'a [f32],
    /// What the constant current adds in a step (mV).
    pub drive: &'a [f32],
    /// What is left of the synaptic currents after a step.
    pub synapse_decay: [&'a [f32]; 2],
    /// What 1 pA of each synaptic current adds to the potential in a step (mV).
    pub propagator: [&'a [f32]; 2],
    /// Threshold above rest (mV).
    pub threshold: &'a [f32],
    /// Reset above rest (mV).
    pub reset: &'a [f32],
    /// Refractory time in steps.
    pub refractory: &'a [f32],
    /// Whether there is one number a neuron.
    pub each: bool,
}

/// State of neurons with exponential currents.
#[derive(Debug)]
pub struct ExponentialState<'a> {
    /// Potential above rest (mV).
    pub potential: &'a mut [f32],
    /// Synaptic currents (pA).
    pub synapse: [&'a mut [f32]; 2],
    /// Steps of the refractory time that remain.
    pub remaining: &'a mut [u16],
}

#[inline(always)]
fn exponential_step(
    columns: &ExponentialColumns<'_>,
    state: ExponentialState<'_>,
    inputs: [Input<'_>; 2],
    spikes: &mut Vec<u32>,
) {
    match (columns.each, sets(&inputs)) {
        (false, 0) => exponential_loop::<false, 0>(columns, state, inputs, spikes),
        (false, 1) => exponential_loop::<false, 1>(columns, state, inputs, spikes),
        (false, _) => exponential_loop::<false, 2>(columns, state, inputs, spikes),
        (true, 0) => exponential_loop::<true, 0>(columns, state, inputs, spikes),
        (true, 1) => exponential_loop::<true, 1>(columns, state, inputs, spikes),
        (true, _) => exponential_loop::<true, 2>(columns, state, inputs, spikes),
    }
}

#[inline(always)]
fn exponential_loop<const EACH: bool, const SETS: usize>(
    columns: &ExponentialColumns<'_>,
    state: ExponentialState<'_>,
    inputs: [Input<'_>; 2],
    spikes: &mut Vec<u32>,
) {
    let count = state.potential.len() / LANES;
    let of = |column| Parameter::<EACH>::of(column, count);
    let firing = Firing {
        threshold: of(columns.threshold),
        reset: of(columns.reset),
        refractory: of(columns.refractory),
    };
    let (decay, drive) = (of(columns.decay), of(columns.drive));
    let [first_decay, second_decay] = columns.synapse_decay.map(of);
    let [first_propagator, second_propagator] = columns.propagator.map(of);
    let [first_input, second_input] = inputs;
    let scales = [first_input.scale, second_input.scale];
    let mut sums = Sums::<SETS>::of(first_input.sums, second_input.sums, count);
    let [first, second] = state.synapse.map(|synapse| vectors(synapse, count));
    let (potential, remaining) = (vectors(state.potential, count), vectors(state.remaining, count));
    for vector in 0..count {
        let (before, one, two) = (potential[vector], first[vector], second[vector]);
        let (decay, drive) = (decay.at(vector), drive.at(vector));
        let (by_one, by_two) = (first_propagator.at(vector), second_propagator.at(vector));
        let mut free = [0.0; LANES];
        for lane in 0..LANES {
            free[lane] = before[lane] * decay[lane]
                + drive[lane]
                + one[lane] * by_one[lane]
                + two[lane] * by_two[lane];
        }
        let (after, left, fired) = firing.decide(vector, before, free, remaining[vector]);
        potential[vector] = after;
        remaining[vector] = left;
        let [first_input, second_input] = sums.take(vector);
        let decays = (first_decay.at(vector), second_decay.at(vector));
        first[vector] = decayed::<SETS>(one, decays.0, first_input, scales[0]);
        second[vector] = decayed::<SETS>(two, decays.1, second_input, scales[1]);
        emit(&fired, vector, spikes);
    }
}

/// How many sets of sums there are for two receptors.
#[inline(always)]
pub(crate) fn sets(inputs: &[Input<'_>; 2]) -> usize {
    inputs.iter().filter(|input| !input.sums.is_empty()).count()
}

/// Sums of two receptors, in so many sets: none, both packed into one, or one each.
pub(crate) struct Sums<'a, const SETS: usize> {
    first: &'a mut [Vector<i32>],
    second: &'a mut [Vector<i32>],
}

impl<'a, const SETS: usize> Sums<'a, SETS> {
    #[inline(always)]
    pub(crate) fn of(first: &'a mut [i32], second: &'a mut [i32], count: usize) -> Self {
        let first = vectors(first, if SETS > 0 { count } else { 0 });
        let second = vectors(second, if SETS > 1 { count } else { 0 });
        Sums { first, second }
    }

    /// The sums of both receptors, which are cleared.
    #[inline(always)]
    pub(crate) fn take(&mut self, vector: usize) -> [Vector<i32>; 2] {
        let (mut first, mut second) = ([0; LANES], [0; LANES]);
        if SETS > 0 {
            first = std::mem::take(&mut self.first[vector]);
        }
        if SETS == 1 {
            for lane in 0..LANES {
                let both = first[lane];
                first[lane] = (both << 16) >> 16;
                second[lane] = (both - first[lane]) >> 16;
            }
        }
        if SETS > 1 {
            second = std::mem::take(&mut self.second[vector]);
        }
        [first, second]
    }
}

/// Synaptic variables a step later, with their input.
#[inline(always)]
pub(crate) fn decayed<const SETS: usize>(
    synapse: Vector<f32>,
    decay: Vector<f32>,
    input: Vector<i32>,
    scale: f32,
) -> Vector<f32> {
    let mut after = [0.0; LANES];
    for lane in 0..LANES {
        let rest = synapse[lane] * decay[lane];
        after[lane] = if SETS > 0 { rest + input[lane] as f32 * scale } else { rest };
    }
    after
}

compiled_for_each_set! {
    /// Advances neurons with exponential currents by a step and appends those that spike.
    ///
    /// All arrays have the same length, a multiple of [`LANES`]; parameters may have length 1. The
    /// input acts on the potential from the next step on.
    pub fn lif_exponential = exponential_step;
    (
        columns: &ExponentialColumns<'_>,
        state: ExponentialState<'_>,
        inputs: [Input<'_>; 2],
        spikes: &mut Vec<u32>,
    )
}
