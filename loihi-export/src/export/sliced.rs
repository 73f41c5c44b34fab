//! A network cut into the pieces that cores hold: one population a slice.
//!
//! Cutting is not neutral where weight exponents are negative: Lava shifts each piece's sum by
//! itself, and every shift floors. The cut network is an ordinary integer network, so the emulator
//! computes exactly what is exported. Synapses that learn do so in the same way in pieces: what is drawn
//! for their rounding serves all neurons alike.

use indexmap::IndexMap;
use sim_core::network::Shape;

use crate::emulator::Emulator;
use crate::mapping::{Mapping, Slice};
use crate::quantise::network::{
    Connection, DelaySteps, IntegerValues, QuantisedNetwork, QuantisedPopulation,
    QuantisedProjection, SignMode,
};

mod learning;

use learning::{Cutter, cut_learning};

/// Synapses of a cut network at most.
const SYNAPSE_LIMIT: usize = 1 << 27;

/// A cut network, and where each of its populations came from.
#[derive(Debug, Clone, PartialEq)]
pub struct SlicedNetwork {
    /// The pieces and the synapses between them.
    pub network: QuantisedNetwork,
    /// For each piece: index of the population it was cut from, and its neurons there.
    pub pieces: Vec<Piece>,
    /// For each projection of the cut network: index of the one that it was cut from.
    pub projections: Vec<usize>,
}

/// Where a piece came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Index of the population.
    pub population: usize,
    /// Its neurons, ascending.
    pub neurons: Vec<u32>,
    /// Logical core; `None` for inputs, which lie on the host.
    pub core: Option<u32>,
}

impl SlicedNetwork {
    /// Weights of a projection of the whole network after an emulated run of the cut one
    /// `[target, source]`; `None` for projections that do not learn.
    pub fn learned_weights(
        &self,
        emulator: &Emulator,
        whole: &QuantisedNetwork,
        projection: usize,
    ) -> Option<Vec<i64>> {
        let original = whole.projections.get(projection)?;
        original.learning.as_ref()?;
        let size = |population: usize| whole.populations[population].shape.size() as usize;
        let (rows, columns) = (size(original.target), size(original.source));
        let mut all = vec![0; rows * columns];
        let own = self.projections.iter().enumerate().filter(|(_, whole)| **whole == projection);
        for (index, _) in own {
            let part = self.network.projections.get(index)?;
            let weights = emulator.learned(index, "weights")?;
            let (to, from) = (&self.pieces[part.target].neurons, &self.pieces[part.source].neurons);
            let place = |n: usize| match &part.connection {
                Connection::Sparse { targets, sources, .. } => {
                    (targets[n] as usize, sources[n] as usize)
                }
                _ => (n / from.len().max(1), n % from.len().max(1)),
            };
            for (n, &weight) in weights.iter().enumerate() {
                let (row, column) = place(n);
                all[to[row] as usize * columns + from[column] as usize] = weight;
            }
        }
        Some(all)
    }
}

/// Why a network cannot be cut.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SliceError {
    /// A learning projection whose targets hear of a population that is cut elsewhere.
    #[error(
        "projection '{projection}' learns from the spikes of '{population}', whose neurons lie on other \
         core slices than its targets' do; give both the same number of neurons a core, or raise \
         --chip-set neurons_per_core_budget until neither is cut"
    )]
    Factor {
        /// Name of the projection.
        projection: String,
        /// The population that it learns from.
        population: String,
    },
    /// A kernel weight that only Lava's convolutions hold.
    #[error(
        "projection '{projection}' has the kernel weight {weight}; synapses of a slice hold -256 to \
         255: scale the layer and its threshold down"
    )]
    Weight {
        /// Name of the projection.
        projection: String,
        /// The weight.
        weight: i32,
    },
    /// Too many synapses.
    #[error("the cut network has more than {SYNAPSE_LIMIT} synapses; export it uncut")]
    TooLarge,
    /// The mapping is of another network.
    #[error("the mapping holds population {population}; the network has {populations}")]
    Mapping {
        /// Index in the mapping.
        population: usize,
        /// Populations of the network.
        populations: usize,
    },
}

