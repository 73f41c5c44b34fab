//! From operators to units: what will spike, and which linear maps lie between.
//!
//! A **unit** is a future population: an activation function, a maximum over a window, or the
//! network's output. Everything between units is linear and becomes one [`LinearMap`] a branch plus
//! one bias a unit.

use crate::ann::operator::TensorView;
use crate::ann::{AnnError, AnnGraph, Node, NodeId, Operator, Role, SampleShape};
use crate::linear::LinearMap;
use sim_core::network::Convolution as Geometry;
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
            _ if node.role() == Role::Readout => {
                "softmax changes values in the middle of the network; only at the end can it be \
                 dropped"
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
        let bias = self.value_at_zero(operand);
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
            bias: self.value_at_zero(output),
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
        for &input in &node.inputs {
            let own = own_map(node, &self.graph.node(input).shape)?;
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
        let geometry = geometry(node, pool.geometry(&self.graph.node(operand).shape))?;
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
    fn value_at_zero(&self, id: NodeId) -> Vec<f64> {
        self.zero_values(id).into_iter().map(f64::from).collect()
    }

    fn zero_values(&self, id: NodeId) -> Vec<f32> {
        let node = self.graph.node(id);
        let mut output = vec![0.0; node.shape.size()];
        if self.origin(id).is_some() {
            return output;
        }
        let inputs: Vec<Vec<f32>> = node.inputs.iter().map(|&i| self.zero_values(i)).collect();
        let views: Vec<TensorView<'_>> = node
            .inputs
            .iter()
            .zip(&inputs)
            .map(|(&input, values)| TensorView { shape: &self.graph.node(input).shape, values })
            .collect();
        node.operator.evaluate(&views, &mut output);
        output
    }
}

fn geometry(
    node: &Node,
    geometry: Result<Geometry, crate::ann::error::Misfit>,
) -> Result<Geometry, AnnError> {
    geometry.map_err(|misfit| AnnError::Node {
        node: node.name.clone(),
        operator: node.operator.name(),
        inputs: Vec::new(),
        misfit: Box::new(misfit),
    })
}

/// The linear part of a node as a map on one operand of the given shape.
fn own_map(node: &Node, operand: &SampleShape) -> Result<LinearMap, AnnError> {
    let wide = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect::<Vec<_>>();
    Ok(match &node.operator {
        Operator::Dense(dense) => LinearMap::Dense {
            targets: dense.outputs,
            sources: dense.inputs,
            weights: wide(&dense.weight),
        },
        Operator::Convolution(convolution) => LinearMap::Convolution {
            geometry: geometry(node, convolution.geometry(operand))?,
            weights: wide(&convolution.weight),
        },
        Operator::AveragePool(pool) => {
            let geometry = geometry(node, pool.geometry(operand))?;
            mean_map(geometry, &wide(&pool.divisors(&geometry)))
        }
        Operator::GlobalAveragePool(_) => {
            let [channels, height, width] =
                operand.picture().unwrap_or([operand.size(), 1, 1]).map(|n| n as u32);
            let geometry = Geometry {
                source: [channels, height, width],
                target: [channels, 1, 1],
                kernel: [height, width],
                stride: [1, 1],
                padding: [0; 4],
                dilation: [1, 1],
                groups: channels,
            };
            mean_map(geometry, &[f64::from(height * width)])
        }
        Operator::BatchNormalization(norm) => channel_gain(operand, &norm.gain_and_shift().0),
        Operator::Affine(affine) => {
            channel_gain(operand, &affine.per_channel(operand.channels()).0)
        }
        // Arrangements and sums keep each value where it is.
        _ => LinearMap::Identity { size: operand.size() },
    })
}

/// Means over windows; `divisors` is one for all windows or one each.
fn mean_map(geometry: Geometry, divisors: &[f64]) -> LinearMap {
    let count = geometry.weight_count() as usize;
    let first = divisors.first().copied().unwrap_or(1.0);
    if divisors.iter().all(|&divisor| divisor == first) {
        return LinearMap::Convolution { geometry, weights: vec![1.0 / first; count] };
    }
    let sums = LinearMap::Convolution { geometry, weights: vec![1.0; count] };
    let cells = divisors.len();
    let row = |source: usize| {
        let mut row = Vec::new();
        sums.for_each_target(source, |target, weight| {
            row.push((target as u32, weight / divisors[target % cells]));
        });
        row
    };
    LinearMap::Sparse { targets: sums.targets(), rows: (0..sums.sources()).map(row).collect() }
}

/// One factor a channel.
fn channel_gain(operand: &SampleShape, gain: &[f64]) -> LinearMap {
    let per_channel = operand.per_channel();
    let row = |n: usize| vec![(n as u32, gain.get(n / per_channel).copied().unwrap_or(1.0))];
    LinearMap::Sparse { targets: operand.size(), rows: (0..operand.size()).map(row).collect() }
}
