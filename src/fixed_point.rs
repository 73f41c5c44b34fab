//! Converted networks on the fixed-point engine: accuracy of what a chip would compute.

use crate::data::Samples;
use crate::error::Error;
use crate::loihi_export::chip::ChipSpec;
use crate::loihi_export::emulator::{
    Emulator, EmulatorRecording, OverflowReport, Spike, SpikeTrain,
};
use crate::loihi_export::quantise::network::QuantisedNetwork;
use crate::progress::Progress;
use crate::snn_convert::coding::deterministic_rate;
use rayon::prelude::*;

/// A chain of layers that an input population feeds, run sample after sample from rest.
#[derive(Debug)]
pub struct FixedPointRunner {
    emulator: Emulator,
    /// Index of the last population.
    readout: usize,
    /// Steps in which the input spikes.
    steps: u32,
    /// Steps that are run: one more for every layer.
    total: u32,
}

/// What one sample did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedPointRun {
    /// Class by spike count of the last layer; equal counts are ordered by the potential.
    pub class: usize,
    /// Spikes of all populations but the input.
    pub spikes: u64,
    /// Synaptic events, those of the input included.
    pub synaptic_events: u64,
    /// Wraps and clips.
    pub overflows: u64,
    /// The same by place, with the first step and neuron of each.
    pub overflow_report: OverflowReport,
}

impl FixedPointRunner {
    /// Prepares a network for samples of `steps` steps; the network's first population is its input.
    ///
    /// # Errors
    /// [`Error::Emulator`].
    pub fn new(network: &QuantisedNetwork, chip: &ChipSpec, steps: u32) -> Result<Self, Error> {
        let emulator = Emulator::new(network, chip)?;
        let layers = network.populations.len().saturating_sub(1);
        Ok(FixedPointRunner { emulator, readout: layers, steps, total: steps + layers as u32 })
    }

    /// Steps that are run for one sample.
    pub fn total_steps(&self) -> u32 {
        self.total
    }

    /// The input spikes of a sample.
    pub fn encode(&self, sample: &[f32]) -> SpikeTrain {
        let mut train = SpikeTrain::new();
        for neurons in deterministic_rate::encode(sample, self.steps) {
            let spikes: Vec<Spike> = neurons.into_iter().map(Spike::plain).collect();
            train.push_step(&spikes);
        }
        train
    }

    /// All spikes of one sample.
    ///
    /// # Errors
    /// [`Error::Emulator`].
    pub fn record(&self, sample: &[f32]) -> Result<EmulatorRecording, Error> {
        let mut emulator = self.emulator.clone();
        Ok(emulator.run(self.total as usize, &[self.encode(sample)])?)
    }

    /// Runs samples in parallel.
    ///
    /// # Errors
    /// [`Error::Emulator`] of the first sample that fails.
    pub fn run(
        &self,
        samples: &Samples,
        progress: &dyn Progress,
    ) -> Result<Vec<FixedPointRun>, Error> {
        let all: Vec<&[f32]> = samples.iter().collect();
        progress.begin("fixed-point engine", all.len() as u64);
        let runs = all
            .par_iter()
            .map(|sample| {
                let run = self.run_one(sample);
                progress.advance();
                run
            })
            .collect();
        progress.end();
        runs
    }

    fn run_one(&self, sample: &[f32]) -> Result<FixedPointRun, Error> {
        let mut emulator = self.emulator.clone();
        let recording = emulator.run(self.total as usize, &[self.encode(sample)])?;
        let potentials = emulator.membrane(self.readout);
        let counts = recording.spikes[self.readout].counts(potentials.len());
        let spikes = recording.spikes.iter().skip(1).map(|train| train.count() as u64).sum();
        let overflows: OverflowReport = emulator.overflows();
        Ok(FixedPointRun {
            class: class(&counts, potentials),
            spikes,
            synaptic_events: recording.synaptic_events,
            overflows: overflows.total(),
            overflow_report: overflows,
        })
    }
}

/// The neuron with the most spikes; of equals the one with the largest potential, then the first.
fn class(counts: &[u32], potentials: &[i32]) -> usize {
    let mut best = 0;
    for neuron in 1..counts.len() {
        if (counts[neuron], potentials[neuron]) > (counts[best], potentials[best]) {
            best = neuron;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_counts_are_ordered_by_the_potential() {
        assert_eq!(class(&[1, 3, 3, 2], &[9, 4, 5, 9]), 2);
        assert_eq!(class(&[3, 3], &[5, 5]), 0);
        assert_eq!(class(&[0, 0, 1], &[90, 4, -5]), 2);
    }
}
