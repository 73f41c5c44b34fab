//! What spikes say to the synapses that they reach.

use crate::neuron::Combine;

/// The spikes of one step that arrive together.
#[derive(Debug, Clone, Copy)]
pub struct Arriving<'a> {
    /// Who spiked, local to the population and ascending.
    pub neurons: &'a [u32],
    /// Their payloads; empty where all are 1.
    pub payloads: &'a [i32],
    /// What they sent in place of spikes, one number each; empty where they spiked.
    pub values: &'a [f64],
    /// Running sums of the payloads of these neurons, where the receptor needs them.
    pub running: &'a [i32],
    /// Their age in steps.
    pub delay: u32,
}

impl Arriving<'_> {
    /// What the spike at this place says to its synapses.
    pub fn message(&self, index: usize) -> Message {
        let payload = self.payloads.get(index).copied().unwrap_or(1);
        Message { payload, running: self.running.get(index).copied().unwrap_or(0) }
    }
}

/// What a spike says to the synapses that it reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Message {
    /// Its payload; 1 where the source's model is not graded.
    pub payload: i32,
    /// The sum of all payloads that the source has sent so far, this one included.
    pub running: i32,
}

impl Message {
    /// What the weight is multiplied by.
    pub fn factor(self, combine: Combine) -> f64 {
        f64::from(match combine {
            Combine::Sum => self.payload,
            Combine::LargestRunningCount => self.running,
        })
    }
}
