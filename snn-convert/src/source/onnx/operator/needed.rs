//! What it would take to convert an operator that is not supported.

use super::supported_operators;

/// Operators that are often met, and what would be needed for each.
static NEEDED: &[(&[&str], &str)] = &[
    (
        &["Sigmoid", "Tanh", "Gelu", "Elu", "Selu", "Softplus", "HardSwish", "HardSigmoid", "Erf"],
        "an activation that spikes can carry: train the network with ReLU or ReLU6 instead",
    ),
    (
        &["LeakyRelu", "PRelu"],
        "spikes of both signs for negative activations; train with ReLU instead",
    ),
    (&["LSTM", "GRU", "RNN", "Loop", "Scan", "If"], "a network without recurrence or control flow"),
    (&["LogSoftmax"], "the scores themselves: leave the log-softmax out of the exported model"),
    (
        &["ArgMax", "TopK"],
        "the scores themselves: leave the class choice out of the exported model",
    ),
    (&["ConvTranspose", "Upsample", "Resize"], "projections that enlarge pictures"),
    (&["Transpose"], "a model in the order channels, height, width throughout"),
    (&["Pad"], "the padding as part of the next convolution (`padding=` there)"),
    (
        &["LayerNormalization", "InstanceNormalization", "GroupNormalization", "LRN"],
        "statistics that are fixed after training: use batch normalisation instead",
    ),
    (
        &["QuantizeLinear", "DequantizeLinear", "QLinearConv", "QLinearMatMul", "ConvInteger"],
        "the float32 model from before its quantisation",
    ),
    (&["GlobalMaxPool", "ReduceMax", "Max"], "average pooling in its place"),
];

/// A text that says what would be needed.
pub fn what_is_needed(operator: &str) -> String {
    let known = NEEDED.iter().find(|(names, _)| names.contains(&operator));
    known.map_or_else(
        || {
            let names = supported_operators().join(", ");
            format!("a reader for this operator; supported are {names}")
        },
        |(_, text)| (*text).to_owned(),
    )
}
