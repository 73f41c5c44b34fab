//! An exponential distribution.

use super::{Bounds, Describe, DistributionEntry, Law};
use crate::diagnostics::Findings;
use crate::random::Stream;
use crate::units::Quantity;
use rand_distr::Distribution as _;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// In the registry.
pub static ENTRY: DistributionEntry = DistributionEntry {
    name: "exponential",
    summary: "exponential with a mean; a negative mean mirrors it",
    keys: &["mean", "clip_low", "clip_high", "redraw_low", "redraw_high"],
    of_distance: false,
};

/// An exponential distribution.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "Keys")]
pub struct Exponential {
    /// Mean (before bounds).
    pub mean: Quantity,
    /// Bounds; their keys stand beside the others.
    #[serde(flatten)]
    pub bounds: Bounds,
}

bounded_keys!(Exponential { mean: Quantity });

impl Describe for Exponential {
    fn quantities(&self) -> Vec<(&'static str, Quantity)> {
        let mut all = vec![("mean", self.mean)];
        all.extend(self.bounds.quantities());
        all
    }

    fn law(&self, findings: &mut Findings<'_>) -> Option<Arc<dyn Law>> {
        self.bounds.around(Plain(self.mean.in_base()), findings)
    }
}

#[derive(Debug)]
struct Plain(f64);

impl Law for Plain {
    fn draw(&self, stream: &mut Stream, _distance: f64) -> f64 {
        let unit: f64 = rand_distr::Exp1.sample(stream);
        self.0 * unit
    }
}
