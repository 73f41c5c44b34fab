//! What can be wrong with files of tensors, with architectures and with Keras models.

use super::onnx::UnsupportedNode;
use crate::ann::AnnError;

/// Why a trained network could not be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SourceError {
    /// The bytes break their format.
    #[error("this {format} is damaged or cut off: {problem}")]
    Damaged {
        /// The format.
        format: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// The file is of a neighbouring kind that is not read.
    #[error("this is {found}; {help}")]
    Kind {
        /// What it is.
        found: &'static str,
        /// What to do.
        help: &'static str,
    },
    /// A pickle asks for something beyond tensors and plain containers.
    #[error(
        "the file asks for `{module}.{name}`; only tensors and plain containers are read, nothing is \
         executed: save the weights alone with `torch.save(model.state_dict(), file)`"
    )]
    ForbiddenGlobal {
        /// Python module.
        module: String,
        /// Name in it.
        name: String,
    },
    /// One tensor is damaged, of an unknown kind or missing.
    #[error("tensor `{tensor}`: {problem}")]
    Tensor {
        /// Its name.
        tensor: String,
        /// What is wrong and what is allowed.
        problem: String,
    },
    /// An architecture file has a mistake.
    #[error("architecture, {place}: {problem}")]
    Architecture {
        /// Where in the file.
        place: String,
        /// What is wrong and what is allowed.
        problem: String,
    },
    /// Tensors that no layer uses.
    #[error(
        "no layer of the architecture uses these tensors: {}; add their layers, or list them under \
         `ignore`", .0.join(", ")
    )]
    Unused(Vec<String>),
    /// The tensors do not say how the network is built.
    #[error("the tensors alone do not say how the network is built: {problem}; {help}")]
    NoGuess {
        /// Why not.
        problem: String,
        /// What to do.
        help: &'static str,
    },
    /// A layer of a model is damaged.
    #[error("layer `{layer}` ({kind}): {problem}")]
    Layer {
        /// Its name.
        layer: String,
        /// Its kind.
        kind: String,
        /// What is wrong and what is allowed.
        problem: String,
    },
    /// Layers that cannot be read: all of them.
    #[error("{} of the model cannot be converted:{}", layers(.0), list(.0))]
    Unsupported(Vec<UnsupportedNode>),
    /// Shapes or weights do not fit together.
    #[error(transparent)]
    Graph(#[from] AnnError),
}

fn layers(nodes: &[UnsupportedNode]) -> String {
    match nodes.len() {
        1 => "1 layer".to_owned(),
        n => format!("{n} layers"),
    }
}

fn list(nodes: &[UnsupportedNode]) -> String {
    nodes
        .iter()
        .map(|n| format!("\n  layer `{}` ({}): needs {}", n.node, n.operator, n.needed))
        .collect()
}
