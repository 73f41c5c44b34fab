//! Small greyscale pictures with what they are and what they were taken for.

use std::fmt::Write;

use minijinja::context;
use serde::{Deserialize, Serialize};

use super::Render;
use crate::report::html::{Page, ready};
use crate::report::number::{count, nulls_are_nan};
use crate::report::{ReportError, text};

/// More pictures than this are not shown; the report says so.
const MOST_PICTURES: usize = 60;
/// Larger pictures are shown with every k-th pixel only.
const MOST_PIXELS: usize = 64;
/// Steps of grey.
const LEVELS: usize = 16;

/// A row of small pictures.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PictureRow {
    /// Title.
    pub title: String,
    /// What there is to see; may be empty.
    #[serde(default)]
    pub description: String,
    /// The pictures.
    pub pictures: Vec<Picture>,
}

/// One greyscale picture.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Intensities 0 (paper) to 1 (ink), row by row, shape `[height, width]`.
    #[serde(deserialize_with = "nulls_are_nan")]
    pub pixels: Vec<f64>,
    /// What it is.
    pub label: String,
    /// What it was taken for; `None` if nothing was predicted.
    #[serde(default)]
    pub prediction: Option<String>,
    /// A few words; may be empty.
    #[serde(default)]
    pub note: String,
}

impl Picture {
    fn is_whole(&self) -> bool {
        self.width.checked_mul(self.height) == Some(self.pixels.len()) && !self.pixels.is_empty()
    }

    /// Width and height as shown and the grey level of each pixel.
    fn grid(&self) -> Option<(usize, usize, Vec<usize>)> {
        if !self.is_whole() {
            return None;
        }
        let every = self.width.max(self.height).div_ceil(MOST_PIXELS).max(1);
        let columns: Vec<usize> = (0..self.width).step_by(every).collect();
        let rows: Vec<usize> = (0..self.height).step_by(every).collect();
        let mut levels = Vec::with_capacity(columns.len() * rows.len());
        for row in &rows {
            for column in &columns {
                let pixel = self.pixels.get(row * self.width + column).copied().unwrap_or(0.0);
                let share = if pixel.is_finite() { pixel.clamp(0.0, 1.0) } else { 0.0 };
                levels.push((share * (LEVELS - 1) as f64).round() as usize);
            }
        }
        Some((columns.len(), rows.len(), levels))
    }

    /// The picture as runs of equal pixels, one path for each level of grey.
    fn svg(&self) -> Option<String> {
        let (width, height, levels) = self.grid()?;
        let mut paths = vec![String::new(); LEVELS];
        for (row, line) in levels.chunks(width).enumerate() {
            let mut column = 0;
            for run in line.chunk_by(|left, right| left == right) {
                if let Some(path) = run.first().and_then(|level| paths.get_mut(*level)) {
                    // Writing to a String cannot fail.
                    let _ = write!(path, "M{column} {row}h{n}v1h-{n}z", n = run.len());
                }
                column += run.len();
            }
        }
        let mut svg = format!(
            "<svg viewBox=\"0 0 {width} {height}\" aria-hidden=\"true\" shape-rendering=\"crispEdges\">"
        );
        for (level, path) in paths.iter().enumerate().skip(1) {
            if !path.is_empty() {
                let opacity = level as f64 / (LEVELS - 1) as f64;
                let _ = write!(svg, "<path fill-opacity=\"{opacity:.2}\" d=\"{path}\"/>");
            }
        }
        svg.push_str("</svg>");
        Some(svg)
    }

    fn is_right(&self) -> Option<bool> {
        self.prediction.as_ref().map(|prediction| *prediction == self.label)
    }

    fn summary(&self) -> String {
        match (&self.prediction, self.is_right()) {
            (Some(prediction), Some(false)) => {
                format!("{}, taken for {prediction}: wrong", self.label)
            }
            (Some(prediction), _) => format!("{}, recognised as {prediction}", self.label),
            (None, _) => self.label.clone(),
        }
    }
}

const TEMPLATE: &str = r#"<figure class="block pictures" data-block="picture_row">
<figcaption><span class="caption">{{ title }}</span>{% if description %}<span class="description">{{ description }}</span>{% endif %}</figcaption>
<ul>
{% for picture in pictures %}
<li class="{% if picture.wrong %}wrong{% endif %}"><div class="picture" role="img" aria-label="{{ picture.summary }}">{% if picture.svg %}{{ picture.svg }}{% else %}<span class="empty">no pixels</span>{% endif %}</div>
<span class="label">{{ picture.label }}{% if picture.predicted %} <span class="arrow">→</span> <b>{{ picture.prediction }}</b> <span class="sign">{% if picture.wrong %}✗{% else %}✓{% endif %}</span>{% endif %}</span>{% if picture.note %}<span class="note">{{ picture.note }}</span>{% endif %}</li>
{% else %}
<li class="empty">No pictures.</li>
{% endfor %}
</ul>
{% if remark %}<p class="remark">{{ remark }}</p>{% endif %}
</figure>
"#;

impl PictureRow {
    fn remark(&self) -> Option<String> {
        let all = self.pictures.len();
        (all > MOST_PICTURES)
            .then(|| format!("Showing the first {MOST_PICTURES} of {} pictures.", count(all)))
    }
}

impl Render for PictureRow {
    fn html(&self, page: &Page) -> Result<String, ReportError> {
        let show = |picture: &Picture| {
            context! {
                svg => picture.svg().map(ready), label => &picture.label, note => &picture.note,
                predicted => picture.prediction.is_some(), prediction => &picture.prediction,
                wrong => picture.is_right() == Some(false), summary => picture.summary(),
            }
        };
        let pictures: Vec<_> = self.pictures.iter().take(MOST_PICTURES).map(show).collect();
        page.fill(
            "pictures",
            TEMPLATE,
            context! {
                title => &self.title, description => &self.description, pictures, remark => self.remark(),
            },
        )
    }

    fn text(&self, width: usize) -> String {
        let mut lines = text::caption(&self.title, &self.description, width);
        for picture in self.pictures.iter().take(MOST_PICTURES) {
            let sign = match picture.is_right() {
                Some(true) => "✓",
                Some(false) => "✗",
                None => " ",
            };
            let note = if picture.note.is_empty() {
                String::new()
            } else {
                format!(" ({})", picture.note)
            };
            let line = format!("  {sign} {}{note}", picture.summary());
            lines.push_str(&format!("{}\n", text::fit(&line, width)));
        }
        if let Some(remark) = self.remark() {
            lines.push_str(&format!("{}\n", text::fit(&remark, width)));
        }
        lines
    }
}
