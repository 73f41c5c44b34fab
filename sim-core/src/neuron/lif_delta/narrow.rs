//! The narrow form: single precision, potentials above rest.

use super::{CAPACITANCE, LOWEST, REFRACTORY, REST, TAU, THRESHOLD};
use crate::network::RefractoryInput;
use crate::neuron::bounds::is_bounded;
use crate::neuron::model::{LoweredNeurons, NarrowInput, NarrowNeurons, StateVisitor, bytes_of};
use crate::neuron::narrow::{
    Columns, counts_refractory, initial, reset, threshold, visit_remaining,
};
use kernels::lif::{DeltaColumns, Input, lif_delta};
use kernels::{Aligned, Instructions};

/// Place of the constant current's column.
const DRIVE: usize = 1;

pub(super) fn is_narrow(neurons: &LoweredNeurons) -> bool {
    counts_refractory(neurons, REFRACTORY)
        && neurons.refractory_input == RefractoryInput::Lost
        && !is_bounded(neurons, LOWEST)
}

/// Neurons in the narrow form.
pub(super) struct Narrow {
    neurons: LoweredNeurons,
    columns: Columns<5>,
    potential: Aligned<f32>,
    remaining: Aligned<u16>,
    initial: Aligned<f32>,
}

impl Narrow {
    pub(super) fn new(neurons: &LoweredNeurons) -> Self {
        let get = |parameter: usize, i: usize| neurons.parameters[parameter].get(i);
        let dt = neurons.grid.dt();
        let columns = Columns::new(
            neurons,
            [
                &|i| (-dt / get(TAU, i)).exp(),
                &|_| 0.0,
                &|i| threshold(neurons.spike, get(THRESHOLD, i), get(REST, i)),
                &|i| reset(&neurons.reset, i, get(REST, i)),
                &|i| (get(REFRACTORY, i) / dt).round(),
            ],
        );
        let initial = initial(neurons, 0, |i| get(REST, i), |i| get(REST, i));
        Narrow {
            columns,
            potential: initial.clone(),
            remaining: Aligned::new(&vec![0; initial.len()]),
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
        let columns = DeltaColumns {
            decay: self.columns.get(0),
            drive: self.columns.get(DRIVE),
            threshold: self.columns.get(2),
            reset: self.columns.get(3),
            refractory: self.columns.get(4),
            each: self.columns.each(),
        };
        let input = match inputs {
            [input, ..] => Input { sums: &mut *input.sums, scale: input.unit },
            [] => Input { sums: &mut [], scale: 0.0 },
        };
        lif_delta(instructions, &columns, &mut self.potential, &mut self.remaining, input, spikes);
    }

    fn visit_state(&mut self, visitor: &mut dyn StateVisitor) {
        visitor.singles(&mut self.potential.iter_mut());
        visit_remaining(visitor, &mut self.remaining);
    }

    fn variable(&self, _index: usize) -> Vec<f64> {
        let rest = |i: usize| self.neurons.parameters[REST].get(i);
        let own = self.potential.iter().take(self.neurons.size).enumerate();
        own.map(|(i, &potential)| f64::from(potential) + rest(i)).collect()
    }

    fn reset(&mut self) {
        self.potential.clone_from(&self.initial);
        self.remaining.fill(0);
    }

    fn bytes(&self) -> u64 {
        self.neurons.bytes()
            + self.columns.bytes()
            + bytes_of(&self.potential)
            + bytes_of(&self.remaining)
            + bytes_of(&self.initial)
    }
}
