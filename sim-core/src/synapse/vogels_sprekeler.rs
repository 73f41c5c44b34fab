//! Inhibitory plasticity that balances excitation.
//!
//! # Equations
//! Traces x (presynaptic, τ) and y (postsynaptic, τ_y; τ where nothing is said) rise by 1 at a spike.
//! Weights are inhibitory: their amount |w| changes, the sign stays.
//! - postsynaptic spike: |w| ← min(w_max, |w| + η x)
//! - presynaptic spike: |w| ← max(0, min(w_max, |w| + η y) − η α), α = 2 ρ₀ τ
//!
//! # Source
//! Vogels, Sprekeler, Zenke, Clopath and Gerstner 2011, Science 334:1569, supplement, equation S1.

use super::learning::{Kernel, Learning, Trace};
use super::rule::{
    Made, Pairing, RuleContext, RuleKind, RuleParameter, RuleSpec, SynapseRule, Unit,
};
use super::stdp_additive::LARGEST_WEIGHT;
use crate::neuron::Range;
use crate::units::Dimension;
use kernels::real::exp;

/// See the module.
#[derive(Debug)]
pub struct Rule;

static SPEC: RuleSpec = RuleSpec {
    name: "vogels_sprekeler",
    summary: "inhibitory plasticity that holds the target's rate by balancing its excitation",
    kind: RuleKind::LongTerm,
    parameters: &[
        RuleParameter {
            name: "tau",
            symbol: "τ",
            unit: Unit::Of(Dimension::Time),
            default: Some(20.0),
            range: Range::Positive,
            meaning: "decay of the presynaptic trace",
        },
        RuleParameter {
            name: "change",
            symbol: "η",
            unit: Unit::Weight,
            default: Some(0.001),
            range: Range::NonNegative,
            meaning: "change of the weight's amount by one pair",
        },
        RuleParameter {
            name: "target_rate",
            symbol: "ρ₀",
            unit: Unit::Of(Dimension::Rate),
            default: Some(0.003),
            range: Range::NonNegative,
            meaning: "rate that the targets are brought to",
        },
        LARGEST_WEIGHT,
        RuleParameter {
            name: "tau_post",
            symbol: "τ_y",
            unit: Unit::Of(Dimension::Time),
            default: Some(0.0),
            range: Range::NonNegative,
            meaning: "decay of the postsynaptic trace; 0: that of the presynaptic one",
        },
    ],
    modulated: false,
    weights: Range::Any,
    pairings: &[Pairing::AllToAll, Pairing::Nearest],
    reference: "Vogels et al. 2011, Science 334:1569",
};

struct Balance {
    /// −1/τ and −1/τ_y [1/ms].
    decay: [f64; 2],
    change: f64,
    /// η α.
    depression: f64,
    largest_weight: f64,
}

impl Balance {
    #[inline(always)]
    fn raised(&self, amount: f64, trace: f64) -> f64 {
        (amount + self.change * trace).min(self.largest_weight)
    }
}

impl Kernel for Balance {
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
        self.raised(weight.abs(), pre[0]).copysign(weight)
    }

    #[inline(always)]
    fn depress(&self, weight: f64, post: Trace, _pre: Trace) -> f64 {
        // The sign of a zero keeps the synapse inhibitory.
        (self.raised(weight.abs(), post[0]) - self.depression).max(0.0).copysign(weight)
    }
}

impl SynapseRule for Rule {
    fn spec(&self) -> &'static RuleSpec {
        &SPEC
    }

    fn make(&self, context: RuleContext<'_>) -> Made {
        let given = context.parameters;
        let post = if given[4] > 0.0 { given[4] } else { given[0] };
        let kernel = Balance {
            decay: [-1.0 / given[0], -1.0 / post],
            change: given[1],
            depression: given[1] * 2.0 * given[2] * given[0],
            largest_weight: given[3],
        };
        Made::LongTerm(Box::new(Learning::new(kernel, context)))
    }
}
