//! Projections as linear nodes with delays behind them.

use std::collections::BTreeMap;

use super::neurons::parameter;
use super::timing::{Clocks, listed};
use super::{NotInNir, array, extents, narrow, node_name, refuse};
use crate::array::Array;
use crate::nir::{Affine, Conv2d, Delay, Flatten, NirGraph, Padding, Primitive, Scale};
use sim_core::network::{
    AllToAll, Connectivity, Convolution, List, Shape, ValidNetwork, ValidPopulation,
    ValidProjection, ValidStimulus,
};
use sim_core::neuron::Column;

/// Weights of a matrix at most.
const MATRIX_LIMIT: usize = 1 << 27;
/// Matrices that a projection with many delays becomes at most.
const DELAY_LIMIT: usize = 64;

/// Adds the nodes of all projections onto a population, and its bias.
pub(super) fn connect(
    graph: &mut NirGraph,
    network: &ValidNetwork,
    target: usize,
    clocks: &Clocks,
) -> Result<(), NotInNir> {
    let mut bias = Some(bias(network, target));
    let mut parts = Vec::new();
    for (name, projection) in network.projections().iter().filter(|(_, p)| p.target == target) {
        parts.extend(Part::of(network, name, projection, clocks)?);
    }
    // The bias stands where no Delay holds it back.
    parts.sort_by_key(|part| part.delay > 0);
    let Some((target_name, population)) = network.populations().get_index(target) else {
        return Ok(());
    };
    let target_node = node_name(target_name);
    let alone = parts.len() == 1;
    for (number, part) in parts.iter().enumerate() {
        let name = match alone {
            true => format!("{target_node}_weights"),
            false => format!("{target_node}_weights_{number}"),
        };
        let bias = match part.delay {
            0 => bias.take(),
            _ => None,
        };
        part.add(graph, network, (&name, &target_node), population, bias)?;
    }
    match (bias, parts.first()) {
        (Some(bias), Some(first)) if bias.iter().any(|&b| b != 0.0) => {
            // Every way here is delayed: a matrix of zeros holds the bias.
            let Synapses::Matrix(matrix) = &first.synapses else {
                let problem = "its only projection is a delayed convolution, which cannot hold \
                               the population's current";
                return Err(refuse(first.place(), problem, "shorten the delay to one step"));
            };
            let zeros = Synapses::Matrix(vec![0.0; matrix.len()]);
            let silent = Part { delay: 0, synapses: zeros, ..first.clone() };
            let name = format!("{target_node}_bias");
            silent.add(graph, network, (&name, &target_node), population, Some(bias))
        }
        _ => Ok(()),
    }
}

/// Synapses of one projection and one delay.
#[derive(Clone)]
struct Part<'a> {
    name: &'a str,
    source: usize,
    /// Steps of the Delay node; 0 for none.
    delay: u64,
    synapses: Synapses<'a>,
}

#[derive(Clone)]
enum Synapses<'a> {
    /// `[target, source]`.
    Matrix(Vec<f64>),
    Kernel(&'a Convolution, &'a Column),
}

