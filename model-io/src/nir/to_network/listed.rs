//! Weights that are neither a matrix nor a shared kernel: a list of synapses with delays of their own.
//!
//! What follows each other without a layer between (a convolution behind a convolution, overlapping
//! pooling, factors or delays that differ from value to value before weights) is one linear map, whose
//! synapses are multiplied out one by one.

use super::kernel::finish_pool;
use super::path::{Bias, Way, Weights};
use super::product::taps;
use super::{NotFromNir, refuse};
use crate::nir::Primitive;

/// Synapses of a list at most where no array of a file holds as many numbers.
const LIST_LIMIT: usize = 1 << 20;

/// A way from one value to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Synapse {
    pub(super) target: u32,
    pub(super) source: u32,
    /// Steps of Delay nodes.
    pub(super) delay: u32,
    pub(super) weight: f64,
}

/// Whether values of a way arrive at different times.
pub(super) fn delays_differ(delays: &[u64]) -> bool {
    delays.iter().any(|delay| Some(delay) != delays.first())
}

/// The synapses of weights onto values of which each has one of `delays`, ordered by target.
///
/// # Errors
/// Their number where it is too large.
pub(super) fn listed(
    weights: &Weights,
    size: usize,
    delays: &[u64],
) -> Result<Vec<Synapse>, usize> {
    let (count, stored) = match weights {
        Weights::Direct => (size, 0),
        Weights::Diagonal(factors) => (size, factors.len()),
        Weights::Matrix { weights, .. } => (weights.len(), weights.len()),
        Weights::Kernel { geometry, .. } => {
            let count = usize::try_from(geometry.synapse_count()).unwrap_or(usize::MAX);
            (count.saturating_add(size), 0)
        }
        Weights::Listed { synapses, .. } => (synapses.len(), synapses.len()),
    };
    if count > LIST_LIMIT.max(stored) {
        return Err(count);
    }
    let late = |target: usize| delays.get(target).or(delays.first()).copied().unwrap_or(0) as u32;
    let synapse = |target: usize, source: usize, weight: f64| Synapse {
        target: target as u32,
        source: source as u32,
        delay: late(target),
        weight,
    };
    Ok(match weights {
        Weights::Direct => (0..size).map(|value| synapse(value, value, 1.0)).collect(),
        Weights::Diagonal(factors) => {
            let factor = |n: usize| factors.get(n).or(factors.first()).copied().unwrap_or(1.0);
            (0..size).map(|value| synapse(value, value, factor(value))).collect()
        }
        Weights::Matrix { columns, weights } => {
            let columns = (*columns).max(1);
            let present = weights.iter().enumerate().filter(|(_, weight)| **weight != 0.0);
            present.map(|(n, &weight)| synapse(n / columns, n % columns, weight)).collect()
        }
        Weights::Kernel { geometry, weights } => {
            let mut found = Vec::with_capacity(count);
            for target in 0..size {
                taps(geometry, target, |source, tap| {
                    found.push(synapse(target, source, weights[tap]));
                });
            }
            found
        }
        Weights::Listed { synapses, .. } => {
            let later = |own: &Synapse| Synapse {
                delay: own.delay.saturating_add(late(own.target as usize)),
                ..*own
            };
            synapses.iter().map(later).collect()
        }
    })
}

/// Writes the weights and delays of a way down one by one.
///
/// # Errors
/// [`NotFromNir`] naming the node where they are too many.
pub(super) fn list(node: &(String, Primitive), way: &mut Way) -> Result<(), NotFromNir> {
    let size = way.shape.iter().product();
    let sources = sources(&way.path.weights, size);
    let own = listed(&way.path.weights, size, &way.path.delays);
    let synapses = own.map_err(|size| too_many(node, size))?;
    way.path.weights = Weights::Listed { sources, synapses };
    way.path.delays = vec![0];
    Ok(())
}

pub(super) fn too_many(node: &(String, Primitive), size: usize) -> NotFromNir {
    let problem = format!("with what lies before it it has {size} synapses, none like another");
    refuse(node, problem, "put a layer between them")
}

/// Values from which weights lead.
fn sources(weights: &Weights, size: usize) -> usize {
    match weights {
        Weights::Direct | Weights::Diagonal(_) => size,
        Weights::Matrix { columns, .. } => *columns,
        Weights::Kernel { geometry, .. } => geometry.source.iter().map(|&n| n as usize).product(),
        Weights::Listed { sources, .. } => *sources,
    }
}

