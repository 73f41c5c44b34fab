//! The narrow form: single precision, potentials above rest.

use super::THRESHOLD;
use super::dynamics::lower;
use crate::neuron::model::{LoweredNeurons, NarrowInput, NarrowNeurons, StateVisitor, bytes_of};
use crate::neuron::narrow::{
    Columns, counts_refractory, initial, reset, threshold, visit_remaining,
};
use kernels::lif::{ExponentialColumns, ExponentialState, Input, lif_exponential};
use kernels::{Aligned, Instructions};

const TAU: usize = 0;
const CAPACITANCE: usize = 1;
const REST: usize = 2;
const REFRACTORY: usize = 4;
const TAU_SYNAPSE: usize = 5;
/// Place of the constant current's column.
const DRIVE: usize = 1;

pub(super) fn is_narrow(neurons: &LoweredNeurons) -> bool {
    counts_refractory(neurons, REFRACTORY)
}

/// Neurons in the narrow form.
pub(super) struct Narrow {
    neurons: LoweredNeurons,
    columns: Columns<9>,
    potential: Aligned<f32>,
    synapse: [Aligned<f32>; 2],
    remaining: Aligned<u16>,
    initial: [Aligned<f32>; 3],
}

impl Narrow {
    pub(super) fn new(neurons: &LoweredNeurons) -> Self {
        let get = |parameter: usize, i: usize| neurons.parameters[parameter].get(i);
        let dt = neurons.grid.dt();
        let constants = lower(neurons).0;
        let propagator = |receptor: usize, i: usize| {
            constants.get(i).map_or(0.0, |c| c.propagator(c.tau_synapse[receptor], dt))
        };
        let decay = |parameter: usize, i: usize| (-dt / get(parameter, i)).exp();
        let columns = Columns::new(
            neurons,
            [
                &|i| decay(TAU, i),
                &|_| 0.0,
                &|i| decay(TAU_SYNAPSE, i),
                &|i| decay(TAU_SYNAPSE + 1, i),
                &|i| propagator(0, i),
                &|i| propagator(1, i),
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
            potential: initial[0].clone(),
            synapse: [initial[1].clone(), initial[2].clone()],
            remaining: Aligned::new(&vec![0; initial[0].len()]),
            initial,
            neurons: neurons.clone(),
        }
    }
}

impl NarrowNeurons for Narrow {
    fn set_current(&mut self, current: &[f64]) {
        let (neurons, dt) = (&self.neurons, self.neurons.grid.dt());
        let get = |parameter: usize, i: usize| neurons.parameters[parameter].get(i);
        let factor =
            |i: usize| get(TAU, i) / get(CAPACITANCE, i) * (1.0 - (-dt / get(TAU, i)).exp());
        self.columns.set(DRIVE, current, factor);
    }

    fn step(
        &mut self,
        instructions: Instructions,
        inputs: &mut [NarrowInput<'_>],
        spikes: &mut Vec<u32>,
    ) {
        let columns = ExponentialColumns {
            decay: self.columns.get(0),
            drive: self.columns.get(DRIVE),
            synapse_decay: [self.columns.get(2), self.columns.get(3)],
            propagator: [self.columns.get(4), self.columns.get(5)],
            threshold: self.columns.get(6),
            reset: self.columns.get(7),
            refractory: self.columns.get(8),
            each: self.columns.each(),
        };
        let [excitatory, inhibitory] = &mut self.synapse;
        let state = ExponentialState {
            potential: &mut self.potential,
            synapse: [excitatory, inhibitory],
            remaining: &mut self.remaining,
        };
        lif_exponential(instructions, &columns, state, two_inputs(inputs), spikes);
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        visitor.singles(&mut self.potential.iter_mut());
        self.synapse.iter_mut().for_each(|column| visitor.singles(&mut column.iter_mut()));
        visit_remaining(visitor, &mut self.remaining);
    }

    fn variable(&self, index: usize) -> Vec<f64> {
        let rest = |i: usize| self.neurons.parameters[REST].get(i);
        let column = match index {
            0 => &self.potential,
            other => &self.synapse[(other - 1).min(1)],
        };
        let own = column.iter().take(self.neurons.size).enumerate();
        own.map(|(i, &value)| f64::from(value) + if index == 0 { rest(i) } else { 0.0 }).collect()
    }

    fn reset(&mut self) {
        let [potential, excitatory, inhibitory] = &self.initial;
        self.potential.clone_from(potential);
        self.synapse[0].clone_from(excitatory);
        self.synapse[1].clone_from(inhibitory);
        self.remaining.fill(0);
    }

    fn bytes(&self) -> u64 {
        let state = self.synapse.iter().chain(&self.initial).chain([&self.potential]);
        let state: u64 = state.map(|values| bytes_of(values)).sum();
        self.neurons.bytes() + self.columns.bytes() + state + bytes_of(&self.remaining)
    }
}

/// The inputs of two receptors for a loop.
pub(in crate::neuron) fn two_inputs<'a>(inputs: &'a mut [NarrowInput<'_>]) -> [Input<'a>; 2] {
    match inputs {
        [first, second, ..] => [
            Input { sums: &mut *first.sums, scale: first.unit },
            Input { sums: &mut *second.sums, scale: second.unit },
        ],
        _ => [Input { sums: &mut [], scale: 0.0 }, Input { sums: &mut [], scale: 0.0 }],
    }
}
