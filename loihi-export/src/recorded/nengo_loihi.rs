//! nengo-loihi: what each block takes of a Loihi 1 core, and what its limits refuse.
//!
//! Lists are counted again from their lengths, and dense feed-forward networks are mapped with that
//! tool's rules: one slice a core, layers cut evenly.

use serde_json::Value;

use super::{Checked, Comparison, Stop, count, missing};
use crate::budget::budget;
use crate::check::check;
use crate::chip::ChipSpec;
use crate::mapping::{CoreLimits, MapConfig, Resource, map};
use crate::partition::PartitionConfig;
use crate::quantise::network::{
    Connection, DelaySteps, QuantisedNetwork, QuantisedPopulation, QuantisedProjection, SignMode,
};
use sim_core::network::Shape;

const RESOURCES: [(&str, &str, Resource); 4] = [
    ("compartments", "compartments", Resource::Neurons),
    ("in-axons", "in_axons", Resource::InputAxons),
    ("out-axons", "out_axons", Resource::OutputAxons),
    ("synapses", "synapse_bits", Resource::SynapseMemory),
];

/// Layers above this size are not built (weights of a layer pair).
const MOST_WEIGHTS: u64 = 1 << 28;

pub(super) fn verify(case: &Value) -> Checked<u64> {
    let not_covered = |error: String| Stop::NotCovered(error);
    let chip = ChipSpec::built_in("loihi1").map_err(|e| not_covered(e.to_string()))?;
    let limits = CoreLimits::of_chip(&chip).map_err(|e| not_covered(e.to_string()))?;
    let mut comparison = Comparison::default();
    for (_, key, resource) in RESOURCES {
        if let Some(theirs) = case["limits"][key].as_f64() {
            let ours = limits.limit(resource).unwrap_or(0) as f64;
            comparison.equal(&format!("limits/{key}"), [0, 0], ours, theirs)?;
        }
    }
    let nets = case["nets"].as_object().ok_or_else(|| missing("nets"))?;
    for (name, net) in nets {
        match net.as_str() {
            Some(message) => refused(name, message, &limits, &mut comparison)?,
            None => accepted(name, net, &limits, &mut comparison)?,
        }
    }
    Ok(comparison.values)
}

/// A network with its blocks.
fn accepted(
    name: &str,
    net: &Value,
    limits: &CoreLimits,
    comparison: &mut Comparison,
) -> Checked<()> {
    let blocks = net["blocks"].as_array().ok_or_else(|| missing("blocks"))?;
    let model = &limits.synapse_memory;
    let mut shares: Vec<[f64; 4]> = Vec::new();
    for (index, block) in blocks.iter().enumerate() {
        let at = [0, index];
        let (mut axons, mut bits, mut whole) = (0, 0, true);
        for list in block["synapses_detail"].as_array().into_iter().flatten() {
            let (n, length) = (count(list, "n_axons")?, count(list, "weights_per_axon_first")?);
            let neurons = u32::try_from(count(block, "n")?).unwrap_or(u32::MAX);
            let index_bits = model.index_width(neurons);
            let theirs = count(list, "idx_bits")?;
            comparison.equal(&format!("{name}: idx_bits"), at, index_bits.into(), theirs as f64)?;
            let stored = if count(list, "compression")? == 3 { 0 } else { index_bits };
            let width = u32::try_from(count(list, "weight_bits")?).unwrap_or(u32::MAX);
            let one = model.list_bits(length, width.saturating_add(stored));
            let theirs = count(list, "bits_of_first_axon")? as f64;
            comparison.equal(&format!("{name}: bits_of_first_axon"), at, one as f64, theirs)?;
            axons += n;
            // only of lists of equal length is the sum recorded in full
            if n.saturating_mul(length) == count(list, "size")? {
                bits += n.saturating_mul(one);
            } else {
                whole = false;
            }
        }
        let used = |key: &str| count(&block[key], "used");
        let mut compare = |key: &str, ours: u64| {
            comparison.equal(&format!("{name}: {key}"), at, ours as f64, used(key)? as f64)
        };
        compare("compartments", count(block, "n")?)?;
        compare("in-axons", axons)?;
        if whole {
            compare("synapses", bits)?;
        }
        let mut row = [0.0; 4];
        for ((key, _, resource), share) in RESOURCES.iter().zip(&mut row) {
            let limit = limits.limit(*resource).unwrap_or(1).max(1);
            *share = 100.0 * used(key)? as f64 / limit as f64;
        }
        shares.push(row);
    }
    summary(name, net, blocks, &shares, comparison)?;
    mapped(name, blocks, limits, comparison)
}

