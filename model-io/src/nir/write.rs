//! Writing a graph to a file.

use std::path::Path;

use super::{Metadata, MetadataEntry, NirError, NirGraph, Primitive};
use crate::array::Array;
use crate::atomic::{AtomicWriteError, write_atomically};
use crate::hdf5::{self, GroupWriter, Storage};

/// The version of the NIR library whose layout is written.
pub const WRITTEN_VERSION: &str = "1.0.8";

/// Checks a graph and writes it, whole or not at all.
///
/// The Python library 1.0.8 refuses valid grouped and non-square convolutions unless it is told
/// `nir.read(path, type_check=False)`.
///
/// # Errors
/// What [`NirGraph::check`] finds, or why the file could not be written.
pub fn write(
    path: &Path,
    graph: &NirGraph,
    overwrite: bool,
) -> Result<(), AtomicWriteError<NirError>> {
    graph.check().map_err(AtomicWriteError::Content)?;
    write_atomically(path, overwrite, |temporary| {
        let root = hdf5::create(temporary)?;
        root.write_text("version", WRITTEN_VERSION)?;
        write_graph(&root.create_group("node")?, graph)?;
        root.flush()?;
        Ok(())
    })
}

fn write_graph(group: &GroupWriter, graph: &NirGraph) -> Result<(), NirError> {
    group.write_text("type", "NIRGraph")?;
    let nodes = group.create_group("nodes")?;
    for (name, node) in &graph.nodes {
        let group = nodes.create_group(name)?;
        match &node.primitive {
            Primitive::Graph(graph) => write_graph(&group, graph)?,
            other => {
                group.write_text("type", other.type_name())?;
                other.write(&group)?;
                write_metadata(&group, "metadata", &node.metadata)?;
            }
        }
    }
    let names = graph.edges.iter().flat_map(|(source, target)| [source.clone(), target.clone()]);
    let edges =
        Array { shape: vec![graph.edges.len(), 2], values: names.collect::<Vec<_>>().into() };
    group.write("edges", &edges, Storage::Plain)?;
    write_metadata(group, "metadata", &graph.metadata)
}

fn write_metadata(group: &GroupWriter, name: &str, metadata: &Metadata) -> Result<(), NirError> {
    if metadata.is_empty() {
        return Ok(());
    }
    let group = group.create_group(name)?;
    for (name, entry) in metadata {
        match entry {
            MetadataEntry::Value(array) => group.write(name, array, Storage::Compressed)?,
            MetadataEntry::Group(entries) => write_metadata(&group, name, entries)?,
        }
    }
    Ok(())
}
