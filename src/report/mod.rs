//! Turns numbers into one self-contained report: an HTML page that opens offline, or text for a terminal.
//!
//! The model ([`Report`] → [`Section`] → [`Block`]) is plain data without any science in it: a stage fills
//! it, a renderer shows it. [`Report::to_html`] gives a single page without external requests;
//! [`Report::to_text`] gives the same content fitted to a terminal's width. Neither touches a file system.
//!
//! Every string is treated as hostile: names come from users' files. The page escapes them, its content
//! security policy forbids all requests, and the text form drops control characters.
//!
//! A new kind of block is one file in `block/` and its line in that folder's registry.

use serde::{Deserialize, Serialize};

mod axis;
mod block;
mod figure;
mod html;
mod number;
mod svg;
#[cfg(test)]
mod tests;
mod text;

pub use axis::{Axis, AxisRange, AxisScale};
pub use block::Block;
pub use block::bar_chart::{Bar, BarChart};
pub use block::core_map::{Core, CoreMap, CorePopulation};
pub use block::key_figures::{KeyFigure, KeyFigures, Tone};
pub use block::line_chart::{LineChart, Point, ReferenceLine, Series};
pub use block::picture_row::{Picture, PictureRow};
pub use block::raster::{Raster, RasterLayer, Spike};
pub use block::table::{Alignment, Cell, Column, Table};

/// A whole report: what the page's title, body and footer show.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Title of the page.
    pub title: String,
    /// One sentence under the title; may be empty.
    pub subtitle: String,
    /// What made these numbers (version, network hash, seed, engine, chip): name and value, in order.
    pub provenance: Vec<(String, String)>,
    /// The report's sections, in reading order.
    pub sections: Vec<Section>,
}

/// One headed part of a report.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// Anchor of the section; characters other than ASCII letters, digits, `-` and `_` become `-`.
    pub id: String,
    /// Heading.
    pub title: String,
    /// Running text; an empty line starts a new paragraph. May be empty.
    pub text: String,
    /// What the section shows, in reading order.
    pub blocks: Vec<Block>,
}

impl Section {
    /// A section without blocks yet.
    #[must_use]
    pub fn new(id: &str, title: &str, text: &str) -> Self {
        Self { id: id.into(), title: title.into(), text: text.into(), blocks: Vec::new() }
    }

    /// Adds a block at the end.
    #[must_use]
    pub fn with(mut self, block: impl Into<Block>) -> Self {
        self.blocks.push(block.into());
        self
    }
}

impl Report {
    /// Renders one self-contained HTML page.
    ///
    /// # Errors
    /// [`ReportError`] if a chart or a template cannot be drawn.
    pub fn to_html(&self) -> Result<String, ReportError> {
        html::page(self)
    }

    /// Renders text for a terminal of `width` columns; widths under 40 are taken as 40.
    #[must_use]
    pub fn to_text(&self, width: usize) -> String {
        text::report(self, width)
    }
}

/// Why a report could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A template failed.
    #[error(
        "report: the {part} cannot be rendered: {reason}; this is a fault of the report's template"
    )]
    Template {
        /// Part of the page.
        part: String,
        /// What the template engine said.
        reason: String,
    },
    /// A chart could not be drawn.
    #[error("report: a chart cannot be drawn: {reason}; check that its numbers are finite")]
    Chart {
        /// What the drawing library said.
        reason: String,
    },
}
