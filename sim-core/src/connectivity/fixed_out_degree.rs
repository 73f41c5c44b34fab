//! A fixed number of synapses a source.

use super::{BySource, Ends, Partner, Rows, Rule, RuleEntry, allowed, check_autapses, partners};
use crate::diagnostics::Findings;
use crate::random::{Purpose, Stream};
use serde::{Deserialize, Serialize};

/// In the registry.
pub static ENTRY: RuleEntry = RuleEntry {
    name: "fixed_out_degree",
    summary: "every source has the same number of synapses, to targets drawn uniformly",
    keys: &["out_degree", "autapses", "multapses"],
};

/// Every source has the same number of synapses; each target is equally likely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixedOutDegree {
    /// Synapses of each source.
    pub out_degree: u32,
    /// Whether a neuron may reach itself where source and target are one population.
    #[serde(default = "allowed")]
    pub autapses: bool,
    /// Whether a pair may have several synapses.
    #[serde(default = "allowed")]
    pub multapses: bool,
}

impl Rule for FixedOutDegree {
    fn check(&self, ends: &Ends, findings: &mut Findings<'_>) {
        check_autapses(self.autapses, ends, findings);
        let partners = u64::from(ends.targets) - u64::from(!self.autapses && ends.recurrent);
        let most = if self.multapses && partners > 0 { u64::from(u32::MAX) } else { partners };
        if u64::from(self.out_degree) > most {
            findings.wrong(
                "out-of-range",
                "out_degree",
                format!("{} synapses from {partners} different neurons", self.out_degree),
                "give at most as many as there are, or allow multapses",
            );
        }
    }

    fn expected_synapses(&self, ends: &Ends) -> u64 {
        u64::from(ends.sources) * u64::from(self.out_degree)
    }

    fn rows<'r>(&'r self, ends: &'r Ends, seed: u64) -> Box<dyn Rows + 'r> {
        Box::new(BySource(move |row, partners: &mut Vec<Partner>| {
            let mut stream = Stream::new(seed, Purpose::Connectivity, row, 0);
            let excluded = (!self.autapses).then_some(row);
            let count = u64::from(self.out_degree);
            partners::draw(&mut stream, count, ends.targets, excluded, self.multapses, partners);
        }))
    }
}
