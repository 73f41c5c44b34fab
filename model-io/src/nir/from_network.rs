//! A spiking network description as a NIR graph.
//!
//! NIR has no time step and no unit. A stepwise integrate-and-fire neuron becomes `IF` with r = 1 in
//! units of one step: v' = I, so that each step adds its input once. Reset to a value is in the file;
//! reset by subtraction is not expressible and is written into the metadata beside the node
//! (`reset = "subtract"`), as are initial potentials other than 0 (`v_initial`) and, beside the
//! graph, the meaning of dt. Projections become `Conv2d` or `Affine` with the constant current of
//! their target as bias.

use super::{
    Affine, Conv2d, Flatten, If, Input, MetadataEntry, NirGraph, NirNode, Output, Padding,
};
use crate::array::Array;
use sim_core::network::{
    Connectivity, Convolution, Shape, SpikeCondition, ValidNetwork, ValidPopulation,
    ValidProjection, ValidStimulus,
};
use sim_core::neuron::{Column, LoweredReset};

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

/// Makes the graph of a feed-forward network of integrate-and-fire neurons.
///
/// # Errors
/// [`NotInNir`] for the first population or projection without a NIR counterpart here.
pub fn from_network(network: &ValidNetwork) -> Result<NirGraph, NotInNir> {
    let mut graph = NirGraph::default();
    let mut senders = vec![false; network.populations().len()];
    check_currents(network)?;
    for (index, (name, population)) in network.populations().iter().enumerate() {
        let node = node_name(name);
        if graph.nodes.contains_key(&node) {
            let problem = format!("its node would be called `{node}`, which is taken");
            return Err(refuse(format!("populations/{name}"), problem, "rename the population"));
        }
        graph.add_node(node, neuron_node(name, population)?);
        for (projection_name, projection) in network.projections() {
            if projection.target == index {
                senders[projection.source] = true;
                connect(&mut graph, network, projection_name, projection)?;
            }
        }
    }
    for (index, (name, population)) in network.populations().iter().enumerate() {
        if !senders[index] {
            let shape = extents(population.shape);
            let output = if graph.nodes.contains_key("output") { "output_node" } else { "output" };
            graph.add_node(output, Output { shape });
            graph.add_edge(node_name(name), output);
        }
    }
    let dt = network.grid().dt();
    graph.metadata.insert("dt_ms".to_string(), MetadataEntry::Value(Array::scalar(dt)));
    note(&mut graph.metadata, "time", "stepwise: one unit of time is one step of dt_ms");
    note(&mut graph.metadata, "delay", "every projection takes one step");
    Ok(graph)
}

