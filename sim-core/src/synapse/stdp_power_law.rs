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

use super::learning::{Kernel, Trace};
use super::rule::{
    Made, Pairing, RuleContext, RuleKind, RuleParameter, RuleSpec, SynapseRule, Unit,
};
use super::stdp_additive::{ASYMMETRY, LEARNING_RATE, TAU_MINUS, TAU_PLUS, paired};
use crate::neuron::Range;
use crate::units::Dimension;
use kernels::real::{exp, power};

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
    pairings: &Pairing::ALL,
    reference: "Morrison, Aertsen and Diesmann 2007, Neural Comput. 19:1437",
};

struct PowerLaw {
    /// −1/τ₊ and −1/τ₋ [1/ms].
    decay: [f64; 2],
    /// 1/w₀ and λ w₀.
    per_reference: f64,
    potentiation: f64,
    /// α λ.
    depression: f64,
    exponent: f64,
}

impl Kernel for PowerLaw {
    #[inline(always)]
    fn pre_decay(&self, trace: Trace, elapsed: f64) -> Trace {
        [trace[0] * exp(elapsed * self.decay[0]), 0.0]
    }

    #[inline(always)]
    fn post_decay(&self, trace: Trace, elapsed: f64) -> Trace {
        [trace[0] * exp(elapsed * self.decay[1]), 0.0]
    }

    #[inline(always)]
    fn potentiate(&self, weight: f64, pre: Trace, _post: Trace) -> f64 {
        weight + self.potentiation * power(weight * self.per_reference, self.exponent) * pre[0]
    }

    #[inline(always)]
    fn depress(&self, weight: f64, post: Trace, _pre: Trace) -> f64 {
        (weight - self.depression * weight * post[0]).max(0.0)
    }
}

impl SynapseRule for Rule {
    fn spec(&self) -> &'static RuleSpec {
        &SPEC
    }

    fn make(&self, context: RuleContext<'_>) -> Made {
        let given = context.parameters;
        let (rate, reference) = (given[2], given[5]);
        let kernel = PowerLaw {
            decay: [-1.0 / given[0], -1.0 / given[1]],
            per_reference: 1.0 / reference,
            potentiation: rate * reference,
            depression: rate * given[3],
            exponent: given[4],
        };
        paired(kernel, context)
    }
}
