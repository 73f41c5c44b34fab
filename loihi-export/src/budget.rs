//! Used and available resources, and which of them binds.
//!
//! Every figure is modelled from the mapping and the chip's published limits; none is measured.

use serde::{Deserialize, Serialize};

use crate::check::CheckedMapping;
use crate::mapping::limits::{CoreLimits, Resource};
use crate::mapping::usage::{Usage, usage_of_cores};

/// What a mapping takes of a chip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// Name of the chip.
    pub chip: String,
    /// Where the figures come from: always `modelled`, never measured.
    pub basis: String,
    /// Where the rule for synapse memory comes from.
    pub synapse_memory_basis: String,
    /// What each logical core takes.
    pub cores: Vec<Usage>,
    /// One row a resource whose limit is known, the fullest first: the first row binds.
    pub resources: Vec<ResourceBudget>,
    /// Resources whose limit is unknown, with what the fullest core takes; they do not limit.
    pub unknown: Vec<UnknownResource>,
    /// Cores used.
    pub cores_used: u64,
    /// Cores of one chip.
    pub cores_per_chip: u64,
    /// Chips needed.
    pub chips_needed: u64,
    /// Cores of those chips that stay free.
    pub cores_spare: u64,
    /// Directed link with the most packets when every source neuron spikes once: packets.
    pub busiest_link_axons: u64,
    /// Mean hops of a packet when every source neuron spikes once; 0 where none is sent.
    pub mean_hops: f64,
}

/// One resource over all cores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResourceBudget {
    /// The resource.
    pub resource: Resource,
    /// What the fullest core takes.
    pub worst_used: u64,
    /// The fullest core.
    pub worst_core: u32,
    /// What a core has.
    pub available: u64,
    /// `worst_used / available`.
    pub fill: f64,
    /// What all used cores take together.
    pub total_used: u64,
    /// What all used cores have together.
    pub total_available: u64,
}

/// A resource whose limit is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnknownResource {
    /// The resource.
    pub resource: Resource,
    /// What the fullest core takes.
    pub worst_used: u64,
}

impl Budget {
    /// The resource that binds: the fullest; `None` for a network without neurons on chip.
    pub fn binding(&self) -> Option<&ResourceBudget> {
        self.resources.first()
    }

    /// The next fullest resource.
    pub fn next_binding(&self) -> Option<&ResourceBudget> {
        self.resources.get(1)
    }
}

/// Adds up what a checked mapping takes.
pub fn budget(checked: &CheckedMapping<'_>) -> Budget {
    let (mapping, limits) = (checked.mapping(), checked.limits());
    let cores = usage_of_cores(checked.network(), &mapping.slices, mapping.cores.len(), limits);
    let used = cores.len() as u64;
    let per_chip = u64::from(limits.cores);
    let chips_needed =
        mapping.cores.iter().map(|core| u64::from(core.router.chip) + 1).max().unwrap_or(0);
    let (packets, hops) = mapping.routes.iter().fold((0.0, 0.0), |(packets, hops), route| {
        let axons = route.axons as f64;
        (packets + axons, hops + axons * route.hops() as f64)
    });
    Budget {
        chip: limits.chip.clone(),
        basis: "modelled".to_owned(),
        synapse_memory_basis: limits.synapse_memory.basis.clone(),
        resources: known_resources(&cores, limits),
        unknown: limits
            .unknown()
            .into_iter()
            .map(|resource| UnknownResource { resource, worst_used: worst(&cores, resource).1 })
            .collect(),
        cores,
        cores_used: used,
        cores_per_chip: per_chip,
        chips_needed,
        cores_spare: chips_needed.saturating_mul(per_chip).saturating_sub(used),
        busiest_link_axons: mapping.links.iter().map(|link| link.axons).max().unwrap_or(0),
        mean_hops: if packets > 0.0 { hops / packets } else { 0.0 },
    }
}

/// The first core that takes most of a resource, and how much.
fn worst(cores: &[Usage], resource: Resource) -> (u32, u64) {
    let amounts = cores.iter().map(|usage| usage.amount(resource));
    let fullest = |best: (u32, u64), (core, amount): (u32, u64)| {
        if amount > best.1 { (core, amount) } else { best }
    };
    (0u32..).zip(amounts).fold((0, 0), fullest)
}

fn known_resources(cores: &[Usage], limits: &CoreLimits) -> Vec<ResourceBudget> {
    if cores.is_empty() {
        return Vec::new();
    }
    let row = |resource: Resource| {
        let available = limits.limit(resource)?;
        let (worst_core, worst_used) = worst(cores, resource);
        let total = |sum: u64, usage: &Usage| sum.saturating_add(usage.amount(resource));
        Some(ResourceBudget {
            resource,
            worst_used,
            worst_core,
            available,
            fill: worst_used as f64 / available.max(1) as f64,
            total_used: cores.iter().fold(0, total),
            total_available: available.saturating_mul(cores.len() as u64),
        })
    };
    let mut rows: Vec<ResourceBudget> = Resource::ALL.into_iter().filter_map(row).collect();
    // stable: equal fills stay in the order of `Resource::ALL`
    rows.sort_by(|a, b| b.fill.total_cmp(&a.fill));
    rows
}

impl std::fmt::Display for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "{}: {} cores on {} chip(s), {} of {} spare (modelled, not measured; synapse memory: {})",
            self.chip,
            self.cores_used,
            self.chips_needed,
            self.cores_spare,
            self.chips_needed.saturating_mul(self.cores_per_chip),
            self.synapse_memory_basis
        )?;
        writeln!(
            f,
            "{:<20} {:>12} {:>12} {:>7} {:>6} {:>14} {:>8}",
            "resource", "worst core", "available", "fill", "core", "all cores", "average"
        )?;
        for (index, row) in self.resources.iter().enumerate() {
            let note = ["  <- binds", "  <- next"].get(index).copied().unwrap_or("");
            let average = row.total_used as f64 / row.total_available.max(1) as f64;
            writeln!(
                f,
                "{:<20} {:>12} {:>12} {:>6.1}% {:>6} {:>14} {:>7.1}%{note}",
                row.resource.name(),
                row.worst_used,
                row.available,
                row.fill * 100.0,
                row.worst_core,
                row.total_used,
                average * 100.0
            )?;
        }
        for row in &self.unknown {
            writeln!(f, "{:<20} {:>12} {:>12}", row.resource.name(), row.worst_used, "unknown")?;
        }
        Ok(())
    }
}
