//! Charts as SVG: the drawing library draws axes and shapes, the page's style sheet re-colours them.
//!
//! Colours are written as plain attributes in the light theme, so a picture also stands alone. The style
//! sheet selects these attributes (`[fill="#0072B2"]`) and replaces them in the dark theme.

use std::fmt::Write;
use std::ops::Range;

use plotters::coord::cartesian::Cartesian2d;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use plotters::prelude::*;

use super::ReportError;
use super::axis::Span;

/// Text.
pub(crate) const INK: RGBColor = RGBColor(0x1B, 0x1F, 0x24);
/// Axis labels.
pub(crate) const MUTED: RGBColor = RGBColor(0x5B, 0x64, 0x70);
/// Grid lines.
pub(crate) const GRID: RGBColor = RGBColor(0xE1, 0xE4, 0xE8);
/// Axes and boundaries.
pub(crate) const RULE: RGBColor = RGBColor(0xA9, 0xB0, 0xB9);

/// Colours of series and layers, distinguishable with the common colour vision deficiencies
/// (after the palette of Okabe and Ito, 2008, the two lightest darkened for contrast on white).
pub(crate) const PALETTE: [RGBColor; 7] = [
    RGBColor(0x00, 0x72, 0xB2),
    RGBColor(0xD5, 0x5E, 0x00),
    RGBColor(0x00, 0x9E, 0x73),
    RGBColor(0xB8, 0x5C, 0x94),
    RGBColor(0xC4, 0x88, 0x00),
    RGBColor(0x3A, 0x9B, 0xD9),
    RGBColor(0x6B, 0x70, 0x7A),
];

/// Colour number `index`, starting over after the last one.
pub(crate) fn colour(index: usize) -> RGBColor {
    PALETTE[index % PALETTE.len()]
}

/// The colour as an SVG attribute value.
pub(crate) fn hex(colour: RGBColor) -> String {
    format!("#{:02X}{:02X}{:02X}", colour.0, colour.1, colour.2)
}

/// Size of a picture and the room around its plotting area, in pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub width: u32,
    pub height: u32,
    pub left: u32,
    pub right: u32,
    /// Whether horizontal grid lines are drawn.
    pub rows: bool,
    /// Whether vertical grid lines are drawn.
    pub columns: bool,
}

impl Ranged for Span {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let length = f64::from(limit.1) - f64::from(limit.0);
        (f64::from(limit.0) + length * self.share(*value)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() {
            return Vec::new();
        }
        self.ticks.iter().map(|(position, _)| *position).collect()
    }

    fn range(&self) -> Range<f64> {
        self.minimum..self.maximum
    }
}

/// A chart that is being drawn.
pub(crate) type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Span, Span>>;

/// Turns the drawing library's error into the report's.
pub(crate) fn failed(error: impl std::fmt::Display) -> ReportError {
    ReportError::Chart { reason: error.to_string() }
}

/// A font of `size` pixels; the library divides sizes by 1.24 on the way out.
pub(crate) fn font(size: f64, colour: RGBColor) -> TextStyle<'static> {
    ("sans-serif", size * 1.24).into_font().color(&colour)
}

/// Draws axes, then whatever `paint` adds; `paint` returns finished SVG elements for the top layer.
pub(crate) fn draw<F>(
    frame: Frame,
    x: &Span,
    y: &Span,
    titles: (&str, &str),
    paint: F,
) -> Result<String, ReportError>
where
    F: FnOnce(&mut Chart<'_, '_>) -> Result<String, ReportError>,
{
    let mut picture = String::new();
    let overlay;
    {
        let area =
            SVGBackend::with_string(&mut picture, (frame.width, frame.height)).into_drawing_area();
        let top: u32 = if titles.1.is_empty() { 10 } else { 34 };
        let bottom: u32 = if titles.0.is_empty() { 26 } else { 48 };
        let mut chart = ChartBuilder::on(&area)
            .margin_top(top)
            .margin_right(frame.right)
            .margin_bottom(2)
            .x_label_area_size(bottom)
            .y_label_area_size(frame.left)
            .build_cartesian_2d(x.clone(), y.clone())
            .map_err(failed)?;
        let x_format = |position: &f64| label_at(x, *position);
        let y_format = |position: &f64| label_at(y, *position);
        let mut mesh = chart.configure_mesh();
        mesh.bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .axis_style(RULE)
            .set_all_tick_mark_size(4)
            .label_style(font(12.5, MUTED))
            .axis_desc_style(font(12.5, MUTED))
            .x_label_formatter(&x_format)
            .y_label_formatter(&y_format)
            .x_labels(x.ticks.len().max(2))
            .y_labels(y.ticks.len().max(2));
        if !titles.0.is_empty() {
            mesh.x_desc(titles.0);
        }
        if !frame.rows {
            mesh.disable_y_mesh();
        }
        if !frame.columns {
            mesh.disable_x_mesh();
        }
        mesh.draw().map_err(failed)?;
        if !titles.1.is_empty() {
            let title = Text::new(titles.1.to_string(), (2, 6), font(12.5, MUTED));
            area.draw(&title).map_err(failed)?;
        }
        overlay = paint(&mut chart)?;
        area.present().map_err(failed)?;
    }
    Ok(finish(&picture, frame, &overlay))
}

fn label_at(span: &Span, position: f64) -> String {
    span.ticks
        .iter()
        .find(|(tick, _)| (tick - position).abs() <= f64::EPSILON * tick.abs())
        .map_or_else(String::new, |(_, label)| label.clone())
}

/// Lets the picture scale with its container and puts the top layer in.
fn finish(picture: &str, frame: Frame, overlay: &str) -> String {
    let fixed = format!("width=\"{}\" height=\"{}\" ", frame.width, frame.height);
    let scalable = picture.trim_end().replacen(&fixed, "aria-hidden=\"true\" ", 1);
    match scalable.strip_suffix("</svg>") {
        Some(body) => format!("{body}{overlay}</svg>"),
        None => scalable,
    }
}

/// Shape number `index` of a data point, drawn around `(x, y)`; `size` is half its width.
pub(crate) fn marker(index: usize, (x, y): (i32, i32), size: f64, colour: RGBColor) -> String {
    let (x, y) = (f64::from(x), f64::from(y));
    let mut path = String::new();
    // Writing to a String cannot fail.
    let _ = match index % 4 {
        0 => write!(
            path,
            "M{} {y}a{size} {size} 0 1 0 {} 0a{size} {size} 0 1 0 -{} 0z",
            x - size,
            2.0 * size,
            2.0 * size
        ),
        1 => write!(path, "M{} {}h{s}v{s}h-{s}z", x - size, y - size, s = 2.0 * size),
        2 => write!(path, "M{x} {}l{d} {d}l-{d} {d}l-{d} -{d}z", y - size * 1.3, d = size * 1.3),
        _ => write!(path, "M{x} {}l{} {}h-{}z", y - size * 1.2, size * 1.2, size * 2.1, size * 2.4),
    };
    format!(
        "<path d=\"{path}\" fill=\"{0}\" stroke=\"#FFFFFF\" stroke-width=\"1.2\"/>",
        hex(colour)
    )
}

/// Cuts `text` to `limit` characters, marking the cut.
pub(crate) fn shorten(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.into();
    }
    let kept: String = text.chars().take(limit.saturating_sub(1)).collect();
    format!("{kept}…")
}
