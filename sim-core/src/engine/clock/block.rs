//! Neurons in the narrow form that a thread owns: blocks that share accumulators, and tiles that need
//! none.

use super::super::Compiled;
use super::deliver::{Flights, Sums};
use super::part::{Changes, Context, Sample};
use super::settle::{self, Settle};
use crate::connectome::narrow::{Narrow, NarrowPopulation};
use crate::network::ValidPopulation;
use crate::neuron::{Emitted, NarrowInput, NarrowNeurons};
use std::ops::Range;

/// Neurons of a population without input that are advanced through a whole epoch at a time: their
/// state stays in the nearest cache.
pub(super) const TILE: u32 = 4096;

/// Neurons that are advanced while their input still lies in the nearest cache; a multiple of what has to
/// stay together.
const PIECE: usize = 1024;

/// Neurons of one population in the narrow form.
pub(super) struct Piece {
    pub(super) population: usize,
    pub(super) range: Range<u32>,
    /// Where its inputs lie in the block.
    pub(super) slots: Range<usize>,
    pub(super) neurons: Box<dyn NarrowNeurons>,
    pub(super) units: Vec<f32>,
    pub(super) exact_units: Vec<f64>,
}

/// Neurons that share accumulators.
pub(super) struct Block {
    pub(super) index: usize,
    /// Spikes on their way to it.
    pub(super) flights: Flights,
    /// One set a receptor; one alone where sums are packed.
    pub(super) sums: Vec<Box<Sums>>,
    pub(super) pieces: Vec<Piece>,
    /// Counts that need more random bits.
    pub(super) undecided: Vec<u32>,
}

impl Block {
    pub(super) fn new(compiled: &Compiled, narrow: &Narrow, index: usize) -> Block {
        let mut pieces = Vec::new();
        for (number, population) in compiled.network.populations().values().enumerate() {
            let (range, slots) =
                (narrow.blocks().slice(index, number), narrow.blocks().slots(index, number));
            let form = narrow.populations()[number].as_ref();
            let Some(form) = form.filter(|_| !range.is_empty()) else {
                continue;
            };
            let all = slots.clone();
            for first in all.clone().step_by(PIECE) {
                let slots = first..slots.end.min(first + PIECE);
                let from = range.start + (first - all.start) as u32;
                let own = from..range.end.min(from + PIECE as u32);
                pieces.extend(Piece::new(number, population, form, own, slots));
            }
        }
        let receptors = pieces.iter().map(|piece| piece.units.len()).max().unwrap_or(0);
        let sets = if narrow.is_packed() { receptors.min(1) } else { receptors };
        let sums = (0..sets).map(|_| Sums::new()).collect();
        Block { index, flights: Flights::new(narrow), sums, pieces, undecided: Vec::new() }
    }

    /// Draws random input and advances all neurons, after delivery.
    pub(super) fn step(
        &mut self,
        context: &Context<'_>,
        step: u64,
        outgoing: &mut [Emitted],
        samples: &mut Vec<Sample>,
        spiked: &mut Vec<u32>,
    ) {
        for piece in &mut self.pieces {
            for drive in &context.drives[piece.population] {
                let sums = &mut self.sums[drive.receptor()].0[piece.slots.clone()];
                let unit = piece.exact_units[drive.receptor()];
                let (instructions, range) = (context.instructions, piece.range.clone());
                drive.add(instructions, step, range, unit, sums, &mut self.undecided);
            }
            piece.step(context, step, &mut self.sums, outgoing, samples, spiked);
        }
    }
}

impl Piece {
    pub(super) fn new(
        index: usize,
        population: &ValidPopulation,
        form: &NarrowPopulation,
        range: Range<u32>,
        slots: Range<usize>,
    ) -> Option<Piece> {
        let lowered = population.neurons.part(range.start as usize..range.end as usize);
        let units = form.units.iter().map(|&unit| unit as f32).collect();
        let neurons = population.model.narrow(&lowered)?;
        let exact_units = form.units.clone();
        Some(Piece { population: index, range, slots, neurons, units, exact_units })
    }

    /// Sets the current, given for the whole population, that acts from the next step on.
    pub(super) fn set_current(&mut self, current: &[f64]) {
        let own = self.range.start as usize..self.range.end as usize;
        self.neurons.set_current(&current[own]);
    }

    /// Takes a current that acts from `step` on.
    pub(super) fn follow(&mut self, changes: &Changes, step: u64) {
        if let Some(current) = changes.acting_from(step, self.population) {
            self.set_current(current);
        }
    }

    pub(super) fn step(
        &mut self,
        context: &Context<'_>,
        step: u64,
        sums: &mut [Box<Sums>],
        outgoing: &mut [Emitted],
        samples: &mut Vec<Sample>,
        spiked: &mut Vec<u32>,
    ) {
        spiked.clear();
        let (slots, units, neurons) = (&self.slots, &self.units, &mut self.neurons);
        let instructions = context.instructions;
        match sums {
            [] => neurons.step(instructions, &mut [], spiked),
            [first] => {
                let first = NarrowInput { sums: &mut first.0[slots.clone()], unit: units[0] };
                match units.get(1) {
                    None => neurons.step(instructions, &mut [first], spiked),
                    Some(&unit) => {
                        let packed = NarrowInput { sums: &mut [], unit };
                        neurons.step(instructions, &mut [first, packed], spiked);
                    }
                }
            }
            [first, second] if units.len() == 2 => {
                let first = NarrowInput { sums: &mut first.0[slots.clone()], unit: units[0] };
                let second = NarrowInput { sums: &mut second.0[slots.clone()], unit: units[1] };
                neurons.step(instructions, &mut [first, second], spiked);
            }
            more => {
                let inputs = more.iter_mut().zip(units);
                let mut inputs: Vec<NarrowInput<'_>> = inputs
                    .map(|(sums, &unit)| NarrowInput { sums: &mut sums.0[slots.clone()], unit })
                    .collect();
                neurons.step(instructions, &mut inputs, spiked);
            }
        }
        let (first, size) = (self.range.start, self.range.len() as u32);
        let own = spiked.iter().filter(|&&neuron| neuron < size);
        outgoing[self.population].neurons.extend(own.map(|neuron| neuron + first));
        for (trace, variable) in context.due(self.population, step) {
            samples.push(Sample { step, trace, first, values: self.neurons.variable(variable) });
        }
        if settle::is_due(step) {
            self.neurons.visit_state(&mut Settle);
        }
    }
}
