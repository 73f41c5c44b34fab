//! All reasons for which a network does not fit, not only the first.

use super::cut::{does_not_fit_alone, on_chip};
use super::inbound::Atoms;
use super::{PartitionConfig, PartitionError, refuse_hopeless};
use crate::mapping::limits::{CoreLimits, Resource};
use crate::mapping::usage::{Usage, inbound_usage};
use crate::quantise::network::{Connection, QuantisedNetwork, QuantisedProjection};

/// Adds to an error what else is wrong: for every population and resource the neuron that is
/// furthest over, and the cores that are missing.
pub(super) fn with_all_problems(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
    config: &PartitionConfig,
    first: PartitionError,
) -> PartitionError {
    if !matches!(first, PartitionError::DoesNotFit { .. } | PartitionError::Cores { .. }) {
        return first;
    }
    let mut problems: Vec<PartitionError> = Vec::new();
    for (population, described, size) in on_chip(network) {
        for (neuron, resource) in worst_neurons(network, limits, population, size) {
            let mut error = does_not_fit_alone(network, limits, population, neuron);
            if let PartitionError::DoesNotFit { resource: stated, needed, available, .. } =
                &mut error
            {
                let usage =
                    inbound_usage(network, limits, population, &[(neuron..neuron + 1).into()]);
                *stated = resource;
                *needed = usage.amount(resource);
                *available = limits.limit(resource).unwrap_or(u64::MAX);
            }
            problems.push(error);
        }
        problems.extend(wrong_projections(network, limits, population, &described.name));
    }
    problems.extend(refuse_hopeless(network, limits, config).err());
    // What the partitioner met may be something that shows only once targets are cut.
    let known = |problem: &PartitionError| place_of(problem) == place_of(&first);
    if !problems.iter().any(known) {
        problems.insert(0, first);
    }
    let too_large = |problem: &PartitionError| matches!(problem, PartitionError::DoesNotFit { .. });
    if problems.iter().any(too_large) {
        for problem in &mut problems {
            if let PartitionError::Cores { more_chips, .. } = problem {
                *more_chips = false;
            }
        }
    }
    match problems.len() {
        1 => problems.remove(0),
        _ => PartitionError::Several { problems },
    }
}

/// What a problem is about.
fn place_of(problem: &PartitionError) -> (Option<Resource>, &str, bool) {
    match problem {
        PartitionError::DoesNotFit { resource, population, .. } => {
            (Some(*resource), population, false)
        }
        PartitionError::Cores { population, .. } => (None, population, true),
        _ => (None, "", false),
    }
}

/// For each resource that a single neuron of the population exceeds: the neuron that needs most.
fn worst_neurons(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
    population: usize,
    size: u32,
) -> Vec<(u32, Resource)> {
    let mut worst: Vec<(u32, Resource, u64)> = Vec::new();
    for neuron in candidates(network, limits, population, size) {
        let usage: Usage =
            inbound_usage(network, limits, population, &[(neuron..neuron + 1).into()]);
        for resource in Resource::ALL {
            let amount = usage.amount(resource);
            if limits.limit(resource).is_none_or(|limit| amount <= limit) {
                continue;
            }
            match worst.iter_mut().find(|entry| entry.1 == resource) {
                Some(entry) if entry.2 >= amount => {}
                Some(entry) => *entry = (neuron, resource, amount),
                None => worst.push((neuron, resource, amount)),
            }
        }
    }
    worst.into_iter().map(|(neuron, resource, _)| (neuron, resource)).collect()
}

/// Neurons of which one takes most: those with the longest lists, or one of each kind.
fn candidates(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
    population: usize,
    size: u32,
) -> Vec<u32> {
    let mut found = vec![0];
    let arriving: Vec<&QuantisedProjection> =
        network.projections.iter().filter(|p| p.target == population).collect();
    let listed = arriving.iter().any(|p| matches!(p.connection, Connection::Sparse { .. }));
    if listed {
        let mut inputs = vec![0u32; size as usize];
        for projection in &arriving {
            if let Connection::Sparse { targets, .. } = &projection.connection {
                for &target in targets {
                    inputs[target as usize] = inputs[target as usize].saturating_add(1);
                }
            }
        }
        let most = (0..size).rev().max_by_key(|&neuron| inputs[neuron as usize]);
        found.extend(most);
    }
    if arriving.iter().any(|p| matches!(p.connection, Connection::Convolution { .. })) {
        // a pixel in the middle sees the whole kernel
        let atoms = Atoms::of(network, limits, population);
        found.extend(atoms.neurons(atoms.count() / 2).next());
        found.push(size / 2);
    }
    found.retain(|&neuron| neuron < size);
    found.sort_unstable();
    found.dedup();
    found
}

/// Delays and weights that the limits' memory model cannot hold are the quantiser's business; here
/// only what no cut can mend: a source whose every neuron reaches more slices than it has axons.
fn wrong_projections(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
    population: usize,
    name: &str,
) -> Option<PartitionError> {
    let available = limits.limit(Resource::OutputAxons)?;
    let per_core = u64::from(limits.neurons_per_core).max(1);
    let reached = network.projections.iter().filter(|p| p.source == population);
    let dense = reached.filter(|p| matches!(p.connection, Connection::Dense { .. }));
    let slices = dense.map(|p| {
        network.populations.get(p.target).map_or(0, |target| target.shape.size().div_ceil(per_core))
    });
    let needed = slices.fold(0u64, u64::saturating_add);
    (needed > available).then(|| PartitionError::DoesNotFit {
        resource: Resource::OutputAxons,
        population: name.to_owned(),
        neuron: 0,
        needed,
        available,
        chip: limits.chip.clone(),
    })
}
