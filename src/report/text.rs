//! The report as text, fitted to a terminal's width.

use super::Report;
use super::block::Render;
use super::html::paragraphs;

/// Narrower terminals are treated as this wide.
const NARROWEST: usize = 40;
/// Running text is not set wider than this, however wide the terminal is.
const WIDEST_TEXT: usize = 100;

/// Renders the whole report.
pub(crate) fn report(report: &Report, width: usize) -> String {
    let width = width.max(NARROWEST);
    let mut page = String::new();
    push_heading(&mut page, &report.title, '═', width);
    push_wrapped(&mut page, &report.subtitle, width);
    for section in &report.sections {
        page.push('\n');
        push_heading(&mut page, &section.title, '─', width);
        for paragraph in paragraphs(&section.text) {
            push_wrapped(&mut page, &paragraph, width);
        }
        for block in &section.blocks {
            let lines = block.text(width);
            if !lines.is_empty() {
                page.push('\n');
                page.push_str(&lines);
            }
        }
    }
    if !report.provenance.is_empty() {
        page.push('\n');
        push_heading(&mut page, "Provenance", '─', width);
        let longest = report.provenance.iter().map(|(name, _)| columns(name)).max();
        let indent = longest.unwrap_or(0).min(width / 3);
        for (name, value) in &report.provenance {
            for (row, part) in wrap(value, width - indent - 2).iter().enumerate() {
                let label = if row == 0 { fit(name, indent) } else { " ".repeat(indent) };
                page.push_str(&format!("{label}  {part}\n"));
            }
        }
    }
    harmless(&page)
}

/// Renders one block.
pub(crate) fn block(block: &super::Block, width: usize) -> String {
    harmless(&block.text(width.max(NARROWEST)))
}

/// Drops control characters, so that a name cannot steer the terminal, and spaces at line ends.
fn harmless(page: &str) -> String {
    let mut clean = String::with_capacity(page.len());
    for line in page.lines() {
        let kept: String = line.chars().filter(|letter| !steers(*letter)).collect();
        clean.push_str(kept.trim_end());
        clean.push('\n');
    }
    clean
}

/// Control characters and the marks that reorder or hide text.
fn steers(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn push_heading(page: &mut String, title: &str, rule: char, width: usize) {
    for line in wrap(title, width) {
        page.push_str(&line);
        page.push('\n');
    }
    let length = columns(title).clamp(1, width);
    page.extend(std::iter::repeat_n(rule, length));
    page.push('\n');
}

fn push_wrapped(page: &mut String, text: &str, width: usize) {
    if text.trim().is_empty() {
        return;
    }
    for line in wrap(text, width.min(WIDEST_TEXT)) {
        page.push_str(&line);
        page.push('\n');
    }
}

/// Title and description of a block.
pub(crate) fn caption(title: &str, description: &str, width: usize) -> String {
    let mut lines = String::new();
    for part in [title, description] {
        push_wrapped(&mut lines, part, width);
    }
    lines
}

/// Columns that `text` takes on a terminal: East Asian wide characters and emoji take two.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().map(letter_columns).sum()
}

fn letter_columns(letter: char) -> usize {
    match letter {
        _ if steers(letter) => 0,
        '\u{300}'..='\u{36f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

/// Cuts or pads `text` to exactly `width` columns.
pub(crate) fn fit(text: &str, width: usize) -> String {
    let flat: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut fitted = if columns(&flat) <= width { flat } else { cut(&flat, width) };
    let missing = width.saturating_sub(columns(&fitted));
    fitted.extend(std::iter::repeat_n(' ', missing));
    fitted
}

/// Like [`fit`], padded on the left.
pub(crate) fn fit_right(text: &str, width: usize) -> String {
    let fitted = fit(text, width);
    let body = fitted.trim_end();
    format!("{}{body}", " ".repeat(width.saturating_sub(columns(body))))
}

fn cut(text: &str, width: usize) -> String {
    let mut kept = String::new();
    let mut used = 0;
    for letter in text.chars() {
        let next = used + letter_columns(letter);
        if next + 1 > width {
            break;
        }
        used = next;
        kept.push(letter);
    }
    if width > 0 {
        kept.push('…');
    }
    kept
}

/// Breaks `text` into lines of at most `width` columns, at spaces where possible.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(8);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_whitespace() {
        let length = columns(word);
        if used > 0 && used + 1 + length > width {
            lines.push(String::new());
            used = 0;
        }
        if used > 0 {
            push_last(&mut lines, ' ');
            used += 1;
        }
        for letter in word.chars() {
            let letter_width = letter_columns(letter);
            if used + letter_width > width {
                lines.push(String::new());
                used = 0;
            }
            push_last(&mut lines, letter);
            used += letter_width;
        }
    }
    lines
}

