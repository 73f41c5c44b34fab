//! Tests of the report: escaping, odd data, size, structure, width of the text form.

mod charts;
mod page;
mod sample;
mod terminal;

/// How often `needle` is in `text`.
fn occurrences(text: &str, needle: &str) -> usize {
    text.matches(needle).count()
}

/// The HTML of a report that holds only `block`.
fn html_of(block: impl Into<super::Block>) -> String {
    let section = super::Section::new("only", "Only", "").with(block);
    let report = super::Report { sections: vec![section], ..super::Report::default() };
    report.to_html().unwrap()
}

/// The text of `block` in `width` columns.
fn text_of(block: impl Into<super::Block>, width: usize) -> String {
    let section = super::Section::new("only", "Only", "").with(block);
    super::Report { sections: vec![section], ..super::Report::default() }.to_text(width)
}
