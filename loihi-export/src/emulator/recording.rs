//! What a run of the emulator leaves behind.

use super::{process::NeuronState, spikes::SpikeTrain};

/// Spikes of all populations, and state where it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmulatorRecording {
    /// Names of the populations, in the network's order.
    pub populations: Vec<String>,
    /// Spikes of each population.
    pub spikes: Vec<SpikeTrain>,
    /// State of the populations that were traced.
    pub traces: Vec<StateTrace>,
    /// Synapses that the spikes of the run have passed.
    pub synaptic_events: u64,
}

/// State of one population at the end of every step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateTrace {
    /// Index of the population.
    pub population: usize,
    /// Synaptic currents `[step][neuron]`.
    pub current: Vec<Vec<i32>>,
    /// Membrane potentials `[step][neuron]`.
    pub membrane: Vec<Vec<i32>>,
}

impl EmulatorRecording {
    pub(super) fn new(populations: Vec<String>, traced: &[usize]) -> Self {
        let trace = |&population: &usize| StateTrace {
            population,
            current: Vec::new(),
            membrane: Vec::new(),
        };
        Self {
            spikes: vec![SpikeTrain::new(); populations.len()],
            populations,
            traces: traced.iter().map(trace).collect(),
            synaptic_events: 0,
        }
    }
}

impl StateTrace {
    pub(super) fn push(&mut self, state: &NeuronState) {
        self.current.push(state.current.clone());
        self.membrane.push(state.membrane.clone());
    }
}
