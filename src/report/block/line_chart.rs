//! Quantities over a common x axis, with reference lines and confidence bands.

use minijinja::{HtmlEscape, context};
use plotters::prelude::*;
use serde::{Deserialize, Serialize};

use super::Render;
use crate::report::axis::{Axis, Span, clip};
use crate::report::figure;
use crate::report::html::{Page, ready};
use crate::report::number::{count, format_number, null_is_nan, with_unit};
use crate::report::svg::{self, Chart, Frame};
use crate::report::{ReportError, text};

/// A longer series is thinned evenly to this many points; the chart says so.
const MOST_POINTS: usize = 2_000;
/// The table of numbers under a chart ends after this many rows.
const MOST_ROWS: usize = 200;

/// Several series over one x axis.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LineChart {
    /// Title.
    pub title: String,
    /// What there is to see; may be empty.
    #[serde(default)]
    pub description: String,
    /// Horizontal axis.
    pub x: Axis,
    /// Vertical axis.
    pub y: Axis,
    /// The lines.
    pub series: Vec<Series>,
    /// Horizontal lines to compare with.
    #[serde(default)]
    pub reference_lines: Vec<ReferenceLine>,
}

/// One line of a chart.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Name in the legend.
    pub name: String,
    /// The points, in the order in which they are joined; a y that is not finite breaks the line.
    pub points: Vec<Point>,
}

/// One point of a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Position along the horizontal axis.
    #[serde(deserialize_with = "null_is_nan")]
    pub x: f64,
    /// Value.
    #[serde(deserialize_with = "null_is_nan")]
    pub y: f64,
    /// Lower and upper bound of the confidence band.
    #[serde(default)]
    pub band: Option<(f64, f64)>,
}

/// A horizontal line to compare with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ReferenceLine {
    /// What it is, for example `ANN`.
    pub label: String,
    /// Where it stands on the y axis.
    #[serde(deserialize_with = "null_is_nan")]
    pub value: f64,
}

impl Series {
    /// A series without a confidence band.
    #[must_use]
    pub fn new(name: &str, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let points = points.into_iter().map(|(x, y)| Point { x, y, band: None }).collect();
        Self { name: name.into(), points }
    }
}

/// A chart whose points have been placed on its axes.
struct Placed {
    x: Span,
    y: Span,
    /// For each series its unbroken runs of points as positions, thinned.
    runs: Vec<Vec<Vec<(f64, f64, Point)>>>,
    /// What is not shown, in words.
    remarks: Vec<String>,
}

impl LineChart {
    fn place(&self) -> Placed {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let x = self.x.fit(points().map(|point| point.x), 0.02, 8);
        let bounds = points().flat_map(|point| {
            let (low, high) = point.band.unwrap_or((point.y, point.y));
            [low, point.y, high]
        });
        let references = self.reference_lines.iter().map(|line| line.value);
        let y = self.y.fit(bounds.chain(references), 0.06, 6);
        let (mut unplaceable, mut outside, mut thinned) = (0, 0, 0);
        let mut runs = Vec::with_capacity(self.series.len());
        for series in &self.series {
            let every = series.points.len().div_ceil(MOST_POINTS).max(1);
            thinned = thinned.max(every);
            let mut series_runs = vec![Vec::new()];
            for (index, point) in series.points.iter().enumerate() {
                match (self.x.position(point.x), self.y.position(point.y)) {
                    (Some(at_x), Some(at_y)) => {
                        outside += usize::from(!(x.holds(at_x) && y.holds(at_y)));
                        if index % every == 0
                            && let Some(run) = series_runs.last_mut()
                        {
                            run.push((at_x, at_y, *point));
                        }
                    }
                    _ => {
                        unplaceable += 1;
                        series_runs.push(Vec::new());
                    }
                }
            }
            runs.push(series_runs);
        }
        let mut remarks = Vec::new();
        if unplaceable > 0 {
            remarks.push(format!(
                "Not drawn: {} without a value on the axes.",
                points_of(unplaceable)
            ));
        }
        if outside > 0 {
            remarks.push(format!("Outside the range shown: {}.", points_of(outside)));
        }
        if thinned > 1 {
            remarks.push(format!("Thinned: one in {} points is drawn.", count(thinned)));
        }
        Placed { x, y, runs, remarks }
    }

