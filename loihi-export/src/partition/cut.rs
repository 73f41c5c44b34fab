//! Where to cut a population so that each piece fits a core.
//!
//! Everything that a slice takes grows with the slice, so that the longest slice that fits can be
//! found by bisection. Output axons depend on how the *targets* are cut and are settled afterwards
//! by [`refine_for_output_axons`].

use std::ops::Range;

use super::least_cores::cores_for;
use super::listed::Listed;
use super::pack::{LookBack, pack};
use super::{PartitionConfig, PartitionError, cores_available, too_many_cores};
use crate::mapping::limits::{CoreLimits, Resource};
use crate::mapping::usage::{Usage, inbound_usage, usage_of_slices};
use crate::mapping::{Slice, is_off_chip};
use crate::quantise::network::{QuantisedNetwork, QuantisedPopulation};

/// The populations that live on chip, with their sizes.
pub(super) fn on_chip(
    network: &QuantisedNetwork,
) -> impl Iterator<Item = (usize, &QuantisedPopulation, u32)> {
    let sized = |(index, population): (usize, _)| {
        let population: &QuantisedPopulation = population;
        let size = u32::try_from(population.shape.size()).unwrap_or(u32::MAX);
        (index, population, size)
    };
    network.populations.iter().enumerate().filter(|(_, p)| !is_off_chip(p)).map(sized)
}

/// Finds one after the other the longest slices of a population that fit a core.
pub(super) struct Longest<'a> {
    network: &'a QuantisedNetwork,
    limits: &'a CoreLimits,
    population: usize,
    size: u32,
    listed: Option<Listed<'a>>,
}

impl<'a> Longest<'a> {
    pub(super) fn new(
        network: &'a QuantisedNetwork,
        limits: &'a CoreLimits,
        population: usize,
        size: u32,
    ) -> Self {
        let listed = Listed::new(network, limits, population);
        Self { network, limits, population, size, listed }
    }

    /// The largest `end` for which the slice `first..end` fits a core.
    pub(super) fn from(&mut self, first: u32) -> Result<u32, PartitionError> {
        match self.listed.as_mut().and_then(|listed| listed.longest_fit(first)) {
            Some(end) => Ok(end),
            None => longest_fit(self.network, self.limits, self.population, first, self.size),
        }
    }
}

/// The largest `end` for which the slice `first..end` fits a core; `size` is the population's.
fn longest_fit(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
    population: usize,
    first: u32,
    size: u32,
) -> Result<u32, PartitionError> {
    let fits = |end: u32| violation(network, limits, population, first..end).is_none();
    if let Some(resource) = violation(network, limits, population, first..first + 1) {
        let needed = inbound_usage(network, limits, population, &[(first..first + 1).into()])
            .amount(resource);
        return Err(does_not_fit(network, limits, population, first, resource, needed));
    }
    let last = size.min(first.saturating_add(limits.neurons_per_core));
    // Doubling up from one neuron keeps the counted ranges near the answer's length.
    let (mut good, mut bad, mut length) = (first + 1, last + 1, 2u32);
    while good < last {
        let end = first.saturating_add(length).min(last);
        if !fits(end) {
            bad = end;
            break;
        }
        good = end;
        length = length.saturating_mul(2);
    }
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        if fits(middle) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    Ok(good)
}

/// The first resource of which a slice would take more than a core has, output axons aside.
pub(super) fn violation(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
    population: usize,
    range: Range<u32>,
) -> Option<Resource> {
    inbound_usage(network, limits, population, &[range.into()]).exceeds(limits)
}

/// Neurons that belong together, from the largest unit to the smallest: a channel of a picture,
/// a row of it, one neuron. Cutting between channels lets a slice share whole kernels.
pub(super) fn units(population: &QuantisedPopulation) -> [u32; 3] {
    let [_, height, width] = population.shape.picture();
    [height.saturating_mul(width).max(1), width.max(1), 1]
}

/// Moves a cut down to the boundary of the largest unit that leaves something of the slice.
pub(super) fn align_down(units: [u32; 3], first: u32, end: u32, size: u32) -> u32 {
    if end >= size {
        return end;
    }
    units.into_iter().map(|unit| end / unit * unit).find(|&cut| cut > first).unwrap_or(end)
}

