//! Synapses written as they are read.

use super::Edges;
use crate::array::{Array, Values};
use crate::atomic::{AtomicWriteError, write_atomically};
use crate::hdf5::{self, Storage};
use crate::npz::NpzWriter;
use crate::recording::{OutputFormat, RecordingError};
use crate::sonata::{MAGIC, VERSION};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// What a file says about its synapses beside them.
#[derive(Debug, Clone, Copy)]
pub struct EdgeNames<'a> {
    /// The projection.
    pub projection: &'a str,
    /// Its source population.
    pub source: &'a str,
    /// Its target population.
    pub target: &'a str,
    /// The unit of the weights; empty where they have none.
    pub weight_unit: &'a str,
}

/// Writes synapses, whole or not at all, in a form that [`read_edges`](super::read_edges) reads; equal synapses give
/// equal values, and in npz and CSV equal bytes.
///
/// # Errors
/// Why the file could not be written.
pub fn write_edges(
    path: &Path,
    format: OutputFormat,
    edges: &Edges,
    names: EdgeNames<'_>,
    overwrite: bool,
) -> Result<(), AtomicWriteError<RecordingError>> {
    write_atomically(path, overwrite, |temporary| match format {
        OutputFormat::Sonata => sonata(temporary, edges, names),
        OutputFormat::Npz => npz(temporary, edges),
        OutputFormat::Csv => csv(temporary, edges),
    })
}

fn ids(neurons: &[u32]) -> Values {
    Values::U64(neurons.iter().map(|&neuron| u64::from(neuron)).collect())
}

/// One group of attributes, `0`, in the order of the edges.
fn sonata(path: &Path, edges: &Edges, names: EdgeNames<'_>) -> Result<(), RecordingError> {
    let count = edges.sources.len();
    let root = hdf5::create(path)?;
    root.write_attribute("magic", &Array::scalar(MAGIC))?;
    root.write_attribute("version", &Array::vector(VERSION.to_vec()))?;
    let group = root.create_group("edges")?.create_group(names.projection)?;
    let members = [
        ("source_node_id", ids(&edges.sources)),
        ("target_node_id", ids(&edges.targets)),
        ("edge_type_id", Values::U64(vec![0; count])),
        ("edge_group_id", Values::U64(vec![0; count])),
        ("edge_group_index", Values::U64((0..count as u64).collect())),
    ];
    for (name, values) in members {
        group.write(name, &Array::vector(values), Storage::Compressed)?;
    }
    for (name, population) in [("source_node_id", names.source), ("target_node_id", names.target)] {
        let population = Array::scalar(population.to_owned());
        group.write_member_attribute(name, "node_population", &population)?;
    }
    let attributes = group.create_group("0")?;
    let columns =
        [("syn_weight", &edges.weights, names.weight_unit), ("delay", &edges.delays, "ms")];
    for (name, column, unit) in columns {
        let Some(column) = column else { continue };
        attributes.write(name, &Array::vector(column.clone()), Storage::Compressed)?;
        attributes.write_member_attribute(name, "units", &Array::scalar(unit.to_owned()))?;
    }
    root.flush()?;
    Ok(())
}

fn npz(path: &Path, edges: &Edges) -> Result<(), RecordingError> {
    let mut archive = NpzWriter::new(BufWriter::new(File::create(path)?));
    let mut write = |name: &str, values: Values| {
        archive.begin(name, &[values.len()], &values)?;
        archive.append(&values)
    };
    write("sources", ids(&edges.sources))?;
    write("targets", ids(&edges.targets))?;
    for (name, column) in [("weights", &edges.weights), ("delays", &edges.delays)] {
        if let Some(column) = column {
            write(name, Values::F64(column.clone()))?;
        }
    }
    archive.finish()?.flush()?;
    Ok(())
}

fn csv(path: &Path, edges: &Edges) -> Result<(), RecordingError> {
    let mut out = BufWriter::new(File::create(path)?);
    let columns = [("weight", &edges.weights), ("delay", &edges.delays)];
    let columns = columns.map(|(name, column)| column.as_ref().map(|column| (name, column)));
    write!(out, "source,target")?;
    columns.iter().flatten().try_for_each(|(name, _)| write!(out, ",{name}"))?;
    for (index, (source, target)) in edges.sources.iter().zip(&edges.targets).enumerate() {
        write!(out, "\n{source},{target}")?;
        columns.iter().flatten().try_for_each(|(_, column)| write!(out, ",{}", column[index]))?;
    }
    out.write_all(b"\n")?;
    out.flush()?;
    Ok(())
}
