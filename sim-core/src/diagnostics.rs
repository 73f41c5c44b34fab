//! Problems found in a description: all of them, each with a code, a place and a way out.

use serde::Serialize;

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The network cannot run.
    Error,
    /// The network runs, but probably not as meant.
    Warning,
}

/// One problem of a network description.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// Stable name of the kind of problem, e.g. `unknown-parameter`.
    pub code: &'static str,
    /// Where in the network, e.g. `populations/excitatory/parameters/tau_membrane`.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What is allowed and what to do.
    pub help: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{}] {}: {}; {}", self.code, self.path, self.message, self.help)
    }
}

/// All problems of a network; at least one is an error when this is returned as one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// Adds an error.
    pub fn error(
        &mut self,
        code: &'static str,
        path: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(Severity::Error, code, path.into(), message.into(), help.into());
    }

    /// Adds a warning.
    pub fn warning(
        &mut self,
        code: &'static str,
        path: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(Severity::Warning, code, path.into(), message.into(), help.into());
    }

    fn push(
        &mut self,
        severity: Severity,
        code: &'static str,
        path: String,
        message: String,
        help: String,
    ) {
        self.0.push(Problem { severity, code, path, message, help });
    }

    /// Whether any of them is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|problem| problem.severity == Severity::Error)
    }
}

/// Problems of one part of a description, each at a path inside it.
#[derive(Debug)]
pub struct Findings<'p> {
    problems: &'p mut Problems,
    path: String,
    wrong: bool,
}

impl<'p> Findings<'p> {
    /// Nothing found yet in the part at this path.
    pub fn new(problems: &'p mut Problems, path: impl Into<String>) -> Self {
        Findings { problems, path: path.into(), wrong: false }
    }

    /// Adds an error at a key of the part; at the part itself where the key is empty.
    pub fn wrong(
        &mut self,
        code: &'static str,
        key: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.wrong = true;
        let path = match key.is_empty() {
            true => self.path.clone(),
            false => format!("{}/{key}", self.path),
        };
        self.problems.error(code, path, message, help);
    }

    /// The findings of a part inside this one; what is wrong there is wrong here.
    pub fn within<T>(&mut self, key: &str, look: impl FnOnce(&mut Findings<'_>) -> T) -> T {
        let path = format!("{}/{key}", self.path);
        let mut inner = Findings { problems: self.problems, path, wrong: false };
        let seen = look(&mut inner);
        self.wrong |= inner.wrong;
        seen
    }

    /// Whether anything was wrong.
    pub fn any(&self) -> bool {
        self.wrong
    }
}

impl std::fmt::Display for Problems {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let errors = self.0.iter().filter(|p| p.severity == Severity::Error).count();
        write!(f, "{errors} problem{} in the network", if errors == 1 { "" } else { "s" })?;
        for problem in &self.0 {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}

/// The known name nearest to a wrong one, if it is near enough to be a slip of the pen.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (edit_distance(wrong, name), name))
        .filter(|&(distance, name)| distance <= 2.max(name.len() / 3))
        .min()
        .map(|(_, name)| name)
}

/// Names that a message lists.
const MOST_LISTED: usize = 30;
/// Names that a wrong one is compared with.
const MOST_COMPARED: usize = 1000;

/// A sentence that lists the known names, with the nearest first as a guess.
///
/// Long lists are cut: a file may hold any number of names.
pub fn known_names(wrong: &str, known: &[&str]) -> String {
    let mut list = known[..known.len().min(MOST_LISTED)].join(", ");
    if known.len() > MOST_LISTED {
        list.push_str(&format!(" and {} more", known.len() - MOST_LISTED));
    }
    match nearest(wrong, known.iter().copied().take(MOST_COMPARED)) {
        Some(name) => format!("did you mean `{name}`? Known are: {list}"),
        None => format!("known are: {list}"),
    }
}

/// The number of single-character edits between two words (Levenshtein).
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_recognised() {
        let known = ["tau_membrane", "threshold", "reset"];
        assert_eq!(nearest("tau_membran", known), Some("tau_membrane"));
        assert_eq!(nearest("tresholt", known), Some("threshold"));
        assert_eq!(nearest("capacitance", known), None);
    }
}
