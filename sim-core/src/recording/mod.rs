//! What a simulation leaves behind: spikes in time order, samples of state variables, counts.

use crate::time::Time;
use serde::Serialize;

/// One spike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Spike {
    /// When.
    pub time: Time,
    /// Global index of the neuron.
    pub neuron: u32,
}

/// Name and neurons of a population, so that a recording explains itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PopulationInfo {
    /// Name.
    pub name: String,
    /// Global index of the first neuron.
    pub first: u32,
    /// Number of neurons.
    pub size: u32,
}

/// Samples of a state variable of a population.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trace {
    /// Name of the probe.
    pub probe: String,
    /// Index of the population.
    pub population: usize,
    /// Name of the variable.
    pub variable: &'static str,
    /// Sample times.
    pub times: Vec<Time>,
    /// Samples `[time, neuron]`, row-major, in the variable's base unit.
    pub values: Vec<f64>,
}

/// Samples of the weights of a projection.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WeightTrace {
    /// Name of the probe.
    pub probe: String,
    /// Index of the projection.
    pub projection: usize,
    /// Sample times.
    pub times: Vec<Time>,
    /// Samples `[time, synapse]`, row-major, in the receptor's base unit; synapses by (source,
    /// delay, target) as [`crate::engine::Engine::weights`] gives them.
    pub values: Vec<f64>,
}

impl Trace {
    /// The same trace before its first sample.
    fn without_samples(&self) -> Trace {
        Trace {
            probe: self.probe.clone(),
            population: self.population,
            variable: self.variable,
            times: Vec::new(),
            values: Vec::new(),
        }
    }
}

impl WeightTrace {
    /// The same trace before its first sample.
    fn without_samples(&self) -> WeightTrace {
        let (probe, projection) = (self.probe.clone(), self.projection);
        WeightTrace { probe, projection, times: Vec::new(), values: Vec::new() }
    }
}

/// How much happened, recorded or not.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Counters {
    /// Spikes of each population.
    pub spikes: Vec<u64>,
    /// Spikes × synapses of the spiking neuron.
    pub synaptic_operations: u64,
    /// The same for each population's spikes.
    pub population_operations: Vec<u64>,
    /// Sizes of the payloads of each population's spikes, signs left out.
    pub payload_sums: Vec<u64>,
    /// Sizes of the payloads × synapses of the spiking neuron, for each population's spikes.
    pub payload_operations: Vec<u64>,
}

impl Counters {
    /// Nothing has happened in so many populations.
    pub fn new(populations: usize) -> Self {
        Counters {
            spikes: vec![0; populations],
            synaptic_operations: 0,
            population_operations: vec![0; populations],
            payload_sums: vec![0; populations],
            payload_operations: vec![0; populations],
        }
    }

    /// All counts by name.
    pub(crate) fn columns_mut(&mut self) -> [(&'static str, &mut [u64]); 5] {
        [
            ("spikes", &mut self.spikes),
            ("synaptic_operations", std::slice::from_mut(&mut self.synaptic_operations)),
            ("population_operations", &mut self.population_operations),
            ("payload_sums", &mut self.payload_sums),
            ("payload_operations", &mut self.payload_operations),
        ]
    }

    /// Counts a spike of a neuron with so many synapses.
    pub fn add(&mut self, population: usize, synapses: u64, payload: i32) {
        let size = u64::from(payload.unsigned_abs());
        self.payload_sums[population] += size;
        self.payload_operations[population] += size * synapses;
        self.spikes[population] += 1;
        self.synaptic_operations += synapses;
        self.population_operations[population] += synapses;
    }

    /// Counts spikes of one population: the synapses that each reaches, and their payloads (all 1
    /// where there are none).
    pub fn add_all(
        &mut self,
        population: usize,
        synapses: impl ExactSizeIterator<Item = u64>,
        payloads: &[i32],
    ) {
        let spikes = synapses.len() as u64;
        let (mut reached, mut sizes, mut operations) = (0, 0, 0);
        match payloads {
            [] => {
                reached = synapses.sum();
                (sizes, operations) = (spikes, reached);
            }
            payloads => synapses.zip(payloads).for_each(|(synapses, payload)| {
                let size = u64::from(payload.unsigned_abs());
                reached += synapses;
                sizes += size;
                operations += size * synapses;
            }),
        }
        self.payload_sums[population] += sizes;
        self.payload_operations[population] += operations;
        self.spikes[population] += spikes;
        self.synaptic_operations += reached;
        self.population_operations[population] += reached;
    }
}

/// Spikes and traces of a run.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Recording {
    /// Populations of the network.
    pub populations: Vec<PopulationInfo>,
    /// Spikes of the probed populations by (time, neuron).
    pub spikes: Vec<Spike>,
    /// The payload of each of these spikes; empty while all are 1.
    pub payloads: Vec<i32>,
    /// One trace a probe of a state variable.
    pub traces: Vec<Trace>,
    /// One trace a probe of weights.
    pub weights: Vec<WeightTrace>,
    /// Counts of everything.
    pub counters: Counters,
    /// How long was simulated.
    pub duration: Time,
}

