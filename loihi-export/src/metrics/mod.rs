//! The metrics of the mapping literature, and all algorithms side by side.
//!
//! For packets f between cores at a distance of d hops: energy Σ f · ((d + 1) · E_r + d · E_w), mean
//! latency Σ f · ((d + 1) · L_r + d · L_w) / Σ f and the longest latency, with costs of a router (r)
//! and a wire (w); congestion is the traffic of a link. With multicast a packet pays every router
//! and wire of its tree once. References: O. Jin et al., ASPLOS 2023; constants also in M. Ronzani,
//! C. Silvano, arXiv 2601.16118.

pub mod compare;
pub mod flows;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::check::CheckedMapping;
use crate::mapping::{Casting, RouterPosition};
use flows::{Flows, flows};

/// Costs of routers and wires.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Costs {
    /// Name on the command line.
    pub name: &'static str,
    /// Where they come from.
    pub source: &'static str,
    /// Energy of a packet in a router.
    pub router_energy: f64,
    /// Energy of a packet on a wire.
    pub wire_energy: f64,
    /// Latency of a router.
    pub router_latency: f64,
    /// Latency of a wire.
    pub wire_latency: f64,
    /// Unit of energies.
    pub energy_unit: &'static str,
    /// Unit of latencies.
    pub latency_unit: &'static str,
}

/// Costs that the literature compares with; the first is the default.
pub static COSTS: &[Costs] = &[
    Costs {
        name: "loihi",
        source: "M. Ronzani, C. Silvano, arXiv 2601.16118: 1.7 and 3.5 pJ, 2.1 and 5.3 ns",
        router_energy: 1.7,
        wire_energy: 3.5,
        router_latency: 2.1,
        wire_latency: 5.3,
        energy_unit: "pJ",
        latency_unit: "ns",
    },
    Costs {
        name: "jin2023",
        source: "O. Jin et al., ASPLOS 2023: 1 and 0.1, 1 and 0.01, without units",
        router_energy: 1.0,
        wire_energy: 0.1,
        router_latency: 1.0,
        wire_latency: 0.01,
        energy_unit: "",
        latency_unit: "",
    },
];

/// One mapping in the terms of the literature; all modelled.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metrics {
    /// Cores used.
    pub cores: u64,
    /// Chips used.
    pub chips: u64,
    /// Distinct inbound axons, summed over cores.
    pub input_axons: u64,
    /// Source neurons times the other cores that they reach, weighted by rate.
    pub connectivity: f64,
    /// Energy of a step's packets in routers and wires.
    pub energy: f64,
    /// Mean latency of a packet.
    pub mean_latency: f64,
    /// Latency of the longest way.
    pub max_latency: f64,
    /// Mean hops of a packet.
    pub mean_hops: f64,
    /// Mean traffic of the links that carry some (packets in a step).
    pub mean_congestion: f64,
    /// Traffic of the busiest link (packets in a step).
    pub max_congestion: f64,
}

/// Computes the metrics; `rates` are spikes of a neuron in a step, one a population.
pub fn metrics(checked: &CheckedMapping<'_>, rates: &[f64], costs: &Costs) -> Metrics {
    let flows = flows(checked, rates);
    let mapping = checked.mapping();
    let latency = |hops: f64| (hops + 1.0) * costs.router_latency + hops * costs.wire_latency;
    let (mut packets, mut hops, mut delay, mut longest) = (0.0, 0.0, 0.0, 0.0f64);
    let mut own_router = 0.0;
    for route in &mapping.routes {
        let ends = (route.source_core, route.target_core);
        let flow = flows.between.get(&ends).copied().unwrap_or(0.0);
        let way = route.hops() as f64;
        packets += flow;
        hops += flow * way;
        delay += flow * latency(way);
        own_router += flow;
        longest = longest.max(latency(way));
    }
    let wires: f64 = flows.links.values().sum();
    // a packet passes its first router and one after every wire
    let first: f64 = match mapping.casting {
        Casting::Unicast => own_router,
        Casting::Multicast => flows.sent.values().sum(),
    };
    let usage = crate::mapping::usage::usage_of_cores(
        checked.network(),
        &mapping.slices,
        mapping.cores.len(),
        checked.limits(),
    );
    let per_packet = |sum: f64| if packets > 0.0 { sum / packets } else { 0.0 };
    Metrics {
        cores: mapping.cores.len() as u64,
        chips: mapping.cores.iter().map(|c| c.router.chip).collect::<BTreeSet<_>>().len() as u64,
        input_axons: usage.iter().fold(0u64, |sum, core| sum.saturating_add(core.input_axons)),
        connectivity: flows.connectivity,
        energy: (first + wires) * costs.router_energy + wires * costs.wire_energy,
        mean_latency: per_packet(delay),
        max_latency: longest,
        mean_hops: per_packet(hops),
        mean_congestion: wires / flows.links.len().max(1) as f64,
        max_congestion: flows.links.values().copied().fold(0.0, f64::max),
    }
}

/// Packets through each router in a step: what arrives and what its own cores send.
pub fn router_traffic(
    checked: &CheckedMapping<'_>,
    flows: &Flows,
) -> std::collections::BTreeMap<RouterPosition, f64> {
    let mut traffic = std::collections::BTreeMap::new();
    for ((_, to), packets) in &flows.links {
        *traffic.entry(*to).or_default() += packets;
    }
    for (core, packets) in &flows.sent {
        if let Some(place) = checked.mapping().cores.get(*core as usize) {
            *traffic.entry(place.router).or_default() += packets;
        }
    }
    traffic
}
