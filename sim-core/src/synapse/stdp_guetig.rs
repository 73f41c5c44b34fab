//! Pair-based spike-timing-dependent plasticity after Gütig et al.: between additive and
//! multiplicative.
//!
//! # Equations
//! As [`super::stdp_additive`], with ω = w / w_max:
//! - postsynaptic spike: ω ← min(1, ω + λ (1 − ω)^μ₊ x)
//! - presynaptic spike: ω ← max(0, ω − α λ ω^μ₋ y)
//!
//! # Source
//! Gütig, Aharonov, Rotter and Sompolinsky 2003, J. Neurosci. 23:3697, equations 1 and 4.

use super::rule::{
    Made, Pairing, RuleContext, RuleKind, RuleParameter, RuleSpec, SynapseRule, Unit,
};
use super::stdp_additive::{
    ASYMMETRY, LARGEST_WEIGHT, LEARNING_RATE, PairKernel, TAU_MINUS, TAU_PLUS, paired,
};
use crate::neuron::Range;
use crate::units::Dimension;

/// See the module.
#[derive(Debug)]
pub struct Rule;

const fn exponent(name: &'static str, symbol: &'static str) -> RuleParameter {
    RuleParameter {
        name,
        symbol,
        unit: Unit::Of(Dimension::Number),
        default: Some(0.4),
        range: Range::NonNegative,
        meaning: "how the change depends on the weight: 0 additive, 1 multiplicative",
    }
}

static SPEC: RuleSpec = RuleSpec {
    name: "stdp_guetig",
    summary: "pair STDP with any dependence on the weight between additive and multiplicative",
    kind: RuleKind::LongTerm,
    parameters: &[
        TAU_PLUS,
        TAU_MINUS,
        LEARNING_RATE,
        ASYMMETRY,
        LARGEST_WEIGHT,
        exponent("exponent_plus", "μ₊"),
        exponent("exponent_minus", "μ₋"),
    ],
    modulated: false,
    weights: Range::NonNegative,
    pairings: &Pairing::ALL,
    reference: "Gütig et al. 2003, J. Neurosci. 23:3697",
};

impl SynapseRule for Rule {
    fn spec(&self) -> &'static RuleSpec {
        &SPEC
    }

    fn make(&self, context: RuleContext<'_>) -> Made {
        let given = context.parameters;
        let kernel = PairKernel::new(given, [given[5], given[6]]);
        paired(kernel, context)
    }
}
