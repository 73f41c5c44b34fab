//! Pairwise Bernoulli connectivity.

use super::{
    BySource, Ends, Partner, Rows, Rule, RuleEntry, allowed, check_autapses, check_probability,
    partners,
};
use crate::diagnostics::Findings;
use crate::random::{Purpose, Stream};
use serde::{Deserialize, Serialize};

/// In the registry.
pub static ENTRY: RuleEntry = RuleEntry {
    name: "fixed_probability",
    summary: "every pair with the same probability, independently (pairwise Bernoulli)",
    keys: &["probability", "autapses"],
};

/// Every pair is connected with the same probability, drawn independently; never twice.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixedProbability {
    /// The probability, 0 to 1.
    pub probability: f64,
    /// Whether a neuron may reach itself where source and target are one population.
    #[serde(default = "allowed")]
    pub autapses: bool,
}

impl Rule for FixedProbability {
    fn check(&self, ends: &Ends, findings: &mut Findings<'_>) {
        check_probability("probability", self.probability, findings);
        check_autapses(self.autapses, ends, findings);
    }

    fn expected_synapses(&self, ends: &Ends) -> u64 {
        (ends.pairs(self.autapses) as f64 * self.probability).ceil() as u64
    }

    fn rows<'r>(&'r self, ends: &'r Ends, seed: u64) -> Box<dyn Rows + 'r> {
        Box::new(BySource(move |row, partners: &mut Vec<Partner>| {
            let mut stream = Stream::new(seed, Purpose::Connectivity, row, 0);
            let excluded = (!self.autapses).then_some(row);
            partners::draw_each(&mut stream, self.probability, ends.targets, excluded, partners);
        }))
    }
}
