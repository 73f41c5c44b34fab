//! `Scale` on a way: factors of the weights before or behind it.

use super::kernel::finish_pool;
use super::listed::{delays_differ, kernel_behind, list};
use super::path::{Way, Weights};
use super::{NotFromNir, refuse};
use crate::nir::Primitive;

/// Multiplies what arrives by a factor a value, or one for all.
pub(super) fn scaled(
    node: &(String, Primitive),
    way: &mut Way,
    factors: &[f64],
) -> Result<(), NotFromNir> {
    let size: usize = way.shape.iter().product();
    if factors.len() != size && factors.len() != 1 {
        let problem = format!("{size} values reach its {} factors", factors.len());
        return Err(refuse(node, problem, "give it one factor a value, or one for all"));
    }
    let factor = |value: usize| factors.get(value).or(factors.first()).copied().unwrap_or(1.0);
    match &mut way.path.weights {
        Weights::Direct => way.path.weights = Weights::Diagonal(factors.to_vec()),
        // A factor for all stays one: the size of the values may be a mere statement.
        Weights::Diagonal(own) if own.len() == 1 => {
            let first = own.first().copied().unwrap_or(1.0);
            *own = factors.iter().map(|factor| first * factor).collect();
        }
        Weights::Diagonal(own) => {
            own.iter_mut().enumerate().for_each(|(value, own)| *own *= factor(value));
        }
        Weights::Matrix { columns, weights } => {
            for (row, weights) in weights.chunks_mut((*columns).max(1)).enumerate() {
                weights.iter_mut().for_each(|weight| *weight *= factor(row));
            }
        }
        Weights::Kernel { geometry, weights } => {
            let channels = geometry.target[0] as usize;
            match by_channel(channels, factors) {
                Some(of_channel) => {
                    let taps = (weights.len() / channels.max(1)).max(1);
                    let chunks = weights.chunks_mut(taps);
                    for (weights, factor) in chunks.zip(of_channel.into_iter().cycle()) {
                        weights.iter_mut().for_each(|weight| *weight *= factor);
                    }
                }
                // What differs within a channel is no shared kernel any more.
                None => {
                    list(node, way)?;
                    return scaled(node, way, factors);
                }
            }
        }
        Weights::Listed { synapses, .. } => {
            synapses.iter_mut().for_each(|own| own.weight *= factor(own.target as usize));
        }
    }
    if factors.len() > 1 {
        way.spread_biases();
    }
    for bias in &mut way.path.biases {
        bias.values.iter_mut().enumerate().for_each(|(value, bias)| *bias *= factor(value));
    }
    Ok(())
}

/// Lets `convolve` put a kernel onto the way, and multiplies what is before it into its taps: factors
/// of channels stay a kernel, the rest becomes a list.
pub(super) fn into_kernel(
    node: &(String, Primitive),
    way: &mut Way,
    convolve: impl FnOnce(&mut Way) -> Result<(), NotFromNir>,
) -> Result<(), NotFromNir> {
    let channels = if way.shape.len() > 1 { way.shape.first().copied().unwrap_or(1) } else { 1 };
    let shared = !delays_differ(&way.path.delays) && way.path.biases.is_empty();
    let of_channel = match &way.path.weights {
        Weights::Direct if shared => return convolve(way),
        Weights::Diagonal(factors) if shared => by_channel(channels, factors),
        _ => None,
    };
    let Some(of_channel) = of_channel else {
        return kernel_behind(node, way, convolve);
    };
    way.path.weights = Weights::Direct;
    convolve(way)?;
    finish_pool(node, way)?;
    let Weights::Kernel { geometry, weights } = &mut way.path.weights else { return Ok(()) };
    let [out, ins, rows, columns] = geometry.weight_shape().map(|n| n as usize);
    let outs_of_group = (out / (geometry.groups as usize).max(1)).max(1);
    for (filter, taps) in weights.chunks_mut((rows * columns).max(1)).enumerate() {
        let (out, channel) = (filter / ins.max(1), filter % ins.max(1));
        let factor = of_channel.get(out / outs_of_group * ins + channel).or(of_channel.first());
        let factor = factor.copied().unwrap_or(1.0);
        taps.iter_mut().for_each(|tap| *tap *= factor);
    }
    Ok(())
}

/// One factor a channel, where a channel's values share theirs; one alone is for all.
fn by_channel(channels: usize, factors: &[f64]) -> Option<Vec<f64>> {
    if let [one] = factors {
        return Some(vec![*one]);
    }
    let planes = factors.chunks((factors.len() / channels.max(1)).max(1));
    planes.map(|plane| plane.iter().all(|f| *f == plane[0]).then_some(plane[0])).collect()
}
