//! A fixed number of synapses in all.
//!
//! With multapses every synapse has its source and target drawn uniformly, so the numbers of the
//! sources are multinomial; without, the drawn pairs are a uniformly random subset, so they are
//! multivariate hypergeometric. Either is drawn source by source, conditional on those before; the
//! targets of each source are then a row of their own.

use super::{BySource, Ends, Partner, Rows, Rule, RuleEntry, allowed, check_autapses, partners};
use crate::diagnostics::Findings;
use crate::random::{Purpose, Stream};
use rand_distr::{Binomial, Distribution, Hypergeometric};
use serde::{Deserialize, Serialize};

/// In the registry.
pub static ENTRY: RuleEntry = RuleEntry {
    name: "fixed_total",
    summary: "a number of synapses in all, between pairs drawn uniformly",
    keys: &["synapses", "autapses", "multapses"],
};

/// The lane of the draws of how many synapses each source has.
const DEGREES: u16 = 1;

/// A number of synapses in all; each pair is equally likely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixedTotal {
    /// Number of synapses.
    pub synapses: u64,
    /// Whether a neuron may reach itself where source and target are one population.
    #[serde(default = "allowed")]
    pub autapses: bool,
    /// Whether a pair may have several synapses.
    #[serde(default = "allowed")]
    pub multapses: bool,
}

impl Rule for FixedTotal {
    fn check(&self, ends: &Ends, findings: &mut Findings<'_>) {
        check_autapses(self.autapses, ends, findings);
        let pairs = ends.pairs(self.autapses);
        let most = if self.multapses && pairs > 0 { 1 << 53 } else { pairs };
        if self.synapses > most {
            findings.wrong(
                "out-of-range",
                "synapses",
                format!("{} synapses between {pairs} pairs", self.synapses),
                "give at most as many as there are pairs, or allow multapses",
            );
        }
    }

    fn expected_synapses(&self, _ends: &Ends) -> u64 {
        self.synapses
    }

    fn rows<'r>(&'r self, ends: &'r Ends, seed: u64) -> Box<dyn Rows + 'r> {
        let degrees = self.out_degrees(ends, seed);
        Box::new(BySource(move |row, partners: &mut Vec<Partner>| {
            let mut stream = Stream::new(seed, Purpose::Connectivity, row, 0);
            let excluded = (!self.autapses).then_some(row);
            let count = degrees.get(row as usize).copied().unwrap_or(0);
            partners::draw(&mut stream, count, ends.targets, excluded, self.multapses, partners);
        }))
    }
}

impl FixedTotal {
    /// How many of the synapses each source has.
    fn out_degrees(&self, ends: &Ends, seed: u64) -> Vec<u64> {
        let mut left = self.synapses;
        let per_source = ends.pairs(self.autapses) / u64::from(ends.sources.max(1));
        let degree = |source: u32| {
            let remaining = u64::from(ends.sources - source);
            let mut stream = Stream::new(seed, Purpose::Connectivity, source, DEGREES);
            let drawn = match (remaining, self.multapses) {
                (1, _) => Some(left),
                (_, true) => Binomial::new(left, 1.0 / remaining as f64)
                    .ok()
                    .map(|law| law.sample(&mut stream)),
                (_, false) => Hypergeometric::new(remaining * per_source, per_source, left)
                    .ok()
                    .map(|law| law.sample(&mut stream)),
            };
            // Validation has checked what the laws ask for.
            let drawn = drawn.unwrap_or(0).min(left);
            left -= drawn;
            drawn
        };
        (0..ends.sources).map(degree).collect()
    }
}
