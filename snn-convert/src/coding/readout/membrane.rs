//! Summed membrane: the last layer integrates without spiking, and its potentials are the scores.
//!
//! Nothing is lost to a threshold: after T steps a potential is the sum of all input.
//!
//! Source: Rueckauer et al. 2017, Front. Neurosci. 11:682.

use super::{Answer, OutputRun, ReadoutEntry, potentials_after};
use crate::lower::Readout;

pub(super) const ENTRY: ReadoutEntry = ReadoutEntry {
    name: "membrane",
    summary: "the last layer integrates without spiking; its potentials are the scores",
    readout: Readout::Membrane,
    spikes: false,
    answer,
};

fn answer(run: OutputRun<'_>, steps: u32) -> Answer {
    Answer { scores: potentials_after(run, steps), steps }
}
