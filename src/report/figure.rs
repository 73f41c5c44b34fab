//! One chart as a picture of its own: title, legend and plot in one SVG file.

use super::ReportError;
use super::svg::{self, INK, MUTED};
use std::fmt::Write;

/// Size of the plot in pixels.
pub(crate) const PLOT: (u32, u32) = (760, 380);

/// Heights of the title's line and of the legend's.
const LINE: u32 = 24;

/// Characters that a line of text holds at most.
const MOST_CHARACTERS: usize = 110;

/// Puts a title, a description and a legend above a plot that [`svg::draw`] made.
///
/// # Errors
/// None of its own; the plot's are passed on.
pub(crate) fn figure(
    title: &str,
    description: &str,
    legend: &[&str],
    plot: Result<String, ReportError>,
) -> Result<String, ReportError> {
    let plot = plot?;
    let named: Vec<&&str> = legend.iter().filter(|name| !name.is_empty()).collect();
    let lines = [!title.is_empty(), !description.is_empty(), !named.is_empty()];
    let top = 8 + LINE * lines.iter().filter(|line| **line).count() as u32;
    let (width, height) = (PLOT.0, PLOT.1 + top);
    let mut picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#FFFFFF\"/>\n"
    );
    let mut baseline = 22;
    for (text, size, colour) in [(title, 15, INK), (description, 11, MUTED)] {
        if text.is_empty() {
            continue;
        }
        let text = escaped(&svg::shorten(text, MOST_CHARACTERS));
        let colour = svg::hex(colour);
        // Writing to a String cannot fail.
        let _ = writeln!(
            picture,
            "<text x=\"14\" y=\"{baseline}\" font-size=\"{size}\" fill=\"{colour}\">{text}</text>"
        );
        baseline += LINE;
    }
    let mut left = 22;
    for (index, name) in legend.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
        picture.push_str(&svg::marker(index, (left, baseline as i32 - 4), 4.2, svg::colour(index)));
        let name = svg::shorten(name, 30);
        let (x, ink) = (left + 10, svg::hex(INK));
        let text = escaped(&name);
        let _ = writeln!(
            picture,
            "<text x=\"{x}\" y=\"{baseline}\" font-size=\"12\" fill=\"{ink}\">{text}</text>"
        );
        left += 34 + 7 * name.chars().count() as i32;
    }
    let placed = format!("<svg x=\"0\" y=\"{top}\" width=\"{}\" height=\"{}\" ", PLOT.0, PLOT.1);
    picture.push_str(&plot.replacen("<svg ", &placed, 1));
    picture.push_str("\n</svg>\n");
    Ok(picture)
}

fn escaped(text: &str) -> String {
    let plain: String = text.chars().filter(|letter| !letter.is_control()).collect();
    plain.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
