//! The kinds of layers.

use super::config::{LayerConfig, Refusal};
use super::layout::Network;
use super::{activation, convolution, merge, pooling};
use crate::ann::NodeId;

/// Adds a layer on its inputs and gives its result.
pub type Read = fn(&LayerConfig<'_>, &mut Network<'_>, &[NodeId]) -> Result<NodeId, Refusal>;

/// The registry: one line a kind.
pub static LAYERS: &[(&str, Read)] = &[
    ("Activation", activation::activation),
    ("ActivityRegularization", merge::nothing),
    ("Add", merge::add),
    ("AlphaDropout", merge::nothing),
    ("Average", merge::add),
    ("AveragePooling1D", pooling::average),
    ("AveragePooling2D", pooling::average),
    ("BatchNormalization", pooling::batch_normalization),
    ("Concatenate", merge::concatenate),
    ("Conv1D", convolution::convolution),
    ("Conv2D", convolution::convolution),
    ("Cropping1D", pooling::border),
    ("Cropping2D", pooling::border),
    ("Dense", convolution::dense),
    ("DepthwiseConv1D", convolution::depthwise),
    ("DepthwiseConv2D", convolution::depthwise),
    ("Dropout", merge::nothing),
    ("Flatten", merge::flatten),
    ("GaussianDropout", merge::nothing),
    ("GaussianNoise", merge::nothing),
    ("GlobalAveragePooling1D", pooling::global_average),
    ("GlobalAveragePooling2D", pooling::global_average),
    ("GlobalMaxPooling1D", pooling::global_maximum),
    ("GlobalMaxPooling2D", pooling::global_maximum),
    ("LeakyReLU", activation::rectified),
    ("MaxPooling1D", pooling::maximum),
    ("MaxPooling2D", pooling::maximum),
    ("Normalization", pooling::normalization),
    ("PReLU", activation::parametric),
    ("Permute", merge::permute),
    ("ReLU", activation::rectified),
    ("Rescaling", activation::rescaling),
    ("Reshape", merge::reshape),
    ("SeparableConv1D", convolution::separable),
    ("SeparableConv2D", convolution::separable),
    ("Softmax", activation::softmax),
    ("SpatialDropout1D", merge::nothing),
    ("SpatialDropout2D", merge::nothing),
    ("Subtract", merge::subtract),
    ("ZeroPadding1D", pooling::border),
    ("ZeroPadding2D", pooling::border),
];

/// The reader of a kind.
pub fn find(class: &str) -> Option<Read> {
    LAYERS.iter().find(|(name, _)| *name == class).map(|(_, read)| *read)
}

/// Kinds that are often met, and what would be needed for each.
static NEEDED: &[(&[&str], &str)] = &[
    (
        &["LSTM", "GRU", "SimpleRNN", "Bidirectional", "TimeDistributed"],
        "a network without recurrence",
    ),
    (&["Conv2DTranspose", "UpSampling2D", "UpSampling1D"], "projections that enlarge pictures"),
    (
        &["LayerNormalization", "GroupNormalization", "UnitNormalization"],
        "a normalisation that does not depend on the sample: use BatchNormalization instead",
    ),
    (
        &["Multiply", "Dot", "Attention", "MultiHeadAttention"],
        "a network without products of activations",
    ),
    (&["ELU", "ThresholdedReLU"], "an activation that spikes can carry: ReLU or LeakyReLU"),
    (&["Lambda", "TFOpLambda", "SlicingOpLambda"], "a layer that is data and not code"),
];

/// What it would take to convert a kind that is not read.
pub fn what_is_needed(class: &str) -> String {
    let entry = NEEDED.iter().find(|(names, _)| names.contains(&class));
    entry.map_or_else(
        || {
            let names = super::supported_layers().join(", ");
            format!("a reader for this layer; supported are {names}")
        },
        |(_, text)| (*text).to_owned(),
    )
}
