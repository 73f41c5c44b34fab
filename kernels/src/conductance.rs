//! Leaky integrate-and-fire neurons with exponential conductances, Runge–Kutta 4 in fixed steps, in
//! single precision.
//!
//! Potentials are relative to rest. Conductances decay by their exact factors at half and whole
//! steps of the solver; only the potential is integrated numerically.

use crate::instructions::compiled_for_each_set;
use crate::lif::{Firing, Input, Sums, decayed, sets};
use crate::{LANES, Parameter, Vector, emit, vectors};

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
    pub remaining: &'a mut [u16],
}

#[inline(always)]
fn step(columns: &Columns<'_>, state: State<'_>, inputs: [Input<'_>; 2], spikes: &mut Vec<u32>) {
    match (columns.each, sets(&inputs)) {
        (false, 0) => step_loop::<false, 0>(columns, state, inputs, spikes),
        (false, 1) => step_loop::<false, 1>(columns, state, inputs, spikes),
        (false, _) => step_loop::<false, 2>(columns, state, inputs, spikes),
        (true, 0) => step_loop::<true, 0>(columns, state, inputs, spikes),
        (true, 1) => step_loop::<true, 1>(columns, state, inputs, spikes),
        (true, _) => step_loop::<true, 2>(columns, state, inputs, spikes),
    }
}

#[inline(always)]
fn step_loop<const EACH: bool, const SETS: usize>(
    columns: &Columns<'_>,
    state: State<'_>,
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
    let membrane = Membrane {
        leak: of(columns.leak),
        drive: of(columns.drive),
        per_capacitance: of(columns.per_capacitance),
        reversal: columns.reversal.map(of),
        half_decay: columns.half_decay.map(of),
        solver_steps: columns.solver_steps,
        length: columns.length,
    };
    let [first_decay, second_decay] = columns.decay.map(of);
    let [first_input, second_input] = inputs;
    let scales = [first_input.scale, second_input.scale];
    let mut sums = Sums::<SETS>::of(first_input.sums, second_input.sums, count);
    let [first, second] = state.conductance.map(|conductance| vectors(conductance, count));
    let (potential, remaining) = (vectors(state.potential, count), vectors(state.remaining, count));
    for vector in 0..count {
        let (before, one, two) = (potential[vector], first[vector], second[vector]);
        let free = membrane.solve(vector, before, one, two);
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

/// What moves the potential.
struct Membrane<'a, const EACH: bool> {
    leak: Parameter<'a, EACH>,
    drive: Parameter<'a, EACH>,
    per_capacitance: Parameter<'a, EACH>,
    reversal: [Parameter<'a, EACH>; 2],
    half_decay: [Parameter<'a, EACH>; 2],
    solver_steps: u32,
    length: f32,
}

impl<const EACH: bool> Membrane<'_, EACH> {
    /// Potentials after a step of the grid.
    #[inline(always)]
    fn solve(
        &self,
        vector: usize,
        mut v: Vector<f32>,
        mut e: Vector<f32>,
        mut i: Vector<f32>,
    ) -> Vector<f32> {
        let (leak, drive) = (self.leak.at(vector), self.drive.at(vector));
        let per_capacitance = self.per_capacitance.at(vector);
        let [to_e, to_i] = [self.reversal[0].at(vector), self.reversal[1].at(vector)];
        let [half_e, half_i] = [self.half_decay[0].at(vector), self.half_decay[1].at(vector)];
        let (length, half, sixth) = (self.length, 0.5 * self.length, self.length / 6.0);
        for _ in 0..self.solver_steps {
            for lane in 0..LANES {
                // dV/dt = b − a V with a and b at the beginning, the middle and the end of the step.
                let at = |e: f32, i: f32| {
                    let (e, i) = (e * per_capacitance[lane], i * per_capacitance[lane]);
                    (leak[lane] + e + i, drive[lane] + e * to_e[lane] + i * to_i[lane])
                };
                let middle = (e[lane] * half_e[lane], i[lane] * half_i[lane]);
                let end = (middle.0 * half_e[lane], middle.1 * half_i[lane]);
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
