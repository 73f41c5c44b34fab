//! `metis`: the baseline of the literature, METIS's multilevel k-way cut of the neuron graph.
//!
//! METIS 5.1 itself (crate `metis`, C sources included) cuts the graph of atoms, weighted by neurons
//! and joined by synapses, into as many balanced parts as the neurons and the synapse memory need at
//! least. It knows nothing of input axons: a part that does not fit a core is cut in two again until
//! its pieces do. Neurons of several populations share cores where their part says so.
//!
//! Reference: G. Karypis, V. Kumar, SIAM J. Sci. Comput. 20 (1998).

use std::collections::BTreeMap;
use std::sync::Mutex;

use metis::{Graph, Idx, option};

use super::cut::{does_not_fit_alone, on_chip, refine_for_output_axons};
use super::inbound::{Atoms, Inbound};
use super::pack::{LookBack, pack};
use super::{PartitionConfig, PartitionError, Partitioner};
use crate::mapping::Slice;
use crate::mapping::limits::CoreLimits;
use crate::mapping::usage::{Usage, inbound_usage};
use crate::quantise::network::{Connection, QuantisedNetwork};

pub(super) const METIS: Partitioner = Partitioner {
    name: "metis",
    summary: "METIS's balanced k-way cut of the neuron graph, pieces cut again until they fit",
    run,
};

/// Edges above which the graph is not built.
const MOST_EDGES: usize = 60_000_000;
/// Neurons of an atom of a population without listed synapses and pictures: a share of this.
const DENSE_PARTS: u32 = 256;

/// Held while METIS runs.
static METIS_CALL: Mutex<()> = Mutex::new(());

/// A vertex: neurons of one population.
#[derive(Debug, Clone)]
struct Vertex {
    population: usize,
    neurons: Vec<u32>,
}

/// Adjacency lists with weights.
struct Edges {
    offsets: Vec<usize>,
    to: Vec<u32>,
    weights: Vec<u32>,
}

fn run(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
    config: &PartitionConfig,
) -> Result<Vec<Slice>, PartitionError> {
    let (mut vertices, edges) = graph(network, limits)?;
    let total = on_chip(network).map(|(population, _, size)| {
        let slice = Slice::range(population, 0..size);
        inbound_usage(network, limits, population, &slice.runs)
    });
    let total = total.fold(Usage::default(), |sum, usage| sum.plus(&usage));
    let by_neurons = total.neurons.div_ceil(u64::from(limits.neurons_per_core).max(1));
    let by_memory =
        limits.synapse_memory_bits.map_or(0, |bits| total.synapse_memory.div_ceil(bits.max(1)));
    let parts = by_neurons.max(by_memory).clamp(1, vertices.len().max(1) as u64) as usize;
    let all: Vec<u32> = (0..vertices.len() as u32).collect();
    let mut waiting: Vec<Vec<u32>> = halves(&all, &vertices, &edges, parts, config.seed);
    waiting.reverse();
    let mut cores: Vec<Vec<Slice>> = Vec::new();
    while let Some(part) = waiting.pop() {
        if part.is_empty() {
            continue;
        }
        let slices = slices_of(&part, &vertices);
        if fits(network, limits, &slices) {
            cores.push(slices);
        } else if part.len() > 1 {
            let mut pieces = halves(&part, &vertices, &edges, 2, config.seed);
            if pieces.iter().any(Vec::is_empty) {
                pieces = vec![part[..part.len() / 2].to_vec(), part[part.len() / 2..].to_vec()];
            }
            waiting.extend(pieces.into_iter().rev());
        } else {
            let only = vertices[part[0] as usize].clone();
            if only.neurons.len() <= 1 {
                let neuron = only.neurons.first().copied().unwrap_or(0);
                return Err(does_not_fit_alone(network, limits, only.population, neuron));
            }
            // a vertex without edges of its own: its neurons go on in two
            let (low, high) = only.neurons.split_at(only.neurons.len() / 2);
            for half in [high, low] {
                vertices.push(Vertex { population: only.population, neurons: half.to_vec() });
                waiting.push(vec![vertices.len() as u32 - 1]);
            }
        }
    }
    settle(network, limits, config, cores)
}

