//! Slope: the membrane's course over all steps, not only where it ends, says what the scores are.
//!
//! # Idea
//! After k steps a potential of the last layer is V(k) = k z + e(k), where z is the trained network's
//! score and e(k) what the layers before have not said yet or said too early. In a rate code with soft
//! reset e(k) does not grow with k, and it changes from step to step: the score V(T)/T has the error
//! e(T)/T, and a line through the origin that is fitted to all V(1) … V(T) a smaller one. With least
//! squares weighted by k² (early errors are larger, as deep layers begin late) its slope is
//! Σ k³ V(k) / Σ k⁴. Errors that are independent from step to step and equally large then have
//! a variance that is T²Σk⁶/(Σk⁴)² of that of V(T)/T: 0.37 for T = 8, 0.11 for T = 32.
//!
//! The slope times T is given, in the unit of a summed potential. It takes no spikes and no neurons:
//! a running sum for each score, and one division.
//!
//! # References
//! Candy and Temes 1992, "Oversampling methods for A/D and D/A conversion" (soft-reset neurons are
//! sigma-delta modulators, which are read through a filter, not by a plain count).

use super::{Answer, OutputRun, ReadoutEntry};
use crate::lower::Readout;

pub(super) const ENTRY: ReadoutEntry = ReadoutEntry {
    name: "slope",
    summary: "the slope of the membrane's course over all steps, in which rounding errors average out",
    readout: Readout::Slope,
    spikes: false,
    answer,
};

fn answer(run: OutputRun<'_>, steps: u32) -> Answer {
    let mut slope = Slope::default();
    run.potentials.iter().take(steps as usize).for_each(|potentials| slope.add(potentials));
    Answer { scores: slope.summed(), steps }
}

/// The slopes of some potentials, step by step.
#[derive(Debug, Clone, Default)]
pub struct Slope {
    steps: u32,
    /// Σ k³ V(k) of each potential.
    sums: Vec<f64>,
    /// Σ k⁴.
    weight: f64,
}

impl Slope {
    /// Takes the potentials after one more step.
    pub fn add(&mut self, potentials: &[f64]) {
        self.steps += 1;
        let step = f64::from(self.steps);
        self.sums.resize(potentials.len(), 0.0);
        for (sum, potential) in self.sums.iter_mut().zip(potentials) {
            *sum += step.powi(3) * potential;
        }
        self.weight += step.powi(4);
    }

    /// The slope of each potential times the number of steps.
    pub fn summed(&self) -> Vec<f64> {
        let factor = f64::from(self.steps) / self.weight.max(1.0);
        self.sums.iter().map(|sum| factor * sum).collect()
    }
}
