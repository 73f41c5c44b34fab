//! Reading a graph from a file.

use std::path::Path;

use indexmap::IndexMap;

use super::{
    MAXIMUM_DEPTH, Metadata, MetadataEntry, NirError, NirGraph, NirNode, Primitive, lenient,
};
use crate::array::Values;
use crate::hdf5::{self, Group, Hdf5Error, MemberKind};

/// Reads the graph of a NIR file and checks its fields and edges.
///
/// # Errors
/// [`NirError`] with the path inside the file.
pub fn read(path: &Path) -> Result<NirGraph, NirError> {
    read_root(&hdf5::open(path)?, None)
}

/// Reads a graph that breaks the specification where only one meaning is likely, and says what was
/// repaired (`lenient.rs` says how).
///
/// # Errors
/// [`NirError`] with the path inside the file, for what cannot be guessed.
pub fn read_leniently(path: &Path) -> Result<(NirGraph, Vec<String>), NirError> {
    let mut notes = Vec::new();
    let graph = read_root(&hdf5::open(path)?, Some(&mut notes))?;
    Ok((graph, notes))
}

/// Notes of repairs; without them nothing is repaired.
type Repairs<'a> = Option<&'a mut Vec<String>>;

fn read_root(file: &Group, repairs: Repairs<'_>) -> Result<NirGraph, NirError> {
    let node = read_node(&file.group("node")?, 0, repairs)?;
    match node.primitive {
        Primitive::Graph(graph) => {
            graph.check()?;
            Ok(graph)
        }
        other => Err(NirError::NotAGraph { found: other.type_name() }),
    }
}

/// Reads the version of the NIR library that wrote a file; `None` where it is not stated.
///
/// # Errors
/// [`NirError::Container`].
pub fn read_version(path: &Path) -> Result<Option<String>, NirError> {
    let root = hdf5::open(path)?;
    match root.kind("version") {
        Some(_) => Ok(Some(root.read_text("version")?)),
        None => Ok(None),
    }
}

/// Members that a node may have besides its fields; the shapes follow from those.
const BESIDE: [&str; 4] = ["type", "metadata", "input_type", "output_type"];

fn read_node(group: &Group, depth: usize, mut repairs: Repairs<'_>) -> Result<NirNode, NirError> {
    if depth > MAXIMUM_DEPTH {
        return Err(NirError::TooDeep { place: group.place().to_owned() });
    }
    let node_type = group.read_text("type")?;
    let metadata = read_metadata(group, "metadata", depth)?;
    if node_type == "NIRGraph" {
        let graph = NirGraph { metadata, ..read_graph(group, depth, repairs)? };
        return Ok(graph.into());
    }
    only_fields(group, &node_type, repairs.as_deref_mut())?;
    let primitive = match repairs {
        Some(notes) => Primitive::read(&node_type, &lenient::repair(group, &node_type, notes)?)?,
        None => Primitive::read(&node_type, group)?,
    };
    Ok(NirNode { primitive, metadata })
}

/// A member that is no parameter of its node would be lost without a word.
fn only_fields(group: &Group, node_type: &str, repairs: Repairs<'_>) -> Result<(), NirError> {
    let Some((node_type, fields)) = Primitive::fields(node_type) else { return Ok(()) };
    let is_known = |name: &str| fields.contains(&name) || BESIDE.contains(&name);
    let mut others = group.member_names().filter(|name| !is_known(name));
    let place = group.place();
    if let Some(notes) = repairs {
        notes.extend(others.map(|other| {
            format!("{place}: `{other}` is no parameter of {node_type} and is left out")
        }));
        return Ok(());
    }
    let Some(other) = others.next() else { return Ok(()) };
    let reason = format!(
        "`{other}` is no parameter; known are {}",
        super::some_names(fields.iter().copied())
    );
    Err(NirError::Field { place: place.to_owned(), node_type, reason })
}

fn read_graph(group: &Group, depth: usize, mut repairs: Repairs<'_>) -> Result<NirGraph, NirError> {
    let members = group.group("nodes")?;
    let mut nodes = IndexMap::new();
    for name in members.member_names() {
        let node = read_node(&members.group(name)?, depth + 1, repairs.as_deref_mut())?;
        nodes.insert(name.to_owned(), node);
    }
    let mut edges = read_edges(group)?;
    if let Some(notes) = repairs {
        edges = lenient::edges(group.place(), edges, |name| nodes.contains_key(name), notes);
    }
    Ok(NirGraph { nodes, edges, metadata: Metadata::new() })
}

fn read_edges(group: &Group) -> Result<Vec<(String, String)>, NirError> {
    let array = group.read("edges")?;
    if array.is_empty() {
        return Ok(Vec::new());
    }
    let found = format!("{} {:?}", array.values.type_name(), array.shape);
    match (array.values, array.shape.as_slice()) {
        (Values::Text(names), [_, 2]) => {
            let mut names = names.into_iter();
            let mut edges = Vec::new();
            while let (Some(source), Some(target)) = (names.next(), names.next()) {
                edges.push((source, target));
            }
            Ok(edges)
        }
        _ => Err(Hdf5Error::WrongType {
            place: group.place_of("edges"),
            found,
            wanted: "pairs of node names [n, 2]".into(),
        }
        .into()),
    }
}

fn read_metadata(group: &Group, name: &str, depth: usize) -> Result<Metadata, NirError> {
    let mut metadata = Metadata::new();
    if group.kind(name) != Some(MemberKind::Group) {
        return Ok(metadata);
    }
    let group = group.group(name)?;
    if depth > MAXIMUM_DEPTH {
        return Err(NirError::TooDeep { place: group.place().to_owned() });
    }
    for name in group.member_names() {
        let entry = match group.kind(name) {
            Some(MemberKind::Group) => {
                MetadataEntry::Group(read_metadata(&group, name, depth + 1)?)
            }
            _ => MetadataEntry::Value(group.read(name)?),
        };
        metadata.insert(name.to_owned(), entry);
    }
    Ok(metadata)
}
