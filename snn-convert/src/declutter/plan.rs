//! What became of every node.

use serde::Serialize;

use super::PassRecord;
use crate::ann::AnnGraph;

/// What became of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is still there.
    Kept,
    /// It is still there in another form or at another place, with the same result.
    Rewritten,
    /// Another node, of this name, does its work too.
    FoldedInto(String),
    /// It is gone without trace.
    Dropped,
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Kept => f.write_str("kept"),
            Self::Rewritten => f.write_str("rewritten"),
            Self::FoldedInto(node) => write!(f, "folded into `{node}`"),
            Self::Dropped => f.write_str("dropped"),
        }
    }
}

/// One node of the original network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanLine {
    /// Its name.
    pub node: String,
    /// Its operator.
    pub operator: &'static str,
    /// Its shape for one sample.
    pub shape: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Why; empty for a node that no pass is concerned with.
    pub reason: String,
}

/// Every node of the original network, in its order, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// One line a node.
    pub lines: Vec<PlanLine>,
}

impl Plan {
    /// Joins the nodes of the original with the last record of each.
    pub fn new(original: &AnnGraph, records: &[PassRecord]) -> Self {
        let last: std::collections::HashMap<&str, &PassRecord> =
            records.iter().map(|record| (record.node.as_str(), record)).collect();
        let lines = original.nodes().map(|(_, node)| {
            let record = last.get(node.name.as_str());
            PlanLine {
                node: node.name.clone(),
                operator: node.operator.name(),
                shape: node.shape.to_string(),
                outcome: record.map_or(Outcome::Kept, |record| record.outcome.clone()),
                reason: record.map_or_else(String::new, |record| record.reason.clone()),
            }
        });
        Self { lines: lines.collect() }
    }

    /// The line of a node.
    pub fn line(&self, node: &str) -> Option<&PlanLine> {
        self.lines.iter().find(|line| line.node == node)
    }
}

impl std::fmt::Display for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let width = |text: fn(&PlanLine) -> &str| {
            self.lines.iter().map(|line| text(line).chars().count()).max().unwrap_or(0)
        };
        let names = width(|line| &line.node);
        let operators = width(|line| line.operator);
        let shapes = width(|line| &line.shape);
        for line in &self.lines {
            let PlanLine { node, operator, shape, outcome, reason } = line;
            write!(f, "{node:<names$}  {operator:<operators$}  {shape:<shapes$}  {outcome}")?;
            writeln!(f, "{}{reason}", if reason.is_empty() { "" } else { ": " })?;
        }
        Ok(())
    }
}
