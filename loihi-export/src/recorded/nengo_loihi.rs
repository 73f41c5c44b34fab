//! nengo-loihi: what each block takes of a Loihi 1 core, and what its limits refuse.
//!
//! Lists are counted again from their lengths; dense feed-forward networks are cut, mapped and
//! counted again by [`super::nengo_split`]. Total spikes and the placements of allocators that
//! weigh traffic between chips are not compared.

use serde_json::Value;

use super::nengo_split::{mapped, refused};
use super::{Checked, Comparison, Stop, count, missing, only_fields};
use crate::chip::ChipSpec;
use crate::mapping::{CoreLimits, Resource};

pub(super) const RESOURCES: [(&str, &str, Resource); 4] = [
    ("compartments", "compartments", Resource::Neurons),
    ("in-axons", "in_axons", Resource::InputAxons),
    ("out-axons", "out_axons", Resource::OutputAxons),
    ("synapses", "synapse_bits", Resource::SynapseMemory),
];

/// Fields of a list that are computed again, and those that only describe it.
const LIST_FIELDS: [&str; 11] = [
    "label",
    "n_axons",
    "size",
    "weight_bits",
    "idx_bits",
    "compression",
    "weight_exp",
    "bits",
    "bits_of_first_axon",
    "weights_per_axon_first",
    "fanout_type",
];

pub(super) fn verify(case: &Value, comparison: &mut Comparison) -> Checked<()> {
    let not_covered = |error: String| Stop::NotCovered(error);
    let chip = ChipSpec::built_in("loihi1").map_err(|e| not_covered(e.to_string()))?;
    let limits = CoreLimits::of_chip(&chip).map_err(|e| not_covered(e.to_string()))?;
    only_fields(case, "the file", &["limits", "nets"])?;
    only_fields(&case["limits"], "limits", &RESOURCES.map(|(_, key, _)| key))?;
    for (_, key, resource) in RESOURCES {
        if let Some(theirs) = case["limits"][key].as_f64() {
            let ours = limits.limit(resource).unwrap_or(0) as f64;
            comparison.equal(&format!("limits/{key}"), [0, 0], ours, theirs)?;
        }
    }
    let nets = case["nets"].as_object().ok_or_else(|| missing("nets"))?;
    for (name, net) in nets {
        match net.as_str() {
            Some(message) => refused(name, message, &limits, comparison)?,
            None => accepted(name, net, &limits, comparison)?,
        }
    }
    Ok(())
}

/// A network with its blocks.
fn accepted(
    name: &str,
    net: &Value,
    limits: &CoreLimits,
    comparison: &mut Comparison,
) -> Checked<()> {
    let known = ["blocks", "utilization_summary", "placement", "spikes"];
    only_fields(net, name, &known)?;
    let blocks = net["blocks"].as_array().ok_or_else(|| missing("blocks"))?;
    let model = &limits.synapse_memory;
    let mut shares: Vec<[f64; 4]> = Vec::new();
    for (index, block) in blocks.iter().enumerate() {
        let at = [0, index];
        let known = ["label", "n", "compartments", "in-axons", "out-axons", "synapses"];
        only_fields(block, name, &[&known[..], &["synapses_detail"]].concat())?;
        let (mut axons, mut bits) = (0u64, 0u64);
        for list in block["synapses_detail"].as_array().into_iter().flatten() {
            only_fields(list, name, &LIST_FIELDS)?;
            let (n, length) = (count(list, "n_axons")?, count(list, "weights_per_axon_first")?);
            let neurons = u32::try_from(count(block, "n")?).unwrap_or(u32::MAX);
            let theirs = count(list, "idx_bits")?;
            // The tool counts up to the last neuron that a list reaches, which is recorded only of
            // lists that reach all of a block: of others its width is taken, if it is not larger.
            let all = model.index_width(neurons);
            let reaches_all = length == u64::from(neurons);
            let index_bits = match reaches_all {
                true => all,
                false => u32::try_from(theirs).unwrap_or(u32::MAX).min(all),
            };
            comparison.equal(&format!("{name}: idx_bits"), at, index_bits.into(), theirs as f64)?;
            let stored = if count(list, "compression")? == 3 { 0 } else { index_bits };
            let width = u32::try_from(count(list, "weight_bits")?).unwrap_or(u32::MAX);
            let one = model.list_bits(length, width.saturating_add(stored));
            let theirs = count(list, "bits_of_first_axon")? as f64;
            comparison.equal(&format!("{name}: bits_of_first_axon"), at, one as f64, theirs)?;
            axons = axons.saturating_add(n);
            let stated = count(list, "bits")?;
            // only of lists of equal length is each list's length recorded
            if n.saturating_mul(length) == count(list, "size")? {
                let ours = n.saturating_mul(one) as f64;
                comparison.equal(&format!("{name}: bits"), at, ours, stated as f64)?;
            }
            bits = bits.saturating_add(stated);
        }
        let used = |key: &str| count(&block[key], "used");
        let mut compare = |key: &str, ours: u64| {
            comparison.equal(&format!("{name}: {key}"), at, ours as f64, used(key)? as f64)
        };
        compare("compartments", count(block, "n")?)?;
        compare("in-axons", axons)?;
        compare("synapses", bits)?;
        for (key, _, resource) in RESOURCES {
            let ours = limits.limit(resource).unwrap_or(0) as f64;
            let theirs = count(&block[key], "max")? as f64;
            comparison.equal(&format!("{name}: max {key}"), at, ours, theirs)?;
        }
        let mut row = [0.0; 4];
        for ((key, _, resource), share) in RESOURCES.iter().zip(&mut row) {
            let limit = limits.limit(*resource).unwrap_or(1).max(1);
            *share = 100.0 * used(key)? as f64 / limit as f64;
        }
        shares.push(row);
    }
    summary(name, net, blocks, &shares, comparison)?;
    placements(name, net, blocks, limits, comparison)?;
    mapped(name, blocks, limits, comparison)
}

/// The allocators that know no traffic: chips filled one after the other, and chips in turn.
fn placements(
    name: &str,
    net: &Value,
    blocks: &[Value],
    limits: &CoreLimits,
    comparison: &mut Comparison,
) -> Checked<()> {
    for (allocator, in_turn) in [("Greedy", false), ("RoundRobin", true)] {
        let Some(chips) = net["placement"][allocator].as_array() else { continue };
        let mut next = vec![0usize; chips.len()];
        for (index, block) in blocks.iter().enumerate() {
            let chip = match in_turn {
                true => index % chips.len().max(1),
                false => index / limits.cores.max(1) as usize,
            };
            let variable = format!("{name}: {allocator} placement");
            let label = block["label"].as_str().unwrap_or_default();
            let core = next.get(chip).and_then(|&core| chips[chip].get(core));
            // the tool printed the list of a core's blocks
            let listed = core.and_then(Value::as_str).is_some_and(|text| text.contains(label));
            comparison.equal(&variable, [0, index], 1.0, f64::from(u8::from(listed)))?;
            if let Some(core) = next.get_mut(chip) {
                *core += 1;
            }
        }
    }
    Ok(())
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