/// Multiplies the weights of a way, and what it adds, by weights behind it onto `size` values.
///
/// # Errors
/// [`NotFromNir`] naming the node where the product is too large.
pub(super) fn behind(
    node: &(String, Primitive),
    way: &mut Way,
    (own, size): (&Weights, usize),
) -> Result<(), NotFromNir> {
    list(node, way)?;
    let Weights::Listed { sources, synapses: before } = &way.path.weights else { return Ok(()) };
    let own = listed(own, size, &[0]).map_err(|size| too_many(node, size))?;
    let middle = way.shape.iter().product::<usize>();
    let mut starts = vec![0_usize; middle + 1];
    before.iter().for_each(|synapse| starts[synapse.target as usize + 1] += 1);
    (0..middle).for_each(|value| starts[value + 1] += starts[value]);
    let of = |synapse: &Synapse| {
        let value = synapse.source as usize;
        &before[starts[value]..starts[value + 1]]
    };
    let count = own.iter().map(|synapse| of(synapse).len()).sum::<usize>();
    if count > LIST_LIMIT.max(own.len()) {
        return Err(too_many(node, count));
    }
    let mut made: Vec<Synapse> = Vec::with_capacity(count);
    for synapse in &own {
        made.extend(of(synapse).iter().map(|first| Synapse {
            target: synapse.target,
            source: first.source,
            delay: first.delay.saturating_add(synapse.delay),
            weight: first.weight * synapse.weight,
        }));
    }
    // Ways that leave one value and arrive at another in one step are one synapse.
    made.sort_by_key(|synapse| (synapse.target, synapse.source, synapse.delay));
    made.dedup_by(|next, kept| {
        let same = (next.target, next.source, next.delay) == (kept.target, kept.source, kept.delay);
        if same {
            kept.weight += next.weight;
        }
        same
    });
    let made = Weights::Listed { sources: *sources, synapses: made };
    way.spread_biases();
    way.path.biases = way.path.biases.iter().flat_map(|bias| passed(bias, &own, size)).collect();
    way.path.weights = made;
    way.path.multiplied.push(node.0.clone());
    Ok(())
}

/// A bias behind synapses: one for each of the times at which it arrives.
fn passed(bias: &Bias, own: &[Synapse], size: usize) -> Vec<Bias> {
    let late = |n: usize| bias.delays.get(n).or(bias.delays.first()).copied().unwrap_or(0);
    let mut times: Vec<u64> = bias.delays.clone();
    times.sort_unstable();
    times.dedup();
    let at = |time: u64| {
        let mut values = vec![0.0; size];
        for synapse in own.iter().filter(|synapse| late(synapse.source as usize) == time) {
            let value = bias.values.get(synapse.source as usize).copied().unwrap_or(0.0);
            values[synapse.target as usize] += synapse.weight * value;
        }
        Bias { values, repeat: 1, delays: vec![time], linear: bias.linear }
    };
    times.into_iter().map(at).collect()
}

/// Puts a convolution or pooling onto a way whose weights are no single factor.
///
/// # Errors
/// [`NotFromNir`].
pub(super) fn kernel_behind(
    node: &(String, Primitive),
    way: &mut Way,
    convolve: impl FnOnce(&mut Way) -> Result<(), NotFromNir>,
) -> Result<(), NotFromNir> {
    let shape = way.shape.clone();
    let weights = std::mem::replace(&mut way.path.weights, Weights::Direct);
    let delays = std::mem::replace(&mut way.path.delays, vec![0]);
    let biases = std::mem::take(&mut way.path.biases);
    let linear = way.path.linear;
    convolve(way)?;
    finish_pool(node, way)?;
    let own = std::mem::replace(&mut way.path.weights, weights);
    let added = std::mem::replace(&mut way.path.biases, biases);
    let passed = way.path.linear - linear;
    way.path.biases.iter_mut().for_each(|bias| bias.linear += passed);
    way.path.delays = delays;
    let behind_shape = std::mem::replace(&mut way.shape, shape);
    behind(node, way, (&own, behind_shape.iter().product()))?;
    way.shape = behind_shape;
    way.path.biases.extend(added);
    Ok(())
}
