//! The plan: every node and what becomes of it, and what network results, before any work.

use super::stage::Stages;
use crate::error::Error;
use crate::listing::Listing;
use crate::models::{LoadOptions, load_model};
use crate::snn_convert::ann::{AnnGraph, Node, Operator, Role, SampleShape};
use crate::snn_convert::declutter::{Decluttered, Outcome, declutter};
use crate::snn_convert::linear::LinearMap;
use crate::snn_convert::source::onnx::OnnxError;
use crate::snn_convert::structure::{
    Origin, Refusal, Structure, StructureError, Unit, UnitKind, structure,
};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;

/// Spikes a neuron and step that predictions are made with; trained image networks have 0.05 to 0.2.
pub const ASSUMED_ACTIVITY: f64 = 0.1;

/// What becomes of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It becomes neurons or synapses that compute the same.
    Converted,
    /// Other nodes do its work, or it did none.
    Folded,
    /// What it becomes computes nearly the same.
    Approximated,
    /// It stays in float, as asked for.
    Float,
    /// It has no spiking form.
    Refused,
}

/// A node of the trained network.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedNode {
    /// Its name.
    pub node: String,
    /// Its operator.
    pub operator: String,
    /// Its shape for one sample.
    pub shape: String,
    /// What becomes of it.
    pub outcome: Fate,
    /// How; of an approximation how large; of a refusal why, and what would help.
    pub detail: String,
    /// Multiplications and additions of the trained network in it.
    pub macs: u64,
}

/// A population of the spiking network.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedPopulation {
    /// The node that it stands for.
    pub node: String,
    /// What it does.
    pub kind: &'static str,
    /// Neurons.
    pub neurons: u64,
    /// Synapses that end in it.
    pub synapses: u64,
    /// Multiplications and additions that the sample costs where it enters as a current.
    pub input_macs: u64,
}

/// What a network would become.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConversionPlan {
    /// Every node, in the file's order.
    pub nodes: Vec<PlannedNode>,
    /// Every population; empty where nodes are refused.
    pub populations: Vec<PlannedPopulation>,
    /// Neurons in all.
    pub neurons: u64,
    /// Synapses in all.
    pub synapses: u64,
    /// Multiplications and additions of the trained network for one sample.
    pub macs: u64,
    /// Multiplications and additions for a sample that enters as a current.
    pub input_macs: u64,
    /// Synaptic operations of one sample in one step, at [`ASSUMED_ACTIVITY`].
    pub predicted_synaptic_operations_per_step: u64,
    /// Nodes that are refused.
    pub refused: usize,
}

/// What would become of every node of a model, without any data. Nodes that are refused are part of
/// the plan.
///
/// # Errors
/// [`Error`] naming the file where it cannot be read or cut.
pub fn plan(
    path: &Path,
    load: &LoadOptions,
    float_front: Option<&str>,
    float_head: Option<&str>,
) -> Result<ConversionPlan, Error> {
    let graph = match load_model(path, load) {
        Ok(graph) => graph,
        Err(error) => match unsupported(&error) {
            Some(nodes) => return Ok(ConversionPlan::refused_nodes(nodes)),
            None => return Err(error),
        },
    };
    let stages = Stages::cut(graph, float_front, float_head)?;
    of_stages(&stages).map_err(|error| error.in_file(path))
}

/// Nodes of operators that no front end knows.
fn unsupported(error: &Error) -> Option<Vec<PlannedNode>> {
    let (_, Error::Onnx(OnnxError::Unsupported(nodes))) = error.located() else {
        return None;
    };
    let planned = nodes.iter().map(|node| PlannedNode {
        node: node.node.clone(),
        operator: node.operator.clone(),
        shape: String::new(),
        outcome: Fate::Refused,
        detail: node.needed.clone(),
        macs: 0,
    });
    Some(planned.collect())
}