/// Orders slices, cuts them for output axons, and packs again where METIS's cores do not hold.
fn settle(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
    config: &PartitionConfig,
    cores: Vec<Vec<Slice>>,
) -> Result<Vec<Slice>, PartitionError> {
    let mut slices: Vec<Slice> = Vec::new();
    for (core, own) in (0u32..).zip(cores) {
        slices.extend(own.into_iter().map(|slice| Slice { core, ..slice }));
    }
    slices.sort_by_key(|slice| (slice.population, slice.first()));
    let before = slices.len();
    let (slices, usage) = refine_for_output_axons(network, limits, config, slices)?;
    if !config.share_cores {
        return Ok(pack(limits, (slices, usage), LookBack::None));
    }
    let count = slices.iter().map(|slice| slice.core as usize + 1).max().unwrap_or(0);
    let mut used = vec![Usage::default(); count];
    for (slice, usage) in slices.iter().zip(&usage) {
        let core = &mut used[slice.core as usize];
        *core = core.plus(usage);
    }
    if slices.len() == before && used.iter().all(|core| core.exceeds(limits).is_none()) {
        return Ok(slices);
    }
    Ok(pack(limits, (slices, usage), LookBack::AllCores))
}

fn fits(network: &QuantisedNetwork, limits: &CoreLimits, slices: &[Slice]) -> bool {
    let usage = slices.iter().map(|s| inbound_usage(network, limits, s.population, &s.runs));
    usage.fold(Usage::default(), |sum, usage| sum.plus(&usage)).exceeds(limits).is_none()
}

fn slices_of(part: &[u32], vertices: &[Vertex]) -> Vec<Slice> {
    let mut neurons: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    for &vertex in part {
        let vertex = &vertices[vertex as usize];
        neurons.entry(vertex.population).or_default().extend(&vertex.neurons);
    }
    neurons.into_iter().map(|(population, all)| Slice::of_neurons(population, all)).collect()
}

/// METIS's parts of some vertices; all in one where METIS refuses.
fn halves(
    some: &[u32],
    vertices: &[Vertex],
    edges: &Edges,
    parts: usize,
    seed: u64,
) -> Vec<Vec<u32>> {
    let whole = || vec![some.to_vec()];
    if parts < 2 || some.len() <= parts {
        return if some.len() <= parts { some.iter().map(|&v| vec![v]).collect() } else { whole() };
    }
    let mut local = BTreeMap::new();
    for (index, &vertex) in (0..).zip(some) {
        local.insert(vertex, index as Idx);
    }
    let (mut offsets, mut to, mut weights) = (vec![0 as Idx], Vec::new(), Vec::new());
    for &vertex in some {
        let vertex = vertex as usize;
        // vertices that were cut later have no edges of their own
        let range = match edges.offsets.get(vertex + 1) {
            Some(&end) => edges.offsets[vertex]..end,
            None => 0..0,
        };
        for (other, weight) in edges.to[range.clone()].iter().zip(&edges.weights[range]) {
            if let Some(&other) = local.get(other) {
                to.push(other);
                weights.push((*weight).min(1 << 20) as Idx);
            }
        }
        offsets.push(to.len() as Idx);
    }
    let sizes: Vec<Idx> =
        some.iter().map(|&v| vertices[v as usize].neurons.len().max(1) as Idx).collect();
    let mut part = vec![0 as Idx; some.len()];
    // METIS draws from one generator of the process, which each call seeds: one call at a time.
    let alone = METIS_CALL.lock();
    let made = Graph::new(1, parts as Idx, &offsets, &to).map(|graph| {
        let graph = graph.set_vwgt(&sizes).set_adjwgt(&weights);
        let seed = option::Seed((seed & 0x7fff_ffff) as Idx);
        graph.set_option(seed).part_kway(&mut part)
    });
    drop(alone);
    if !matches!(made, Ok(Ok(_))) {
        return whole();
    }
    let mut found = vec![Vec::new(); parts];
    for (&vertex, &to) in some.iter().zip(&part) {
        if let Some(list) = usize::try_from(to).ok().and_then(|to| found.get_mut(to)) {
            list.push(vertex);
        }
    }
    found
}

