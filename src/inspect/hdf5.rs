//! NIR graphs, and HDF5 files of others.

use super::{Content, extents};
use crate::error::Error;
use crate::listing::Listing;
use crate::model_io::hdf5::{self as container, Hdf5Error, MemberKind};
use crate::model_io::nir::{self, NirError};
use serde_json::{Value, json};
use std::path::Path;

/// Nodes, edges and version of a NIR graph.
pub(super) fn nir(path: &Path) -> Result<Content, Error> {
    let in_file = |error: NirError| Error::from(error).in_file(path);
    let graph = nir::read(path).map_err(in_file)?;
    let version = nir::read_version(path).map_err(in_file)?;
    let rows = graph.nodes.iter().map(|(name, node)| {
        let targets: Vec<&str> = graph
            .edges
            .iter()
            .filter(|(source, _)| source == name)
            .map(|(_, target)| target.as_str())
            .collect();
        [json!(name), json!(node.primitive.type_name()), json!(targets.join(", "))]
    });
    let nodes = Listing::new("Nodes", &["node", "type", "leads_to"]).with_rows(rows);
    Ok(Content::default()
        .fact("version", version.map_or(Value::Null, Value::String))
        .fact("node_count", graph.nodes.len())
        .fact("edge_count", graph.edges.len())
        .list("nodes", nodes))
}

/// Members of the root of another HDF5 file.
pub(super) fn members(path: &Path) -> Result<Content, Error> {
    let in_file = |error: Hdf5Error| {
        let reason = error.to_string();
        Error::Read { path: path.into(), reason }
    };
    let root = container::open(path).map_err(in_file)?;
    let mut listing = Listing::new("Members", &["name", "kind", "shape"]);
    for name in root.member_names() {
        let (kind, shape) = match root.kind(name) {
            Some(MemberKind::Group) => ("group", Value::Null),
            Some(MemberKind::Array) => {
                let shape = root.shape(name).map(|shape| extents(&shape));
                ("array", json!(shape.unwrap_or_else(|error| error.to_string())))
            }
            _ => ("other", Value::Null),
        };
        listing.rows.push(vec![json!(name), json!(kind), shape]);
    }
    Ok(Content::default().fact("member_count", listing.rows.len()).list("members", listing))
}
