//! Delayed read-out: what the potentials gain after the first steps, which a deep network answers with
//! spikes that have not settled.
//!
//! Of T steps the first ⌊T/4⌋ are left out, as long as four stay; what is gained in the others is
//! scaled to T steps.
//!
//! Source: Hwang et al. 2021, Front. Neurosci. 15:629000, "Low-latency spiking neural networks using
//! pre-charged membrane potential and delayed evaluation".

use super::{Answer, OutputRun, ReadoutEntry, potentials_after};
use crate::lower::Readout;

/// Of so many steps one is left out.
const SHARE: u32 = 4;
/// Steps that stay.
const FEWEST: u32 = 4;

pub(super) const ENTRY: ReadoutEntry = ReadoutEntry {
    name: "delayed",
    summary: "summed membrane without the first quarter of the steps, when spikes have not settled",
    readout: Readout::Delayed,
    spikes: false,
    answer,
};

fn answer(run: OutputRun<'_>, steps: u32) -> Answer {
    let left_out = (steps / SHARE).min(steps.saturating_sub(FEWEST));
    let mut scores = potentials_after(run, steps);
    if left_out > 0 {
        let scale = f64::from(steps) / f64::from(steps - left_out);
        for (score, before) in scores.iter_mut().zip(potentials_after(run, left_out)) {
            *score = (*score - before) * scale;
        }
    }
    Answer { scores, steps }
}
