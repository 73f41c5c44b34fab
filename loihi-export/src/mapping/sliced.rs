//! The network that a mapping runs: every slice a population of its own.
//!
//! It computes the same spikes as the whole network. The one way in which cutting could change them
//! is the shift of a sum of weights to the right, which each part would round for itself: networks
//! in which that shift drops bits are refused.

use super::is_off_chip;
use super::slice::{NO_SLICE, Slice, owners};
use crate::quantise::network::{
    Connection, DelaySteps, IntegerValues, QuantisedNetwork, QuantisedPopulation,
    QuantisedProjection, SignMode,
};

/// Why a network cannot be cut without changing it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SliceError {
    /// Weights lose bits when partial sums are shifted.
    #[error(
        "projections/{projection}: weights are no multiples of {multiple}, so that parts of the \
         sum would be rounded apart from each other and spikes change with the mapping; store \
         weights shifted left by the exponent"
    )]
    Rounding {
        /// Name of the projection.
        projection: String,
        /// What weights would have to be multiples of.
        multiple: i64,
    },
    /// A weight of a kernel does not fit a listed synapse.
    #[error("projections/{projection}: kernel weight {weight} does not fit 9 bits and a sign")]
    Kernel {
        /// Name of the projection.
        projection: String,
        /// The weight.
        weight: i32,
    },
}

/// A network of slices, and where each neuron went.
#[derive(Debug, Clone, PartialEq)]
pub struct SlicedNetwork {
    /// Inputs as they were, then a population for each slice, named `population@index`.
    pub network: QuantisedNetwork,
    /// For each population of the whole network and each of its neurons: population and neuron here.
    pub places: Vec<Vec<(usize, u32)>>,
}

/// One synapse: target, source, weight, additional delay.
type Synapse = (u32, u32, i32, u8);

/// Cuts a network as a mapping's slices say.
///
/// The network must have passed `check_structure` and every neuron on chip be in one slice.
///
/// # Errors
/// [`SliceError`] where cutting would change spikes.
pub fn sliced_network(
    network: &QuantisedNetwork,
    slices: &[Slice],
) -> Result<SlicedNetwork, SliceError> {
    let mut cut =
        QuantisedNetwork { populations: Vec::new(), projections: Vec::new(), ..network.clone() };
    let mut places = Vec::with_capacity(network.populations.len());
    for (index, population) in network.populations.iter().enumerate() {
        let size = u32::try_from(population.shape.size()).unwrap_or(u32::MAX);
        if is_off_chip(population) {
            let here = cut.populations.len();
            places.push((0..size).map(|neuron| (here, neuron)).collect());
            cut.populations.push(population.clone());
            continue;
        }
        let holders = owners(index, size, slices);
        let mut number: Vec<Option<(usize, u32)>> = vec![None; slices.len()];
        let mut place: Vec<(usize, u32)> = Vec::with_capacity(size as usize);
        for holder in holders.into_iter().filter(|&holder| holder != NO_SLICE) {
            let here = match number[holder as usize].as_mut() {
                Some(next) => {
                    next.1 += 1;
                    *next
                }
                None => {
                    let first = (cut.populations.len(), 0);
                    let slice = &slices[holder as usize];
                    cut.populations.push(slice_population(population, slice, holder));
                    number[holder as usize] = Some(first);
                    first
                }
            };
            place.push(here);
        }
        places.push(place);
    }
    for projection in &network.projections {
        add_parts(&mut cut, network, projection, &places)?;
    }
    Ok(SlicedNetwork { network: cut, places })
}

fn slice_population(whole: &QuantisedPopulation, slice: &Slice, index: u32) -> QuantisedPopulation {
    let pick = |values: &IntegerValues| match values {
        IntegerValues::One(value) => IntegerValues::One(*value),
        IntegerValues::PerNeuron(values) => IntegerValues::PerNeuron(
            slice.neurons().filter_map(|n| values.get(n as usize).copied()).collect(),
        ),
    };
    QuantisedPopulation {
        name: format!("{}@{index}", whole.name),
        shape: sim_core::network::Shape::List(slice.length()),
        process: whole.process.clone(),
        parameters: whole.parameters.iter().map(|(k, v)| (k.clone(), pick(v))).collect(),
    }
}