    /// The chart with title and legend as an SVG file of its own.
    ///
    /// # Errors
    /// [`ReportError`] if the chart cannot be drawn.
    pub fn to_svg(&self) -> Result<String, ReportError> {
        let placed = self.place();
        let legend: Vec<&str> = self.series.iter().map(|series| series.name.as_str()).collect();
        let plot = self.picture(&placed, figure::PLOT.0, figure::PLOT.1);
        figure::figure(&self.title, &self.description, &legend, plot)
    }

    fn picture(&self, placed: &Placed, width: u32, height: u32) -> Result<String, ReportError> {
        let longest = placed.y.ticks.iter().map(|(_, label)| label.chars().count()).max();
        let left = 18 + 8 * longest.unwrap_or(1).min(10) as u32;
        let frame = Frame { width, height, left, right: 18, rows: true, columns: false };
        let titles = (self.x.heading(), self.y.heading());
        svg::draw(frame, &placed.x, &placed.y, (&titles.0, &titles.1), |chart| {
            let mut top = String::new();
            self.draw_references(placed, chart)?;
            for (index, runs) in placed.runs.iter().enumerate() {
                let colour = svg::colour(index);
                for run in runs {
                    self.draw_band(placed, chart, run, colour)?;
                    draw_line(placed, chart, run, colour)?;
                }
                let drawn: Vec<_> = runs.iter().flatten().collect();
                let dense = drawn.len() > 80;
                for (x, y, point) in drawn {
                    if !placed.x.holds(*x) || !placed.y.holds(*y) {
                        continue;
                    }
                    let at = chart.backend_coord(&(*x, *y));
                    if dense {
                        continue;
                    }
                    top.push_str(&svg::marker(index, at, 4.2, colour));
                    top.push_str(&self.hit(index, point, at));
                }
            }
            Ok(top)
        })
    }

    /// An invisible disc that carries the tooltip of a point.
    fn hit(&self, index: usize, point: &Point, at: (i32, i32)) -> String {
        let name = self.series.get(index).map_or("", |series| series.name.as_str());
        let band = point.band.map_or_else(String::new, |(low, high)| {
            format!("\n{} to {}", format_number(low, None), with_unit(high, None, &self.y.unit))
        });
        let tip = format!(
            "{name}\n{} {}: {}{band}",
            self.x.label,
            with_unit(point.x, None, &self.x.unit),
            with_unit(point.y, None, &self.y.unit),
        );
        format!(
            "<circle class=\"hit\" cx=\"{}\" cy=\"{}\" r=\"9\" data-tip=\"{}\"/>",
            at.0,
            at.1,
            HtmlEscape(&tip)
        )
    }

    fn draw_references(
        &self,
        placed: &Placed,
        chart: &mut Chart<'_, '_>,
    ) -> Result<(), ReportError> {
        for line in &self.reference_lines {
            let Some(y) = self.y.position(line.value).filter(|y| placed.y.holds(*y)) else {
                continue;
            };
            let ends = [(placed.x.minimum, y), (placed.x.maximum, y)];
            let dashes = DashedLineSeries::new(ends, 6, 4, svg::INK.stroke_width(1));
            chart.draw_series(dashes).map_err(svg::failed)?;
            let words = format!(
                "{} {}",
                svg::shorten(&line.label, 28),
                with_unit(line.value, None, &self.y.unit)
            );
            // Lines near the upper edge get their label below.
            let lift = if placed.y.share(y) > 0.93 { 6 } else { -18 };
            let label = EmptyElement::at((placed.x.minimum, y))
                + Text::new(words, (8, lift), svg::font(12.5, svg::INK));
            chart.draw_series(std::iter::once(label)).map_err(svg::failed)?;
        }
        Ok(())
    }

    fn draw_band(
        &self,
        placed: &Placed,
        chart: &mut Chart<'_, '_>,
        run: &[(f64, f64, Point)],
        colour: RGBColor,
    ) -> Result<(), ReportError> {
        let mut lower = Vec::new();
        let mut upper = Vec::new();
        for (x, _, point) in run {
            let Some((low, high)) = point.band else {
                continue;
            };
            if let (Some(low), Some(high)) = (self.y.position(low), self.y.position(high))
                && placed.x.holds(*x)
            {
                let held = |value: f64| value.clamp(placed.y.minimum, placed.y.maximum);
                lower.push((*x, held(low)));
                upper.push((*x, held(high)));
            }
        }
        if lower.len() < 2 {
            return Ok(());
        }
        lower.reverse();
        upper.extend(lower);
        let band = Polygon::new(upper, colour.mix(0.16).filled());
        chart.draw_series(std::iter::once(band)).map(|_| ()).map_err(svg::failed)
    }

