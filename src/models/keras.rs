//! Keras models out of their HDF5 files.

use crate::error::Error;
use crate::model_io::array::Values;
use crate::model_io::hdf5::{self, Group, Hdf5Error, MemberKind};
use crate::snn_convert::ann::AnnGraph;
use crate::snn_convert::source::keras::{self, LayerWeights};
use crate::snn_convert::source::weights::WeightTensor;
use std::path::Path;

/// How many times larger than the file all its tensors may be (compressed, or named twice).
const LARGEST_GROWTH: u64 = 16;

pub(super) fn read(path: &Path) -> Result<AnnGraph, Error> {
    let root = hdf5::open(path).map_err(unreadable)?;
    let size = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    let (config, weights) = layers_of(&root, size)?;
    Ok(keras::read(&config, &weights)?)
}

fn unreadable(error: Hdf5Error) -> Error {
    Error::Content(error.to_string())
}

/// The configuration of a Keras model and the tensors of each of its layers; `size` is that of
/// the file in bytes.
///
/// # Errors
/// [`Error::Content`] where the file is damaged or holds weights alone.
pub fn layers_of(root: &Group, size: u64) -> Result<(String, LayerWeights), Error> {
    let config = texts(root, "model_config")?.into_iter().next();
    let config = config.ok_or_else(|| {
        Error::Content(
            "this Keras file holds weights without a model_config; save the whole model with \
             `model.save('model.h5')`"
                .to_string(),
        )
    })?;
    let group = root.group("model_weights").map_err(unreadable)?;
    let mut left = size.saturating_mul(LARGEST_GROWTH).saturating_add(1 << 20);
    let mut weights = LayerWeights::new();
    let names: Vec<String> = group.member_names().map(str::to_string).collect();
    for name in names {
        if group.kind(&name) != Some(MemberKind::Group) {
            continue;
        }
        let layer = group.group(&name).map_err(unreadable)?;
        let mut tensors = Vec::new();
        for path in texts(&layer, "weight_names")? {
            let tensor = tensor(&layer, &path, &mut left)?;
            tensors.push((path, tensor));
        }
        weights.insert(name, tensors);
    }
    Ok((config, weights))
}

/// The texts of an attribute; long lists are cut into attributes with numbers behind their name.
fn texts(group: &Group, name: &str) -> Result<Vec<String>, Error> {
    let one = |name: &str| -> Result<Option<Vec<String>>, Error> {
        match group.read_attribute(name).map_err(unreadable)?.map(|array| array.values) {
            Some(Values::Text(texts)) => Ok(Some(texts)),
            // An empty list has no texts to tell its type.
            Some(other) if other.is_empty() => Ok(Some(Vec::new())),
            Some(other) => {
                let place = group.place();
                let kind = other.type_name();
                Err(Error::Content(format!("{place}@{name} holds {kind}; texts are expected")))
            }
            None => Ok(None),
        }
    };
    if let Some(texts) = one(name)? {
        return Ok(texts);
    }
    let mut all = Vec::new();
    for number in 0..4096 {
        match one(&format!("{name}{number}"))? {
            Some(texts) => all.extend(texts),
            None => break,
        }
    }
    Ok(all)
}

/// The tensor at a path beneath a layer's group.
fn tensor(layer: &Group, path: &str, left: &mut u64) -> Result<WeightTensor, Error> {
    let mut group = layer.clone();
    let mut parts = path.split('/').filter(|part| !part.is_empty()).peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_some() {
            group = group.group(part).map_err(unreadable)?;
            continue;
        }
        let shape = group.shape(part).map_err(unreadable)?;
        let elements = shape.iter().try_fold(1_u64, |n, &extent| n.checked_mul(extent as u64));
        let bytes = elements.and_then(|n| n.checked_mul(4)).unwrap_or(u64::MAX);
        if bytes > *left {
            let place = group.place_of(part);
            return Err(Error::Content(format!(
                "{place} claims {bytes} bytes; together the tensors are much larger than the file"
            )));
        }
        *left -= bytes;
        let array = group.read(part).map_err(unreadable)?;
        let values = array.values.to_f32();
        let tensor = values.and_then(|values| WeightTensor::new(array.shape.clone(), values));
        return tensor
            .ok_or_else(|| Error::Content(format!("{} holds no numbers", group.place_of(part))));
    }
    Err(Error::Content(format!("{} names a tensor without a path", layer.place())))
}
