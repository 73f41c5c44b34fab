//! Leaky integrate-and-fire neurons with exponential conductances, Runge–Kutta 4 in fixed steps, in
//! single precision.
//!
//! Potentials are relative to rest. Conductances decay by their exact factors at half and whole
//! steps of the solver; only the potential is integrated numerically.

use crate::instructions::compiled_for_each_set;
use crate::lif::{Input, decay_and_add};
use crate::{LANES, Parameter, emit};

/// Parameters: one number each for all, or one a neuron.
#[derive(Debug)]
pub struct Columns<'a> {
    /// Leak conductance over capacitance [per ms].
    pub leak: &'a [f32],
    /// Constant current over capacitance [mV per ms].
    pub drive: &'a [f32],
    /// One over the capacitance [per pF].
    pub per_capacitance: &'a [f32],
    /// Reversal potentials above rest (mV).
    pub reversal: [&'a [f32]; 2],
    /// What is left of the conductances after half a step of the solver.
    pub half_decay: [&'a [f32]; 2],
    /// What is left of them after a step of the grid.
    pub decay: [&'a [f32]; 2],
    /// Threshold above rest (mV).
    pub threshold: &'a [f32],
    /// Reset above rest (mV).
    pub reset: &'a [f32],
    /// Refractory time in steps.
    pub refractory: &'a [f32],
    /// Whether there is one number a neuron.
    pub each: bool,
    /// Steps of the solver in a step of the grid.
    pub solver_steps: u32,
    /// Length of a step of the solver (ms).
    pub length: f32,
}

/// State.
#[derive(Debug)]
pub struct State<'a> {
    /// Potential above rest (mV).
    pub potential: &'a mut [f32],
    /// Conductances (nS).
    pub conductance: [&'a mut [f32]; 2],
    /// Steps of the refractory time that remain.
    pub remaining: &'a mut [u32],
}

#[inline(always)]
fn step(columns: &Columns<'_>, state: State<'_>, inputs: [Input<'_>; 2], spikes: &mut Vec<u32>) {
    match columns.each {
        false => step_loop::<false>(columns, state, inputs, spikes),
        true => step_loop::<true>(columns, state, inputs, spikes),
    }
}

#[inline(always)]
fn step_loop<const EACH: bool>(
    columns: &Columns<'_>,
    state: State<'_>,
    inputs: [Input<'_>; 2],
    spikes: &mut Vec<u32>,
) {
    let [first, second] = inputs;
    let [first_conductance, second_conductance] = state.conductance;
    let scales = [first.scale, second.scale];
    let mut first_sums = first.sums.as_chunks_mut::<LANES>().0.iter_mut();
    let mut second_sums = second.sums.as_chunks_mut::<LANES>().0.iter_mut();
    let states = state
        .potential
        .as_chunks_mut::<LANES>()
        .0
        .iter_mut()
        .zip(first_conductance.as_chunks_mut::<LANES>().0)
        .zip(second_conductance.as_chunks_mut::<LANES>().0)
        .zip(state.remaining.as_chunks_mut::<LANES>().0);
    for (chunk, (((potential, first), second), remaining)) in states.enumerate() {
        let of = |column| Parameter::<EACH>::of(column, chunk);
        let (threshold, reset) = (of(columns.threshold), of(columns.reset));
        let refractory = of(columns.refractory);
        let free = solve::<EACH>(columns, chunk, potential, first, second);
        let mut fired = [0_u32; LANES];
        for lane in 0..LANES {
            let left = remaining[lane];
            let after = if left > 0 { potential[lane] } else { free[lane] };
            let fires = after >= threshold.at(lane);
            potential[lane] = if fires { reset.at(lane) } else { after };
            let waited = left.max(1) - 1;
            remaining[lane] = if fires { refractory.at(lane) as i32 as u32 } else { waited };
            fired[lane] = u32::from(fires);
        }
        let decays = columns.decay.map(of);
        decay_and_add::<EACH, true>(first, &decays[0], first_sums.next(), scales[0]);
        decay_and_add::<EACH, true>(second, &decays[1], second_sums.next(), scales[1]);
        emit(&fired, chunk, spikes);
    }
}

/// The potentials of a chunk after a step of the grid.
#[inline(always)]
fn solve<const EACH: bool>(
    columns: &Columns<'_>,
    chunk: usize,
    potential: &[f32; LANES],
    first: &[f32; LANES],
    second: &[f32; LANES],
) -> [f32; LANES] {
    let of = |column| Parameter::<EACH>::of(column, chunk);
    let (leak, drive, per_capacitance) =
        (of(columns.leak), of(columns.drive), of(columns.per_capacitance));
    let reversal = columns.reversal.map(of);
    let half_decay = columns.half_decay.map(of);
    let (length, half) = (columns.length, 0.5 * columns.length);
    let sixth = columns.length / 6.0;
    let (mut v, mut e, mut i) = (*potential, *first, *second);
    for _ in 0..columns.solver_steps {
        for lane in 0..LANES {
            // dV/dt = b − a V with a and b at the beginning, the middle and the end of the step.
            let at = |e: f32, i: f32| {
                let (e, i) = (e * per_capacitance.at(lane), i * per_capacitance.at(lane));
                let a = leak.at(lane) + e + i;
                (a, drive.at(lane) + e * reversal[0].at(lane) + i * reversal[1].at(lane))
            };
            let middle = (e[lane] * half_decay[0].at(lane), i[lane] * half_decay[1].at(lane));
            let end = (middle.0 * half_decay[0].at(lane), middle.1 * half_decay[1].at(lane));
            let ((a0, b0), (a1, b1), (a2, b2)) =
                (at(e[lane], i[lane]), at(middle.0, middle.1), at(end.0, end.1));
            let k1 = b0 - a0 * v[lane];
            let k2 = b1 - a1 * (v[lane] + half * k1);
            let k3 = b1 - a1 * (v[lane] + half * k2);
            let k4 = b2 - a2 * (v[lane] + length * k3);
            v[lane] += sixth * (k1 + 2.0 * (k2 + k3) + k4);
            (e[lane], i[lane]) = end;
        }
    }
    v
}

compiled_for_each_set! {
    /// Advances neurons with exponential conductances by a step and appends those that spike.
    ///
    /// All arrays have the same length, a multiple of [`LANES`]; parameters may have length 1. The
    /// input acts on the potential from the next step on.
    pub fn lif_conductance = step;
    (
        columns: &Columns<'_>,
        state: State<'_>,
        inputs: [Input<'_>; 2],
        spikes: &mut Vec<u32>,
    )
}
