//! Every source reaches every target.

use super::{BySource, Ends, Partner, Rows, Rule, RuleEntry, allowed, check_autapses};
use crate::diagnostics::Findings;
use serde::{Deserialize, Serialize};

/// In the registry.
pub static ENTRY: RuleEntry = RuleEntry {
    name: "all_to_all",
    summary: "every source reaches every target",
    keys: &["autapses"],
};

/// Every source reaches every target. Weights: one, or a distribution; the rule `dense` takes a
/// matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllToAll {
    /// Whether a neuron reaches itself where source and target are one population.
    #[serde(default = "allowed")]
    pub autapses: bool,
}

impl Rule for AllToAll {
    fn check(&self, ends: &Ends, findings: &mut Findings<'_>) {
        check_autapses(self.autapses, ends, findings);
    }

    fn expected_synapses(&self, ends: &Ends) -> u64 {
        ends.pairs(self.autapses)
    }

    fn rows<'r>(&'r self, ends: &'r Ends, _seed: u64) -> Box<dyn Rows + 'r> {
        Box::new(BySource(|row, partners: &mut Vec<Partner>| {
            let kept = (0..ends.targets).filter(|&target| self.autapses || target != row);
            partners.extend(kept.map(Partner::plain));
        }))
    }
}
