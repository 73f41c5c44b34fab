//! Listed synapses in compressed rows.

use super::{BySource, Ends, Listed, Partner, Rows, Rule, RuleEntry, check_neurons};
use crate::diagnostics::Findings;
use serde::{Deserialize, Serialize};

/// In the registry.
pub static ENTRY: RuleEntry = RuleEntry {
    name: "csr",
    summary: "listed synapses in compressed rows: the targets of each source (CSR arrays)",
    keys: &["row_starts", "targets"],
};

/// Listed synapses by source: source s has the synapses `row_starts[s] .. row_starts[s + 1]`.
/// Weights and delays: one, one a synapse, or a distribution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Csr {
    /// First synapse of each source, and the number of synapses (`indptr`).
    pub row_starts: Vec<u64>,
    /// Target neuron of each synapse (`indices`).
    pub targets: Vec<u32>,
}

impl Rule for Csr {
    fn check(&self, ends: &Ends, findings: &mut Findings<'_>) {
        let rows = u64::from(ends.sources) + 1;
        if self.row_starts.len() as u64 != rows {
            findings.wrong(
                "wrong-count",
                "row_starts",
                format!("{} starts of rows for {} sources", self.row_starts.len(), ends.sources),
                format!("give {rows}: one a source, and the number of synapses"),
            );
        }
        let ascending = self.row_starts.windows(2).all(|pair| pair[0] <= pair[1]);
        let ends_right = self.row_starts.last() == Some(&(self.targets.len() as u64));
        if !ascending || !ends_right || self.row_starts.first() != Some(&0) {
            findings.wrong(
                "out-of-range",
                "row_starts",
                "the starts of rows do not ascend from 0 to the number of targets",
                format!("they begin with 0, never fall and end with {}", self.targets.len()),
            );
        }
        check_neurons("target", "targets", &self.targets, ends.targets, findings);
    }

    fn listed_weights(&self, _ends: &Ends) -> Listed {
        Listed::May(self.targets.len() as u64, "synapses")
    }

    fn listed_delays(&self, ends: &Ends) -> Listed {
        self.listed_weights(ends)
    }

    fn expected_synapses(&self, _ends: &Ends) -> u64 {
        self.targets.len() as u64
    }

    fn rows<'r>(&'r self, _ends: &'r Ends, _seed: u64) -> Box<dyn Rows + 'r> {
        Box::new(BySource(move |row, partners: &mut Vec<Partner>| {
            let own = self.row_starts[row as usize]..self.row_starts[row as usize + 1];
            partners.extend(
                own.map(|listed| Partner { neuron: self.targets[listed as usize], listed }),
            );
        }))
    }
}
