//! JSON texts, and reports.

use super::Content;
use crate::error::Error;
use crate::model_io::sniff::Format;
use crate::network_files::unreadable;
use serde_json::Value;
use std::io::Read;
use std::path::Path;

/// Longest JSON text that is parsed, in bytes.
const MOST_JSON_BYTES: u64 = 1 << 26;
/// Bytes in which the title of a page is looked for.
const PAGE_HEAD: u64 = 1 << 18;

/// What is wrong with a JSON text.
pub(super) fn malformed(path: &Path, error: &serde_json::Error) -> Error {
    Error::Read { path: path.into(), reason: format!("it is damaged JSON: {error}") }
}

/// The members of a JSON object, lists and objects by their length.
pub(super) fn json(path: &Path) -> Result<Content, Error> {
    let file = std::fs::File::open(path).map_err(|error| unreadable(path, &error))?;
    let mut bytes = Vec::new();
    file.take(MOST_JSON_BYTES).read_to_end(&mut bytes).map_err(|e| unreadable(path, &e))?;
    let value: Value = serde_json::from_slice(&bytes).map_err(|error| malformed(path, &error))?;
    let mut content = Content::default();
    let Value::Object(members) = value else {
        return Ok(content);
    };
    let demo = ["ann_accuracy", "spiking_accuracy", "binding_resource"];
    if demo.iter().all(|key| members.contains_key(*key)) {
        content.description = Some("the summary of `spikeloom demo`".to_string());
    }
    let simple = |value: &Value| !value.is_array() && !value.is_object();
    for (name, value) in members {
        let shown = match &value {
            Value::Object(inner) if inner.len() <= 16 && inner.values().all(simple) => value,
            Value::Object(inner) => Value::String(format!("{} members", inner.len())),
            Value::Array(inner) => Value::String(format!("{} entries", inner.len())),
            _ => value,
        };
        // Not to be mixed up with what is said about the file.
        let name = match name.as_str() {
            "file" | "format" | "description" | "bytes" => format!("{name}_in_file"),
            _ => name,
        };
        content.facts.insert(name, shown);
    }
    Ok(content)
}

/// Web pages, by their title; everything else is refused.
pub(super) fn page(path: &Path) -> Result<Content, Error> {
    let file = std::fs::File::open(path).map_err(|error| unreadable(path, &error))?;
    let mut head = Vec::new();
    file.take(PAGE_HEAD).read_to_end(&mut head).map_err(|error| unreadable(path, &error))?;
    let head = String::from_utf8_lossy(&head);
    let start = head.trim_start().get(..15).unwrap_or_default().to_lowercase();
    if !start.starts_with("<!doctype html") {
        return Err(Error::WrongFormat {
            path: path.into(),
            found: Format::Unknown.description().to_string(),
            needed: "`spikeloom list formats` lists those that are, models end in .onnx",
        });
    }
    let between = |from: &str, to: &str| {
        let rest = head.split(from).nth(1)?;
        Some(rest.split(to).next()?.trim().to_string())
    };
    let ours = head.contains("Spikeloom");
    let description = match ours {
        true => "a report of Spikeloom (HTML); open it in a browser",
        false => "a web page (HTML)",
    };
    let title = between("<title>", "</title>").map_or(Value::Null, Value::String);
    let content = Content { description: Some(description.to_string()), ..Content::default() };
    Ok(content.fact("title", title).fact("made_by_spikeloom", ours))
}
