//! The graph: nodes in topological order, checked when they are added.

use std::collections::{BTreeMap, HashSet};

use super::error::{AnnError, Misfit};
use super::operator::{Input, Operator, Role};
use super::shape::SampleShape;

/// The most elements all nodes together may have for one sample (2^28, 1 GiB of `f32`).
pub const MAXIMUM_TOTAL_ELEMENTS: usize = 1 << 28;

/// A node's position in its graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(usize);

impl NodeId {
    /// The position in topological order.
    pub fn index(self) -> usize {
        self.0
    }
}

/// One operator with its name, the nodes it reads and the shape it gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The name in the source file (ONNX: the node's name).
    pub name: String,
    /// What is computed.
    pub operator: Operator,
    /// Where the operands come from, in the operator's order; all lie before this node.
    pub inputs: Vec<NodeId>,
    /// The shape of the result for one sample.
    pub shape: SampleShape,
}

impl Node {
    /// The part that the operator plays in a conversion.
    pub fn role(&self) -> Role {
        self.operator.role()
    }

    /// Whether the result is an affine function of the operands.
    pub fn is_linear(&self) -> bool {
        matches!(self.role(), Role::Weighted | Role::Linear | Role::Arrangement)
    }

    /// Whether this is an activation function (ReLU, clip).
    pub fn is_activation(&self) -> bool {
        self.role() == Role::Activation
    }
}

/// A trained network: one input, operators in topological order, one or more outputs.
#[derive(Debug, Clone, PartialEq)]
pub struct AnnGraph {
    nodes: Vec<Node>,
    input: NodeId,
    outputs: Vec<NodeId>,
    consumers: Vec<Vec<NodeId>>,
}

/// What [`AnnGraph::rebuild`] does to one node.
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// Another operator with the same operands.
    Replace(Operator),
    /// The node goes away; its consumers read its first operand.
    Bypass,
    /// Another operator under another name, with the same operands.
    Become {
        /// The new name.
        name: String,
        /// The new operator.
        operator: Operator,
    },
    /// Several operators in its place; the last takes the node's name.
    Steps(Vec<Step>),
}

/// One operator of several that take the place of a node.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What is computed.
    pub operator: Operator,
    /// Where its operands come from.
    pub inputs: Vec<StepInput>,
}

/// Where a [`Step`] reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepInput {
    /// An operand of the node that is replaced.
    Operand(usize),
    /// An operand (the second number) of that operand: the node between is skipped.
    OperandOf(usize, usize),
    /// An earlier step.
    Step(usize),
}

impl Step {
    /// Operators one after the other, the first on the node's first operand.
    pub fn chain(operators: impl IntoIterator<Item = Operator>) -> Vec<Self> {
        let step = |(number, operator): (usize, Operator)| {
            let before = number.checked_sub(1).map(StepInput::Step);
            Self { operator, inputs: vec![before.unwrap_or(StepInput::Operand(0))] }
        };
        operators.into_iter().enumerate().map(step).collect()
    }
}

impl AnnGraph {
    /// All nodes in topological order.
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = (NodeId, &Node)> + ExactSizeIterator {
        self.nodes.iter().enumerate().map(|(index, node)| (NodeId(index), node))
    }

    /// The number of nodes, the input included.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Never true: a graph has at least its input.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// One node.
    ///
    /// # Panics
    /// If `id` comes from another, larger graph.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// The input node.
    pub fn input(&self) -> NodeId {
        self.input
    }

    /// The shape of one input sample.
    pub fn input_shape(&self) -> &SampleShape {
        &self.nodes[self.input.0].shape
    }

    /// The nodes whose results leave the network; at least one.
    pub fn outputs(&self) -> &[NodeId] {
        &self.outputs
    }

    /// The first output: of a classifier, the scores.
    pub fn output(&self) -> NodeId {
        self.outputs[0]
    }

    /// The nodes that a node reads, in the operator's order.
    pub fn producers(&self, id: NodeId) -> &[NodeId] {
        &self.node(id).inputs
    }

    /// The nodes that read a node, ascending; one that reads it twice appears twice.
    pub fn consumers(&self, id: NodeId) -> &[NodeId] {
        &self.consumers[id.0]
    }

    /// The one reader of a node that has exactly one and is no output itself.
    pub fn sole_consumer(&self, id: NodeId) -> Option<NodeId> {
        match self.consumers(id) {
            &[consumer] if !self.outputs.contains(&id) => Some(consumer),
            _ => None,
        }
    }

    /// The activation function that directly and alone follows a node.
    pub fn activation_after(&self, id: NodeId) -> Option<NodeId> {
        self.sole_consumer(id).filter(|&consumer| self.node(consumer).is_activation())
    }

    /// The node with this name.
    pub fn find(&self, name: &str) -> Option<NodeId> {
        self.nodes.iter().position(|node| node.name == name).map(NodeId)
    }

