//! What has decayed to nothing is set to zero.
//!
//! A synaptic current without input halves again and again until it is a denormal number, of which a processor
//! computes twenty times more slowly, and where rounding stops it it stays one for ever. Silence would be
//! the slowest state of a network.

use crate::neuron::{Over, StateVisitor};
use crate::time::Time;

/// Steps between two looks, counted from the beginning of time, so that it does not matter how a run is cut.
const EVERY: u64 = 512;

/// State variables below this magnitude [base units] are zero: in double precision next to the denormal numbers,
/// in single precision far below what any sum with a threshold or a weight can hold.
const NOTHING: (f64, f32) = (1e-280, 1e-18);

/// Whether it is time to settle behind this step.
pub(super) fn is_due(step: u64) -> bool {
    step.is_multiple_of(EVERY)
}

/// Settles all numbers that it is shown.
pub(super) struct Settle;

impl StateVisitor for Settle {
    fn over(&mut self, _over: Over) {}

    fn reals(&mut self, column: &mut dyn Iterator<Item = &mut f64>) {
        column.filter(|number| number.abs() < NOTHING.0).for_each(|number| *number = 0.0);
    }

    fn singles(&mut self, column: &mut dyn Iterator<Item = &mut f32>) {
        column.filter(|number| number.abs() < NOTHING.1).for_each(|number| *number = 0.0);
    }

    fn counts(&mut self, _column: &mut dyn Iterator<Item = &mut u32>) {}

    fn lengths(&mut self, _column: &mut dyn Iterator<Item = &mut u32>) {}

    fn steps(&mut self, _column: &mut dyn Iterator<Item = &mut u64>) {}

    fn times(&mut self, _column: &mut dyn Iterator<Item = &mut Time>) {}
}
