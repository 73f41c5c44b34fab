//! What it would take to convert an operator that is not supported.

use super::supported_operators;

/// Operators that are often met, and what would be needed for each.
static NEEDED: &[(&[&str], &str)] = &[
    (
        &[
            "Tanh",
            "Gelu",
            "Elu",
            "Selu",
            "Celu",
            "Softplus",
            "Softsign",
            "HardSwish",
            "HardSigmoid",
            "Mish",
            "Erf",
            "Exp",
            "Log",
            "Swish",
        ],
        "an activation that spikes can carry: train the network with ReLU or ReLU6 instead",
    ),
    (&["LSTM", "GRU", "RNN", "Loop", "Scan", "If"], "a network without recurrence or control flow"),
    (&["TopK"], "the scores themselves: leave the choice of classes out of the exported model"),
    (&["ConvTranspose", "Upsample", "Resize"], "projections that enlarge pictures"),
    (
        &["LayerNormalization", "InstanceNormalization", "GroupNormalization", "LRN"],
        "a normalisation that does not depend on the sample: use batch normalisation instead",
    ),
    (
        &[
            "QuantizeLinear",
            "DequantizeLinear",
            "DynamicQuantizeLinear",
            "QLinearConv",
            "QLinearMatMul",
            "ConvInteger",
            "MatMulInteger",
        ],
        "the float32 model from before its quantisation",
    ),
    (&["Gather", "GatherElements", "ScatterND"], "parts that are cut out by `Slice`"),
    (&["Split"], "grouped convolutions, or slices, in its place"),
    (&["Expand", "ConstantOfShape"], "an operand that does not depend on the sample"),
    (&["LpPool", "GlobalLpPool", "MaxUnpool", "MaxRoiPool"], "average or maximum pooling"),
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
