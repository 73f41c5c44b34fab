//! Laying sub-graphs open, and the order in which nodes are evaluated.

use crate::nir::{NirGraph, Primitive};

use super::RunError;

/// A graph without sub-graphs.
#[derive(Debug)]
pub(in crate::nir) struct Flat {
    /// Nodes by their path.
    pub(in crate::nir) nodes: Vec<(String, Primitive)>,
    /// Edges between indices.
    pub(in crate::nir) edges: Vec<(usize, usize)>,
}

/// Where a node's input comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    pub(super) node: usize,
    /// Whether it is the previous step's value.
    pub(super) previous: bool,
}

/// Sources of each node, and the order of evaluation.
#[derive(Debug)]
pub(super) struct Wiring {
    pub(super) sources: Vec<Vec<Source>>,
    pub(super) order: Vec<usize>,
}

/// Lays sub-graphs open: their Input and Output stay as nodes that hand values on.
///
/// `loops_direct` leads a sub-graph's input round the weights of its loop
/// ([`Convention::loops_direct`](super::Convention::loops_direct)).
pub(in crate::nir) fn flatten(graph: &NirGraph, loops_direct: bool) -> Result<Flat, RunError> {
    let mut nodes = Vec::new();
    let mut edges = Vec::new();
    open(graph, "", loops_direct, (&mut nodes, &mut edges))?;
    let index: std::collections::BTreeMap<&str, usize> =
        nodes.iter().enumerate().map(|(index, (name, _))| (name.as_str(), index)).collect();
    let found = |name: &String| index.get(name.as_str()).copied();
    let edges = edges.iter().filter_map(|(a, b)| Some((found(a)?, found(b)?))).collect();
    Ok(Flat { nodes, edges })
}

type Opened<'a> = (&'a mut Vec<(String, Primitive)>, &'a mut Vec<(String, String)>);

fn open(
    graph: &NirGraph,
    prefix: &str,
    loops_direct: bool,
    (nodes, edges): Opened<'_>,
) -> Result<(), RunError> {
    for (name, node) in &graph.nodes {
        let path = format!("{prefix}{name}");
        match &node.primitive {
            Primitive::Graph(inner) => {
                open(inner, &format!("{path}/"), loops_direct, (nodes, edges))?;
            }
            other => nodes.push((path, other.clone())),
        }
    }
    let end = |name: &String, node_type: &'static str| {
        let path = format!("{prefix}{name}");
        let Some(Primitive::Graph(inner)) = graph.nodes.get(name).map(|node| &node.primitive)
        else {
            return Ok(path);
        };
        let mut ends = inner.nodes.iter();
        let end = ends.find(|(_, node)| node.primitive.type_name() == node_type);
        match end {
            Some((end, _)) => Ok(format!("{path}/{end}")),
            None => Err(RunError::SubGraph { node: path, node_type }),
        }
    };
    for (source, target) in &graph.edges {
        let round = loops_direct.then(|| round_the_loop(graph, prefix, (source, target))).flatten();
        let target = round.unwrap_or(target);
        edges.push((end(source, "Output")?, end(target, "Input")?));
    }
    Ok(())
}

/// The neurons of a loop, in place of its weights, for an edge from a sub-graph's input to these.
fn round_the_loop<'a>(
    graph: &'a NirGraph,
    prefix: &str,
    (source, target): (&String, &String),
) -> Option<&'a String> {
    let kind = |name: &String| graph.nodes.get(name).map(|node| &node.primitive);
    let enters = !prefix.is_empty() && matches!(kind(source)?, Primitive::Input(_));
    let weighs = matches!(kind(target)?, Primitive::Linear(_) | Primitive::Affine(_));
    if !(enters && weighs) {
        return None;
    }
    let behind = graph.edges.iter().filter(|(from, _)| from == target).map(|(_, to)| to);
    let back =
        |neuron: &&String| graph.edges.iter().any(|(from, to)| from == *neuron && to == target);
    behind.filter(|to| kind(to).is_some_and(is_neuron)).find(back)
}

