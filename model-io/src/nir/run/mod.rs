//! Running a graph step by step under a [`Convention`]: a plain, slow reference in 64-bit floats.
//!
//! Sub-graphs are laid open first (`rnn/lif`). In every step the nodes are evaluated from the inputs
//! on; in a loop, the edges that leave a neuron carry the previous step's value (those that leave a
//! delay, where the loop has no neuron), so a bias inside the loop acts from the first step on.

use indexmap::IndexMap;

use super::dialect::Convention;
use super::{NirGraph, Primitive};

mod linear;
mod neurons;
mod order;
mod state;

pub(super) use order::{Flat, components, flatten};

use order::Wiring;
use state::NodeState;

/// Numbers that a run may hold at once, all nodes together.
const VALUE_LIMIT: usize = 1 << 26;

/// Why a graph cannot be run.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RunError {
    /// A node's input or parameters have another size than needed.
    #[error("node `{node}` ({node_type}): {reason}")]
    Node {
        /// Path of the node.
        node: String,
        /// Its type.
        node_type: &'static str,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A loop without a neuron or delay has no value to start from.
    #[error("the nodes {nodes} form a loop without a neuron or a delay; put one into it")]
    Loop {
        /// Nodes of the loop.
        nodes: String,
    },
    /// The graph has no input or no output, or several.
    #[error("the graph has {found} nodes of type {node_type}; exactly one is run")]
    Ends {
        /// `Input` or `Output`.
        node_type: &'static str,
        /// How many there are.
        found: usize,
    },
    /// A sub-graph's end is missing.
    #[error("sub-graph `{node}` has no {node_type} node; add one")]
    SubGraph {
        /// Path of the sub-graph.
        node: String,
        /// `Input` or `Output`.
        node_type: &'static str,
    },
    /// The given input does not fit.
    #[error("step {step} of the input has {got} values; the graph's input has {expected}")]
    Input {
        /// Step, counted from 0.
        step: usize,
        /// Values given.
        got: usize,
        /// Values of the Input node.
        expected: usize,
    },
    /// A convention that has no meaning.
    #[error("dt is {dt} and the time constants are scaled by {tau_scale}; both must be above 0")]
    Convention {
        /// Step given.
        dt: f64,
        /// Scale given.
        tau_scale: f64,
    },
    /// A step takes too much memory.
    #[error("the graph has {got} values in a step; at most {VALUE_LIMIT} are run")]
    TooLarge {
        /// Values of all nodes.
        got: usize,
    },
}

/// A value on its way between nodes: numbers and their arrangement.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Signal {
    /// Extents; a leading batch of one is dropped.
    pub shape: Vec<usize>,
    /// Row-major.
    pub values: Vec<f64>,
}

/// A graph ready to run.
#[derive(Debug)]
pub struct GraphRun {
    wiring: Wiring,
    nodes: Vec<RunNode>,
    input: usize,
    output: usize,
    last: Vec<Signal>,
    loops_direct: bool,
}

#[derive(Debug)]
struct RunNode {
    name: String,
    primitive: Primitive,
    state: NodeState,
}

