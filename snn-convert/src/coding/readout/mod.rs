//! How an answer is read from the last layer, one rule a file.
//!
//! To add a rule: its file, a variant of [`Readout`] and its line in [`READOUTS`].

mod delayed;
mod early_stop;
mod first_spike;
mod membrane;
mod output;
mod slope;
mod spike_count;

pub use output::{ReadoutError, read_by};
pub use slope::Slope;

use crate::lower::Readout;

/// What the last layer did in the steps 1, 2, … of its own time.
#[derive(Debug, Clone, Copy)]
pub struct OutputRun<'a> {
    /// Potentials after each step.
    pub potentials: &'a [Vec<f64>],
    /// (step, neuron) of each spike, by step.
    pub spikes: &'a [(u32, u32)],
    /// Lead that the largest potential needs for an early stop.
    pub margin: f64,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// One score a class; the largest wins, the first of equals.
    pub scores: Vec<f64>,
    /// Steps that were needed.
    pub steps: u32,
}

/// A rule in the list of rules.
#[derive(Debug, Clone, Copy)]
pub struct ReadoutEntry {
    /// Name on the command line.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// The rule.
    pub readout: Readout,
    /// Whether the last layer spikes.
    pub spikes: bool,
    /// The answer within the first `steps` steps.
    pub answer: fn(OutputRun<'_>, steps: u32) -> Answer,
}

/// All rules; the first is that of methods without one of their own.
pub static READOUTS: &[ReadoutEntry] = &[
    membrane::ENTRY,
    slope::ENTRY,
    spike_count::ENTRY,
    first_spike::ENTRY,
    early_stop::ENTRY,
    delayed::ENTRY,
];

/// The rule of this name.
pub fn find_readout(name: &str) -> Option<ReadoutEntry> {
    READOUTS.iter().copied().find(|entry| entry.name == name)
}

/// The entry of a rule.
pub fn entry_of(readout: Readout) -> ReadoutEntry {
    READOUTS.iter().copied().find(|entry| entry.readout == readout).unwrap_or(membrane::ENTRY)
}

/// The potentials after `steps` steps; the last there are where there are fewer.
fn potentials_after(run: OutputRun<'_>, steps: u32) -> Vec<f64> {
    let after = run.potentials.get((steps as usize).saturating_sub(1));
    after.or(run.potentials.last()).cloned().unwrap_or_default()
}

/// A number in (0, 1) that grows with the potential: it orders what is otherwise equal.
pub(crate) fn squeeze(potential: f64) -> f64 {
    0.5 + 0.499 * potential / (1.0 + potential.abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fidelity::largest;

    /// Two classes over four steps: the second is ahead at first, the first wins in the end.
    fn run() -> (Vec<Vec<f64>>, Vec<(u32, u32)>) {
        let potentials = vec![vec![0.0, 0.4], vec![0.9, 0.8], vec![2.0, 1.2], vec![3.1, 1.6]];
        (potentials, vec![(2, 1), (3, 0), (4, 0), (4, 1)])
    }

    fn answer(name: &str, margin: f64, steps: u32) -> (usize, u32) {
        let (potentials, spikes) = run();
        let run = OutputRun { potentials: &potentials, spikes: &spikes, margin };
        let answer = (find_readout(name).unwrap().answer)(run, steps);
        (largest(&answer.scores), answer.steps)
    }

    #[test]
    fn the_membrane_is_read_after_the_last_step() {
        assert_eq!([1, 2, 4].map(|steps| answer("membrane", 0.0, steps)), [(1, 1), (0, 2), (0, 4)]);
    }

    #[test]
    fn counts_decide_and_equal_counts_leave_it_to_the_potential() {
        // One spike of class 1 after two steps; one each after three; two each after four.
        assert_eq!(
            [1, 2, 3, 4].map(|steps| answer("spike_count", 0.0, steps).0),
            // Without a spike the potential decides.
            [1, 1, 0, 0]
        );
        let score = |count: f64, potential: f64| count + squeeze(potential);
        assert!(score(3.0, 0.9) > score(3.0, 0.2));
        assert!(score(4.0, -1e6) > score(3.0, 1e6));
    }

    #[test]
    fn the_first_spike_wins_and_ends_the_run() {
        assert_eq!(answer("first_spike", 0.0, 4), (1, 2));
        // None yet: the potential decides, and all steps were needed.
        assert_eq!(answer("first_spike", 0.0, 1), (1, 1));
    }

    #[test]
    fn a_lead_of_the_margin_stops_early() {
        assert_eq!(answer("early_stop", 0.3, 4), (1, 1));
        assert_eq!(answer("early_stop", 0.7, 4), (0, 3));
        assert_eq!(answer("early_stop", 0.7, 2), (0, 2));
        assert_eq!(answer("early_stop", 9.0, 4), (0, 4));
    }

    #[test]
    fn a_delayed_answer_leaves_out_what_came_first() {
        // The second class gains 5 in the first two of eight steps, the first class 1 in each other.
        let potential = |step: u32| vec![f64::from(step.max(2) - 2), f64::from(step.min(2)) * 2.5];
        let potentials: Vec<Vec<f64>> = (1..=8).map(potential).collect();
        let run = OutputRun { potentials: &potentials, spikes: &[], margin: 0.0 };
        let scores = |steps: u32| (delayed::ENTRY.answer)(run, steps).scores;
        assert_eq!(scores(8), [8.0, 0.0]);
        // Five steps leave out one; of four all stay.
        assert_eq!(scores(5), [3.0 * 1.25, 2.5 * 1.25]);
        assert_eq!(scores(4), [2.0, 5.0]);
    }

    #[test]
    fn a_slope_is_that_of_the_weighted_line_through_the_origin() {
        // By hand: (1·1 + 8·2 + 27·6) / (1 + 16 + 81) = 179/98 for the first score; the second lies on
        // a line, and its slope is exact.
        let potentials = [vec![1.0, -2.0], vec![2.0, -4.0], vec![6.0, -6.0]];
        let run = OutputRun { potentials: &potentials, spikes: &[], margin: 0.0 };
        let scores = (slope::ENTRY.answer)(run, 3).scores;
        assert!((scores[0] - 3.0 * 179.0 / 98.0).abs() < 1e-12, "{scores:?}");
        assert!((scores[1] + 6.0).abs() < 1e-12, "{scores:?}");
        // It is where the weighted sum of squares is smallest.
        let squares = |slope: f64| -> f64 {
            let line =
                (1..).zip(&potentials).map(|(k, v)| (f64::from(k), v[0] - slope * f64::from(k)));
            line.map(|(k, off)| (k * off).powi(2)).sum()
        };
        let best = scores[0] / 3.0;
        assert!([-1e-3, 1e-3].iter().all(|off| squares(best + off) > squares(best)));
        assert_eq!((slope::ENTRY.answer)(run, 1).scores, [1.0, -2.0]);
    }

    #[test]
    fn every_rule_is_found_by_its_name_and_by_itself() {
        for entry in READOUTS {
            assert_eq!(find_readout(entry.name).unwrap().readout, entry.readout);
            assert_eq!(entry_of(entry.readout).name, entry.name);
            assert!(answer(entry.name, 1.0, 4).1 <= 4);
        }
        assert!(find_readout("oracle").is_none());
    }
}
