//! What can be wrong with a network or a sample.

use super::shape::{SampleShape, ShapeProblem};

/// What is wrong with an operator, before the node that holds it is known.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Misfit {
    /// The operator reads another number of inputs.
    #[error("it reads {needed} inputs and got {got}")]
    Arity {
        /// Inputs the operator reads.
        needed: usize,
        /// Inputs it was given.
        got: usize,
    },
    /// The inputs' shapes do not suit the operator.
    #[error("it needs {needed}")]
    Shape {
        /// What would fit.
        needed: String,
    },
    /// The output would be no valid shape.
    #[error("its output is impossible: {0}")]
    Output(#[from] ShapeProblem),
    /// A weight tensor has the wrong number of elements.
    #[error("{tensor} has {got} elements; {needed} are needed ({why})")]
    Length {
        /// Which tensor: `weight`, `bias`, …
        tensor: &'static str,
        /// Elements given.
        got: usize,
        /// Elements needed.
        needed: usize,
        /// Where that number comes from.
        why: String,
    },
    /// A weight is NaN or infinite.
    #[error(
        "{tensor} holds {value} at element {index}; weights must be finite (the training diverged \
         or the file is damaged)"
    )]
    NotFinite {
        /// Which tensor: `weight`, `bias`, …
        tensor: &'static str,
        /// The first such element.
        index: usize,
        /// NaN or an infinity.
        value: f32,
    },
    /// A parameter has a value that makes no sense.
    #[error("{parameter} is {got}; {allowed}")]
    Parameter {
        /// Which parameter.
        parameter: &'static str,
        /// Its value.
        got: String,
        /// What is allowed.
        allowed: &'static str,
    },
}

/// Checks that all values are finite.
///
/// # Errors
/// [`Misfit::NotFinite`] with the first value that is not.
pub(crate) fn check_finite(tensor: &'static str, values: &[f32]) -> Result<(), Misfit> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(Misfit::NotFinite {
            tensor,
            index,
            value: values.get(index).copied().unwrap_or(f32::NAN),
        }),
        None => Ok(()),
    }
}

/// Checks the number of elements of a weight tensor.
///
/// # Errors
/// [`Misfit::Length`].
pub(crate) fn check_length(
    tensor: &'static str,
    values: &[f32],
    needed: usize,
    why: impl FnOnce() -> String,
) -> Result<(), Misfit> {
    if values.len() == needed {
        Ok(())
    } else {
        Err(Misfit::Length { tensor, got: values.len(), needed, why: why() })
    }
}

/// What is wrong with a graph or a sample.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AnnError {
    /// An operator does not fit its inputs or its own weights.
    #[error("node `{node}` ({operator}, input {}): {misfit}", join(.inputs))]
    Node {
        /// The node's name in its source.
        node: String,
        /// The operator's name.
        operator: &'static str,
        /// The shapes it was given.
        inputs: Vec<SampleShape>,
        /// What is wrong, and what would fit.
        misfit: Box<Misfit>,
    },
    /// Two nodes have one name.
    #[error("two nodes are named `{name}`; node names must be unique")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// A node reads a node that does not exist yet.
    #[error("node `{node}` reads node number {index}, but only {existing} nodes precede it")]
    UnknownNode {
        /// The reading node.
        node: String,
        /// The number it reads.
        index: usize,
        /// Nodes that exist.
        existing: usize,
    },
    /// A graph must have exactly one input and at least one output.
    #[error("the graph has {inputs} inputs and {outputs} outputs; it needs 1 and at least 1")]
    Ends {
        /// Input nodes.
        inputs: usize,
        /// Output nodes.
        outputs: usize,
    },
    /// All nodes together have more elements than is allowed for one sample.
    #[error(
        "at node `{node}` the activations of one sample exceed {limit} elements together; this \
         network is too large"
    )]
    TooLarge {
        /// The node at which the limit was passed.
        node: String,
        /// The limit.
        limit: usize,
    },
    /// A sample (or a batch of samples) has the wrong length.
    #[error(
        "the data has {got} values; one sample of input `{input}` has {shape} = {needed} values \
         (a batch a whole multiple of it)"
    )]
    SampleLength {
        /// The input node's name.
        input: String,
        /// Its shape.
        shape: SampleShape,
        /// Values given.
        got: usize,
        /// Values needed.
        needed: usize,
    },
    /// A sample holds NaN or an infinity.
    #[error("value {index} of the data is {value}; inputs must be finite")]
    SampleNotFinite {
        /// Index into the data given.
        index: usize,
        /// NaN or an infinity.
        value: f32,
    },
}

fn join(shapes: &[SampleShape]) -> String {
    if shapes.is_empty() {
        return "none".to_owned();
    }
    shapes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}
