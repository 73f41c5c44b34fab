//! A ring of neighbours with some synapses rewired at random.
//!
//! # References
//! Watts & Strogatz 1998, Nature 393:440, with directed synapses: each of a source's synapses to its
//! nearest neighbours on the ring is rewired to a target drawn uniformly, with a probability.

use super::{BySource, Ends, Partner, Rows, Rule, RuleEntry, check_probability};
use crate::diagnostics::Findings;
use crate::random::{Purpose, Stream};
use serde::{Deserialize, Serialize};

/// In the registry.
pub static ENTRY: RuleEntry = RuleEntry {
    name: "small_world",
    summary: "a ring of nearest neighbours, some synapses rewired at random (Watts-Strogatz)",
    keys: &["neighbours", "rewiring"],
};

/// Each neuron of a population reaches its nearest neighbours on a ring; some synapses are rewired.
/// There are no autapses and no multapses.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmallWorld {
    /// Synapses of each neuron, half of them to either side: an even number.
    pub neighbours: u32,
    /// Probability that a synapse is rewired, 0 to 1.
    pub rewiring: f64,
}

impl Rule for SmallWorld {
    fn check(&self, ends: &Ends, findings: &mut Findings<'_>) {
        check_probability("rewiring", self.rewiring, findings);
        if !ends.recurrent {
            let help = "name the same population as source and target";
            findings.wrong("sizes-differ", "", "a ring connects one population to itself", help);
        }
        if !self.neighbours.is_multiple_of(2) || self.neighbours >= ends.sources.max(1) {
            findings.wrong(
                "out-of-range",
                "neighbours",
                format!("{} neighbours in a ring of {}", self.neighbours, ends.sources),
                "give an even number below that of the neurons",
            );
        }
    }

    fn expected_synapses(&self, ends: &Ends) -> u64 {
        u64::from(ends.sources) * u64::from(self.neighbours)
    }

    fn rows<'r>(&'r self, ends: &'r Ends, seed: u64) -> Box<dyn Rows + 'r> {
        Box::new(BySource(move |row, partners: &mut Vec<Partner>| {
            self.row(ends.sources, row, seed, partners);
        }))
    }
}

impl SmallWorld {
    fn row(&self, size: u32, row: u32, seed: u64, partners: &mut Vec<Partner>) {
        let mut stream = Stream::new(seed, Purpose::Connectivity, row, 0);
        let around = |offset: u32| ((u64::from(row) + u64::from(offset)) % u64::from(size)) as u32;
        let half = self.neighbours / 2;
        let mut taken = vec![false; size as usize];
        taken[row as usize] = true;
        let ring = (1..=half).chain(size - half..size).map(around);
        let (kept, rewired): (Vec<u32>, Vec<u32>) =
            ring.partition(|_| stream.next_uniform() >= self.rewiring);
        for &neuron in &kept {
            taken[neuron as usize] = true;
            partners.push(Partner::plain(neuron));
        }
        for _ in rewired {
            // Fewer than all are taken, so a free one is found.
            let neuron = loop {
                let neuron = stream.next_below(u64::from(size)) as u32;
                if !taken[neuron as usize] {
                    break neuron;
                }
            };
            taken[neuron as usize] = true;
            partners.push(Partner::plain(neuron));
        }
    }
}
