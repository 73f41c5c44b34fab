//! Early stop: the summed membrane is read after every step, and the run ends as soon as the largest
//! potential leads the second by a margin.
//!
//! What rounding to spikes does to a summed potential stays bounded while the lead of a clear answer
//! grows with every step; so easy samples stop after a few steps and hard ones take all of them.
//!
//! Source: Li, Jones and Furber 2023, ICCV, "dynamic confidence".

use super::{Answer, OutputRun, ReadoutEntry, potentials_after};
use crate::lower::Readout;

pub(super) const ENTRY: ReadoutEntry = ReadoutEntry {
    name: "early_stop",
    summary: "summed membrane, but the run ends once the largest leads by a margin",
    readout: Readout::EarlyStop,
    spikes: false,
    answer,
};

fn answer(run: OutputRun<'_>, steps: u32) -> Answer {
    let clear = |step: &u32| lead(&potentials_after(run, *step)) >= run.margin;
    let steps = (1..steps).find(clear).unwrap_or(steps);
    Answer { scores: potentials_after(run, steps), steps }
}

/// How far the largest score lies above the second.
fn lead(scores: &[f64]) -> f64 {
    let (mut first, mut second) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
    for &score in scores {
        if score > first {
            second = first;
            first = score;
        } else if score > second {
            second = score;
        }
    }
    first - second
}