    fn summary(&self) -> String {
        let ends: Vec<String> = self
            .series
            .iter()
            .map(|series| match (series.points.first(), series.points.last()) {
                (Some(first), Some(last)) => format!(
                    "{}: from {} at {} to {} at {}",
                    series.name,
                    with_unit(first.y, None, &self.y.unit),
                    format_number(first.x, None),
                    with_unit(last.y, None, &self.y.unit),
                    format_number(last.x, None),
                ),
                _ => format!("{}: no points", series.name),
            })
            .collect();
        format!(
            "Line chart of {} over {}. {}.",
            self.y.heading(),
            self.x.heading(),
            if ends.is_empty() { "No series".into() } else { ends.join("; ") }
        )
    }

    /// One row for each x, one column for each series.
    fn rows(&self) -> Vec<Vec<String>> {
        let mut positions: Vec<f64> =
            self.series.iter().flat_map(|series| &series.points).map(|point| point.x).collect();
        positions.retain(|x| x.is_finite());
        positions.sort_by(f64::total_cmp);
        positions.dedup();
        let lookup = |series: &Series, x: f64| {
            let found = series.points.iter().find(|point| point.x == x);
            found.map_or_else(String::new, |point| format_number(point.y, None))
        };
        let row = |x: &f64| {
            let values = self.series.iter().map(|series| lookup(series, *x));
            std::iter::once(format_number(*x, None)).chain(values).collect()
        };
        positions.iter().take(MOST_ROWS).map(row).collect()
    }
}

fn points_of(number: usize) -> String {
    format!("{} {}", count(number), if number == 1 { "point" } else { "points" })
}

fn draw_line(
    placed: &Placed,
    chart: &mut Chart<'_, '_>,
    run: &[(f64, f64, Point)],
    colour: RGBColor,
) -> Result<(), ReportError> {
    let mut path: Vec<(f64, f64)> = Vec::new();
    let mut paths = Vec::new();
    for pair in run.windows(2) {
        let [first, second] = pair else { continue };
        let Some((from, to)) = clip(&placed.x, &placed.y, (first.0, first.1), (second.0, second.1))
        else {
            continue;
        };
        if path.last() != Some(&from) {
            paths.push(std::mem::take(&mut path));
            path.push(from);
        }
        path.push(to);
    }
    paths.push(path);
    for path in paths.into_iter().filter(|path| path.len() > 1) {
        let line = LineSeries::new(path, colour.stroke_width(2));
        chart.draw_series(line).map_err(svg::failed)?;
    }
    Ok(())
}

const TEMPLATE: &str = r#"<figure class="block chart-block" data-block="line_chart">
<figcaption><span class="caption">{{ title }}</span>{% if description %}<span class="description">{{ description }}</span>{% endif %}</figcaption>
{% if legend|length > 1 %}<ul class="legend" aria-hidden="true">{% for entry in legend %}<li><svg width="26" height="14" viewBox="0 0 26 14"><path d="M1 7H25" stroke="{{ entry.colour }}" stroke-width="2"/>{{ entry.mark }}</svg>{{ entry.name }}</li>{% endfor %}</ul>{% endif %}
{% if empty %}<p class="empty">No points.</p>{% else %}
<div class="chart" role="img" aria-label="{{ summary }}"><div class="wide">{{ wide }}</div><div class="narrow">{{ narrow }}</div></div>
{% for remark in remarks %}<p class="remark">{{ remark }}</p>{% endfor %}
<details><summary>Numbers</summary><div class="scroll" role="region" tabindex="0" aria-label="{{ title }}: numbers"><table class="numbers"><thead><tr><th scope="col" class="right">{{ x }}</th>{% for entry in legend %}<th scope="col" class="right">{{ entry.name }}</th>{% endfor %}</tr></thead><tbody>{% for row in rows %}<tr>{% for cell in row %}<td class="right">{{ cell }}</td>{% endfor %}</tr>{% endfor %}</tbody></table></div></details>
{% endif %}
</figure>
"#;