/// Constant currents are biases of linear nodes: they act always, and beside some projection.
fn check_currents(network: &ValidNetwork) -> Result<(), NotInNir> {
    for (name, stimulus) in network.stimuli() {
        let ValidStimulus::ConstantCurrent { population, start_step, stop_step, .. } = stimulus
        else {
            continue;
        };
        if *start_step != 0 || *stop_step != u64::MAX {
            return Err(refuse(
                format!("stimuli/{name}"),
                "it is switched, a bias in NIR acts always",
                "let it act from the beginning (the method `hard_reset` does)",
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

fn note(metadata: &mut super::Metadata, key: &str, text: &str) {
    let text = Array { shape: Vec::new(), values: vec![text.to_string()].into() };
    metadata.insert(key.to_string(), MetadataEntry::Value(text));
}

fn extents(shape: Shape) -> Vec<usize> {
    shape.extents().into_iter().map(|n| n as usize).collect()
}

fn neuron_node(name: &str, population: &ValidPopulation) -> Result<NirNode, NotInNir> {
    let shape = extents(population.shape);
    let neurons = &population.neurons;
    match population.model.spec().name {
        "spike_source" => Ok(Input { shape }.into()),
        "integrate_and_fire" => {
            let all = |value: f64| array(&shape, vec![value as f32; neurons.size]);
            let threshold: Vec<f32> =
                neurons.parameters[0].expand(0..neurons.size).iter().map(|&v| v as f32).collect();
            let (reset, rule) = match neurons.reset {
                LoweredReset::To(value) => (value, "to v_reset"),
                LoweredReset::Subtract => (0.0, "subtract"),
            };
            let node =
                If { r: all(1.0), v_threshold: array(&shape, threshold), v_reset: all(reset) };
            let mut node = NirNode::from(node);
            note(&mut node.metadata, "reset", rule);
            let condition = match neurons.spike {
                SpikeCondition::Above => "v > v_threshold",
                SpikeCondition::AtOrAbove => "v >= v_threshold",
            };
            note(&mut node.metadata, "spike", condition);
            let initial = neurons.initial.first().and_then(Option::as_ref);
            let initial = initial.map(|column| column.expand(0..neurons.size)).unwrap_or_default();
            if initial.iter().any(|&value| value != 0.0) {
                let initial = MetadataEntry::Value(array(&shape, narrow(&initial)));
                node.metadata.insert("v_initial".to_string(), initial);
            }
            Ok(node)
        }
        other => Err(refuse(
            format!("populations/{name}"),
            format!("`{other}` has no NIR node here"),
            "convert with the method `hard_reset`, whose neurons are all NIR `IF` nodes",
        )),
    }
}

fn array(shape: &[usize], values: Vec<f32>) -> Array {
    Array { shape: shape.to_vec(), values: values.into() }
}

/// Adds the linear node of a projection and its edges.
fn connect(
    graph: &mut NirGraph,
    network: &ValidNetwork,
    name: &str,
    projection: &ValidProjection,
) -> Result<(), NotInNir> {
    let place = || format!("projections/{name}");
    let populations = network.populations();
    let Some((source_name, source)) = populations.get_index(projection.source) else {
        return Err(refuse(place(), "its source does not exist", "validate the network"));
    };
    let Some((target_name, target)) = populations.get_index(projection.target) else {
        return Err(refuse(place(), "its target does not exist", "validate the network"));
    };
    let Some(weights) = projection.weights.listed() else {
        return Err(refuse(
            place(),
            "its weights are drawn",
            "NIR holds numbers: list the weights",
        ));
    };
    if projection.delays.one() != Some(1) {
        let problem = "its delay is not one step";
        return Err(refuse(place(), problem, "NIR delays are not written yet; use one step"));
    }
    let siblings = network.projections().values().filter(|p| p.target == projection.target);
    if siblings.count() > 1 {
        let problem = format!("`{target_name}` is reached by several projections");
        return Err(refuse(place(), problem, "only chains are written yet"));
    }
    let bias = bias(network, projection.target);
    let (source_node, target_node) = (node_name(source_name), node_name(target_name));
    let linear = format!("{target_node}_weights");
    if graph.nodes.contains_key(&linear) {
        let problem = format!("its node would be called `{linear}`, which is taken");
        return Err(refuse(place(), problem, "rename the population of that name"));
    }
    match &projection.connectivity {
        Connectivity::Convolution(geometry) => {
            let node = convolution(geometry, weights, &bias, target).map_err(|problem| {
                refuse(place(), problem, "use symmetric padding, equal biases")
            })?;
            graph.add_node(&linear, node);
            graph.add_edge(source_node, &linear);
        }
        Connectivity::Dense(_) => {
            if let Shape::Picture(_) = target.shape {
                let problem = format!("`{target_name}` is a picture that a dense layer reaches");
                return Err(refuse(place(), problem, "give the population its size as a number"));
            }
            let (rows, columns) = (target.size() as usize, source.size() as usize);
            let weight = narrow(weights.numbers());
            let weight = array(&[rows, columns], weight);
            let bias = array(&[rows], narrow(&bias));
            graph.add_node(&linear, Affine { weight, bias });
            let mut from = source_node;
            if let Shape::Picture(_) = source.shape {
                let flat = format!("{target_node}_flatten");
                let input_type = Some(extents(source.shape));
                graph.add_node(&flat, Flatten { input_type, start_dim: 0, end_dim: -1 });
                graph.add_edge(from, &flat);
                from = flat;
            }
            graph.add_edge(from, &linear);
        }
        other => {
            let problem = format!("the rule `{}` is not written yet", other.name());
            return Err(refuse(place(), problem, "use dense or convolution"));
        }
    }
    graph.add_edge(linear, target_node);
    Ok(())
}

fn narrow(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&value| value as f32).collect()
}

fn convolution(
    geometry: &Convolution,
    weights: &Column,
    bias: &[f64],
    target: &ValidPopulation,
) -> Result<Conv2d, String> {
    let [top, left, bottom, right] = geometry.padding.map(|n| n as usize);
    if (top, left) != (bottom, right) {
        return Err("NIR pads both sides alike, this convolution does not".to_string());
    }
    let channels = geometry.target[0] as usize;
    let per_channel = (target.size() as usize / channels.max(1)).max(1);
    let one_bias = bias.chunks(per_channel).all(|chunk| chunk.iter().all(|b| *b == chunk[0]));
    if !one_bias {
        return Err("biases differ within a channel".to_string());
    }
    let bias: Vec<f32> = bias.chunks(per_channel).map(|chunk| chunk[0] as f32).collect();
    let weight = match weights {
        Column::Each(weights) => narrow(weights),
        Column::One(weight) => vec![*weight as f32; geometry.weight_count() as usize],
    };
    Ok(Conv2d {
        input_shape: Some([geometry.source[1] as usize, geometry.source[2] as usize]),
        weight: array(&geometry.weight_shape().map(|n| n as usize), weight),
        stride: geometry.stride.map(|n| n as usize),
        padding: Padding::Zeros([top, left]),
        dilation: geometry.dilation.map(|n| n as usize),
        groups: geometry.groups as usize,
        bias: array(&[channels], bias),
    })
}

/// The sum of the constant currents into a population.
fn bias(network: &ValidNetwork, population: usize) -> Vec<f64> {
    let mut bias = vec![0.0; network.populations()[population].neurons.size];
    for stimulus in network.stimuli().values() {
        let ValidStimulus::ConstantCurrent { population: driven, amplitude, .. } = stimulus else {
            continue;
        };
        if *driven == population {
            bias.iter_mut().enumerate().for_each(|(n, slot)| *slot += amplitude.get(n));
        }
    }
    bias
}