/// All atoms on chip and the synapses between them, both directions together.
fn graph(
    network: &QuantisedNetwork,
    limits: &CoreLimits,
) -> Result<(Vec<Vertex>, Edges), PartitionError> {
    let mut vertices: Vec<Vertex> = Vec::new();
    let mut vertex_of: Vec<Vec<u32>> = vec![Vec::new(); network.populations.len()];
    let mut ranges = Vec::new();
    for (population, _, size) in on_chip(network) {
        let atoms = Atoms::of(network, limits, population);
        let arriving = || network.projections.iter().filter(|p| p.target == population);
        let all_dense = arriving().all(|p| matches!(p.connection, Connection::Dense { .. }));
        let at_once = if all_dense { size.div_ceil(DENSE_PARTS).max(1) } else { 1 };
        vertex_of[population] = vec![0; size as usize];
        ranges.push((population, atoms, at_once));
        let mut atom = 0;
        while atom < atoms.count() {
            let end = atom.saturating_add(at_once).min(atoms.count());
            let neurons: Vec<u32> = (atom..end).flat_map(|atom| atoms.neurons(atom)).collect();
            for &neuron in &neurons {
                vertex_of[population][neuron as usize] = vertices.len() as u32;
            }
            vertices.push(Vertex { population, neurons });
            atom = end;
        }
    }
    let mut pairs: Vec<(u32, u32, u32)> = Vec::new();
    for (population, atoms, _) in ranges {
        let inbound = Inbound::new(network, limits, population, atoms, 0..atoms.count());
        let mut found: BTreeMap<u32, u32> = BTreeMap::new();
        for atom in 0..inbound.len() {
            let Some(neuron) = atoms.neurons(atom as u32).next() else { continue };
            let to = vertex_of[population][neuron as usize];
            for (input, synapses) in inbound.of_atom(atom) {
                let (projection, at) = inbound.within_projection(input);
                let described = &network.projections[projection];
                let holders = &vertex_of[described.source];
                for_each_neuron(&described.connection, at, holders.len() as u32, |source| {
                    if let Some(&from) = holders.get(source as usize)
                        && from != to
                    {
                        let weight = found.entry(from).or_default();
                        *weight = weight.saturating_add(synapses);
                    }
                });
            }
            for (from, weight) in std::mem::take(&mut found) {
                pairs.push((from, to, weight));
                pairs.push((to, from, weight));
            }
            if pairs.len() > MOST_EDGES {
                return Err(PartitionError::TooLarge {
                    algorithm: "metis",
                    what: format!("a graph of more than {MOST_EDGES} edges"),
                });
            }
        }
    }
    pairs.sort_unstable();
    let mut edges = Edges { offsets: vec![0], to: Vec::new(), weights: Vec::new() };
    for same in pairs.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        while edges.offsets.len() <= same[0].0 as usize {
            edges.offsets.push(edges.to.len());
        }
        edges.to.push(same[0].1);
        edges.weights.push(same.iter().fold(0, |sum, pair| sum.saturating_add(pair.2)));
    }
    while edges.offsets.len() <= vertices.len() {
        edges.offsets.push(edges.to.len());
    }
    Ok((vertices, edges))
}

/// The source neurons behind an input of a projection.
fn for_each_neuron(connection: &Connection, at: u32, sources: u32, mut visit: impl FnMut(u32)) {
    match connection {
        Connection::Dense { .. } => (0..sources).for_each(visit),
        Connection::Sparse { .. } => visit(at),
        Connection::Convolution { geometry, .. } => {
            let pixels = geometry.source[1].saturating_mul(geometry.source[2]).max(1);
            let channels = geometry.source[0] / geometry.groups.max(1);
            let (group, pixel) = (at / pixels, at % pixels);
            for channel in group * channels..(group + 1) * channels {
                visit(channel * pixels + pixel);
            }
        }
    }
}