impl<'a> Part<'a> {
    fn of(
        network: &ValidNetwork,
        name: &'a str,
        projection: &'a ValidProjection,
        clocks: &Clocks,
    ) -> Result<Vec<Self>, NotInNir> {
        let place = || format!("projections/{name}");
        let Some(weights) = projection.weights.listed() else {
            let remedy = "NIR holds numbers: list the weights";
            return Err(refuse(place(), "its weights are drawn", remedy));
        };
        if !projection.rules.is_empty() {
            let problem = "its synapses are plastic, NIR's are not";
            return Err(refuse(place(), problem, "take the synapse rules out"));
        }
        let delays = listed(name, projection)?;
        let rest = |steps| clocks.rest(projection.source, projection.target, steps);
        let part = |delay, synapses| Part { name, source: projection.source, delay, synapses };
        if let Connectivity::Convolution(geometry) = &projection.connectivity {
            let [steps] = delays else {
                let problem = "synapses of its shared kernel have different delays";
                return Err(refuse(place(), problem, "give the convolution one delay"));
            };
            return Ok(vec![part(rest(*steps), Synapses::Kernel(geometry, weights))]);
        }
        let populations = network.populations();
        let rows = populations[projection.target].size() as usize;
        let columns = populations[projection.source].size() as usize;
        let Some(size) = rows.checked_mul(columns).filter(|size| *size <= MATRIX_LIMIT) else {
            let problem = format!("it needs a matrix of {rows} × {columns} weights");
            return Err(refuse(place(), problem, "NIR has no sparse matrices; split the network"));
        };
        let listed = synapses(projection, rows, columns).ok_or_else(|| {
            let problem =
                format!("the rule `{}` draws its synapses", projection.connectivity.name());
            refuse(place(), problem, "NIR holds numbers: list the synapses")
        })?;
        let mut matrices: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for (index, position) in listed.enumerate() {
            let steps = delays.get(index).or(delays.first()).copied().unwrap_or(1);
            let delay = rest(steps);
            if matrices.len() >= DELAY_LIMIT && !matrices.contains_key(&delay) {
                let problem = format!("its synapses have more than {DELAY_LIMIT} delays");
                return Err(refuse(place(), problem, "use fewer delays or a coarser time step"));
            }
            let matrix = matrices.entry(delay).or_insert_with(|| vec![0.0; size]);
            if let Some(weight) = matrix.get_mut(position) {
                *weight += weights.get(index);
            }
        }
        let parts = matrices.into_iter().map(|(delay, m)| part(delay, Synapses::Matrix(m)));
        Ok(parts.collect())
    }

    fn place(&self) -> String {
        format!("projections/{}", self.name)
    }

    fn add(
        &self,
        graph: &mut NirGraph,
        network: &ValidNetwork,
        (name, target_node): (&str, &str),
        target: &ValidPopulation,
        bias: Option<Vec<f64>>,
    ) -> Result<(), NotInNir> {
        let Some((source_name, source)) = network.populations().get_index(self.source) else {
            return Err(refuse(self.place(), "its source does not exist", "validate the network"));
        };
        if graph.nodes.contains_key(name) {
            let problem = format!("its node would be called `{name}`, which is taken");
            return Err(refuse(self.place(), problem, "rename the population of that name"));
        }
        let bias = bias.unwrap_or_else(|| vec![0.0; target.size() as usize]);
        let mut from = node_name(source_name);
        let primitive: Primitive = match &self.synapses {
            Synapses::Kernel(geometry, weights) => {
                let node = convolution(geometry, weights, &bias, target);
                let remedy = "use symmetric padding, equal biases";
                node.map_err(|problem| refuse(self.place(), problem, remedy))?.into()
            }
            Synapses::Matrix(matrix) => {
                if let Shape::Picture(_) = target.shape {
                    let own = one_to_one(matrix, source.shape == target.shape, &bias);
                    let Some(factors) = own else {
                        let problem =
                            format!("`{target_node}` is a picture that a dense layer reaches");
                        let remedy = "give the population its size as a number";
                        return Err(refuse(self.place(), problem, remedy));
                    };
                    Scale { scale: array(&extents(target.shape), factors) }.into()
                } else {
                    if let Shape::Picture(_) = source.shape {
                        let flat = format!("{name}_flatten");
                        let input_type = Some(extents(source.shape));
                        graph.add_node(&flat, Flatten { input_type, start_dim: 0, end_dim: -1 });
                        graph.add_edge(from, &flat);
                        from = flat;
                    }
                    let rows = target.size() as usize;
                    let weight = array(&[rows, source.size() as usize], narrow(matrix));
                    Affine { weight, bias: array(&[rows], narrow(&bias)) }.into()
                }
            }
        };
        graph.add_node(name, primitive);
        graph.add_edge(from, name);
        let mut behind = name.to_owned();
        if self.delay > 0 {
            behind = format!("{name}_delay");
            let seconds = self.delay as f64 * network.grid().dt() * 1e-3;
            let shape = extents(target.shape);
            let values = vec![seconds; shape.iter().product()];
            graph.add_node(&behind, Delay { delay: Array { shape, values: values.into() } });
            graph.add_edge(name, &behind);
        }
        graph.add_edge(behind, target_node);
        Ok(())
    }
}

