//! Texts in TOML: networks and chips.

use super::Content;
use crate::error::Error;
use crate::listing::Listing;
use crate::lists::figures;
use crate::loihi_export::chip::ChipSpec;
use crate::memory;
use crate::network_files::{self, read_text};
use crate::sim_core::connectome::footprint::readable;
use crate::sim_core::connectome::predict;
use serde_json::json;
use std::path::Path;

/// Populations and projections with what they would take, or the figures of a chip.
pub(super) fn inspect(path: &Path) -> Result<Content, Error> {
    if let Ok(chip) = ChipSpec::from_toml(&read_text(path)?) {
        let content = Content {
            description: Some("a chip description (.toml); use `spikeloom map --chip-file`".into()),
            ..Content::default()
        };
        let content = content.fact("name", chip.name.as_str()).fact("title", chip.title.as_str());
        return Ok(content.list("figures", figures(&chip)?));
    }
    let file = network_files::read(path)?;
    let valid = &file.valid;
    let footprint = predict(valid);
    let limit = memory::available().memory_limit;
    let populations = valid.populations().iter().map(|(name, population)| {
        let model = population.model.spec().name;
        [json!(name), json!(population.size()), json!(population.shape.to_string()), json!(model)]
    });
    let columns = ["population", "neurons", "shape", "model"];
    let populations = Listing::new("Populations", &columns).with_rows(populations);
    let projections = file.network.projections.iter().map(|(name, projection)| {
        [
            json!(name),
            json!(projection.source),
            json!(projection.target),
            json!(projection.connectivity.name()),
        ]
    });
    let columns = ["projection", "source", "target", "rule"];
    let projections = Listing::new("Projections", &columns).with_rows(projections);
    let warnings: Vec<String> = valid.warnings().iter().map(ToString::to_string).collect();
    Ok(Content::default()
        .fact("name", valid.name())
        .fact("dt_ms", valid.grid().dt())
        .fact("seed", valid.seed())
        .fact("neurons", footprint.neurons)
        .fact("synapses_predicted", footprint.synapses)
        .fact("connectome_bytes_predicted", footprint.connectome_bytes)
        .fact("peak_bytes_predicted", footprint.peak_bytes)
        .fact("peak_memory_predicted", readable(footprint.peak_bytes))
        .fact("fits_memory", footprint.peak_bytes <= limit)
        .fact("stimuli", file.network.stimuli.len())
        .fact("probes", file.network.probes.len())
        .fact("warnings", json!(warnings))
        .list("populations", populations)
        .list("projections", projections))
}
