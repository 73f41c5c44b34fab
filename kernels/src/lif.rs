//! Leaky integrate-and-fire neurons with exact integration, in single precision.
//!
//! Potentials are relative to rest. Inputs are integers (sums of weights in units of a scale), so that
//! their order does not matter; reading them clears them.

use crate::instructions::compiled_for_each_set;
use crate::{LANES, Parameter, emit};

/// Input of one receptor: integer sums, one a neuron, and what one unit is worth. No sums: no input.
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
    let scale = input.scale;
    let mut sums = input.sums.as_chunks_mut::<LANES>().0.iter_mut();
    let potentials = potential.as_chunks_mut::<LANES>().0.iter_mut();
    let state = potentials.zip(remaining.as_chunks_mut::<LANES>().0);
    for (chunk, (potential, remaining)) in state.enumerate() {
        let decay = Parameter::<EACH>::of(columns.decay, chunk);
        let drive = Parameter::<EACH>::of(columns.drive, chunk);
        let threshold = Parameter::<EACH>::of(columns.threshold, chunk);
        let reset = Parameter::<EACH>::of(columns.reset, chunk);
        let refractory = Parameter::<EACH>::of(columns.refractory, chunk);
        let mut input = [0.0; LANES];
        if INPUT && let Some(sums) = sums.next() {
            for lane in 0..LANES {
                input[lane] = sums[lane] as f32 * scale;
                sums[lane] = 0;
            }
        }
        let mut fired = [0_u32; LANES];
        for lane in 0..LANES {
            let (before, left) = (potential[lane], remaining[lane]);
            let free = before * decay.at(lane) + drive.at(lane) + input[lane];
            let after = if left > 0 { before } else { free };
            let fires = after >= threshold.at(lane);
            potential[lane] = if fires { reset.at(lane) } else { after };
            let waited = left.max(1) - 1;
            remaining[lane] = if fires { refractory.at(lane) as i32 as u32 } else { waited };
            fired[lane] = u32::from(fires);
        }
        emit(&fired, chunk, spikes);
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
    let [first, second] = inputs;
    let [first_synapse, second_synapse] = state.synapse;
    let scales = [first.scale, second.scale];
    let mut first_sums = first.sums.as_chunks_mut::<LANES>().0.iter_mut();
    let mut second_sums = second.sums.as_chunks_mut::<LANES>().0.iter_mut();
    let states = state
        .potential
        .as_chunks_mut::<LANES>()
        .0
        .iter_mut()
        .zip(first_synapse.as_chunks_mut::<LANES>().0)
        .zip(second_synapse.as_chunks_mut::<LANES>().0)
        .zip(state.remaining.as_chunks_mut::<LANES>().0);
    for (chunk, (((potential, first), second), remaining)) in states.enumerate() {
        let decay = Parameter::<EACH>::of(columns.decay, chunk);
        let drive = Parameter::<EACH>::of(columns.drive, chunk);
        let threshold = Parameter::<EACH>::of(columns.threshold, chunk);
        let reset = Parameter::<EACH>::of(columns.reset, chunk);
        let refractory = Parameter::<EACH>::of(columns.refractory, chunk);
        let decays = columns.synapse_decay.map(|column| Parameter::<EACH>::of(column, chunk));
        let propagators = columns.propagator.map(|column| Parameter::<EACH>::of(column, chunk));
        let mut fired = [0_u32; LANES];
        for lane in 0..LANES {
            let (before, left) = (potential[lane], remaining[lane]);
            let free = before * decay.at(lane)
                + drive.at(lane)
                + first[lane] * propagators[0].at(lane)
                + second[lane] * propagators[1].at(lane);
            let after = if left > 0 { before } else { free };
            let fires = after >= threshold.at(lane);
            potential[lane] = if fires { reset.at(lane) } else { after };
            let waited = left.max(1) - 1;
            remaining[lane] = if fires { refractory.at(lane) as i32 as u32 } else { waited };
            fired[lane] = u32::from(fires);
        }
        let sums = (first_sums.next(), second_sums.next());
        decay_and_add::<EACH, INPUT>(first, &decays[0], sums.0, scales[0]);
        decay_and_add::<EACH, INPUT>(second, &decays[1], sums.1, scales[1]);
        emit(&fired, chunk, spikes);
    }
}

/// Lets a chunk of synaptic variables decay, adds their input and clears it.
#[inline(always)]
pub(crate) fn decay_and_add<const EACH: bool, const INPUT: bool>(
    synapse: &mut [f32; LANES],
    decay: &Parameter<'_, EACH>,
    sums: Option<&mut [i32; LANES]>,
    scale: f32,
) {
    match sums {
        Some(sums) if INPUT => {
            for lane in 0..LANES {
                synapse[lane] = synapse[lane] * decay.at(lane) + sums[lane] as f32 * scale;
                sums[lane] = 0;
            }
        }
        _ => {
            for lane in 0..LANES {
                synapse[lane] *= decay.at(lane);
            }
        }
    }
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
