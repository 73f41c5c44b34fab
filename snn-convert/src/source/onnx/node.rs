//! What an operator's reader sees of its node.

use std::sync::Arc;

use super::error::OnnxError;
use super::external::ExternalData;
use super::message::{AttributeProto, NodeProto};
use super::tensor::{Elements, Tensor};
use crate::ann::{AnnGraphBuilder, NodeId, Operator, SampleShape};

/// What a name in the file stands for.
#[derive(Debug, Clone)]
pub enum Value {
    /// Something that is computed for each sample.
    Activation(NodeId),
    /// A constant.
    Constant(Arc<Tensor>),
    /// Something that could not be read; already reported.
    Unknown,
}

/// The extents and the elements of a tensor of finite numbers.
pub type Weight<'a> = (&'a [usize], &'a [f32]);

/// What an operator becomes.
#[derive(Debug)]
pub enum Reading {
    /// A node of the graph.
    Node(Operator, Vec<NodeId>),
    /// Several nodes; the last carries the result and the name.
    Steps(Vec<(Operator, Vec<ReadInput>)>),
    /// A constant, known while reading.
    Constant(Tensor),
    /// The value of its first input under another name.
    SameConstant(Arc<Tensor>),
}

/// Where one of several nodes reads.
#[derive(Debug, Clone, Copy)]
pub enum ReadInput {
    /// A node of the graph.
    Node(NodeId),
    /// An earlier one of the several.
    Step(usize),
}

impl Reading {
    /// Nodes one after the other; a single one where the rest is empty.
    pub fn chain(input: NodeId, operators: impl IntoIterator<Item = Operator>) -> Self {
        let step = |(number, operator): (usize, Operator)| match number {
            0 => (operator, vec![ReadInput::Node(input)]),
            _ => (operator, vec![ReadInput::Step(number - 1)]),
        };
        Self::Steps(operators.into_iter().enumerate().map(step).collect())
    }
}

/// Why an operator could not be read.
#[derive(Debug)]
pub enum Refusal {
    /// It reads something that could not be read either.
    Blocked,
    /// It is well formed but cannot be converted; the text says what would be needed.
    Unsupported(String),
    /// It breaks the operator's definition.
    Invalid(String),
    /// Another error, which already names its place.
    Other(OnnxError),
}

/// A node with its operands looked up.
pub struct NodeContext<'a> {
    /// The message.
    pub proto: &'a NodeProto,
    /// Operator set version.
    pub opset: i64,
    /// The batch extent, where the file fixes it.
    pub batch: Option<i64>,
    /// Where weights in other files come from.
    pub external: &'a dyn ExternalData,
    /// Elements that a constant may be filled with.
    pub filled: usize,
    /// The operands; `None` for one left out.
    pub inputs: Vec<Option<Value>>,
    /// The graph so far.
    pub builder: &'a AnnGraphBuilder,
}