/// Adds the parts of a projection between all pairs of slices that it joins.
fn add_parts(
    cut: &mut QuantisedNetwork,
    network: &QuantisedNetwork,
    projection: &QuantisedProjection,
    places: &[Vec<(usize, u32)>],
) -> Result<(), SliceError> {
    let (sign_mode, weight_bits, weight_exponent) = numbers(projection)?;
    let (from, to) = (&places[projection.source], &places[projection.target]);
    let mut parts: std::collections::BTreeMap<(usize, usize), Vec<Synapse>> = Default::default();
    for_each_synapse(network, projection, |(target, source, weight, delay)| {
        let (Some(&target), Some(&source)) = (to.get(target as usize), from.get(source as usize))
        else {
            return;
        };
        let part = parts.entry((target.0, source.0)).or_default();
        part.push((target.1, source.1, weight, delay));
    });
    for ((target, source), mut synapses) in parts {
        synapses.sort_by_key(|&(target, source, ..)| (target, source));
        let delay = match &projection.delay {
            DelaySteps::One(delay) => DelaySteps::One(*delay),
            DelaySteps::PerSynapse(_) => {
                DelaySteps::PerSynapse(synapses.iter().map(|s| s.3).collect())
            }
        };
        cut.projections.push(QuantisedProjection {
            name: format!("{}@{source}-{target}", projection.name),
            source,
            target,
            connection: Connection::Sparse {
                targets: synapses.iter().map(|s| s.0).collect(),
                sources: synapses.iter().map(|s| s.1).collect(),
                weights: synapses.iter().map(|s| s.2).collect(),
                sign_mode,
                weight_bits,
                weight_exponent,
            },
            delay,
            ..projection.clone()
        });
    }
    Ok(())
}

/// Signs, bits and exponent of the parts of a projection.
fn numbers(projection: &QuantisedProjection) -> Result<(SignMode, u8, i8), SliceError> {
    match &projection.connection {
        Connection::Dense { weights, sign_mode, weight_bits, weight_exponent }
        | Connection::Sparse { weights, sign_mode, weight_bits, weight_exponent, .. } => {
            let multiple = 1i64 << (-i32::from(*weight_exponent)).clamp(0, 62);
            if weights.iter().any(|&weight| i64::from(weight) % multiple != 0) {
                let projection = projection.name.clone();
                return Err(SliceError::Rounding { projection, multiple });
            }
            Ok((*sign_mode, *weight_bits, *weight_exponent))
        }
        Connection::Convolution { weights, .. } => {
            // listed weights of 9 bits keep odd numbers, as kernels do
            match weights.iter().find(|&&weight| !(-256..=255).contains(&weight)) {
                Some(&weight) => {
                    Err(SliceError::Kernel { projection: projection.name.clone(), weight })
                }
                None => Ok((SignMode::Mixed, 9, 0)),
            }
        }
    }
}

fn for_each_synapse(
    network: &QuantisedNetwork,
    projection: &QuantisedProjection,
    mut visit: impl FnMut(Synapse),
) {
    let delay = |index: usize| match &projection.delay {
        DelaySteps::One(delay) => *delay,
        DelaySteps::PerSynapse(delays) => delays.get(index).copied().unwrap_or(0),
    };
    match &projection.connection {
        Connection::Dense { weights, .. } => {
            let width = network.populations[projection.source].shape.size().max(1) as usize;
            for (index, &weight) in weights.iter().enumerate() {
                visit(((index / width) as u32, (index % width) as u32, weight, delay(index)));
            }
        }
        Connection::Sparse { targets, sources, weights, .. } => {
            for (index, ((&target, &source), &weight)) in
                targets.iter().zip(sources).zip(weights).enumerate()
            {
                visit((target, source, weight, delay(index)));
            }
        }
        Connection::Convolution { geometry, weights } => {
            let mut all = Vec::new();
            for target in 0..geometry.target.iter().product() {
                kernel_of(geometry, target, &mut all);
                for &(source, index) in &all {
                    visit((target, source, weights[index], delay(index)));
                }
            }
        }
    }
}

/// (source neuron, index of the weight) of every synapse of a target of a convolution.
fn kernel_of(
    geometry: &sim_core::network::Convolution,
    target: u32,
    found: &mut Vec<(u32, usize)>,
) {
    found.clear();
    let [channels, height, width] = geometry.target;
    let (out, y, x) = (target / (height * width), target / width % height, target % width);
    let per_group = geometry.source[0] / geometry.groups;
    let group = out / (channels / geometry.groups);
    let position = |at: u32, element: u32, axis: usize| {
        let here = i64::from(at) * i64::from(geometry.stride[axis])
            + i64::from(element) * i64::from(geometry.dilation[axis])
            - i64::from(geometry.padding[axis]);
        u32::try_from(here).ok().filter(|&here| here < geometry.source[axis + 1])
    };
    let [rows, columns] = geometry.kernel;
    for channel in 0..per_group {
        for ky in 0..rows {
            for kx in 0..columns {
                let (Some(row), Some(column)) = (position(y, ky, 0), position(x, kx, 1)) else {
                    continue;
                };
                let source = ((group * per_group + channel) * geometry.source[1] + row)
                    * geometry.source[2]
                    + column;
                let weight = ((out * per_group + channel) * rows + ky) * columns + kx;
                found.push((source, weight as usize));
            }
        }
    }
}
