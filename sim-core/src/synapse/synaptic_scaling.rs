//! Synaptic scaling: all weights of a neuron follow the distance of its rate from a target.
//!
//! # Equations
//! Every interval, for each neuron with rate r since the last time: w ← w · clamp(1 + η (1 − r/r₀),
//! ½, 2).
//!
//! # Source
//! Turrigiano, Leslie, Desai, Rutherford and Nelson 1998, Nature 391:892; in the multiplicative form
//! of van Rossum, Bi and Turrigiano 2000, J. Neurosci. 20:8812, equation 5.

use super::rule::{
    Homeostasis, Made, RuleContext, RuleKind, RuleParameter, RuleSpec, SynapseRule, Unit,
};
use crate::neuron::Range;
use crate::units::Dimension;

/// See the module.
#[derive(Debug)]
pub struct Rule;

pub(super) const INTERVAL: RuleParameter = RuleParameter {
    name: "interval",
    symbol: "T",
    unit: Unit::Of(Dimension::Time),
    default: Some(1000.0),
    range: Range::Positive,
    meaning: "time between the changes, whole steps",
};

static SPEC: RuleSpec = RuleSpec {
    name: "synaptic_scaling",
    summary: "scales all weights of a neuron towards a target rate",
    kind: RuleKind::Homeostasis,
    parameters: &[
        INTERVAL,
        RuleParameter {
            name: "target_rate",
            symbol: "r₀",
            unit: Unit::Of(Dimension::Rate),
            default: Some(0.005),
            range: Range::Positive,
            meaning: "rate that the neurons are brought to",
        },
        RuleParameter {
            name: "learning_rate",
            symbol: "η",
            unit: Unit::Of(Dimension::Number),
            default: Some(0.1),
            range: Range::NonNegative,
            meaning: "relative change for a silent neuron",
        },
    ],
    modulated: false,
    weights: Range::Any,
    pairings: &[],
    reference: "Turrigiano et al. 1998, Nature 391:892",
};

struct Scaling {
    interval: f64,
    /// (1/s).
    target_rate: f64,
    learning_rate: f64,
}

impl Homeostasis for Scaling {
    fn interval(&self) -> f64 {
        self.interval
    }

    fn factor(&self, _sum: f64, rate: f64) -> f64 {
        (1.0 + self.learning_rate * (1.0 - rate / self.target_rate)).clamp(0.5, 2.0)
    }
}

impl SynapseRule for Rule {
    fn spec(&self) -> &'static RuleSpec {
        &SPEC
    }

    fn make(&self, context: RuleContext<'_>) -> Made {
        let given = context.parameters;
        Made::Homeostasis(Box::new(Scaling {
            interval: given[0],
            target_rate: given[1] * 1000.0,
            learning_rate: given[2],
        }))
    }
}
