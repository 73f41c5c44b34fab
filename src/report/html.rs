//! The HTML page: one template, style and script inlined, every value escaped by the template engine.

use std::cell::Cell;

use minijinja::{AutoEscape, Environment, Value, context};

use super::block::Render;
use super::{Report, ReportError};

const TEMPLATE: &str = include_str!("template.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// What the blocks of one page share: the template engine and the numbering of elements.
pub(crate) struct Page {
    environment: Environment<'static>,
    next_id: Cell<usize>,
}

impl Page {
    pub(crate) fn new() -> Self {
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        Self { environment, next_id: Cell::new(1) }
    }

    /// An element id that no other element of the page has.
    pub(crate) fn unique_id(&self, stem: &str) -> String {
        let number = self.next_id.get();
        self.next_id.set(number + 1);
        format!("{stem}-{number}")
    }

    /// Fills `template`; values are escaped unless they went through [`ready`].
    pub(crate) fn fill(
        &self,
        part: &str,
        template: &str,
        values: Value,
    ) -> Result<String, ReportError> {
        self.environment.render_str(template, values).map_err(|error| ReportError::Template {
            part: part.into(),
            reason: format!("{error:#}"),
        })
    }
}

/// Marks HTML that an escaping template or the drawing library has made as final.
pub(crate) fn ready(html: String) -> Value {
    Value::from_safe_string(html)
}

/// Renders the whole page.
pub(crate) fn page(report: &Report) -> Result<String, ReportError> {
    let page = Page::new();
    let mut sections = Vec::with_capacity(report.sections.len());
    let mut taken: Vec<String> = Vec::with_capacity(report.sections.len());
    for section in &report.sections {
        let mut blocks = Vec::with_capacity(section.blocks.len());
        for block in &section.blocks {
            blocks.push(ready(block.html(&page)?));
        }
        let mut id = anchor(&section.id);
        if taken.contains(&id) {
            id = page.unique_id(&id);
        }
        taken.push(id.clone());
        sections.push(context! {
            id, title => &section.title, paragraphs => paragraphs(&section.text), blocks,
        });
    }
    page.fill(
        "page",
        TEMPLATE,
        context! {
            title => &report.title,
            subtitle => &report.subtitle,
            provenance => &report.provenance,
            sections,
            style => ready(STYLE.to_string()),
            script => ready(SCRIPT.to_string()),
        },
    )
}

/// Splits running text at empty lines.
pub(crate) fn paragraphs(text: &str) -> Vec<String> {
    let normal = text.replace("\r\n", "\n");
    normal.split("\n\n").map(str::trim).filter(|part| !part.is_empty()).map(Into::into).collect()
}

fn anchor(id: &str) -> String {
    let safe: String = id
        .chars()
        .map(|letter| match letter {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' => letter,
            _ => '-',
        })
        .collect();
    if safe.is_empty() { "section".into() } else { safe }
}
