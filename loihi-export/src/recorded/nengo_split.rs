//! Dense feed-forward networks cut as nengo-loihi 1.1.0 cuts them, then mapped and counted by our
//! own stages.
//!
//! A layer becomes as many blocks as the largest of its compartments, input axons, output axons and
//! synapse bits over a core's limit, rounded up; blocks are equally long, the last one what is left
//! (that tool's `split_block`). Output axons are counted before the next layer is cut, so that a
//! block may exceed that limit and the tool refuses it. One block a core.

use serde_json::Value;

use super::nengo_loihi::RESOURCES;
use super::{Checked, Comparison, Stop, count};
use crate::budget::budget;
use crate::check::check;
use crate::mapping::usage::{Usage, inbound_usage, usage_of_slices};
use crate::mapping::{CoreLimits, Mapping, Resource, Slice};
use crate::partition::Partition;
use crate::place::{PlaceConfig, place};
use crate::quantise::network::{
    Connection, DelaySteps, QuantisedNetwork, QuantisedPopulation, QuantisedProjection, SignMode,
};
use crate::route::{RouteConfig, route};
use sim_core::network::Shape;

/// Layers above this size are not built (weights of a layer pair).
const MOST_WEIGHTS: u64 = 1 << 28;

/// The layer that a block's label names: `<Ensemble 'L3'>` is layer 3.
fn layer_of(label: &str) -> Option<usize> {
    label.split("'L").nth(1)?.split('\'').next()?.parse().ok()
}

/// The first neuron that a block's label names: `[150:300:1]` begins at 150.
fn first_of(label: &str) -> u32 {
    let range = label.split("'>[").nth(1).and_then(|rest| rest.split(':').next());
    range.and_then(|first| first.parse().ok()).unwrap_or(0)
}

/// The whole network mapped again, block by block; networks that are not dense from layer to layer
/// are left out.
pub(super) fn mapped(
    name: &str,
    blocks: &[Value],
    limits: &CoreLimits,
    comparison: &mut Comparison,
) -> Checked<()> {
    let Some(sizes) = dense_layers(blocks) else { return Ok(()) };
    let Some(net) = perceptron(&sizes) else { return Ok(()) };
    let not_made = |error: String| Stop::NotCovered(format!("{name}: {error}"));
    let slices = cut(&net, limits);
    let partition = Partition { cores: slices.len() as u32, slices };
    let (partition, placement) = place(&net, partition, limits, &PlaceConfig::default())
        .map_err(|error| not_made(error.to_string()))?;
    let routes = route(&net, &partition, &placement, limits, &RouteConfig::default())
        .map_err(|error| not_made(error.to_string()))?;
    let mapping = Mapping {
        network: net.name.clone(),
        chip: limits.chip.clone(),
        slices: partition.slices,
        cores: placement.cores,
        routes: routes.routes,
        links: routes.links,
        casting: routes.casting,
    };
    let checked = check(&net, limits, mapping).map_err(|error| not_made(error.to_string()))?;
    let cores = budget(&checked).cores;
    let variable = format!("{name}: blocks");
    comparison.equal(&variable, [0, 0], cores.len() as f64, blocks.len() as f64)?;
    for (index, (core, block)) in cores.iter().zip(blocks).enumerate() {
        for (key, _, resource) in RESOURCES {
            let theirs = count(&block[key], "used")? as f64;
            let ours = core.amount(resource) as f64;
            comparison.equal(&format!("{name}: {key} of the mapping"), [0, index], ours, theirs)?;
        }
    }
    Ok(())
}

/// A message that a block exceeds a limit; the layers' sizes are in the network's name. Of networks
/// that are not dense the synapses are not recorded, and only the limit is compared.
pub(super) fn refused(
    name: &str,
    message: &str,
    limits: &CoreLimits,
    comparison: &mut Comparison,
) -> Checked<()> {
    const STATED: [(&str, Resource); 4] = [
        ("Output axons (", Resource::OutputAxons),
        ("Input axons (", Resource::InputAxons),
        ("Total synapse bits (", Resource::SynapseMemory),
        ("Number of compartments (", Resource::Neurons),
    ];
    let sizes: Vec<u64> = name.split('_').filter_map(|part| part.parse().ok()).collect();
    let number = |text: &str| -> Option<u64> { text.split(')').next()?.parse().ok() };
    let stated = STATED.iter().find_map(|&(words, resource)| {
        let rest = message.split(words).nth(1)?;
        Some((resource, number(rest)?, number(rest.split("max (").nth(1)?)?))
    });
    let not_covered = || Stop::NotCovered(format!("{name}: {message}"));
    let (resource, used, most) = stated.ok_or_else(not_covered)?;
    if !name.starts_with("mlp") {
        let limit = limits.limit(resource).unwrap_or(0);
        let over = f64::from(u8::from(used > limit));
        comparison.equal(&format!("{name}: {used} {resource} are too many"), [0, 0], over, 1.0)?;
        let variable = format!("{name}: limit of {resource}");
        return comparison.equal(&variable, [0, 0], limit as f64, most as f64);
    }
    let (Some(net), Some(layer)) = (perceptron(&sizes), layer_of(message)) else {
        return Err(not_covered());
    };
    let slices = cut(&net, limits);
    let usage = usage_of_slices(&net, &slices, limits);
    let first = first_of(message);
    let block = slices.iter().position(|s| s.population == layer && s.first() == first);
    let ours = block.map_or(0, |block| usage[block].amount(resource));
    let at = [0, block.unwrap_or(0)];
    comparison.equal(&format!("{name}: {resource}"), at, ours as f64, used as f64)?;
    let limit = limits.limit(resource).unwrap_or(0);
    comparison.equal(&format!("{name}: limit of {resource}"), at, limit as f64, most as f64)
}

