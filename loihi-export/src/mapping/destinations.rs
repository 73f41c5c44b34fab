//! To which cores the spikes of each source neuron go.

use std::collections::BTreeMap;

use super::is_off_chip;
use super::limits::CoreLimits;
use super::reach::Reach;
use super::slice::{NO_SLICE, Slice, owners};
use crate::quantise::network::QuantisedNetwork;

/// Source neurons of one core whose spikes go to the same cores.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Destination {
    /// Index of the population.
    pub population: usize,
    /// Core that holds the neurons.
    pub core: u32,
    /// Cores that receive, ascending, the neurons' own core included where it receives.
    pub targets: Vec<u32>,
    /// Source neurons.
    pub neurons: u64,
}

/// All source neurons on chip that send, ordered by (population, core, targets).
///
/// The network must have passed `check_structure`.
pub fn destinations(
    network: &QuantisedNetwork,
    slices: &[Slice],
    limits: &CoreLimits,
) -> Vec<Destination> {
    let mut found = Vec::new();
    for (index, population) in network.populations.iter().enumerate() {
        if is_off_chip(population) || !network.projections.iter().any(|p| p.source == index) {
            continue;
        }
        let size = u32::try_from(population.shape.size()).unwrap_or(u32::MAX);
        let mut targets: Vec<Vec<u32>> = vec![Vec::new(); size as usize];
        let mut to_all: Vec<u32> = Vec::new();
        for projection in network.projections.iter().filter(|p| p.source == index) {
            for slice in slices.iter().filter(|slice| slice.population == projection.target) {
                let reach = Reach::new(projection, size, &slice.runs, &limits.synapse_memory);
                if reach.is_all() {
                    to_all.push(slice.core);
                    continue;
                }
                reach.for_each_source(size, |neuron| {
                    if let Some(list) = targets.get_mut(neuron as usize)
                        && list.last() != Some(&slice.core)
                    {
                        list.push(slice.core);
                    }
                });
            }
        }
        let holders = owners(index, size, slices);
        let mut groups: BTreeMap<(u32, Vec<u32>), u64> = BTreeMap::new();
        for (mut list, holder) in targets.into_iter().zip(holders) {
            if holder == NO_SLICE {
                continue;
            }
            list.extend(&to_all);
            list.sort_unstable();
            list.dedup();
            if !list.is_empty() {
                *groups.entry((slices[holder as usize].core, list)).or_default() += 1;
            }
        }
        found.extend(groups.into_iter().map(|((core, targets), neurons)| Destination {
            population: index,
            core,
            targets,
            neurons,
        }));
    }
    found
}
