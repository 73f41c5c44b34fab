//! Spike count: the last layer spikes, and the class with the most spikes wins.
//!
//! Equal counts are ordered by the potential.
//!
//! Source: Diehl et al. 2015, IJCNN.

use super::{Answer, OutputRun, ReadoutEntry, potentials_after, squeeze};
use crate::lower::Readout;

pub(super) const ENTRY: ReadoutEntry = ReadoutEntry {
    name: "spike_count",
    summary: "the last layer spikes; the class with the most spikes wins",
    readout: Readout::SpikeCount,
    spikes: true,
    answer,
};

fn answer(run: OutputRun<'_>, steps: u32) -> Answer {
    let mut scores: Vec<f64> = potentials_after(run, steps).into_iter().map(squeeze).collect();
    for &(_, neuron) in run.spikes.iter().filter(|(step, _)| *step <= steps) {
        if let Some(score) = scores.get_mut(neuron as usize) {
            *score += 1.0;
        }
    }
    Answer { scores, steps }
}
