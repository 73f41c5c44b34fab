//! Cutting populations into pieces that fit a core.
//!
//! A partitioner is `fn(&QuantisedNetwork, &CoreLimits) -> Result<Vec<Slice>, PartitionError>` that
//! cuts every population that lives on chip into slices and gives each a logical core.
//! To add one: one file and one line in [`PARTITIONERS`].

mod automatic;
mod core_fill;
mod cut;
mod diagnose;
mod even_split;
mod greedy_overlap;
mod inbound;
mod least_cores;
mod listed;
mod metis_baseline;
mod multilevel;
mod pack;
mod refine;
mod sequential_fill;

use serde::{Deserialize, Serialize};

use self::least_cores::{about, cores_for, largest_share, least_usage};
use crate::mapping::Slice;
use crate::mapping::limits::{CoreLimits, Resource};
use crate::mapping::structure::{StructureError, check_structure};
use crate::quantise::network::QuantisedNetwork;

/// A way to cut a network.
pub struct Partitioner {
    /// Registry name.
    pub name: &'static str,
    /// One sentence for lists.
    pub summary: &'static str,
    run: fn(&QuantisedNetwork, &CoreLimits, &PartitionConfig) -> Result<Vec<Slice>, PartitionError>,
}

/// All partitioners; the first is the default.
pub static PARTITIONERS: &[Partitioner] = &[
    automatic::AUTOMATIC,
    sequential_fill::SEQUENTIAL_FILL,
    even_split::EVEN_SPLIT,
    greedy_overlap::GREEDY_OVERLAP,
    multilevel::MULTILEVEL,
    metis_baseline::METIS,
];

/// What to partition with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PartitionConfig {
    /// Registry name of the partitioner.
    pub algorithm: String,
    /// Chips that may be used.
    pub chips: u32,
    /// Whether slices of several populations may share a core.
    pub share_cores: bool,
    /// Seed of algorithms that draw; the same seed gives the same cut.
    pub seed: u64,
}

impl Default for PartitionConfig {
    fn default() -> Self {
        Self { algorithm: PARTITIONERS[0].name.to_owned(), chips: 1, share_cores: true, seed: 1 }
    }
}

/// A network cut into slices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// Slices in the order of populations and neurons.
    pub slices: Vec<Slice>,
    /// Logical cores used; slices name cores below this.
    pub cores: u32,
}

/// Why a network cannot be cut to fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PartitionError {
    /// The network itself is inconsistent.
    #[error(transparent)]
    Structure(#[from] StructureError),
    /// No partitioner has this name.
    #[error("unknown partitioner `{name}`; known: {}", known.join(", "))]
    Unknown {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<&'static str>,
    },
    /// Even one neuron needs more of a resource than a core has.
    #[error(
        "populations/{population}: neuron {neuron} alone needs {needed} {resource}, a core of \
         {chip} has {available}; {}",
        resource.remedy()
    )]
    DoesNotFit {
        /// The resource that is short.
        resource: Resource,
        /// Name of the population.
        population: String,
        /// The neuron that does not fit.
        neuron: u32,
        /// What it needs.
        needed: u64,
        /// What a core has.
        available: u64,
        /// Name of the chip.
        chip: String,
    },
    /// Several limits are not kept.
    #[error("{} problems:{}", problems.len(), problems.iter().map(|p| format!("\n  {p}")).collect::<String>())]
    Several {
        /// Each of them.
        problems: Vec<PartitionError>,
    },
    /// An algorithm does not go so far.
    #[error("the partitioner `{algorithm}` does not build {what}; choose `greedy_overlap`")]
    TooLarge {
        /// The algorithm.
        algorithm: &'static str,
        /// What it would have to build.
        what: String,
    },
    /// More cores are needed than there are.
    #[error(
        "the network needs {}{needed} cores of {chip}{}, {available} are available ({chips} chip(s)); \
         the largest share is {population}'s, whose cores are limited by {resource}: {}{}",
        if *at_least { "at least " } else { "" },
        about.map(|cores| format!(" and about {cores} as its neurons share inputs (estimated from \
            some cores)")).unwrap_or_default(),
        resource.remedy(),
        match more_chips {
            true => format!(
                ", or use {}{} chips",
                if about.is_some() { "about " } else { "" },
                about.unwrap_or(*needed).div_ceil((*cores_per_chip).max(1))
            ),
            false => String::new(),
        }
    )]
    Cores {
        /// Cores needed.
        needed: u64,
        /// Whether `needed` is a lower bound.
        at_least: bool,
        /// An estimate where the network was not cut and the estimate is above the bound.
        about: Option<u64>,
        /// Cores that may be used.
        available: u64,
        /// Chips that may be used.
        chips: u32,
        /// Cores of a chip.
        cores_per_chip: u64,
        /// Whether more chips help; they do not where a neuron does not fit a core.
        more_chips: bool,
        /// Name of the population with the most cores.
        population: String,
        /// The resource that limits that population's slices.
        resource: Resource,
        /// Name of the chip.
        chip: String,
    },
}

