//! Axes: what they mean, the range they show and where their ticks stand.

use serde::{Deserialize, Serialize};

use super::number::format_number;

/// Magnitudes beyond this are drawn at the edge, so that differences never overflow.
const LARGEST_DRAWN: f64 = 1e300;

/// What an axis measures and how much of it is shown.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// Quantity, for example `accuracy`.
    pub label: String,
    /// Unit, for example `%` or `ms`; empty for none.
    #[serde(default)]
    pub unit: String,
    /// Spacing of the values.
    #[serde(default)]
    pub scale: AxisScale,
    /// Part of the axis that is shown.
    #[serde(default)]
    pub range: AxisRange,
}

/// Spacing of the values along an axis.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AxisScale {
    /// Equal differences are equally far apart.
    #[default]
    Linear,
    /// Doublings are equally far apart; values that are not positive cannot be shown.
    Log2,
}

/// Part of an axis that is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AxisRange {
    /// From the smallest to the largest value, with a little room.
    #[default]
    Data,
    /// The data and zero.
    FromZero,
    /// Exactly these bounds; the report says how many points lie outside.
    Fixed {
        /// Lower bound.
        minimum: f64,
        /// Upper bound.
        maximum: f64,
    },
}

impl Axis {
    /// A linear axis fitted to its data.
    #[must_use]
    pub fn new(label: &str, unit: &str) -> Self {
        Self { label: label.into(), unit: unit.into(), ..Self::default() }
    }

    /// The same axis with logarithmic spacing to base 2.
    #[must_use]
    pub fn log2(mut self) -> Self {
        self.scale = AxisScale::Log2;
        self
    }

    /// The same axis showing from zero on.
    #[must_use]
    pub fn from_zero(mut self) -> Self {
        self.range = AxisRange::FromZero;
        self
    }

    /// The same axis showing exactly `minimum..=maximum`.
    #[must_use]
    pub fn fixed(mut self, minimum: f64, maximum: f64) -> Self {
        self.range = AxisRange::Fixed { minimum, maximum };
        self
    }

    /// Label with its unit in brackets.
    pub(crate) fn heading(&self) -> String {
        if self.unit.is_empty() {
            self.label.clone()
        } else {
            format!("{} [{}]", self.label, self.unit)
        }
    }

    /// Where `value` stands on the axis, `None` if it cannot be shown.
    pub(crate) fn position(&self, value: f64) -> Option<f64> {
        match self.scale {
            _ if !value.is_finite() => None,
            AxisScale::Linear => Some(value.clamp(-LARGEST_DRAWN, LARGEST_DRAWN)),
            AxisScale::Log2 if value > 0.0 => Some(value.log2()),
            AxisScale::Log2 => None,
        }
    }

    /// Range and ticks for `values`; `margin` is the room on either side as a share of the range.
    pub(crate) fn fit(&self, values: impl Iterator<Item = f64>, margin: f64, ticks: usize) -> Span {
        let mut low = f64::INFINITY;
        let mut high = f64::NEG_INFINITY;
        for position in values.filter_map(|value| self.position(value)) {
            low = low.min(position);
            high = high.max(position);
        }
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        if self.range == AxisRange::FromZero && self.scale == AxisScale::Linear {
            low = low.min(0.0);
            high = high.max(0.0);
        }
        let mut room = margin;
        if let AxisRange::Fixed { minimum, maximum } = self.range
            && let (Some(first), Some(last)) = (self.position(minimum), self.position(maximum))
            && first < last
        {
            (low, high, room) = (first, last, 0.0);
        }
        if high - low <= f64::EPSILON * low.abs().max(high.abs()) {
            let pad = if low == 0.0 { 1.0 } else { (low.abs() * 0.1).max(f64::MIN_POSITIVE) };
            low -= pad;
            high += pad;
        }
        let pad = (high - low) * room;
        let from_zero = self.range == AxisRange::FromZero;
        let minimum = if from_zero && low == 0.0 { low } else { low - pad };
        let maximum = if from_zero && high == 0.0 { high } else { high + pad };
        let ticks = match self.scale {
            AxisScale::Linear => linear_ticks(minimum, maximum, ticks),
            AxisScale::Log2 => doubling_ticks(minimum, maximum, ticks),
        };
        Span { minimum, maximum, ticks }
    }
}

/// A fitted axis: the positions it spans and its labelled ticks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Span {
    pub minimum: f64,
    pub maximum: f64,
    pub ticks: Vec<(f64, String)>,
}

impl Span {
    /// Whether `position` is inside.
    pub(crate) fn holds(&self, position: f64) -> bool {
        // Rounding of log2 and of the bounds must not push the outermost points out.
        let slack = (self.maximum - self.minimum) * 1e-9;
        position >= self.minimum - slack && position <= self.maximum + slack
    }

    /// Share of the way from the lower to the upper bound, held to 0..=1.
    pub(crate) fn share(&self, position: f64) -> f64 {
        ((position - self.minimum) / (self.maximum - self.minimum)).clamp(0.0, 1.0)
    }
}

/// The part of a line between two positions that lies inside both axes (Liang and Barsky, 1984).
pub(crate) fn clip(
    x: &Span,
    y: &Span,
    from: (f64, f64),
    to: (f64, f64),
) -> Option<((f64, f64), (f64, f64))> {
    let (mut start, mut end) = (0.0f64, 1.0f64);
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let edges = [
        (-dx, from.0 - x.minimum),
        (dx, x.maximum - from.0),
        (-dy, from.1 - y.minimum),
        (dy, y.maximum - from.1),
    ];
    for (direction, distance) in edges {
        if direction == 0.0 {
            if distance < 0.0 {
                return None;
            }
        } else if direction < 0.0 {
            start = start.max(distance / direction);
        } else {
            end = end.min(distance / direction);
        }
    }
    if start > end {
        return None;
    }
    let at = |share: f64| match share {
        0.0 => from,
        1.0 => to,
        _ => (from.0 + share * dx, from.1 + share * dy),
    };
    Some((at(start), at(end)))
}

/// Ticks at 1, 2 or 5 times a power of ten.
fn linear_ticks(minimum: f64, maximum: f64, wanted: usize) -> Vec<(f64, String)> {
    let raw = (maximum - minimum) / wanted.max(2) as f64;
    let power = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
    let step = step.into_iter().find(|step| *step >= raw * 0.999).unwrap_or(raw);
    if !(step.is_finite() && step > 0.0) {
        return Vec::new();
    }
    let decimals = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
    let first = (minimum / step - 1e-9).ceil();
    (0..=wanted.saturating_mul(2) + 2)
        .map(|index| (first + index as f64) * step)
        .take_while(|tick| *tick <= maximum + step * 1e-6)
        .map(|tick| {
            let small_or_large = step < 1e-9 || tick.abs() >= 1e9;
            (tick, format_number(tick, if small_or_large { None } else { Some(decimals) }))
        })
        .collect()
}

/// Ticks at powers of two, skipping some where there are many.
fn doubling_ticks(minimum: f64, maximum: f64, wanted: usize) -> Vec<(f64, String)> {
    let first = (minimum - 1e-9).ceil();
    let every = ((maximum - first) / wanted.max(2) as f64).ceil().max(1.0);
    (0..=wanted.saturating_add(1))
        .map(|index| first + index as f64 * every)
        .take_while(|tick| *tick <= maximum + 1e-9)
        .map(|tick| (tick, format_number(tick.exp2(), None)))
        .collect()
}
