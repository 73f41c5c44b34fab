//! Keras models: the configuration and the weights that an `.h5` file holds.
//!
//! Whoever opens the file hands over the text of its attribute `model_config` and the tensors of
//! each layer. Keras stores pictures as `[height, width, channels]`; here a layer's values lie as
//! `[channels, height, width]`. The network's input keeps the order of the file, so samples are
//! given as to Keras; where the order of values matters (flatten, reshape), it is Keras' order.
//!
//! References: the layers' documentation at <https://keras.io/api/layers/>; the file layout of
//! Keras 2 and 3 (`keras/src/legacy/saving/legacy_h5_format.py`, format only).

mod activation;
mod config;
mod convolution;
mod layer;
mod layout;
mod merge;
mod model;
mod pooling;

use indexmap::IndexMap;

use super::SourceError;
use super::weights::WeightTensor;
use crate::ann::AnnGraph;

/// The tensors of each layer, in their order, with their paths.
pub type LayerWeights = IndexMap<String, Vec<(String, WeightTensor)>>;

/// Reads a model.
///
/// # Errors
/// [`SourceError`]; layers that cannot be converted are all reported together.
pub fn read(config: &str, weights: &LayerWeights) -> Result<AnnGraph, SourceError> {
    model::read(config, weights)
}

/// The kinds of layers that are read, in alphabetical order.
pub fn supported_layers() -> Vec<&'static str> {
    let mut names: Vec<&str> = layer::LAYERS.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    names
}
