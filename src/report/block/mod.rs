//! The registry of block kinds: a kind is one file here, its `mod` line and its word in the list below.

use serde::{Deserialize, Serialize};

use super::ReportError;
use super::html::Page;

pub(super) mod bar_chart;
pub(super) mod core_map;
pub(super) mod key_figures;
pub(super) mod line_chart;
pub(super) mod picture_row;
pub(super) mod raster;
pub(super) mod table;

/// What each kind of block can do.
pub(super) trait Render {
    /// HTML of the block; all text must pass through an escaping template.
    fn html(&self, page: &Page) -> Result<String, ReportError>;
    /// Lines for a terminal of `width` columns.
    fn text(&self, width: usize) -> String;
}

/// Makes the enum of all kinds and its dispatch out of one list.
macro_rules! block_kinds {
    ($($(#[$doc:meta])* $kind:ident in $module:ident,)+) => {
        /// One thing that a section shows.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "kind", rename_all = "snake_case")]
        pub enum Block { $($(#[$doc])* $kind($module::$kind),)+ }

        impl Render for Block {
            fn html(&self, page: &Page) -> Result<String, ReportError> {
                match self { $(Self::$kind(block) => block.html(page),)+ }
            }
            fn text(&self, width: usize) -> String {
                match self { $(Self::$kind(block) => block.text(width),)+ }
            }
        }

        $(impl From<$module::$kind> for Block {
            fn from(block: $module::$kind) -> Self { Self::$kind(block) }
        })+
    };
}

block_kinds! {
    /// Big numbers with unit and note.
    KeyFigures in key_figures,
    /// Rows and columns.
    Table in table,
    /// Quantities over a common x axis.
    LineChart in line_chart,
    /// One number for each of several things.
    BarChart in bar_chart,
    /// Spikes by neuron and time.
    Raster in raster,
    /// Cores of a chip and how full they are.
    CoreMap in core_map,
    /// Small greyscale pictures.
    PictureRow in picture_row,
}

impl Block {
    /// This block alone as text for a terminal of `width` columns.
    pub fn to_text(&self, width: usize) -> String {
        super::text::block(self, width)
    }
}
