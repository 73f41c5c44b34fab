//! What serde and the TOML parser say, in words for the person who wrote the file.

use super::document::names_to;
use sim_core::diagnostics::{Problem, Severity, known_names};
use sim_core::neuron::find_model;
use sim_core::tagged::KEY_PREFIX;
use toml::de::{DeValue, Error};

/// What the deserialiser calls the types of our fields, and what a person calls them.
const TYPES: &[(&str, &str)] = &[
    ("u32", "a whole number from 0 to 4294967295"),
    ("u64", "a whole number, zero or above"),
    ("f64", "a number"),
    ("a string", "a text in quotes"),
    ("a boolean", "true or false"),
    ("a map", "a table such as { name = value }"),
    ("a sequence", "a list such as [0, 1]"),
    ("struct PopulationKeys", "a table with the keys of a population"),
    ("struct Projection", "a table with the keys of a projection"),
    ("struct StimulusKeys", "a table with the keys of a stimulus"),
    ("struct Probe", "a table with the keys of a probe"),
];

fn error(code: &'static str, path: String, message: String, help: String) -> Problem {
    Problem { severity: Severity::Error, code, path, message, help }
}

/// A syntax error as a problem.
pub(super) fn syntax(syntax_error: &Error) -> Problem {
    let message = syntax_error.message();
    let help = match message {
        "duplicate key" => "each key may be given once: remove or rename one of the two",
        "recursion limit" => "this is nested deeper than any network: flatten it",
        // The value of `dt = 0.1 ms` is read as a number with something behind it.
        m if m.contains("expected newline") || m.contains("expected nothing") => {
            "write one `key = value` a line, and quantities with their unit in quotes: \"0.1 ms\""
        }
        m if m.contains("string values must be quoted") => {
            "texts, and quantities with their unit, stand in quotes: \"0.1 ms\""
        }
        _ => "see https://toml.io for the syntax; texts and quantities with a unit stand in quotes",
    };
    error("syntax", String::new(), message.to_string(), help.to_string())
}

/// A value of the wrong type as a problem; the error's own place may be finer than the path's.
pub(super) fn wrong_value(wrong: &Error, path: &str, value: &DeValue<'_>) -> Problem {
    let names = match wrong.span().filter(|span| !span.is_empty()) {
        Some(span) => names_to(value, span.start),
        None => Vec::new(),
    };
    let place = std::iter::once(path.to_string()).chain(names.iter().cloned());
    let mut place = place.collect::<Vec<_>>().join("/");
    let mut message = wrong.message();
    // A table with a tag is read through a buffer: its messages say the key themselves.
    let keyed = message.strip_prefix(KEY_PREFIX).and_then(|rest| rest.strip_prefix('`'));
    if let Some((keys, rest)) = keyed.and_then(|rest| rest.split_once("`: ")) {
        place = format!("{place}/{keys}");
        message = rest;
    }
    if let Some(key) = quoted_after(message, "missing field ") {
        let help = format!("add a line `{key} = …`{}", example(key));
        let message = format!("the key `{key}` is missing");
        return error("missing-key", format!("{place}/{key}"), message, help);
    }
    if let Some(key) = quoted_after(message, "unknown field ") {
        if key.starts_with("$__toml") {
            let message = "a date stands here".to_string();
            let help = "write a number, or a text with a unit such as \"20 ms\"".to_string();
            return error("wrong-type", place, message, help);
        }
        let inside = names.last().is_some_and(|name| name == key);
        let help = unknown_key(key, message, path, value, names.len());
        let message = format!("there is no key `{key}` here");
        let place = if inside { place } else { format!("{place}/{key}") };
        return error("unknown-key", place, message, help);
    }
    if let Some((_, key)) = message.split_once(" does not take the key `") {
        let key = key.split('`').next().unwrap_or(key);
        let (message, help) = halves(message);
        return error("key-not-taken", format!("{place}/{key}"), message, help);
    }
    if let Some(name) = quoted_after(message, "unknown variant ") {
        let known: Vec<&str> = quoted(message).skip(1).collect();
        let message = format!("`{name}` is not allowed here");
        return error("unknown-name", place, message, known_names(name, &known));
    }
    let (message, help) = of_type(message);
    error("wrong-type", place, message, help)
}