impl Render for LineChart {
    fn html(&self, page: &Page) -> Result<String, ReportError> {
        let placed = self.place();
        let empty = placed.runs.iter().flatten().all(Vec::is_empty);
        let legend: Vec<_> = self
            .series
            .iter()
            .enumerate()
            .map(|(index, series)| {
                let colour = svg::colour(index);
                let mark = ready(svg::marker(index, (13, 7), 4.2, colour));
                context! { name => &series.name, colour => svg::hex(colour), mark }
            })
            .collect();
        page.fill(
            "line chart",
            TEMPLATE,
            context! {
                title => &self.title, description => &self.description, legend, empty,
                summary => self.summary(), remarks => &placed.remarks, x => self.x.heading(),
                rows => self.rows(),
                wide => ready(self.picture(&placed, 960, 380)?),
                narrow => ready(self.picture(&placed, 400, 320)?),
            },
        )
    }

    fn text(&self, width: usize) -> String {
        const HEIGHT: usize = 12;
        const MARKS: [char; 7] = ['●', '■', '◆', '▲', '○', '□', '◇'];
        let mut lines = text::caption(&self.title, &self.description, width);
        let placed = self.place();
        if placed.runs.iter().flatten().all(Vec::is_empty) {
            return lines + "(no points)\n";
        }
        let margin = 9;
        let plot = width.saturating_sub(margin + 2).clamp(20, 72);
        let mut grid = vec![vec![' '; plot]; HEIGHT];
        let row_of = |y: f64| ((1.0 - placed.y.share(y)) * (HEIGHT - 1) as f64).round() as usize;
        for line in &self.reference_lines {
            if let Some(y) = self.y.position(line.value).filter(|y| placed.y.holds(*y)) {
                grid[row_of(y)].fill('╌');
            }
        }
        for (index, runs) in placed.runs.iter().enumerate() {
            for (x, y, _) in runs.iter().flatten() {
                if placed.x.holds(*x) && placed.y.holds(*y) {
                    let column = (placed.x.share(*x) * (plot - 1) as f64).round() as usize;
                    grid[row_of(*y)][column] = MARKS[index % MARKS.len()];
                }
            }
        }
        lines.push_str(&format!("{}\n", text::fit(&self.y.heading(), width)));
        for (row, cells) in grid.iter().enumerate() {
            let tick = placed.y.ticks.iter().find(|(y, _)| row_of(*y) == row);
            let label = tick.map_or("", |(_, label)| label.as_str());
            let cells: String = cells.iter().collect();
            lines.push_str(&format!("{} ┤{cells}\n", text::fit_right(label, margin - 1)));
        }
        let mut axis = vec![' '; plot + 8];
        let mut free = 0;
        for (x, label) in &placed.x.ticks {
            let column = (placed.x.share(*x) * (plot - 1) as f64).round() as usize;
            if column >= free && column + label.chars().count() <= plot {
                axis.splice(column..column + label.chars().count(), label.chars());
                free = column + label.chars().count() + 1;
            }
        }
        let axis: String = axis.into_iter().collect();
        lines.push_str(&format!("{}└{}\n", " ".repeat(margin), "─".repeat(plot)));
        lines.push_str(&format!("{}{}\n", " ".repeat(margin + 1), axis.trim_end()));
        lines.push_str(&text::fit(
            &format!("{}{}", " ".repeat(margin + 1), self.x.heading()),
            width,
        ));
        lines.push('\n');
        for (index, series) in self.series.iter().enumerate() {
            let entry = format!("  {} {}", MARKS[index % MARKS.len()], series.name);
            lines.push_str(&format!("{}\n", text::fit(&entry, width)));
        }
        for line in &self.reference_lines {
            let value = with_unit(line.value, None, &self.y.unit);
            let entry = format!("  ╌ {} ({value})", line.label);
            lines.push_str(&format!("{}\n", text::fit(&entry, width)));
        }
        for remark in &placed.remarks {
            lines.push_str(&format!("{}\n", text::fit(remark, width)));
        }
        let mut headings = vec![self.x.heading()];
        headings.extend(self.series.iter().map(|series| series.name.clone()));
        let right = vec![true; headings.len()];
        let mut rows = self.rows();
        rows.truncate(16);
        lines.push('\n');
        lines.push_str(&text::table(&headings, &right, &rows, width));
        lines
    }
}