/// Sizes of layers where every list joins all of one layer with all of the next.
fn dense_layers(blocks: &[Value]) -> Option<Vec<u64>> {
    let layer = |block: &Value| layer_of(block["label"].as_str()?);
    let number = |value: &Value, field: &str| value[field].as_u64();
    let mut sizes: Vec<u64> = Vec::new();
    for block in blocks {
        let (layer, neurons) = (layer(block)?, number(block, "n")?);
        if layer > sizes.len() {
            return None;
        }
        sizes.resize(sizes.len().max(layer + 1), 0);
        sizes[layer] = sizes[layer].checked_add(neurons)?;
    }
    for block in blocks {
        let lists = block["synapses_detail"].as_array()?;
        let before = layer(block)?.checked_sub(1).map(|before| sizes[before]);
        let arriving =
            before.map_or(0, |before| before.saturating_mul(number(block, "n").unwrap_or(0)));
        let dense = |list: &Value| number(list, "size") == Some(arriving) && before.is_some();
        if lists.len() != usize::from(before.is_some()) || !lists.iter().all(dense) {
            return None;
        }
    }
    Some(sizes)
}

/// Blocks of every layer, each on a core of its own.
fn cut(net: &QuantisedNetwork, limits: &CoreLimits) -> Vec<Slice> {
    let mut slices = Vec::new();
    for (population, described) in net.populations.iter().enumerate() {
        let size = u32::try_from(described.shape.size()).unwrap_or(u32::MAX);
        let whole = Slice::range(population, 0..size);
        let sends = net.projections.iter().filter(|p| p.source == population).count() as u64;
        let usage = Usage {
            output_axons: sends.saturating_mul(size.into()),
            ..inbound_usage(net, limits, population, &whole.runs)
        };
        let parts = RESOURCES.iter().filter_map(|&(_, _, resource)| {
            Some(usage.amount(resource).div_ceil(limits.limit(resource)?.max(1)))
        });
        let parts = u32::try_from(parts.max().unwrap_or(1)).unwrap_or(u32::MAX).max(1);
        let length = size.div_ceil(parts).max(1);
        let mut first = 0;
        while first < size {
            let end = first.saturating_add(length).min(size);
            slices
                .push(Slice { core: slices.len() as u32, ..Slice::range(population, first..end) });
            first = end;
        }
    }
    slices
}

/// Layers on chip, each dense to the next; the first is driven by its biases.
fn perceptron(sizes: &[u64]) -> Option<QuantisedNetwork> {
    let mut net = QuantisedNetwork {
        name: "perceptron".to_owned(),
        chip: "loihi1".to_owned(),
        populations: Vec::new(),
        projections: Vec::new(),
    };
    for (layer, &size) in sizes.iter().enumerate() {
        net.populations.push(QuantisedPopulation {
            name: format!("L{layer}"),
            shape: Shape::List(u32::try_from(size).ok()?),
            process: "lif".to_owned(),
            parameters: indexmap::IndexMap::new(),
        });
        if layer == 0 {
            continue;
        }
        let weights = sizes[layer - 1].checked_mul(size).filter(|&n| n <= MOST_WEIGHTS)?;
        net.projections.push(QuantisedProjection {
            connection: Connection::Dense {
                weights: vec![1; weights as usize],
                sign_mode: SignMode::Mixed,
                weight_bits: 8,
                weight_exponent: 0,
            },
            name: format!("W{layer}"),
            source: layer - 1,
            target: layer,
            delay: DelaySteps::One(0),
            message_bits: 0,
            port: 0,
            learning: None,
        });
    }
    (sizes.len() > 1).then_some(net)
}
