//! Packets between cores and over links in a step, at given spike rates.

use std::collections::BTreeMap;

use crate::check::CheckedMapping;
use crate::mapping::destinations::destinations;
use crate::mapping::usage::for_each_bundle;
use crate::mapping::{Casting, RouterPosition};
use crate::route::tree_of;

/// A directed link between neighbouring routers.
pub type Link = (RouterPosition, RouterPosition);

/// Packets in a step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Flows {
    /// Between cores (source, target), the same core included: deliveries.
    pub between: BTreeMap<(u32, u32), f64>,
    /// Over links.
    pub links: BTreeMap<Link, f64>,
    /// Sent by each core: one a delivery with unicast, one a spike with multicast.
    pub sent: BTreeMap<u32, f64>,
    /// Received by each core, from the host too.
    pub received: BTreeMap<u32, f64>,
    /// Source neurons times the other cores that each reaches, weighted by rate: the connectivity
    /// Σ f · (λ − 1) of the hypergraph whose nets are a neuron with its targets.
    pub connectivity: f64,
}

/// Counts packets; `rates` are spikes of a neuron in a step, one a population.
pub fn flows(checked: &CheckedMapping<'_>, rates: &[f64]) -> Flows {
    let (network, mapping, limits) = (checked.network(), checked.mapping(), checked.limits());
    let rate = |population: usize| rates.get(population).copied().unwrap_or(0.0);
    let mut flows = Flows::default();
    for_each_bundle(network, &mapping.slices, limits, |bundle| {
        let target = mapping.slices[bundle.target].core;
        let projection = &network.projections[bundle.projection];
        let packets = bundle.axons as f64 * rate(projection.source);
        *flows.received.entry(target).or_default() += packets;
        if let Some(source) = bundle.source {
            let source = mapping.slices[source].core;
            *flows.between.entry((source, target)).or_default() += packets;
        }
    });
    let unicast = mapping.casting == Casting::Unicast;
    for destination in destinations(network, &mapping.slices, limits) {
        let spikes = destination.neurons as f64 * rate(destination.population);
        let others = destination.targets.iter().filter(|&&core| core != destination.core).count();
        flows.connectivity += spikes * others as f64;
        if !unicast {
            *flows.sent.entry(destination.core).or_default() += spikes;
            for link in tree_of(&mapping.routes, destination.core, &destination.targets) {
                *flows.links.entry(link).or_default() += spikes;
            }
        }
    }
    if unicast {
        for route in &mapping.routes {
            let ends = (route.source_core, route.target_core);
            let packets = flows.between.get(&ends).copied().unwrap_or(0.0);
            *flows.sent.entry(route.source_core).or_default() += packets;
            for link in route.path.windows(2) {
                *flows.links.entry((link[0], link[1])).or_default() += packets;
            }
        }
    }
    flows
}
