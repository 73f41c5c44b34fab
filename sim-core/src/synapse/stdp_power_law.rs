//! Pair-based spike-timing-dependent plasticity whose potentiation is a power of the weight.
//!
//! # Equations
//! With traces as in [`super::stdp_additive`] and a reference weight w₀:
//! - postsynaptic spike: w ← w + λ w₀ (w / w₀)^μ x
//! - presynaptic spike: w ← max(0, w − α λ w y)
//!
//! There is no upper bound: depression grows faster than potentiation.
//!
//! # Source
//! Morrison, Aertsen and Diesmann 2007, Neural Comput. 19:1437, equation 3.2.

use super::learning::{Kernel, Learning, Trace};
use super::rule::{Made, RuleContext, RuleKind, RuleParameter, RuleSpec, SynapseRule, Unit};
use super::stdp_additive::{ALL_PAIRINGS, ASYMMETRY, LEARNING_RATE, TAU_MINUS, TAU_PLUS};
use crate::neuron::Range;
use crate::units::Dimension;

/// See the module.
#[derive(Debug)]
pub struct Rule;

static SPEC: RuleSpec = RuleSpec {
    name: "stdp_power_law",
    summary: "pair STDP with potentiation as a power of the weight, without an upper bound",
    kind: RuleKind::LongTerm,
    parameters: &[
        TAU_PLUS,
        TAU_MINUS,
        LEARNING_RATE,
        ASYMMETRY,
        RuleParameter {
            name: "exponent",
            symbol: "μ",
            unit: Unit::Of(Dimension::Number),
            default: Some(0.4),
            range: Range::NonNegative,
            meaning: "power of the weight in potentiation",
        },
        RuleParameter {
            name: "reference_weight",
            symbol: "w₀",
            unit: Unit::Weight,
            default: Some(1.0),
            range: Range::Positive,
            meaning: "weight at which one pair of simultaneous spikes adds λ of it",
        },
    ],
    modulated: false,
    weights: Range::NonNegative,
    pairings: ALL_PAIRINGS,
    reference: "Morrison, Aertsen and Diesmann 2007, Neural Comput. 19:1437",
};

struct PowerLaw {
    tau: [f64; 2],
    learning_rate: f64,
    asymmetry: f64,
    exponent: f64,
    reference_weight: f64,
}

impl Kernel for PowerLaw {
    fn pre_decay(&self, trace: Trace, elapsed: f64) -> Trace {
        [trace[0] * (-elapsed / self.tau[0]).exp(), 0.0]
    }

    fn post_decay(&self, trace: Trace, elapsed: f64) -> Trace {
        [trace[0] * (-elapsed / self.tau[1]).exp(), 0.0]
    }

    fn potentiate(&self, weight: f64, pre: Trace, _post: Trace) -> f64 {
        let power = (weight.max(0.0) / self.reference_weight).powf(self.exponent);
        weight + self.learning_rate * self.reference_weight * power * pre[0]
    }

    fn depress(&self, weight: f64, post: Trace, _pre: Trace) -> f64 {
        (weight - self.learning_rate * self.asymmetry * weight * post[0]).max(0.0)
    }
}

impl SynapseRule for Rule {
    fn spec(&self) -> &'static RuleSpec {
        &SPEC
    }

    fn make(&self, context: RuleContext<'_>) -> Made {
        let given = context.parameters;
        let kernel = PowerLaw {
            tau: [given[0], given[1]],
            learning_rate: given[2],
            asymmetry: given[3],
            exponent: given[4],
            reference_weight: given[5],
        };
        Made::LongTerm(Box::new(Learning::new(kernel, context)))
    }
}
