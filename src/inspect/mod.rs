//! What a file is and what it holds.
//!
//! One file a format with a function from a path to [`Content`], and its line in `INSPECTORS`.

mod arrays;
mod chip_data;
mod hdf5;
mod network;
mod runs;
mod sonata;
mod text;
mod trained;

use crate::error::Error;
use crate::listing::Listing;
use crate::model_io::sniff::{self, Format};
use crate::network_files::unreadable;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// What a file holds: single facts and lists.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Content {
    /// What the file is, where its content says more than its format.
    pub description: Option<String>,
    /// Facts by name, in the order in which they are shown.
    pub facts: Map<String, Value>,
    /// Lists by the name that machine-readable output gives them.
    pub lists: Vec<(&'static str, Listing)>,
    /// Whether what it holds contradicts itself.
    pub is_finding: bool,
}

impl Content {
    /// Adds a fact.
    #[must_use]
    fn fact(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.to_string(), value.into());
        self
    }

    /// Adds a list.
    #[must_use]
    fn list(mut self, name: &'static str, listing: Listing) -> Self {
        self.lists.push((name, listing));
        self
    }
}

/// A file and what it holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    /// The file.
    pub path: PathBuf,
    /// Short name of its format.
    pub format: &'static str,
    /// What it is.
    pub description: String,
    /// Its size.
    pub bytes: u64,
    /// What it holds.
    pub content: Content,
}

impl Inspection {
    /// One object: what it is, then facts, then lists.
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("file".to_string(), json!(self.path.to_string_lossy()));
        object.insert("format".to_string(), json!(self.format));
        object.insert("description".to_string(), json!(self.description));
        object.insert("bytes".to_string(), json!(self.bytes));
        object.extend(self.content.facts.clone());
        for (name, listing) in &self.content.lists {
            object.insert((*name).to_string(), listing.to_json());
        }
        Value::Object(object)
    }
}

/// Looks into a file of one format.
type Inspect = fn(&Path) -> Result<Content, Error>;

/// How each format is looked into; of others only the kind is told.
static INSPECTORS: &[(Format, Inspect)] = &[
    (Format::Onnx, trained::network),
    (Format::Keras, trained::network),
    (Format::PyTorch, trained::tensors),
    (Format::Safetensors, trained::tensors),
    (Format::Netx, chip_data::netx),
    (Format::Nir, hdf5::nir),
    (Format::SonataSpikes, sonata::spikes),
    (Format::SonataEdges, sonata::edges),
    (Format::SonataReport, sonata::samples),
    (Format::Weights, sonata::samples),
    (Format::OtherHdf5, hdf5::members),
    (Format::Npz, arrays::archive),
    (Format::Npy, arrays::single),
    (Format::CoreMap, chip_data::core_map),
    (Format::OtherJson, text::json),
    (Format::Checkpoint, runs::checkpoint),
    (Format::Recording, runs::recording),
    (Format::Toml, network::inspect),
    (Format::Unknown, text::page),
];

/// Looks into a file.
///
/// # Errors
/// [`Error`] naming the file, where it is damaged or of a format that is not known.
pub fn inspect(path: &Path) -> Result<Inspection, Error> {
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if metadata.is_dir() {
        let reason = "it is a folder; give a file".to_string();
        return Err(Error::Read { path: path.into(), reason });
    }
    let detected = sniff::detect(path).map_err(|error| unreadable(path, &error))?;
    let known = INSPECTORS.iter().find(|(format, _)| *format == detected);
    let content = known.map_or_else(|| Ok(Content::default()), |(_, inspect)| inspect(path))?;
    let mut format = detected.name();
    if detected == Format::Unknown {
        format = "html";
    }
    let description = match &content.description {
        Some(description) => description.clone(),
        None => detected.description().to_string(),
    };
    Ok(Inspection { path: path.into(), format, description, bytes: metadata.len(), content })
}

/// Extents as text, such as `8×1×3×3`.
fn extents<T: std::fmt::Display>(shape: &[T]) -> String {
    match shape {
        [] => "scalar".to_string(),
        _ => shape.iter().map(ToString::to_string).collect::<Vec<_>>().join("×"),
    }
}
