//! Source i reaches target i.

use super::{BySource, Ends, Listed, Partner, Rows, Rule, RuleEntry};
use crate::diagnostics::Findings;
use crate::tagged::empty_table;
use serde::Serialize;

/// In the registry.
pub static ENTRY: RuleEntry =
    RuleEntry { name: "one_to_one", summary: "source i reaches target i", keys: &[] };

/// Source i reaches target i; both populations have the same size. Weights: one, one a pair, or a
/// distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct OneToOne;

empty_table!(OneToOne);

impl Rule for OneToOne {
    fn check(&self, ends: &Ends, findings: &mut Findings<'_>) {
        if ends.sources != ends.targets {
            findings.wrong(
                "sizes-differ",
                "",
                format!("one_to_one from {} to {} neurons", ends.sources, ends.targets),
                "source and target must have the same size",
            );
        }
    }

    fn listed_weights(&self, ends: &Ends) -> Listed {
        Listed::May(u64::from(ends.sources), "pairs")
    }

    fn listed_delays(&self, ends: &Ends) -> Listed {
        self.listed_weights(ends)
    }

    fn expected_synapses(&self, ends: &Ends) -> u64 {
        u64::from(ends.sources)
    }

    fn rows<'r>(&'r self, _ends: &'r Ends, _seed: u64) -> Box<dyn Rows + 'r> {
        Box::new(BySource(|row, partners: &mut Vec<Partner>| {
            partners.push(Partner { neuron: row, listed: u64::from(row) });
        }))
    }
}
