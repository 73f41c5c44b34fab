//! Lets populations stand where long chains of linear nodes would become too large as one map:
//! `x = relu(x) − relu(−x)`.
//!
//! All linear nodes between two populations become one map. A convolution behind another, behind a
//! sum of branches or before a maximum over linear values has no compact form as one map: its weights
//! are listed, and a few such nodes in a row would multiply to billions. A pair of populations, one
//! for either sign, keeps what it is given (but for the code's rounding) and ends the chain.

use super::order_pooling::source_role;
use super::{Findings, Outcome, Pass};
use crate::ann::operator::{Add, Affine, Relu};
use crate::ann::{AnnGraph, Edit, Node, NodeId, Operator, Role, Step, StepInput};
use std::collections::BTreeMap;

/// The pass.
pub static PASS: Pass = Pass {
    name: "relay",
    summary: "ends long chains of linear nodes by a pair of populations, one for either sign",
    run,
};

/// The most weights that are listed before a chain is ended.
const MOST_LISTED: f64 = (4 << 20) as f64;

/// What a node's value is of the populations before it, as one map.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Reach {
    form: Form,
    /// Values of populations that one value depends on.
    values: f64,
    /// Values that populations before it have: more than these no value depends on.
    all: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    /// A population's own values.
    Own,
    /// A shared kernel, or a matrix.
    Compact,
    /// Listed weights.
    Listed,
}

fn run(graph: &AnnGraph) -> Findings {
    let mut findings = Findings::default();
    let mut reached: BTreeMap<NodeId, Reach> = BTreeMap::new();
    for (id, node) in graph.nodes() {
        let own = Reach { form: Form::Own, values: 1.0, all: node.shape.size() as f64 };
        if node.inputs.is_empty() || matches!(node.role(), Role::Activation | Role::Maximum) {
            if let (Operator::MaxPool(pool), Some(&operand)) = (&node.operator, node.inputs.first())
            {
                let linear =
                    !matches!(source_role(graph, operand), Role::Activation | Role::Maximum);
                let [rows, columns] = pool.window.kernel.map(|n| n as f64);
                let before = reached.get(&operand).copied().unwrap_or(own);
                // Every difference of two cells lists both.
                let listed = 2.0 * rows * columns * own.all * before.values;
                if linear && before.form != Form::Own && listed > MOST_LISTED {
                    end(graph, operand, &mut findings, &mut reached);
                }
            }
            reached.insert(id, own);
            continue;
        }
        let mut reach = behind(graph, node, &reached);
        if reach.form == Form::Listed && reach.values * own.all > MOST_LISTED {
            for &operand in &node.inputs {
                if reached.get(&operand).is_some_and(|before| before.form != Form::Own) {
                    end(graph, operand, &mut findings, &mut reached);
                }
            }
            reach = behind(graph, node, &reached);
        }
        reached.insert(id, reach);
    }
    findings
}

/// What a linear node makes of what its operands are.
fn behind(graph: &AnnGraph, node: &Node, reached: &BTreeMap<NodeId, Reach>) -> Reach {
    let operands: Vec<Reach> =
        node.inputs.iter().filter_map(|input| reached.get(input).copied()).collect();
    let sum = |of: fn(&Reach) -> f64| operands.iter().map(of).sum::<f64>();
    let listed = operands.iter().any(|operand| operand.form == Form::Listed);
    let (values, all) = (sum(|reach| reach.values), sum(|reach| reach.all));
    let own = operands.iter().all(|operand| operand.form == Form::Own);
    let shape = node.inputs.first().map(|&input| &graph.node(input).shape);
    let windowed = |own_values: f64, stays: bool| {
        // Two kernels in a row are one where either only mixes channels.
        let form = if own || stays && !listed { Form::Compact } else { Form::Listed };
        Reach { form, values: (values * own_values).min(all), all }
    };
    match &node.operator {
        Operator::Convolution(convolution) => {
            let geometry = shape.and_then(|shape| convolution.geometry(shape).ok());
            let Some(geometry) = geometry else { return windowed(1.0, true) };
            let [_, inputs, height, width] = geometry.weight_shape().map(f64::from);
            let behind = node.inputs.first().map(|&input| graph.node(input));
            let mixes = |operator: &Operator| match operator {
                Operator::Convolution(other) => other.window.kernel == [1, 1],
                _ => false,
            };
            let stays = mixes(&node.operator) || behind.is_some_and(|node| mixes(&node.operator));
            windowed(inputs * height * width, stays && operands.len() == 1)
        }
        // A matrix behind anything is a matrix.
        Operator::Dense(_) => Reach { form: Form::Compact, values: all, all },
        Operator::AveragePool(pool) => {
            let [height, width] = pool.window.kernel.map(|n| n as f64);
            windowed(height * width, false)
        }
        Operator::GlobalAveragePool(_) => {
            let cells = shape.map_or(1, |shape| shape.per_channel());
            windowed(cells as f64, false)
        }
        Operator::Pick(_) => Reach { form: Form::Listed, values, all },
        _ => {
            let several = operands.len() > 1 && !own;
            let form = match operands.first() {
                Some(reach) if !several => reach.form,
                _ => Form::Listed,
            };
            Reach { form, values: values.min(all), all }
        }
    }
}

/// Lets a pair of populations stand behind a node.
fn end(
    graph: &AnnGraph,
    id: NodeId,
    findings: &mut Findings,
    reached: &mut BTreeMap<NodeId, Reach>,
) {
    let node = graph.node(id);
    let size = node.shape.size();
    reached.insert(id, Reach { form: Form::Own, values: 2.0, all: 2.0 * size as f64 });
    if findings.edits.contains_key(&id) {
        return;
    }
    let step =
        |operator: Operator, inputs: &[StepInput]| Step { operator, inputs: inputs.to_vec() };
    let operands: Vec<StepInput> = (0..node.inputs.len()).map(StepInput::Operand).collect();
    let steps = vec![
        step(node.operator.clone(), &operands),
        step(Relu.into(), &[StepInput::Step(0)]),
        step(Affine::multiply(vec![-1.0]).into(), &[StepInput::Step(0)]),
        step(Relu.into(), &[StepInput::Step(2)]),
        step(Affine::multiply(vec![-1.0]).into(), &[StepInput::Step(3)]),
        step(Add.into(), &[StepInput::Step(1), StepInput::Step(4)]),
    ];
    findings.edits.insert(id, Edit::Steps(steps));
    let reason = format!(
        "{} neurons more: what follows would list millions of weights as one map with what comes \
         before, so a pair of populations carries its values, one for either sign",
        2 * size
    );
    findings.record(&PASS, graph, id, Outcome::Rewritten, reason);
}
