//! Running a network that was given a sample, and counting what it does.

use super::{FidelityError, Presenter, SampleRun, class_of, digest_with_payloads};
use crate::coding::readout::{Slope, squeeze};
use crate::lower::{Readout, SpikeValue, Timing};
use sim_core::engine::Engine;

/// A moment at which something is read.
struct Stop {
    /// The step at whose end that is.
    step: u64,
    /// Index of the number of steps after which counts are complete; none at the end of a first phase,
    /// when payloads are bursts.
    number: Option<usize>,
    /// The population whose counts are read.
    population: usize,
}

/// A run under way, and what its potentials say up to now.
struct Course {
    /// Steps done.
    reached: u64,
    /// Step before the read-out's first.
    onset: u64,
    /// The course of the potentials, where that is read.
    slope: Option<Slope>,
    /// What is read at each number of steps.
    potentials: Vec<Vec<f64>>,
}

impl Course {
    /// Reads for one number of steps, now.
    fn read(&mut self, engine: &dyn Engine, readout: usize) {
        self.potentials.push(match &self.slope {
            Some(slope) => slope.summed(),
            None => engine.variable(readout, 0),
        });
    }
}

impl Presenter<'_> {
    /// Index of the read-out's population.
    pub(super) fn readout(&self) -> usize {
        self.conversion.layers.len() - 1 + self.input_populations()
    }

    /// Runs and evaluates the recorded spikes.
    pub(super) fn run_recorded(&self, engine: &mut dyn Engine) -> Result<SampleRun, FidelityError> {
        let readout = self.readout();
        let mut course = self.course();
        for number in 0..self.config.steps.len() {
            self.run_to(engine, self.step_of(readout, number), &mut course)?;
            course.read(engine, readout);
        }
        Ok(self.evaluate(engine, readout, &course.potentials))
    }

    /// A run that has not begun.
    fn course(&self) -> Course {
        let onset = self.conversion.layers.last().map_or(0, |layer| u64::from(layer.onset));
        let slope = (self.conversion.readout == Readout::Slope).then(Slope::default);
        Course { reached: 0, onset, slope, potentials: Vec::new() }
    }

    /// Runs to the end of a step; where the course of the potentials is read, in single steps.
    fn run_to(
        &self,
        engine: &mut dyn Engine,
        step: u64,
        course: &mut Course,
    ) -> Result<(), FidelityError> {
        let grid = self.compiled.network().grid();
        while course.reached < step {
            let next = match course.slope {
                Some(_) => (course.reached + 1).max(course.onset).min(step),
                None => step,
            };
            engine.run(grid.time_of(next - course.reached), &mut |_| true)?;
            course.reached = next;
            if let Some(slope) = course.slope.as_mut().filter(|_| next > course.onset) {
                slope.add(&engine.variable(self.readout(), 0));
            }
        }
        Ok(())
    }

    /// The step at whose end a population has acted for a number of steps of its own.
    fn step_of(&self, population: usize, number: usize) -> u64 {
        let layer = population.checked_sub(self.input_populations());
        let onset = layer.map_or(0, |layer| self.conversion.layers[layer].onset);
        match self.conversion.timing {
            Timing::AnyStep => u64::from(onset) + u64::from(self.config.steps[number]),
            Timing::Once { step, .. } => u64::from(step),
        }
    }

    /// Runs and reads the engine's counters at every step at which one of them is complete.
    pub(super) fn run_counted(&self, engine: &mut dyn Engine) -> Result<SampleRun, FidelityError> {
        let (inputs, readout) = (self.input_populations(), self.readout());
        let (numbers, populations) = (self.config.steps.len(), readout + 1);
        let stops = (0..numbers).flat_map(|number| {
            (0..populations).map(move |population| Stop {
                step: self.step_of(population, number),
                number: Some(number),
                population,
            })
        });
        let mut stops: Vec<Stop> = stops.chain(self.first_phases()).collect();
        stops.sort_by_key(|stop| (stop.step, stop.number, stop.population));
        // Spikes and operations that bursts of a first phase are more than one of.
        let mut more = vec![[0, 0]; populations];
        let mut run = SampleRun {
            classes: Vec::with_capacity(numbers),
            scores: Vec::new(),
            scores_at: Vec::with_capacity(numbers),
            steps_used: self.config.steps.clone(),
            spikes: vec![0; numbers],
            synaptic_operations: vec![0; numbers],
            population_spikes: vec![0; populations],
            saturated: 0,
            digest: 0,
        };
        let (mut course, mut counts) = (self.course(), Vec::new());
        for Stop { step, number, population } in stops {
            self.run_to(engine, step, &mut course)?;
            let counters = &engine.recording().counters;
            let Some(number) = number else {
                let worth = self.first_phase_worth().unwrap_or(1);
                more[population] = [
                    counters.payload_sums[population] / worth - counters.spikes[population],
                    counters.payload_operations[population] / worth
                        - counters.population_operations[population],
                ];
                continue;
            };
            let (spikes, operations) = match self.counts_payloads(population) {
                true => (&counters.payload_sums, &counters.payload_operations),
                false => (&counters.spikes, &counters.population_operations),
            };
            let [more_spikes, more_operations] = more[population];
            let spikes = spikes[population] + more_spikes;
            run.synaptic_operations[number] += operations[population] + more_operations;
            if population >= inputs {
                run.spikes[number] += spikes;
            }
            run.population_spikes[population] = spikes;
            if population == readout {
                course.read(engine, readout);
                counts.push(self.readout_counts(engine, readout));
            }
        }
        run.saturated = self.saturated(engine);
        self.read(&mut run, &course.potentials, &counts);
        run.digest = digest_of_counts(&run);
        Ok(run)
    }

    /// What a spike of a first phase is worth, in a phase code.
    fn first_phase_worth(&self) -> Option<u64> {
        match self.conversion.spike_value {
            SpikeValue::Payload { first } => Some(u64::from(first.max(1))),
            SpikeValue::Count | SpikeValue::Earliness { .. } => None,
        }
    }

    /// The ends of the first phases of all layers but the read-out, in a phase code.
    fn first_phases(&self) -> Vec<Stop> {
        let spiking = self.conversion.layers.len().saturating_sub(1);
        let layers = self.first_phase_worth().map_or(0, |_| spiking);
        let stop = |(layer, own): (usize, &crate::lower::Layer)| Stop {
            step: u64::from(own.onset),
            number: None,
            population: layer + self.input_populations(),
        };
        self.conversion.layers.iter().take(layers).enumerate().map(stop).collect()
    }

    /// Whether a spike with the payload n is a burst of n spikes, and not one that is worth n.
    fn counts_payloads(&self, population: usize) -> bool {
        let model = self.compiled.network().populations()[population].model.spec().name;
        matches!(model, "burst_integrate_and_fire" | "max_pool_graded")
    }

    /// Spikes of each neuron of the read-out up to now, where they are read.
    fn readout_counts(&self, engine: &dyn Engine, readout: usize) -> Vec<f64> {
        let population = &self.compiled.network().populations()[readout];
        let mut counts = vec![0.0; population.size() as usize];
        if self.conversion.readout == Readout::SpikeCount {
            for spike in &engine.recording().spikes {
                counts[(spike.neuron - population.first) as usize] += 1.0;
            }
        }
        counts
    }

    /// Neurons that said how much their code could not express.
    pub(super) fn saturated(&self, engine: &dyn Engine) -> u64 {
        let inputs = self.input_populations();
        let mut count = 0;
        for (index, layer) in self.conversion.layers.iter().enumerate() {
            let model = self.compiled.network().populations()[index + inputs].model;
            let variables = model.spec().variables;
            let overflow = variables.iter().position(|variable| variable.name == "overflow");
            if let Some(overflow) = overflow.filter(|_| layer.saturates) {
                let values = engine.variable(index + inputs, overflow);
                count += values.iter().filter(|&&value| value > 0.0).count() as u64;
            }
        }
        count
    }

    fn evaluate(&self, engine: &dyn Engine, readout: usize, potentials: &[Vec<f64>]) -> SampleRun {
        let populations = self.compiled.network().populations();
        let grid = self.compiled.network().grid();
        let inputs = self.input_populations();
        let numbers = self.config.steps.len();
        let mut run = SampleRun {
            classes: Vec::with_capacity(numbers),
            scores: Vec::new(),
            scores_at: Vec::with_capacity(numbers),
            steps_used: self.config.steps.clone(),
            spikes: vec![0; numbers],
            synaptic_operations: vec![0; numbers],
            population_spikes: vec![0; populations.len()],
            saturated: self.saturated(engine),
            digest: digest_with_payloads(engine.recording()),
        };
        let mut counts = vec![vec![0.0; populations[readout].size() as usize]; numbers];
        let recording = engine.recording();
        for (index, spike) in recording.spikes.iter().enumerate() {
            let Some(population) = self.compiled.network().population_of(spike.neuron) else {
                continue;
            };
            let onset = match population.checked_sub(inputs) {
                Some(layer) => u64::from(self.conversion.layers[layer].onset),
                None => 0,
            };
            // The step of the layer's own time: 1 is the first in which input can arrive.
            let own = grid.step_at(spike.time).saturating_sub(onset);
            let waits = match self.conversion.timing {
                Timing::AnyStep => {
                    self.config.steps.iter().position(|&steps| own <= u64::from(steps))
                }
                Timing::Once { .. } => Some(0),
            };
            let Some(first) = waits else { continue };
            let payload = recording.payloads.get(index).copied().unwrap_or(1);
            let times = match self.conversion.spike_value {
                SpikeValue::Count if !self.counts_payloads(population) => 1,
                value => value.spikes_of(payload),
            };
            run.population_spikes[population] += times;
            let local = (spike.neuron - populations[population].first) as usize;
            for (number, count) in counts.iter_mut().enumerate().skip(first) {
                run.spikes[number] += times * u64::from(population >= inputs);
                run.synaptic_operations[number] += times * self.compiled.out_degree(spike.neuron);
                if population == readout {
                    count[local] += 1.0;
                }
            }
        }
        self.read(&mut run, potentials, &counts);
        run
    }

    /// Scores and classes at each number of steps.
    fn read(&self, run: &mut SampleRun, potentials: &[Vec<f64>], counts: &[Vec<f64>]) {
        let counted = self.conversion.readout == Readout::SpikeCount;
        for (potential, count) in potentials.iter().zip(counts) {
            let scores: Vec<f64> = match counted {
                false => potential.clone(),
                // Potentials lie below the threshold: they only order equal counts.
                true => count.iter().zip(potential).map(|(c, v)| c + squeeze(*v)).collect(),
            };
            run.classes.push(class_of(&scores));
            run.scores_at.push(scores);
        }
        run.scores = run.scores_at.last().cloned().unwrap_or_default();
    }
}

/// A digest of counts and scores, for samples whose spikes are not recorded.
pub(super) fn digest_of_counts(run: &SampleRun) -> u64 {
    let counts = run.spikes.iter().chain(&run.synaptic_operations).chain(&run.population_spikes);
    let scores = run.scores_at.iter().flatten().map(|score| score.to_bits());
    counts.copied().chain(scores).fold(0xcbf2_9ce4_8422_2325, |hash: u64, word| {
        (hash ^ word).wrapping_mul(0x0100_0000_01b3).rotate_left(29)
    })
}