/// The first place at which two recordings differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Position in the time-ordered list of spikes.
    pub position: usize,
    /// The spike that the first recording has there.
    pub first: Option<Spike>,
    /// The spike that the second recording has there.
    pub second: Option<Spike>,
}

/// The first differing spike of two time-ordered lists; `None` where they are equal.
pub fn first_difference(first: &[Spike], second: &[Spike]) -> Option<Difference> {
    let length = first.len().max(second.len());
    (0..length)
        .map(|position| (position, first.get(position), second.get(position)))
        .find(|(_, a, b)| a != b)
        .map(|(position, a, b)| Difference { position, first: a.copied(), second: b.copied() })
}

impl Recording {
    /// Hands over spikes and samples and keeps none; counters and duration stay.
    pub fn take(&mut self) -> Recording {
        let mut left = Recording {
            populations: self.populations.clone(),
            counters: self.counters.clone(),
            duration: self.duration,
            ..Recording::default()
        };
        left.weights = self.weights.iter().map(WeightTrace::without_samples).collect();
        left.traces = self.traces.iter().map(Trace::without_samples).collect();
        std::mem::replace(self, left)
    }

    /// Adds a spike that comes after all others.
    pub fn push_spike(&mut self, spike: Spike, payload: i32) {
        if payload != 1 && self.payloads.is_empty() {
            self.payloads.resize(self.spikes.len(), 1);
        }
        if payload != 1 || !self.payloads.is_empty() {
            self.payloads.push(payload);
        }
        self.spikes.push(spike);
    }

    /// The population that a neuron belongs to.
    pub fn population_of(&self, neuron: u32) -> Option<&PopulationInfo> {
        self.populations.iter().find(|population| {
            (population.first..population.first + population.size).contains(&neuron)
        })
    }

    /// Mean rate of each population in spikes per neuron and second.
    pub fn rates(&self) -> Vec<f64> {
        let seconds = self.duration.milliseconds() / 1000.0;
        let rate = |(population, &spikes): (&PopulationInfo, &u64)| {
            let neurons_seconds = f64::from(population.size) * seconds;
            if neurons_seconds > 0.0 { spikes as f64 / neurons_seconds } else { 0.0 }
        };
        self.populations.iter().zip(&self.counters.spikes).map(rate).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_found_also_behind_the_shorter_end() {
        let spike = |time, neuron| Spike { time: Time(time), neuron };
        let a = [spike(1, 0), spike(2, 5), spike(3, 1)];
        assert_eq!(first_difference(&a, &a), None);
        let other = [spike(1, 0), spike(2, 6), spike(3, 1)];
        assert_eq!(first_difference(&a, &other).unwrap().position, 1);
        let longer = first_difference(&a[..2], &a).unwrap();
        assert_eq!((longer.position, longer.first, longer.second), (2, None, Some(a[2])));
    }
}
