//! Problems with their places, and their rendering as plain text.

use sim_core::diagnostics::{Problem, Severity};
use std::fmt::Write;
use std::ops::Range;

/// Longest message or help that is rendered, in characters.
const LONGEST_TEXT: usize = 600;
/// Widest piece of a source line that is rendered, in characters.
const WIDEST_LINE: usize = 100;
/// Characters shown before the place in a line that is cut.
const CONTEXT_BEFORE: usize = 30;
/// Most problems that are rendered.
const MOST_RENDERED: usize = 50;

/// A problem and its place in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocatedProblem {
    /// The problem.
    pub problem: Problem,
    /// Byte range of the place; `None` where the problem has no place in the text.
    pub span: Option<Range<usize>>,
    /// Line of the place, from 1.
    pub line: usize,
    /// Column of the place in characters, from 1.
    pub column: usize,
}

/// All problems of a file; at least one where this is returned as an error.
#[derive(Debug, Clone, PartialEq, Eq, Default, thiserror::Error)]
pub struct LocatedProblems(pub Vec<LocatedProblem>);

impl std::fmt::Display for LocatedProblems {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let is_error = |p: &&LocatedProblem| p.problem.severity == Severity::Error;
        let errors = self.0.iter().filter(is_error).count();
        let plural = if errors == 1 { "" } else { "s" };
        write!(f, "{errors} problem{plural} in the network file")?;
        for located in self.0.iter().take(MOST_RENDERED) {
            let (line, column) = (located.line, located.column);
            write!(f, "\n  line {line}, column {column}: {}", located.problem)?;
        }
        Ok(())
    }
}

impl LocatedProblems {
    /// The problems as plain text, each with its source line and a mark under the place.
    ///
    /// `text` is the text that was read.
    pub fn render(&self, text: &str) -> String {
        let mut out = String::new();
        for located in self.0.iter().take(MOST_RENDERED) {
            if !out.is_empty() {
                out.push('\n');
            }
            located.render_into(text, &mut out);
        }
        if let Some(more @ 1..) = self.0.len().checked_sub(MOST_RENDERED) {
            // Writing into a string cannot fail.
            let _ = writeln!(out, "\n… and {more} more");
        }
        out
    }
}

impl LocatedProblem {
    /// This problem as plain text: what, where, the source line with a mark, and help.
    pub fn render(&self, text: &str) -> String {
        let mut out = String::new();
        self.render_into(text, &mut out);
        out
    }

    fn render_into(&self, text: &str, out: &mut String) {
        let Problem { severity, code, path, message, help } = &self.problem;
        let severity = match severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let gutter = " ".repeat(self.line.to_string().len());
        // Writing into a string cannot fail.
        let _ = writeln!(out, "{severity}[{code}]: {}", clip(message));
        let at = if path.is_empty() { "" } else { " at " };
        match self.excerpt(text) {
            Some((line, before, width)) => {
                let place = format!("line {}, column {}", self.line, self.column);
                let _ = writeln!(out, "{gutter}--> {place}{at}{}", clip(path));
                let _ = writeln!(out, "{gutter} |");
                let _ = writeln!(out, "{} | {line}", self.line);
                let mark = "^".repeat(width);
                let _ = writeln!(out, "{gutter} | {}{mark}", " ".repeat(before));
            }
            None if path.is_empty() => {}
            None => {
                let _ = writeln!(out, "{gutter}-->{at}{}", clip(path));
            }
        }
        let _ = writeln!(out, "{gutter} = help: {}", clip(help));
    }

    /// The shown piece of the source line, the characters before the mark, and the mark's width.
    fn excerpt(&self, text: &str) -> Option<(String, usize, usize)> {
        let span = self.span.clone()?;
        let start = text.get(..span.start)?.rfind('\n').map_or(0, |at| at + 1);
        let end = text.get(span.start..)?.find('\n');
        let end = end.map_or(text.len(), |at| span.start + at);
        let before = text.get(start..span.start)?.chars().count();
        let marked = text.get(span.start..span.end.clamp(span.start, end))?;
        let fits = text.get(start..end)?.chars().count() <= WIDEST_LINE;
        let skipped = match !fits && before > CONTEXT_BEFORE {
            true => before - CONTEXT_BEFORE,
            false => 0,
        };
        let mut line: String = text
            .get(start..end)?
            .trim_end_matches('\r')
            .chars()
            .skip(skipped)
            .take(WIDEST_LINE)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let shown = line.chars().count();
        let mut before = before - skipped;
        let width = marked.trim_end().chars().take(WIDEST_LINE).count();
        let width = width.min(shown.saturating_sub(before)).max(1);
        if skipped > 0 {
            line.insert(0, '…');
            before += 1;
        }
        Some((line, before, width))
    }
}

/// A text on one line, cut where it is very long.
fn clip(text: &str) -> String {
    let mut clipped: String =
        text.chars().take(LONGEST_TEXT).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(LONGEST_TEXT).is_some() {
        clipped.push('…');
    }
    clipped
}
