//! Numpy arrays.

use super::{Content, extents};
use crate::error::Error;
use crate::listing::Listing;
use crate::model_io::array::Array;
use crate::model_io::npz::{self, NpzError, NpzLimits};
use crate::network_files::unreadable;
use serde_json::{Value, json};
use std::path::Path;

/// Arrays of an archive.
pub(super) fn archive(path: &Path) -> Result<Content, Error> {
    let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
    let in_file = |error: NpzError| Error::from(error).in_file(path);
    let arrays = npz::read_npz(&bytes, NpzLimits::default()).map_err(in_file)?;
    let rows = arrays.iter().map(|(name, array)| row(name, array));
    Ok(Content::default().fact("array_count", arrays.len()).list("arrays", listing(rows)))
}

/// One array.
pub(super) fn single(path: &Path) -> Result<Content, Error> {
    let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
    let array = npz::read_npy(&bytes).map_err(|error| Error::from(error).in_file(path))?;
    Ok(Content::default().list("arrays", listing([row("array", &array)])))
}

fn listing(rows: impl IntoIterator<Item = [Value; 5]>) -> Listing {
    Listing::new("Arrays", &["name", "shape", "type", "minimum", "maximum"]).with_rows(rows)
}

fn row(name: &str, array: &Array) -> [Value; 5] {
    let values = array.values.to_f64().unwrap_or_default();
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let shown = |value: f64| if value.is_finite() { json!(value) } else { Value::Null };
    [
        json!(name),
        json!(extents(&array.shape)),
        json!(array.values.type_name()),
        shown(finite().fold(f64::INFINITY, f64::min)),
        shown(finite().fold(f64::NEG_INFINITY, f64::max)),
    ]
}
