//! A convolution with a shared kernel.

use super::{BySource, Ends, Listed, Partner, Rows, Rule, RuleEntry};
use crate::diagnostics::Findings;
use crate::network::Shape;
pub use crate::network::convolution::Convolution;

/// In the registry.
pub static ENTRY: RuleEntry = RuleEntry {
    name: "convolution",
    summary: "a convolution; the weights are the shared kernel [out, in / groups, height, width]",
    keys: &["source", "target", "kernel", "stride", "padding", "dilation", "groups"],
};

impl Rule for Convolution {
    fn check(&self, ends: &Ends, findings: &mut Findings<'_>) {
        if let Err(error) = Convolution::check(self) {
            findings.wrong("wrong-convolution", "", error.to_string(), "correct the geometry");
        }
        for (side, extents, size) in
            [("source", self.source, ends.sources), ("target", self.target, ends.targets)]
        {
            let [c, h, w] = extents;
            if Shape::Picture(extents).size() != u64::from(size) {
                findings.wrong(
                    "sizes-differ",
                    "",
                    format!("{side} is {c}×{h}×{w} but the population has {size} neurons"),
                    "make the population's size and the geometry agree",
                );
            }
        }
    }

    fn listed_weights(&self, _ends: &Ends) -> Listed {
        Listed::Must(self.weight_count(), "kernel weights")
    }

    fn expected_synapses(&self, _ends: &Ends) -> u64 {
        self.synapse_count()
    }

    fn rows<'r>(&'r self, _ends: &'r Ends, _seed: u64) -> Box<dyn Rows + 'r> {
        Box::new(BySource(move |row, partners: &mut Vec<Partner>| {
            self.for_each_target(row, |synapse| {
                let listed = synapse.weight as u64;
                partners.push(Partner { neuron: synapse.target, listed });
            });
        }))
    }
}
