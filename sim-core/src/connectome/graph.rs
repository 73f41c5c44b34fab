//! A connectome as petgraph's algorithms see it: neurons are nodes, synapses are directed edges.
//!
//! Outgoing edges are walked in place (a shared kernel is never expanded); incoming neighbours need
//! a reverse index, which [`Connectome::graph`] builds. petgraph's recursive algorithms
//! (`tarjan_scc`, `is_cyclic_directed`) overflow the stack on large graphs; `kosaraju_scc`,
//! `toposort`, `connected_components`, `Bfs` and `dijkstra` do not.
//!
//! ```
//! use petgraph::visit::Bfs;
//! # use sim_core::{connectome::{compile, CompileConfig}, network::*, units::*};
//! # let mut network = Network::new("chain", Milliseconds(1.0));
//! # network.add_population("a", Population::new(3, Neuron::spike_source()));
//! # network.add_population("b", Population::new(3, sim_core::neuron::integrator::integrator()));
//! # network.add_projection("ab", Projection::new("a", "b", OneToOne));
//! # let connectome = compile(&network.validate().unwrap(), CompileConfig::UNLIMITED).unwrap();
//! let graph = connectome.graph();
//! let mut search = Bfs::new(&graph, 0);
//! assert_eq!(search.next(&graph), Some(0));
//! assert_eq!(search.next(&graph), Some(3));
//! assert_eq!(search.next(&graph), None);
//! ```

use super::{Connectome, Synapse, Synapses};
use petgraph::Direction;
use petgraph::visit::{
    Data, EdgeCount, EdgeRef, GraphBase, GraphProp, IntoEdgeReferences, IntoEdges, IntoNeighbors,
    IntoNeighborsDirected, IntoNodeIdentifiers, NodeCompactIndexable, NodeCount, NodeIndexable,
    VisitMap, Visitable,
};

/// A synapse's identity: (projection, source, target, position among those).
pub type SynapseId = (u32, u32, u32, u32);

/// A connectome with its reverse index.
#[derive(Debug, Clone)]
pub struct Graph<'a> {
    connectome: &'a Connectome,
    /// First incoming synapse of each neuron, and the end.
    incoming_rows: Vec<u64>,
    incoming_sources: Vec<u32>,
}

impl Connectome {
    /// This connectome as a petgraph graph; builds the reverse index (4 bytes a synapse).
    pub fn graph(&self) -> Graph<'_> {
        let neurons = self.neuron_count();
        let mut rows = vec![0_u64; neurons as usize + 1];
        for synapse in (0..neurons).flat_map(|neuron| self.synapses_of(neuron)) {
            rows[synapse.target as usize + 1] += 1;
        }
        for index in 1..rows.len() {
            rows[index] += rows[index - 1];
        }
        let mut next = rows.clone();
        let mut sources = vec![0; rows.last().copied().unwrap_or(0) as usize];
        for synapse in (0..neurons).flat_map(|neuron| self.synapses_of(neuron)) {
            let slot = &mut next[synapse.target as usize];
            sources[*slot as usize] = synapse.source;
            *slot += 1;
        }
        Graph { connectome: self, incoming_rows: rows, incoming_sources: sources }
    }
}

impl Graph<'_> {
    fn sources_of(&self, target: u32) -> &[u32] {
        let target = target as usize;
        &self.incoming_sources
            [self.incoming_rows[target] as usize..self.incoming_rows[target + 1] as usize]
    }
}

/// An edge as petgraph sees it.
#[derive(Debug, Clone, Copy)]
pub struct Edge {
    synapse: Synapse,
    position: u32,
}

impl EdgeRef for Edge {
    type NodeId = u32;
    type EdgeId = SynapseId;
    type Weight = f64;

    fn source(&self) -> u32 {
        self.synapse.source
    }
    fn target(&self) -> u32 {
        self.synapse.target
    }
    fn weight(&self) -> &f64 {
        &self.synapse.weight
    }
    fn id(&self) -> SynapseId {
        (self.synapse.projection, self.synapse.source, self.synapse.target, self.position)
    }
}

impl Edge {
    /// The synapse with its delay.
    pub fn synapse(&self) -> Synapse {
        self.synapse
    }
}

/// The edges of one neuron.
#[derive(Debug, Clone)]
pub struct Edges<'a> {
    synapses: std::iter::Enumerate<Synapses<'a>>,
}

impl Iterator for Edges<'_> {
    type Item = Edge;

    fn next(&mut self) -> Option<Edge> {
        let (position, synapse) = self.synapses.next()?;
        Some(Edge { synapse, position: position as u32 })
    }
}

