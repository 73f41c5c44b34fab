//! Bounds of a distribution: what happens to a draw that lies outside.

use super::Law;
use crate::diagnostics::Findings;
use crate::random::Stream;
use crate::units::Quantity;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A draw outside `clip_low ..= clip_high` is set to the bound; one outside
/// `redraw_low ..= redraw_high` is drawn again.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Bounds {
    /// Smaller draws become this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_low: Option<Quantity>,
    /// Larger draws become this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_high: Option<Quantity>,
    /// Smaller draws are drawn again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redraw_low: Option<Quantity>,
    /// Larger draws are drawn again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redraw_high: Option<Quantity>,
}

/// Trials at validation, of which one must lie within the bounds.
const TRIALS: u32 = 1000;
/// Most draws for one number; a law of which one in a thousand draws fits fails once in 10^43.
const MOST_DRAWS: u32 = 100_000;

impl Bounds {
    /// No bounds.
    pub const NONE: Bounds =
        Bounds { clip_low: None, clip_high: None, redraw_low: None, redraw_high: None };

    /// Smaller draws become `low`.
    pub fn clip_low(low: impl Into<Quantity>) -> Bounds {
        Bounds { clip_low: Some(low.into()), ..Bounds::NONE }
    }

    /// Smaller draws are drawn again.
    pub fn redraw_low(low: impl Into<Quantity>) -> Bounds {
        Bounds { redraw_low: Some(low.into()), ..Bounds::NONE }
    }

    /// The bounds that are given, by key.
    pub(super) fn quantities(&self) -> Vec<(&'static str, Quantity)> {
        let all = [
            ("clip_low", self.clip_low),
            ("clip_high", self.clip_high),
            ("redraw_low", self.redraw_low),
            ("redraw_high", self.redraw_high),
        ];
        all.into_iter().filter_map(|(key, bound)| Some((key, bound?))).collect()
    }

    /// The law with its bounds.
    pub(super) fn around(
        &self,
        law: impl Law + 'static,
        findings: &mut Findings<'_>,
    ) -> Option<Arc<dyn Law>> {
        if *self == Bounds::NONE {
            return Some(Arc::new(law));
        }
        let low = |bound: Option<Quantity>| bound.map_or(f64::NEG_INFINITY, |q| q.in_base());
        let high = |bound: Option<Quantity>| bound.map_or(f64::INFINITY, |q| q.in_base());
        let bounded = Bounded {
            law,
            clip: (low(self.clip_low), high(self.clip_high)),
            redraw: (low(self.redraw_low), high(self.redraw_high)),
        };
        for (name, (low, high)) in [("clip_high", bounded.clip), ("redraw_high", bounded.redraw)] {
            if low > high {
                let message = format!("the upper bound {high} is below the lower one {low}");
                findings.wrong("out-of-range", name, message, "exchange the two");
                return None;
            }
        }
        let mut trial = Stream::new(0, crate::random::Purpose::Parameter, 0, 0);
        let seldom = (0..TRIALS).all(|_| !bounded.keeps(bounded.law.draw(&mut trial, 0.0)));
        if seldom {
            findings.wrong(
                "out-of-range",
                if self.redraw_low.is_some() { "redraw_low" } else { "redraw_high" },
                "fewer than one in a thousand draws lies within the bounds",
                "widen the bounds, or clip",
            );
            return None;
        }
        Some(Arc::new(bounded))
    }
}

#[derive(Debug)]
struct Bounded<L> {
    law: L,
    clip: (f64, f64),
    redraw: (f64, f64),
}

impl<L> Bounded<L> {
    fn keeps(&self, drawn: f64) -> bool {
        drawn >= self.redraw.0 && drawn <= self.redraw.1
    }
}

impl<L: Law> Law for Bounded<L> {
    fn draw(&self, stream: &mut Stream, distance: f64) -> f64 {
        let mut drawn = self.law.draw(stream, distance);
        for _ in 1..MOST_DRAWS {
            if self.keeps(drawn) {
                break;
            }
            drawn = self.law.draw(stream, distance);
        }
        drawn.clamp(self.redraw.0, self.redraw.1).clamp(self.clip.0, self.clip.1)
    }

    fn draw_row(&self, row: &Stream, distance: &dyn Fn(usize) -> f64, drawn: &mut [f64]) {
        self.law.draw_row(row, distance, drawn);
        for (position, drawn) in drawn.iter_mut().enumerate() {
            *drawn = match self.keeps(*drawn) {
                true => drawn.clamp(self.clip.0, self.clip.1),
                false => self.draw(&mut row.of_position(position), distance(position)),
            };
        }
    }

    fn range(&self) -> (f64, f64) {
        (self.clip.0.max(self.redraw.0), self.clip.1.min(self.redraw.1))
    }
}
