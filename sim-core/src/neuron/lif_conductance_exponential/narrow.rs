//! The narrow form, where steps are fixed: Runge–Kutta 4 in single precision, potentials above rest.
//! Conductances decay by their exact factors.

use super::{FIXED_STEPS, THRESHOLD};
use crate::neuron::lif_exponential::two_inputs;
use crate::neuron::model::{LoweredNeurons, NarrowInput, NarrowNeurons, StateVisitor, bytes_of};
use crate::neuron::narrow::{
    Columns, counts_refractory, initial, reset, threshold, visit_remaining,
};
use kernels::conductance::{self, lif_conductance};
use kernels::{Aligned, Instructions};

const CAPACITANCE: usize = 0;
const LEAK: usize = 1;
const REST: usize = 2;
const REFRACTORY: usize = 4;
const REVERSAL: usize = 5;
const TAU_SYNAPSE: usize = 7;
/// Place of the constant current's column.
const DRIVE: usize = 1;

/// The steps must be fixed, and the same for all neurons.
pub(super) fn is_narrow(neurons: &LoweredNeurons) -> bool {
    let steps = neurons.parameters[FIXED_STEPS].numbers();
    let same = steps.windows(2).all(|pair| pair[0] == pair[1]);
    same && steps.first().is_some_and(|&n| n >= 1.0) && counts_refractory(neurons, REFRACTORY)
}

/// Neurons in the narrow form.
pub(super) struct Narrow {
    neurons: LoweredNeurons,
    columns: Columns<12>,
    solver_steps: u32,
    potential: Aligned<f32>,
    conductance: [Aligned<f32>; 2],
    remaining: Aligned<u16>,
    initial: [Aligned<f32>; 3],
}

impl Narrow {
    pub(super) fn new(neurons: &LoweredNeurons) -> Self {
        let get = |parameter: usize, i: usize| neurons.parameters[parameter].get(i);
        let (dt, solver_steps) = (neurons.grid.dt(), get(FIXED_STEPS, 0).max(1.0));
        let half = 0.5 * dt / solver_steps;
        let decay =
            |synapse: usize, span: f64, i: usize| (-span / get(TAU_SYNAPSE + synapse, i)).exp();
        let columns = Columns::new(
            neurons,
            [
                &|i| get(LEAK, i) / get(CAPACITANCE, i),
                &|_| 0.0,
                &|i| 1.0 / get(CAPACITANCE, i),
                &|i| get(REVERSAL, i) - get(REST, i),
                &|i| get(REVERSAL + 1, i) - get(REST, i),
                &|i| decay(0, half, i),
                &|i| decay(1, half, i),
                &|i| decay(0, dt, i),
                &|i| decay(1, dt, i),
                &|i| threshold(neurons.spike, get(THRESHOLD, i), get(REST, i)),
                &|i| reset(&neurons.reset, i, get(REST, i)),
                &|i| (get(REFRACTORY, i) / dt).round(),
            ],
        );
        let initial = [
            initial(neurons, 0, |i| get(REST, i), |i| get(REST, i)),
            initial(neurons, 1, |_| 0.0, |_| 0.0),
            initial(neurons, 2, |_| 0.0, |_| 0.0),
        ];
        Narrow {
            columns,
            solver_steps: solver_steps as u32,
            potential: initial[0].clone(),
            conductance: [initial[1].clone(), initial[2].clone()],
            remaining: Aligned::new(&vec![0; initial[0].len()]),
            initial,
            neurons: neurons.clone(),
        }
    }
}

impl NarrowNeurons for Narrow {
    fn set_current(&mut self, current: &[f64]) {
        let neurons = &self.neurons;
        let factor = |i: usize| 1.0 / neurons.parameters[CAPACITANCE].get(i);
        self.columns.set(DRIVE, current, factor);
    }

    fn step(
        &mut self,
        instructions: Instructions,
        inputs: &mut [NarrowInput<'_>],
        spikes: &mut Vec<u32>,
    ) {
        let get = |index: usize| self.columns.get(index);
        let columns = conductance::Columns {
            leak: get(0),
            drive: get(DRIVE),
            per_capacitance: get(2),
            reversal: [get(3), get(4)],
            half_decay: [get(5), get(6)],
            decay: [get(7), get(8)],
            threshold: get(9),
            reset: get(10),
            refractory: get(11),
            each: self.columns.each(),
            solver_steps: self.solver_steps,
            length: (self.neurons.grid.dt() / f64::from(self.solver_steps)) as f32,
        };
        let [excitatory, inhibitory] = &mut self.conductance;
        let state = conductance::State {
            potential: &mut self.potential,
            conductance: [excitatory, inhibitory],
            remaining: &mut self.remaining,
        };
        lif_conductance(instructions, &columns, state, two_inputs(inputs), spikes);
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        visitor.singles(&mut self.potential.iter_mut());
        self.conductance.iter_mut().for_each(|column| visitor.singles(&mut column.iter_mut()));
        visit_remaining(visitor, &mut self.remaining);
    }

    fn variable(&self, index: usize) -> Vec<f64> {
        let rest = |i: usize| self.neurons.parameters[REST].get(i);
        let column = match index {
            0 => &self.potential,
            other => &self.conductance[(other - 1).min(1)],
        };
        let own = column.iter().take(self.neurons.size).enumerate();
        own.map(|(i, &value)| f64::from(value) + if index == 0 { rest(i) } else { 0.0 }).collect()
    }

    fn reset(&mut self) {
        let [potential, excitatory, inhibitory] = &self.initial;
        self.potential.clone_from(potential);
        self.conductance[0].clone_from(excitatory);
        self.conductance[1].clone_from(inhibitory);
        self.remaining.fill(0);
    }

    fn bytes(&self) -> u64 {
        let state = self.conductance.iter().chain(&self.initial).chain([&self.potential]);
        let state: u64 = state.map(|values| bytes_of(values)).sum();
        self.neurons.bytes() + self.columns.bytes() + state + bytes_of(&self.remaining)
    }
}
