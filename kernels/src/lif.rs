//! Leaky integrate-and-fire neurons with exact integration, in single precision.
//!
//! Potentials are relative to rest. Inputs are integers (sums of weights in units of a scale), so that
//! their order does not matter; reading them clears them.

use crate::instructions::compiled_for_each_set;
use crate::{LANES, Parameter, Vector, emit, select, vectors, whole};

/// Input of one receptor: integer sums, one a neuron, and what one unit is worth. No sums at all receptors: no input.
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
    remaining: &mut [u32],
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
    remaining: &mut [u32],
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
        left: Vector<u32>,
    ) -> (Vector<f32>, Vector<u32>, Vector<u32>) {
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
        remaining: &mut [u32],
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
    pub remaining: &'a mut [u32],
}

#[inline(always)]
fn exponential_step(
    columns: &ExponentialColumns<'_>,
    state: ExponentialState<'_>,
    inputs: [Input<'_>; 2],
    spikes: &mut Vec<u32>,
) {
    let silent = inputs.iter().all(|input| input.sums.is_empty());
    match (columns.each, silent) {
        (false, false) => exponential_loop::<false, true>(columns, state, inputs, spikes),
        (false, true) => exponential_loop::<false, false>(columns, state, inputs, spikes),
        (true, false) => exponential_loop::<true, true>(columns, state, inputs, spikes),
        (true, true) => exponential_loop::<true, false>(columns, state, inputs, spikes),
    }
}

#[inline(always)]
fn exponential_loop<const EACH: bool, const INPUT: bool>(
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
    let summed = if INPUT { count } else { 0 };
    let first_sums = vectors(first_input.sums, summed);
    let second_sums = vectors(second_input.sums, summed);
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
        let (mut first_input, mut second_input) = ([0; LANES], [0; LANES]);
        if INPUT {
            first_input = std::mem::take(&mut first_sums[vector]);
            second_input = std::mem::take(&mut second_sums[vector]);
        }
        let decays = (first_decay.at(vector), second_decay.at(vector));
        first[vector] = decayed::<INPUT>(one, decays.0, first_input, scales[0]);
        second[vector] = decayed::<INPUT>(two, decays.1, second_input, scales[1]);
        emit(&fired, vector, spikes);
    }
}

/// Synaptic variables a step later, with their input.
#[inline(always)]
pub(crate) fn decayed<const INPUT: bool>(
    synapse: Vector<f32>,
    decay: Vector<f32>,
    input: Vector<i32>,
    scale: f32,
) -> Vector<f32> {
    let mut after = [0.0; LANES];
    for lane in 0..LANES {
        let rest = synapse[lane] * decay[lane];
        after[lane] = if INPUT { rest + input[lane] as f32 * scale } else { rest };
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
