//! A gamma distribution.

use super::{Bounds, Describe, DistributionEntry, Law, check_positive};
use crate::diagnostics::Findings;
use crate::random::Stream;
use crate::units::Quantity;
use rand_distr::Distribution as _;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// In the registry.
pub static ENTRY: DistributionEntry = DistributionEntry {
    name: "gamma",
    summary: "gamma with a shape and a scale (mean shape · scale)",
    keys: &["shape", "scale", "clip_low", "clip_high", "redraw_low", "redraw_high"],
    of_distance: false,
};

/// A gamma distribution with mean shape · scale and variance shape · scale².
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "Keys")]
pub struct Gamma {
    /// Shape, above zero.
    pub shape: f64,
    /// Scale; a negative one mirrors the distribution.
    pub scale: Quantity,
    /// Bounds; their keys stand beside the others.
    #[serde(flatten)]
    pub bounds: Bounds,
}

bounded_keys!(Gamma { shape: f64, scale: Quantity });

impl Describe for Gamma {
    fn quantities(&self) -> Vec<(&'static str, Quantity)> {
        let mut all = vec![("scale", self.scale)];
        all.extend(self.bounds.quantities());
        all
    }

    fn law(&self, findings: &mut Findings<'_>) -> Option<Arc<dyn Law>> {
        check_positive(findings, "shape", self.shape, false).then_some(())?;
        let unit = rand_distr::Gamma::new(self.shape, 1.0).ok()?;
        self.bounds.around(Plain { scale: self.scale.in_base(), unit }, findings)
    }
}

#[derive(Debug)]
struct Plain {
    scale: f64,
    unit: rand_distr::Gamma<f64>,
}

impl Law for Plain {
    fn draw(&self, stream: &mut Stream, _distance: f64) -> f64 {
        self.scale * self.unit.sample(stream)
    }
}
