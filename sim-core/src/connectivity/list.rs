//! Listed synapses.

use super::{BySource, Ends, Listed, Partner, Rows, Rule, RuleEntry, check_neurons};
use crate::diagnostics::Findings;
use serde::{Deserialize, Serialize};

/// In the registry.
pub static ENTRY: RuleEntry = RuleEntry {
    name: "list",
    summary: "listed synapses: a source and a target each (COO arrays)",
    keys: &["sources", "targets"],
};

/// Listed synapses; pairs may repeat. Weights and delays: one, one a synapse, or a distribution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Source neuron of each synapse.
    pub sources: Vec<u32>,
    /// Target neuron of each synapse.
    pub targets: Vec<u32>,
}

impl List {
    /// Whether the synapses of each source lie together, the sources in their order.
    fn is_by_source(&self) -> bool {
        self.sources.is_sorted()
    }

    /// Bytes that finding the synapses of a source takes beside the list.
    pub(crate) fn order_bytes(&self) -> u64 {
        if self.is_by_source() { 0 } else { 8 * self.sources.len() as u64 }
    }
}

impl Rule for List {
    fn check(&self, ends: &Ends, findings: &mut Findings<'_>) {
        if self.sources.len() != self.targets.len() {
            findings.wrong(
                "wrong-count",
                "",
                format!("{} sources but {} targets", self.sources.len(), self.targets.len()),
                "both lists need one entry a synapse",
            );
        }
        check_neurons("source", "sources", &self.sources, ends.sources, findings);
        check_neurons("target", "targets", &self.targets, ends.targets, findings);
    }

    fn listed_weights(&self, _ends: &Ends) -> Listed {
        Listed::May(self.sources.len() as u64, "synapses")
    }

    fn listed_delays(&self, ends: &Ends) -> Listed {
        self.listed_weights(ends)
    }

    fn expected_synapses(&self, _ends: &Ends) -> u64 {
        self.sources.len() as u64
    }

    fn rows<'r>(&'r self, ends: &'r Ends, _seed: u64) -> Box<dyn Rows + 'r> {
        // The synapses by source, in the order of the list.
        let mut first = vec![0_u64; ends.sources as usize + 1];
        for &source in &self.sources {
            first[source as usize + 1] += 1;
        }
        for index in 1..first.len() {
            first[index] += first[index - 1];
        }
        // Where they lie in the list by source, their order is that of the list.
        let mut order = Vec::new();
        if !self.is_by_source() {
            let mut next = first.clone();
            order.resize(self.sources.len(), 0_u64);
            for (index, &source) in self.sources.iter().enumerate() {
                let slot = &mut next[source as usize];
                order[*slot as usize] = index as u64;
                *slot += 1;
            }
        }
        Box::new(BySource(move |row, partners: &mut Vec<Partner>| {
            let own = first[row as usize]..first[row as usize + 1];
            partners.extend(own.map(|place| {
                let listed = order.get(place as usize).copied().unwrap_or(place);
                Partner { neuron: self.targets[listed as usize], listed }
            }));
        }))
    }
}
