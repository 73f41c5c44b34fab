//! The units, from one walk over the nodes in topological order.
//!
//! Each linear node's value is a sum of maps of units and of the input, plus a constant. What a node
//! hands on is made once, from what its operands handed on, and dropped after its last reader. Maps
//! from the same origin become one where their forms allow it: a file whose every node adds its
//! operand to itself would otherwise have twice as many branches after every node.

use super::{Branch, Origin, Unit, UnitKind, kind_of};
use crate::ann::operator::TensorView;
use crate::ann::{AnnError, AnnGraph, Node, NodeId, Operator, SampleShape};
use crate::linear::LinearMap;
use std::collections::BTreeMap;

/// The units of a graph whose nodes can all be converted, the read-out last.
pub(super) fn units(graph: &AnnGraph) -> Result<Vec<Unit>, AnnError> {
    let mut readers: Vec<usize> = graph.nodes().map(|(id, _)| graph.consumers(id).len()).collect();
    readers[graph.output().index()] += 1;
    let mut builder = Builder {
        graph,
        units: Vec::new(),
        unit_of: BTreeMap::new(),
        sums: vec![None; graph.len()],
        readers,
        steps: Vec::new(),
    };
    for (id, node) in graph.nodes() {
        if let Some(kind) = kind_of(node) {
            builder.add(id, node.inputs[0], kind)?;
        }
        builder.sums[id.index()] = Some(match builder.origin(id) {
            Some(origin) => builder.origin_itself(id, origin),
            None => builder.sum(id, node)?,
        });
    }
    builder.add_readout(graph.output());
    Ok(builder.units)
}

/// A map of an origin, and the last of the steps that led to it.
#[derive(Clone)]
struct Part {
    origin: Origin,
    map: LinearMap,
    last: Option<usize>,
}

/// A node's value: the sum of its parts, and what it is where all origins are zero.
#[derive(Clone)]
struct Sum {
    parts: Vec<Part>,
    constant: Vec<f64>,
}

/// A node that became part of a map, and the steps before it.
struct TakenStep {
    node: NodeId,
    before: [Option<usize>; 2],
}

struct Builder<'a> {
    graph: &'a AnnGraph,
    units: Vec<Unit>,
    unit_of: BTreeMap<NodeId, usize>,
    /// By node; `None` before it is made and after its last reader.
    sums: Vec<Option<Sum>>,
    /// Readers of each node that are still to come.
    readers: Vec<usize>,
    steps: Vec<TakenStep>,
}