/// Cuts a network into slices and gives each a logical core.
///
/// # Errors
/// [`PartitionError`]: an inconsistent network, an unknown algorithm, or the limit that cannot be
/// kept, with the population that hits it.
pub fn partition(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
    config: &PartitionConfig,
) -> Result<Partition, PartitionError> {
    check_structure(network)?;
    let algorithm = PARTITIONERS.iter().find(|p| p.name == config.algorithm).ok_or_else(|| {
        PartitionError::Unknown {
            name: config.algorithm.clone(),
            known: PARTITIONERS.iter().map(|p| p.name).collect(),
        }
    })?;
    let explain = |error| diagnose::with_all_problems(network, limits, config, error);
    refuse_hopeless(network, limits, config).map_err(explain)?;
    let slices = (algorithm.run)(network, limits, config).map_err(explain)?;
    let cores = slices.iter().map(|slice| slice.core + 1).max().unwrap_or(0);
    if u64::from(cores) > cores_available(limits, config) {
        return Err(explain(too_many_cores(network, limits, config, &slices, cores.into(), false)));
    }
    Ok(Partition { slices, cores })
}

/// Cores of all chips that may be used.
fn cores_available(limits: &CoreLimits, config: &PartitionConfig) -> u64 {
    u64::from(limits.cores).saturating_mul(config.chips.into())
}

/// Stops before any cutting where the network needs too many cores however it is cut.
fn refuse_hopeless(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
    config: &PartitionConfig,
) -> Result<(), PartitionError> {
    let usage = least_usage(network, limits);
    let (needed, resource) = cores_for(&usage, limits);
    let available = cores_available(limits, config);
    if needed <= available {
        return Ok(());
    }
    let largest = network.populations.get(largest_share(&usage, resource));
    Err(PartitionError::Cores {
        needed,
        at_least: true,
        about: Some(about(network, limits)).filter(|&about| about > needed),
        available,
        chips: config.chips,
        cores_per_chip: limits.cores.into(),
        more_chips: true,
        population: largest.map(|population| population.name.clone()).unwrap_or_default(),
        resource,
        chip: limits.chip.clone(),
    })
}

/// The error that names the population with the most slices and what limits them.
fn too_many_cores(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
    config: &PartitionConfig,
    slices: &[Slice],
    needed: u64,
    at_least: bool,
) -> PartitionError {
    let mut count = vec![0u64; network.populations.len()];
    for slice in slices {
        if let Some(count) = count.get_mut(slice.population) {
            *count += 1;
        }
    }
    let largest = (0..count.len()).rev().max_by_key(|&index| count[index]).unwrap_or(0);
    let name = network.populations.get(largest).map(|p| p.name.clone()).unwrap_or_default();
    PartitionError::Cores {
        needed,
        at_least,
        about: None,
        available: cores_available(limits, config),
        chips: config.chips,
        cores_per_chip: limits.cores.into(),
        more_chips: true,
        population: name,
        resource: cut::fullest_resource(network, limits, slices, largest),
        chip: limits.chip.clone(),
    }
}
