//! What can be wrong with an ONNX file.

use super::read::{MAXIMUM_OPSET, MINIMUM_OPSET};
use crate::ann::AnnError;

/// A node that cannot be converted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsupportedNode {
    /// The node's name.
    pub node: String,
    /// Its operator.
    pub operator: String,
    /// What would be needed.
    pub needed: String,
}

/// What is wrong with an ONNX file.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum OnnxError {
    /// The bytes are no ONNX file, or the file is cut off.
    #[error("this is no ONNX file, or it is damaged or cut off ({bytes} bytes): {reason}")]
    Decode {
        /// Bytes given.
        bytes: usize,
        /// What the decoder says.
        reason: String,
    },
    /// The file holds no graph.
    #[error("the file holds no graph; export the model again")]
    NoGraph,
    /// The operator set is older or newer than those that are known.
    #[error(
        "the model uses operator set {}; {MINIMUM_OPSET} to {MAXIMUM_OPSET} can be read: export it \
         with `opset_version=17`",
        .found.map_or_else(|| "(none stated)".to_owned(), |found| found.to_string())
    )]
    Opset {
        /// The version in the file, if there is one.
        found: Option<i64>,
    },
    /// The graph has no input, or several.
    #[error(
        "the graph has {} inputs ({}); networks with one input can be converted",
        .names.len(), .names.join(", ")
    )]
    Inputs {
        /// The inputs that are no weights.
        names: Vec<String>,
    },
    /// The graph has no output.
    #[error("the graph states no output")]
    NoOutput,
    /// The input's type or shape cannot be used.
    #[error("input `{name}`: {problem}")]
    Input {
        /// The input's name.
        name: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A tensor of constants is damaged or of an unknown kind.
    #[error("tensor `{tensor}`: {problem}")]
    Tensor {
        /// The tensor's name.
        tensor: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A value is made twice.
    #[error("value `{value}` is made twice (the second time by node `{node}`)")]
    DuplicateValue {
        /// The value's name.
        value: String,
        /// The second node that makes it.
        node: String,
    },
    /// A value is read that nothing makes.
    #[error(
        "{reader} reads `{value}`, which no node makes and which is neither input nor weight of \
         the graph; the file is incomplete"
    )]
    MissingValue {
        /// The value's name.
        value: String,
        /// Who reads it.
        reader: String,
    },
    /// Nodes depend on each other in a circle.
    #[error("these nodes depend on each other in a circle: {}", .nodes.join(", "))]
    Cycle {
        /// Some of the nodes.
        nodes: Vec<String>,
    },
    /// A node's attributes or operands break the operator's definition.
    #[error("node `{node}` ({operator}): {problem}")]
    Node {
        /// The node's name.
        node: String,
        /// Its operator.
        operator: String,
        /// What is wrong and what is allowed.
        problem: String,
    },
    /// Nodes that cannot be converted: all of them.
    #[error("{} of the model cannot be converted:{}", count(.0), list(.0))]
    Unsupported(Vec<UnsupportedNode>),
    /// Shapes or weights do not fit together.
    #[error(transparent)]
    Graph(#[from] AnnError),
}

fn count(nodes: &[UnsupportedNode]) -> String {
    match nodes.len() {
        1 => "1 node".to_owned(),
        n => format!("{n} nodes"),
    }
}

fn list(nodes: &[UnsupportedNode]) -> String {
    nodes
        .iter()
        .map(|n| format!("\n  node `{}` ({}): needs {}", n.node, n.operator, n.needed))
        .collect()
}