impl Builder<'_> {
    fn add(&mut self, node: NodeId, operand: NodeId, kind: UnitKind) -> Result<(), AnnError> {
        let Sum { mut parts, mut constant } = self.take(operand);
        if kind == UnitKind::MaxPool {
            self.window(node, operand, &mut parts)?;
            // A maximum has none.
            constant = Vec::new();
        }
        let name = self.graph.node(node).name.clone();
        self.unit_of.insert(node, self.units.len());
        self.push(name, [node, operand], kind, parts, constant);
        Ok(())
    }

    /// The read-out adds up what reaches the output, even where that is an activation itself.
    fn add_readout(&mut self, output: NodeId) {
        let Sum { parts, constant } = self.take(output);
        let name = format!("{} (read-out)", self.graph.node(output).name);
        self.push(name, [output, output], UnitKind::Readout, parts, constant);
    }

    fn push(
        &mut self,
        name: String,
        [node, operand]: [NodeId; 2],
        kind: UnitKind,
        parts: Vec<Part>,
        bias: Vec<f64>,
    ) {
        let depth = parts.iter().map(|part| self.depth(part.origin)).max().unwrap_or(0) + 1;
        let branch = |part: Part| Branch {
            origin: part.origin,
            nodes: self.names(part.last),
            map: part.map,
        };
        let branches = parts.into_iter().map(branch).collect();
        let shape = self.graph.node(node).shape.clone();
        self.units.push(Unit { name, node, operand, kind, shape, branches, bias, depth });
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

    fn origin_itself(&self, id: NodeId, origin: Origin) -> Sum {
        let size = self.graph.node(id).shape.size();
        let parts = vec![Part { origin, map: LinearMap::Identity { size }, last: None }];
        Sum { parts, constant: vec![0.0; size] }
    }

    /// What a node handed on, for one of its readers.
    fn take(&mut self, id: NodeId) -> Sum {
        let left = &mut self.readers[id.index()];
        *left = left.saturating_sub(1);
        let sum = &mut self.sums[id.index()];
        let taken = if *left == 0 { sum.take() } else { sum.clone() };
        // Operands lie before their readers, and each reader takes its operands once.
        taken.unwrap_or(Sum { parts: Vec::new(), constant: Vec::new() })
    }

    /// The value of a linear node.
    ///
    /// Composed in 64 bits: an exact method must not lose digits here.
    fn sum(&mut self, id: NodeId, node: &Node) -> Result<Sum, AnnError> {
        let mut sum = Sum { parts: Vec::new(), constant: self.own_constant(node) };
        let graph = self.graph;
        let shapes: Vec<&SampleShape> =
            node.inputs.iter().map(|&input| &graph.node(input).shape).collect();
        for (operand, &input) in node.inputs.iter().enumerate() {
            let handed_on = self.take(input);
            let misfit = |misfit| graph.misfit(id, misfit);
            let Some(own) = node.operator.linear_map(operand, &shapes).map_err(misfit)? else {
                // An activation without a spiking counterpart; `refusals` has named it.
                continue;
            };
            own.apply(&handed_on.constant, &mut sum.constant);
            for part in handed_on.parts {
                let last = self.step(id, [part.last, None]);
                let map = part.map.then(own.clone());
                self.insert(&mut sum.parts, Part { map, last, ..part }, id);
            }
        }
        Ok(sum)
    }

    /// Adds a part to those of its origin where forms allow it.
    fn insert(&mut self, parts: &mut Vec<Part>, mut new: Part, node: NodeId) {
        let origin = new.origin;
        for part in parts.iter_mut().filter(|part| part.origin == origin) {
            let own = std::mem::replace(&mut part.map, LinearMap::Identity { size: 0 });
            match own.plus(new.map) {
                Ok(sum) => {
                    part.map = sum;
                    part.last = self.step(node, [part.last, new.last]);
                    return;
                }
                Err(maps) => [part.map, new.map] = *maps,
            }
        }
        parts.push(new);
    }

    fn step(&mut self, node: NodeId, before: [Option<usize>; 2]) -> Option<usize> {
        self.steps.push(TakenStep { node, before });
        Some(self.steps.len() - 1)
    }

    /// The names of all nodes that led to a step, and its own.
    fn names(&self, last: Option<usize>) -> Vec<String> {
        let mut waiting: Vec<usize> = last.into_iter().collect();
        let mut seen = std::collections::BTreeSet::new();
        let mut nodes = std::collections::BTreeSet::new();
        while let Some(step) = waiting.pop() {
            if seen.insert(step) {
                nodes.insert(self.steps[step].node);
                waiting.extend(self.steps[step].before.iter().flatten());
            }
        }
        nodes.into_iter().map(|node| self.graph.node(node).name.clone()).collect()
    }

    /// Makes the parts of a max pooling's operand its windows, as maps with weights 1.
    fn window(&mut self, id: NodeId, operand: NodeId, parts: &mut [Part]) -> Result<(), AnnError> {
        let graph = self.graph;
        let Operator::MaxPool(pool) = &graph.node(id).operator else { return Ok(()) };
        let geometry =
            pool.geometry(&graph.node(operand).shape).map_err(|misfit| graph.misfit(id, misfit))?;
        for part in parts {
            // Only arrangements lie between; they keep the order of the values.
            let weights = vec![1.0; geometry.weight_count() as usize];
            part.map = LinearMap::Convolution { geometry, weights };
            part.last = self.step(id, [part.last, None]);
        }
        Ok(())
    }

    /// What a node gives when its own operands are zero.
    fn own_constant(&self, node: &Node) -> Vec<f64> {
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