/// Whether a node's value of the previous step stands for its value in a loop.
fn is_neuron(primitive: &Primitive) -> bool {
    matches!(
        primitive,
        Primitive::Lif(_)
            | Primitive::CubaLif(_)
            | Primitive::If(_)
            | Primitive::Li(_)
            | Primitive::CubaLi(_)
            | Primitive::I(_)
            | Primitive::Threshold(_)
    )
}

impl Wiring {
    /// Orders the nodes. In a loop the edges that leave a neuron carry the previous step; a loop
    /// without a neuron is cut behind its delays.
    pub(super) fn new(flat: &Flat) -> Result<Self, RunError> {
        let is_delay = |primitive: &Primitive| matches!(primitive, Primitive::Delay(_));
        Self::cut(flat, is_neuron)
            .or_else(|_| Self::cut(flat, |primitive| is_neuron(primitive) || is_delay(primitive)))
    }

    fn cut(flat: &Flat, holds: impl Fn(&Primitive) -> bool) -> Result<Self, RunError> {
        let size = flat.nodes.len();
        let mut after = vec![Vec::new(); size];
        for &(source, target) in &flat.edges {
            after[source].push(target);
        }
        let component = components(&after);
        let mut sources = vec![Vec::new(); size];
        let mut waiting = vec![0_usize; size];
        let mut forward = vec![Vec::new(); size];
        for &(source, target) in &flat.edges {
            let looped = component[source] == component[target];
            let previous = looped && holds(&flat.nodes[source].1);
            sources[target].push(Source { node: source, previous });
            if !previous {
                waiting[target] += 1;
                forward[source].push(target);
            }
        }
        // The lowest index first, so that the order does not depend on that of the edges.
        let mut ready: std::collections::BTreeSet<usize> =
            (0..size).filter(|&node| waiting[node] == 0).collect();
        let mut order = Vec::with_capacity(size);
        while let Some(node) = ready.pop_first() {
            order.push(node);
            for &next in &forward[node] {
                waiting[next] -= 1;
                if waiting[next] == 0 {
                    ready.insert(next);
                }
            }
        }
        if order.len() < size {
            let stuck = (0..size).filter(|&node| waiting[node] > 0).take(8);
            let nodes = stuck.map(|node| flat.nodes[node].0.as_str()).collect::<Vec<_>>();
            return Err(RunError::Loop { nodes: nodes.join(", ") });
        }
        for list in &mut sources {
            list.sort_by_key(|source| source.node);
        }
        Ok(Self { sources, order })
    }
}

/// The strongly connected component of every node (Kosaraju, without recursion).
pub(in crate::nir) fn components(after: &[Vec<usize>]) -> Vec<usize> {
    let size = after.len();
    let mut before = vec![Vec::new(); size];
    for (node, targets) in after.iter().enumerate() {
        for &target in targets {
            before[target].push(node);
        }
    }
    let mut finished = Vec::with_capacity(size);
    let mut seen = vec![false; size];
    for start in 0..size {
        let mut path = Vec::new();
        if !std::mem::replace(&mut seen[start], true) {
            path.push((start, 0));
        }
        while let Some((node, next)) = path.pop() {
            match after[node].get(next) {
                Some(&target) => {
                    path.push((node, next + 1));
                    if !std::mem::replace(&mut seen[target], true) {
                        path.push((target, 0));
                    }
                }
                None => finished.push(node),
            }
        }
    }
    let mut component = vec![usize::MAX; size];
    for (number, &start) in finished.iter().rev().enumerate() {
        let mut stack = vec![start];
        while let Some(node) = stack.pop() {
            if component[node] == usize::MAX {
                component[node] = number;
                stack.extend(before[node].iter().filter(|&&b| component[b] == usize::MAX));
            }
        }
    }
    component
}
