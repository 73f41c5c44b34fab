//! Triplet spike-timing-dependent plasticity.
//!
//! # Equations
//! Traces r₁ (τ₊), r₂ (τ_x) of the presynaptic and o₁ (τ₋), o₂ (τ_y) of the postsynaptic neuron rise
//! by 1 at their own spikes; the slow ones (r₂, o₂) are read just before their own spike.
//! - postsynaptic spike: w ← min(w_max, w + r₁ (A₂⁺ + A₃⁺ o₂))
//! - presynaptic spike: w ← max(0, w − o₁ (A₂⁻ + A₃⁻ r₂))
//!
//! # Source
//! Pfister and Gerstner 2006, J. Neurosci. 26:9673, equations 3 and 4.

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

const fn time(
    name: &'static str,
    symbol: &'static str,
    default: f64,
    meaning: &'static str,
) -> RuleParameter {
    let (unit, range) = (Unit::Of(Dimension::Time), Range::Positive);
    RuleParameter { name, symbol, unit, default: Some(default), range, meaning }
}

const fn change(
    name: &'static str,
    symbol: &'static str,
    default: f64,
    meaning: &'static str,
) -> RuleParameter {
    let (unit, range) = (Unit::Weight, Range::NonNegative);
    RuleParameter { name, symbol, unit, default: Some(default), range, meaning }
}

static SPEC: RuleSpec = RuleSpec {
    name: "stdp_triplet",
    summary: "triplet STDP: potentiation and depression also depend on a slow trace",
    kind: RuleKind::LongTerm,
    parameters: &[
        time("tau_plus", "τ₊", 16.8, "decay of the fast presynaptic trace"),
        time("tau_plus_triplet", "τ_x", 101.0, "decay of the slow presynaptic trace"),
        time("tau_minus", "τ₋", 33.7, "decay of the fast postsynaptic trace"),
        time("tau_minus_triplet", "τ_y", 125.0, "decay of the slow postsynaptic trace"),
        change("pair_potentiation", "A₂⁺", 5e-10, "potentiation by a pair"),
        change("triplet_potentiation", "A₃⁺", 6.2e-3, "potentiation by a triplet"),
        change("pair_depression", "A₂⁻", 7e-3, "depression by a pair"),
        change("triplet_depression", "A₃⁻", 2.3e-4, "depression by a triplet"),
        LARGEST_WEIGHT,
    ],
    modulated: false,
    weights: Range::NonNegative,
    pairings: &[Pairing::AllToAll, Pairing::Nearest, Pairing::NearestRestricted],
    reference: "Pfister and Gerstner 2006, J. Neurosci. 26:9673",
};

struct Triplet {
    /// −1/τ of the traces [1/ms].
    pre: Trace,
    post: Trace,
    potentiation: [f64; 2],
    depression: [f64; 2],
    largest_weight: f64,
}

#[inline(always)]
fn decay(trace: Trace, elapsed: f64, rates: Trace) -> Trace {
    [trace[0] * exp(elapsed * rates[0]), trace[1] * exp(elapsed * rates[1])]
}

impl Kernel for Triplet {
    const NEEDS_POST: bool = true;

    #[inline(always)]
    fn pre_decay(&self, trace: Trace, elapsed: f64) -> Trace {
        decay(trace, elapsed, self.pre)
    }

    #[inline(always)]
    fn post_decay(&self, trace: Trace, elapsed: f64) -> Trace {
        decay(trace, elapsed, self.post)
    }

    #[inline(always)]
    fn potentiate(&self, weight: f64, pre: Trace, post: Trace) -> f64 {
        let change = pre[0] * (self.potentiation[0] + self.potentiation[1] * post[1]);
        (weight + change).min(self.largest_weight)
    }

    #[inline(always)]
    fn depress(&self, weight: f64, post: Trace, pre: Trace) -> f64 {
        (weight - post[0] * (self.depression[0] + self.depression[1] * pre[1])).max(0.0)
    }
}

impl SynapseRule for Rule {
    fn spec(&self) -> &'static RuleSpec {
        &SPEC
    }

    fn make(&self, context: RuleContext<'_>) -> Made {
        let given = context.parameters;
        let kernel = Triplet {
            pre: [-1.0 / given[0], -1.0 / given[1]],
            post: [-1.0 / given[2], -1.0 / given[3]],
            potentiation: [given[4], given[5]],
            depression: [given[6], given[7]],
            largest_weight: given[8],
        };
        Made::LongTerm(Box::new(Learning::new(kernel, context)))
    }
}
