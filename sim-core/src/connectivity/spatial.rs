//! Pairwise Bernoulli connectivity between neurons that have positions.

use super::{
    BySource, Ends, Mask, Partner, Rows, Rule, RuleEntry, allowed, check_autapses,
    check_probability,
};
use crate::diagnostics::{Findings, Problems};
use crate::distribution::Law;
use crate::network::positions::length;
use crate::random::{Purpose, Stream};
use crate::units::{Dimension, Quantity, Values};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// In the registry.
pub static ENTRY: RuleEntry = RuleEntry {
    name: "spatial",
    summary: "every pair in a mask with a probability that may depend on distance",
    keys: &["probability", "mask", "autapses"],
};

/// Sources, and pairs in all, that the expected number of synapses is estimated from.
const ROWS: u64 = 1024;
const PAIRS: u64 = 1 << 19;

/// 2^32 over the golden ratio, in 64 bits: multiples of it lie far from each other.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// Every pair in the mask is connected with a probability, drawn independently; both populations
/// have positions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spatial {
    /// The probability: a number from 0 to 1 or a function of distance; beyond 1 it counts as 1.
    pub probability: Values,
    /// Where targets may lie; everywhere where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<Mask>,
    /// Whether a neuron may reach itself where source and target are one population.
    #[serde(default = "allowed")]
    pub autapses: bool,
}

impl Rule for Spatial {
    fn check(&self, ends: &Ends, findings: &mut Findings<'_>) {
        check_autapses(self.autapses, ends, findings);
        match &self.probability {
            Values::One(probability) if probability.unit.dimension == Dimension::Number => {
                check_probability("probability", probability.in_base(), findings);
            }
            Values::Drawn(distribution) if distribution.entry().of_distance => {
                findings.within("probability", |f| distribution.lower(Dimension::Number, f));
            }
            _ => findings.wrong(
                "wrong-type",
                "probability",
                "this is neither a number nor a function of distance",
                "give a number from 0 to 1 or, for example, \
                 { gaussian_of_distance = { at_zero = 0.8, std = 0.2 } }",
            ),
        }
        let Some((source, target)) = &ends.positions else {
            findings.wrong(
                "no-positions",
                "",
                "source and target need positions",
                "give both populations `positions`, for example \
                 { grid = { shape = [20, 20], extent = [1.0, 1.0] } }",
            );
            return;
        };
        if source.dimensions != target.dimensions {
            let (from, to) = (source.dimensions, target.dimensions);
            let message = format!("the source lies in {from} dimensions, the target in {to}");
            findings.wrong("sizes-differ", "", message, "give both as many coordinates");
        }
        if let Some(mask) = &self.mask {
            findings.within("mask", |f| mask.check(source.dimensions, f));
        }
    }

    fn expected_synapses(&self, ends: &Ends) -> u64 {
        let kernel = self.kernel();
        let all = u64::from(ends.sources) * u64::from(ends.targets);
        let rows = u64::from(ends.sources).min(ROWS);
        let step = (all / u64::from(ends.sources).max(1) * rows).div_ceil(PAIRS).max(1) as u32;
        let (mut sum, mut pairs) = (0.0, 0_u64);
        for row in 0..rows {
            let source = (row * u64::from(ends.sources) / rows) as u32;
            // Targets that have nothing to do with the source's place: those of a grid lie in rows, too.
            let first = (row.wrapping_mul(GOLDEN) >> 32) as u32 % step;
            for target in (first..ends.targets).step_by(step as usize) {
                if self.autapses || source != target {
                    sum += self.probability_between(&kernel, ends, source, target);
                    pairs += 1;
                }
            }
        }
        (ends.pairs(self.autapses) as f64 * sum / pairs.max(1) as f64).round() as u64
    }

    fn rows<'r>(&'r self, ends: &'r Ends, seed: u64) -> Box<dyn Rows + 'r> {
        let kernel = self.kernel();
        Box::new(BySource(move |row, partners: &mut Vec<Partner>| {
            for target in 0..ends.targets {
                if !self.autapses && target == row {
                    continue;
                }
                let probability = self.probability_between(&kernel, ends, row, target);
                if probability <= 0.0 {
                    continue;
                }
                let draws = Stream::new(seed, Purpose::Connectivity, row, 0);
                let mut draw = draws.starting_at(u64::from(target));
                if draw.next_uniform() < probability {
                    partners.push(Partner::plain(target));
                }
            }
        }))
    }
}

/// The probability as a number or a law of distance.
enum Kernel {
    One(f64),
    Law(Arc<dyn Law>),
}

impl Spatial {
    fn kernel(&self) -> Kernel {
        let law = match &self.probability {
            Values::Drawn(distribution) => {
                let mut problems = Problems::default();
                let mut findings = Findings::new(&mut problems, "");
                distribution.lower(Dimension::Number, &mut findings)
            }
            _ => None,
        };
        match (law, &self.probability) {
            (Some(law), _) => Kernel::Law(law),
            (None, Values::One(probability)) => Kernel::One(Quantity::in_base(probability)),
            // Validation refuses everything else.
            (None, _) => Kernel::One(0.0),
        }
    }

    fn probability_between(&self, kernel: &Kernel, ends: &Ends, source: u32, target: u32) -> f64 {
        let way = ends.displacement(source, target);
        if self.mask.as_ref().is_some_and(|mask| !mask.contains(way)) {
            return 0.0;
        }
        match kernel {
            Kernel::One(probability) => *probability,
            Kernel::Law(law) => {
                // Functions of distance draw nothing.
                let mut unused = Stream::new(0, Purpose::Connectivity, 0, 0);
                law.draw(&mut unused, length(way)).clamp(0.0, 1.0)
            }
        }
    }
}
