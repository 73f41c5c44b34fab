//! A straight line over distance.

use super::{Bounds, Describe, DistributionEntry, Law};
use crate::diagnostics::Findings;
use crate::random::Stream;
use crate::units::Quantity;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// In the registry.
pub static ENTRY: DistributionEntry = DistributionEntry {
    name: "linear_of_distance",
    summary: "at_zero + per_unit · distance (a delay with a conduction velocity, for example)",
    keys: &["at_zero", "per_unit", "clip_low", "clip_high"],
    of_distance: true,
};

/// at_zero + per_unit · distance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinearOfDistance {
    /// Value at distance zero.
    pub at_zero: Quantity,
    /// Increase with each unit of distance.
    pub per_unit: Quantity,
    /// Smaller values become this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_low: Option<Quantity>,
    /// Larger values become this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_high: Option<Quantity>,
}

impl LinearOfDistance {
    fn bounds(&self) -> Bounds {
        Bounds { clip_low: self.clip_low, clip_high: self.clip_high, ..Bounds::NONE }
    }
}

impl Describe for LinearOfDistance {
    fn quantities(&self) -> Vec<(&'static str, Quantity)> {
        let mut all = vec![("at_zero", self.at_zero), ("per_unit", self.per_unit)];
        all.extend(self.bounds().quantities());
        all
    }

    fn law(&self, findings: &mut Findings<'_>) -> Option<Arc<dyn Law>> {
        let (at_zero, per_unit) = (self.at_zero.in_base(), self.per_unit.in_base());
        self.bounds().around(Plain { at_zero, per_unit }, findings)
    }
}

#[derive(Debug)]
struct Plain {
    at_zero: f64,
    per_unit: f64,
}

impl Law for Plain {
    fn draw(&self, _stream: &mut Stream, distance: f64) -> f64 {
        self.at_zero + self.per_unit * distance
    }
}
