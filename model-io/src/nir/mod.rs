//! Graphs of the Neuromorphic Intermediate Representation (NIR), as its library 1.0.8 stores them.
//!
//! A file is HDF5: `/version`, and `/node` as the root graph with `type`, `nodes/<name>/…`, `edges`
//! `[n, 2]` and an optional `metadata` group. Arrays are compressed, scalars are plain.
//!
//! The format leaves open what a simulator must know (Pedersen et al., Nature Communications 15,
//! 2024, doi:10.1038/s41467-024-52259-9): the time step, the discretisation, and the unit of time
//! constants. They are not decided here; whoever simulates a graph must state them.

pub mod dialect;
mod field;
mod from_network;
mod lenient;
mod primitive;
mod read;
mod registry;
pub mod run;
pub mod to_network;
pub mod verify;
mod write;

mod affine;
mod avg_pool_2d;
mod conv_1d;
mod conv_2d;
mod cuba_li;
mod cuba_lif;
mod delay;
mod flatten;
mod i;
mod if_neuron;
mod input;
mod li;
mod lif;
mod linear;
mod output;
mod scale;
mod sum_pool_2d;
mod threshold;

use std::collections::HashSet;

use indexmap::IndexMap;

use crate::array::Array;
use crate::hdf5::Hdf5Error;

pub use field::Padding;
pub use from_network::{NotInNir, from_network};
pub use read::{read, read_leniently, read_version};
pub use registry::{
    Affine, AvgPool2d, Conv1d, Conv2d, CubaLi, CubaLif, Delay, Flatten, I, If, Input, Li, Lif,
    Linear, Output, Primitive, Scale, SumPool2d, TYPES, Threshold,
};
pub use write::{WRITTEN_VERSION, write};

/// A graph: nodes by name and the edges between them.
///
/// A loop is an ordinary cycle of edges; the edge that leaves a neuron carries the previous step.
/// Equality ignores the order of the nodes, which HDF5 does not keep.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NirGraph {
    /// Nodes by name, in the order of their insertion (by name after reading a file).
    pub nodes: IndexMap<String, NirNode>,
    /// Edges as (source, target) names.
    pub edges: Vec<(String, String)>,
    /// Free data beside the graph.
    pub metadata: Metadata,
}

/// A node of a graph.
#[derive(Debug, Clone, PartialEq)]
pub struct NirNode {
    /// What the node computes.
    pub primitive: Primitive,
    /// Free data beside the node; a sub-graph keeps its own in [`NirGraph::metadata`].
    pub metadata: Metadata,
}

/// Free data of a graph or node.
pub type Metadata = IndexMap<String, MetadataEntry>;

/// An entry of [`Metadata`].
#[derive(Debug, Clone, PartialEq)]
pub enum MetadataEntry {
    /// A number, a text or an array of them.
    Value(Array),
    /// Entries below a name.
    Group(Metadata),
}

impl<P: Into<Primitive>> From<P> for NirNode {
    fn from(primitive: P) -> Self {
        Self { primitive: primitive.into(), metadata: Metadata::new() }
    }
}

impl NirGraph {
    /// Adds a node; an existing node of that name is replaced.
    pub fn add_node(&mut self, name: impl Into<String>, node: impl Into<NirNode>) {
        self.nodes.insert(name.into(), node.into());
    }

    /// Adds an edge.
    pub fn add_edge(&mut self, source: impl Into<String>, target: impl Into<String>) {
        self.edges.push((source.into(), target.into()));
    }

    /// Checks every node's fields and that edges join existing nodes, sub-graphs included.
    ///
    /// # Errors
    /// The first [`NirError`] found, with the place in the file.
    pub fn check(&self) -> Result<(), NirError> {
        self.check_at("/node", 0)
    }

    fn check_at(&self, place: &str, depth: usize) -> Result<(), NirError> {
        if depth > MAXIMUM_DEPTH {
            return Err(NirError::TooDeep { place: place.to_owned() });
        }
        for (name, node) in &self.nodes {
            let place = format!("{place}/nodes/{name}");
            match &node.primitive {
                Primitive::Graph(graph) => graph.check_at(&place, depth + 1)?,
                other => other.check().map_err(|reason| NirError::Field {
                    place,
                    node_type: other.type_name(),
                    reason,
                })?,
            }
        }
        let mut seen = HashSet::new();
        for (source, target) in &self.edges {
            if !seen.insert((source, target)) {
                return Err(NirError::DoubledEdge {
                    place: format!("{place}/edges"),
                    source_node: source.clone(),
                    target_node: target.clone(),
                });
            }
            if let Some(missing) =
                [source, target].into_iter().find(|n| !self.nodes.contains_key(*n))
            {
                return Err(NirError::Edge {
                    place: format!("{place}/edges"),
                    source_node: source.clone(),
                    target_node: target.clone(),
                    missing: missing.clone(),
                    known: some_names(self.nodes.keys().map(String::as_str)),
                });
            }
        }
        Ok(())
    }
}

/// Sub-graphs in sub-graphs.
const MAXIMUM_DEPTH: usize = 32;

/// What is wrong with a NIR graph or file.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NirError {
    /// The container is damaged, or a member is missing or of a wrong kind.
    #[error(transparent)]
    Container(#[from] Hdf5Error),
    /// A node of a type that is not in the registry.
    #[error("{place}/type is `{found}`, which is unknown; known types: {known}")]
    UnknownType {
        /// The node's path inside the file.
        place: String,
        /// The type found.
        found: String,
        /// All known types.
        known: String,
    },
    /// A node's field has a wrong shape, type or value.
    #[error("{place} ({node_type}): {reason}")]
    Field {
        /// The node's path inside the file.
        place: String,
        /// The node's type.
        node_type: &'static str,
        /// What is wrong and what is allowed.
        reason: String,
    },
    /// An edge joins a node that does not exist.
    #[error(
        "{place}: the edge {source_node} -> {target_node} names `{missing}`, which is no node; \
         nodes are: {known}"
    )]
    Edge {
        /// Path of the edge list inside the file.
        place: String,
        /// The edge's source.
        source_node: String,
        /// The edge's target.
        target_node: String,
        /// The name without a node.
        missing: String,
        /// Nodes that exist.
        known: String,
    },
    /// An edge stands twice.
    #[error(
        "{place}: the edge {source_node} -> {target_node} stands twice; the edges of a graph are a \
         set, what passes twice is written as a Scale of 2: leave one out"
    )]
    DoubledEdge {
        /// Path of the edge list inside the file.
        place: String,
        /// Its source.
        source_node: String,
        /// Its target.
        target_node: String,
    },
    /// The root is a single node.
    #[error("/node is a {found}; expected NIRGraph")]
    NotAGraph {
        /// Its type.
        found: &'static str,
    },
    /// Sub-graphs are nested too deeply, or contain themselves.
    #[error("{place}: sub-graphs are nested more than {MAXIMUM_DEPTH} deep")]
    TooDeep {
        /// Where reading stopped.
        place: String,
    },
}

/// The first names of a list, for messages.
fn some_names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<_> = names.take(21).collect();
    if names.len() > 20 {
        names[20] = "…";
    }
    if names.is_empty() { "none".into() } else { names.join(", ") }
}