    /// Nodes with trained weights (dense, convolution), in topological order.
    pub fn weighted(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.nodes().filter(|(_, node)| node.role() == Role::Weighted)
    }

    /// Activation functions, in topological order.
    pub fn activations(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.nodes().filter(|(_, node)| node.is_activation())
    }

    /// The error that says what is wrong with a node.
    pub fn misfit(&self, id: NodeId, misfit: Misfit) -> AnnError {
        let node = self.node(id);
        let inputs = node.inputs.iter().map(|&input| self.node(input).shape.clone()).collect();
        let (operator, misfit) = (node.operator.name(), Box::new(misfit));
        AnnError::Node { node: node.name.clone(), operator, inputs, misfit }
    }

    /// The number of trained weights and biases.
    pub fn parameter_count(&self) -> usize {
        let of = |node: &Node| node.operator.parameters().iter().map(|(_, v)| v.len()).sum();
        self.nodes.iter().map(of).fold(0, |total: usize, n: usize| total.saturating_add(n))
    }

    /// Builds the graph anew with some nodes changed; all shapes are inferred and checked again.
    ///
    /// Names stay. An output that is bypassed becomes its first operand.
    ///
    /// # Errors
    /// What [`AnnGraphBuilder::add`] finds wrong with a changed node; bypassing a node without
    /// operands is [`AnnError::Ends`].
    pub fn rebuild(&self, edits: &BTreeMap<NodeId, Edit>) -> Result<Self, AnnError> {
        let mut builder = AnnGraphBuilder::default();
        let mut place: Vec<NodeId> = Vec::with_capacity(self.nodes.len());
        for (id, node) in self.nodes() {
            let inputs: Vec<NodeId> = node.inputs.iter().map(|input| place[input.0]).collect();
            let new = match edits.get(&id) {
                Some(Edit::Bypass) => match inputs.first() {
                    Some(&first) => first,
                    None => {
                        let outputs = self.outputs.len();
                        return Err(AnnError::Ends { inputs: 0, outputs });
                    }
                },
                Some(Edit::Replace(operator)) => {
                    builder.add(node.name.clone(), operator.clone(), &inputs)?
                }
                Some(Edit::Become { name, operator }) => {
                    builder.add(name.clone(), operator.clone(), &inputs)?
                }
                Some(Edit::Steps(steps)) => self.add_steps(&mut builder, node, steps, &place)?,
                None => builder.add(node.name.clone(), node.operator.clone(), &inputs)?,
            };
            place.push(new);
        }
        let outputs: Vec<NodeId> = self.outputs.iter().map(|output| place[output.0]).collect();
        builder.finish(&outputs)
    }

    /// Adds the operators that take the place of a node; gives the last.
    fn add_steps(
        &self,
        builder: &mut AnnGraphBuilder,
        node: &Node,
        steps: &[Step],
        place: &[NodeId],
    ) -> Result<NodeId, AnnError> {
        let mut added: Vec<NodeId> = Vec::with_capacity(steps.len());
        for (number, step) in steps.iter().enumerate() {
            let mut inputs = Vec::with_capacity(step.inputs.len());
            for &input in &step.inputs {
                let found = match input {
                    StepInput::Step(step) => added.get(step).copied(),
                    StepInput::Operand(n) => node.inputs.get(n).map(|id| place[id.0]),
                    StepInput::OperandOf(n, m) => {
                        let operand = node.inputs.get(n).map(|id| &self.nodes[id.0]);
                        operand.and_then(|node| node.inputs.get(m)).map(|id| place[id.0])
                    }
                };
                let missing = || {
                    let (index, existing) = (number, self.nodes.len());
                    AnnError::UnknownNode { node: node.name.clone(), index, existing }
                };
                inputs.push(found.ok_or_else(missing)?);
            }
            let mut name = node.name.clone();
            if number + 1 < steps.len() {
                name = format!("{name} [{}]", number + 1);
                while builder.contains(&name) {
                    name.push('\'');
                }
            }
            added.push(builder.add(name, step.operator.clone(), &inputs)?);
        }
        added.pop().ok_or(AnnError::Ends { inputs: 0, outputs: self.outputs.len() })
    }
}

impl std::fmt::Display for AnnGraph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let width = self.nodes.iter().map(|node| node.name.chars().count()).max().unwrap_or(0);
        for node in &self.nodes {
            let (name, operator) = (&node.name, node.operator.name());
            writeln!(f, "{name:<width$}  {operator:<20} {}", node.shape)?;
        }
        Ok(())
    }
}

/// Collects nodes; a node can only read nodes that are already there.
#[derive(Debug, Clone, Default)]
pub struct AnnGraphBuilder {
    nodes: Vec<Node>,
    names: HashSet<String>,
    total_elements: usize,
}

impl AnnGraphBuilder {
    /// Adds the input.
    ///
    /// # Errors
    /// As [`AnnGraphBuilder::add`].
    pub fn input(
        &mut self,
        name: impl Into<String>,
        shape: SampleShape,
    ) -> Result<NodeId, AnnError> {
        self.add(name, Operator::Input(Input { shape }), &[])
    }

