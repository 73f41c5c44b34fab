//! From operators to units: what will spike, and which linear maps lie between.
//!
//! A **unit** is a future population: an activation function, a maximum over a window, or the
//! network's output. Everything between units is linear and becomes one [`LinearMap`] a branch plus
//! one bias a unit.

use crate::ann::operator::TensorView;
use crate::ann::{AnnError, AnnGraph, Node, NodeId, Operator, Role, SampleShape};
use crate::linear::LinearMap;
use std::collections::BTreeMap;

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
    /// Names of the nodes that became part of it, from origin to unit.
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
    let mut builder = Builder { graph, units: Vec::new(), unit_of: BTreeMap::new() };
    for (id, node) in graph.nodes() {
        if let Some(kind) = kind_of(node) {
            builder.add(id, node.inputs[0], kind)?;
        }
    }
    let output = graph.output();
    builder.add_readout(output)?;
    Ok(Structure { input: graph.input_shape().clone(), units: builder.units })
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

struct Builder<'a> {
    graph: &'a AnnGraph,
    units: Vec<Unit>,
    unit_of: BTreeMap<NodeId, usize>,
}

impl Builder<'_> {
    fn add(&mut self, node: NodeId, operand: NodeId, kind: UnitKind) -> Result<(), AnnError> {
        let branches = match kind {
            UnitKind::MaxPool => self.window(node, operand)?,
            _ => self.branches(operand)?,
        };
        let bias = match kind {
            // A maximum has none.
            UnitKind::MaxPool => Vec::new(),
            _ => self.value_at_zero(operand)?,
        };
        let depth = branches.iter().map(|branch| self.depth(branch.origin)).max().unwrap_or(0) + 1;
        let unit = Unit {
            name: self.graph.node(node).name.clone(),
            node,
            operand,
            kind,
            shape: self.graph.node(node).shape.clone(),
            branches,
            bias,
            depth,
        };
        self.unit_of.insert(node, self.units.len());
        self.units.push(unit);
        Ok(())
    }

    /// The read-out adds up what reaches the output, even where that is an activation itself.
    fn add_readout(&mut self, output: NodeId) -> Result<(), AnnError> {
        let mut branches = self.branches(output)?;
        if branches.is_empty() {
            branches = vec![self.direct(output)];
        }
        let depth = branches.iter().map(|branch| self.depth(branch.origin)).max().unwrap_or(0) + 1;
        let node = self.graph.node(output);
        self.units.push(Unit {
            name: format!("{} (read-out)", node.name),
            node: output,
            operand: output,
            kind: UnitKind::Readout,
            shape: node.shape.clone(),
            bias: self.value_at_zero(output)?,
            branches,
            depth,
        });
        Ok(())
    }

    fn depth(&self, origin: Origin) -> u32 {
        match origin {
            Origin::Input => 0,
            Origin::Unit(index) => self.units[index].depth,
        }
    }

    fn origin(&self, id: NodeId) -> Option<Origin> {
        if id == self.graph.input() {
            return Some(Origin::Input);
        }
        self.unit_of.get(&id).map(|&index| Origin::Unit(index))
    }

    fn direct(&self, id: NodeId) -> Branch {
        let size = self.graph.node(id).shape.size();
        let origin = self.origin(id).unwrap_or(Origin::Input);
        Branch { origin, map: LinearMap::Identity { size }, nodes: Vec::new() }
    }

    /// The branches whose sum (without bias) is a node's value.
    fn branches(&self, id: NodeId) -> Result<Vec<Branch>, AnnError> {
        if self.origin(id).is_some() {
            return Ok(vec![self.direct(id)]);
        }
        let node = self.graph.node(id);
        let mut all = Vec::new();
        let shapes: Vec<&SampleShape> =
            node.inputs.iter().map(|&input| &self.graph.node(input).shape).collect();
        for (operand, &input) in node.inputs.iter().enumerate() {
            let misfit = |misfit| self.graph.misfit(id, misfit);
            let Some(own) = node.operator.linear_map(operand, &shapes).map_err(misfit)? else {
                // An activation without a spiking counterpart; `refusals` has named it.
                continue;
            };
            for mut branch in self.branches(input)? {
                branch.map = branch.map.then(own.clone());
                branch.nodes.push(node.name.clone());
                all.push(branch);
            }
        }
        Ok(all)
    }

    /// The window of a max pooling as a map with weights 1.
    fn window(&self, id: NodeId, operand: NodeId) -> Result<Vec<Branch>, AnnError> {
        let node = self.graph.node(id);
        let Operator::MaxPool(pool) = &node.operator else { return Ok(Vec::new()) };
        let geometry = pool
            .geometry(&self.graph.node(operand).shape)
            .map_err(|misfit| self.graph.misfit(id, misfit))?;
        let weights = vec![1.0; geometry.weight_count() as usize];
        let mut branches = self.branches(operand)?;
        for branch in &mut branches {
            // Only arrangements lie between; they keep the order of the values.
            branch.map = LinearMap::Convolution { geometry, weights: weights.clone() };
            branch.nodes.push(node.name.clone());
        }
        Ok(branches)
    }

    /// The value of a node when the input and all units are zero: its bias.
    ///
    /// Composed in 64 bits, as the maps are: an exact method must not lose digits here.
    fn value_at_zero(&self, id: NodeId) -> Result<Vec<f64>, AnnError> {
        let node = self.graph.node(id);
        if self.origin(id).is_some() {
            return Ok(vec![0.0; node.shape.size()]);
        }
        let mut bias = self.own_bias(node);
        let shapes: Vec<&SampleShape> =
            node.inputs.iter().map(|&input| &self.graph.node(input).shape).collect();
        for (operand, &input) in node.inputs.iter().enumerate() {
            let misfit = |misfit| self.graph.misfit(id, misfit);
            if let Some(map) = node.operator.linear_map(operand, &shapes).map_err(misfit)? {
                map.apply(&self.value_at_zero(input)?, &mut bias);
            }
        }
        Ok(bias)
    }

    /// What a node gives when its own operands are zero.
    fn own_bias(&self, node: &Node) -> Vec<f64> {
        // The others add a trained 32-bit number to weights times zero.
        let Operator::BatchNormalization(norm) = &node.operator else {
            return self.at_zero_operands(node);
        };
        let (shift, per_channel) = (norm.gain_and_shift().1, node.shape.per_channel());
        (0..node.shape.size()).map(|n| shift.get(n / per_channel).copied().unwrap_or(0.0)).collect()
    }

    fn at_zero_operands(&self, node: &Node) -> Vec<f64> {
        let shapes = node.inputs.iter().map(|&input| &self.graph.node(input).shape);
        let zeros: Vec<(&SampleShape, Vec<f32>)> =
            shapes.map(|shape| (shape, vec![0.0; shape.size()])).collect();
        let views: Vec<TensorView<'_>> =
            zeros.iter().map(|(shape, values)| TensorView { shape, values }).collect();
        let mut output = vec![0.0; node.shape.size()];
        node.operator.evaluate(&views, &mut output);
        output.into_iter().map(f64::from).collect()
    }
}