impl NodeContext<'_> {
    fn attribute(&self, name: &str) -> Option<&AttributeProto> {
        self.proto.attribute.iter().find(|attribute| attribute.name.as_deref() == Some(name))
    }

    /// A whole-number attribute.
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.attribute(name).map(|attribute| attribute.i.unwrap_or(0))
    }

    /// A number attribute.
    pub fn float(&self, name: &str) -> Option<f32> {
        self.attribute(name).map(|attribute| attribute.f.unwrap_or(0.0))
    }

    /// A list attribute of whole numbers.
    pub fn integers(&self, name: &str) -> Option<&[i64]> {
        self.attribute(name).map(|attribute| attribute.ints.as_slice())
    }

    /// A list attribute of numbers.
    pub fn floats(&self, name: &str) -> Option<&[f32]> {
        self.attribute(name).map(|attribute| attribute.floats.as_slice())
    }

    /// A text attribute.
    pub fn text(&self, name: &str) -> Option<String> {
        let bytes = self.attribute(name)?.s.as_deref().unwrap_or_default();
        Some(String::from_utf8_lossy(bytes).into_owned())
    }

    /// A tensor attribute.
    ///
    /// # Errors
    /// As [`Tensor::read`].
    pub fn tensor(&self, name: &str) -> Result<Option<Tensor>, Refusal> {
        let Some(proto) = self.attribute(name).and_then(|attribute| attribute.t.as_ref()) else {
            return Ok(None);
        };
        Tensor::read(proto, self.result_name(), self.external).map(Some).map_err(Refusal::Other)
    }

    /// Whether a node gives the class, whole numbers already.
    pub fn is_class(&self, id: NodeId) -> bool {
        self.builder.operator(id).is_some_and(|operator| matches!(operator, Operator::ArgMax(_)))
    }

    /// The name of the first value that the node makes.
    pub fn result_name(&self) -> &str {
        self.proto.output.first().map(String::as_str).unwrap_or_default()
    }

    fn value(&self, index: usize) -> Option<&Value> {
        self.inputs.get(index).and_then(Option::as_ref)
    }

    /// Whether an operand is there.
    pub fn has(&self, index: usize) -> bool {
        self.value(index).is_some()
    }

    /// Whether an operand is a constant.
    pub fn is_constant(&self, index: usize) -> bool {
        matches!(self.value(index), Some(Value::Constant(_)))
    }

    /// An operand that depends on the sample.
    ///
    /// # Errors
    /// [`Refusal`] where it is a constant, left out or unknown.
    pub fn activation(&self, index: usize) -> Result<NodeId, Refusal> {
        match self.value(index) {
            Some(Value::Activation(id)) => Ok(*id),
            Some(Value::Unknown) => Err(Refusal::Blocked),
            Some(Value::Constant(tensor)) => Err(Refusal::Unsupported(format!(
                "operand {index} to depend on the network's input; `{}` is a constant",
                tensor.name
            ))),
            None => Err(Refusal::Invalid(format!("operand {index} is missing"))),
        }
    }

    /// All operands, where each is a constant; `None` where one is left out or depends on the
    /// sample.
    pub fn all_constants(&self) -> Option<Vec<&Tensor>> {
        let mut all = Vec::with_capacity(self.inputs.len());
        for value in &self.inputs {
            match value {
                Some(Value::Constant(tensor)) => all.push(tensor.as_ref()),
                _ => return None,
            }
        }
        Some(all)
    }

    /// Whether an operand could not be read.
    pub fn has_unknown(&self) -> bool {
        self.inputs.iter().any(|value| matches!(value, Some(Value::Unknown)))
    }

    /// Axes of a sample from those of the tensor with its batch axis; negative ones count from
    /// the end.
    ///
    /// # Errors
    /// [`Refusal`] for the batch axis and for axes that do not exist; `rank` counts the batch.
    pub fn sample_axes(&self, axes: &[i64], rank: usize) -> Result<Vec<usize>, Refusal> {
        let mut found = Vec::with_capacity(axes.len().min(rank));
        for &axis in axes {
            let positive = if axis < 0 { axis.saturating_add(rank as i64) } else { axis };
            match usize::try_from(positive) {
                Ok(0) => {
                    let needed = "axes other than the batch axis 0: the samples of a batch must \
                                  stay apart";
                    return Err(Refusal::Unsupported(needed.to_owned()));
                }
                Ok(axis) if axis < rank => found.push(axis - 1),
                _ => {
                    let problem = format!("axis {axis} of a tensor with {rank} axes");
                    return Err(Refusal::Invalid(problem));
                }
            }
            if found.len() > rank {
                return Err(Refusal::Invalid("an axis is named twice".to_owned()));
            }
        }
        Ok(found)
    }

    /// Axes from an operand (`index`), or from the attribute `axes`.
    ///
    /// # Errors
    /// As [`NodeContext::index_list`].
    pub fn axes(&self, index: usize) -> Result<&[i64], Refusal> {
        match self.has(index) {
            true => self.index_list(index),
            false => Ok(self.integers("axes").unwrap_or_default()),
        }
    }

    /// The shape of an operand that depends on the sample, batch axis removed.
    ///
    /// # Errors
    /// As [`NodeContext::activation`].
    pub fn shape(&self, index: usize) -> Result<&SampleShape, Refusal> {
        let id = self.activation(index)?;
        self.builder.shape(id).ok_or(Refusal::Blocked)
    }

    /// A constant operand, if it is there.
    ///
    /// # Errors
    /// [`Refusal`] where it depends on the sample or is unknown.
    pub fn optional_constant(&self, index: usize) -> Result<Option<&Arc<Tensor>>, Refusal> {
        match self.value(index) {
            Some(Value::Constant(tensor)) => Ok(Some(tensor)),
            Some(Value::Unknown) => Err(Refusal::Blocked),
            Some(Value::Activation(_)) => Err(Refusal::Unsupported(format!(
                "operand {index} (`{}`) to be a constant; it is computed from the network's input",
                self.proto.input.get(index).map(String::as_str).unwrap_or_default()
            ))),
            None => Ok(None),
        }
    }

    /// A constant operand.
    ///
    /// # Errors
    /// As [`NodeContext::optional_constant`], and where it is left out.
    pub fn constant(&self, index: usize) -> Result<&Arc<Tensor>, Refusal> {
        let missing = || Refusal::Invalid(format!("operand {index} is missing"));
        self.optional_constant(index)?.ok_or_else(missing)
    }

    /// A constant operand of finite numbers: its extents and elements.
    ///
    /// # Errors
    /// As [`NodeContext::constant`]; [`OnnxError::Tensor`] where it holds whole numbers, NaN or
    /// an infinity.
    pub fn weight(&self, index: usize) -> Result<Weight<'_>, Refusal> {
        let tensor = self.constant(index)?;
        Ok((&tensor.extents, finite(tensor)?))
    }

    /// As [`NodeContext::weight`], if the operand is there.
    ///
    /// # Errors
    /// As [`NodeContext::weight`].
    pub fn optional_weight(&self, index: usize) -> Result<Option<Weight<'_>>, Refusal> {
        if self.has(index) { self.weight(index).map(Some) } else { Ok(None) }
    }

    /// Whole numbers from a constant operand.
    ///
    /// # Errors
    /// As [`NodeContext::constant`], and where it holds other numbers.
    pub fn index_list(&self, index: usize) -> Result<&[i64], Refusal> {
        let tensor = self.constant(index)?;
        match &tensor.elements {
            Elements::Integers(values) => Ok(values),
            Elements::Floats(_) => {
                Err(Refusal::Invalid(format!("`{}` must hold whole numbers", tensor.name)))
            }
        }
    }
}

/// The elements of a tensor that must be finite numbers.
///
/// # Errors
/// [`OnnxError::Tensor`] with the first element that is not.
pub fn finite(tensor: &Tensor) -> Result<&[f32], Refusal> {
    let fail = |problem| {
        let tensor = tensor.name.clone();
        Err(Refusal::Other(OnnxError::Tensor { tensor, problem }))
    };
    let Elements::Floats(values) = &tensor.elements else {
        return fail("it holds whole numbers where weights are needed".to_owned());
    };
    match values.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        Some((index, value)) => fail(format!(
            "element {index} is {value}; weights must be finite (the training diverged or the \
             file is damaged)"
        )),
        None => Ok(values),
    }
}
