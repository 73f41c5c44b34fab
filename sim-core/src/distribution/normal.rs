//! A normal distribution.

use super::{Bounds, Describe, DistributionEntry, Law, check_positive};
use crate::diagnostics::Findings;
use crate::random::Stream;
use crate::units::Quantity;
use kernels::Instructions;
use kernels::normal::standard_normals;
use rand_distr::Distribution as _;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// In the registry.
pub static ENTRY: DistributionEntry = DistributionEntry {
    name: "normal",
    summary: "normal with a mean and a standard deviation, clipped or drawn again outside bounds",
    keys: &["mean", "std", "clip_low", "clip_high", "redraw_low", "redraw_high"],
    of_distance: false,
};

/// A normal distribution; outside its bounds clipped or drawn again.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "Keys")]
pub struct Normal {
    /// Mean (before bounds).
    pub mean: Quantity,
    /// Standard deviation (before bounds).
    pub std: Quantity,
    /// Bounds; their keys stand beside the others.
    #[serde(flatten)]
    pub bounds: Bounds,
}

bounded_keys!(Normal { mean: Quantity, std: Quantity });

impl Describe for Normal {
    fn quantities(&self) -> Vec<(&'static str, Quantity)> {
        let mut all = vec![("mean", self.mean), ("std", self.std)];
        all.extend(self.bounds.quantities());
        all
    }

    fn law(&self, findings: &mut Findings<'_>) -> Option<Arc<dyn Law>> {
        check_positive(findings, "std", self.std.in_base(), true).then_some(())?;
        let law = rand_distr::Normal::new(self.mean.in_base(), self.std.in_base()).ok()?;
        self.bounds.around(Plain(law), findings)
    }
}

#[derive(Debug)]
struct Plain(rand_distr::Normal<f64>);

impl Law for Plain {
    fn draw(&self, stream: &mut Stream, _distance: f64) -> f64 {
        self.0.sample(stream)
    }

    fn draw_row(&self, row: &Stream, _distance: &dyn Fn(usize) -> f64, drawn: &mut [f64]) {
        let bits = row.batch(drawn.len());
        let mut normals = vec![0.0; bits.len()];
        standard_normals(Instructions::widest(), &bits, &mut normals);
        for (drawn, normal) in drawn.iter_mut().zip(normals) {
            *drawn = self.0.mean() + self.0.std_dev() * normal;
        }
    }
}
