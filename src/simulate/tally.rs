//! What is counted of a recording that is handed on piece by piece.

use crate::sim_core::connectome::Connectome;
use crate::sim_core::network::{ValidNetwork, ValidProbe};
use crate::sim_core::recording::{Recording, Spike};
use crate::snn_convert::fidelity::{digest, digest_on};

/// Recorded spikes and their digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) spikes: usize,
    pub(super) hash: u64,
}

impl Tally {
    /// Nothing was recorded.
    pub(super) fn new() -> Self {
        Tally { spikes: 0, hash: digest(&[]) }
    }

    /// Counts the spikes that come next.
    pub(super) fn add(&mut self, spikes: &[Spike]) {
        self.spikes += spikes.len();
        self.hash = digest_on(self.hash, spikes);
    }
}

/// How many steps are run before what was recorded is handed on, so that it never fills more than
/// some megabytes: however long the run, however many spikes.
#[derive(Debug)]
pub(super) struct Pace {
    steps: u64,
    most: u64,
}

/// Bytes of samples that are held at the most.
const BYTES: u64 = 1 << 20;

/// Spikes that are held, about.
const SPIKES: usize = 1 << 17;

/// Bytes of a synapse on its way into a sample of weights.
const SAMPLED: u64 = size_of::<(u32, u32, u32, f64)>() as u64;

/// Bytes that a run holds of what its probes record, about.
pub(crate) fn held_bytes(network: &ValidNetwork) -> u64 {
    let is_spikes = |probe: &ValidProbe| probe.variable.is_none();
    let spikes = network.probes().values().any(is_spikes);
    let size = |probe: &ValidProbe| u64::from(network.populations()[probe.population].size());
    let samples: u64 =
        network.probes().values().filter(|probe| !is_spikes(probe)).map(|p| 8 * size(p)).sum();
    let synapses = network.weight_probes().values().map(|probe| {
        let projection = &network.projections()[probe.projection];
        projection.connectivity.behaviour().expected_synapses(&projection.ends)
    });
    let (weights, largest) = synapses.fold((0_u64, 0), |(sum, largest): (u64, u64), count| {
        (sum.saturating_add(count.saturating_mul(8)), largest.max(count))
    });
    let samples = samples.saturating_add(weights);
    // Between half and all of what may be held is, where it is that much.
    let held = if samples > 0 { samples.max(BYTES * 3 / 4) } else { 0 };
    let spikes = if spikes { SPIKES as u64 * size_of::<Spike>() as u64 / 2 } else { 0 };
    held.saturating_add(spikes).saturating_add(largest.saturating_mul(SAMPLED))
}

impl Pace {
    pub(super) fn new(network: &ValidNetwork, connectome: &Connectome) -> Self {
        let neurons = network.probes().values().filter(|probe| probe.variable.is_some());
        let neurons = neurons.map(|probe| {
            let size = u64::from(network.populations()[probe.population].size());
            (size, probe.interval)
        });
        let synapses = network
            .weight_probes()
            .values()
            .map(|probe| (connectome.fanouts()[probe.projection].synapse_count(), probe.interval));
        // Bytes a step, in 1/1024.
        let rate = neurons.chain(synapses).map(|(count, every)| 8 * 1024 * count / every.max(1));
        let most = (1024 * BYTES).checked_div(rate.sum()).unwrap_or(u64::MAX).max(1);
        Pace { steps: most.min(64), most }
    }

    /// Steps to run next.
    pub(super) fn steps(&self) -> u64 {
        self.steps
    }

    /// Adapts to what was recorded last.
    pub(super) fn adapt(&mut self, recorded: &Recording) {
        match recorded.spikes.len() {
            many if many > SPIKES => self.steps = (self.steps / 2).max(1),
            few if few < SPIKES / 4 => self.steps = self.steps.saturating_mul(2).min(self.most),
            _ => {}
        }
    }
}
