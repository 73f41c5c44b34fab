//! A spiking network description as a NIR graph.
//!
//! Integrate-and-fire neurons of steps become `IF` with r = 1, leaky ones `LIF` with the r under
//! which one spike of weight w raises the potential by w; neurons given by the factors of a step are
//! `LIF`, `CubaLIF`, `LI`, `CubaLI` or `Threshold`. NIR has no time step: the description's is
//! written into the graph's metadata (`dt_ms`), and times are in seconds. Reset by subtraction and
//! initial potentials other than 0 are not expressible and stand in the metadata beside a node
//! (`reset = "subtract"`, `v_initial`). Projections become `Conv2d` or `Affine`, with the constant
//! current of their target as bias.
//!
//! A description's projections take at least a step, NIR's edges none: every population is read on a
//! clock of its own that starts with the first spike that can reach it ([`timing`]); what a
//! projection takes longer becomes a `Delay`. Inside a loop the edge that leaves a neuron carries the
//! previous step, so that the loop's own step is part of NIR.

mod neurons;
mod rows;
mod stepwise;
mod synapses;
mod timing;

use super::{Metadata, MetadataEntry, NirGraph, Output};
use crate::array::Array;
use sim_core::network::{Shape, ValidNetwork, ValidStimulus};
use timing::Clocks;

/// Why a network has no NIR form (yet).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}; {remedy}")]
pub struct NotInNir {
    /// Path into the network.
    pub place: String,
    /// What NIR cannot hold.
    pub problem: String,
    /// What to do.
    pub remedy: &'static str,
}

fn refuse(place: String, problem: impl Into<String>, remedy: &'static str) -> NotInNir {
    NotInNir { place, problem: problem.into(), remedy }
}

/// Makes the graph of a network of integrate-and-fire neurons, recurrent or not.
///
/// # Errors
/// [`NotInNir`] for the first population or projection without a NIR counterpart here.
pub fn from_network(network: &ValidNetwork) -> Result<NirGraph, NotInNir> {
    let mut graph = NirGraph::default();
    let clocks = Clocks::new(network)?;
    check_currents(network, &clocks)?;
    let step = network.grid().dt();
    for (index, (name, population)) in network.populations().iter().enumerate() {
        let node = node_name(name);
        if graph.nodes.contains_key(&node) {
            let problem = format!("its node would be called `{node}`, which is taken");
            return Err(refuse(format!("populations/{name}"), problem, "rename the population"));
        }
        graph.add_node(node, neurons::node(name, population, step, clocks.start(index))?);
    }
    for index in 0..network.populations().len() {
        synapses::connect(&mut graph, network, index, &clocks)?;
    }
    for (index, (name, population)) in network.populations().iter().enumerate() {
        let shown = graph.nodes.get(&node_name(name)).map(|node| node.primitive.type_name());
        if clocks.is_output(network, index) && shown != Some("Output") {
            let shape = extents(population.shape);
            let output = if graph.nodes.contains_key("output") { "output_node" } else { "output" };
            graph.add_node(output, Output { shape });
            graph.add_edge(node_name(name), output);
        }
    }
    rows::as_rows(&mut graph);
    graph.metadata.insert("dt_ms".to_string(), MetadataEntry::Value(Array::scalar(step)));
    note(&mut graph.metadata, "time", "seconds; the graph was made in steps of dt_ms");
    note(&mut graph.metadata, "delay", &clocks.to_string());
    Ok(graph)
}

/// Constant currents are biases of linear nodes: they act always, or from the start of their
/// population's clock on, and beside some projection.
fn check_currents(network: &ValidNetwork, clocks: &Clocks) -> Result<(), NotInNir> {
    for (name, stimulus) in network.stimuli() {
        let ValidStimulus::ConstantCurrent { population, start_step, stop_step, .. } = stimulus
        else {
            continue;
        };
        let begins = *start_step == 0 || *start_step == clocks.start(*population);
        if !begins || *stop_step != u64::MAX {
            return Err(refuse(
                format!("stimuli/{name}"),
                "it is switched, a bias in NIR acts always",
                "let it act from the beginning, or from the first spike that can arrive on",
            ));
        }
        if !network.projections().values().any(|projection| projection.target == *population) {
            return Err(refuse(
                format!("stimuli/{name}"),
                "no projection reaches its population, so no node holds it as a bias",
                "drive the population through a projection",
            ));
        }
    }
    Ok(())
}

/// Slashes separate HDF5 groups.
fn node_name(population: &str) -> String {
    let name = population.replace('/', ".");
    // `output` is the graph's own marker.
    if name == "output" { "readout".to_string() } else { name }
}

fn note(metadata: &mut Metadata, key: &str, text: &str) {
    let text = Array { shape: Vec::new(), values: vec![text.to_string()].into() };
    metadata.insert(key.to_string(), MetadataEntry::Value(text));
}

fn extents(shape: Shape) -> Vec<usize> {
    shape.extents().into_iter().map(|n| n as usize).collect()
}

fn array(shape: &[usize], values: Vec<f32>) -> Array {
    Array { shape: shape.to_vec(), values: values.into() }
}

fn narrow(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&value| value as f32).collect()
}
