//! A decaying exponential over distance.

use super::{Describe, DistributionEntry, Law, check_positive};
use crate::diagnostics::Findings;
use crate::random::Stream;
use crate::units::Quantity;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// In the registry.
pub static ENTRY: DistributionEntry = DistributionEntry {
    name: "exponential_of_distance",
    summary: "at_zero · exp(-distance / length)",
    keys: &["at_zero", "length"],
    of_distance: true,
};

/// at_zero · exp(−distance / length).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExponentialOfDistance {
    /// Value at distance zero.
    pub at_zero: Quantity,
    /// Distance in which it falls to 1/e, in the unit of the positions.
    pub length: f64,
}

impl Describe for ExponentialOfDistance {
    fn quantities(&self) -> Vec<(&'static str, Quantity)> {
        vec![("at_zero", self.at_zero)]
    }

    fn law(&self, findings: &mut Findings<'_>) -> Option<Arc<dyn Law>> {
        check_positive(findings, "length", self.length, false).then_some(())?;
        Some(Arc::new(Plain { at_zero: self.at_zero.in_base(), length: self.length }))
    }
}

#[derive(Debug)]
struct Plain {
    at_zero: f64,
    length: f64,
}

impl Law for Plain {
    fn draw(&self, _stream: &mut Stream, distance: f64) -> f64 {
        self.at_zero * (-distance / self.length).exp()
    }

    fn range(&self) -> (f64, f64) {
        (self.at_zero.min(0.0), self.at_zero.max(0.0))
    }
}
