//! Errors: for people with the place in their file, for machines as an object.

use crate::table::harmless;
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource, Report,
    Severity as Level,
};
use serde_json::{Value, json};
use spikeloom::error::{Error, ErrorClass};
use spikeloom::model_io::network_file::{LocatedProblem, LocatedProblems};
use spikeloom::sim_core::diagnostics::{Problems, Severity};
use spikeloom::snn_convert::convert::ConvertError;
use spikeloom::snn_convert::source::SourceError;
use spikeloom::snn_convert::source::onnx::OnnxError;
use spikeloom::snn_convert::structure::StructureError;
use std::path::Path;
use textwrap::WordSeparator;

/// Exit code for wrong usage.
pub const USAGE: u8 = 2;

/// Longest line of a file that is shown with a mark under it, in bytes.
const LONGEST_LINE: usize = 400;
/// Most problems that are shown.
const MOST_PROBLEMS: usize = 50;
/// Width of the text.
const WIDTH: usize = 100;

/// The exit code that an error ends with.
pub fn exit_code(error: &Error) -> u8 {
    match error.class() {
        ErrorClass::Finding => 1,
        ErrorClass::Usage => USAGE,
        ErrorClass::Input => 3,
    }
}

/// `{"error": {"kind", "message", "exit_code", …}}`.
pub fn as_json(error: &Error) -> Value {
    let (file, inner) = error.located();
    let mut object = json!({
        "kind": error.kind(),
        "message": message(error),
        "exit_code": exit_code(error),
        "file": file.map(|path| path.to_string_lossy()),
    });
    let details = match inner {
        Error::NetworkFile { problems, .. } => Some(("problems", located(problems))),
        Error::Invalid(Problems(problems)) => Some(("problems", json!(problems))),
        Error::NeedsArchitecture { lines } => Some(("guess", json!(lines))),
        Error::Onnx(OnnxError::Unsupported(nodes))
        | Error::Source(SourceError::Unsupported(nodes)) => {
            let node = |n: &spikeloom::snn_convert::source::onnx::UnsupportedNode| json!({ "node": n.node, "operator": n.operator, "needed": n.needed });
            Some(("nodes", nodes.iter().map(node).collect()))
        }
        Error::Convert(ConvertError::Structure(StructureError::Refused(nodes))) => {
            let node = |n: &spikeloom::snn_convert::structure::Refusal| json!({ "node": n.node, "operator": n.operator, "needed": n.reason });
            Some(("nodes", nodes.iter().map(node).collect()))
        }
        _ => None,
    };
    if let Some((name, value)) = details {
        object[name] = value;
    }
    json!({ "error": object })
}

/// Problems with their places, for machines.
pub fn located(problems: &LocatedProblems) -> Value {
    let problem = |located: &LocatedProblem| {
        let mut value = json!(located.problem);
        value["line"] = json!(located.span.as_ref().map(|_| located.line));
        value["column"] = json!(located.span.as_ref().map(|_| located.column));
        value
    };
    problems.0.iter().map(problem).collect()
}

/// The message on its own.
fn message(error: &Error) -> String {
    match error {
        Error::NetworkFile { path, problems, .. } => format!("{}: {problems}", path.display()),
        other => other.to_string(),
    }
}

/// The error with its place, as miette draws it.
pub fn as_text(error: &Error, colours: bool) -> String {
    if let Error::NetworkFile { path, text, problems } = error {
        return problems_as_text(path, text, problems, colours);
    }
    draw(MietteDiagnostic::new(harmless(&message(error))).with_code(error.kind()).into(), colours)
}

/// Problems of a network file, each with its line and a mark under the place.
pub fn problems_as_text(
    path: &Path,
    text: &str,
    problems: &LocatedProblems,
    colours: bool,
) -> String {
    let source = blank_controls(text);
    let mut drawn: String = problems
        .0
        .iter()
        .take(MOST_PROBLEMS)
        .map(|problem| problem_as_text(path, &source, problem, colours))
        .collect();
    if let Some(more @ 1..) = problems.0.len().checked_sub(MOST_PROBLEMS) {
        drawn.push_str(&format!("… and {more} more\n"));
    }
    drawn
}

fn problem_as_text(path: &Path, text: &str, located: &LocatedProblem, colours: bool) -> String {
    let problem = &located.problem;
    let level = match problem.severity {
        Severity::Error => Level::Error,
        Severity::Warning => Level::Warning,
    };
    let mut diagnostic = MietteDiagnostic::new(harmless(&problem.message))
        .with_code(problem.code)
        .with_severity(level)
        .with_help(harmless(&problem.help));
    let span = located.span.clone().filter(|span| span.start <= text.len());
    let Some(span) = span.filter(|span| line_length(text, span.start) <= LONGEST_LINE) else {
        return located.render(text);
    };
    let length = span.end.min(text.len()).saturating_sub(span.start);
    let label = LabeledSpan::new(Some(harmless(&problem.path)), span.start, length);
    diagnostic = diagnostic.with_label(label);
    let source = NamedSource::new(path.to_string_lossy(), text.to_string());
    draw(Report::new(diagnostic).with_source_code(source), colours)
}

fn draw(report: Report, colours: bool) -> String {
    let theme = match colours {
        true => GraphicalTheme::unicode(),
        false => GraphicalTheme::unicode_nocolor(),
    };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(WIDTH).with_links(false);
    // Lines wrap at spaces only: a path or a command is copied in one piece.
    let handler = handler.with_break_words(false).with_word_separator(WordSeparator::AsciiSpace);
    let mut drawn = String::new();
    match handler.render_report(&mut drawn, report.as_ref()) {
        Ok(()) => drawn,
        Err(_) => format!("{report}\n"),
    }
}

/// Length of the line around a place, in bytes.
fn line_length(text: &str, at: usize) -> usize {
    let before = text.get(..at).and_then(|text| text.rfind('\n')).map_or(0, |end| end + 1);
    let after = text.get(at..).and_then(|text| text.find('\n')).map_or(text.len(), |end| at + end);
    after.saturating_sub(before)
}

/// The text with control characters as spaces, every byte in its place.
fn blank_controls(text: &str) -> String {
    let mut blank = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter.is_control() && letter != '\n' && letter != '\t' {
            true => blank.extend(std::iter::repeat_n(' ', letter.len_utf8())),
            false => blank.push(letter),
        }
    }
    blank
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_of_files_do_not_reach_the_terminal() {
        assert_eq!(blank_controls("a\u{1b}[2J\r\n\u{9b}b"), "a [2J \n  b");
        let error = Error::Usage("no \u{7}file".to_string());
        assert!(!as_text(&error, false).contains('\u{7}'));
        assert_eq!(line_length("ab\ncdef\ng", 4), 4);
    }

    #[test]
    fn errors_tell_their_kind_and_their_file() {
        let error = Error::Usage("2 samples but 1 label".to_string()).in_file("data.npz");
        let json = as_json(&error);
        assert_eq!(json["error"]["kind"], "content");
        assert_eq!(json["error"]["file"], "data.npz");
        assert_eq!(json["error"]["exit_code"], 3);
        assert_eq!(exit_code(&Error::Usage(String::new())), 2);
    }
}
