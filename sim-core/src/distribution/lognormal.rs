//! The exponential of a normal distribution.

use super::{Bounds, Describe, DistributionEntry, Law, check_positive};
use crate::diagnostics::Findings;
use crate::random::Stream;
use crate::units::Quantity;
use rand_distr::Distribution as _;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// In the registry.
pub static ENTRY: DistributionEntry = DistributionEntry {
    name: "lognormal",
    summary: "lognormal: median · exp(sigma · standard normal); a negative median mirrors it",
    keys: &["median", "sigma", "clip_low", "clip_high", "redraw_low", "redraw_high"],
    of_distance: false,
};

/// median · exp(sigma · z) with a standard normal z. The mean is median · exp(sigma²/2).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "Keys")]
pub struct Lognormal {
    /// Median (before bounds); other tools give its logarithm as `mu` or `mean`.
    pub median: Quantity,
    /// Standard deviation of the logarithm.
    pub sigma: f64,
    /// Bounds; their keys stand beside the others.
    #[serde(flatten)]
    pub bounds: Bounds,
}

bounded_keys!(Lognormal { median: Quantity, sigma: f64 });

/// Draws of a larger spread would overflow.
const LARGEST_SIGMA: f64 = 20.0;

impl Describe for Lognormal {
    fn quantities(&self) -> Vec<(&'static str, Quantity)> {
        let mut all = vec![("median", self.median)];
        all.extend(self.bounds.quantities());
        all
    }

    fn law(&self, findings: &mut Findings<'_>) -> Option<Arc<dyn Law>> {
        check_positive(findings, "sigma", self.sigma, true).then_some(())?;
        if self.sigma > LARGEST_SIGMA {
            let message = format!("`sigma` is {}", self.sigma);
            findings.wrong("out-of-range", "sigma", message, "it is the spread of a logarithm");
            return None;
        }
        let normal = rand_distr::Normal::new(0.0, self.sigma).ok()?;
        self.bounds.around(Plain { median: self.median.in_base(), normal }, findings)
    }
}

#[derive(Debug)]
struct Plain {
    median: f64,
    normal: rand_distr::Normal<f64>,
}

impl Law for Plain {
    fn draw(&self, stream: &mut Stream, _distance: f64) -> f64 {
        self.median * self.normal.sample(stream).exp()
    }
}