/// "invalid type: …, expected …" in plain words; other messages come from this project.
fn of_type(message: &str) -> (String, String) {
    if message == "wanted string or table" {
        return (
            "this is not a text in quotes".to_string(),
            "write a name in quotes, for example \"at_or_above\"".to_string(),
        );
    }
    if message.ends_with("number overflowed") {
        return (
            "the number is too large".to_string(),
            "numbers lie between -1.8e308 and 1.8e308".to_string(),
        );
    }
    let found = ["invalid type: ", "invalid value: ", "invalid length "];
    let Some(rest) = found.iter().find_map(|start| message.strip_prefix(start)) else {
        return halves(message);
    };
    let (found, expected) = rest.split_once(", expected ").unwrap_or((rest, "another"));
    let found = match found {
        "map" => "a table".to_string(),
        "sequence" => "a list".to_string(),
        length if length.chars().all(|c| c.is_ascii_digit()) => format!("a list of {length}"),
        other => {
            let (kind, value) = other.split_once(' ').unwrap_or(("", other));
            let kind = match kind {
                "string" => "the text",
                "integer" | "floating" => "the number",
                "boolean" => "the value",
                _ => "the",
            };
            format!("{kind} {}", value.trim_start_matches("point "))
        }
    };
    let expected =
        TYPES.iter().find(|(name, _)| *name == expected).map_or(expected, |(_, words)| words);
    (format!("{found} stands here"), format!("write {expected}"))
}

/// What a person can do about an unknown key: the likely meaning, and the known keys.
fn unknown_key(key: &str, message: &str, path: &str, entry: &DeValue<'_>, depth: usize) -> String {
    let model = entry.get("model").and_then(|model| model.get_ref().as_str());
    let spec = model.and_then(find_model).map(|model| model.spec());
    if let Some(spec) = spec.filter(|_| depth == 1) {
        let is_parameter = spec.parameters.iter().any(|p| p.name == key);
        let is_variable = spec.variables.iter().any(|v| v.name == key);
        if is_parameter || is_variable {
            let table = if is_parameter { "parameters" } else { "initial" };
            return format!(
                "it belongs to the model `{}`: write it below a line [{}.{table}]",
                spec.name,
                path.replace('/', ".")
            );
        }
    }
    let known: Vec<&str> = quoted(message).skip(1).collect();
    known_names(key, &known)
}

/// An example of a value for a key.
fn example(key: &str) -> &'static str {
    match key {
        "size" => ", for example size = 800",
        "model" => ", for example model = \"lif_exponential\"",
        "weight" => ", for example weight = \"20 pA\"",
        "delay" => ", for example delay = \"1.5 ms\"",
        "connectivity" => {
            ", for example connectivity = { rule = \"fixed_probability\", probability = 0.1 }"
        }
        "rule" => ", for example rule = \"one_to_one\"",
        "kind" => ", for example kind = \"poisson\"",
        "rate" => ", for example rate = \"8 Hz\"",
        "amplitude" => ", for example amplitude = \"500 pA\"",
        "variable" => ", for example variable = \"spikes\"",
        "population" | "source" | "target" => " with the name of a population",
        _ => "",
    }
}

/// A message of the form "what is wrong; what to do".
fn halves(message: &str) -> (String, String) {
    let (message, help) = message.split_once("; ").unwrap_or((message, "correct the value"));
    (message.to_string(), help.to_string())
}

/// What stands in backquotes.
fn quoted(message: &str) -> impl Iterator<Item = &str> {
    message.split('`').skip(1).step_by(2)
}

fn quoted_after<'m>(message: &'m str, start: &str) -> Option<&'m str> {
    quoted(message.strip_prefix(start)?).next()
}
