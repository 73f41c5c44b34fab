//! From operators to units: what will spike, and which linear maps lie between.
//!
//! A **unit** is a future population: an activation function, a maximum over a window, or the
//! network's output. Everything between units is linear and becomes one [`LinearMap`] a branch plus
//! one bias a unit.

mod build;

use crate::ann::{AnnError, AnnGraph, Node, NodeId, Operator, Role, SampleShape};
use crate::linear::LinearMap;

/// What a unit does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum UnitKind {
    /// max(x, 0), cut at `maximum` (infinite for a plain ReLU).
    Rectifier {
        /// Largest activation.
        maximum: f64,
    },
    /// The largest of a window of one source unit.
    MaxPool,
    /// The scores: a linear read-out.
    Readout,
}

/// Where a branch comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The network's input.
    Input,
    /// A unit, by index.
    Unit(usize),
}

/// A linear map from one origin into a unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Branch {
    /// Where it comes from.
    pub origin: Origin,
    /// The map; for [`UnitKind::MaxPool`] it marks the window (weights 1).
    pub map: LinearMap,
    /// Names of the nodes that became part of it, in topological order.
    pub nodes: Vec<String>,
}

/// A future population.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit {
    /// Name of the node.
    pub name: String,
    /// The node whose values are the unit's activations.
    pub node: NodeId,
    /// The node whose values are its pre-activations.
    pub operand: NodeId,
    /// What it does.
    pub kind: UnitKind,
    /// Shape of its values.
    pub shape: SampleShape,
    /// What it adds up.
    pub branches: Vec<Branch>,
    /// Constant input, one a neuron.
    pub bias: Vec<f64>,
    /// Longest chain of units from the input, the first units having 1.
    pub depth: u32,
}

/// All units in topological order; the last is the read-out.
#[derive(Debug, Clone, PartialEq)]
pub struct Structure {
    /// Shape of the input.
    pub input: SampleShape,
    /// The units.
    pub units: Vec<Unit>,
}

/// A node that cannot become spikes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Name of the node.
    pub node: String,
    /// Its operator.
    pub operator: &'static str,
    /// Why, and what would help.
    pub reason: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "node `{}` ({}): {}", self.node, self.operator, self.reason)
    }
}

/// Why a graph has no spiking structure.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StructureError {
    /// Nodes that cannot be converted; all of them.
    #[error("{} of the network's nodes cannot be converted:{}", .0.len(), lines(.0))]
    Refused(Vec<Refusal>),
    /// A node that does not evaluate.
    #[error(transparent)]
    Ann(#[from] AnnError),
}

fn lines(refusals: &[Refusal]) -> String {
    refusals.iter().map(|refusal| format!("\n  {refusal}")).collect()
}

/// Finds the units of a decluttered graph.
///
/// # Errors
/// [`StructureError::Refused`] with every node that cannot be converted.
pub fn structure(graph: &AnnGraph) -> Result<Structure, StructureError> {
    let refusals = refusals(graph);
    if !refusals.is_empty() {
        return Err(StructureError::Refused(refusals));
    }
    let units = build::units(graph)?;
    Ok(Structure { input: graph.input_shape().clone(), units })
}

fn kind_of(node: &Node) -> Option<UnitKind> {
    match &node.operator {
        Operator::Relu(_) => Some(UnitKind::Rectifier { maximum: f64::INFINITY }),
        Operator::Clip(clip) => Some(UnitKind::Rectifier { maximum: f64::from(clip.maximum) }),
        Operator::MaxPool(_) => Some(UnitKind::MaxPool),
        _ => None,
    }
}

/// Every node that cannot be converted, with what would help.
fn refusals(graph: &AnnGraph) -> Vec<Refusal> {
    let mut found = Vec::new();
    for (_, node) in graph.nodes() {
        let reason = match &node.operator {
            Operator::Clip(clip) if clip.minimum != 0.0 || clip.maximum <= 0.0 => format!(
                "a clip from {} to {} has no rate code; it must start at 0 (as ReLU6 does)",
                clip.minimum, clip.maximum
            ),
            Operator::MaxPool(_) if !pools_activation(graph, node) => {
                "a maximum is taken over spike counts, so its input must come straight from an \
                 activation: put the ReLU before the pooling (the result is the same), or pool by \
                 mean"
                    .to_string()
            }
            _ if node.role() == Role::Activation && kind_of(node).is_none() => {
                "negative activations need spikes of both signs; train with ReLU instead"
                    .to_string()
            }
            _ if node.role() == Role::Readout => {
                "it changes values in the middle of the network; only at the end can it be dropped"
                    .to_string()
            }
            _ => continue,
        };
        found.push(Refusal { node: node.name.clone(), operator: node.operator.name(), reason });
    }
    if graph.outputs().len() > 1 {
        let node = graph.node(graph.outputs()[1]);
        found.push(Refusal {
            node: node.name.clone(),
            operator: node.operator.name(),
            reason: "the network has several outputs; export it with the scores alone".to_string(),
        });
    }
    found
}

/// Whether a max pooling reads an activation or another pooling of one, not merely a linear node.
fn pools_activation(graph: &AnnGraph, pool: &Node) -> bool {
    let mut node = graph.node(pool.inputs[0]);
    while node.role() == Role::Arrangement {
        node = graph.node(node.inputs[0]);
    }
    kind_of(node).is_some()
}
