//! Parts of a trained network that stay as they are: a float front end, a float head.
//!
//! A network is cut at nodes through which everything flows. What lies before the first cut, and
//! what lies behind the second, is evaluated in float; the part between becomes spikes.

use super::Answer;
use crate::error::Error;
use crate::snn_convert::ann::operator::Input;
use crate::snn_convert::ann::{
    AnnGraph, AnnGraphBuilder, Keep, NodeId, Operator, evaluate_keeping, map_batch,
};
use std::collections::BTreeMap;

/// A trained network and the parts that it is cut into.
#[derive(Debug, Clone, PartialEq)]
pub struct Stages {
    /// All of it.
    pub whole: AnnGraph,
    /// What runs in float before the spiking part.
    pub front: Option<AnnGraph>,
    /// What becomes spikes.
    pub core: AnnGraph,
    /// What runs in float behind the spiking part, on its scores.
    pub head: Option<AnnGraph>,
}

impl Stages {
    /// Cuts a network: everything up to and with the node `front` stays float, and everything from
    /// the node `head` on.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a name that is no node, [`Error::Usage`] where other values flow past
    /// the cut.
    pub fn cut(whole: AnnGraph, front: Option<&str>, head: Option<&str>) -> Result<Self, Error> {
        let first = front.map(|name| find(&whole, name)).transpose()?;
        let last = match head.map(|name| find(&whole, name)).transpose()? {
            Some(id) => Some(sole_operand(&whole, id)?),
            None => None,
        };
        let part = |from: NodeId, to: NodeId| between(&whole, from, to);
        let (input, output) = (whole.input(), whole.output());
        let (start, end) = (first.unwrap_or(input), last.unwrap_or(output));
        let core = match (first, last) {
            (None, None) => whole.clone(),
            _ => part(start, end)?,
        };
        Ok(Stages {
            front: first.map(|id| part(input, id)).transpose()?,
            core,
            head: last.map(|id| part(id, output)).transpose()?,
            whole,
        })
    }

    /// What the spiking part is given for samples `values`.
    ///
    /// # Errors
    /// [`Error::Ann`] where a sample does not fit the network.
    pub fn core_input(&self, values: &[f32]) -> Result<Vec<f32>, Error> {
        match &self.front {
            None => Ok(values.to_vec()),
            Some(front) => {
                let outputs = map_batch(front, values, Keep::Outputs, |_, activations| {
                    activations.output().to_vec()
                })?;
                Ok(outputs.concat())
            }
        }
    }

    /// The network's scores for scores of the spiking part, and how they are read; none without a
    /// float head.
    ///
    /// # Errors
    /// [`Error::Ann`] where they are not finite.
    pub fn scores(&self, core: &[f64]) -> Result<Option<(Vec<f64>, Answer)>, Error> {
        let Some(head) = &self.head else { return Ok(None) };
        let answer = Answer::of(head);
        let narrow: Vec<f32> = core.iter().map(|&score| score as f32).collect();
        let kept = evaluate_keeping(head, &narrow, Keep::Nodes(&[answer.node]))?;
        let scores = kept.of(answer.node).unwrap_or_default();
        Ok(Some((scores.iter().map(|&score| f64::from(score)).collect(), answer)))
    }

    /// Names of the nodes that stay float, with the part that they belong to.
    pub fn float_nodes(&self) -> BTreeMap<String, &'static str> {
        let mut names = BTreeMap::new();
        for (graph, part) in [(&self.front, "float front end"), (&self.head, "float head")] {
            for (id, node) in graph.iter().flat_map(AnnGraph::nodes) {
                let cut = graph.as_ref().is_some_and(|graph| graph.input() == id);
                if !cut {
                    names.insert(node.name.clone(), part);
                }
            }
        }
        names
    }
}

fn find(graph: &AnnGraph, name: &str) -> Result<NodeId, Error> {
    graph.find(name).ok_or_else(|| {
        let known: Vec<&str> = graph.nodes().map(|(_, node)| node.name.as_str()).collect();
        Error::Unknown {
            what: "node",
            name: name.to_string(),
            known: crate::sim_core::diagnostics::known_names(name, &known),
        }
    })
}

/// The node that a head's first node reads.
fn sole_operand(graph: &AnnGraph, id: NodeId) -> Result<NodeId, Error> {
    match graph.producers(id) {
        &[operand] => Ok(operand),
        operands => {
            let node = graph.node(id);
            Err(Error::Usage(format!(
                "--float-head {}: this {} reads {} nodes; a head begins with a node that reads one, \
                 so that all of the network flows through it",
                node.name,
                node.operator.name(),
                operands.len()
            )))
        }
    }
}

/// The nodes behind `from` up to `to`, with `from` as the input.
fn between(graph: &AnnGraph, from: NodeId, to: NodeId) -> Result<AnnGraph, Error> {
    let mut needed = vec![false; graph.len()];
    needed[to.index()] = true;
    for (id, node) in graph.nodes().rev() {
        if needed[id.index()] && id != from {
            node.inputs.iter().for_each(|input| needed[input.index()] = true);
        }
    }
    let cut = graph.node(from);
    if !needed[from.index()] {
        return Err(Error::Usage(format!(
            "`{}` does not depend on `{}`: give the nodes of --float-front and --float-head in the \
             order in which data flows",
            graph.node(to).name,
            cut.name
        )));
    }
    let mut builder = AnnGraphBuilder::default();
    let mut place = BTreeMap::new();
    let input = Operator::Input(Input { shape: cut.shape.clone() });
    place.insert(from, builder.add(cut.name.clone(), input, &[])?);
    for (id, node) in graph.nodes().filter(|(id, _)| needed[id.index()] && *id != from) {
        let inputs: Option<Vec<NodeId>> =
            node.inputs.iter().map(|input| place.get(input).copied()).collect();
        // The input itself has no operands: reaching it means that values flow past the cut.
        let Some(inputs) = inputs.filter(|inputs| !inputs.is_empty()) else {
            return Err(Error::Usage(format!(
                "the network cannot be cut at `{}`: other values flow past it, into `{}`; choose a \
                 node that everything flows through",
                cut.name, node.name
            )));
        };
        place.insert(id, builder.add(node.name.clone(), node.operator.clone(), &inputs)?);
    }
    let output = place.get(&to).copied().unwrap_or(to);
    Ok(builder.finish(&[output])?)
}
