//! Graphs without a recording: what can be checked of them is that nothing of them is lost.

use super::NirVerifyError;
use crate::nir::dialect::Convention;
use crate::nir::run::{GraphRun, run};
use crate::nir::{Metadata, MetadataEntry, NirGraph, Primitive, read, write};

/// Steps that a graph is run for, to see that it has a meaning.
const STEPS: usize = 3;

/// What was seen of a graph without a recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Alone {
    /// Nodes and edges that came back equal, sub-graphs included.
    pub parts: u64,
    /// Why it was not run; none where it was.
    pub not_run: Option<String>,
}

/// Writes a graph, reads that again and compares; then runs it on ones for a few steps.
///
/// # Errors
/// [`NirVerifyError`] for files that cannot be written or read; [`NirVerifyError::Changed`] where the graph
/// that comes back is another one.
pub fn verify_alone(graph: &NirGraph, convention: &Convention) -> Result<Alone, NirVerifyError> {
    let folder = tempfile::tempdir().map_err(|error| NirVerifyError::Scratch(error.to_string()))?;
    let copy = folder.path().join("copy.nir");
    write(&copy, graph, true).map_err(|error| NirVerifyError::Scratch(error.to_string()))?;
    if let Some(place) = first_change(graph, &read(&copy)?, "/node") {
        return Err(NirVerifyError::Changed { place });
    }
    Ok(Alone { parts: parts(graph), not_run: ones(graph, convention).err() })
}

fn parts(graph: &NirGraph) -> u64 {
    let nodes = graph.nodes.values().map(|node| match &node.primitive {
        Primitive::Graph(inner) => 1 + parts(inner),
        _ => 1,
    });
    nodes.sum::<u64>() + graph.edges.len() as u64
}

fn ones(graph: &NirGraph, convention: &Convention) -> Result<(), String> {
    let failed = |error: crate::nir::run::RunError| error.to_string();
    let shape = GraphRun::new(graph, convention).map_err(failed)?.input_shape();
    let size = crate::array::element_count(&shape).ok_or("its input is too large")?;
    run(graph, convention, &vec![vec![1.0; size]; STEPS], &[]).map_err(failed)?;
    Ok(())
}

/// Path of the first part that differs; edges are compared as a set.
fn first_change(before: &NirGraph, after: &NirGraph, place: &str) -> Option<String> {
    let sorted = |graph: &NirGraph| {
        let mut edges = graph.edges.clone();
        edges.sort();
        edges
    };
    if sorted(before) != sorted(after) {
        return Some(format!("{place}/edges"));
    }
    if before.nodes.len() != after.nodes.len() {
        return Some(format!("{place}/nodes"));
    }
    for (name, node) in &before.nodes {
        let here = format!("{place}/nodes/{name}");
        let Some(other) = after.nodes.get(name) else { return Some(here) };
        match (&node.primitive, &other.primitive) {
            (Primitive::Graph(one), Primitive::Graph(two)) => {
                if let Some(inner) = first_change(one, two, &here) {
                    return Some(inner);
                }
            }
            (one, two) if one != two => return Some(here),
            _ => {}
        }
        if !same(&node.metadata, &other.metadata) {
            return Some(format!("{here}/metadata"));
        }
    }
    (!same(&before.metadata, &after.metadata)).then(|| format!("{place}/metadata"))
}

/// Equal metadata; a group without entries is not stored.
fn same(before: &Metadata, after: &Metadata) -> bool {
    let kept =
        |entry: &&MetadataEntry| !matches!(entry, MetadataEntry::Group(group) if group.is_empty());
    before.values().filter(kept).count() == after.values().filter(kept).count()
        && before.iter().filter(|(_, entry)| kept(entry)).all(|(name, entry)| {
            after.get(name).is_some_and(|other| match (entry, other) {
                (MetadataEntry::Group(one), MetadataEntry::Group(two)) => same(one, two),
                (one, two) => one == two,
            })
        })
}