/// The plan of a network that was read.
///
/// # Errors
/// [`Error`] where folding fails.
pub fn of_stages(stages: &Stages) -> Result<ConversionPlan, Error> {
    let decluttered = declutter(&stages.core)?;
    let (structure, refusals) = match structure(&decluttered.graph) {
        Ok(structure) => (Some(structure), Vec::new()),
        Err(StructureError::Refused(refusals)) => (None, refusals),
        Err(other) => return Err(Error::Convert(other.into())),
    };
    let nodes = nodes(stages, &decluttered, structure.as_ref(), &refusals);
    let populations: Vec<PlannedPopulation> =
        structure.iter().flat_map(|structure| &structure.units).map(population).collect();
    let sum = |of: fn(&PlannedPopulation) -> u64| populations.iter().map(of).sum::<u64>();
    let macs = nodes.iter().map(|node| node.macs).sum();
    let synapses = sum(|population| population.synapses);
    Ok(ConversionPlan {
        neurons: sum(|population| population.neurons),
        synapses,
        macs,
        input_macs: sum(|population| population.input_macs),
        predicted_synaptic_operations_per_step: (synapses as f64 * ASSUMED_ACTIVITY) as u64,
        refused: nodes.iter().filter(|node| node.outcome == Fate::Refused).count(),
        populations,
        nodes,
    })
}

impl ConversionPlan {
    fn refused_nodes(nodes: Vec<PlannedNode>) -> Self {
        ConversionPlan {
            refused: nodes.len(),
            nodes,
            populations: Vec::new(),
            neurons: 0,
            synapses: 0,
            macs: 0,
            input_macs: 0,
            predicted_synaptic_operations_per_step: 0,
        }
    }

    /// One row a node.
    pub fn node_listing(&self) -> Listing {
        let columns = ["node", "operator", "shape", "outcome", "detail", "macs"];
        let rows = self.nodes.iter().map(|node| {
            [
                json!(node.node),
                json!(node.operator),
                json!(node.shape),
                json!(node.outcome),
                json!(node.detail),
                json!(node.macs),
            ]
        });
        Listing::new("Plan: every node and what becomes of it", &columns).with_rows(rows)
    }

    /// One row a population.
    pub fn population_listing(&self) -> Listing {
        let columns = ["population", "kind", "neurons", "synapses", "input_macs"];
        let rows = self.populations.iter().map(|population| {
            [
                json!(population.node),
                json!(population.kind),
                json!(population.neurons),
                json!(population.synapses),
                json!(population.input_macs),
            ]
        });
        Listing::new("Populations of the spiking network", &columns).with_rows(rows)
    }

    /// All refusals as one text; none where every node can be converted.
    pub fn refusal(&self) -> Option<String> {
        let refused = self.nodes.iter().filter(|node| node.outcome == Fate::Refused);
        let lines: Vec<String> = refused
            .map(|node| format!("node `{}` ({}): {}", node.node, node.operator, node.detail))
            .collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }
}

fn nodes(
    stages: &Stages,
    decluttered: &Decluttered,
    structure: Option<&Structure>,
    refusals: &[Refusal],
) -> Vec<PlannedNode> {
    let float = stages.float_nodes();
    // A step that stands for part of a node is named after it: `node [1]`.
    let mut refused: BTreeMap<&str, &str> = BTreeMap::new();
    for refusal in refusals {
        let name = refusal.node.split(" [").next().unwrap_or(&refusal.node);
        refused.insert(name, &refusal.reason);
    }
    let mut part_of: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for unit in structure.iter().flat_map(|structure| &structure.units) {
        for node in unit.branches.iter().flat_map(|branch| &branch.nodes) {
            let units = part_of.entry(node).or_default();
            if !units.contains(&unit.name.as_str()) {
                units.push(&unit.name);
            }
        }
    }
    let units: BTreeMap<&str, &Unit> = structure
        .iter()
        .flat_map(|structure| &structure.units)
        .map(|unit| (unit.name.as_str(), unit))
        .collect();
    let planned = stages.whole.nodes().map(|(_, node)| {
        let name = node.name.as_str();
        let line = decluttered.plan.line(name);
        let (outcome, detail) = if let Some(part) = float.get(name) {
            (Fate::Float, format!("stays in the {part}, evaluated in float"))
        } else if let Some(reason) = refused.get(name) {
            (Fate::Refused, (*reason).to_string())
        } else {
            fate(node, line.map(|line| (&line.outcome, line.reason.as_str())), &units, &part_of)
        };
        PlannedNode {
            node: node.name.clone(),
            operator: node.operator.name().to_string(),
            shape: node.shape.to_string(),
            outcome,
            detail,
            macs: macs(&stages.whole, node),
        }
    });
    let mut planned: Vec<PlannedNode> = planned.collect();
    for refusal in refusals {
        // A node that decluttering made and that no node of the file is named like.
        let name = refusal.node.split(" [").next().unwrap_or(&refusal.node);
        if !planned.iter().any(|node| node.node == name) {
            planned.push(PlannedNode {
                node: refusal.node.clone(),
                operator: refusal.operator.to_string(),
                shape: String::new(),
                outcome: Fate::Refused,
                detail: refusal.reason.clone(),
                macs: 0,
            });
        }
    }
    planned
}