/// The edges of all neurons.
#[derive(Debug, Clone)]
pub struct AllEdges<'a> {
    connectome: &'a Connectome,
    next_neuron: u32,
    edges: Edges<'a>,
}

impl Iterator for AllEdges<'_> {
    type Item = Edge;

    fn next(&mut self) -> Option<Edge> {
        loop {
            if let Some(edge) = self.edges.next() {
                return Some(edge);
            }
            if self.next_neuron >= self.connectome.neuron_count() {
                return None;
            }
            self.edges =
                Edges { synapses: self.connectome.synapses_of(self.next_neuron).enumerate() };
            self.next_neuron += 1;
        }
    }
}

/// The neurons that one neuron reaches, or that reach it.
#[derive(Debug, Clone)]
pub enum Neighbors<'a> {
    /// Targets.
    Outgoing(Synapses<'a>),
    /// Sources.
    Incoming(std::slice::Iter<'a, u32>),
}

impl Iterator for Neighbors<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        match self {
            Neighbors::Outgoing(synapses) => synapses.next().map(|synapse| synapse.target),
            Neighbors::Incoming(sources) => sources.next().copied(),
        }
    }
}

/// Which neurons an algorithm has seen.
#[derive(Debug, Clone, Default)]
pub struct Visited(Vec<bool>);

impl VisitMap<u32> for Visited {
    fn visit(&mut self, neuron: u32) -> bool {
        !std::mem::replace(&mut self.0[neuron as usize], true)
    }
    fn is_visited(&self, neuron: &u32) -> bool {
        self.0.get(*neuron as usize).copied().unwrap_or(false)
    }
    fn unvisit(&mut self, neuron: u32) -> bool {
        std::mem::take(&mut self.0[neuron as usize])
    }
}

impl GraphBase for Graph<'_> {
    type NodeId = u32;
    type EdgeId = SynapseId;
}

impl GraphProp for Graph<'_> {
    type EdgeType = petgraph::Directed;
}

impl Data for Graph<'_> {
    type NodeWeight = u32;
    type EdgeWeight = f64;
}

impl NodeCount for Graph<'_> {
    fn node_count(&self) -> usize {
        self.connectome.neuron_count() as usize
    }
}

impl EdgeCount for Graph<'_> {
    fn edge_count(&self) -> usize {
        self.incoming_sources.len()
    }
}

impl NodeIndexable for Graph<'_> {
    fn node_bound(&self) -> usize {
        self.node_count()
    }
    fn to_index(&self, neuron: u32) -> usize {
        neuron as usize
    }
    fn from_index(&self, index: usize) -> u32 {
        index as u32
    }
}

impl NodeCompactIndexable for Graph<'_> {}

impl Visitable for Graph<'_> {
    type Map = Visited;

    fn visit_map(&self) -> Visited {
        Visited(vec![false; self.node_count()])
    }
    fn reset_map(&self, map: &mut Visited) {
        map.0.clear();
        map.0.resize(self.node_count(), false);
    }
}

impl IntoNodeIdentifiers for &Graph<'_> {
    type NodeIdentifiers = std::ops::Range<u32>;

    fn node_identifiers(self) -> Self::NodeIdentifiers {
        0..self.connectome.neuron_count()
    }
}

impl<'a> IntoNeighbors for &'a Graph<'_> {
    type Neighbors = Neighbors<'a>;

    fn neighbors(self, neuron: u32) -> Neighbors<'a> {
        Neighbors::Outgoing(self.connectome.synapses_of(neuron))
    }
}

impl<'a> IntoNeighborsDirected for &'a Graph<'_> {
    type NeighborsDirected = Neighbors<'a>;

    fn neighbors_directed(self, neuron: u32, direction: Direction) -> Neighbors<'a> {
        match direction {
            Direction::Outgoing => self.neighbors(neuron),
            Direction::Incoming => Neighbors::Incoming(self.sources_of(neuron).iter()),
        }
    }
}

impl<'a> IntoEdgeReferences for &'a Graph<'_> {
    type EdgeRef = Edge;
    type EdgeReferences = AllEdges<'a>;

    fn edge_references(self) -> AllEdges<'a> {
        let none = self.connectome.synapses_of(u32::MAX);
        AllEdges {
            connectome: self.connectome,
            next_neuron: 0,
            edges: Edges { synapses: none.enumerate() },
        }
    }
}

impl<'a> IntoEdges for &'a Graph<'_> {
    type Edges = Edges<'a>;

    fn edges(self, neuron: u32) -> Edges<'a> {
        Edges { synapses: self.connectome.synapses_of(neuron).enumerate() }
    }
}