    /// Adds a node, infers its shape and checks its weights.
    ///
    /// # Errors
    /// [`AnnError::Node`] where operator, weights and input shapes do not fit together, with what
    /// would; [`AnnError::DuplicateName`], [`AnnError::UnknownNode`], [`AnnError::TooLarge`].
    pub fn add(
        &mut self,
        name: impl Into<String>,
        operator: impl Into<Operator>,
        inputs: &[NodeId],
    ) -> Result<NodeId, AnnError> {
        let (name, operator) = (name.into(), operator.into());
        if self.names.contains(&name) {
            return Err(AnnError::DuplicateName { name });
        }
        let mut shapes = Vec::with_capacity(inputs.len());
        for input in inputs {
            match self.nodes.get(input.0) {
                Some(node) => shapes.push(&node.shape),
                None => {
                    let (index, existing) = (input.0, self.nodes.len());
                    return Err(AnnError::UnknownNode { node: name, index, existing });
                }
            }
        }
        let shape = match check_and_infer(&operator, &shapes) {
            Ok(shape) => shape,
            Err(misfit) => {
                let inputs = shapes.into_iter().cloned().collect();
                let operator = operator.name();
                let misfit = Box::new(misfit);
                return Err(AnnError::Node { node: name, operator, inputs, misfit });
            }
        };
        self.total_elements = self.total_elements.saturating_add(shape.size());
        if self.total_elements > MAXIMUM_TOTAL_ELEMENTS {
            return Err(AnnError::TooLarge { node: name, limit: MAXIMUM_TOTAL_ELEMENTS });
        }
        self.names.insert(name.clone());
        self.nodes.push(Node { name, operator, inputs: inputs.to_vec(), shape });
        Ok(NodeId(self.nodes.len() - 1))
    }

    /// The shape of a node that was added.
    pub fn shape(&self, id: NodeId) -> Option<&SampleShape> {
        self.nodes.get(id.0).map(|node| &node.shape)
    }

    /// The operator of a node that was added.
    pub fn operator(&self, id: NodeId) -> Option<&Operator> {
        self.nodes.get(id.0).map(|node| &node.operator)
    }

    /// Whether a node of this name was added.
    pub fn contains(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Completes the graph. Nodes that no output depends on are left out.
    ///
    /// # Errors
    /// [`AnnError::Ends`] without exactly one input and at least one output, or where no output
    /// depends on the input; [`AnnError::UnknownNode`] for an output that was never added.
    pub fn finish(self, outputs: &[NodeId]) -> Result<AnnGraph, AnnError> {
        let inputs = self.nodes.iter().filter(|node| node.role() == Role::Input).count();
        if inputs != 1 || outputs.is_empty() {
            return Err(AnnError::Ends { inputs, outputs: outputs.len() });
        }
        let mut needed = vec![false; self.nodes.len()];
        for output in outputs {
            match needed.get_mut(output.0) {
                Some(needed) => *needed = true,
                None => {
                    let (node, existing) = ("output".to_owned(), self.nodes.len());
                    return Err(AnnError::UnknownNode { node, index: output.0, existing });
                }
            }
        }
        for index in (0..self.nodes.len()).rev() {
            if needed[index] {
                self.nodes[index].inputs.iter().for_each(|input| needed[input.0] = true);
            }
        }
        Ok(compact(self.nodes, &needed, outputs))
    }
}

/// Leaves out the nodes that are not needed and records who reads whom.
fn compact(nodes: Vec<Node>, needed: &[bool], outputs: &[NodeId]) -> AnnGraph {
    let mut place = Vec::with_capacity(nodes.len());
    let mut kept: Vec<Node> = Vec::with_capacity(nodes.len());
    for (mut node, &needed) in nodes.into_iter().zip(needed) {
        place.push(NodeId(kept.len()));
        // The input stays even where nothing reads it: every operator but it has operands, so
        // that happens only in a graph whose output is the input itself.
        if needed {
            node.inputs.iter_mut().for_each(|input| *input = place[input.0]);
            kept.push(node);
        }
    }
    let mut consumers = vec![Vec::new(); kept.len()];
    for (index, node) in kept.iter().enumerate() {
        node.inputs.iter().for_each(|input| consumers[input.0].push(NodeId(index)));
    }
    let input = kept.iter().position(|node| node.role() == Role::Input).map_or(NodeId(0), NodeId);
    let outputs = outputs.iter().map(|output| place[output.0]).collect();
    AnnGraph { nodes: kept, input, outputs, consumers }
}

fn check_and_infer(operator: &Operator, inputs: &[&SampleShape]) -> Result<SampleShape, Misfit> {
    if operator.arity() != inputs.len() {
        return Err(Misfit::Arity { needed: operator.arity(), got: inputs.len() });
    }
    operator.infer_shape(inputs)
}
