//! The nodes that the outputs need, each after everything it reads.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::error::OnnxError;
use super::message::{GraphProto, NodeProto};

/// How a node is called in messages: its name, or what it makes where it has none.
pub fn label(node: &NodeProto) -> &str {
    let name = node.name.as_deref().filter(|name| !name.is_empty());
    name.or_else(|| node.output.first().map(String::as_str)).unwrap_or("(without name)")
}

/// Node indices in topological order; the file's order is kept where it is one.
///
/// Nodes that no graph output depends on are left out. Works without recursion, so that a deep
/// graph cannot exhaust the stack.
///
/// # Errors
/// [`OnnxError::DuplicateValue`], [`OnnxError::MissingValue`], [`OnnxError::Cycle`].
pub fn order(graph: &GraphProto, given: &HashSet<&str>) -> Result<Vec<usize>, OnnxError> {
    let mut makers: HashMap<&str, usize> = HashMap::new();
    for (index, node) in graph.node.iter().enumerate() {
        for value in node.output.iter().filter(|value| !value.is_empty()) {
            if given.contains(value.as_str()) || makers.insert(value, index).is_some() {
                let (value, node) = (value.clone(), label(node).to_owned());
                return Err(OnnxError::DuplicateValue { value, node });
            }
        }
    }
    let maker = |value: &str, reader: &dyn Fn() -> String| match makers.get(value) {
        Some(&maker) => Ok(Some(maker)),
        None if given.contains(value) => Ok(None),
        None => Err(OnnxError::MissingValue { value: value.to_owned(), reader: reader() }),
    };
    let mut needed = vec![false; graph.node.len()];
    let mut pending: Vec<usize> = Vec::new();
    for output in &graph.output {
        let name = output.name.as_deref().unwrap_or_default();
        pending.extend(maker(name, &|| "the graph's output list".to_owned())?);
    }
    // Readers of each node, and how many distinct nodes each still waits for.
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); graph.node.len()];
    let mut waiting = vec![0_usize; graph.node.len()];
    while let Some(index) = pending.pop() {
        if std::mem::replace(&mut needed[index], true) {
            continue;
        }
        let node = &graph.node[index];
        let mut sources = BTreeSet::new();
        for value in node.input.iter().filter(|value| !value.is_empty()) {
            sources.extend(maker(value, &|| format!("node `{}`", label(node)))?);
        }
        waiting[index] = sources.len();
        for source in sources {
            readers[source].push(index);
            pending.push(source);
        }
    }
    let ready = |index: &usize| needed[*index] && waiting[*index] == 0;
    let mut ready: BTreeSet<usize> = (0..graph.node.len()).filter(ready).collect();
    let mut sorted = Vec::new();
    while let Some(index) = ready.pop_first() {
        sorted.push(index);
        for &reader in &readers[index] {
            waiting[reader] -= 1;
            if waiting[reader] == 0 {
                ready.insert(reader);
            }
        }
    }
    if sorted.len() == needed.iter().filter(|&&needed| needed).count() {
        return Ok(sorted);
    }
    // A few names show the circle; a hostile file could list millions.
    let stuck = (0..graph.node.len()).filter(|&index| needed[index] && waiting[index] > 0);
    let nodes = stuck.take(10).map(|index| label(&graph.node[index]).to_owned()).collect();
    Err(OnnxError::Cycle { nodes })
}
