//! Pair-based spike-timing-dependent plasticity, multiplicative.
//!
//! # Equations
//! As [`super::stdp_additive`], with changes that vanish towards the bounds:
//! - postsynaptic spike: w ← w + λ (w_max − w) x
//! - presynaptic spike: w ← w − α λ w y
//!
//! # Source
//! Rubin, Lee and Sompolinsky 2001, Phys. Rev. Lett. 86:364; as a limit (μ = 1) of Gütig et al.
//! 2003, J. Neurosci. 23:3697, equation 4.

use super::rule::{Made, Pairing, RuleContext, RuleKind, RuleSpec, SynapseRule};
use super::stdp_additive::{PAIR_PARAMETERS, PairKernel, paired};
use crate::neuron::Range;

/// See the module.
#[derive(Debug)]
pub struct Rule;

static SPEC: RuleSpec = RuleSpec {
    name: "stdp_multiplicative",
    summary: "pair STDP, multiplicative: changes vanish towards the bounds of the weight",
    kind: RuleKind::LongTerm,
    parameters: &PAIR_PARAMETERS,
    modulated: false,
    weights: Range::NonNegative,
    pairings: &Pairing::ALL,
    reference: "Rubin, Lee and Sompolinsky 2001, Phys. Rev. Lett. 86:364",
};

impl SynapseRule for Rule {
    fn spec(&self) -> &'static RuleSpec {
        &SPEC
    }

    fn make(&self, context: RuleContext<'_>) -> Made {
        let kernel = PairKernel::new(context.parameters, [1.0; 2]);
        paired(kernel, context)
    }
}