/// A synapse of the uncut network.
#[derive(Clone, Copy)]
struct Synapse {
    target: u32,
    source: u32,
    weight: i32,
    delay: u8,
}

/// Cuts a network along the slices of its mapping.
///
/// # Errors
/// [`SliceError`].
pub fn slice_network(
    network: &QuantisedNetwork,
    mapping: &Mapping,
) -> Result<SlicedNetwork, SliceError> {
    let mut pieces = Vec::new();
    for (index, population) in network.populations.iter().enumerate() {
        let own: Vec<&Slice> = mapping.slices.iter().filter(|s| s.population == index).collect();
        if own.is_empty() {
            let neurons = (0..population.shape.size() as u32).collect();
            pieces.push(Piece { population: index, neurons, core: None });
        }
        for slice in own {
            let (neurons, core) = (slice.neurons().collect(), Some(slice.core));
            pieces.push(Piece { population: index, neurons, core });
        }
    }
    let populations = network.populations.len();
    if let Some(slice) = mapping.slices.iter().find(|slice| slice.population >= populations) {
        return Err(SliceError::Mapping { population: slice.population, populations });
    }
    let owners = owners(network, &pieces);
    let mut cut = QuantisedNetwork {
        name: network.name.clone(),
        chip: network.chip.clone(),
        populations: pieces.iter().map(|piece| cut_population(network, piece)).collect(),
        projections: Vec::new(),
    };
    let mut projections = Vec::new();
    for (index, projection) in network.projections.iter().enumerate() {
        match &projection.learning {
            None => cut_projection(network, projection, &owners, &mut cut)?,
            Some(rule) => {
                let cutter = Cutter { network, pieces: &pieces, owners: &owners };
                cut_learning(&cutter, projection, rule, &mut cut)?;
            }
        }
        projections.resize(cut.projections.len(), index);
    }
    Ok(SlicedNetwork { network: cut, pieces, projections })
}

/// For each population and neuron: its piece and its index there.
fn owners(network: &QuantisedNetwork, pieces: &[Piece]) -> Vec<Vec<(usize, u32)>> {
    let mut owners: Vec<Vec<(usize, u32)>> = network
        .populations
        .iter()
        .map(|population| vec![(usize::MAX, 0); population.shape.size() as usize])
        .collect();
    for (piece, Piece { population, neurons, .. }) in pieces.iter().enumerate() {
        for (index, &neuron) in (0_u32..).zip(neurons) {
            if let Some(slot) = owners.get_mut(*population).and_then(|o| o.get_mut(neuron as usize))
            {
                *slot = (piece, index);
            }
        }
    }
    owners
}

/// The name of a piece: population and core.
fn piece_name(population: &QuantisedPopulation, piece: &Piece) -> String {
    match piece.core {
        Some(core) => format!("{}/core{core}", population.name),
        None => population.name.clone(),
    }
}

fn cut_population(network: &QuantisedNetwork, piece: &Piece) -> QuantisedPopulation {
    let whole = &network.populations[piece.population];
    let cut = |values: &IntegerValues| match values {
        IntegerValues::One(value) => IntegerValues::One(*value),
        IntegerValues::PerNeuron(values) => {
            let value = |&neuron: &u32| values.get(neuron as usize).copied().unwrap_or_default();
            IntegerValues::PerNeuron(piece.neurons.iter().map(value).collect())
        }
    };
    let parameters: IndexMap<String, IntegerValues> =
        whole.parameters.iter().map(|(name, values)| (name.clone(), cut(values))).collect();
    QuantisedPopulation {
        name: piece_name(whole, piece),
        shape: match piece.core {
            None => whole.shape,
            Some(_) => Shape::List(piece.neurons.len() as u32),
        },
        process: whole.process.clone(),
        parameters,
    }
}

