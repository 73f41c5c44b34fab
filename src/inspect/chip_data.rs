//! What was made for a chip: netx files and core maps.

use super::{Content, extents};
use crate::error::Error;
use crate::listing::Listing;
use crate::loihi_export::export::core_map::{CoreMap, CoreOfMap, contradictions};
use crate::loihi_export::export::netx::{NetxLayer, read_netx_layers};
use crate::network_files::unreadable;
use serde_json::{Value, json};
use std::path::Path;

/// Layers of a netx file.
pub(super) fn netx(path: &Path) -> Result<Content, Error> {
    let layers = read_netx_layers(path).map_err(|error| Error::from(error).in_file(path))?;
    let weights = |layer: &NetxLayer| {
        layer.weights.as_ref().map_or(Value::Null, |array| json!(extents(&array.shape)))
    };
    let neuron = |layer: &NetxLayer| {
        layer.neuron.as_ref().map_or(Value::Null, |neuron| json!(neuron.neuron_type))
    };
    let threshold = |layer: &NetxLayer| json!(layer.neuron.as_ref().and_then(|n| n.threshold));
    let rows = layers.iter().map(|layer| {
        [
            json!(layer.index),
            json!(layer.layer_type),
            json!(extents(&layer.shape)),
            weights(layer),
            neuron(layer),
            threshold(layer),
            json!(layer.bias.is_some()),
            json!(layer.warnings),
        ]
    });
    let columns = ["layer", "type", "shape", "weights", "neuron", "threshold", "bias", "warnings"];
    let warnings: usize = layers.iter().map(|layer| layer.warnings.len()).sum();
    let listing = Listing::new("Layers", &columns).with_rows(rows);
    Ok(Content::default()
        .fact("layer_count", layers.len())
        .fact("warning_count", warnings)
        .list("layers", listing))
}

/// Cores of a core map, and what it says against itself.
pub(super) fn core_map(path: &Path) -> Result<Content, Error> {
    let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
    let map: CoreMap =
        serde_json::from_slice(&bytes).map_err(|error| super::text::malformed(path, &error))?;
    let populations = |core: &CoreOfMap| {
        let names = core.neuron_groups.iter().map(|group| group.population.as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    let rows = map.cores.iter().map(|core| {
        [
            json!(core.address.logical_chip_id),
            json!(core.address.logical_core_id),
            json!(core.usage.neurons),
            json!(core.usage.input_axons),
            json!(core.usage.output_axons),
            json!(core.usage.synapse_memory),
            json!(populations(core)),
        ]
    });
    let columns = [
        "chip",
        "core",
        "neurons",
        "input_axons",
        "output_axons",
        "synapse_memory_bits",
        "populations",
    ];
    let listing = Listing::new("Cores", &columns).with_rows(rows);
    let neurons = map.cores.iter().fold(0_u64, |sum, core| sum.saturating_add(core.usage.neurons));
    let wrong = contradictions(&map);
    let count = wrong.len();
    let problems = wrong.into_iter().map(|problem| [json!(problem)]);
    let problems = Listing::new("Contradictions", &["contradiction"]).with_rows(problems);
    Ok(Content { is_finding: count > 0, ..Content::default() }
        .fact("network", map.network.as_str())
        .fact("chip", map.chip.name.as_str())
        .fact("version", map.version)
        .fact("cores_used", map.cores.len())
        .fact("cores_per_chip", map.chip.cores_per_chip)
        .fact("neurons", neurons)
        .fact("routes", map.routes.len())
        .fact("basis", map.basis.as_str())
        .fact("contradiction_count", count)
        .list("cores", listing)
        .list("contradictions", problems))
}
