//! Running a network only until its read-out has an answer.

use super::count::digest_of_counts;
use super::{FidelityError, Presenter, SampleRun, class_of, digest};
use crate::coding::readout::{OutputRun, entry_of};
use crate::lower::{Readout, Timing};
use sim_core::engine::Engine;

/// What had happened in the whole network when the last layer ended a step.
struct Totals {
    spikes: u64,
    operations: u64,
}

impl Presenter<'_> {
    /// Runs step by step and asks the read-out after each; counts end with the answer.
    pub(super) fn run_decided(&self, engine: &mut dyn Engine) -> Result<SampleRun, FidelityError> {
        let grid = self.compiled.network().grid();
        let (readout, inputs) = (self.readout(), self.input_populations());
        let entry = entry_of(self.conversion.readout);
        let (start, most, limits) = self.decision_steps();
        engine.run(grid.time_of(start), &mut |_| true)?;
        let (mut potentials, mut totals) = (Vec::new(), Vec::new());
        for step in 1..=most {
            engine.run(grid.step(), &mut |_| true)?;
            potentials.push(engine.variable(readout, 0));
            let counters = &engine.recording().counters;
            let spikes = counters.spikes.iter().skip(inputs).sum();
            totals.push(Totals { spikes, operations: counters.synaptic_operations });
            let spikes = self.output_spikes(engine, start);
            let margin = self.conversion.margin;
            let run = OutputRun { potentials: &potentials, spikes: &spikes, margin };
            // An answer that needs no more steps stays what it is.
            if (entry.answer)(run, step + 1).steps <= step {
                break;
            }
        }
        let spikes = self.output_spikes(engine, start);
        let margin = self.conversion.margin;
        let output = OutputRun { potentials: &potentials, spikes: &spikes, margin };
        let mut run = SampleRun {
            classes: Vec::new(),
            scores: Vec::new(),
            scores_at: Vec::new(),
            steps_used: Vec::new(),
            spikes: Vec::new(),
            synaptic_operations: Vec::new(),
            population_spikes: engine.recording().counters.spikes.clone(),
            saturated: self.saturated(engine),
            digest: 0,
        };
        for steps in limits {
            let answer = (entry.answer)(output, steps);
            let last = (answer.steps as usize).saturating_sub(1);
            let total = totals.get(last).or(totals.last());
            run.spikes.push(total.map_or(0, |total| total.spikes));
            run.synaptic_operations.push(total.map_or(0, |total| total.operations));
            run.classes.push(class_of(&answer.scores));
            run.steps_used.push(answer.steps);
            run.scores_at.push(answer.scores);
        }
        run.scores = run.scores_at.last().cloned().unwrap_or_default();
        run.digest = match self.recorded {
            true => digest(&engine.recording().spikes),
            false => digest_of_counts(&run),
        };
        Ok(run)
    }

    /// Steps before the last layer acts, the most that it may act, and the numbers asked for.
    fn decision_steps(&self) -> (u64, u32, Vec<u32>) {
        let steps = &self.config.steps;
        match self.conversion.timing {
            Timing::AnyStep => {
                let most = steps.last().copied().unwrap_or(1);
                (u64::from(self.conversion.latency()), most, steps.clone())
            }
            Timing::Once { step, .. } => {
                let window = self.conversion.input.window;
                (u64::from(step - window.min(step)), window, vec![window; steps.len()])
            }
        }
    }

    /// (step of the last layer's own time, neuron) of its spikes.
    fn output_spikes(&self, engine: &dyn Engine, start: u64) -> Vec<(u32, u32)> {
        if self.conversion.readout != Readout::FirstSpike {
            return Vec::new();
        }
        let grid = self.compiled.network().grid();
        let range = self.compiled.network().populations()[self.readout()].range();
        let spikes = engine.recording().spikes.iter().filter(|spike| range.contains(&spike.neuron));
        spikes
            .map(|spike| {
                let step = grid.step_at(spike.time).saturating_sub(start);
                (step as u32, spike.neuron - range.start)
            })
            .collect()
    }
}
