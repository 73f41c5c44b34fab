//! Every synapse of a network, one by one, from the rules' definitions.

use sim_core::engine::Compiled;
use sim_core::network::{AllToAll, Connectivity, Convolution, List, ValidDelays, ValidWeights};

/// One synapse between global neuron indices.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlainSynapse {
    /// Source neuron.
    pub source: u32,
    /// Target neuron.
    pub target: u32,
    /// Receptor of the target's model.
    pub receptor: usize,
    /// Weight in the receptor's base unit as described.
    pub weight: f64,
    /// Delay in steps.
    pub delay: u64,
    /// Index of the projection.
    pub projection: usize,
}

/// Expands all projections. What is drawn (pairs, weights, delays) is read from the compiled
/// network: it is tested by its statistics.
pub fn expand(compiled: &Compiled) -> Vec<PlainSynapse> {
    let network = compiled.network();
    let mut all = Vec::new();
    for (index, projection) in network.projections().values().enumerate() {
        let (ValidWeights::Listed(weights), ValidDelays::Listed(delays)) =
            (&projection.weights, &projection.delays)
        else {
            all.extend(drawn(compiled, index));
            continue;
        };
        let source = &network.populations()[projection.source];
        let target = &network.populations()[projection.target];
        let Some(pairs) = pairs(&projection.connectivity, source.size(), target.size()) else {
            all.extend(drawn(compiled, index));
            continue;
        };
        for (from, to, weight) in pairs {
            all.push(PlainSynapse {
                source: source.first + from,
                target: target.first + to,
                receptor: projection.receptor,
                weight: weights.get(weight),
                delay: u64::from(if delays.len() == 1 { delays[0] } else { delays[weight] }),
                projection: index,
            });
        }
    }
    all
}

/// (source, target, index of the weight), local to the populations.
///
/// `None` for rules that draw.
fn pairs(rule: &Connectivity, sources: u32, targets: u32) -> Option<Vec<(u32, u32, usize)>> {
    let mut pairs = Vec::new();
    match rule {
        Connectivity::OneToOne(_) => pairs.extend((0..sources).map(|i| (i, i, i as usize))),
        Connectivity::AllToAll(AllToAll { autapses }) => {
            for from in 0..sources {
                for to in 0..targets {
                    if *autapses || from != to {
                        pairs.push((from, to, 0));
                    }
                }
            }
        }
        Connectivity::Dense(_) => {
            for to in 0..targets {
                for from in 0..sources {
                    pairs.push((from, to, (to * sources + from) as usize));
                }
            }
        }
        Connectivity::List(List { sources: from, targets: to }) => {
            for (index, (from, to)) in from.iter().zip(to).enumerate() {
                pairs.push((*from, *to, index));
            }
        }
        Connectivity::Convolution(geometry) => return Some(convolution(geometry)),
        Connectivity::Csr(rule) => {
            for from in 0..sources as usize {
                for index in rule.row_starts[from]..rule.row_starts[from + 1] {
                    pairs.push((from as u32, rule.targets[index as usize], index as usize));
                }
            }
        }
        _ => return None,
    }
    Some(pairs)
}

/// target(o, y, x) = Σ kernel(o, i, ky, kx) · source(i, y·stride + ky·dilation − padding, …).
fn convolution(c: &Convolution) -> Vec<(u32, u32, usize)> {
    let mut pairs = Vec::new();
    let (per_group_in, per_group_out) = (c.source[0] / c.groups, c.target[0] / c.groups);
    let read = |at: u32, tap: u32, axis: usize| -> Option<u32> {
        let position =
            i64::from(at * c.stride[axis] + tap * c.dilation[axis]) - i64::from(c.padding[axis]);
        (0..i64::from(c.source[axis + 1])).contains(&position).then_some(position as u32)
    };
    for out in 0..c.target[0] {
        for channel in 0..per_group_in {
            let from_channel = out / per_group_out * per_group_in + channel;
            for (y, x) in (0..c.target[1]).flat_map(|y| (0..c.target[2]).map(move |x| (y, x))) {
                for ky in 0..c.kernel[0] {
                    for kx in 0..c.kernel[1] {
                        let (Some(row), Some(column)) = (read(y, ky, 0), read(x, kx, 1)) else {
                            continue;
                        };
                        let from = (from_channel * c.source[1] + row) * c.source[2] + column;
                        let to = (out * c.target[1] + y) * c.target[2] + x;
                        let weight =
                            ((out * per_group_in + channel) * c.kernel[0] + ky) * c.kernel[1] + kx;
                        pairs.push((from, to, weight as usize));
                    }
                }
            }
        }
    }
    pairs
}

/// The synapses of a projection as they were compiled.
fn drawn(compiled: &Compiled, projection: usize) -> Vec<PlainSynapse> {
    let network = compiled.network();
    let ends = &network.projections()[projection];
    network.populations()[ends.source]
        .range()
        .flat_map(|neuron| compiled.connectome().synapses_of(neuron))
        .filter(|synapse| synapse.projection as usize == projection)
        .map(|synapse| PlainSynapse {
            source: synapse.source,
            target: synapse.target,
            receptor: ends.receptor,
            weight: synapse.weight,
            delay: u64::from(synapse.delay),
            projection,
        })
        .collect()
}
