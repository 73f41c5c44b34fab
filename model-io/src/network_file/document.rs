//! The parsed text with the byte range of every key and value: from a path to its place.

use super::explain;
use super::located::{LocatedProblem, LocatedProblems};
use sim_core::diagnostics::Problem;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// Names may contain slashes; so many pieces of a path are tried as one name.
const MOST_PIECES: usize = 8;

/// Codes of problems that lie in a name rather than in its value.
const PROBLEMS_OF_NAMES: &[&str] = &["unknown-parameter", "unknown-key", "key-not-taken"];

/// A parsed text.
#[derive(Debug)]
pub(super) struct Document<'t> {
    root: DeTable<'t>,
    lines: Lines<'t>,
}

/// A key and its value on the way that a path takes through the document.
#[derive(Debug, Clone, Copy)]
struct Entry<'d, 't> {
    key: &'d Spanned<DeString<'t>>,
    value: &'d Spanned<DeValue<'t>>,
}

impl<'t> Document<'t> {
    /// Parses a text; with errors, the document holds what could be understood.
    pub(super) fn parse(text: &'t str) -> (Self, Vec<toml::de::Error>) {
        let (root, errors) = DeTable::parse_recoverable(text);
        let document = Document { root: root.into_inner(), lines: Lines::new(text) };
        (document, errors)
    }

    /// The document of no text: problems have no place in it.
    pub(super) fn empty() -> Self {
        Document { root: DeTable::new(), lines: Lines::new("") }
    }

    /// The top of the document.
    pub(super) fn root(&self) -> &DeTable<'t> {
        &self.root
    }

    /// A problem at a byte range.
    pub(super) fn at(&self, problem: Problem, span: Option<Range<usize>>) -> LocatedProblem {
        let span = span.map(|span| self.lines.inside(span));
        let (line, column) = self.lines.position(span.as_ref().map_or(0, |span| span.start));
        LocatedProblem { problem, span, line, column }
    }

    /// A problem at the place that its path leads to.
    pub(super) fn locate(&self, problem: Problem) -> LocatedProblem {
        let of_name = PROBLEMS_OF_NAMES.contains(&problem.code);
        let span = self.find(&problem.path, of_name);
        self.at(problem, span)
    }

    /// All problems at their places.
    pub(super) fn locate_all(&self, problems: Vec<Problem>) -> LocatedProblems {
        LocatedProblems(problems.into_iter().map(|p| self.locate(p)).collect())
    }

    /// Syntax errors as problems at their places, in the order of the text.
    pub(super) fn syntax_problems(&self, errors: &[toml::de::Error]) -> LocatedProblems {
        let locate = |error: &toml::de::Error| self.at(explain::syntax(error), error.span());
        let mut problems: Vec<LocatedProblem> = errors.iter().map(locate).collect();
        problems.sort_by_key(|located| located.span.as_ref().map_or(0, |span| span.start));
        // One slip often breaks the rules of several grammar levels: the first says it best.
        problems.dedup_by_key(|located| located.line);
        LocatedProblems(problems)
    }

    /// The byte range of the deepest part of the document that lies on the path; `None` where not
    /// even its first name does.
    ///
    /// The value is meant where it stands beside its key, else (a table with a header, or a name
    /// that is itself the problem) the key.
    fn find(&self, path: &str, of_name: bool) -> Option<Range<usize>> {
        let mut table = Some(&self.root);
        let mut rest = Some(path);
        let mut deepest: Option<Entry<'_, '_>> = None;
        while let (Some(inside), Some(names)) = (table, rest) {
            let Some((entry, left)) = step(inside, names) else {
                break;
            };
            table = entry.value.get_ref().as_table();
            deepest = Some(entry);
            rest = left;
        }
        let Entry { key, value } = deepest?;
        let complete = rest.is_none();
        let beside = value.span().start >= key.span().end;
        Some(match complete && beside && !of_name {
            true => value.span(),
            false => key.span(),
        })
    }
}

/// The entry of a table that a path begins with, and what is left of the path.
fn step<'d, 't, 'p>(
    table: &'d DeTable<'t>,
    path: &'p str,
) -> Option<(Entry<'d, 't>, Option<&'p str>)> {
    let ends = path.match_indices('/').map(|(at, _)| at);
    let ends = ends.take(MOST_PIECES).chain([path.len()]);
    let found = ends.filter_map(|end| {
        let name = path.get(..end)?;
        // Files may call a population's size its shape.
        let entry = table.get_key_value(name).or_else(|| match name {
            "size" => table.get_key_value("shape"),
            _ => None,
        });
        let (key, value) = entry?;
        Some((Entry { key, value }, path.get(end + 1..)))
    });
    found.last()
}

/// The names that lead from a value to the deepest key whose text covers a byte offset.
///
/// A table with a header covers its header only, so all entries are looked at.
pub(super) fn names_to(value: &DeValue<'_>, offset: usize) -> Vec<String> {
    let Some(table) = value.as_table() else {
        return Vec::new();
    };
    for (key, value) in table.iter() {
        let mut names = names_to(value.get_ref(), offset);
        let covers =
            |span: Range<usize>| span.start <= offset && offset < span.end.max(span.start + 1);
        if !names.is_empty() || covers(key.span()) || covers(value.span()) {
            names.insert(0, key.get_ref().to_string());
            return names;
        }
    }
    Vec::new()
}

/// Where the lines of a text begin.
#[derive(Debug)]
struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn new(text: &'t str) -> Self {
        let after = text.match_indices('\n').map(|(at, _)| at + 1);
        Lines { text, starts: std::iter::once(0).chain(after).collect() }
    }

    /// A range with both ends in the text and between characters.
    fn inside(&self, span: Range<usize>) -> Range<usize> {
        let start = self.text.floor_char_boundary(span.start);
        let end = self.text.floor_char_boundary(span.end);
        start..end.max(start)
    }

    /// Line and column of a byte offset, from 1; the column in characters.
    fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|&start| start <= offset).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        let before = self.text.get(start..offset).unwrap_or("");
        (line, before.chars().count() + 1)
    }
}