fn fate(
    node: &Node,
    line: Option<(&Outcome, &str)>,
    units: &BTreeMap<&str, &Unit>,
    part_of: &BTreeMap<&str, Vec<&str>>,
) -> (Fate, String) {
    let name = node.name.as_str();
    let reason = |text: String| match line {
        Some((_, reason)) if !reason.is_empty() => format!("{text}: {reason}"),
        _ => text,
    };
    match line.map(|(outcome, _)| outcome) {
        Some(Outcome::FoldedInto(target)) => {
            return (Fate::Folded, reason(format!("folded into `{target}`")));
        }
        Some(Outcome::Dropped) => {
            // Softmax, sigmoid and the like keep the order of the scores, not their values.
            return match node.role() == Role::Readout {
                true => (
                    Fate::Approximated,
                    reason("dropped: the class stays the same, scores are read before it".into()),
                ),
                false => (Fate::Folded, reason("dropped".into())),
            };
        }
        _ => {}
    }
    if let Some(unit) = units.get(name) {
        return match unit.kind {
            UnitKind::Rectifier { .. } => (
                Fate::Approximated,
                reason(
                    "neurons; a rate code of T steps rounds to thresholds/T (at most half of that \
                     off, and cut at the threshold), K phases to 1/(2^K - 1); ttfs is exact"
                        .into(),
                ),
            ),
            UnitKind::MaxPool => (Fate::Converted, reason("neurons; exact in the counts".into())),
            UnitKind::Readout => (Fate::Converted, reason("neurons that only integrate".into())),
        };
    }
    if let Some(populations) = part_of.get(name) {
        let into = populations.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
        return (Fate::Converted, reason(format!("synapses into {}", into.join(", "))));
    }
    match (&node.operator, node.role()) {
        (Operator::Input(_), _) => (Fate::Converted, "where samples come in".into()),
        (_, Role::Activation | Role::Maximum) => (Fate::Converted, reason("neurons".into())),
        _ => (Fate::Converted, reason("synapses".into())),
    }
}

/// Multiplications and additions of a node for one sample; 0 for nodes that only compare or move.
pub fn macs(graph: &AnnGraph, node: &Node) -> u64 {
    let outputs = node.shape.size() as u64;
    let operand = node.inputs.first().map(|&id| &graph.node(id).shape);
    match &node.operator {
        Operator::Dense(dense) => dense.inputs as u64 * outputs,
        Operator::Convolution(convolution) => {
            let geometry = operand.and_then(|shape| convolution.geometry(shape).ok());
            geometry.map_or(0, |geometry| {
                let [_, inputs, height, width] = geometry.weight_shape().map(u64::from);
                outputs * inputs * height * width
            })
        }
        Operator::AveragePool(_) | Operator::GlobalAveragePool(_) => {
            operand.map_or(0, |shape: &SampleShape| shape.size() as u64)
        }
        Operator::BatchNormalization(_) | Operator::Affine(_) | Operator::Add(_) => outputs,
        _ => 0,
    }
}

fn synapses(map: &LinearMap) -> u64 {
    match map {
        LinearMap::Identity { size } => *size as u64,
        LinearMap::Convolution { geometry, .. } => geometry.synapse_count(),
        LinearMap::Dense { targets, sources, .. } => *targets as u64 * *sources as u64,
        LinearMap::Sparse { rows, .. } => rows.iter().map(|row| row.len() as u64).sum(),
    }
}

fn population(unit: &Unit) -> PlannedPopulation {
    let count = |from_input: bool| {
        let own = unit.branches.iter();
        own.filter(|branch| (branch.origin == Origin::Input) == from_input)
            .map(|branch| synapses(&branch.map))
            .sum()
    };
    PlannedPopulation {
        node: unit.name.clone(),
        kind: match unit.kind {
            UnitKind::Rectifier { .. } => "rectifier",
            UnitKind::MaxPool => "max_pool",
            UnitKind::Readout => "read_out",
        },
        neurons: unit.shape.size() as u64,
        synapses: count(false),
        input_macs: count(true),
    }
}
