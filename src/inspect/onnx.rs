//! Trained networks.

use super::Content;
use crate::conversion;
use crate::error::Error;
use crate::listing::Listing;
use crate::pipeline::read_model;
use serde_json::{Value, json};
use std::path::Path;

/// Nodes with shapes and parameters, and whether the network can be converted.
pub(super) fn inspect(path: &Path) -> Result<Content, Error> {
    let graph = read_model(path)?;
    let refusal = conversion::plan(path).err().map(|error| error.to_string());
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
