//! A matrix of weights.

use super::{BySource, Ends, Listed, Partner, Rows, Rule, RuleEntry};
use crate::diagnostics::Findings;
use crate::tagged::empty_table;
use serde::Serialize;

/// In the registry.
pub static ENTRY: RuleEntry = RuleEntry {
    name: "dense",
    summary: "every source reaches every target through a matrix of weights [target, source]",
    keys: &[],
};

/// Every source reaches every target through a matrix of weights `[target, source]`, row-major, or
/// weights that are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Dense;

empty_table!(Dense);

impl Rule for Dense {
    fn check(&self, _ends: &Ends, _findings: &mut Findings<'_>) {}

    fn listed_weights(&self, ends: &Ends) -> Listed {
        Listed::Must(ends.pairs(true), "pairs [target, source]")
    }

    fn expected_synapses(&self, ends: &Ends) -> u64 {
        ends.pairs(true)
    }

    fn rows<'r>(&'r self, ends: &'r Ends, _seed: u64) -> Box<dyn Rows + 'r> {
        let sources = u64::from(ends.sources);
        Box::new(BySource(move |row, partners: &mut Vec<Partner>| {
            let listed = |target: u32| u64::from(target) * sources + u64::from(row);
            let partner = |neuron| Partner { neuron, listed: listed(neuron) };
            partners.extend((0..ends.targets).map(partner));
        }))
    }
}
