//! First spike: the class whose neuron spikes first wins, and nothing more needs to be computed.
//!
//! Spikes of one step are ordered by the potential after it; without any spike the potential decides.
//!
//! Source: Thorpe, Delorme and Van Rullen 2001, Neural Networks 14:715.

use super::{Answer, OutputRun, ReadoutEntry, potentials_after, squeeze};
use crate::lower::Readout;

pub(super) const ENTRY: ReadoutEntry = ReadoutEntry {
    name: "first_spike",
    summary: "the last layer spikes; the class that spikes first wins and ends the run",
    readout: Readout::FirstSpike,
    spikes: true,
    answer,
};

fn answer(run: OutputRun<'_>, steps: u32) -> Answer {
    let first = run.spikes.iter().map(|&(step, _)| step).min().filter(|&step| step <= steps);
    let steps = first.unwrap_or(steps);
    let mut scores: Vec<f64> = potentials_after(run, steps).into_iter().map(squeeze).collect();
    for &(_, neuron) in run.spikes.iter().filter(|(step, _)| *step <= steps) {
        if let Some(score) = scores.get_mut(neuron as usize) {
            *score += 1.0;
        }
    }
    Answer { scores, steps }
}