/// The lines that the tool prints, digit by digit.
fn summary(
    name: &str,
    net: &Value,
    blocks: &[Value],
    shares: &[[f64; 4]],
    comparison: &mut Comparison,
) -> Checked<()> {
    let Some(lines) = net["utilization_summary"].as_array() else { return Ok(()) };
    let line = |head: String, [a, b, c, d]: [f64; 4]| {
        format!(
            "{head}: {a:.1}% compartments, {b:.1}% in-axons, {c:.1}% out-axons, {d:.1}% synapses"
        )
    };
    let mut ours: Vec<String> = Vec::new();
    let mut sum = [0.0; 4];
    for (block, share) in blocks.iter().zip(shares) {
        ours.push(line(block["label"].as_str().unwrap_or_default().to_owned(), *share));
        sum.iter_mut().zip(share).for_each(|(sum, share)| *sum += share);
    }
    let mean = sum.map(|sum| sum / shares.len().max(1) as f64);
    ours.push(line(format!("Average ({} blocks)", shares.len()), mean));
    for (index, (ours, theirs)) in ours.iter().zip(lines).enumerate() {
        let equal = f64::from(u8::from(theirs.as_str() == Some(ours)));
        comparison.equal(&format!("{name}: summary line is `{ours}`"), [0, index], 1.0, equal)?;
    }
    Ok(())
}

/// The layer that a block's label names: `<Ensemble 'L3'>` is layer 3.
fn layer_of(block: &Value) -> Option<usize> {
    let label = block["label"].as_str()?;
    label.split("'L").nth(1)?.split('\'').next()?.parse().ok()
}

/// Dense feed-forward networks, mapped again block by block.
fn mapped(
    name: &str,
    blocks: &[Value],
    limits: &CoreLimits,
    comparison: &mut Comparison,
) -> Checked<()> {
    let mut sizes: Vec<u64> = Vec::new();
    for block in blocks {
        let Some(layer) = layer_of(block) else { return Ok(()) };
        let neurons = count(block, "n")?;
        match layer.cmp(&sizes.len()) {
            std::cmp::Ordering::Equal => sizes.push(neurons),
            std::cmp::Ordering::Less => sizes[layer] += neurons,
            std::cmp::Ordering::Greater => return Ok(()),
        }
    }
    for block in blocks {
        let layer = layer_of(block).unwrap_or(0);
        for list in block["synapses_detail"].as_array().into_iter().flatten() {
            let dense = layer > 0 && count(list, "size")? == sizes[layer - 1] * count(block, "n")?;
            if !dense {
                return Ok(());
            }
        }
    }
    let Some(net) = perceptron(&sizes) else { return Ok(()) };
    let config = like_nengo();
    let fits = |error: String| Stop::NotCovered(format!("{name}: {error}"));
    let mapping = map(&net, limits, &config).map_err(|error| fits(error.to_string()))?;
    let checked = check(&net, limits, mapping).map_err(|error| fits(error.to_string()))?;
    let cores = budget(&checked).cores;
    comparison.equal(
        &format!("{name}: blocks"),
        [0, 0],
        cores.len() as f64,
        blocks.len() as f64,
    )?;
    for (index, (core, block)) in cores.iter().zip(blocks).enumerate() {
        for (key, _, resource) in RESOURCES {
            let theirs = count(&block[key], "used")? as f64;
            let ours = core.amount(resource) as f64;
            comparison.equal(&format!("{name}: {key} of the mapping"), [0, index], ours, theirs)?;
        }
    }
    Ok(())
}

/// A message that the output axons of a block are too many; sizes are in the network's name.
fn refused(
    name: &str,
    message: &str,
    limits: &CoreLimits,
    comparison: &mut Comparison,
) -> Checked<()> {
    let sizes: Vec<u64> = name.split('_').filter_map(|part| part.parse().ok()).collect();
    let between = |from: &str, to: char| -> Option<u64> {
        message.split(from).nth(1)?.split(to).next()?.parse().ok()
    };
    let (Some(theirs), Some(net)) = (between("Output axons (", ')'), perceptron(&sizes)) else {
        return Err(Stop::NotCovered(format!("{name}: {message}")));
    };
    // Without that limit the layers are cut as the tool cuts them.
    let open = CoreLimits { output_axons: None, cores: u32::MAX, ..limits.clone() };
    let cut = crate::partition::partition(&net, &open, &like_nengo().partition)
        .map_err(|error| Stop::NotCovered(format!("{name}: {error}")))?;
    let targets = cut.slices.iter().filter(|slice| slice.population == 1).count() as u64;
    let first = cut.slices.first().map_or(0, |slice| u64::from(slice.length()));
    let variable = format!("{name}: output axons");
    comparison.equal(&variable, [0, 0], first.saturating_mul(targets) as f64, theirs as f64)
}

fn like_nengo() -> MapConfig {
    let algorithm = "even_split".to_owned();
    let partition =
        PartitionConfig { algorithm, share_cores: false, chips: 1 << 16, ..Default::default() };
    MapConfig { partition, ..MapConfig::default() }
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
