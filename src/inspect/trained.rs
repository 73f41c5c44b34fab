//! Trained networks.

use super::{Content, extents};
use crate::conversion;
use crate::error::Error;
use crate::listing::Listing;
use crate::model_io::sniff::{self, Format};
use crate::models::LoadOptions;
use crate::network_files::unreadable;
use crate::pipeline::read_model;
use crate::snn_convert::source::{architecture, pytorch, safetensors};
use serde_json::{Value, json};
use std::path::Path;

/// Nodes with shapes and parameters, and whether the network can be converted.
pub(super) fn network(path: &Path) -> Result<Content, Error> {
    let graph = read_model(path)?;
    let refusal = match conversion::plan(path, &LoadOptions::default(), None, None) {
        Ok(plan) => plan.refusal(),
        Err(error) => Some(error.to_string()),
    };
    let rows = graph.nodes().map(|(_, node)| {
        let parameters: usize =
            node.operator.parameters().iter().map(|(_, values)| values.len()).sum();
        let inputs = node.inputs.iter().map(|&id| graph.node(id).name.clone());
        [
            json!(node.name),
            json!(node.operator.name()),
            json!(node.shape.to_string()),
            json!(parameters),
            json!(inputs.collect::<Vec<_>>()),
        ]
    });
    let columns = ["node", "operator", "shape", "parameters", "inputs"];
    let nodes = Listing::new("Nodes", &columns).with_rows(rows);
    Ok(Content::default()
        .fact("input_shape", graph.input_shape().to_string())
        .fact("output_shape", graph.node(graph.output()).shape.to_string())
        .fact("parameters", graph.parameter_count())
        .fact("convertible", refusal.is_none())
        .fact("refusal", refusal.map_or(Value::Null, Value::String))
        .list("nodes", nodes))
}

/// Tensors with shapes, and what architecture they suggest.
pub(super) fn tensors(path: &Path) -> Result<Content, Error> {
    let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
    let format = sniff::detect(path).map_err(|error| unreadable(path, &error))?;
    let read = match format {
        Format::Safetensors => safetensors::read(&bytes),
        _ => pytorch::read(&bytes),
    };
    let tensors = read.map_err(|error| Error::from(error).in_file(path))?;
    let rows = tensors.tensors.iter().map(|(name, tensor)| {
        [json!(name), json!(extents(&tensor.shape)), json!(tensor.values.len())]
    });
    let listing = Listing::new("Tensors", &["name", "shape", "elements"]).with_rows(rows);
    let total: usize = tensors.tensors.values().map(|tensor| tensor.values.len()).sum();
    let guess = architecture::guess(&tensors, None);
    Ok(Content::default()
        .fact("tensor_count", tensors.tensors.len())
        .fact("parameters", total)
        .fact("guess", guess.map_or(Value::Null, |guess| json!(guess.lines)))
        .list("tensors", listing))
}
