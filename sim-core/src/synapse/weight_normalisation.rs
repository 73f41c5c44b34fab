//! Weight normalisation: the weights of a neuron keep their sum.
//!
//! # Equations
//! Every interval, for each neuron: w ← w · S / Σ w, where Σ runs over its synapses of the projection.
//! A neuron whose weights are all zero keeps them.
//!
//! # Source
//! Malsburg 1973, Kybernetik 14:85, section 2.3; as used by Diehl and Cook 2015, Front. Comput.
//! Neurosci. 9:99.

use super::rule::{
    Homeostasis, Made, RuleContext, RuleKind, RuleParameter, RuleSpec, SynapseRule, Unit,
};
use super::synaptic_scaling::INTERVAL;
use crate::neuron::Range;

/// See the module.
#[derive(Debug)]
pub struct Rule;

static SPEC: RuleSpec = RuleSpec {
    name: "weight_normalisation",
    summary: "keeps the sum of a neuron's weights",
    kind: RuleKind::Homeostasis,
    parameters: &[
        INTERVAL,
        RuleParameter {
            name: "sum",
            symbol: "S",
            unit: Unit::Weight,
            default: None,
            range: Range::Any,
            meaning: "sum of a neuron's weights",
        },
    ],
    modulated: false,
    weights: Range::Any,
    pairings: &[],
    reference: "von der Malsburg 1973, Kybernetik 14:85",
};

struct Normalisation {
    interval: f64,
    sum: f64,
}

impl Homeostasis for Normalisation {
    fn interval(&self) -> f64 {
        self.interval
    }

    fn factor(&self, sum: f64, _rate: f64) -> f64 {
        let factor = self.sum / sum;
        if factor.is_finite() { factor } else { 1.0 }
    }
}

impl SynapseRule for Rule {
    fn spec(&self) -> &'static RuleSpec {
        &SPEC
    }

    fn make(&self, context: RuleContext<'_>) -> Made {
        let (interval, sum) = (context.parameters[0], context.parameters[1]);
        Made::Homeostasis(Box::new(Normalisation { interval, sum }))
    }
}
