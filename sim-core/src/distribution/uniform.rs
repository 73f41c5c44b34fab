//! Equally likely between two bounds.

use super::{Describe, DistributionEntry, Law};
use crate::diagnostics::Findings;
use crate::random::{Stream, unit_interval};
use crate::units::Quantity;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// In the registry.
pub static ENTRY: DistributionEntry = DistributionEntry {
    name: "uniform",
    summary: "equally likely from `low` up to but not including `high`",
    keys: &["low", "high"],
    of_distance: false,
};

/// A uniform distribution over [low, high).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Uniform {
    /// Lower bound.
    pub low: Quantity,
    /// Upper bound.
    pub high: Quantity,
}

impl Describe for Uniform {
    fn quantities(&self) -> Vec<(&'static str, Quantity)> {
        vec![("low", self.low), ("high", self.high)]
    }

    fn law(&self, findings: &mut Findings<'_>) -> Option<Arc<dyn Law>> {
        let (low, high) = (self.low.in_base(), self.high.in_base());
        if low > high {
            let message = format!("`high` is {}, `low` is {}", self.high, self.low);
            findings.wrong("out-of-range", "high", message, "exchange the two");
            return None;
        }
        Some(Arc::new(Plain { low, high }))
    }
}

#[derive(Debug)]
struct Plain {
    low: f64,
    high: f64,
}

impl Law for Plain {
    fn draw(&self, stream: &mut Stream, _distance: f64) -> f64 {
        self.low + (self.high - self.low) * stream.next_uniform()
    }

    fn draw_row(&self, row: &Stream, _distance: &dyn Fn(usize) -> f64, drawn: &mut [f64]) {
        let bits = row.batch(drawn.len());
        for (drawn, bits) in drawn.iter_mut().zip(bits) {
            *drawn = self.low + (self.high - self.low) * unit_interval(bits);
        }
    }

    fn range(&self) -> (f64, f64) {
        (self.low, self.high)
    }
}
