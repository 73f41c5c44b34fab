//! Whether an integer network's indices and lengths fit together, so that nothing later can panic.

use crate::quantise::network::{Connection, DelaySteps, QuantisedNetwork, QuantisedProjection};

/// Neurons that a population may have here; keeps every table of one entry a neuron below 1 GB.
pub const MAX_NEURONS: u64 = 1 << 26;

/// What is inconsistent in an integer network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StructureError {
    /// A population is too large for the mapper's tables.
    #[error(
        "populations/{population}: {size} neurons; the mapper takes at most {MAX_NEURONS}: cut the population"
    )]
    TooLarge {
        /// Name of the population.
        population: String,
        /// Its neurons.
        size: u64,
    },
    /// A projection names a population that does not exist, or projects into an input.
    #[error("projections/{projection}/{end}: population {index} {problem}")]
    Population {
        /// Name of the projection.
        projection: String,
        /// `source` or `target`.
        end: &'static str,
        /// The index given.
        index: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A list has the wrong length.
    #[error("projections/{projection}/{list}: {found} entries; {expected} are needed")]
    Length {
        /// Name of the projection.
        projection: String,
        /// Which list.
        list: &'static str,
        /// Its length.
        found: u64,
        /// The length that fits the rest.
        expected: u64,
    },
    /// A synapse list names a neuron outside its population.
    #[error(
        "projections/{projection}/{list}: neuron {neuron} at entry {entry}; the population has {size}"
    )]
    Neuron {
        /// Name of the projection.
        projection: String,
        /// `sources` or `targets`.
        list: &'static str,
        /// Position in the list.
        entry: usize,
        /// The neuron given.
        neuron: u32,
        /// Neurons of the population.
        size: u64,
    },
    /// Listed synapses are not sorted by (target, source).
    #[error(
        "projections/{projection}: synapse {entry} is out of order; sort them by (target, source)"
    )]
    Order {
        /// Name of the projection.
        projection: String,
        /// The first synapse that is out of order.
        entry: usize,
    },
    /// A convolution's numbers do not fit.
    #[error("projections/{projection}/geometry: {problem}")]
    Geometry {
        /// Name of the projection.
        projection: String,
        /// What does not fit.
        problem: String,
    },
}

/// Checks all indices, lengths and extents of a network.
///
/// # Errors
/// The first [`StructureError`] found.
pub fn check_structure(network: &QuantisedNetwork) -> Result<(), StructureError> {
    for population in &network.populations {
        let size = population.shape.size();
        if size > MAX_NEURONS {
            return Err(StructureError::TooLarge { population: population.name.clone(), size });
        }
    }
    network.projections.iter().try_for_each(|projection| check_projection(network, projection))
}

fn check_projection(
    network: &QuantisedNetwork,
    projection: &QuantisedProjection,
) -> Result<(), StructureError> {
    let size = |end: &'static str, index: usize| {
        let problem = |problem| StructureError::Population {
            projection: projection.name.clone(),
            end,
            index,
            problem,
        };
        let population = network.populations.get(index).ok_or_else(|| problem("does not exist"))?;
        if end == "target" && super::is_off_chip(population) {
            return Err(problem("is an input and cannot receive spikes"));
        }
        Ok(population.shape.size())
    };
    let (sources, targets) =
        (size("source", projection.source)?, size("target", projection.target)?);
    match &projection.connection {
        Connection::Dense { weights, .. } => {
            length(projection, "weights", weights.len(), sources.saturating_mul(targets))?;
            check_delays(projection, weights.len())
        }
        Connection::Convolution { geometry, weights } => {
            geometry.check().map_err(|error| geometry_error(projection, error.to_string()))?;
            for (end, extents, size) in
                [("source", geometry.source, sources), ("target", geometry.target, targets)]
            {
                let product = extents.iter().fold(1u64, |n, &e| n.saturating_mul(e.into()));
                if product != size {
                    let problem = format!("{end} has {product} neurons, its population {size}");
                    return Err(geometry_error(projection, problem));
                }
            }
            length(projection, "weights", weights.len(), geometry.weight_count())?;
            check_delays(projection, weights.len())
        }
        Connection::Sparse { targets: to, sources: from, weights, .. } => {
            length(projection, "sources", from.len(), weights.len() as u64)?;
            length(projection, "targets", to.len(), weights.len() as u64)?;
            neurons(projection, "sources", from, sources)?;
            neurons(projection, "targets", to, targets)?;
            let ordered = |i: &usize| (to[*i], from[*i]) < (to[*i - 1], from[*i - 1]);
            if let Some(entry) = (1..to.len()).find(ordered) {
                return Err(StructureError::Order { projection: projection.name.clone(), entry });
            }
            check_delays(projection, weights.len())
        }
    }
}

fn geometry_error(projection: &QuantisedProjection, problem: String) -> StructureError {
    StructureError::Geometry { projection: projection.name.clone(), problem }
}

fn check_delays(projection: &QuantisedProjection, weights: usize) -> Result<(), StructureError> {
    match &projection.delay {
        DelaySteps::One(_) => Ok(()),
        DelaySteps::PerSynapse(delays) => length(projection, "delay", delays.len(), weights as u64),
    }
}

fn length(
    projection: &QuantisedProjection,
    list: &'static str,
    found: usize,
    expected: u64,
) -> Result<(), StructureError> {
    let found = found as u64;
    if found == expected {
        return Ok(());
    }
    Err(StructureError::Length { projection: projection.name.clone(), list, found, expected })
}

fn neurons(
    projection: &QuantisedProjection,
    list: &'static str,
    entries: &[u32],
    size: u64,
) -> Result<(), StructureError> {
    match entries.iter().position(|&neuron| u64::from(neuron) >= size) {
        None => Ok(()),
        Some(entry) => Err(StructureError::Neuron {
            projection: projection.name.clone(),
            list,
            entry,
            neuron: entries[entry],
            size,
        }),
    }
}
