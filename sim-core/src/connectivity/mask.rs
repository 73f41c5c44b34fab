//! Masks: the part of space around a source in which targets may lie.

use crate::diagnostics::Findings;
use serde::{Deserialize, Serialize};

/// What lies this close to the border (relative to the mask's size) lies on it: the neurons of a grid have
/// rounded places, and those on a border belong to the mask together.
const ROUNDING: f64 = 1e-10;

/// A part of space around a source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mask {
    /// A box (an interval in one dimension, a rectangle in two).
    Box(BoxMask),
    /// A ball (a circle in two dimensions), hollow or not.
    Ball(BallMask),
    /// An ellipsoid (an ellipse in two dimensions) along the axes.
    Ellipsoid(EllipsoidMask),
}

/// Ways between two corners, both included.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoxMask {
    /// Lowest coordinates of the way from source to target, one an axis.
    pub low: Vec<f64>,
    /// Highest coordinates.
    pub high: Vec<f64>,
}

/// Ways no longer than a radius.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BallMask {
    /// Longest distance.
    pub radius: f64,
    /// Shorter distances lie in the hole; 0 where there is none.
    #[serde(default)]
    pub hole: f64,
    /// Middle of the ball as seen from the source; the source itself where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<Vec<f64>>,
}

/// Ways inside an ellipsoid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EllipsoidMask {
    /// Half the length of each axis.
    pub radii: Vec<f64>,
    /// Middle as seen from the source; the source itself where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<Vec<f64>>,
}

impl Mask {
    /// Whether a way from source to target lies in the mask.
    pub(super) fn contains(&self, way: [f64; 3]) -> bool {
        let from = |anchor: &Option<Vec<f64>>, axis: usize| {
            way[axis] - anchor.as_ref().and_then(|a| a.get(axis)).copied().unwrap_or(0.0)
        };
        match self {
            Mask::Box(BoxMask { low, high }) => {
                let inside = |(axis, (low, high)): (usize, (&f64, &f64))| {
                    let slack = ROUNDING * (high - low);
                    (*low - slack..=*high + slack).contains(&way[axis])
                };
                low.iter().zip(high).enumerate().all(inside)
            }
            Mask::Ball(BallMask { radius, hole, anchor }) => {
                let squares: f64 = (0..3).map(|axis| from(anchor, axis).powi(2)).sum();
                let (outer, inner) = (radius * (1.0 + ROUNDING), hole * (1.0 - ROUNDING));
                squares <= outer * outer && squares >= inner * inner
            }
            Mask::Ellipsoid(EllipsoidMask { radii, anchor }) => {
                let part = |(axis, radius): (usize, &f64)| (from(anchor, axis) / radius).powi(2);
                radii.iter().enumerate().map(part).sum::<f64>() <= 1.0 + ROUNDING
            }
        }
    }

    /// What is wrong with the mask in a space of so many dimensions.
    pub(super) fn check(&self, dimensions: usize, findings: &mut Findings<'_>) {
        let mut axes = |key: &str, numbers: &[f64], lowest: f64| {
            if numbers.len() != dimensions {
                let message = format!("{} numbers in {dimensions} dimensions", numbers.len());
                findings.wrong("wrong-count", key, message, "give one number an axis");
            } else if !numbers.iter().all(|n| n.is_finite() && *n > lowest) {
                let message = format!("{numbers:?}");
                findings.wrong("out-of-range", key, message, "lengths are finite and above zero");
            }
        };
        match self {
            Mask::Box(BoxMask { low, high }) => {
                axes("box/low", low, f64::NEG_INFINITY);
                axes("box/high", high, f64::NEG_INFINITY);
                if low.iter().zip(high).any(|(low, high)| low > high) {
                    let message = format!("{high:?} lies below {low:?}");
                    findings.wrong("out-of-range", "box/high", message, "exchange the two");
                }
            }
            Mask::Ball(BallMask { radius, hole, anchor }) => {
                anchor.iter().for_each(|a| axes("ball/anchor", a, f64::NEG_INFINITY));
                if !(radius.is_finite() && *radius > 0.0 && (0.0..=*radius).contains(hole)) {
                    let message = format!("radius {radius}, hole {hole}");
                    let help = "the radius is above zero, the hole from zero to the radius";
                    findings.wrong("out-of-range", "ball/radius", message, help);
                }
            }
            Mask::Ellipsoid(EllipsoidMask { radii, anchor }) => {
                anchor.iter().for_each(|a| axes("ellipsoid/anchor", a, f64::NEG_INFINITY));
                axes("ellipsoid/radii", radii, 0.0);
            }
        }
    }
}