fn push_last(lines: &mut [String], letter: char) {
    if let Some(line) = lines.last_mut() {
        line.push(letter);
    }
}

/// Columns of prose are not made narrower than this for the sake of others.
const NARROWEST_PROSE: usize = 12;

/// Sets a table in `width` columns: wide columns of several words shrink first, then all, and what still does not fit beside is
/// written as one `heading: value` line a cell.
pub(crate) fn table(
    headings: &[String],
    right: &[bool],
    rows: &[Vec<String>],
    width: usize,
) -> String {
    if headings.is_empty() {
        return String::new();
    }
    let mut widths: Vec<usize> = headings.iter().map(|heading| columns(heading)).collect();
    for row in rows {
        for (wide, cell) in widths.iter_mut().zip(row) {
            *wide = (*wide).max(columns(cell));
        }
    }
    let gaps = 2 * (headings.len() - 1);
    let room = width.saturating_sub(gaps);
    if room < 6 * headings.len() && widths.iter().sum::<usize>() > room {
        return stacked(headings, rows, width);
    }
    // Names and paths are copied from a table: prose gives way first.
    let is_prose =
        |index: usize| rows.iter().any(|row| row.get(index).is_some_and(|c| c.contains(' ')));
    let prose: Vec<bool> = (0..headings.len()).map(is_prose).collect();
    while widths.iter().sum::<usize>() > room {
        let all = || widths.iter().enumerate().map(|(index, wide)| (*wide, index));
        let shrinking = all().filter(|&(wide, index)| prose[index] && wide > NARROWEST_PROSE).max();
        match shrinking.or_else(|| all().max()) {
            Some((wide, index)) if wide > 1 => widths[index] -= 1,
            _ => break,
        }
    }
    let set = |cells: &[String]| {
        let cell = |(index, wide): (usize, &usize)| {
            let words = cells.get(index).map_or("", String::as_str);
            if right.get(index) == Some(&true) {
                fit_right(words, *wide)
            } else {
                fit(words, *wide)
            }
        };
        widths.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ")
    };
    let mut lines = set(headings) + "\n";
    let rules: Vec<String> = widths.iter().map(|wide| "─".repeat(*wide)).collect();
    lines.push_str(&rules.join("  "));
    lines.push('\n');
    for row in rows {
        lines.push_str(&set(row));
        lines.push('\n');
    }
    if rows.is_empty() {
        lines.push_str("(no rows)\n");
    }
    lines
}

fn stacked(headings: &[String], rows: &[Vec<String>], width: usize) -> String {
    let mut lines = String::new();
    for row in rows {
        for (heading, cell) in headings.iter().zip(row) {
            for line in wrap(&format!("{heading}: {cell}"), width) {
                lines.push_str(&line);
                lines.push('\n');
            }
        }
        lines.push('\n');
    }
    lines
}

/// A bar of at most `width` columns in eighths of a column; `share` is held to 0..=1.
pub(crate) fn bar(share: f64, width: usize) -> String {
    const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    let eighths = (share * width as f64 * 8.0).round() as usize;
    let mut bar = "█".repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        bar.push(EIGHTHS[eighths % 8]);
    }
    bar
}

/// A sign whose darkness grows with `share`, held to 0..=1; zero is a space.
pub(crate) fn shade(share: f64) -> char {
    const SHADES: [char; 5] = [' ', '·', '░', '▒', '█'];
    if !share.is_finite() || share <= 0.0 {
        return SHADES[0];
    }
    SHADES[1 + ((share.min(1.0) * 4.0).ceil() as usize - 1).min(3)]
}