/// Cuts one projection into those between pieces, leaving out empty ones.
fn cut_projection(
    network: &QuantisedNetwork,
    projection: &QuantisedProjection,
    owners: &[Vec<(usize, u32)>],
    cut: &mut QuantisedNetwork,
) -> Result<(), SliceError> {
    let (synapses, stored) = synapses(network, projection)?;
    let mut pairs: IndexMap<(usize, usize), Vec<Synapse>> = IndexMap::new();
    let (sources, targets) = (&owners[projection.source], &owners[projection.target]);
    for synapse in synapses {
        let (Some(&(from, source)), Some(&(to, target))) =
            (sources.get(synapse.source as usize), targets.get(synapse.target as usize))
        else {
            continue;
        };
        if from != usize::MAX && to != usize::MAX {
            pairs.entry((from, to)).or_default().push(Synapse { source, target, ..synapse });
        }
    }
    for ((from, to), mut synapses) in pairs {
        synapses.sort_by_key(|synapse| (synapse.target, synapse.source));
        let (sign_mode, weight_bits, weight_exponent) = stored;
        let connection = Connection::Sparse {
            targets: synapses.iter().map(|synapse| synapse.target).collect(),
            sources: synapses.iter().map(|synapse| synapse.source).collect(),
            weights: synapses.iter().map(|synapse| synapse.weight).collect(),
            sign_mode,
            weight_bits,
            weight_exponent,
        };
        let delays: Vec<u8> = synapses.iter().map(|synapse| synapse.delay).collect();
        let first = delays.first().copied().unwrap_or_default();
        let delay = match delays.iter().all(|&delay| delay == first) {
            true => DelaySteps::One(first),
            false => DelaySteps::PerSynapse(delays),
        };
        let name = |piece: usize| cut.populations[piece].name.clone();
        let (source, target) = (name(from), name(to));
        cut.projections.push(QuantisedProjection {
            name: format!("{}: {source} to {target}", projection.name),
            source: from,
            target: to,
            connection,
            delay,
            message_bits: projection.message_bits,
            port: projection.port,
            learning: None,
        });
    }
    Ok(())
}

/// Signs, bits and exponent of stored weights.
type Stored = (SignMode, u8, i8);

/// All synapses of a projection with their stored weights.
fn synapses(
    network: &QuantisedNetwork,
    projection: &QuantisedProjection,
) -> Result<(Vec<Synapse>, Stored), SliceError> {
    let delay = |index: usize| match &projection.delay {
        DelaySteps::One(delay) => *delay,
        DelaySteps::PerSynapse(delays) => delays.get(index).copied().unwrap_or_default(),
    };
    let sources = network.populations[projection.source].shape.size().max(1) as usize;
    Ok(match &projection.connection {
        Connection::Dense { weights, sign_mode, weight_bits, weight_exponent } => {
            let synapse = |(index, &weight): (usize, &i32)| Synapse {
                target: (index / sources) as u32,
                source: (index % sources) as u32,
                weight,
                delay: delay(index),
            };
            let present = weights.iter().enumerate().filter(|(_, weight)| **weight != 0);
            let list: Vec<_> = present.map(synapse).collect();
            (list, (*sign_mode, *weight_bits, *weight_exponent))
        }
        Connection::Sparse {
            targets,
            sources,
            weights,
            sign_mode,
            weight_bits,
            weight_exponent,
        } => {
            let ends = targets.iter().zip(sources).zip(weights).enumerate();
            let synapse = |(index, ((&target, &source), &weight))| Synapse {
                target,
                source,
                weight,
                delay: delay(index),
            };
            (ends.map(synapse).collect(), (*sign_mode, *weight_bits, *weight_exponent))
        }
        Connection::Convolution { geometry, weights } => {
            if geometry.synapse_count() > SYNAPSE_LIMIT as u64 {
                return Err(SliceError::TooLarge);
            }
            if let Some(&weight) = weights.iter().find(|&weight| !(-256..=255).contains(weight)) {
                return Err(SliceError::Weight { projection: projection.name.clone(), weight });
            }
            let mut list = Vec::new();
            for source in 0..sources as u32 {
                geometry.for_each_target(source, |found| {
                    let weight = weights.get(found.weight as usize).copied().unwrap_or_default();
                    if weight != 0 {
                        list.push(Synapse {
                            target: found.target,
                            source,
                            weight,
                            delay: delay(0),
                        });
                    }
                });
            }
            // Nine bits with sign keep every kernel weight as it is.
            (list, (SignMode::Mixed, 9, 0))
        }
    })
}
