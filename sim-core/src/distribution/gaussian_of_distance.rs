//! A Gaussian bell over distance.

use super::{Describe, DistributionEntry, Law, check_positive};
use crate::diagnostics::Findings;
use crate::random::Stream;
use crate::units::Quantity;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// In the registry.
pub static ENTRY: DistributionEntry = DistributionEntry {
    name: "gaussian_of_distance",
    summary: "at_zero · exp(-distance² / (2 std²))",
    keys: &["at_zero", "std"],
    of_distance: true,
};

/// at_zero · exp(−distance² / (2 std²)).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GaussianOfDistance {
    /// Value at distance zero.
    pub at_zero: Quantity,
    /// Width of the bell, in the unit of the positions.
    pub std: f64,
}

impl Describe for GaussianOfDistance {
    fn quantities(&self) -> Vec<(&'static str, Quantity)> {
        vec![("at_zero", self.at_zero)]
    }

    fn law(&self, findings: &mut Findings<'_>) -> Option<Arc<dyn Law>> {
        check_positive(findings, "std", self.std, false).then_some(())?;
        Some(Arc::new(Plain { at_zero: self.at_zero.in_base(), std: self.std }))
    }
}

#[derive(Debug)]
struct Plain {
    at_zero: f64,
    std: f64,
}

impl Law for Plain {
    fn draw(&self, _stream: &mut Stream, distance: f64) -> f64 {
        let relative = distance / self.std;
        self.at_zero * (-0.5 * relative * relative).exp()
    }

    fn range(&self) -> (f64, f64) {
        (self.at_zero.min(0.0), self.at_zero.max(0.0))
    }
}
