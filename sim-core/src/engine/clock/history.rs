//! The spikes of the last steps, by step and population.

use super::super::Compiled;
use crate::connectome::Arriving;
use crate::neuron::{Combine, Emitted};

/// The spikes of one population in one step, neurons local and ascending.
#[derive(Debug, Clone, Default)]
pub(super) struct StepSpikes {
    pub(super) neurons: Vec<u32>,
    /// Their payloads, of graded models only.
    payloads: Vec<i32>,
    /// What they sent in place of spikes, of models that do.
    values: Vec<f64>,
    /// Running sums of the payloads of these neurons, where a projection needs them.
    running: Vec<i32>,
}

impl StepSpikes {
    pub(super) fn arriving(&self, delay: u32) -> Arriving<'_> {
        let StepSpikes { neurons, payloads, values, running } = self;
        Arriving { neurons, payloads, values, running, delay }
    }

    /// The payloads, of graded models only.
    pub(super) fn payloads(&self) -> &[i32] {
        &self.payloads
    }

    /// What was sent in place of spikes, of models that do.
    pub(super) fn values(&self) -> &[f64] {
        &self.values
    }

    fn clear(&mut self) {
        self.neurons.clear();
        self.payloads.clear();
        self.values.clear();
        self.running.clear();
    }
}

/// The spikes of the last steps, by step and population.
#[derive(Debug)]
pub(super) struct History {
    steps: Vec<Vec<StepSpikes>>,
    /// Running sums of the payloads of all neurons of populations for which a projection needs
    /// them; else empty.
    running: Vec<Vec<i32>>,
}

impl History {
    pub(super) fn new(compiled: &Compiled, length: u64) -> Self {
        let populations = compiled.network.populations();
        let fanouts = compiled.connectome.fanouts();
        let counted = |index: usize| {
            fanouts.iter().any(|fanout| {
                fanout.source_population() == index
                    && fanout.combine() == Combine::LargestRunningCount
            })
        };
        let size = |index: usize| {
            if counted(index) { populations[index].size() as usize } else { 0 }
        };
        History {
            steps: vec![vec![StepSpikes::default(); populations.len()]; length as usize],
            running: (0..populations.len()).map(|index| vec![0; size(index)]).collect(),
        }
    }

    #[inline]
    pub(super) fn at(&self, step: u64) -> &[StepSpikes] {
        &self.steps[(step % self.steps.len() as u64) as usize]
    }

    /// Makes room for the spikes of a step in the place of the oldest.
    pub(super) fn begin(&mut self, step: u64) {
        let slot = (step % self.steps.len() as u64) as usize;
        self.steps[slot].iter_mut().for_each(StepSpikes::clear);
    }

    /// Adds spikes of a step, counting them.
    pub(super) fn add(&mut self, step: u64, population: usize, sent: &Emitted) {
        let slot = (step % self.steps.len() as u64) as usize;
        let spikes = &mut self.steps[slot][population];
        spikes.neurons.extend_from_slice(&sent.neurons);
        spikes.payloads.extend_from_slice(&sent.payloads);
        spikes.values.extend_from_slice(&sent.values);
        let running = &mut self.running[population];
        if running.is_empty() {
            return;
        }
        for (index, &neuron) in sent.neurons.iter().enumerate() {
            let payload = sent.payloads.get(index).copied().unwrap_or(1);
            let sum = &mut running[neuron as usize];
            *sum = sum.wrapping_add(payload);
            spikes.running.push(*sum);
        }
    }

    /// The running sums of a population's neurons as they were before these last steps; empty where
    /// they are not needed.
    pub(super) fn running_before(
        &self,
        population: usize,
        steps: std::ops::RangeInclusive<u64>,
    ) -> Vec<i32> {
        let mut running = self.running[population].clone();
        if running.is_empty() {
            return running;
        }
        for spikes in steps.map(|step| &self.at(step)[population]) {
            for (index, &neuron) in spikes.neurons.iter().enumerate() {
                let payload = spikes.payloads.get(index).copied().unwrap_or(1);
                let sum = &mut running[neuron as usize];
                *sum = sum.wrapping_sub(payload);
            }
        }
        running
    }

    /// Puts the running sums of a population's neurons back; whether there are as many.
    pub(super) fn set_running(&mut self, population: usize, sums: &[i32]) -> bool {
        let fits = self.running[population].len() == sums.len();
        if fits {
            self.running[population].copy_from_slice(sums);
        }
        fits
    }

    pub(super) fn clear(&mut self) {
        self.steps.iter_mut().flatten().for_each(StepSpikes::clear);
        self.running.iter_mut().for_each(|sums| sums.fill(0));
    }
}
