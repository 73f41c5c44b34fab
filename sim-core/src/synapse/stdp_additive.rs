//! Pair-based spike-timing-dependent plasticity, additive.
//!
//! # Equations
//! Traces x (presynaptic, τ₊) and y (postsynaptic, τ₋) rise by 1 at a spike and decay exponentially.
//! - postsynaptic spike: w ← min(w_max, w + λ w_max x)
//! - presynaptic spike: w ← max(0, w − α λ w_max y)
//!
//! # Source
//! Song, Miller and Abbott 2000, Nat. Neurosci. 3:919; as a limit (μ = 0) of Gütig et al. 2003,
//! J. Neurosci. 23:3697, equations 1 and 4. The file holds what all pair rules share: their
//! parameters and the kernel with a dependence on the weight.

use super::centred::Centred;
use super::learning::{Kernel, Learning, Trace};
use super::rule::{
    Made, Pairing, RuleContext, RuleKind, RuleParameter, RuleSpec, SynapseRule, Unit,
};
use crate::neuron::Range;
use crate::units::Dimension;
use kernels::real::{exp, power};

pub(super) const TAU_PLUS: RuleParameter = RuleParameter {
    name: "tau_plus",
    symbol: "τ₊",
    unit: Unit::Of(Dimension::Time),
    default: Some(20.0),
    range: Range::Positive,
    meaning: "decay of the presynaptic trace: the window of potentiation",
};

pub(super) const TAU_MINUS: RuleParameter = RuleParameter {
    name: "tau_minus",
    symbol: "τ₋",
    unit: Unit::Of(Dimension::Time),
    default: Some(20.0),
    range: Range::Positive,
    meaning: "decay of the postsynaptic trace: the window of depression",
};

pub(super) const LEARNING_RATE: RuleParameter = RuleParameter {
    name: "learning_rate",
    symbol: "λ",
    unit: Unit::Of(Dimension::Number),
    default: Some(0.01),
    range: Range::NonNegative,
    meaning: "relative change of the weight by one pair",
};

pub(super) const ASYMMETRY: RuleParameter = RuleParameter {
    name: "asymmetry",
    symbol: "α",
    unit: Unit::Of(Dimension::Number),
    default: Some(1.0),
    range: Range::NonNegative,
    meaning: "depression relative to potentiation",
};

pub(super) const LARGEST_WEIGHT: RuleParameter = RuleParameter {
    name: "largest_weight",
    symbol: "w_max",
    unit: Unit::Weight,
    default: None,
    range: Range::Positive,
    meaning: "the weight stays between 0 and this",
};

/// A pair rule at work, with any pairing.
pub(super) fn paired<K: Kernel>(kernel: K, context: RuleContext<'_>) -> Made {
    Made::LongTerm(match context.pairing {
        Pairing::NearestPresynaptic => Box::new(Centred::new(kernel, context)),
        _ => Box::new(Learning::new(kernel, context)),
    })
}

/// Parameters of a pair rule, in this order; others follow.
pub(super) const PAIR_PARAMETERS: [RuleParameter; 5] =
    [TAU_PLUS, TAU_MINUS, LEARNING_RATE, ASYMMETRY, LARGEST_WEIGHT];

/// The equations of a pair rule: `exponents` μ₊ and μ₋ say how changes depend on the weight.
pub(super) struct PairKernel {
    /// −1/τ₊ and −1/τ₋ [1/ms].
    decay: [f64; 2],
    learning_rate: f64,
    asymmetry: f64,
    largest_weight: f64,
    exponents: [f64; 2],
}

impl PairKernel {
    /// From the parameters of [`PAIR_PARAMETERS`].
    pub(super) fn new(parameters: &[f64], exponents: [f64; 2]) -> Self {
        PairKernel {
            decay: [-1.0 / parameters[0], -1.0 / parameters[1]],
            learning_rate: parameters[2],
            asymmetry: parameters[3],
            largest_weight: parameters[4],
            exponents,
        }
    }
}

/// base^exponent, of a negative base as of zero; the common exponents cost no logarithm.
#[inline(always)]
fn changed(base: f64, exponent: f64) -> f64 {
    if exponent == 0.0 {
        1.0
    } else if exponent == 1.0 {
        base
    } else {
        power(base, exponent)
    }
}

impl Kernel for PairKernel {
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
        let relative = weight / self.largest_weight;
        let change = self.learning_rate * changed(1.0 - relative, self.exponents[0]) * pre[0];
        ((relative + change) * self.largest_weight).min(self.largest_weight)
    }

    #[inline(always)]
    fn depress(&self, weight: f64, post: Trace, _pre: Trace) -> f64 {
        let relative = weight / self.largest_weight;
        let change =
            self.asymmetry * self.learning_rate * changed(relative, self.exponents[1]) * post[0];
        ((relative - change) * self.largest_weight).max(0.0)
    }
}

/// See the module.
#[derive(Debug)]
pub struct Rule;

static SPEC: RuleSpec = RuleSpec {
    name: "stdp_additive",
    summary: "pair STDP, additive: changes do not depend on the weight",
    kind: RuleKind::LongTerm,
    parameters: &PAIR_PARAMETERS,
    modulated: false,
    weights: Range::NonNegative,
    pairings: &Pairing::ALL,
    reference: "Song, Miller and Abbott 2000, Nat. Neurosci. 3:919",
};

impl SynapseRule for Rule {
    fn spec(&self) -> &'static RuleSpec {
        &SPEC
    }

    fn make(&self, context: RuleContext<'_>) -> Made {
        let kernel = PairKernel::new(context.parameters, [0.0; 2]);
        paired(kernel, context)
    }
}
