//! From the parsed text to a network, entry by entry, so that one wrong entry hides no other.

use super::document::Document;
use super::explain;
use super::located::{LocatedProblem, LocatedProblems};
use indexmap::IndexMap;
use serde::de::DeserializeOwned;
use sim_core::diagnostics::{Problem, Severity, known_names};
use sim_core::network::Network;
use toml::Spanned;
use toml::de::{DeValue, ValueDeserializer};

/// The keys at the top of a file.
const KEYS: &[&str] =
    &["name", "dt", "seed", "precision", "populations", "projections", "stimuli", "probes"];

struct Reader<'d, 't> {
    document: &'d Document<'t>,
    problems: Vec<LocatedProblem>,
}

/// Reads a network from a document without syntax errors.
pub(super) fn network(document: &Document<'_>) -> Result<Network, LocatedProblems> {
    let mut reader = Reader { document, problems: Vec::new() };
    reader.refuse_unknown_keys();
    let dt = reader.value("dt");
    if document.root().get("dt").is_none() {
        reader.problem(
            "missing-key",
            "dt",
            "`dt`, the time step, is missing",
            "add a line such as dt = \"0.1 ms\" at the top of the file",
        );
    }
    let name = reader.value("name").unwrap_or_default();
    let seed = reader.value("seed").unwrap_or_default();
    let precision = reader.value("precision");
    let populations = reader.section("populations");
    let projections = reader.section("projections");
    let stimuli = reader.section("stimuli");
    let probes = reader.section("probes");
    match dt {
        Some(dt) if reader.problems.is_empty() => {
            Ok(Network { name, dt, seed, precision, populations, projections, stimuli, probes })
        }
        _ => {
            let mut problems = reader.problems;
            problems.sort_by_key(|located| located.span.as_ref().map_or(0, |span| span.start));
            Err(LocatedProblems(problems))
        }
    }
}

impl Reader<'_, '_> {
    fn problem(&mut self, code: &'static str, path: &str, message: &str, help: &str) {
        self.problems.push(self.document.locate(Problem {
            severity: Severity::Error,
            code,
            path: path.to_string(),
            message: message.to_string(),
            help: help.to_string(),
        }));
    }

    fn refuse_unknown_keys(&mut self) {
        for key in self.document.root().keys() {
            let name = key.get_ref();
            if !KEYS.contains(&name.as_ref()) {
                let message = format!("a network file has no key `{name}` at its top");
                self.problem("unknown-key", name, &message, &known_names(name, KEYS));
            }
        }
    }

    /// A value at the top of the file, if it is there and right.
    fn value<T: DeserializeOwned>(&mut self, key: &str) -> Option<T> {
        let value = self.document.root().get(key)?;
        self.read(key, value)
    }

    /// Named entries of one kind.
    fn section<T: DeserializeOwned>(&mut self, section: &str) -> IndexMap<String, T> {
        let mut entries = IndexMap::new();
        let Some(value) = self.document.root().get(section) else {
            return entries;
        };
        let Some(table) = value.get_ref().as_table() else {
            let message = format!("`{section}` is not a table of named entries");
            let help = format!("give each a name: [{section}.some_name]");
            self.problem("wrong-type", section, &message, &help);
            return entries;
        };
        for (name, value) in table.iter() {
            let path = format!("{section}/{}", name.get_ref());
            if let Some(entry) = self.read(&path, value) {
                entries.insert(name.get_ref().to_string(), entry);
            }
        }
        entries
    }

    fn read<T: DeserializeOwned>(&mut self, path: &str, value: &Spanned<DeValue<'_>>) -> Option<T> {
        match T::deserialize(ValueDeserializer::from(value.clone())) {
            Ok(read) => Some(read),
            Err(error) => {
                let problem = explain::wrong_value(&error, path, value.get_ref());
                let mut located = self.document.locate(problem);
                // An element of a list lies deeper than any path.
                if let (Some(inner), Some(outer)) = (error.span(), &located.span)
                    && outer.start <= inner.start
                    && inner.end <= outer.end
                    && !inner.is_empty()
                {
                    located = self.document.at(located.problem, Some(inner));
                }
                self.problems.push(located);
                None
            }
        }
    }
}
