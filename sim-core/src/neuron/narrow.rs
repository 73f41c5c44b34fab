//! Parameters as the vector loops want them: one number for all neurons, or padded arrays.

use super::model::{Column, LoweredNeurons, LoweredReset, StateVisitor, bytes_of};
use crate::network::SpikeCondition;
use kernels::Aligned;
use kernels::poisson::GROUP;

/// Refractory times beyond this many steps have no narrow form: what remains is counted in 16 bits.
const LONGEST_REFRACTORY: f64 = u16::MAX as f64;

/// What the narrow forms of all models lose.
pub(super) const LOSS: &str = "state in 32-bit floats (24 bits); weights in 16-bit integers, off by \
    at most 3.1e-5 of the largest at their receptor";

/// Length of the arrays for so many neurons.
pub(super) fn padded(size: usize) -> usize {
    size.next_multiple_of(GROUP)
}

/// Whether all refractory times [ms] (parameter `index`) can be counted.
pub(super) fn counts_refractory(neurons: &LoweredNeurons, index: usize) -> bool {
    let dt = neurons.grid.dt();
    neurons.parameters[index].numbers().iter().all(|span| span / dt <= LONGEST_REFRACTORY)
}

/// What is common to the parameters of a part of a population.
pub(super) struct Columns<const N: usize> {
    size: usize,
    each: bool,
    columns: [Vec<f32>; N],
}

impl<const N: usize> Columns<N> {
    /// One column for each function of a neuron's index; `drive` is the place of the constant
    /// current's column, which is 0 to begin with.
    pub(super) fn new(neurons: &LoweredNeurons, of: [&dyn Fn(usize) -> f64; N]) -> Self {
        let reset = match &neurons.reset {
            LoweredReset::To(column) => Some(column),
            LoweredReset::Subtract => None,
        };
        let each = neurons.parameters.iter().chain(reset).any(|c| matches!(c, Column::Each(_)));
        let size = neurons.size;
        let column = |f: &dyn Fn(usize) -> f64| match each {
            true => (0..padded(size)).map(|i| f(i.min(size.max(1) - 1)) as f32).collect(),
            false => vec![f(0) as f32],
        };
        Columns { size, each, columns: of.map(column) }
    }

    /// Bytes on the heap.
    pub(super) fn bytes(&self) -> u64 {
        self.columns.iter().map(|column| bytes_of(column)).sum()
    }

    /// Whether there is one number a neuron.
    pub(super) fn each(&self) -> bool {
        self.each
    }

    /// A column.
    pub(super) fn get(&self, index: usize) -> &[f32] {
        &self.columns[index]
    }

    /// Replaces a column by one number a neuron; other columns become arrays if that must be.
    pub(super) fn set(&mut self, index: usize, values: &[f64], factor: impl Fn(usize) -> f64) {
        let of = |i: usize| values.get(i).map_or(0.0, |value| (value * factor(i)) as f32);
        let uniform = values.windows(2).all(|pair| pair[0] == pair[1]);
        if !self.each && uniform {
            self.columns[index] = vec![of(0)];
            return;
        }
        let padded = padded(self.size);
        if !self.each {
            self.each = true;
            for column in &mut self.columns {
                let one = column.first().copied().unwrap_or(0.0);
                *column = vec![one; padded];
            }
        }
        self.columns[index] = (0..padded).map(of).collect();
    }
}

/// The threshold above rest such that `v ≥ threshold` is the spike condition.
pub(super) fn threshold(spike: SpikeCondition, threshold: f64, rest: f64) -> f64 {
    let above = (threshold - rest) as f32;
    f64::from(match spike {
        SpikeCondition::AtOrAbove => above,
        SpikeCondition::Above => above.next_up(),
    })
}

/// The reset of a neuron above its rest.
pub(super) fn reset(reset: &LoweredReset, neuron: usize, rest: f64) -> f64 {
    // Validation offers no subtraction for these models.
    reset.value(neuron).map_or(0.0, |value| value - rest)
}

/// Initial values of a variable less `minus`, padded.
pub(super) fn initial(
    neurons: &LoweredNeurons,
    variable: usize,
    otherwise: impl Fn(usize) -> f64,
    minus: impl Fn(usize) -> f64,
) -> Aligned<f32> {
    let given = neurons.initial.get(variable).and_then(|column| column.as_ref());
    let mut values: Vec<f32> = (0..neurons.size)
        .map(|i| (given.map_or_else(|| otherwise(i), |column| column.get(i)) - minus(i)) as f32)
        .collect();
    values.resize(padded(neurons.size), 0.0);
    Aligned::new(&values)
}

/// Shows the steps of the refractory time that remain, as counts of the usual width.
pub(super) fn visit_remaining(visitor: &mut dyn StateVisitor, remaining: &mut [u16]) {
    let mut counts: Vec<u32> = remaining.iter().map(|&steps| u32::from(steps)).collect();
    visitor.counts(&mut counts.iter_mut());
    for (steps, count) in remaining.iter_mut().zip(counts) {
        *steps = u16::try_from(count).unwrap_or(u16::MAX);
    }
}