/// The factors of a matrix that joins each neuron to its own counterpart alone, without a bias.
fn one_to_one(matrix: &[f64], alike: bool, bias: &[f64]) -> Option<Vec<f32>> {
    let size = bias.len();
    let own = |place: usize| place / size.max(1) == place % size.max(1);
    let others = matrix.iter().enumerate().filter(|(place, _)| !own(*place));
    let plain =
        alike && bias.iter().all(|&b| b == 0.0) && others.map(|(_, w)| w).all(|w| *w == 0.0);
    plain.then(|| matrix.iter().step_by(size + 1).map(|&weight| weight as f32).collect())
}

/// Places of a rule's synapses in the matrix `[target, source]`, in the rule's order.
fn synapses(
    projection: &ValidProjection,
    rows: usize,
    columns: usize,
) -> Option<Box<dyn Iterator<Item = usize> + '_>> {
    Some(match &projection.connectivity {
        Connectivity::Dense(_) => Box::new(0..rows * columns),
        Connectivity::OneToOne(_) => Box::new((0..rows).map(move |n| n * columns + n)),
        Connectivity::AllToAll(AllToAll { autapses }) => {
            // The rule goes source by source.
            let skips = projection.source == projection.target && !autapses;
            let row = move |source| (0..rows).filter(move |&target| !(skips && target == source));
            let pairs = move |source| row(source).map(move |target| target * columns + source);
            Box::new((0..columns).flat_map(pairs))
        }
        Connectivity::List(List { sources, targets }) => {
            let pairs = sources.iter().zip(targets);
            Box::new(pairs.map(move |(&s, &t)| t as usize * columns + s as usize))
        }
        _ => return None,
    })
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
    let count = geometry.weight_count() as usize;
    Ok(Conv2d {
        input_shape: Some([geometry.source[1] as usize, geometry.source[2] as usize]),
        weight: array(
            &geometry.weight_shape().map(|n| n as usize),
            narrow(&weights.expand(0..count)),
        ),
        stride: geometry.stride.map(|n| n as usize),
        padding: Padding::Zeros([top, left]),
        dilation: geometry.dilation.map(|n| n as usize),
        groups: geometry.groups as usize,
        bias: array(&[channels], bias),
    })
}

/// The sum of the constant currents into a population, as what it adds to the input of a step.
fn bias(network: &ValidNetwork, index: usize) -> Vec<f64> {
    let population = &network.populations()[index];
    let mut bias = vec![0.0; population.neurons.size];
    for stimulus in network.stimuli().values() {
        let ValidStimulus::ConstantCurrent { population: driven, amplitude, .. } = stimulus else {
            continue;
        };
        if *driven == index {
            bias.iter_mut().enumerate().for_each(|(n, slot)| *slot += amplitude.get(n));
        }
    }
    if population.model.spec().name == "lif_delta" {
        // A current I [pA] moves the potential by I tau / C (1 - exp(-dt / tau)) [mV] in a step.
        let step = network.grid().dt();
        let taus = parameter(population, "tau_membrane");
        let capacitances = parameter(population, "capacitance");
        for (slot, (tau, capacitance)) in bias.iter_mut().zip(taus.iter().zip(&capacitances)) {
            *slot *= tau / capacitance * (1.0 - (-step / tau).exp());
        }
    }
    bias
}
