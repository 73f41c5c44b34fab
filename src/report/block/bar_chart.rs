//! One number for each of several things, as horizontal bars.

use minijinja::context;
use plotters::prelude::*;
use serde::{Deserialize, Serialize};

use super::Render;
use crate::report::axis::{Axis, AxisScale, Span};
use crate::report::html::{Page, ready};
use crate::report::number::{count, format_number, null_is_nan, with_unit};
use crate::report::svg::{self, Frame};
use crate::report::{ReportError, text};

/// More bars than this are not drawn; the chart says so.
const MOST_BARS: usize = 60;

/// Bars that start at zero.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BarChart {
    /// Title.
    pub title: String,
    /// What there is to see; may be empty.
    #[serde(default)]
    pub description: String,
    /// What the bars measure; bars always start at zero on a linear axis.
    pub value: Axis,
    /// The bars, top to bottom.
    pub bars: Vec<Bar>,
}

/// One bar.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    /// What is measured.
    pub label: String,
    /// How much.
    #[serde(deserialize_with = "null_is_nan")]
    pub value: f64,
    /// Colour number; equal numbers are equal colours in all charts (a raster numbers its layers).
    #[serde(default)]
    pub colour: usize,
}

impl Bar {
    /// A bar in the first colour.
    #[must_use]
    pub fn new(label: &str, value: f64) -> Self {
        Self { label: label.into(), value, colour: 0 }
    }

    /// The same bar in colour number `colour`.
    #[must_use]
    pub fn coloured(mut self, colour: usize) -> Self {
        self.colour = colour;
        self
    }
}

impl BarChart {
    fn drawn(&self) -> &[Bar] {
        &self.bars[..self.bars.len().min(MOST_BARS)]
    }

    fn axis(&self) -> Axis {
        let mut axis = self.value.clone().from_zero();
        axis.scale = AxisScale::Linear;
        axis
    }

    fn picture(&self, width: u32, letters: usize) -> Result<String, ReportError> {
        let bars = self.drawn();
        let axis = self.axis();
        let ticks = if width > 600 { 7 } else { 3 };
        let x = axis.fit(bars.iter().map(|bar| bar.value), 0.02, ticks);
        let rows = bars.len() as f64;
        let place = |index: usize| rows - index as f64 - 0.5;
        let name = |bar: &Bar| svg::shorten(&bar.label, letters);
        let labels = bars.iter().enumerate().map(|(index, bar)| (place(index), name(bar)));
        let y = Span { minimum: 0.0, maximum: rows, ticks: labels.collect() };
        let longest = bars.iter().map(|bar| name(bar).chars().count()).max().unwrap_or(1) as u32;
        let widest = bars.iter().map(|bar| format_number(bar.value, None).chars().count()).max();
        let widest = widest.unwrap_or(1) as u32;
        let frame = Frame {
            width,
            height: 34 * bars.len() as u32 + 62,
            left: 16 + longest * 8,
            right: 24 + 8 * widest,
            rows: false,
            columns: true,
        };
        svg::draw(frame, &x, &y, (&self.value.heading(), ""), |chart| {
            for (index, bar) in bars.iter().enumerate() {
                let value = axis.position(bar.value);
                let (low, high) = (place(index) - 0.32, place(index) + 0.32);
                let end = value.unwrap_or(0.0);
                let shape =
                    Rectangle::new([(0.0, low), (end, high)], svg::colour(bar.colour).filled());
                chart.draw_series(std::iter::once(shape)).map_err(svg::failed)?;
                let words = format_number(bar.value, None);
                let label = EmptyElement::at((end.max(0.0), place(index)))
                    + Text::new(words, (7, -6), svg::font(12.5, svg::INK));
                chart.draw_series(std::iter::once(label)).map_err(svg::failed)?;
            }
            Ok(String::new())
        })
    }

    fn remark(&self) -> Option<String> {
        (self.bars.len() > MOST_BARS).then(|| {
            format!("Showing the first {} of {} bars.", count(MOST_BARS), count(self.bars.len()))
        })
    }
}

const TEMPLATE: &str = r#"<figure class="block chart-block" data-block="bar_chart">
<figcaption><span class="caption">{{ title }}</span>{% if description %}<span class="description">{{ description }}</span>{% endif %}</figcaption>
{% if not wide %}<p class="empty">No bars.</p>{% else %}
<div class="chart" role="img" aria-label="{{ summary }}"><div class="wide">{{ wide }}</div><div class="narrow">{{ narrow }}</div></div>
{% if remark %}<p class="remark">{{ remark }}</p>{% endif %}
{% endif %}
</figure>
"#;

impl Render for BarChart {
    fn html(&self, page: &Page) -> Result<String, ReportError> {
        let empty = self.bars.is_empty();
        let draw = |width, letters| {
            if empty { Ok(None) } else { self.picture(width, letters).map(|svg| Some(ready(svg))) }
        };
        let words: Vec<String> = self
            .drawn()
            .iter()
            .map(|bar| format!("{} {}", bar.label, with_unit(bar.value, None, &self.value.unit)))
            .collect();
        let summary = format!("Bar chart of {}: {}.", self.value.heading(), words.join(", "));
        page.fill(
            "bar chart",
            TEMPLATE,
            context! {
                title => &self.title, description => &self.description, summary,
                remark => self.remark(), wide => draw(960, 24)?, narrow => draw(400, 11)?,
            },
        )
    }

    fn text(&self, width: usize) -> String {
        let mut lines = text::caption(&self.title, &self.description, width);
        if self.bars.is_empty() {
            return lines + "(no bars)\n";
        }
        let bars = self.drawn();
        let values: Vec<String> =
            bars.iter().map(|bar| with_unit(bar.value, None, &self.value.unit)).collect();
        let label = bars.iter().map(|bar| text::columns(&bar.label)).max();
        let label = label.unwrap_or(0).min(width / 3);
        let value = values.iter().map(|value| text::columns(value)).max();
        let value = value.unwrap_or(0).min(width / 3);
        let room = width.saturating_sub(label + value + 6).min(50);
        let finite = bars.iter().map(|bar| bar.value.abs()).filter(|value| value.is_finite());
        let full = finite.fold(0.0, f64::max).max(f64::MIN_POSITIVE);
        for (bar, number) in bars.iter().zip(&values) {
            lines.push_str(&format!(
                "  {}  {}  {}\n",
                text::fit(&bar.label, label),
                text::fit_right(number, value),
                text::bar(bar.value.abs() / full, room),
            ));
        }
        if let Some(remark) = self.remark() {
            lines.push_str(&format!("{}\n", text::fit(&remark, width)));
        }
        lines
    }
}
