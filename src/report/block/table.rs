//! Rows and columns; sortable on the page, fitted to the width in a terminal.

use minijinja::context;
use serde::{Deserialize, Serialize};

use super::Render;
use crate::report::html::Page;
use crate::report::number::{MISSING, count, format_number, null_is_nan};
use crate::report::{ReportError, text};

/// More rows than this are not put on a page; the page says so.
const MOST_ROWS: usize = 2_000;

/// A table with a caption.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Caption.
    pub title: String,
    /// A sentence under the caption; may be empty.
    #[serde(default)]
    pub description: String,
    /// The columns, left to right.
    pub columns: Vec<Column>,
    /// The rows; missing cells at a row's end are shown as missing, surplus cells are not shown.
    pub rows: Vec<Vec<Cell>>,
}

/// One column of a table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Heading.
    pub title: String,
    /// Unit shown with the heading; may be empty.
    #[serde(default)]
    pub unit: String,
    /// Where cells stand.
    #[serde(default)]
    pub alignment: Alignment,
    /// Places after the point; four significant digits if not given.
    #[serde(default)]
    pub decimals: Option<usize>,
    /// If given, numbers get a small bar that is full at this value.
    #[serde(default)]
    pub bar_maximum: Option<f64>,
}

/// Where the cells of a column stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alignment {
    /// Left, for words.
    #[default]
    Left,
    /// Right, for numbers.
    Right,
    /// Centred, for signs.
    Centre,
}

/// One cell of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// Words.
    Text(String),
    /// A number; not-a-number is shown as missing.
    Number(#[serde(deserialize_with = "null_is_nan")] f64),
    /// Nothing is known.
    Missing,
}

impl Alignment {
    fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
            Self::Centre => "centre",
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}
impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}
impl From<usize> for Cell {
    fn from(number: usize) -> Self {
        Self::Number(number as f64)
    }
}
impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        Self::Number(number as f64)
    }
}

impl Column {
    /// A left-aligned column of words.
    #[must_use]
    pub fn words(title: &str) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    /// A right-aligned column of numbers.
    #[must_use]
    pub fn numbers(title: &str, unit: &str, decimals: Option<usize>) -> Self {
        let (title, unit) = (title.into(), unit.into());
        Self { title, unit, alignment: Alignment::Right, decimals, bar_maximum: None }
    }

    /// The same column with bars that are full at `maximum`.
    #[must_use]
    pub fn with_bars(mut self, maximum: f64) -> Self {
        self.bar_maximum = Some(maximum);
        self
    }

    fn heading(&self) -> String {
        if self.unit.is_empty() {
            self.title.clone()
        } else {
            format!("{} [{}]", self.title, self.unit)
        }
    }

    fn show(&self, cell: &Cell) -> String {
        match cell {
            Cell::Text(words) => words.clone(),
            Cell::Number(number) => format_number(*number, self.decimals),
            Cell::Missing => MISSING.into(),
        }
    }

    /// Length of a cell's bar in per cent and whether it is over full.
    fn bar(&self, cell: &Cell) -> Option<(f64, bool)> {
        match (cell, self.bar_maximum) {
            (Cell::Number(number), Some(full)) if number.is_finite() && full > 0.0 => {
                let share = number / full;
                Some(((share.clamp(0.0, 1.0) * 1000.0).round() / 10.0, share > 1.0))
            }
            _ => None,
        }
    }
}

const TEMPLATE: &str = r#"<div class="block table" data-block="table">
<div class="scroll" role="region" tabindex="0" aria-label="{{ title }}">
<table>
<caption><span class="caption">{{ title }}</span>{% if description %}<span class="description">{{ description }}</span>{% endif %}</caption>
<thead><tr>{% for column in columns %}<th scope="col" class="{{ column.alignment }}" aria-sort="none"><button type="button" disabled>{{ column.title }}{% if column.unit %} <span class="unit">[{{ column.unit }}]</span>{% endif %}</button></th>{% endfor %}</tr></thead>
<tbody>
{% for row in rows %}
<tr>{% for cell in row %}<td class="{{ cell.alignment }}{% if cell.bar %} barred{% if cell.over %} over{% endif %}{% endif %}"{% if cell.sort is not none %} data-sort="{{ cell.sort }}"{% endif %}>{% if cell.bar %}<span class="bar" aria-hidden="true"><span style="width:{{ cell.length }}%"></span></span>{% endif %}{% for part in cell.parts %}{{ part }}{% if not loop.last %}_<wbr>{% endif %}{% endfor %}</td>{% endfor %}</tr>
{% else %}
<tr><td class="empty" colspan="{{ columns|length }}">No rows.</td></tr>
{% endfor %}
</tbody>
</table>
</div>
{% if note %}<p class="remark">{{ note }}</p>{% endif %}
</div>
"#;

impl Render for Table {
    fn html(&self, page: &Page) -> Result<String, ReportError> {
        let missing = Cell::Missing;
        let rows: Vec<Vec<_>> = self
            .rows
            .iter()
            .take(MOST_ROWS)
            .map(|row| {
                let show = |(index, column): (usize, &Column)| {
                    let cell = row.get(index).unwrap_or(&missing);
                    let sort = match cell {
                        Cell::Number(number) if number.is_finite() => Some(number.to_string()),
                        _ => None,
                    };
                    let bar = column.bar(cell);
                    // long names may break behind an underscore
                    let parts: Vec<String> =
                        column.show(cell).split('_').map(str::to_owned).collect();
                    context! {
                        parts, sort, alignment => column.alignment.name(),
                        bar => bar.is_some(), length => bar.map(|bar| bar.0),
                        over => bar.is_some_and(|bar| bar.1),
                    }
                };
                self.columns.iter().enumerate().map(show).collect()
            })
            .collect();
        let note = (self.rows.len() > MOST_ROWS).then(|| {
            format!("Showing the first {} of {} rows.", count(MOST_ROWS), count(self.rows.len()))
        });
        let columns: Vec<_> = self
            .columns
            .iter()
            .map(|column| {
                let alignment = column.alignment.name();
                context! { title => &column.title, unit => &column.unit, alignment }
            })
            .collect();
        page.fill(
            "table",
            TEMPLATE,
            context! {
                title => &self.title, description => &self.description, columns, rows, note,
            },
        )
    }

    fn text(&self, width: usize) -> String {
        let headings: Vec<String> = self.columns.iter().map(Column::heading).collect();
        let right: Vec<bool> =
            self.columns.iter().map(|column| column.alignment == Alignment::Right).collect();
        let rows: Vec<Vec<String>> = self
            .rows
            .iter()
            .map(|row| {
                let cell = |(index, column): (usize, &Column)| {
                    row.get(index).map_or_else(|| MISSING.into(), |cell| column.show(cell))
                };
                self.columns.iter().enumerate().map(cell).collect()
            })
            .collect();
        let mut lines = text::caption(&self.title, &self.description, width);
        lines.push_str(&text::table(&headings, &right, &rows, width));
        lines
    }
}