/// Cuts slices further until none sends on more output axons than a core has; gives them with what
/// each takes.
///
/// Each round cuts the slices that are over the limit into equal parts and counts again, since
/// finer targets take more of their sources' output axons. Cuts are only ever added, so the rounds
/// end: with slices that fit, with a single neuron that does not, or with slices that take more than
/// all cores have together.
pub(super) fn refine_for_output_axons(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
    config: &PartitionConfig,
    mut slices: Vec<Slice>,
) -> Result<(Vec<Slice>, Vec<Usage>), PartitionError> {
    let limit = limits.limit(Resource::OutputAxons).unwrap_or(u64::MAX);
    loop {
        let usage = usage_of_slices(network, &slices, limits);
        let needed = match config.share_cores {
            true => cores_for(&usage, limits).0,
            false => slices.len() as u64,
        };
        if needed > cores_available(limits, config) {
            return Err(too_many_cores(network, limits, config, &slices, needed, true));
        }
        if usage.iter().all(|usage| usage.output_axons <= limit) {
            return Ok((slices, usage));
        }
        let mut finer = Vec::with_capacity(slices.len() + 1);
        for (slice, axons) in slices.iter().zip(usage.iter().map(|usage| usage.output_axons)) {
            if axons <= limit {
                finer.push(slice.clone());
                continue;
            }
            if slice.length() <= 1 {
                let (population, neuron) = (slice.population, slice.first());
                let resource = Resource::OutputAxons;
                return Err(does_not_fit(network, limits, population, neuron, resource, axons));
            }
            let parts = axons.div_ceil(limit.max(1)).min(slice.length().into()).max(2);
            finer.extend(slice.equal_parts(u32::try_from(parts).unwrap_or(u32::MAX)));
        }
        slices = finer;
    }
}

/// The resource that a population's fullest slice has least left of.
pub(super) fn fullest_resource(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
    slices: &[Slice],
    population: usize,
) -> Resource {
    let usage = usage_of_slices(network, slices, limits);
    let fill = |usage: &Usage, resource: Resource| -> f64 {
        match limits.limit(resource) {
            Some(limit) if resource != Resource::NeuronGroups => {
                usage.amount(resource) as f64 / (limit.max(1)) as f64
            }
            _ => 0.0,
        }
    };
    let mut fullest = (Resource::Neurons, 0.0);
    for (_, usage) in slices.iter().zip(&usage).filter(|(s, _)| s.population == population) {
        for resource in Resource::ALL {
            let ratio = fill(usage, resource);
            if ratio > fullest.1 {
                fullest = (resource, ratio);
            }
        }
    }
    fullest.0
}

/// Cuts finished slices for output axons and packs them.
pub(super) fn finish(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
    config: &PartitionConfig,
    slices: Vec<Slice>,
) -> Result<Vec<Slice>, PartitionError> {
    let cut = refine_for_output_axons(network, limits, config, slices)?;
    let look_back = if config.share_cores { LookBack::AllCores } else { LookBack::None };
    Ok(pack(limits, cut, look_back))
}

/// The error for a neuron that no core can hold.
pub(super) fn does_not_fit_alone(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
    population: usize,
    neuron: u32,
) -> PartitionError {
    let usage =
        inbound_usage(network, limits, population, &[(neuron..neuron.saturating_add(1)).into()]);
    let resource = usage.exceeds(limits).unwrap_or(Resource::SynapseMemory);
    does_not_fit(network, limits, population, neuron, resource, usage.amount(resource))
}

fn does_not_fit(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
    population: usize,
    neuron: u32,
    resource: Resource,
    needed: u64,
) -> PartitionError {
    PartitionError::DoesNotFit {
        resource,
        population: network.populations.get(population).map(|p| p.name.clone()).unwrap_or_default(),
        neuron,
        needed,
        available: limits.limit(resource).unwrap_or(u64::MAX),
        chip: limits.chip.clone(),
    }
}
