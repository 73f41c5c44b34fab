//! Passes that bring a graph into normal form, one a file.
//!
//! Each pass leaves the network's answer as it is (softmax: the order of the scores) and says what
//! it did to which node. Together the records make the [`Plan`] that is printed before anything
//! else happens: every node of the file and what became of it.
//!
//! To add a pass: write its file with a `pub static PASS`, and add it to [`PASSES`].

mod drop_identity;
mod drop_readout;
mod fold;
mod fold_batch_normalization;
mod fold_constant;
mod fold_into_next;
mod fold_padding;
mod maximum_by_differences;
mod merge_transpose;
mod normal_activation;
mod order_pooling;
mod plan;
mod relay;
mod signed_by_pairs;
mod split_concat;

use std::collections::{BTreeMap, HashSet};

use crate::ann::{AnnError, AnnGraph, Edit, NodeId};

pub use plan::{Outcome, Plan, PlanLine};

/// One pass over a graph.
pub struct Pass {
    /// Its name.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// Finds what to change. All passes run again until none finds anything; the last three
    /// of the registry, which cost neurons, run only when no other finds anything.
    pub run: fn(&AnnGraph) -> Findings,
}

/// The registry: one line a pass, in the order in which they run.
pub static PASSES: &[&Pass] = &[
    &drop_identity::PASS,
    &drop_readout::PASS,
    &merge_transpose::PASS,
    &normal_activation::PASS,
    &fold_padding::PASS,
    &split_concat::PASS,
    &fold_batch_normalization::PASS,
    &fold_constant::PASS,
    &order_pooling::PASS,
    &fold_into_next::PASS,
    &signed_by_pairs::PASS,
    &relay::PASS,
    &maximum_by_differences::PASS,
];

/// Passes at the end of the registry that cost neurons.
const COSTLY: usize = 3;

/// How often all passes run at most.
///
/// A sweep folds one of several maps in a row, so real networks need two or three. A file with
/// thousands in a row is left as it is after this many, instead of taking quadratic time.
const MAXIMUM_SWEEPS: usize = 32;

/// What a pass did to one node, or why it left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassRecord {
    /// The pass.
    pub pass: &'static str,
    /// The node's name.
    pub node: String,
    /// Its operator.
    pub operator: &'static str,
    /// What became of it.
    pub outcome: Outcome,
    /// Why.
    pub reason: String,
}

/// What a pass wants to change, with a record for each node concerned.
#[derive(Debug, Default)]
pub struct Findings {
    edits: BTreeMap<NodeId, Edit>,
    records: Vec<PassRecord>,
}

impl Findings {
    fn record(
        &mut self,
        pass: &Pass,
        graph: &AnnGraph,
        id: NodeId,
        outcome: Outcome,
        reason: String,
    ) {
        let node = graph.node(id);
        let (name, operator) = (node.name.clone(), node.operator.name());
        self.records.push(PassRecord { pass: pass.name, node: name, operator, outcome, reason });
    }
}

/// A graph in normal form, and how it came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Decluttered {
    /// The graph.
    pub graph: AnnGraph,
    /// Every node of the original and what became of it.
    pub plan: Plan,
    /// All records in the order in which they were made.
    pub records: Vec<PassRecord>,
}

/// Runs all passes.
///
/// # Errors
/// [`AnnError`] where a changed node is no longer valid, for instance because folding makes a
/// weight too large for `f32`; it names the node.
pub fn declutter(original: &AnnGraph) -> Result<Decluttered, AnnError> {
    declutter_with(original, PASSES)
}

/// Runs all passes but those that multiply weights, which rounds them to 32 bits: what would be
/// folded stays as a linear map of its own, for methods that are exact to more digits.
///
/// # Errors
/// As [`declutter`].
pub fn declutter_exactly(original: &AnnGraph) -> Result<Decluttered, AnnError> {
    let rounding =
        [fold_batch_normalization::PASS.name, fold_constant::PASS.name, fold_into_next::PASS.name];
    let exact = PASSES.iter().copied().filter(|pass| !rounding.contains(&pass.name));
    declutter_with(original, &exact.collect::<Vec<_>>())
}

fn declutter_with(original: &AnnGraph, passes: &[&Pass]) -> Result<Decluttered, AnnError> {
    let mut graph = original.clone();
    let mut records: Vec<PassRecord> = Vec::new();
    for sweep in 1..=MAXIMUM_SWEEPS {
        let mut changed = false;
        let mut left = Vec::new();
        for (number, pass) in passes.iter().enumerate() {
            if changed && number + COSTLY >= passes.len() {
                continue;
            }
            let findings = (pass.run)(&graph);
            if !findings.edits.is_empty() {
                graph = graph.rebuild(&findings.edits)?;
                changed = true;
            }
            let (kept, done): (Vec<_>, Vec<_>) =
                findings.records.into_iter().partition(|record| record.outcome == Outcome::Kept);
            records.extend(done);
            left.extend(kept);
        }
        if !changed || sweep == MAXIMUM_SWEEPS {
            // Why a node stays is known only when nothing changes any more.
            let names: HashSet<&str> = graph.nodes().map(|(_, node)| node.name.as_str()).collect();
            records.extend(left.into_iter().filter(|r| names.contains(r.node.as_str())));
            break;
        }
    }
    let plan = Plan::new(original, &records);
    Ok(Decluttered { graph, plan, records })
}