impl GraphRun {
    /// Lays a graph open and orders its nodes.
    ///
    /// # Errors
    /// [`RunError`].
    pub fn new(graph: &NirGraph, convention: &Convention) -> Result<Self, RunError> {
        let Convention { dt, tau_scale, .. } = *convention;
        if !(dt > 0.0 && tau_scale > 0.0 && dt.is_finite() && tau_scale.is_finite()) {
            return Err(RunError::Convention { dt, tau_scale });
        }
        let flat = flatten(graph, convention.loops_direct)?;
        let wiring = Wiring::new(&flat)?;
        let end = |node_type: &'static str| {
            let ends = flat.nodes.iter().enumerate().filter(|(_, (name, primitive))| {
                primitive.type_name() == node_type && !name.contains('/')
            });
            let ends: Vec<usize> = ends.map(|(index, _)| index).collect();
            match ends.as_slice() {
                [one] => Ok(*one),
                other => Err(RunError::Ends { node_type, found: other.len() }),
            }
        };
        let (input, output) = (end("Input")?, end("Output")?);
        let mut nodes = Vec::new();
        for (name, primitive) in flat.nodes {
            let state = NodeState::new(&primitive, convention).map_err(|reason| {
                let node_type = primitive.type_name();
                RunError::Node { node: name.clone(), node_type, reason }
            })?;
            nodes.push(RunNode { name, primitive, state });
        }
        let last = nodes.iter().map(|node| before_first_step(&node.primitive)).collect();
        let loops_direct = convention.loops_direct;
        Ok(Self { wiring, nodes, input, output, last, loops_direct })
    }

    /// Names of the nodes, sub-graphs laid open.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.nodes.iter().map(|node| node.name.as_str())
    }

    /// Names of the nodes that spike, from the input to the output.
    pub fn spiking(&self) -> Vec<&str> {
        let spiking = self.wiring.order.iter().filter_map(|&index| self.nodes.get(index));
        let spiking = spiking.filter(|node| {
            ["IF", "LIF", "CubaLIF", "Threshold"].contains(&node.primitive.type_name())
        });
        spiking.map(|node| node.name.as_str()).collect()
    }

    /// Extents of the graph's input.
    pub fn input_shape(&self) -> Vec<usize> {
        match self.nodes.get(self.input).map(|node| &node.primitive) {
            Some(Primitive::Input(input)) => without_batch(&input.shape),
            _ => Vec::new(),
        }
    }

    /// One step; the values of every node by name.
    ///
    /// # Errors
    /// [`RunError`] for input or nodes whose sizes do not fit.
    pub fn step(&mut self, step: usize, input: &[f64]) -> Result<(), RunError> {
        let shape = self.input_shape();
        let expected = crate::array::element_count(&shape).unwrap_or(usize::MAX);
        if input.len() != expected {
            return Err(RunError::Input { step, got: input.len(), expected });
        }
        let mut now = vec![Signal::default(); self.nodes.len()];
        if self.loops_direct {
            // Late spikes are known before the step in which they leave.
            for (last, node) in self.last.iter_mut().zip(&self.nodes) {
                if let Some(next) = node.state.next_out() {
                    last.clone_from(next);
                }
            }
        }
        let mut total = 0_usize;
        for &index in &self.wiring.order {
            let sum = if index == self.input {
                Some(Signal { shape: shape.clone(), values: input.to_vec() })
            } else {
                self.gather(index, &now)?
            };
            let Some(node) = self.nodes.get_mut(index) else { continue };
            let output =
                node.state.step(&node.primitive, sum).map_err(|reason| RunError::Node {
                    node: node.name.clone(),
                    node_type: node.primitive.type_name(),
                    reason,
                })?;
            total = total.saturating_add(output.values.len());
            if total > VALUE_LIMIT {
                return Err(RunError::TooLarge { got: total });
            }
            if let Some(slot) = now.get_mut(index) {
                *slot = output;
            }
        }
        self.last = now;
        Ok(())
    }

    /// The sum of what reaches a node; `None` where nothing has yet.
    fn gather(&self, index: usize, now: &[Signal]) -> Result<Option<Signal>, RunError> {
        let mut sum: Option<Signal> = None;
        let sources = self.wiring.sources.get(index).map(Vec::as_slice).unwrap_or_default();
        for source in sources {
            let values = if source.previous { &self.last } else { now };
            let Some(signal) = values.get(source.node).filter(|s| !s.values.is_empty()) else {
                continue;
            };
            match &mut sum {
                None => sum = Some(signal.clone()),
                Some(sum) if sum.values.len() == signal.values.len() => {
                    for (sum, value) in sum.values.iter_mut().zip(&signal.values) {
                        *sum += value;
                    }
                }
                Some(sum) => {
                    let node = self.nodes.get(index);
                    return Err(RunError::Node {
                        node: node.map_or_else(String::new, |node| node.name.clone()),
                        node_type: node.map_or("", |node| node.primitive.type_name()),
                        reason: format!(
                            "values of shapes {:?} and {:?} meet; they must have one size",
                            sum.shape, signal.shape
                        ),
                    });
                }
            }
        }
        Ok(sum)
    }

    /// The last step's value of a node.
    pub fn value(&self, name: &str) -> Option<&Signal> {
        let index = self.nodes.iter().position(|node| node.name == name)?;
        self.last.get(index)
    }

    /// Potentials of a layer of neurons after the last step; `None` for other nodes.
    pub fn potential(&self, name: &str) -> Option<&[f64]> {
        self.nodes.iter().find(|node| node.name == name)?.state.potential()
    }

    /// The last step's value of the graph's output.
    pub fn output(&self) -> &[f64] {
        self.last.get(self.output).map(|signal| signal.values.as_slice()).unwrap_or_default()
    }
}

/// Runs a graph over rows of input `[step]`; the values `[step]` of the named nodes and, under
/// the name `output`, of the graph's output.
///
/// # Errors
/// [`RunError`].
pub fn run(
    graph: &NirGraph,
    convention: &Convention,
    input: &[Vec<f64>],
    recorded: &[String],
) -> Result<IndexMap<String, Vec<Vec<f64>>>, RunError> {
    let mut run = GraphRun::new(graph, convention)?;
    let mut rows: IndexMap<String, Vec<Vec<f64>>> = IndexMap::new();
    for (step, input) in input.iter().enumerate() {
        run.step(step, input)?;
        for name in recorded {
            let value = run.value(name).map(|signal| signal.values.clone()).unwrap_or_default();
            rows.entry(name.clone()).or_default().push(value);
        }
        let output = run.output().to_vec();
        rows.entry("output".to_owned()).or_default().push(output);
    }
    Ok(rows)
}

/// What a node has sent before the first step: neurons zeros, of which a loop's weights make their bias.
fn before_first_step(primitive: &Primitive) -> Signal {
    let Some(shape) = extents(primitive) else { return Signal::default() };
    let values = vec![0.0; shape.iter().product()];
    Signal { shape, values }
}

/// Extents of a layer of neurons; `None` for other nodes.
pub(super) fn extents(primitive: &Primitive) -> Option<Vec<usize>> {
    let array = match primitive {
        Primitive::I(node) => &node.r,
        Primitive::If(node) => &node.r,
        Primitive::Li(node) => &node.r,
        Primitive::Lif(node) => &node.r,
        Primitive::CubaLi(node) => &node.r,
        Primitive::CubaLif(node) => &node.r,
        Primitive::Threshold(node) => &node.threshold,
        _ => return None,
    };
    Some(without_batch(&array.shape))
}

/// Some exporters write a batch of one into the shape of lists and pictures. Three axes are a picture
/// `[channels, height, width]`, whose one channel is none.
pub(super) fn without_batch(shape: &[usize]) -> Vec<usize> {
    match shape {
        [1, rest @ ..] if rest.len() == 1 || rest.len() > 2 => rest.to_vec(),
        other => other.to_vec(),
    }
}
