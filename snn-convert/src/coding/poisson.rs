//! Poisson: in each step an input neuron spikes with a probability equal to its value in 0..=1.
//!
//! Values outside that range have no probability; they are refused.
//! Source: Diehl et al. 2015, IJCNN, section III.

use super::{CodeEntry, InputCode};

pub(super) const ENTRY: CodeEntry = CodeEntry {
    name: "poisson",
    summary: "each value (0 to 1) is the probability of a spike in a step",
    code: InputCode::Poisson,
};
