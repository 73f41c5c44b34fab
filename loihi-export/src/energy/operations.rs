//! How many operations of each kind an inference takes.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::check::CheckedMapping;
use crate::mapping::RouterPosition;
use crate::mapping::usage::for_each_bundle;
use crate::metrics::flows::{Flows, flows};
use crate::quantise::network::Connection;

/// How active a network is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Activity {
    /// Steps of an inference.
    pub steps: u32,
    /// Spikes of a neuron in a step, one mean a population.
    pub rates: Vec<f64>,
    /// Where the rates come from, for reports: `assumed` or what was run.
    pub basis: String,
}

impl Activity {
    /// The same rate for all populations.
    pub fn assumed(populations: usize, steps: u32, rate: f64) -> Self {
        let basis = format!("assumed: {rate} spikes a neuron and step");
        Self { steps, rates: vec![rate; populations], basis }
    }
}

/// Operations of a core or of a whole inference.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Operations {
    /// Neurons times steps.
    pub neuron_steps: f64,
    /// Of these, steps in which the state was computed anew.
    pub neuron_updates: f64,
    /// Spikes of neurons on chip.
    pub spikes: f64,
    /// Spikes through synapses of dense lists.
    pub dense_events: f64,
    /// Spikes through synapses of lists with indices.
    pub sparse_events: f64,
    /// Spikes through synapses of kernels.
    pub convolution_events: f64,
    /// Updates of plastic synapses.
    pub learning_updates: f64,
    /// Packets that leave cores.
    pub packets_out: f64,
    /// Packets that enter cores.
    pub packets_in: f64,
    /// Packets to a core at the sender's router.
    pub packets_in_tile: f64,
    /// Hops along rows.
    pub hops_ew: f64,
    /// Hops along columns.
    pub hops_ns: f64,
}

impl Operations {
    /// Spikes through synapses of any kind.
    pub fn synaptic_events(&self) -> f64 {
        self.dense_events + self.sparse_events + self.convolution_events
    }
}

/// What an estimate is made from.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Workload {
    /// Steps.
    pub steps: f64,
    /// Chips in use.
    pub chips: u64,
    /// Routers in use.
    pub routers: u64,
    /// Cores in use.
    pub cores: u64,
    /// All operations of an inference.
    pub total: Operations,
    /// Operations of each core in a step; empty where they are not known apart.
    pub by_core: Vec<Operations>,
    /// Hops (along rows, along columns) of the longest way.
    pub longest_way: [u64; 2],
}

/// Counts the operations of a mapping. Every neuron is computed in every step.
pub fn workload(checked: &CheckedMapping<'_>, activity: &Activity) -> Workload {
    let (network, mapping) = (checked.network(), checked.mapping());
    let rate = |population: usize| activity.rates.get(population).copied().unwrap_or(0.0);
    let mut by_core = vec![Operations::default(); mapping.cores.len()];
    for slice in &mapping.slices {
        let Some(core) = by_core.get_mut(slice.core as usize) else { continue };
        let neurons = f64::from(slice.length());
        core.neuron_steps += neurons;
        core.neuron_updates += neurons;
        core.spikes += neurons * rate(slice.population);
    }
    for_each_bundle(network, &mapping.slices, checked.limits(), |bundle| {
        let projection = &network.projections[bundle.projection];
        let core = mapping.slices[bundle.target].core as usize;
        let Some(core) = by_core.get_mut(core) else { return };
        let events = bundle.synapses as f64 * rate(projection.source);
        match projection.connection {
            Connection::Dense { .. } => core.dense_events += events,
            Connection::Sparse { .. } => core.sparse_events += events,
            Connection::Convolution { .. } => core.convolution_events += events,
        }
    });
    let flows = flows(checked, &activity.rates);
    add_packets(checked, &flows, &mut by_core);
    let steps = f64::from(activity.steps);
    let total = by_core.iter().fold(Operations::default(), |sum, core| plus(sum, core, steps));
    let way = |route: &crate::mapping::Route| {
        let vertical = route.path.windows(2).filter(|step| is_vertical(step[0], step[1])).count();
        [(route.hops() - vertical) as u64, vertical as u64]
    };
    let routers: BTreeSet<RouterPosition> = mapping.cores.iter().map(|c| c.router).collect();
    let chips: BTreeSet<u32> = routers.iter().map(|router| router.chip).collect();
    Workload {
        steps,
        chips: chips.len() as u64,
        routers: routers.len() as u64,
        cores: mapping.cores.len() as u64,
        total,
        by_core,
        longest_way: mapping.routes.iter().map(way).max_by_key(|w| w[0] + w[1]).unwrap_or([0, 0]),
    }
}

fn is_vertical(from: RouterPosition, to: RouterPosition) -> bool {
    from.chip == to.chip && from.x == to.x
}

fn add_packets(checked: &CheckedMapping<'_>, flows: &Flows, by_core: &mut [Operations]) {
    let mapping = checked.mapping();
    for (&core, packets) in &flows.sent {
        if let Some(core) = by_core.get_mut(core as usize) {
            core.packets_out += packets;
        }
    }
    for (&core, packets) in &flows.received {
        if let Some(core) = by_core.get_mut(core as usize) {
            core.packets_in += packets;
        }
    }
    let router = |core: u32| mapping.cores.get(core as usize).map(|place| place.router);
    for (&(source, target), packets) in &flows.between {
        if router(source) == router(target)
            && let Some(core) = by_core.get_mut(source as usize)
        {
            core.packets_in_tile += packets;
        }
    }
    // hops are the mesh's; they are booked on the first core so that sums over cores hold them
    let Some(first) = by_core.first_mut() else { return };
    for (&(from, to), packets) in &flows.links {
        if is_vertical(from, to) {
            first.hops_ns += packets;
        } else {
            first.hops_ew += packets;
        }
    }
}

fn plus(sum: Operations, core: &Operations, steps: f64) -> Operations {
    Operations {
        neuron_steps: sum.neuron_steps + steps * core.neuron_steps,
        neuron_updates: sum.neuron_updates + steps * core.neuron_updates,
        spikes: sum.spikes + steps * core.spikes,
        dense_events: sum.dense_events + steps * core.dense_events,
        sparse_events: sum.sparse_events + steps * core.sparse_events,
        convolution_events: sum.convolution_events + steps * core.convolution_events,
        learning_updates: sum.learning_updates + steps * core.learning_updates,
        packets_out: sum.packets_out + steps * core.packets_out,
        packets_in: sum.packets_in + steps * core.packets_in,
        packets_in_tile: sum.packets_in_tile + steps * core.packets_in_tile,
        hops_ew: sum.hops_ew + steps * core.hops_ew,
        hops_ns: sum.hops_ns + steps * core.hops_ns,
    }
}
