//! Big numbers with unit and note.

use minijinja::context;
use serde::{Deserialize, Serialize};

use super::Render;
use crate::report::ReportError;
use crate::report::html::Page;
use crate::report::text;

/// A row of big numbers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct KeyFigures {
    /// The figures, most important first.
    pub figures: Vec<KeyFigure>,
}

/// One big number.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct KeyFigure {
    /// What the number is.
    pub label: String,
    /// The number as it is to be read, for example `98.6`.
    pub value: String,
    /// Its unit; may be empty.
    #[serde(default)]
    pub unit: String,
    /// A few words of context; may be empty.
    #[serde(default)]
    pub note: String,
    /// Whether it is good or bad news.
    #[serde(default)]
    pub tone: Tone,
}

/// Whether a figure is good or bad news; shown by a sign as well as by colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// Neither.
    #[default]
    Neutral,
    /// As hoped.
    Good,
    /// Needs attention.
    Warning,
}

impl Tone {
    fn name(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Good => "good",
            Self::Warning => "warning",
        }
    }
}

impl KeyFigure {
    /// A neutral figure.
    #[must_use]
    pub fn new(label: &str, value: &str, unit: &str, note: &str) -> Self {
        Self {
            label: label.into(),
            value: value.into(),
            unit: unit.into(),
            note: note.into(),
            tone: Tone::Neutral,
        }
    }

    /// The same figure as good or bad news.
    #[must_use]
    pub fn toned(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }
}

const TEMPLATE: &str = r#"<dl class="block key-figures" data-block="key_figures">
{% for figure in figures %}
<div class="figure {{ figure.tone }}"><dt>{{ figure.label }}</dt>
<dd><span class="value{% if figure.value|length > 6 %} long{% endif %}">{{ figure.value }}</span>{% if figure.unit %} <span class="unit">{{ figure.unit }}</span>{% endif %}</dd>
{% if figure.note %}<dd class="note">{% if figure.tone == "good" %}<span class="sign" aria-hidden="true">✓</span> {% elif figure.tone == "warning" %}<span class="sign" role="img" aria-label="attention">!</span> {% endif %}{{ figure.note }}</dd>{% endif %}
</div>
{% endfor %}
</dl>
"#;

impl Render for KeyFigures {
    fn html(&self, page: &Page) -> Result<String, ReportError> {
        if self.figures.is_empty() {
            return Ok(String::new());
        }
        let show = |figure: &KeyFigure| {
            context! {
                label => &figure.label, value => &figure.value, unit => &figure.unit,
                note => &figure.note, tone => figure.tone.name(),
            }
        };
        let figures: Vec<_> = self.figures.iter().map(show).collect();
        page.fill("key figures", TEMPLATE, context! { figures })
    }

    fn text(&self, width: usize) -> String {
        let widest = self.figures.iter().map(|figure| text::columns(&figure.label)).max();
        let indent = widest.unwrap_or(0).min(width / 3);
        let mut lines = String::new();
        for figure in &self.figures {
            let sign = if figure.tone == Tone::Warning { "! " } else { "" };
            let note =
                if figure.note.is_empty() { String::new() } else { format!("  ({})", figure.note) };
            let line = format!("{sign}{} {}", figure.value, figure.unit);
            let body = text::wrap(&format!("{}{note}", line.trim_end()), width - indent - 4);
            for (row, part) in body.iter().enumerate() {
                let label =
                    if row == 0 { text::fit(&figure.label, indent) } else { " ".repeat(indent) };
                lines.push_str(&format!("  {label}  {part}\n"));
            }
        }
        lines
    }
}
